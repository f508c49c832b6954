//! Where the logs of a node and the node above it part ways: what each accepted and the other holds, or does not
//! have at all. The word of the node above counts.

use super::{Flight, Place};
use crate::batch::SignedPart;
use crate::identity::PartId;
use crate::log::aside::is_fork;
use crate::log::staging::PartPlace;
use crate::log::{Follow, KeyspaceError, LogReader, Losing};
use crate::sync::message::{PartAnswer, Response};

/// What loses here by the word of the node above: by what it accepted and this node could not, and by
/// what it holds as evidence of a fork.
pub(super) fn losing(
    reader: LogReader<'_>,
    place: &Place,
    flight: &Flight,
    response: &Response,
) -> Result<Losing, KeyspaceError> {
    let mut losing = Losing::default();
    for part in &place.only_there {
        if let Some(PartPlace::Held(number)) = reader.part(*part)?
            && let Some(held) = reader.held(number)?
            && is_fork(held.reason)
        {
            losing.to_standing(reader, &held.part)?;
        }
    }
    for ((_, part), answer) in flight.parts.iter().zip(&response.answers) {
        if let PartAnswer::Held(reason) = answer
            && is_fork(*reason)
        {
            losing.is_held_above(reader, part.id())?;
        }
    }
    Ok(losing)
}

/// Parts that the node above accepted and this one holds: what they build on, or what they contradicted,
/// may be another by now.
pub(super) fn held_alone(
    reader: LogReader<'_>,
    place: &Place,
) -> Result<Vec<SignedPart>, KeyspaceError> {
    let mut parts = Vec::new();
    for part in &place.only_there {
        if let Some(PartPlace::Held(number)) = reader.part(*part)?
            && let Some(held) = reader.held(number)?
        {
            parts.push(held.part);
        }
    }
    Ok(parts)
}

/// True for a part that is accepted here, in a partition that is followed.
pub(super) fn is_followed(
    reader: &LogReader<'_>,
    part: PartId,
    follow: &Follow,
) -> Result<bool, KeyspaceError> {
    let Some(PartPlace::Accepted(position)) = reader.part(part)? else {
        return Ok(false);
    };
    let entry = reader.entry(position)?;
    Ok(entry.is_some_and(|entry| follow.contains(entry.part.part().partition)))
}

/// True for a part that the node above accepted and this one did not, in a partition that is followed:
/// what was held here and went up may be of another.
pub(super) fn is_followed_there(
    reader: &LogReader<'_>,
    part: PartId,
    follow: &Follow,
) -> Result<bool, KeyspaceError> {
    Ok(match reader.part(part)? {
        // It has come by another road since.
        Some(PartPlace::Accepted(_)) => false,
        Some(PartPlace::Held(number)) => {
            let held = reader.held(number)?;
            held.is_some_and(|held| follow.contains(held.part.part().partition))
        }
        // It came with the feed, which has nothing else.
        None => true,
    })
}
