//! From the truth alone to everything derived from it: the index can be deleted at any time.

use std::collections::BTreeMap;

use super::accept::number_of;
use super::record::{record, record_held};
use super::staging::{PartPlace, Staging};
use super::{
    DocumentIndex, HeldEntry, Keyspace, KeyspaceError, LogEntry, MemoryKeyspace, Write, keys,
};
use crate::batch::{Entry, SignedPart};
use crate::document::{Subject, extension_change};
use crate::gate;
use crate::identity::DocumentId;

/// Entries read in one step, so that memory does not grow with the log.
const STEP: usize = 512;

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

/// Derives everything from the log and the held entries, in order and in portions of bounded size.
/// The derived keys must have been removed before. Signatures and rights were judged when the
/// entries were accepted; what was accepted stays accepted.
pub fn rebuild(target: &mut dyn RebuildTarget) -> Result<(), KeyspaceError> {
    let mut documents: BTreeMap<DocumentId, DocumentIndex> = BTreeMap::new();
    let mut from = keys::log(0);
    loop {
        let entries = target
            .keyspace()
            .scan(&from, &keys::after(keys::LOG), STEP)?;
        let Some((last, _)) = entries.last() else {
            break;
        };
        from = [last.as_slice(), &[0]].concat();
        let mut staging = Staging::new(target.keyspace());
        for (key, value) in &entries {
            let position = number_of(key).ok_or(KeyspaceError::Damaged("log key"))?;
            let entry = LogEntry::decode(value).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            record(&mut staging, &entry.part, PartPlace::Accepted(position))?;
            for document in documents_of(&entry.part) {
                let mut index = match documents.remove(&document) {
                    Some(index) => Some(index),
                    None => staging.document(document)?,
                };
                replay_into(&mut index, document, position, &entry.part);
                let index = index.ok_or(KeyspaceError::Damaged("document"))?;
                documents.insert(document, index);
            }
        }
        let mut writes = staging.take();
        if documents.len() > DOCUMENTS_MAX {
            flush(&mut documents, &mut writes);
        }
        target.write(writes)?;
    }
    let mut writes = Vec::new();
    flush(&mut documents, &mut writes);
    target.write(writes)?;
    rebuild_held(target)
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

fn documents_of(part: &SignedPart) -> Vec<DocumentId> {
    let mut documents: Vec<_> = part.part().entries.iter().map(Entry::document).collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// Adds what an accepted part says about a document to its index.
pub(super) fn replay_into(
    index: &mut Option<DocumentIndex>,
    document: DocumentId,
    position: u64,
    part: &SignedPart,
) {
    let mut ordinal = 0;
    for (entry, bytes) in part.entries() {
        let mine = entry.document() == document;
        match (entry, bytes) {
            (Entry::Subject { subject, .. }, _) if mine && index.is_none() => {
                let subject = Subject::decode(subject).ok();
                *index = subject.map(|subject| DocumentIndex::new(subject, part.part().partition));
            }
            (Entry::Subject { .. }, _) => {}
            (Entry::Extension { name, .. }, _) => {
                if let (true, Some(index)) = (mine, index.as_mut())
                    && let Some(extension) = extension_change(index.subject(), name)
                {
                    index.declare(&extension);
                }
            }
            (Entry::Change { .. }, bytes) => {
                if let (true, Some(index), Some(bytes)) = (mine, index.as_mut(), bytes)
                    && let Ok(change) = gate::decode(bytes)
                {
                    index.insert(&change, position, ordinal);
                }
                ordinal += 1;
            }
        }
    }
}
