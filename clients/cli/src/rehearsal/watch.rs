//! The province watches: one device follows everything live and adds it up as it comes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sync_core::identity::KeyId;
use sync_core::sync::PackedResponse;

use super::{Audience, Options, Plan, RehearsalError};
use crate::evidence::Evidence;
use crate::exchange::{Link, Patience, synchronise};
use crate::now_s;
use crate::road::live::Live;
use crate::road::session::DeviceSession;
use crate::tablet::{Tablet, TabletError};
use crate::totals::DeviceTotals;
use crate::view::figure_text;

/// How long the watcher waits before it looks whether all is over.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long it goes on after the last device came home.
const LINGER: Duration = Duration::from_millis(1_500);

/// The reviewer's device, up to date.
pub(super) fn open_reviewer(
    options: &Options,
    plan: &Plan,
) -> Result<(Tablet, DeviceSession), RehearsalError> {
    let mut tablet = Tablet::open(&options.folder(plan.reviewer()?), None)?;
    let mut session = options.session(&tablet)?;
    let report = synchronise(&mut tablet, &mut session, Patience::PERSON, &now_s)?;
    match report.stopped_by {
        Some(error) => Err(error.into()),
        None => Ok((tablet, session)),
    }
}

/// Keys that have something in the province's log.
pub(super) fn keys_at_home(
    options: &Options,
    plan: &Plan,
) -> Result<BTreeSet<KeyId>, RehearsalError> {
    let (tablet, _) = open_reviewer(options, plan)?;
    let evidence = Evidence::of_keyspace(tablet.device().keyspace());
    let evidence = evidence.map_err(sync_core::sync::DeviceError::from);
    let evidence = evidence.map_err(TabletError::from)?;
    tablet.close()?;
    let entries = evidence.entries.iter();
    Ok(entries.map(|(_, entry)| entry.part.header().key).collect())
}

/// A watcher that has caught up.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    options: &'a Options,
    plan: &'a Plan,
}

impl<'a> Watch<'a> {
    pub(super) fn open(options: &'a Options, plan: &'a Plan) -> Result<Self, RehearsalError> {
        Ok(Self { options, plan })
    }

    /// Watches until told to stop and nothing more comes.
    pub(super) fn run(
        &self,
        audience: &dyn Audience,
        stop: &AtomicBool,
    ) -> Result<(), RehearsalError> {
        let (mut tablet, mut session) = open_reviewer(self.options, self.plan)?;
        let template = self.plan.template.id();
        let mut totals = DeviceTotals::new(&mut tablet, template, &self.options.period)?;
        self.show(&totals, audience);
        let mut live = Live::open(&mut session, PATIENCE);
        if let Ok(live) = &mut live {
            live.send(&tablet.packed_request()?)?;
        }
        let mut stopped_at: Option<Instant> = None;
        loop {
            let response = match &mut live {
                Ok(line) => match line.wait() {
                    Ok(response) => response,
                    Err(error) => {
                        live = Err(error);
                        continue;
                    }
                },
                // No live road: ask again and again instead.
                Err(_) => {
                    std::thread::sleep(PATIENCE);
                    let answer = session.exchange_packed(&tablet.packed_request()?);
                    answer.ok().flatten()
                }
            };
            if let Some(response) = response {
                let again = take(&mut tablet, &mut totals, response)?;
                self.show(&totals, audience);
                if let (true, Ok(line)) = (again, &mut live) {
                    line.send(&tablet.packed_request()?)?;
                }
            }
            if stop.load(Ordering::SeqCst) {
                let since = *stopped_at.get_or_insert_with(Instant::now);
                if since.elapsed() > LINGER {
                    return Ok(tablet.close()?);
                }
            }
        }
    }

    fn show(&self, totals: &DeviceTotals, audience: &dyn Audience) {
        let Some(top) = totals.top() else { return };
        let figure = |code: &String| {
            let figure = totals.roll_up().figure(top, code)?;
            Some((code.clone(), figure_text(&figure)))
        };
        let headline: Vec<_> = self.plan.headline.iter().filter_map(figure).collect();
        if let Some(coverage) = totals.roll_up().coverage(top) {
            audience.figures(coverage.reported, coverage.due, &headline);
        }
    }
}

fn take(
    tablet: &mut Tablet,
    totals: &mut DeviceTotals,
    response: PackedResponse,
) -> Result<bool, RehearsalError> {
    let response = tablet.open_response(response)?;
    let received = tablet.receive(&response, now_s())?;
    for document in received.documents {
        if let Some(subject) = tablet.subject(document)? {
            totals.take(tablet, &subject)?;
        }
    }
    Ok(received.again)
}
