//! Sending signed history to a server over the ordinary road: what it accepts is what it judges.

use std::collections::BTreeMap;

use sync_core::batch::SignedPart;
use sync_core::identity::PartId;
use sync_core::limits::{
    PARTS_PER_MESSAGE_MAX, RECORDS_PER_MESSAGE_MAX, REQUEST_PART_BYTES_MAX,
    RESPONSE_RECORD_BYTES_MAX,
};
use sync_core::log::{Fingerprint, HeldReason};
use sync_core::sync::{PartAnswer, Proof, Request};

use crate::evidence::Evidence;
use crate::exchange::Link;
use crate::road::RoadError;
use crate::tablet::{Tablet, TabletError};

/// Why a replay stopped. What was sent before is there; it can be started again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The road.
    #[error(transparent)]
    Road(#[from] RoadError),
    /// The device that sends.
    #[error(transparent)]
    Tablet(#[from] TabletError),
    /// The server lacks catalogue records and is not to be given any.
    #[error("the server holds {theirs} catalogue records, the history needs {needed}")]
    Catalogue {
        /// Records the server holds.
        theirs: u64,
        /// Records of the history.
        needed: u64,
    },
}

/// What a replay came to.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// Catalogue records given.
    pub records: usize,
    /// Parts the server holds applied now.
    pub accepted: usize,
    /// Parts it holds for a person, by reason.
    pub held: BTreeMap<&'static str, usize>,
    /// The same parts, each with its reason.
    pub held_parts: Vec<(PartId, HeldReason)>,
    /// Parts it did not take, with its code.
    pub refused: Vec<(PartId, String)>,
    /// Fingerprint of what was accepted, and the server's own when it says one.
    pub fingerprint: Fingerprint,
    /// The fingerprint the server gave for what the sender may read.
    pub server_fingerprint: Option<Fingerprint>,
}

/// Sends everything. `with_catalogue` gives the server the records it lacks first.
pub fn replay(
    evidence: &Evidence,
    tablet: &mut Tablet,
    link: &mut dyn Link,
    with_catalogue: bool,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    give_catalogue(evidence, tablet, link, with_catalogue, &mut replayed)?;
    // Held and accepted parts of one chain depend on each other's numbers, so what does not fit yet
    // is sent again after the rest, as long as that helps.
    let held = evidence.held.iter().map(|(_, entry)| &entry.part);
    let parts: Vec<&SignedPart> = evidence
        .entries
        .iter()
        .map(|(_, entry)| &entry.part)
        .chain(held)
        .collect();
    send(parts, tablet, link, &mut replayed)?;
    replayed.server_fingerprint = server_fingerprint(tablet, link)?;
    Ok(replayed)
}

/// Sends parts, those that do not fit yet once more after the others.
pub(crate) fn send(
    mut waiting: Vec<&SignedPart>,
    tablet: &mut Tablet,
    link: &mut dyn Link,
    replayed: &mut Replayed,
) -> Result<(), ReplayError> {
    loop {
        let mut left = Vec::new();
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(portion(rest));
            rest = later;
            let request = request(tablet, now.iter().map(|part| (*part).clone()).collect())?;
            let response = link.exchange(&request)?;
            for (part, answer) in now.iter().zip(&response.answers) {
                take_answer(part, answer, replayed, &mut left);
            }
        }
        if left.is_empty() || left.len() == waiting.len() {
            let unsent = left.iter().map(|part| (part.id(), "gap".to_owned()));
            replayed.refused.extend(unsent);
            return Ok(());
        }
        waiting = left;
    }
}

fn take_answer<'a>(
    part: &'a SignedPart,
    answer: &PartAnswer,
    replayed: &mut Replayed,
    left: &mut Vec<&'a SignedPart>,
) {
    match answer {
        PartAnswer::Accepted => {
            replayed.accepted += 1;
            replayed.fingerprint = replayed.fingerprint.plus(Fingerprint::of(part.id()));
        }
        PartAnswer::Held(reason) => {
            *replayed.held.entry(reason.code()).or_default() += 1;
            replayed.held_parts.push((part.id(), *reason));
        }
        PartAnswer::Gap(_) | PartAnswer::Waiting => left.push(part),
        PartAnswer::Refused(code) => replayed.refused.push((part.id(), code.clone())),
    }
}

/// How many parts fit one request: one at least.
fn portion(parts: &[&SignedPart]) -> usize {
    let mut bytes = 0;
    let fits = parts.iter().take(PARTS_PER_MESSAGE_MAX).take_while(|part| {
        bytes += part.encode().len();
        bytes <= REQUEST_PART_BYTES_MAX
    });
    fits.count().max(1).min(parts.len())
}

/// A request that asks for nothing: the sender's own position is left alone.
pub(crate) fn request(tablet: &mut Tablet, parts: Vec<SignedPart>) -> Result<Request, ReplayError> {
    let own = tablet.request()?;
    Ok(Request {
        bytes_max: 0,
        known: None,
        catalogue_number: u64::MAX - 1,
        records: Vec::new(),
        parts,
        repair: None,
        ..own
    })
}

pub(crate) fn give_catalogue(
    evidence: &Evidence,
    tablet: &mut Tablet,
    link: &mut dyn Link,
    with_catalogue: bool,
    replayed: &mut Replayed,
) -> Result<(), ReplayError> {
    let needed = evidence.records.len() as u64;
    let mut theirs = link.exchange(&request(tablet, Vec::new())?)?.catalogue_last;
    while theirs < needed {
        if !with_catalogue {
            return Err(ReplayError::Catalogue { theirs, needed });
        }
        let from = usize::try_from(theirs).unwrap_or(usize::MAX);
        let lacking = evidence.records.get(from..).unwrap_or_default();
        let mut bytes = 0;
        let fits = lacking
            .iter()
            .take(RECORDS_PER_MESSAGE_MAX)
            .take_while(|record| {
                let first = bytes == 0;
                bytes += record.encode().len();
                first || bytes <= RESPONSE_RECORD_BYTES_MAX
            });
        let records: Vec<_> = fits.cloned().collect();
        let given = records.len();
        let request = Request {
            records,
            ..request(tablet, Vec::new())?
        };
        let now = link.exchange(&request)?.catalogue_last;
        if now <= theirs {
            return Err(ReplayError::Catalogue { theirs, needed });
        }
        replayed.records += given;
        theirs = now;
    }
    Ok(())
}

/// What the server says of everything the sender may read, asked from the end of its log.
fn server_fingerprint(
    tablet: &mut Tablet,
    link: &mut dyn Link,
) -> Result<Option<Fingerprint>, ReplayError> {
    let mut request = request(tablet, Vec::new())?;
    request.bytes_max = Proof::Either.with(sync_core::limits::RESPONSE_ENTRY_BYTES_MAX as u64);
    loop {
        let response = link.exchange(&request)?;
        if !response.more {
            return Ok(response.fingerprint);
        }
        let follow = match (&response.follow, request.known) {
            (Some(follow), _) => follow.digest(),
            (None, Some(known)) => known.follow,
            (None, None) => return Ok(None),
        };
        request.known = Some(sync_core::sync::Known {
            node: response.node,
            follow,
            position: response.position,
        });
    }
}
