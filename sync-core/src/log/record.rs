//! What follows from a part that is accepted or held, besides the indexes of its documents.

use super::staging::{Numbered, PartPlace, Staging};
use super::{Fingerprint, HeldReason, KeyspaceError};
use crate::batch::{ChainTip, Entry, Partition, PartitionTip, SignedPart, part_id};
use crate::identity::{ActorId, BatchId, PartId};

/// What the log's own keys need of a part: its names, which are hashes and made once, and its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) actor: ActorId,
    pub(super) batch: BatchId,
    pub(super) part: PartId,
    pub(super) hash: [u8; 32],
    /// The number of the batch, and how many parts it has.
    pub(super) number: u64,
    pub(super) parts: u32,
    pub(super) partition: Partition,
    /// The number of the part in its partition.
    pub(super) part_number: u64,
    /// A node vouches for it instead of its author's signature.
    pub(super) vouched: bool,
}

impl Recorded {
    pub(super) fn of(part: &SignedPart) -> Self {
        let batch = part.batch_id();
        Self {
            actor: part.actor(),
            batch,
            part: part_id(batch, part.index()),
            hash: part.part_hash(),
            number: part.header().number,
            parts: part.header().parts,
            partition: part.part().partition,
            part_number: part.part().number,
            vouched: part.attestation().is_some(),
        }
    }
}

/// What is known of parts, partitions and chains, and is said of them anew.
pub(super) trait Facts {
    fn set_part(&mut self, part: PartId, place: PartPlace);
    fn set_vouched(&mut self, part: PartId);
    fn set_feed(&mut self, partition: Partition, position: u64, part: PartId);
    fn fingerprint(&self, partition: Partition) -> Result<Fingerprint, KeyspaceError>;
    fn set_fingerprint(&mut self, partition: Partition, fingerprint: Fingerprint);
    fn number(&self, actor: ActorId, number: u64) -> Result<Option<Numbered>, KeyspaceError>;
    fn set_number(&mut self, actor: ActorId, number: u64, numbered: Numbered);
    fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError>;
    fn set_chain(&mut self, actor: ActorId, tip: ChainTip);
    fn chain_partition(
        &self,
        actor: ActorId,
        partition: Partition,
    ) -> Result<PartitionTip, KeyspaceError>;
    fn set_chain_partition(&mut self, actor: ActorId, partition: Partition, tip: PartitionTip);
}

/// Writes what follows from an accepted part, besides the document indexes. `counted`: its chain counts it
/// already, since it was held before.
pub(super) fn record(
    facts: &mut impl Facts,
    part: &Recorded,
    place: PartPlace,
    counted: bool,
) -> Result<(), KeyspaceError> {
    let Recorded {
        part: id,
        partition,
        ..
    } = *part;
    facts.set_part(id, place);
    if part.vouched {
        facts.set_vouched(id);
    }
    if let PartPlace::Accepted(position) = place {
        facts.set_feed(partition, position, id);
        let fingerprint = facts.fingerprint(partition)?.plus(Fingerprint::of(id));
        facts.set_fingerprint(partition, fingerprint);
    }
    match counted {
        true => Ok(()),
        false => advance(facts, part),
    }
}

/// Writes what follows from a held part. Evidence of an equivocation moves no chain.
pub(super) fn record_held(
    staging: &mut Staging<'_>,
    part: &SignedPart,
    number: u64,
    reason: HeldReason,
) -> Result<(), KeyspaceError> {
    let recorded = Recorded::of(part);
    // Held here once, accepted by the node since: it is in the log, and counted.
    let accepted = matches!(staging.part(recorded.part)?, Some(PartPlace::Accepted(_)));
    if !accepted {
        staging.set_part(recorded.part, PartPlace::Held(number));
    }
    for entry in &part.part().entries {
        if let Entry::Change { document, hash } = entry {
            staging.set_held_change(*document, *hash);
        }
    }
    let count = staging.held_count(recorded.actor)?;
    staging.set_held_count(recorded.actor, count + 1);
    if reason == HeldReason::Equivocation {
        staging.set_evidence(recorded.actor, &recorded.batch.0);
        staging.set_evidence(recorded.actor, &recorded.hash);
        return Ok(());
    }
    if accepted {
        return Ok(());
    }
    advance(staging, &recorded)
}

fn advance(facts: &mut impl Facts, part: &Recorded) -> Result<(), KeyspaceError> {
    let Recorded {
        actor, partition, ..
    } = *part;
    let known = facts.number(actor, part.number)?;
    let numbered = Numbered {
        batch: part.batch,
        parts_here: known.map_or(0, |known| known.parts_here) + 1,
        parts: u64::from(part.parts),
    };
    facts.set_number(actor, part.number, numbered);
    // The chain reaches as far as nothing is missing: that is what a receipt says.
    let mut tip = facts.chain(actor)?;
    while let Some(next) = facts.number(actor, tip.number + 1)?
        && next.parts_here == next.parts
    {
        tip = ChainTip {
            number: tip.number + 1,
            batch: next.batch,
        };
        facts.set_chain(actor, tip);
    }
    let tip = PartitionTip {
        number: part.part_number,
        hash: part.hash,
    };
    if tip.number > facts.chain_partition(actor, partition)?.number {
        facts.set_chain_partition(actor, partition, tip);
    }
    Ok(())
}
