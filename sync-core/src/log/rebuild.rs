//! From the truth alone to everything derived from it: the index can be deleted at any time.
//!
//! An entry is read once and decoded once ([`Replayed`]), for the log's own keys and for whoever derives
//! more from it; [`Rebuild`] takes what was decoded in order.

use std::collections::BTreeMap;

use super::accept::number_of;
use super::record::{Recorded, record, record_held};
use super::staging::{PartPlace, Staging, read_document};
use super::tally::Tally;
use super::{
    DocumentIndex, HeldEntry, Keyspace, KeyspaceError, LogEntry, MemoryKeyspace, Write, keys,
};
use crate::batch::Entry;
use crate::document::{Subject, extension_change};
use crate::gate::{self, DecodedChange};
use crate::identity::DocumentId;

/// Entries read in one step, so that memory does not grow with the log.
const STEP: usize = 512;

/// Keys that an entry has for itself: its part, its place in a feed, its number on its chain.
const KEYS_PER_ENTRY: usize = 3;

/// Document indexes kept in memory between steps.
const DOCUMENTS_MAX: usize = 2_048;

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

/// A log entry, decoded for deriving from it. Making one needs nothing else of the log, so that it can
/// be done ahead, on another thread. It keeps no bytes of the part.
#[derive(Debug, Clone)]
pub struct Replayed {
    position: u64,
    received_at: i64,
    recorded: Recorded,
    entries: Vec<Entry>,
    /// Of the change entries, in order.
    changes: Vec<DecodedChange>,
}

impl Replayed {
    /// From an entry that was accepted at a position.
    pub fn new(position: u64, entry: LogEntry) -> Result<Self, KeyspaceError> {
        let changes = entry.part.changes().iter();
        let changes = changes
            .map(|bytes| gate::decode_kept(bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| KeyspaceError::Damaged("log entry"))?;
        Ok(Self {
            position,
            received_at: entry.received_at,
            recorded: Recorded::of(&entry.part),
            entries: entry.part.into_part().entries,
            changes,
        })
    }

    /// From a key and its value as they stand in a keyspace.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, KeyspaceError> {
        let position = number_of(key).ok_or(KeyspaceError::Damaged("log key"))?;
        let entry = LogEntry::decode(value).map_err(|_| KeyspaceError::Damaged("log entry"))?;
        Self::new(position, entry)
    }

    /// Its position in the log.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When the node received it, seconds since 1970 UTC.
    pub fn received_at(&self) -> i64 {
        self.received_at
    }

    /// What the part says, in order, with the change where it is one.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry, Option<&DecodedChange>)> {
        let said = self.numbered_entries();
        said.map(|(entry, change)| (entry, change.map(|(_, change)| change)))
    }

    /// The same, with which of the part's changes it is, from 0.
    fn numbered_entries(&self) -> impl Iterator<Item = (&Entry, Option<(u32, &DecodedChange)>)> {
        let mut changes = (0..).zip(&self.changes);
        self.entries.iter().map(move |entry| {
            let change = match entry {
                Entry::Change { .. } => changes.next(),
                Entry::Subject { .. } | Entry::Extension { .. } => None,
            };
            (entry, change)
        })
    }

    /// Adds one of its entries to the index of the entry's document, and gives that index if this is
    /// where it begins.
    fn add(
        &self,
        index: Option<&mut DocumentIndex>,
        entry: &Entry,
        change: Option<(u32, &DecodedChange)>,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        match (entry, index) {
            (Entry::Subject { subject, .. }, None) => {
                let subject =
                    Subject::decode(subject).map_err(|_| KeyspaceError::Damaged("document"))?;
                return Ok(Some(DocumentIndex::new(subject, self.recorded.partition)));
            }
            (Entry::Subject { .. }, Some(_)) => {}
            (Entry::Extension { name, .. }, Some(index)) => {
                if let Some(extension) = extension_change(index.subject(), name) {
                    index.declare(&extension);
                }
            }
            (Entry::Change { .. }, Some(index)) => {
                let (ordinal, change) = change.ok_or(KeyspaceError::Damaged("log entry"))?;
                index.insert(change, self.position, ordinal);
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
        for (entry, change) in self.numbered_entries() {
            if entry.document() == document
                && let Some(begun) = self.add(index.as_mut(), entry, change)?
            {
                *index = Some(begun);
            }
        }
        Ok(())
    }
}

/// Entries of the log from a key on, and the key to go on from; none at the end.
pub type ReplayStep = Option<(Vec<Replayed>, Vec<u8>)>;

/// The next entries of the log from a key on, at most a step of them.
pub fn replay_step(keyspace: &dyn Keyspace, from: &[u8]) -> Result<ReplayStep, KeyspaceError> {
    let found = keyspace.scan(from, &keys::after(keys::LOG), STEP)?;
    let Some((last, _)) = found.last() else {
        return Ok(None);
    };
    let next = [last.as_slice(), &[0]].concat();
    let entries = found
        .iter()
        .map(|(key, value)| Replayed::read(key, value))
        .collect::<Result<_, _>>()?;
    Ok(Some((entries, next)))
}

/// Deriving under way: the indexes of the documents that were touched last.
#[derive(Debug, Default)]
pub struct Rebuild {
    tally: Tally,
    documents: BTreeMap<DocumentId, DocumentIndex>,
}

impl Rebuild {
    /// Nothing derived yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of a document as far as the log was taken.
    pub fn document(
        &self,
        keyspace: &dyn Keyspace,
        document: DocumentId,
    ) -> Result<Option<DocumentIndex>, KeyspaceError> {
        match self.documents.get(&document) {
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
            let place = PartPlace::Accepted(replayed.position);
            record(&mut tallying, &replayed.recorded, place)?;
        }
        for replayed in entries {
            self.index(target.keyspace(), replayed)?;
        }
        self.tally.trim(&mut writes);
        if self.documents.len() > DOCUMENTS_MAX {
            flush(&mut self.documents, &mut writes);
        }
        target.write(writes)
    }

    /// Adds what an entry says to the indexes of its documents.
    fn index(&mut self, keyspace: &dyn Keyspace, replayed: &Replayed) -> Result<(), KeyspaceError> {
        for (entry, change) in replayed.numbered_entries() {
            let document = entry.document();
            if !self.documents.contains_key(&document)
                && let Some(index) = read_document(keyspace, document)?
            {
                self.documents.insert(document, index);
            }
            let index = self.documents.get_mut(&document);
            if let Some(begun) = replayed.add(index, entry, change)? {
                self.documents.insert(document, begun);
            }
        }
        Ok(())
    }

    /// Writes what is left, and derives from the held entries.
    pub fn finish(mut self, target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
        let mut writes = Vec::new();
        self.tally.write_out(&mut writes);
        flush(&mut self.documents, &mut writes);
        target.write(writes)?;
        rebuild_held(target)
    }
}

/// Derives everything from the log and the held entries, in order and in portions of bounded size.
/// The derived keys must have been removed before. Signatures and rights were judged when the
/// entries were accepted; what was accepted stays accepted.
pub fn rebuild(target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
    let mut rebuild = Rebuild::new();
    let mut from = keys::log(0);
    while let Some((entries, next)) = replay_step(target.keyspace(), &from)? {
        rebuild.take(target, &entries)?;
        from = next;
    }
    rebuild.finish(target)
}

fn flush(documents: &mut BTreeMap<DocumentId, DocumentIndex>, writes: &mut Vec<Write>) {
    for (_, mut index) in std::mem::take(documents) {
        index.flush(writes);
    }
}

fn rebuild_held(target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
    let mut from = keys::held(0);
    loop {
        let entries = target
            .keyspace()
            .scan(&from, &keys::after(keys::HELD), STEP)?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
        let mut staging = Staging::new(target.keyspace());
        for (key, value) in &entries {
            let number = number_of(key).ok_or(KeyspaceError::Damaged("held key"))?;
            let entry =
                HeldEntry::decode(value).map_err(|_| KeyspaceError::Damaged("held entry"))?;
            replay_held(&mut staging, &entry, number)?;
        }
        let writes = staging.take();
        target.write(writes)?;
    }
}

/// Later parts of the chain may have been accepted after a held one; then the tip stands.
fn replay_held(
    staging: &mut Staging<'_>,
    entry: &HeldEntry,
    number: u64,
) -> Result<(), KeyspaceError> {
    let part = &entry.part;
    let (actor, partition) = (part.actor(), part.part().partition);
    let tip = staging.chain_partition(actor, partition)?;
    let accepted = staging.part(part.id())?;
    record_held(staging, part, number, entry.reason)?;
    if let Some(place @ PartPlace::Accepted(_)) = accepted {
        // Held here once, accepted by the node since.
        staging.set_part(part.id(), place);
    }
    if part.part().number < tip.number {
        staging.set_chain_partition(actor, partition, tip);
    }
    Ok(())
}
