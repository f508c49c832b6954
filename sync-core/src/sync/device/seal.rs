//! Sealing: drafts become changes, changes become one signed batch in the log and the outbox.

use std::collections::BTreeMap;

use super::budget::Rank;
use super::{Device, DeviceError, OutboxState};
use crate::batch::{self, Entry, NewPart, Partition, SignedPart};
use crate::document::{Edit, Entry as Entered, NewChange, Subject, WriteError};
use crate::identity::DocumentId;
use crate::limits;
use crate::log::{Acceptor, KeyspaceError, Trust, Verdict, Write};

impl Device {
    /// Seals every draft. `now` is this device's clock: a claim. What is more than one request brings is
    /// sealed in the order in which it matters.
    pub fn seal(&mut self, now: i64) -> Result<Vec<Write>, DeviceError> {
        let bytes: usize = self.drafts.values().map(|draft| draft.encode().len()).sum();
        let mut writes = Vec::new();
        if bytes > limits::REQUEST_PART_BYTES_MAX {
            writes = self.seal_first(now)?;
        }
        let documents: Vec<_> = self.drafts.keys().copied().collect();
        writes.extend(self.seal_documents(&documents, now)?);
        Ok(writes)
    }

    /// Seals of every draft what goes first; its texts stay.
    pub(super) fn seal_first(&mut self, now: i64) -> Result<Vec<Write>, DeviceError> {
        let matters = |edit: &Edit| {
            Rank::of(edit) == Rank::First && !matches!(edit.entry, Entered::TemplateVersion(_))
        };
        let drafts = self.drafts.iter();
        let documents: Vec<_> = drafts
            .filter(|(_, draft)| draft.edits.iter().any(matters))
            .map(|(document, _)| *document)
            .collect();
        self.seal_edits(&documents, now, |edit| Rank::of(edit) == Rank::First)
    }

    /// Seals the drafts of some documents, as one batch or as few as the limits allow.
    pub(super) fn seal_documents(
        &mut self,
        documents: &[DocumentId],
        now: i64,
    ) -> Result<Vec<Write>, DeviceError> {
        self.seal_edits(documents, now, |_| true)
    }

    /// Seals those edits of the drafts of some documents that `goes` says; the others stay drafts.
    fn seal_edits(
        &mut self,
        documents: &[DocumentId],
        now: i64,
        goes: impl Fn(&Edit) -> bool,
    ) -> Result<Vec<Write>, DeviceError> {
        let mut writes = Vec::new();
        for portion in documents.chunks(limits::PARTS_PER_BATCH_MAX) {
            let mut changes = Vec::new();
            for document in portion {
                let Some(draft) = self.drafts.get(document).cloned() else {
                    continue;
                };
                let actor = self.sealer.actor();
                let edits: Vec<Edit> = draft.edits.into_iter().filter(&goes).collect();
                match self.load(&draft.subject)?.write(actor, &edits) {
                    Ok(change) => changes.push((draft.subject, change)),
                    Err(WriteError::Nothing) => {}
                    Err(error) => {
                        // The document in memory may hold what will not be sealed.
                        self.documents.clear();
                        return Err(error.into());
                    }
                }
            }
            writes.extend(self.seal_changes(changes, now)?);
            for document in portion {
                if let Some(mut draft) = self.drafts.get(document).cloned() {
                    draft.edits.retain(|edit| !goes(edit));
                    let rest = (!draft.edits.is_empty()).then_some(draft);
                    self.set_draft(*document, rest, &mut writes);
                }
            }
        }
        Ok(writes)
    }

    /// Seals changes that the documents in memory already hold.
    pub(super) fn seal_changes(
        &mut self,
        changes: Vec<(Subject, NewChange)>,
        now: i64,
    ) -> Result<Vec<Write>, DeviceError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let parts = self.new_parts(changes)?;
        let tip = self.log().chain(self.sealer.actor())?;
        let signed = batch::seal(&self.sealer, tip, now, parts)?;
        let mut writes = Vec::new();
        self.append_own(&signed, now, &mut writes)?;
        Ok(writes)
    }

    fn new_parts(
        &mut self,
        changes: Vec<(Subject, NewChange)>,
    ) -> Result<Vec<NewPart>, DeviceError> {
        let actor = self.sealer.actor();
        let mut parts: BTreeMap<Partition, NewPart> = BTreeMap::new();
        let mut introduced = Vec::new();
        for (subject, change) in changes {
            let document = subject.document_id();
            let partition = Partition {
                unit: subject.unit,
                compartment: subject.kind.compartment(),
            };
            let tip = self.log().chain_partition(actor, partition)?;
            let index = self.log().document(document)?;
            let is_known = introduced.contains(&document)
                || index.is_some_and(|index| index.changes().iter().any(|c| c.actor == actor));
            let empty = NewPart {
                partition,
                tip,
                entries: Vec::new(),
                changes: Vec::new(),
            };
            let part = parts.entry(partition).or_insert(empty);
            if !is_known {
                part.entries.push(Entry::Subject {
                    document,
                    subject: subject.encode(),
                });
                introduced.push(document);
            }
            for name in change.sections {
                part.entries.push(Entry::Extension { document, name });
            }
            part.entries.push(Entry::Change {
                document,
                hash: change.hash,
            });
            part.changes.push(change.bytes);
        }
        Ok(parts.into_values().collect())
    }

    fn append_own(
        &mut self,
        signed: &[SignedPart],
        now: i64,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        let mut acceptor = Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now)?;
        for part in signed {
            let verified = part
                .clone()
                .verify(self.sealer.key.verifying_key().as_bytes())
                .map_err(|error| DeviceError::OwnPart(error.to_string()))?;
            match acceptor.accept(&verified, Trust::Relayed)? {
                Verdict::Accepted { .. } => {}
                other @ (Verdict::Duplicate { .. }
                | Verdict::Held { .. }
                | Verdict::Gap { .. }
                | Verdict::Waiting
                | Verdict::Refused { .. }) => {
                    drop(acceptor);
                    self.cache.clear();
                    self.documents.clear();
                    return Err(DeviceError::OwnPart(format!("{other:?}")));
                }
            }
        }
        let writes = acceptor.into_writes();
        self.take(writes, to);
        for part in signed {
            self.set_outbox(part.id(), Some(OutboxState::Waiting), to);
        }
        if signed.is_empty() {
            Err(KeyspaceError::Damaged("batch").into())
        } else {
            Ok(())
        }
    }
}
