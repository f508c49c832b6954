//! What the log says of chains and partitions, counted up in memory while everything is derived again.
//!
//! A key that every entry changes would otherwise be written and read back for every entry, and a number
//! that no chain has reached yet would be looked for in everything written so far.

use std::collections::BTreeMap;

use super::record::Facts;
use super::staging::{
    Numbered, PartPlace, Staging, chain_partition_value, chain_value, number_value, part_value,
    partition_value,
};
use super::{Fingerprint, Keyspace, KeyspaceError, Write, keys};
use crate::batch::{ChainTip, Partition, PartitionTip};
use crate::identity::{ActorId, PartId};

/// The facts so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    partitions: BTreeMap<Partition, Fingerprint>,
    chains: BTreeMap<ActorId, ChainTip>,
    tips: BTreeMap<(ActorId, Partition), PartitionTip>,
    /// Numbers beyond the tip of their chain.
    ahead: BTreeMap<(ActorId, u64), Numbered>,
    /// There were too many once: what is not here may have been written.
    written_out: bool,
}

impl Tally {
    /// The facts as one entry after the other changes them; `below` has what was written out.
    pub(super) fn over<'a>(
        &'a mut self,
        below: &'a dyn Keyspace,
        writes: &'a mut Vec<Write>,
    ) -> Tallying<'a> {
        Tallying {
            tally: self,
            below: Staging::new(below),
            writes,
        }
    }

    /// Writes everything out if there are more facts than that.
    pub(super) fn trim(&mut self, facts_max: usize, writes: &mut Vec<Write>) {
        let facts = self.partitions.len() + self.chains.len() + self.tips.len() + self.ahead.len();
        if facts > facts_max {
            self.write_out(writes);
        }
    }

    /// Writes everything out. Numbers were written when they were set.
    pub(super) fn write_out(&mut self, writes: &mut Vec<Write>) {
        self.written_out = true;
        for (partition, fingerprint) in std::mem::take(&mut self.partitions) {
            put(
                writes,
                keys::partition(partition),
                partition_value(fingerprint),
            );
        }
        for (actor, tip) in std::mem::take(&mut self.chains) {
            put(writes, keys::chain(actor), chain_value(tip));
        }
        for ((actor, partition), tip) in std::mem::take(&mut self.tips) {
            let key = keys::chain_partition(actor, partition);
            put(writes, key, chain_partition_value(tip));
        }
        self.ahead.clear();
    }
}

fn put(writes: &mut Vec<Write>, key: Vec<u8>, value: Vec<u8>) {
    let value = Some(value);
    writes.push(Write { key, value });
}

/// A tally at work.
#[derive(Debug)]
pub(super) struct Tallying<'a> {
    tally: &'a mut Tally,
    below: Staging<'a>,
    writes: &'a mut Vec<Write>,
}

impl Tallying<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        put(self.writes, key, value);
    }

    /// What was written out, if anything ever was.
    fn written<T: Default>(
        &self,
        read: impl FnOnce(&Staging<'_>) -> Result<T, KeyspaceError>,
    ) -> Result<T, KeyspaceError> {
        if self.tally.written_out {
            read(&self.below)
        } else {
            Ok(T::default())
        }
    }
}

impl Facts for Tallying<'_> {
    fn set_part(&mut self, part: PartId, place: PartPlace) {
        self.put(keys::part(part), part_value(place));
    }

    fn set_vouched(&mut self, part: PartId) {
        self.put(keys::vouched(part), Vec::new());
    }

    fn set_feed(&mut self, partition: Partition, position: u64, part: PartId) {
        self.put(keys::feed(partition, position), part.0.to_vec());
    }

    fn fingerprint(&self, partition: Partition) -> Result<Fingerprint, KeyspaceError> {
        match self.tally.partitions.get(&partition) {
            Some(fingerprint) => Ok(*fingerprint),
            None => self.written(|below| below.fingerprint(partition)),
        }
    }

    fn set_fingerprint(&mut self, partition: Partition, fingerprint: Fingerprint) {
        self.tally.partitions.insert(partition, fingerprint);
    }

    fn number(&self, actor: ActorId, number: u64) -> Result<Option<Numbered>, KeyspaceError> {
        match self.tally.ahead.get(&(actor, number)) {
            Some(numbered) => Ok(Some(*numbered)),
            None => self.written(|below| below.number(actor, number)),
        }
    }

    fn set_number(&mut self, actor: ActorId, number: u64, numbered: Numbered) {
        self.put(keys::number(actor, number), number_value(numbered));
        self.tally.ahead.insert((actor, number), numbered);
    }

    fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError> {
        match self.tally.chains.get(&actor) {
            Some(tip) => Ok(*tip),
            None => self.written(|below| below.chain(actor)),
        }
    }

    fn set_chain(&mut self, actor: ActorId, tip: ChainTip) {
        // Every part of it is here: none of the log comes after that would ask for it.
        self.tally.ahead.remove(&(actor, tip.number));
        self.tally.chains.insert(actor, tip);
    }

    fn chain_partition(
        &self,
        actor: ActorId,
        partition: Partition,
    ) -> Result<PartitionTip, KeyspaceError> {
        match self.tally.tips.get(&(actor, partition)) {
            Some(tip) => Ok(*tip),
            None => self.written(|below| below.chain_partition(actor, partition)),
        }
    }

    fn set_chain_partition(&mut self, actor: ActorId, partition: Partition, tip: PartitionTip) {
        self.tally.tips.insert((actor, partition), tip);
    }
}
