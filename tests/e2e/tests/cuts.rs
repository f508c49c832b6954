//! A link that is cut, wherever it is: an exchange goes on where it was, and always comes to its end.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dongbo::enrolment::{Enrolling, enrol};
use dongbo::road::session::DeviceSession;
use dongbo::{DeviceFolder, Patience, Road, SyncReport, Tablet, synchronise};
use e2e::link::{Conditions, Link, Passed};
use e2e::paper::{About, Typed, TypedValue};
use e2e::{Administrator, PERIOD, Server, TEMPLATE, now_s, server};
use sync_core::identity::UnitId;

/// A cut link is tried again at once.
const PATIENCE: Patience = Patience {
    failures_max: 4,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(1),
};

/// Longer than this machine takes for an answer, shorter than a test may last.
const SILENCE: Duration = Duration::from_secs(2);

/// Cells that make an exchange larger than what is sent whole again after a cut.
const CELLS: i64 = 250;

/// A server, a link to it, and two tablets of one commune.
struct Field {
    _folder: tempfile::TempDir,
    running: Server,
    link: Link,
    unit: UnitId,
    here: (Tablet, DeviceSession),
    there: (Tablet, DeviceSession),
}

impl Field {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let code = server::init(&folder.path().join("server"))?;
        let running = Server::start(&folder.path().join("server"))?;
        let url = running.url();
        let mut admin = Administrator::enrol(&url, &code)?;
        admin.found(1)?;
        let link = Link::to(url.trim_start_matches("http://"))?;
        let unit = *admin.units.get("00000").context("no unit")?;
        let mut tablet = |name: &str, through: &str| -> Result<(Tablet, DeviceSession)> {
            let code = admin.code(name, "officer", "00000", false)?;
            let at = folder.path().join(name);
            tablet(&at, &code, &url, through)
        };
        let here = tablet("an", &link.url())?;
        let there = tablet("binh", &url)?;
        Ok(Self {
            _folder: folder,
            running,
            link,
            unit,
            here,
            there,
        })
    }

    /// Both type `cells` cells with notes; the other's are on the server.
    fn work(&mut self, turn: i64, cells: i64) -> Result<()> {
        let about = |period: &str| About {
            template: TEMPLATE.to_owned(),
            unit: self.unit,
            period: period.to_owned(),
        };
        for (side, (tablet, _)) in [(1, &mut self.here), (2, &mut self.there)] {
            let typed = |cell| {
                let typed = Typed {
                    code: format!("I.{cell}"),
                    value: TypedValue::Number(turn * 1_000 + cell),
                    note: Some(format!("{}", (turn + 7) * (cell + 13) * side * 7_919)),
                    at: now_s(),
                };
                typed.edits()
            };
            let edits: Vec<_> = (0..cells).flat_map(typed).collect();
            tablet.edit(&about(PERIOD).subject(), &edits)?;
        }
        let (tablet, session) = &mut self.there;
        in_step(&synchronise(tablet, session, PATIENCE, &now_s)?)
    }

    /// Exchanges over the link under these conditions, and holds both tablets to the same.
    fn exchange(&mut self, conditions: Conditions) -> Result<Passed> {
        self.link.begin(conditions);
        let (tablet, session) = &mut self.here;
        in_step(&synchronise(tablet, session, PATIENCE, &now_s)?)?;
        let passed = self.link.passed();
        ensure!(
            tablet.device().status()?.waiting_parts == 0,
            "something waits"
        );
        let (other, session) = &mut self.there;
        in_step(&synchronise(other, session, PATIENCE, &now_s)?)?;
        let subject = About {
            template: TEMPLATE.to_owned(),
            unit: self.unit,
            period: PERIOD.to_owned(),
        }
        .subject();
        ensure!(
            tablet.sealed_document(&subject)?.heads() == other.sealed_document(&subject)?.heads(),
            "the two differ"
        );
        Ok(passed)
    }
}

fn tablet(at: &Path, code: &str, url: &str, through: &str) -> Result<(Tablet, DeviceSession)> {
    let folder = DeviceFolder::new(at);
    let enrolling = Enrolling {
        code,
        ..Enrolling::default()
    };
    enrol(&folder, &Road::new(url)?, &enrolling)?;
    let mut tablet = Tablet::open(&folder, None)?;
    let road = Road::new(through)?.cut_when_silent_for(SILENCE);
    let mut session = DeviceSession::new(road, tablet.card(), tablet.key());
    in_step(&synchronise(&mut tablet, &mut session, PATIENCE, &now_s)?)?;
    Ok((tablet, session))
}

fn in_step(report: &SyncReport) -> Result<()> {
    ensure!(report.stopped_by.is_none(), "{:?}", report.stopped_by);
    ensure!(report.notices.is_empty(), "{:?}", report.notices);
    Ok(())
}

/// A tablet that moved away holds a connection that is open and dead: nobody closes it, nothing comes.
#[test]
fn a_connection_that_is_open_and_dead_is_given_up_and_what_had_arrived_is_kept() -> Result<()> {
    let mut field = Field::new()?;
    let mut whole = 0;
    for turn in 1..=3 {
        field.work(turn, CELLS)?;
        whole = field.exchange(Conditions::default())?.bytes();
    }
    for (turn, at) in [300, whole / 3, whole / 2, whole - 1]
        .into_iter()
        .enumerate()
    {
        field.work(turn as i64 + 4, CELLS)?;
        let passed = field.exchange(Conditions::dead_at(at))?;
        ensure!(passed.cuts == 1, "it died at {at}: {passed:?}");
        let more = passed.bytes().saturating_sub(whole);
        ensure!(
            more <= 1_024 + 700,
            "dead at {at}: {more} bytes more than {whole}"
        );
    }
    field.running.stop()
}

#[test]
fn a_link_cut_every_so_often_brings_an_exchange_to_its_end_for_little_more() -> Result<()> {
    let mut field = Field::new()?;
    let mut turn = 0;
    let mut exchange = |conditions| -> Result<Passed> {
        turn += 1;
        field.work(turn, 800)?;
        field.exchange(conditions)
    };
    // From the second turn on, every value replaces one of each side.
    exchange(Conditions::default())?;
    let whole = exchange(Conditions::default())?.bytes();
    ensure!(whole > 8_000, "an exchange of several pieces: {whole}");
    // Each cut costs a question and its answer, and what no longer fits before the next cut.
    for (every, times) in [(20_000, 1.3), (2_000, 2.0)] {
        let passed = exchange(Conditions::cut_every(every))?;
        let bytes = passed.bytes();
        ensure!(passed.cuts >= bytes / every, "{passed:?}");
        ensure!(
            (bytes as f64) <= times * whole as f64,
            "{bytes}, uncut {whole}"
        );
    }
    field.running.stop()
}

#[test]
fn wherever_an_exchange_is_cut_nothing_is_lost_and_little_is_sent_again() -> Result<()> {
    let mut field = Field::new()?;
    let mut whole = 0;
    for turn in 1..=3 {
        field.work(turn, CELLS)?;
        whole = field.exchange(Conditions::default())?.bytes();
    }
    // Every offset would take minutes; a prime step meets heads, frames and their ends alike.
    for (turn, at) in (1..whole).step_by(97).enumerate() {
        field.work(turn as i64 + 4, CELLS)?;
        let passed = field.exchange(Conditions::cut_at(at))?;
        ensure!(passed.cuts == 1, "it was cut at {at}: {passed:?}");
        // A head, a question, its answer; and a frame that is not worth asking about.
        let more = passed.bytes().saturating_sub(whole);
        ensure!(
            more <= 1_024 + 700,
            "cut at {at}: {more} bytes more than {whole}"
        );
    }
    field.running.stop()
}
