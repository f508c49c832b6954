//! What the node above turns out to lack of a chain: its answer to a part names the number it would
//! have taken. It was given the parts from there on once, and lost them with an older folder; of a
//! partition that is not followed here no fingerprint tells that, and of what is held none at all.

use super::place::Sent;
use crate::batch::SignedPart;
use crate::log::staging::PartPlace;
use crate::log::{KeyspaceError, LogReader};

/// Where the parts of a chain in one partition are, from a number on and before this part.
pub(super) fn before(
    reader: LogReader<'_>,
    part: &SignedPart,
    expected: u64,
) -> Result<Vec<Sent>, KeyspaceError> {
    let (actor, partition) = (part.actor(), part.part().partition);
    let mut lacking = Vec::new();
    for number in (1..part.header().number).rev() {
        for id in reader.parts_of_batch(actor, number)? {
            let (sent, earlier) = match reader.part(id)? {
                Some(PartPlace::Accepted(position)) => {
                    let entry = reader.entry(position)?;
                    (Sent::Log(position), entry.map(|entry| entry.part))
                }
                Some(PartPlace::Held(number)) => {
                    let held = reader.held(number)?;
                    (Sent::Held(number), held.map(|held| held.part))
                }
                None => continue,
            };
            let Some(earlier) = earlier.filter(|part| part.part().partition == partition) else {
                continue;
            };
            if earlier.part().number < expected {
                return Ok(lacking);
            }
            lacking.push(sent);
        }
    }
    Ok(lacking)
}
