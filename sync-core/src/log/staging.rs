//! Derived facts about the log: read through what is staged, written together.

use std::collections::BTreeMap;

use super::record::Facts;
use super::{
    DocumentIndex, Fingerprint, HeldEntry, Keyspace, KeyspaceError, LogEntry, Write, keys,
};
use crate::batch::{ChainTip, Partition, PartitionTip, part_id};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ActorId, BatchId, ChangeHash, DocumentId, PartId};

/// Where a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartPlace {
    /// Accepted, at this position.
    Accepted(u64),
    /// Held, under this number.
    Held(u64),
}

/// Which batch a number of a chain is, and how much of it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) batch: BatchId,
    pub(super) parts_here: u64,
    pub(super) parts: u64,
}

/// The value of the place of a part.
pub(super) fn part_value(place: PartPlace) -> Vec<u8> {
    let mut to = Writer::new();
    match place {
        PartPlace::Accepted(position) => to.var(position),
        PartPlace::Held(number) => to.var(0).var(number),
    };
    to.into_bytes()
}

/// The value of where a chain stands.
pub(super) fn chain_value(tip: ChainTip) -> Vec<u8> {
    let mut to = Writer::new();
    to.var(tip.number).raw(&tip.batch.0);
    to.into_bytes()
}

/// The value of where a chain stands in a partition.
pub(super) fn chain_partition_value(tip: PartitionTip) -> Vec<u8> {
    let mut to = Writer::new();
    to.var(tip.number).raw(&tip.hash);
    to.into_bytes()
}

/// The value of a partition.
pub(super) fn partition_value(fingerprint: Fingerprint) -> Vec<u8> {
    let mut to = Writer::new();
    fingerprint.write(&mut to);
    to.into_bytes()
}

/// The value of a number of a chain.
pub(super) fn number_value(numbered: Numbered) -> Vec<u8> {
    let mut to = Writer::new();
    to.raw(&numbered.batch.0)
        .var(numbered.parts_here)
        .var(numbered.parts);
    to.into_bytes()
}

/// Where what is kept of a chain ends: whoever knows it need not look for what cannot be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ChainEnd {
    /// The highest number kept; nothing is kept under a higher one, unless it is held.
    pub(super) number: u64,
    /// How many of its parts are held.
    pub(super) held: u64,
}

/// Staged writes over a keyspace. Reads see them.
pub(super) struct Staging<'a> {
    pub(super) below: &'a dyn Keyspace,
    writes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Of the chains looked up with [`Staging::chain_end`].
    ends: BTreeMap<ActorId, ChainEnd>,
}

impl std::fmt::Debug for Staging<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staging({} writes)", self.writes.len())
    }
}

impl<'a> Staging<'a> {
    pub(super) fn new(below: &'a dyn Keyspace) -> Self {
        Self::knowing(below, BTreeMap::new())
    }

    /// With ends of chains learned before, over a keyspace that nobody else has written to since.
    pub(super) fn knowing(below: &'a dyn Keyspace, ends: BTreeMap<ActorId, ChainEnd>) -> Self {
        Self {
            below,
            writes: BTreeMap::new(),
            ends,
        }
    }

    /// What was learned of the ends of chains, for the next group.
    pub(super) fn take_ends(&mut self) -> BTreeMap<ActorId, ChainEnd> {
        std::mem::take(&mut self.ends)
    }

    /// Where a chain ends; looked up once.
    pub(super) fn chain_end(&mut self, actor: ActorId) -> Result<ChainEnd, KeyspaceError> {
        if let Some(end) = self.ends.get(&actor) {
            return Ok(*end);
        }
        let from = keys::number(actor, 0);
        let after = [keys::number(actor, u64::MAX).as_slice(), &[0]].concat();
        let last = self.below.last(&from, &after)?;
        let number = last.and_then(|(key, _)| keys::number_of_chain(&key));
        let end = ChainEnd {
            number: number.unwrap_or(0),
            held: self.held_count(actor)?,
        };
        self.ends.insert(actor, end);
        Ok(end)
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, value);
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError> {
        match self.writes.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => self.below.get(key),
        }
    }

    pub(super) fn take(&mut self) -> Vec<Write> {
        let writes = std::mem::take(&mut self.writes);
        writes
            .into_iter()
            .map(|(key, value)| Write {
                key,
                value: Some(value),
            })
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    fn read<T>(
        &self,
        key: &[u8],
        what: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, KeyspaceError> {
        let Some(bytes) = self.get(key)? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&bytes);
        let value = read(&mut reader).and_then(|value| reader.end(what).map(|()| value));
        value.map(Some).map_err(|_| KeyspaceError::Damaged(what))
    }

    pub(super) fn part(&self, part: PartId) -> Result<Option<PartPlace>, KeyspaceError> {
        self.read(&keys::part(part), "place of a part", |from| {
            match from.var("position")? {
                0 => Ok(PartPlace::Held(from.var("held number")?)),
                position => Ok(PartPlace::Accepted(position)),
            }
        })
    }

    pub(super) fn set_part(&mut self, part: PartId, place: PartPlace) {
        self.put(keys::part(part), part_value(place));
    }

    /// What is held under a number.
    pub(super) fn held_entry(&self, number: u64) -> Result<HeldEntry, KeyspaceError> {
        let entry = self.get(&keys::held(number))?;
        let entry = entry.ok_or(KeyspaceError::Damaged("held entry"))?;
        HeldEntry::decode(&entry).map_err(|_| KeyspaceError::Damaged("held entry"))
    }

    /// The batch that a batch names as the one before it; none if no part of it is here.
    pub(super) fn previous_of(&self, numbered: Numbered) -> Result<Option<BatchId>, KeyspaceError> {
        for index in 0..numbered.parts {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let part = match self.part(part_id(numbered.batch, index))? {
                None => continue,
                Some(PartPlace::Held(number)) => self.held_entry(number)?.part,
                Some(PartPlace::Accepted(position)) => {
                    let entry = self.get(&keys::log(position))?;
                    let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
                    let entry = LogEntry::decode(&entry);
                    entry.map_err(|_| KeyspaceError::Damaged("log entry"))?.part
                }
            };
            return Ok(Some(part.header().previous));
        }
        Ok(None)
    }

    pub(super) fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError> {
        let tip = self.read(&keys::chain(actor), "chain", |from| {
            Ok(ChainTip {
                number: from.var("number")?,
                batch: BatchId(from.array("batch")?),
            })
        })?;
        Ok(tip.unwrap_or_default())
    }

    pub(super) fn chain_partition(
        &self,
        actor: ActorId,
        partition: Partition,
    ) -> Result<PartitionTip, KeyspaceError> {
        let key = keys::chain_partition(actor, partition);
        let tip = self.read(&key, "chain in a partition", |from| {
            Ok(PartitionTip {
                number: from.var("number")?,
                hash: from.array("hash")?,
            })
        })?;
        Ok(tip.unwrap_or_default())
    }

    pub(super) fn set_chain_partition(
        &mut self,
        actor: ActorId,
        partition: Partition,
        tip: PartitionTip,
    ) {
        self.put(
            keys::chain_partition(actor, partition),
            chain_partition_value(tip),
        );
    }

    pub(super) fn fingerprint(&self, partition: Partition) -> Result<Fingerprint, KeyspaceError> {
        let found = self.read(
            &keys::partition(partition),
            "fingerprint",
            Fingerprint::read,
        )?;
        Ok(found.unwrap_or_default())
    }

    pub(super) fn number(
        &self,
        actor: ActorId,
        number: u64,
    ) -> Result<Option<Numbered>, KeyspaceError> {
        if self.ends.get(&actor).is_some_and(|end| number > end.number) {
            return Ok(None);
        }
        let key = keys::number(actor, number);
        self.read(&key, "batch number", |from| {
            Ok(Numbered {
                batch: BatchId(from.array("batch")?),
                parts_here: from.var("parts here")?,
                parts: from.var("parts")?,
            })
        })
    }

    pub(super) fn is_held(
        &self,
        document: DocumentId,
        hash: ChangeHash,
    ) -> Result<bool, KeyspaceError> {
        Ok(self.get(&keys::held_change(document, hash))?.is_some())
    }

    pub(super) fn set_held_change(&mut self, document: DocumentId, hash: ChangeHash) {
        self.put(keys::held_change(document, hash), Vec::new());
    }

    /// True if what has this hash, a batch or a part, is held as evidence of a fork.
    pub(super) fn is_evidence(
        &self,
        actor: ActorId,
        hash: &[u8; 32],
    ) -> Result<bool, KeyspaceError> {
        Ok(self.get(&keys::evidence(actor, hash))?.is_some())
    }

    pub(super) fn set_evidence(&mut self, actor: ActorId, hash: &[u8; 32]) {
        self.put(keys::evidence(actor, hash), Vec::new());
    }

    pub(super) fn held_count(&self, actor: ActorId) -> Result<u64, KeyspaceError> {
        let count = self.read(&keys::held_count(actor), "count", |from| from.var("count"))?;
        Ok(count.unwrap_or_default())
    }

    pub(super) fn set_held_count(&mut self, actor: ActorId, count: u64) {
        if let Some(end) = self.ends.get_mut(&actor) {
            end.held = count;
        }
        let mut to = Writer::new();
        to.var(count);
        self.put(keys::held_count(actor), to.into_bytes());
    }

    pub(super) fn document(
        &self,
        document: DocumentId,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        read_document(self.below, document)
    }
}

impl Facts for Staging<'_> {
    fn set_part(&mut self, part: PartId, place: PartPlace) {
        Staging::set_part(self, part, place);
    }
    fn set_vouched(&mut self, part: PartId) {
        self.put(keys::vouched(part), Vec::new());
    }
    fn set_feed(&mut self, partition: Partition, position: u64, part: PartId) {
        self.put(keys::feed(partition, position), part.0.to_vec());
    }
    fn fingerprint(&self, partition: Partition) -> Result<Fingerprint, KeyspaceError> {
        Staging::fingerprint(self, partition)
    }
    fn set_fingerprint(&mut self, partition: Partition, fingerprint: Fingerprint) {
        self.put(keys::partition(partition), partition_value(fingerprint));
    }
    fn number(&self, actor: ActorId, number: u64) -> Result<Option<Numbered>, KeyspaceError> {
        Staging::number(self, actor, number)
    }
    fn set_number(&mut self, actor: ActorId, number: u64, numbered: Numbered) {
        if let Some(end) = self.ends.get_mut(&actor) {
            end.number = number.max(end.number);
        }
        self.put(keys::number(actor, number), number_value(numbered));
    }
    fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError> {
        Staging::chain(self, actor)
    }
    fn set_chain(&mut self, actor: ActorId, tip: ChainTip) {
        self.put(keys::chain(actor), chain_value(tip));
    }
    fn chain_partition(
        &self,
        actor: ActorId,
        partition: Partition,
    ) -> Result<PartitionTip, KeyspaceError> {
        Staging::chain_partition(self, actor, partition)
    }
    fn set_chain_partition(&mut self, actor: ActorId, partition: Partition, tip: PartitionTip) {
        Staging::set_chain_partition(self, actor, partition, tip);
    }
}

/// Reads a document's index from a keyspace.
pub(super) fn read_document(
    keyspace: &dyn Keyspace,
    document: DocumentId,
) -> Result<Option<DocumentIndex>, KeyspaceError> {
    let Some(head) = keyspace.get(&keys::document(document))? else {
        return Ok(None);
    };
    let from = keys::document_chunk(document, 0);
    let to = keys::document_chunk(document, u32::MAX);
    let chunks: Vec<_> = keyspace
        .scan(&from, &to, usize::MAX)?
        .into_iter()
        .map(|(_, chunk)| chunk)
        .collect();
    DocumentIndex::read(&head, &chunks).map(Some)
}
