//! Reading the log: entries, feeds of a set of partitions, documents, fingerprints.

use std::collections::{BTreeMap, BTreeSet};

use super::accept::{last_number, number_of};
use super::staging::{PartPlace, Staging, read_document};
use super::{DocumentIndex, Fingerprint, HeldEntry, Keyspace, KeyspaceError, LogEntry, STEP, keys};
use crate::batch::{ChainTip, Partition, PartitionTip, part_id};
use crate::codec::{Reader, Writer};
use crate::identity::{ActorId, BatchId, DocumentId, InstallationId, KeyId, PartId, labelled_hash};

/// Which partitions a peer follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// All of them.
    All,
    /// These.
    These(BTreeSet<Partition>),
}

impl Follow {
    /// A digest of the set: a position counts only for the set it was given for.
    pub fn digest(&self) -> [u8; 8] {
        let mut writer = Writer::new();
        match self {
            Self::All => {
                writer.u8(1);
            }
            Self::These(partitions) => {
                writer.u8(2);
                for partition in partitions {
                    partition.write(&mut writer);
                }
            }
        }
        let [a, b, c, d, e, f, g, h, ..] = labelled_hash("follow", &[writer.as_slice()]);
        [a, b, c, d, e, f, g, h]
    }

    /// What is in both.
    pub fn within(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, other) => other.clone(),
            (these, Self::All) => these.clone(),
            (Self::These(a), Self::These(b)) => Self::These(a.intersection(b).copied().collect()),
        }
    }
    /// True if the peer follows a partition.
    pub fn contains(&self, partition: Partition) -> bool {
        match self {
            Self::All => true,
            Self::These(partitions) => partitions.contains(&partition),
        }
    }
}

/// A piece of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// Log entries with their positions, ascending.
    pub entries: Vec<(u64, LogEntry)>,
    /// The position a peer that has these may resume from.
    pub position: u64,
    /// More entries follow.
    pub more: bool,
}

/// Reads the log in a keyspace.
#[derive(Clone, Copy)]
pub struct LogReader<'a>(pub &'a dyn Keyspace);

impl std::fmt::Debug for LogReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogReader")
    }
}

impl LogReader<'_> {
    /// The position of the last entry; 0 for none.
    pub fn end(&self) -> Result<u64, KeyspaceError> {
        last_number(self.0, keys::LOG)
    }

    /// The number of the last held entry; 0 for none.
    pub fn held_end(&self) -> Result<u64, KeyspaceError> {
        last_number(self.0, keys::HELD)
    }

    /// The entry at a position.
    pub fn entry(&self, position: u64) -> Result<Option<LogEntry>, KeyspaceError> {
        let bytes = self.0.get(&keys::log(position))?;
        let entry = bytes.map(|bytes| LogEntry::decode(&bytes)).transpose();
        entry.map_err(|_| KeyspaceError::Damaged("log entry"))
    }

    /// A held entry.
    pub fn held(&self, number: u64) -> Result<Option<HeldEntry>, KeyspaceError> {
        let bytes = self.0.get(&keys::held(number))?;
        let entry = bytes.map(|bytes| HeldEntry::decode(&bytes)).transpose();
        entry.map_err(|_| KeyspaceError::Damaged("held entry"))
    }

    /// Where a part is, if it is here.
    pub fn part(&self, part: PartId) -> Result<Option<PartPlace>, KeyspaceError> {
        Staging::new(self.0).part(part)
    }

    /// True if some accepted part is here without its author's signature.
    pub fn has_vouched(&self) -> Result<bool, KeyspaceError> {
        let (from, to) = keys::vouched_parts();
        Ok(!self.0.scan(&from, &to, 1)?.is_empty())
    }

    /// True if this accepted part is here without its author's signature.
    pub fn is_vouched(&self, part: PartId) -> Result<bool, KeyspaceError> {
        Ok(self.0.get(&keys::vouched(part))?.is_some())
    }

    /// Where a chain stands.
    pub fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError> {
        Staging::new(self.0).chain(actor)
    }

    /// The last accepted batch of each installation of a key: what counts when the key is ended.
    pub fn last_batches_of(
        &self,
        key: KeyId,
    ) -> Result<BTreeMap<InstallationId, u64>, KeyspaceError> {
        let mut last = BTreeMap::new();
        for position in 1..=self.end()? {
            if let Some(entry) = self.entry(position)?
                && entry.part.header().key == key
            {
                let header = entry.part.header();
                let number = last.entry(header.installation).or_insert(0);
                *number = header.number.max(*number);
            }
        }
        Ok(last)
    }

    /// The batch that a chain has under a number; none if no part of it is here.
    pub fn batch(&self, actor: ActorId, number: u64) -> Result<Option<BatchId>, KeyspaceError> {
        let numbered = Staging::new(self.0).number(actor, number)?;
        Ok(numbered.map(|numbered| numbered.batch))
    }

    /// The parts of the batch that a chain has under a number; none if none of them is here.
    pub fn parts_of_batch(
        &self,
        actor: ActorId,
        number: u64,
    ) -> Result<Vec<PartId>, KeyspaceError> {
        let numbered = Staging::new(self.0).number(actor, number)?;
        let parts = numbered.map_or(0, |numbered| numbered.parts);
        let id = |index| Some(part_id(numbered?.batch, u32::try_from(index).ok()?));
        Ok((0..parts).filter_map(id).collect())
    }

    /// Where a chain stands in a partition.
    pub fn chain_partition(
        &self,
        actor: ActorId,
        partition: Partition,
    ) -> Result<PartitionTip, KeyspaceError> {
        Staging::new(self.0).chain_partition(actor, partition)
    }

    /// The index of a document.
    pub fn document(&self, document: DocumentId) -> Result<Option<DocumentIndex>, KeyspaceError> {
        read_document(self.0, document)
    }

    /// Every document id after `after`, ascending, at most `limit`.
    pub fn documents(
        &self,
        after: Option<DocumentId>,
        limit: usize,
    ) -> Result<Vec<DocumentId>, KeyspaceError> {
        let from = match after {
            None => keys::documents(),
            Some(document) => [keys::document(document).as_slice(), &[0]].concat(),
        };
        let to = keys::document_chunk(DocumentId([0; 16]), 0);
        let found = self.0.scan(&from, &to, limit)?;
        Ok(found
            .iter()
            .filter_map(|(key, _)| key.get(1..)?.try_into().ok().map(DocumentId))
            .collect())
    }

    /// The bytes of a document's changes in the order of acceptance, with the time of receipt.
    pub fn changes(&self, index: &DocumentIndex) -> Result<Vec<(i64, Vec<u8>)>, KeyspaceError> {
        let mut changes = Vec::with_capacity(index.changes().len());
        let mut held: Option<(u64, LogEntry)> = None;
        for change in index.changes() {
            if held
                .as_ref()
                .is_none_or(|(position, _)| *position != change.position)
            {
                let entry = self.entry(change.position)?;
                let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
                held = Some((change.position, entry));
            }
            let found = held.as_ref().and_then(|(_, entry)| {
                let bytes = entry.part.changes().get(change.ordinal as usize)?;
                Some((entry.received_at, bytes.clone()))
            });
            changes.push(found.ok_or(KeyspaceError::Damaged("log entry"))?);
        }
        Ok(changes)
    }

    /// The fingerprint of what a peer follows.
    pub fn fingerprint(&self, follow: &Follow) -> Result<Fingerprint, KeyspaceError> {
        let mut sum = Fingerprint::default();
        match follow {
            Follow::These(partitions) => {
                for partition in partitions {
                    sum = sum.plus(Staging::new(self.0).fingerprint(*partition)?);
                }
            }
            Follow::All => {
                for (_, fingerprint) in self.partitions()? {
                    sum = sum.plus(fingerprint);
                }
            }
        }
        Ok(sum)
    }

    /// Every partition with its fingerprint.
    pub fn partitions(&self) -> Result<Vec<(Partition, Fingerprint)>, KeyspaceError> {
        let from = keys::partitions();
        let to = from.iter().map(|tag| tag + 1).collect::<Vec<_>>();
        let damaged = |_| KeyspaceError::Damaged("fingerprint");
        let read = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let partition = Partition::read(&mut Reader::new(key.get(1..).unwrap_or_default()))
                .map_err(damaged)?;
            let fingerprint = Fingerprint::read(&mut Reader::new(value)).map_err(damaged)?;
            Ok((partition, fingerprint))
        };
        self.0
            .scan(&from, &to, usize::MAX)?
            .iter()
            .map(read)
            .collect()
    }

    /// Entries of a feed after a position, up to about `bytes_max` bytes (at least one entry).
    /// Entries of `own` up to batch number `own_through` are left out: the peer made them.
    pub fn feed(
        &self,
        follow: &Follow,
        after: u64,
        own: Option<(ActorId, u64)>,
        bytes_max: usize,
    ) -> Result<FeedPage, KeyspaceError> {
        let mut page = FeedPage {
            entries: Vec::new(),
            position: after,
            more: false,
        };
        let mut bytes = 0;
        loop {
            let positions = self.positions(follow, page.position)?;
            let last = positions.len() < STEP;
            for position in positions {
                let value = self.0.get(&keys::log(position))?;
                let value = value.ok_or(KeyspaceError::Damaged("log entry"))?;
                let entry =
                    LogEntry::decode(&value).map_err(|_| KeyspaceError::Damaged("log entry"))?;
                let made_by_peer = own.is_some_and(|(actor, through)| {
                    entry.part.actor() == actor && entry.part.header().number <= through
                });
                if !made_by_peer {
                    if bytes > 0 && bytes + value.len() > bytes_max {
                        page.more = true;
                        return Ok(page);
                    }
                    bytes += value.len();
                    page.entries.push((position, entry));
                }
                page.position = position;
            }
            if last {
                return Ok(page);
            }
        }
    }

    /// Tells position and id of every part of a feed up to a position, partition by partition, without
    /// reading entries. Memory does not grow with them.
    pub fn each_part(
        &self,
        follow: &Follow,
        through: u64,
        tell: &mut dyn FnMut(u64, PartId),
    ) -> Result<(), KeyspaceError> {
        match follow {
            Follow::These(partitions) => partitions
                .iter()
                .try_for_each(|partition| self.each_part_of(*partition, through, tell)),
            Follow::All => self
                .partitions()?
                .iter()
                .try_for_each(|(partition, _)| self.each_part_of(*partition, through, tell)),
        }
    }

    fn each_part_of(
        &self,
        partition: Partition,
        through: u64,
        tell: &mut dyn FnMut(u64, PartId),
    ) -> Result<(), KeyspaceError> {
        let from = keys::feed(partition, 0);
        let to = keys::feed(partition, through.saturating_add(1));
        self.0.each(&from, &to, &mut |key, value| {
            let position = number_of_feed(key).zip(<[u8; 32]>::try_from(value).ok());
            let (position, part) = position.ok_or(KeyspaceError::Damaged("feed"))?;
            tell(position, PartId(part));
            Ok(())
        })
    }

    fn positions(&self, follow: &Follow, after: u64) -> Result<Vec<u64>, KeyspaceError> {
        let mut positions: Vec<u64> = match follow {
            Follow::All => {
                let from = keys::log(after + 1);
                let found = self.0.scan(&from, &keys::after(keys::LOG), STEP)?;
                found.iter().filter_map(|(key, _)| number_of(key)).collect()
            }
            Follow::These(partitions) => {
                let mut positions = Vec::new();
                for partition in partitions {
                    let from = keys::feed(*partition, after + 1);
                    let found = self
                        .0
                        .scan(&from, &keys::feed(*partition, u64::MAX), STEP)?;
                    positions.extend(found.iter().filter_map(|(key, _)| number_of_feed(key)));
                }
                positions
            }
        };
        positions.sort_unstable();
        positions.truncate(STEP);
        Ok(positions)
    }
}

/// The position in the key of a feed.
fn number_of_feed(key: &[u8]) -> Option<u64> {
    let number = key.last_chunk::<8>()?;
    Some(u64::from_be_bytes(*number))
}
