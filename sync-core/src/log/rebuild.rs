//! From the truth alone to everything derived from it: the index can be deleted at any time.
//!
//! An entry is decoded once ([`Replayed`]), for the log's own keys and for whoever derives more from it;
//! [`Rebuild`] takes what was decoded in order. Several may do so side by side, each in its own [`Lane`].

use std::collections::BTreeMap;

use super::accept::number_of;
use super::record::{Recorded, record, record_held};
use super::staging::{PartPlace, Staging, read_document};
use super::tally::Tally;
use super::{
    DocumentIndex, HeldEntry, Keyspace, KeyspaceError, Lane, LogEntry, MemoryKeyspace, Write, keys,
};
use crate::batch::{Entry, Partition};
use crate::document::{Subject, extension_change};
use crate::gate::{self, DecodedChange};
use crate::identity::DocumentId;

/// Keys that an entry has for itself: its part, its place in a feed, its number on its chain.
const KEYS_PER_ENTRY: usize = 3;

/// How much is in memory at a time, so that memory does not grow with the log. What is derived is the
/// same for any numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portions {
    /// Entries read in one step.
    pub(crate) step: usize,
    /// Document indexes kept between steps; beyond it, those not touched for longest are written.
    pub(crate) documents_max: usize,
    /// Facts of chains and partitions before they are written out.
    pub(crate) facts_max: usize,
}

/// Some megabytes each; as many facts as the chains of a large province have.
const PORTIONS: Portions = Portions {
    step: 512,
    documents_max: 1_024,
    facts_max: 32_768,
};

/// A keyspace that is being derived again: what was written is read back at once.
pub trait RebuildTarget {
    /// The keyspace to read from.
    fn keyspace(&self) -> &dyn Keyspace;
    /// Writes derived keys.
    fn write(&mut self, writes: Vec<Write>) -> Result<(), KeyspaceError>;
}

impl RebuildTarget for MemoryKeyspace {
    fn keyspace(&self) -> &dyn Keyspace {
        self
    }
    fn write(&mut self, writes: Vec<Write>) -> Result<(), KeyspaceError> {
        self.apply(writes);
        Ok(())
    }
}

/// A log entry, decoded for deriving from it in one lane. Making one needs nothing else of the log. It
/// keeps no bytes of the part.
#[derive(Debug, Clone)]
pub struct Replayed {
    position: u64,
    received_at: i64,
    recorded: Option<Recorded>,
    partition: Partition,
    said: Vec<Said>,
}

/// What a part says about one document of the lane.
#[derive(Debug, Clone)]
struct Said {
    entry: Entry,
    /// The change, if it is one, and which of the part's changes it is, from 0.
    change: Option<(u32, DecodedChange)>,
}

impl Replayed {
    /// From an entry that was accepted at a position.
    pub fn new(position: u64, entry: LogEntry, lane: &Lane) -> Result<Self, KeyspaceError> {
        let LogEntry { received_at, part } = entry;
        let recorded = lane.records().then(|| Recorded::of(&part));
        let mut said = Vec::new();
        let mut ordinals = 0..;
        for (entry, bytes) in part.entries() {
            // Counted over all changes of the part, whoever derives from them.
            let ordinal = bytes.and_then(|_| ordinals.next());
            if !lane.has(entry.document()) {
                continue;
            }
            let change = match (ordinal, bytes) {
                (Some(ordinal), Some(bytes)) => {
                    let change = gate::decode_kept(bytes);
                    let change = change.map_err(|_| KeyspaceError::Damaged("log entry"))?;
                    Some((ordinal, change))
                }
                (_, _) => None,
            };
            let entry = entry.clone();
            said.push(Said { entry, change });
        }
        Ok(Self {
            position,
            received_at,
            recorded,
            partition: part.part().partition,
            said,
        })
    }

    /// From a key and its value as they stand in a keyspace.
    pub fn read(key: &[u8], value: &[u8], lane: &Lane) -> Result<Self, KeyspaceError> {
        let position = number_of(key).ok_or(KeyspaceError::Damaged("log key"))?;
        let entry = LogEntry::decode(value).map_err(|_| KeyspaceError::Damaged("log entry"))?;
        Self::new(position, entry, lane)
    }

    /// Its position in the log.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When the node received it, seconds since 1970 UTC.
    pub fn received_at(&self) -> i64 {
        self.received_at
    }

    /// What the part says about documents of the lane, in order, with the change where it is one.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry, Option<&DecodedChange>)> {
        self.said.iter().map(|Said { entry, change }| {
            let change = change.as_ref().map(|(_, change)| change);
            (entry, change)
        })
    }

    /// Adds one of its entries to the index of the entry's document, and gives that index if this is
    /// where it begins.
    fn add(
        &self,
        index: Option<&mut DocumentIndex>,
        Said { entry, change }: &Said,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        match (entry, index) {
            (Entry::Subject { subject, .. }, None) => {
                let subject =
                    Subject::decode(subject).map_err(|_| KeyspaceError::Damaged("document"))?;
                return Ok(Some(DocumentIndex::new(subject, self.partition)));
            }
            (Entry::Subject { .. }, Some(_)) => {}
            (Entry::Extension { name, .. }, Some(index)) => {
                if let Some(extension) = extension_change(index.subject(), name) {
                    index.declare(&extension);
                }
            }
            (Entry::Change { .. }, Some(index)) => {
                let change = change.as_ref();
                let (ordinal, change) = change.ok_or(KeyspaceError::Damaged("log entry"))?;
                index.insert(change, self.position, *ordinal);
            }
            // Declared before anybody introduced the document: accepting passed it over, too.
            (Entry::Extension { .. }, None) => {}
            (Entry::Change { .. }, None) => return Err(KeyspaceError::Damaged("document")),
        }
        Ok(None)
    }

    /// Adds what it says about one document to that document's index.
    pub(super) fn add_all(
        &self,
        index: &mut Option<DocumentIndex>,
        document: DocumentId,
    ) -> Result<(), KeyspaceError> {
        for said in &self.said {
            if said.entry.document() == document
                && let Some(begun) = self.add(index.as_mut(), said)?
            {
                *index = Some(begun);
            }
        }
        Ok(())
    }
}

/// Entries of the log from a key on, and the key to go on from; none at the end.
pub type ReplayStep = Option<(Vec<Replayed>, Vec<u8>)>;

/// The next entries of the log from a key on, at most a step of them, for a lane.
pub fn replay_step(
    keyspace: &dyn Keyspace,
    from: &[u8],
    lane: &Lane,
) -> Result<ReplayStep, KeyspaceError> {
    replay_some(keyspace, from, lane, PORTIONS.step)
}

fn replay_some(
    keyspace: &dyn Keyspace,
    from: &[u8],
    lane: &Lane,
    entries_max: usize,
) -> Result<ReplayStep, KeyspaceError> {
    let found = keyspace.scan(from, &keys::after(keys::LOG), entries_max)?;
    let Some((last, _)) = found.last() else {
        return Ok(None);
    };
    let next = [last.as_slice(), &[0]].concat();
    let entries = found
        .iter()
        .map(|(key, value)| Replayed::read(key, value, lane))
        .collect::<Result<_, _>>()?;
    Ok(Some((entries, next)))
}

impl Default for Rebuild {
    fn default() -> Self {
        Self::new()
    }
}

/// Deriving under way in a lane: the indexes of the documents that were touched last.
#[derive(Debug)]
pub struct Rebuild {
    portions: Portions,
    tally: Tally,
    documents: BTreeMap<DocumentId, Touched>,
}

/// A document's index, and the position that touched it last.
#[derive(Debug)]
struct Touched {
    index: DocumentIndex,
    position: u64,
}

impl Rebuild {
    /// Nothing derived yet.
    pub fn new() -> Self {
        Self::in_portions(PORTIONS)
    }

    fn in_portions(portions: Portions) -> Self {
        Self {
            portions,
            tally: Tally::default(),
            documents: BTreeMap::new(),
        }
    }

    /// The index of a document as far as the log was taken, if it is in memory.
    pub fn in_memory(&self, document: DocumentId) -> Option<&DocumentIndex> {
        self.documents.get(&document).map(|touched| &touched.index)
    }

    /// The index of a document as far as the log was taken.
    pub fn document(
        &self,
        keyspace: &dyn Keyspace,
        document: DocumentId,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        match self.in_memory(document) {
            Some(index) => Ok(Some(index.clone())),
            None => read_document(keyspace, document),
        }
    }

    /// Derives from entries, which follow those taken before.
    pub fn take(
        &mut self,
        target: &mut dyn RebuildTarget,
        entries: &[Replayed],
    ) -> Result<(), KeyspaceError> {
        let mut writes = Vec::with_capacity(entries.len() * KEYS_PER_ENTRY);
        let mut tallying = self.tally.over(target.keyspace(), &mut writes);
        for replayed in entries {
            if let Some(recorded) = &replayed.recorded {
                let place = PartPlace::Accepted(replayed.position);
                record(&mut tallying, recorded, place, false)?;
            }
        }
        for replayed in entries {
            self.index(target.keyspace(), replayed)?;
        }
        self.tally.trim(self.portions.facts_max, &mut writes);
        if self.documents.len() > self.portions.documents_max {
            self.flush_half(&mut writes);
        }
        target.write(writes)
    }

    /// Adds what an entry says to the indexes of its documents.
    fn index(&mut self, keyspace: &dyn Keyspace, replayed: &Replayed) -> Result<(), KeyspaceError> {
        for said in &replayed.said {
            let document = said.entry.document();
            let position = replayed.position;
            if !self.documents.contains_key(&document)
                && let Some(index) = read_document(keyspace, document)?
            {
                self.documents.insert(document, Touched { index, position });
            }
            let index = self.documents.get_mut(&document).map(|touched| {
                touched.position = position;
                &mut touched.index
            });
            if let Some(index) = replayed.add(index, said)? {
                self.documents.insert(document, Touched { index, position });
            }
        }
        Ok(())
    }

    /// Writes and forgets the half that was not touched for longest: who works on a document is likely
    /// to go on with it.
    fn flush_half(&mut self, writes: &mut Vec<Write>) {
        let mut positions: Vec<u64> = self.documents.values().map(|one| one.position).collect();
        positions.sort_unstable();
        let middle = positions.get(positions.len() / 2).copied();
        for touched in self.documents.values_mut() {
            if Some(touched.position) <= middle {
                touched.index.flush(writes);
            }
        }
        self.documents
            .retain(|_, touched| Some(touched.position) > middle);
    }

    /// Writes what is left. When every lane has, [`rebuild_held`] comes last.
    pub fn finish(mut self, target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
        let mut writes = Vec::new();
        self.tally.write_out(&mut writes);
        for touched in self.documents.values_mut() {
            touched.index.flush(&mut writes);
        }
        target.write(writes)
    }
}

/// Derives everything from the log and the held entries, in order and in portions of bounded size.
/// The derived keys must have been removed before. Signatures and rights were judged when the
/// entries were accepted; what was accepted stays accepted.
pub fn rebuild(target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
    rebuild_in(target, &[Lane::whole()], PORTIONS)
}

/// The same in lanes, one after the other, and in portions.
pub(crate) fn rebuild_in(
    target: &mut dyn RebuildTarget,
    lanes: &[Lane],
    portions: Portions,
) -> Result<(), KeyspaceError> {
    for lane in lanes {
        let mut rebuild = Rebuild::in_portions(portions);
        let mut from = keys::log(0);
        while let Some((entries, next)) =
            replay_some(target.keyspace(), &from, lane, portions.step)?
        {
            rebuild.take(target, &entries)?;
            from = next;
        }
        rebuild.finish(target)?;
    }
    rebuild_held_in(target, portions)
}

/// Derives from the held entries, of which what is said of chains and parts builds on the log's.
pub fn rebuild_held(target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
    rebuild_held_in(target, PORTIONS)
}

fn rebuild_held_in(
    target: &mut dyn RebuildTarget,
    portions: Portions,
) -> Result<(), KeyspaceError> {
    let mut from = keys::held(0);
    loop {
        let entries = target
            .keyspace()
            .scan(&from, &keys::after(keys::HELD), portions.step)?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
        let mut staging = Staging::new(target.keyspace());
        for (key, value) in &entries {
            let number = number_of(key).ok_or(KeyspaceError::Damaged("held key"))?;
            let entry =
                HeldEntry::decode(value).map_err(|_| KeyspaceError::Damaged("held entry"))?;
            record_held(&mut staging, &entry.part, number, entry.reason)?;
        }
        let writes = staging.take();
        target.write(writes)?;
    }
}
