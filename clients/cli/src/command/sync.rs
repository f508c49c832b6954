//! `dongbo sync`: seals, sends, reads; once, or for as long as the line is open.

use std::time::Duration;

use clap::Args;
use dongbo::road::live::Live;
use dongbo::trouble::{Exit, Trouble};
use dongbo::{Patience, SyncReport, Tablet, now_s, synchronise, synchronise_within};
use serde_json::{Value, json};
use sync_core::date::Date;
use sync_core::limits;
use sync_core::sync::{Notice, YearsStanding};

use super::{Context, Outcome, Said};

/// Bytes of a kilobyte, as everywhere in the product.
const KILOBYTE: u64 = 1_024;

/// Seals what was typed and exchanges until neither side lacks anything.
///
/// Offline is no failure of the data: it stays safe on the device, and the exit code is 4.
#[derive(Debug, Args)]
pub(super) struct Sync {
    /// Another address than the one the device was enrolled at
    #[arg(long)]
    url: Option<String>,
    /// From now on at most so many kilobytes travel in a day, at least 20; 0: no limit any more
    #[arg(long, value_name = "KB")]
    budget: Option<u64>,
    /// Send everything now, whatever today's limit is; it is counted all the same
    #[arg(long)]
    anyway: bool,
    /// How many years before this one are to be here, or all; a new device takes two unless told otherwise,
    /// and older reports stay at the node until somebody asks for them
    #[arg(long, value_name = "N|all")]
    years: Option<Years>,
    /// Stay and show what others write, until interrupted
    #[arg(long, conflicts_with = "budget")]
    live: bool,
    /// With --live: end after so many seconds
    #[arg(long)]
    seconds: Option<u64>,
}

/// Years before this one; none: all.
#[derive(Debug, Clone, Copy)]
struct Years(Option<u8>);

impl std::str::FromStr for Years {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self(None)),
            number => Ok(Self(Some(number.parse()?))),
        }
    }
}

impl Sync {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        let mut session = context.session_of(&tablet, self.url.as_deref())?;
        if let Some(kilobytes) = self.budget {
            let bytes = kilobytes.saturating_mul(KILOBYTE);
            tablet.set_budget((bytes > 0).then_some(bytes))?;
        }
        if let Some(years) = self.years {
            let this_year = Date::of_timestamp(now_s()).year();
            let since = years
                .0
                .map_or(0, |back| this_year.saturating_sub(back.into()));
            tablet.want_years(years.0, since)?;
        } else if tablet
            .device()
            .may_leave_years_out()
            .map_err(dongbo::TabletError::from)?
        {
            tablet.want_years(Some(limits::YEARS_BACK), u16::MAX)?;
        }
        let (patience, anyway) = (Patience::PERSON, self.anyway);
        let mut report = synchronise_within(&mut tablet, &mut session, patience, &now_s, anyway)?;
        // A line that stays open counts nothing: with a limit there is none.
        let is_limited = tablet.device().budget(now_s()).per_day.is_some();
        if self.live && report.stopped_by.is_none() && !is_limited {
            let until = self.seconds.map(Duration::from_secs);
            stay(&mut tablet, &mut session, until, &mut report)?;
        }
        let mut said = said(&tablet, report)?;
        if self.live && is_limited {
            said = said.say("cli-budget-no-live", &[]);
        }
        tablet.close()?;
        Ok(said)
    }
}

/// Follows the live line; a line that breaks is opened again.
fn stay(
    tablet: &mut Tablet,
    session: &mut dongbo::road::session::DeviceSession,
    until: Option<Duration>,
    report: &mut SyncReport,
) -> Result<(), Trouble> {
    let begun = std::time::Instant::now();
    let is_over = || until.is_some_and(|until| begun.elapsed() >= until);
    while !is_over() {
        let Ok(mut live) = Live::open(session, Duration::from_millis(500)) else {
            // Where no live line goes through, one exchange after another does the same, slower.
            let polled = synchronise(tablet, session, Patience::PERSON, &now_s)?;
            report.rounds += polled.rounds;
            report.failures += polled.failures + 1;
            report.acknowledged += polled.acknowledged;
            report.documents.extend(polled.documents);
            report.notices.extend(polled.notices);
            std::thread::sleep(Duration::from_secs(2));
            continue;
        };
        if live.send(&tablet.packed_request()?).is_err() {
            continue;
        }
        while !is_over() {
            let Ok(response) = live.wait() else { break };
            let Some(response) = response else { continue };
            let response = tablet.open_response(response)?;
            let received = tablet.receive(&response, now_s())?;
            report.rounds += 1;
            report.acknowledged += received.acknowledged;
            report.documents.extend(received.documents);
            report.notices.extend(received.notices);
            if received.again && live.send(&tablet.packed_request()?).is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn said(tablet: &Tablet, report: SyncReport) -> Result<Said, Trouble> {
    let status = tablet
        .device()
        .status()
        .map_err(dongbo::TabletError::from)?;
    let budget = tablet.device().budget(now_s());
    let years = tablet.device().years();
    let notices: Vec<Value> = report.notices.iter().map(notice_json).collect();
    let value = json!({
        "complete": report.stopped_by.is_none(), "rounds": report.rounds,
        "failures": report.failures, "acknowledged": report.acknowledged,
        "documents_changed": report.documents.len(), "waiting_parts": status.waiting_parts,
        "held_parts": status.held_parts, "notices": notices,
        "catalogue": status.catalogue_number, "draft_edits": status.draft_edits,
        "over_budget": report.over_budget, "years": years_json(&years),
        "budget": budget.per_day.map(|per_day| {
            json!({"per_day": per_day, "spent": budget.spent, "left": budget.left})
        }),
        "stopped_by": report.stopped_by.as_ref().map(|error| error.to_string()),
    });
    let mut said = Said::new(value);
    for notice in &report.notices {
        let (code, part) = notice_parts(notice);
        said = said.say("cli-notice", &[("code", code), ("part", part)]);
    }
    if let Some(per_day) = budget.per_day {
        let waits = status.draft_edits + status.waiting_parts > 0;
        let id = if waits {
            "cli-budget-waits"
        } else {
            "cli-budget"
        };
        let kilobytes = |bytes: u64| bytes.div_ceil(KILOBYTE).to_string();
        let arguments = [
            ("spent", kilobytes(budget.spent)),
            ("limit", kilobytes(per_day)),
            ("waiting", status.waiting_parts.to_string()),
            ("drafts", status.draft_edits.to_string()),
        ];
        said = said.say(id, &arguments);
    }
    if let (Some(since), Some(first), Some(last)) =
        (years.since, years.left.first(), years.left.last())
    {
        let (mut documents, mut bytes) = (0, 0);
        for year in &years.left {
            documents += year.documents;
            bytes += year.bytes;
        }
        let arguments = [
            ("since", since.to_string()),
            ("documents", documents.to_string()),
            ("kilobytes", bytes.div_ceil(KILOBYTE).to_string()),
            ("first", first.year.to_string()),
            ("last", last.year.to_string()),
        ];
        said = said.say("cli-years-left-out", &arguments);
    }
    let arguments = [
        ("acknowledged", report.acknowledged.to_string()),
        ("changed", report.documents.len().to_string()),
        ("waiting", status.waiting_parts.to_string()),
        ("bytes", status.waiting_bytes.to_string()),
    ];
    match report.stopped_by {
        None if status.held_parts > 0 => Ok(said
            .say("cli-synced", &arguments)
            .say("cli-held", &[("held", status.held_parts.to_string())])),
        None => Ok(said.say("cli-synced", &arguments)),
        Some(error) if error.retry() => Ok(said.say("cli-offline", &arguments).exit(Exit::Later)),
        Some(error) => Err(error.into()),
    }
}

fn years_json(years: &YearsStanding) -> Value {
    let left: Vec<Value> = years
        .left
        .iter()
        .map(|of| json!({"year": of.year, "documents": of.documents, "bytes": of.bytes}))
        .collect();
    json!({"since": years.since, "left_out": left, "under_way": years.under_way})
}

pub(super) fn notice_parts(notice: &Notice) -> (String, String) {
    match notice {
        Notice::Held { part, reason } => (reason.code().to_owned(), part.to_string()),
        Notice::Refused { part, code } | Notice::EntryNotTaken { part, code } => {
            (code.clone(), part.to_string())
        }
        Notice::PieceRefused { code } => ((*code).to_owned(), String::new()),
        Notice::NodeChanged => ("node-changed".to_owned(), String::new()),
        Notice::NewInstallation => ("new-installation".to_owned(), String::new()),
        Notice::FingerprintMismatch => ("fingerprint-mismatch".to_owned(), String::new()),
        Notice::CatalogueForked { number } => ("catalogue-forked".to_owned(), number.to_string()),
    }
}

pub(super) fn notice_json(notice: &Notice) -> Value {
    let (code, part) = notice_parts(notice);
    json!({"code": code, "part": part})
}
