//! The first contact of an empty tablet over a link that keeps breaking: what is due is there long before
//! what is old.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dongbo::enrolment::{Enrolling, enrol};
use dongbo::road::session::DeviceSession;
use dongbo::{DeviceFolder, Patience, Road, Tablet, synchronise};
use e2e::link::{Conditions, Link};
use e2e::paper::{About, Typed, TypedValue};
use e2e::{Administrator, Server, TEMPLATE, now_s, server};
use serde_json::json;
use sync_core::date::Date;
use sync_core::document::Subject;

/// The person gives up at the first cut, and presses again.
const IMPATIENT: Patience = Patience {
    failures_max: 0,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(1),
};

/// Years of reports before this one.
const YEARS: u16 = 6;

/// Cells of each report, with a note that no packing makes small.
const CELLS: i64 = 120;

fn tablet(
    at: &std::path::Path,
    code: &str,
    url: &str,
    through: &str,
) -> Result<(Tablet, DeviceSession)> {
    let folder = DeviceFolder::new(at);
    let enrolling = Enrolling {
        code,
        ..Enrolling::default()
    };
    enrol(&folder, &Road::new(url)?, &enrolling)?;
    let tablet = Tablet::open(&folder, None)?;
    let session = DeviceSession::new(Road::new(through)?, tablet.card(), tablet.key());
    Ok((tablet, session))
}

#[test]
fn what_is_due_is_there_and_whole_before_anything_of_the_years_before() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let code = server::init(&folder.path().join("server"))?;
    let running = Server::start(&folder.path().join("server"))?;
    let url = running.url();
    let mut admin = Administrator::enrol(&url, &code)?;
    admin.found(1)?;
    let today = Date::of_timestamp(now_s());
    let duty = json!({
        "template": TEMPLATE, "unit_kind": "commune", "period": today.year().to_string(),
        "due": today.to_string(),
    });
    admin.post("/v1/duties", &json!({ "duties": [duty] }))?;
    let unit = *admin.units.get("00000").context("no unit")?;
    let of = |year: u16| -> Subject {
        About {
            template: TEMPLATE.to_owned(),
            unit,
            period: year.to_string(),
        }
        .subject()
    };
    let code = admin.code("binh", "officer", "00000", false)?;
    let (mut writer, mut road) = tablet(&folder.path().join("binh"), &code, &url, &url)?;
    // Everything old is older than what is due, and in the log before it.
    for year in today.year() - YEARS..=today.year() {
        let typed = |cell: i64| {
            let note = (i64::from(year) * 1_000 + cell).wrapping_mul(6_364_136_223_846_793_005);
            let typed = Typed {
                code: format!("I.{cell}"),
                value: TypedValue::Number(cell),
                note: Some(note.to_string()),
                at: now_s(),
            };
            typed.edits()
        };
        let edits: Vec<_> = (0..CELLS).flat_map(typed).collect();
        writer.edit(&of(year), &edits)?;
        let report = synchronise(&mut writer, &mut road, IMPATIENT, &now_s)?;
        ensure!(report.stopped_by.is_none(), "{:?}", report.stopped_by);
    }
    let code = admin.code("an", "officer", "00000", false)?;
    let link = Link::to(url.trim_start_matches("http://"))?;
    let (mut empty, mut road) = tablet(&folder.path().join("an"), &code, &url, &link.url())?;
    link.begin(Conditions::cut_every(4_000));
    let due = of(today.year());
    let (mut alone_at, mut cuts) = (None, 0);
    loop {
        let report = synchronise(&mut empty, &mut road, IMPATIENT, &now_s)?;
        ensure!(report.notices.is_empty(), "{:?}", report.notices);
        let here: Vec<Subject> = empty.device().subjects()?.into_values().collect();
        if here == [due.clone()] && alone_at.is_none() {
            alone_at = Some(link.passed().bytes());
        }
        if !here.is_empty() {
            let (mine, theirs) = (empty.sealed_document(&due)?, writer.sealed_document(&due)?);
            ensure!(mine.heads() == theirs.heads(), "what is due is not whole");
        }
        if report.stopped_by.is_none() {
            break;
        }
        cuts += 1;
        ensure!(cuts < 200, "it never ends");
    }
    let (alone_at, all) = (
        alone_at.context("what is due was never there alone")?,
        link.passed(),
    );
    ensure!(alone_at * 2 < all.bytes(), "{alone_at} of {all:?}");
    ensure!(cuts > 3, "{cuts} cuts");
    for year in today.year() - YEARS..=today.year() {
        let (mine, theirs) = (
            empty.sealed_document(&of(year))?,
            writer.sealed_document(&of(year))?,
        );
        ensure!(mine.heads() == theirs.heads(), "{year} differs");
    }
    running.stop()
}
