//! Taking a tablet over a road until neither side lacks anything, through every cut.

use std::collections::BTreeSet;
use std::time::Duration;

use sync_core::identity::DocumentId;
use sync_core::sync::{Frame, Notice, PackedResponse, Request, Response};

use crate::road::RoadError;
use crate::road::wait::spread;
use crate::tablet::{Tablet, TabletError};

/// Exchanges of one synchronising, at most: a feed of 250 MB, page by page. More is a fault.
const ROUNDS_MAX: u32 = 1_000;

/// One request, one answer, over whatever there is.
pub trait Link {
    /// Sends a request and waits for its answer. After an error nothing is known of what the node
    /// did with the request; the next one asks.
    fn exchange(&mut self, request: &Request) -> Result<Response, RoadError>;

    /// Sends a packed request and waits for its answer. None: this link carries plain ones only, which keep
    /// no limit of the day.
    fn exchange_packed(&mut self, _frame: &Frame) -> Result<Option<PackedResponse>, RoadError> {
        Ok(None)
    }

    /// Gives a node that does not know this device the catalogue records it lacks: its folder may
    /// have been restored from a copy. False if that did not help.
    fn give_back(&mut self, _tablet: &Tablet) -> Result<bool, RoadError> {
        Ok(false)
    }
}

/// What a node says of a key that is in no record it holds.
const UNKNOWN_DEVICE: &str = "device-key-unknown";

/// How long a broken link is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Failures in a row before giving up.
    pub failures_max: u32,
    /// The longest first wait; each is twice the one before, and a part of it is left to chance.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Patience {
    /// A person waits at the terminal.
    pub const PERSON: Self = Self {
        failures_max: 4,
        first_wait: Duration::from_millis(300),
        longest_wait: Duration::from_secs(5),
    };

    fn wait(&self, failures: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(
            1_u32
                .checked_shl(failures.saturating_sub(1))
                .unwrap_or(u32::MAX),
        );
        doubled.min(self.longest_wait)
    }
}

/// What synchronising came to. Data is safe on the device either way.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// Answers taken.
    pub rounds: u32,
    /// Requests that failed on the way.
    pub failures: u32,
    /// Parts the node acknowledged.
    pub acknowledged: usize,
    /// Documents that changed here.
    pub documents: BTreeSet<DocumentId>,
    /// What a person should know.
    pub notices: Vec<Notice>,
    /// Today's limit has no room for the rest.
    pub over_budget: bool,
    /// What stopped it before the end; none: neither side lacks anything.
    pub stopped_by: Option<RoadError>,
}

/// Seals what was typed and exchanges until nothing more is under way or patience ends.
pub fn synchronise(
    tablet: &mut Tablet,
    link: &mut dyn Link,
    patience: Patience,
    now: &dyn Fn() -> i64,
) -> Result<SyncReport, TabletError> {
    synchronise_within(tablet, link, patience, now, false)
}

/// The same; `anyway`: as if the device had no limit of the day. What travels is counted either way.
pub fn synchronise_within(
    tablet: &mut Tablet,
    link: &mut dyn Link,
    patience: Patience,
    now: &dyn Fn() -> i64,
    anyway: bool,
) -> Result<SyncReport, TabletError> {
    tablet.seal_within(now(), anyway)?;
    let is_limited = tablet.device().budget(now()).per_day.is_some();
    let mut report = SyncReport::default();
    let mut failures_in_a_row = 0;
    let mut given_back = false;
    while report.rounds < ROUNDS_MAX {
        let Some(frame) = tablet.packed_request_within(now(), anyway)? else {
            report.over_budget = true;
            return Ok(report);
        };
        let mut travelled = match is_limited {
            true => frame.encode().len() as u64,
            false => 0,
        };
        let answered = match link.exchange_packed(&frame) {
            Ok(Some(packed)) => {
                if is_limited {
                    let answer = Frame::PackedResponse(Box::new(packed.clone()));
                    travelled += answer.encode().len() as u64;
                }
                Ok(tablet.open_response(packed)?)
            }
            Ok(None) => link.exchange(&tablet.request()?),
            Err(error) => Err(error),
        };
        let response = match answered {
            Ok(response) => response,
            Err(error) if error.refusal_code() == Some(UNKNOWN_DEVICE) && !given_back => {
                given_back = true;
                if !matches!(link.give_back(tablet), Ok(true)) {
                    report.stopped_by = Some(error);
                    return Ok(report);
                }
                continue;
            }
            Err(error) => {
                if is_limited {
                    tablet.spend(travelled, false, now())?;
                }
                report.failures += 1;
                failures_in_a_row += 1;
                if !error.retry() || failures_in_a_row > patience.failures_max {
                    report.stopped_by = Some(error);
                    return Ok(report);
                }
                std::thread::sleep(spread(patience.wait(failures_in_a_row)));
                continue;
            }
        };
        failures_in_a_row = 0;
        report.rounds += 1;
        let received = tablet.receive(&response, now())?;
        if is_limited {
            tablet.spend(travelled, received.acknowledged > 0, now())?;
        }
        report.acknowledged += received.acknowledged;
        report.documents.extend(received.documents);
        report.notices.extend(received.notices);
        if !received.again {
            return Ok(report);
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
