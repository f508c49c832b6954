//! What follows from a part that is accepted or held, besides the indexes of its documents.

use super::staging::{Numbered, PartPlace, Staging};
use super::{Fingerprint, HeldReason, KeyspaceError, keys};
use crate::batch::{ChainTip, Entry, PartitionTip, SignedPart};

/// Writes what follows from an accepted part, besides the document indexes.
pub(super) fn record(
    staging: &mut Staging<'_>,
    part: &SignedPart,
    place: PartPlace,
) -> Result<(), KeyspaceError> {
    let id = part.id();
    let partition = part.part().partition;
    staging.set_part(id, place);
    if let PartPlace::Accepted(position) = place {
        staging.put(keys::feed(partition, position), Vec::new());
        let fingerprint = staging.fingerprint(partition)?.plus(Fingerprint::of(id));
        staging.set_fingerprint(partition, fingerprint);
    }
    advance(staging, part)
}

/// Writes what follows from a held part. Evidence of an equivocation moves no chain.
pub(super) fn record_held(
    staging: &mut Staging<'_>,
    part: &SignedPart,
    number: u64,
    reason: HeldReason,
) -> Result<(), KeyspaceError> {
    staging.set_part(part.id(), PartPlace::Held(number));
    for entry in &part.part().entries {
        if let Entry::Change { document, hash } = entry {
            staging.set_held_change(*document, *hash);
        }
    }
    let count = staging.held_count(part.actor())?;
    staging.set_held_count(part.actor(), count + 1);
    if reason == HeldReason::Equivocation {
        return Ok(());
    }
    advance(staging, part)
}

fn advance(staging: &mut Staging<'_>, part: &SignedPart) -> Result<(), KeyspaceError> {
    let (header, actor) = (part.header(), part.actor());
    let batch = part.batch_id();
    let known = staging.number(actor, header.number)?;
    let numbered = Numbered {
        batch,
        parts_here: known.map_or(0, |known| known.parts_here) + 1,
        parts: u64::from(header.parts),
    };
    staging.set_number(actor, header.number, numbered);
    // The chain reaches as far as nothing is missing: that is what a receipt says.
    let mut tip = staging.chain(actor)?;
    while let Some(next) = staging.number(actor, tip.number + 1)?
        && next.parts_here == next.parts
    {
        tip = ChainTip {
            number: tip.number + 1,
            batch: next.batch,
        };
        staging.set_chain(actor, tip);
    }
    let tip = PartitionTip {
        number: part.part().number,
        hash: part.part_hash(),
    };
    let partition = part.part().partition;
    if tip.number > staging.chain_partition(actor, partition)?.number {
        staging.set_chain_partition(actor, partition, tip);
    }
    Ok(())
}
