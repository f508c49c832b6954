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
use sync_core::document::Subject;
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
    let report = synchronise(&mut writer, &mut road, IMPATIENT, &now_s)?;
    ensure!(report.stopped_by.is_none(), "{:?}", report.stopped_by);
    // Everything old is older than what is due, and in the log before it.
    for year in today.year() - YEARS..=today.year() {
        let typed = |cell: i64| {
            let one = |turn: i64| {
                let number = (i64::from(year) * 1_000 + cell) * 10 + turn;
                number.wrapping_mul(6_364_136_223_846_793_005).to_string()
            };
            let note: String = (0..4).map(one).collect();
            let typed = Typed {
                code: format!("I.{cell}"),
                value: TypedValue::Number(cell),
                note: Some(note),
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
    let (mut empty, session) = tablet(&folder.path().join("an"), &code, &url, &link.url())?;
    let mut breaking = Breaking {
        session,
        answers: 0,
    };
    link.begin(Conditions::default());
    let due = of(today.year());
    let mut alone_at = None;
    for _ in 0..20 {
        breaking.answers = 1;
        let report = synchronise(&mut empty, &mut breaking, IMPATIENT, &now_s)?;
        ensure!(report.notices.is_empty(), "{:?}", report.notices);
        let here: Vec<Subject> = empty.device().subjects()?.into_values().collect();
        if !here.is_empty() {
            let (mine, theirs) = (empty.sealed_document(&due)?, writer.sealed_document(&due)?);
            ensure!(mine.heads() == theirs.heads(), "what is due is not whole");
        }
        if here == [due.clone()] && alone_at.is_none() {
            alone_at = Some(link.passed().bytes());
        }
        if report.stopped_by.is_none() {
            let alone_at = alone_at.context("what is due was never there alone")?;
            let all = link.passed().bytes();
            ensure!(alone_at * 2 < all, "{alone_at} of {all} bytes");
            for year in today.year() - YEARS..=today.year() {
                let mine = empty.sealed_document(&of(year))?;
                let theirs = writer.sealed_document(&of(year))?;
                ensure!(mine.heads() == theirs.heads(), "{year} differs");
            }
            return running.stop();
        }
    }
    anyhow::bail!("it never ends")
}
