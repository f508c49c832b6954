//! The first contact of an empty tablet over a link that breaks: what is due is there long before what is old.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dongbo::enrolment::{Enrolling, enrol};
use dongbo::road::RoadError;
use dongbo::road::session::DeviceSession;
use dongbo::{DeviceFolder, Patience, Road, Tablet, synchronise};
use e2e::link::{Conditions, Link};
use e2e::paper::{About, Typed, TypedValue};
use e2e::{Administrator, Server, TEMPLATE, now_s, server};
use serde_json::json;
use sync_core::date::Date;
use sync_core::document::{Edit, Subject};
use sync_core::sync::{Frame, PackedResponse, Request, Response};

/// The person gives up at the first cut.
const IMPATIENT: Patience = Patience {
    failures_max: 0,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(1),
};

/// Years of reports before this one.
const YEARS: u16 = 10;

/// Cells of each report, with a note that no packing makes small.
const CELLS: i64 = 120;

fn tablet(at: &Path, code: &str, url: &str, through: &str) -> Result<(Tablet, DeviceSession)> {
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

/// A link that breaks after so many answers.
struct Breaking {
    session: DeviceSession,
    answers: usize,
}

impl dongbo::Link for Breaking {
    fn exchange(&mut self, request: &Request) -> Result<Response, RoadError> {
        self.session.exchange(request)
    }

    fn exchange_packed(&mut self, frame: &Frame) -> Result<Option<PackedResponse>, RoadError> {
        if self.answers == 0 {
            return Err(RoadError::Offline {
                server: "here".to_owned(),
                reason: "it broke".to_owned(),
            });
        }
        self.answers -= 1;
        self.session.exchange_packed(frame)
    }
}

/// A province with reports of so many years before this one, the older the earlier in the log.
struct Province {
    folder: tempfile::TempDir,
    running: Server,
    url: String,
    admin: Administrator,
    writer: Tablet,
    road: DeviceSession,
    this_year: u16,
}

impl Province {
    fn of_years(years: u16) -> Result<Self> {
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
        let code = admin.code("binh", "officer", "00000", false)?;
        let (writer, road) = tablet(&folder.path().join("binh"), &code, &url, &url)?;
        let mut province = Self {
            folder,
            running,
            url,
            admin,
            writer,
            road,
            this_year: today.year(),
        };
        province.publish()?;
        for year in today.year() - years..=today.year() {
            let typed = |cell: i64| {
                let one = |turn: i64| {
                    let number = (i64::from(year) * 1_000 + cell) * 10 + turn;
                    number.wrapping_mul(6_364_136_223_846_793_005).to_string()
                };
                let note: String = (0..4).map(one).collect();
                typed(cell, Some(note))
            };
            let edits: Vec<_> = (0..CELLS).flat_map(typed).collect();
            let subject = province.of(year)?;
            province.writer.edit(&subject, &edits)?;
            province.publish()?;
        }
        Ok(province)
    }

    fn of(&self, year: u16) -> Result<Subject> {
        let about = About {
            template: TEMPLATE.to_owned(),
            unit: *self.admin.units.get("00000").context("no unit")?,
            period: year.to_string(),
        };
        Ok(about.subject())
    }

    fn publish(&mut self) -> Result<()> {
        let report = synchronise(&mut self.writer, &mut self.road, IMPATIENT, &now_s)?;
        ensure!(report.stopped_by.is_none(), "{:?}", report.stopped_by);
        Ok(())
    }

    /// An empty tablet of somebody else, over a link.
    fn newcomer(&mut self, name: &str, through: &str) -> Result<(Tablet, DeviceSession)> {
        let code = self.admin.code(name, "officer", "00000", false)?;
        tablet(&self.folder.path().join(name), &code, &self.url, through)
    }

    fn agrees(&mut self, tablet: &mut Tablet, year: u16) -> Result<()> {
        let subject = self.of(year)?;
        let mine = tablet.sealed_document(&subject)?;
        let theirs = self.writer.sealed_document(&subject)?;
        ensure!(mine.heads() == theirs.heads(), "{year} differs");
        Ok(())
    }
}

fn typed(cell: i64, note: Option<String>) -> Vec<Edit> {
    let typed = Typed {
        code: format!("I.{cell}"),
        value: TypedValue::Number(cell),
        note,
        at: now_s(),
    };
    typed.edits()
}

#[test]
fn what_is_due_is_there_and_whole_before_anything_of_the_years_before() -> Result<()> {
    let mut province = Province::of_years(YEARS)?;
    let link = Link::to(province.url.trim_start_matches("http://"))?;
    let (mut empty, session) = province.newcomer("an", &link.url())?;
    let mut breaking = Breaking {
        session,
        answers: 0,
    };
    link.begin(Conditions::default());
    let due = province.of(province.this_year)?;
    let mut alone_at = None;
    for _ in 0..20 {
        breaking.answers = 1;
        let report = synchronise(&mut empty, &mut breaking, IMPATIENT, &now_s)?;
        ensure!(report.notices.is_empty(), "{:?}", report.notices);
        let here: Vec<Subject> = empty.device().subjects()?.into_values().collect();
        if !here.is_empty() {
            province.agrees(&mut empty, province.this_year)?;
        }
        if here == [due.clone()] && alone_at.is_none() {
            alone_at = Some(link.passed().bytes());
        }
        if report.stopped_by.is_none() {
            let alone_at = alone_at.context("what is due was never there alone")?;
            let all = link.passed().bytes();
            ensure!(alone_at * 2 < all, "{alone_at} of {all} bytes");
            for year in province.this_year - YEARS..=province.this_year {
                province.agrees(&mut empty, year)?;
            }
            return province.running.stop();
        }
    }
    anyhow::bail!("it never ends")
}

#[test]
fn older_years_travel_when_they_are_asked_for() -> Result<()> {
    let mut province = Province::of_years(3)?;
    let this_year = province.this_year;
    let link = Link::to(province.url.trim_start_matches("http://"))?;
    let sync = |tablet: &mut Tablet, session: &mut DeviceSession| -> Result<u64> {
        let before = link.passed().bytes();
        let report = synchronise(tablet, session, IMPATIENT, &now_s)?;
        ensure!(report.notices.is_empty(), "{:?}", report.notices);
        ensure!(report.stopped_by.is_none(), "{:?}", report.stopped_by);
        Ok(link.passed().bytes() - before)
    };
    link.begin(Conditions::default());
    let (mut whole, mut first) = province.newcomer("an", &link.url())?;
    let all = sync(&mut whole, &mut first)?;
    let (mut tablet, mut session) = province.newcomer("chi", &link.url())?;
    tablet.want_years(Some(1), 0)?;
    let recent = sync(&mut tablet, &mut session)?;
    println!("first contact: {all} bytes with four years, {recent} with two of them left out");
    // The catalogue, the form in it, and signing in cost the same.
    ensure!(recent * 5 < all * 4, "{recent} of {all} bytes");
    for year in [this_year - 1, this_year] {
        province.agrees(&mut tablet, year)?;
    }
    let years = tablet.device().years();
    ensure!(years.since == Some(this_year - 1), "{years:?}");
    let left: Vec<_> = years
        .left
        .iter()
        .map(|of| (of.year, of.documents))
        .collect();
    ensure!(left == [(this_year - 3, 1), (this_year - 2, 1)], "{left:?}");
    let (old, older) = (province.of(this_year - 2)?, province.of(this_year - 3)?);
    ensure!(
        tablet.edit(&old, &typed(1, None)).is_err(),
        "it is not here"
    );
    // Nothing new costs what it costs everybody, and nothing is repaired.
    // The catalogue has grown by a colleague since.
    sync(&mut whole, &mut first)?;
    let nothing = sync(&mut tablet, &mut session)?;
    let usual = sync(&mut whole, &mut first)?;
    println!("nothing new: {nothing} bytes, {usual} where everything is");
    // What somebody writes in an old report brings that report.
    province.writer.edit(&old, &typed(3, None))?;
    province.publish()?;
    let one = sync(&mut tablet, &mut session)?;
    println!("a change to a report that was left out, with the report: {one} bytes");
    province.agrees(&mut tablet, this_year - 2)?;
    ensure!(
        tablet.edit(&older, &typed(1, None)).is_err(),
        "it is not here"
    );
    tablet.want_years(None, 0)?;
    let rest = sync(&mut tablet, &mut session)?;
    println!("the last year, when it is asked for: {rest} bytes");
    for year in this_year - 3..=this_year {
        province.agrees(&mut tablet, year)?;
    }
    ensure!(
        tablet.device().years().since.is_none(),
        "everything is here"
    );
    // It can be written in now.
    tablet.edit(&older, &typed(1, None))?;
    sync(&mut tablet, &mut session)?;
    province.publish()?;
    province.agrees(&mut tablet, this_year - 3)?;
    province.running.stop()
}
