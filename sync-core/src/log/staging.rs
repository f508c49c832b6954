//! Derived facts about the log: read through what is staged, written together.

use std::collections::BTreeMap;

use super::{DocumentIndex, Fingerprint, Keyspace, KeyspaceError, Write, keys};
use crate::batch::{ChainTip, Partition, PartitionTip};
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

/// Staged writes over a keyspace. Reads see them.
pub(super) struct Staging<'a> {
    pub(super) below: &'a dyn Keyspace,
    writes: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl std::fmt::Debug for Staging<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staging({} writes)", self.writes.len())
    }
}

impl<'a> Staging<'a> {
    pub(super) fn new(below: &'a dyn Keyspace) -> Self {
        Self {
            below,
            writes: BTreeMap::new(),
        }
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

    fn write(&mut self, key: Vec<u8>, write: impl FnOnce(&mut Writer)) {
        let mut writer = Writer::new();
        write(&mut writer);
        self.put(key, writer.into_bytes());
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
        self.write(keys::part(part), |to| {
            match place {
                PartPlace::Accepted(position) => to.var(position),
                PartPlace::Held(number) => to.var(0).var(number),
            };
        });
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

    pub(super) fn set_chain(&mut self, actor: ActorId, tip: ChainTip) {
        self.write(keys::chain(actor), |to| {
            to.var(tip.number).raw(&tip.batch.0);
        });
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
        self.write(keys::chain_partition(actor, partition), |to| {
            to.var(tip.number).raw(&tip.hash);
        });
    }

    pub(super) fn fingerprint(&self, partition: Partition) -> Result<Fingerprint, KeyspaceError> {
        let found = self.read(
            &keys::partition(partition),
            "fingerprint",
            Fingerprint::read,
        )?;
        Ok(found.unwrap_or_default())
    }

    pub(super) fn set_fingerprint(&mut self, partition: Partition, fingerprint: Fingerprint) {
        self.write(keys::partition(partition), |to| fingerprint.write(to));
    }

    pub(super) fn number(
        &self,
        actor: ActorId,
        number: u64,
    ) -> Result<Option<Numbered>, KeyspaceError> {
        let key = keys::number(actor, number);
        self.read(&key, "batch number", |from| {
            Ok(Numbered {
                batch: BatchId(from.array("batch")?),
                parts_here: from.var("parts here")?,
                parts: from.var("parts")?,
            })
        })
    }

    pub(super) fn set_number(&mut self, actor: ActorId, number: u64, numbered: Numbered) {
        self.write(keys::number(actor, number), |to| {
            to.raw(&numbered.batch.0)
                .var(numbered.parts_here)
                .var(numbered.parts);
        });
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

    pub(super) fn held_count(&self, actor: ActorId) -> Result<u64, KeyspaceError> {
        let count = self.read(&keys::held_count(actor), "count", |from| from.var("count"))?;
        Ok(count.unwrap_or_default())
    }

    pub(super) fn set_held_count(&mut self, actor: ActorId, count: u64) {
        self.write(keys::held_count(actor), |to| {
            to.var(count);
        });
    }

    pub(super) fn document(
        &self,
        document: DocumentId,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        read_document(self.below, document)
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
