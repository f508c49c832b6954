//! One tablet as a process of its own: types, synchronises, reads; its memory is what is measured.
//!
//! `province_tablet type FOLDER` types the pages it is given on its standard input. `read FOLDER` prints
//! what stands on the device. `sync FOLDER URL` signs in, says so, waits for a line, exchanges until
//! neither side lacks anything, says what came of it, and waits for another line before it ends.

use std::collections::BTreeMap;
use std::io::{BufRead, stdin};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dongbo::lookup::Authors;
use dongbo::road::session::DeviceSession;
use dongbo::{DeviceFolder, Patience, Road, Tablet, now_s, synchronise};
use e2e::paper::{About, Page, Seen, SeenCell, SeenPage};
use serde_json::{Value, json};
use sync_core::catalogue::Catalogue;
use sync_core::cell::{CellValue, Rival};

/// A tablet on a bad link goes on as soon as the link is back, and gives up when nothing helps.
const PATIENCE: Patience = Patience {
    failures_max: 40,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(20),
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["type", folder] => type_pages(folder),
        ["read", folder] => read(folder),
        ["sync", folder, url] => sync(folder, url),
        _ => bail!("type FOLDER, read FOLDER, or sync FOLDER URL"),
    }
}

#[expect(clippy::print_stdout, reason = "another process reads it")]
fn say(value: &Value) {
    println!("{value}");
}

fn wait_for_a_line() -> Result<()> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(())
}

fn open(folder: &str) -> Result<Tablet> {
    Ok(Tablet::open(&DeviceFolder::new(folder), None)?)
}

/// Cell after cell, each durable before the next, as a person types.
fn type_pages(folder: &str) -> Result<()> {
    let pages: Vec<Page> = serde_json::from_reader(stdin().lock())?;
    let mut tablet = open(folder)?;
    for page in pages {
        let subject = page.about.subject();
        for typed in &page.typed {
            tablet.edit(&subject, &typed.edits())?;
        }
    }
    Ok(tablet.close()?)
}

fn sync(folder: &str, url: &str) -> Result<()> {
    let mut tablet = open(folder)?;
    let mut session = DeviceSession::new(Road::new(url)?, tablet.card(), tablet.key());
    session.token()?;
    say(&json!({ "signed_in": true }));
    wait_for_a_line()?;
    let report = synchronise(&mut tablet, &mut session, PATIENCE, &now_s)?;
    say(&json!({
        "rounds": report.rounds,
        "failures": report.failures,
        "acknowledged": report.acknowledged,
        "documents": report.documents.len(),
        "notices": report.notices.iter().map(|notice| format!("{notice:?}")).collect::<Vec<_>>(),
        "waiting": tablet.device().status()?.waiting_parts,
        "stopped_by": report.stopped_by.map(|error| error.to_string()),
    }));
    wait_for_a_line()?;
    Ok(tablet.close()?)
}

fn read(folder: &str) -> Result<()> {
    let mut tablet = open(folder)?;
    let subjects = tablet.device().subjects()?;
    let authors = Authors::of(tablet.device().log())?;
    let mut pages = Vec::with_capacity(subjects.len());
    for subject in subjects.values() {
        let document = tablet.sealed_document(subject)?;
        let (values, notes) = (document.cells(), document.notes());
        let catalogue = tablet.device().catalogue();
        let mut cells: BTreeMap<String, SeenCell> = BTreeMap::new();
        for (code, rivals) in values {
            cells.entry(code).or_default().values = seen(&rivals, &authors, catalogue)?;
        }
        for (code, rivals) in notes {
            cells.entry(code).or_default().notes = seen(&rivals, &authors, catalogue)?;
        }
        let about = About::of(subject);
        pages.push(SeenPage { about, cells });
    }
    say(&serde_json::to_value(&pages)?);
    Ok(tablet.close()?)
}

fn seen(rivals: &[Rival], authors: &Authors, catalogue: &Catalogue) -> Result<Vec<Seen>> {
    let mut seen = Vec::with_capacity(rivals.len());
    for rival in rivals {
        let author = authors.of_actor(catalogue, rival.actor);
        let (_, person) = author.context("a value that nobody signed")?;
        seen.push(Seen {
            value: match &rival.value {
                CellValue::Number(number) => number.canonical(),
                CellValue::Text(text) => text.clone(),
                CellValue::Empty => String::new(),
                CellValue::NoOccurrence => "false".to_owned(),
            },
            by: person.display_name.clone(),
            at: rival.claimed_at,
        });
    }
    Ok(seen)
}
