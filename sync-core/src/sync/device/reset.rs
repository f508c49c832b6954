//! After a rollback, of the node or of this device: nothing either side held is lost.

use super::receive::{Notice, Received};
use super::repair::Mode;
use super::{Device, DeviceError, state_write};
use crate::batch::Entry;
use crate::document::extension_change;
use crate::gate::{self, DecodedChange};
use crate::identity::{DocumentId, InstallationId};
use crate::log::{HeldEntry, HeldReason, KeyspaceError, Write, keys, rebuild};

/// Changes of a chain that was abandoned, to be said again.
#[derive(Debug, Clone, Default)]
pub(super) struct Forked {
    changes: Vec<(DocumentId, DecodedChange)>,
    /// Texts that they may write in, which perhaps no other part declares.
    sections: Vec<(DocumentId, String)>,
}

impl Device {
    /// Puts every part of the log into the outbox, so that what the node turns out not to have is
    /// sent. What it has is taken out again while reading its feed.
    pub(super) fn offer_everything(&mut self, to: &mut Vec<Write>) {
        let mut parts = Vec::new();
        let mut after = 0;
        while let Ok(page) = self
            .log()
            .feed(&crate::log::Follow::All, after, None, usize::MAX)
        {
            if page.entries.is_empty() {
                break;
            }
            after = page.position;
            parts.extend(page.entries.into_iter().map(|(_, entry)| entry.part.id()));
        }
        self.offer(parts, to);
    }

    /// Moves the parts of the own chain that the node does not hold out of the log into quarantine
    /// as evidence; their changes are said again by [`Device::continue_as`].
    pub(super) fn set_aside_forked(&mut self, received: &mut Received) -> Result<(), DeviceError> {
        use crate::log::staging::PartPlace;
        let actor = self.sealer.actor();
        let mut positions = Vec::new();
        for part in self.outbox.keys() {
            if let Some(PartPlace::Accepted(position)) = self.log().part(*part)? {
                positions.push(position);
            }
        }
        positions.sort_unstable();
        let known = self.known_to_others()?.max(self.acknowledged_number()?);
        let mut forked = Forked::default();
        let mut writes = Vec::new();
        let mut number = self.log().held_end()?;
        for position in positions {
            let entry = self.log().entry(position)?;
            let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
            if entry.part.actor() != actor || entry.part.header().number <= known {
                continue;
            }
            for (about, bytes) in entry.part.entries() {
                if let Entry::Extension { document, name } = about {
                    forked.sections.push((*document, name.clone()));
                }
                if let (Entry::Change { document, .. }, Some(bytes)) = (about, bytes) {
                    let change =
                        gate::decode(bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
                    forked.changes.push((*document, change));
                }
            }
            number += 1;
            let part = entry.part;
            let (key, id) = (keys::held(number), part.id());
            let held = HeldEntry {
                received_at: entry.received_at,
                reason: HeldReason::Equivocation,
                part,
            };
            writes.push(Write {
                key,
                value: Some(held.encode()),
            });
            writes.push(Write {
                key: keys::log(position),
                value: None,
            });
            self.set_outbox(id, None, &mut received.writes);
        }
        self.take(writes, &mut received.writes);
        self.forked = forked;
        self.rebuild()
    }

    /// The last batch of the own chain that others have built on: the node holds it, whether or not
    /// it was acknowledged here.
    fn known_to_others(&self) -> Result<u64, DeviceError> {
        let (reader, actor) = (self.log(), self.sealer.actor());
        let mut known = 0;
        for document in reader.documents(None, usize::MAX)? {
            let index = reader.document(document)?;
            let index = index.ok_or(KeyspaceError::Damaged("document"))?;
            let others = index
                .changes()
                .iter()
                .filter(|change| change.actor != actor);
            let seen = others.filter_map(|change| change.clock.get(&actor)).max();
            let own = index.changes().iter();
            let last = own
                .filter(|change| change.actor == actor && Some(&change.seq) <= seen)
                .map(|change| change.position)
                .max();
            if let Some(position) = last {
                let entry = reader.entry(position)?;
                let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
                known = known.max(entry.part.header().number);
            }
        }
        Ok(known)
    }

    /// The last batch of the own chain with a part that is not in the outbox: a node holds it, and so
    /// all before it, whatever else of them is offered once more. An answer may come after everything
    /// was put into the outbox again; what it acknowledges must not lose the changes it builds on.
    fn acknowledged_number(&self) -> Result<u64, DeviceError> {
        let (reader, actor) = (self.log(), self.sealer.actor());
        for number in (1..=reader.chain(actor)?.number).rev() {
            let parts = reader.parts_of_batch(actor, number)?;
            if parts.iter().any(|part| !self.outbox.contains_key(part)) {
                return Ok(number);
            }
        }
        Ok(0)
    }

    pub(super) fn rebuild(&mut self) -> Result<(), DeviceError> {
        self.cache.clear();
        self.documents.clear();
        self.keyspace.clear_derived();
        rebuild::rebuild(&mut self.keyspace)?;
        Ok(())
    }

    /// Goes on under a new installation id and says again what only the abandoned chain had said.
    pub(super) fn continue_as(
        &mut self,
        fresh: InstallationId,
        now: i64,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        self.sealer.installation = fresh;
        self.take(vec![state_write(fresh)], &mut received.writes);
        let mode = self.peer.as_ref().map(|peer| peer.mode);
        if self.remembers_nodes() || matches!(mode, Some(Mode::Repairing(_))) {
            // What others gave may be lacking there; what is not is taken out again while its feed is read.
            self.offer_everything(&mut received.writes);
        }
        self.forget_elsewhere(&mut received.writes);
        received.notices.push(Notice::NewInstallation);
        received.again = true;
        if let Some(mut peer) = self.peer.clone() {
            // The node left out what it took for this chain's own; it is asked for now as another's.
            peer.position = 0;
            peer.mode = Mode::Reading;
            peer.left = None;
            self.give_up_extent(&mut received.writes);
            self.repair = None;
            self.set_peer(peer, &mut received.writes);
        }
        let Forked {
            changes: forked,
            sections,
        } = std::mem::take(&mut self.forked);
        let mut said_again = Vec::new();
        let mut documents: Vec<_> = forked.iter().map(|(document, _)| *document).collect();
        documents.sort_unstable();
        documents.dedup();
        for id in documents {
            let changes: Vec<_> = forked
                .iter()
                .filter(|(of, _)| *of == id)
                .map(|(_, c)| c.clone())
                .collect();
            let subject = self.forked_subject(id)?;
            let actor = self.sealer.actor();
            let document = self.load(&subject)?;
            for (_, name) in sections.iter().filter(|(of, _)| *of == id) {
                if let Some(extension) = extension_change(&subject, name) {
                    document
                        .declare(&extension)
                        .map_err(|error| DeviceError::Document {
                            document: id,
                            error,
                        })?;
                }
            }
            for change in document.reauthor(&changes, actor)? {
                said_again.push((subject.clone(), change));
            }
            received.documents.insert(id);
        }
        let sealed = self.seal_changes(said_again, now)?;
        received.writes.extend(sealed);
        Ok(())
    }

    /// The subject of a document, in the log or only in a part that was set aside.
    pub(super) fn forked_subject(
        &self,
        id: DocumentId,
    ) -> Result<crate::document::Subject, DeviceError> {
        if let Some(index) = self.log().document(id)? {
            return Ok(index.subject().clone());
        }
        for number in 1..=self.log().held_end()? {
            let Some(held) = self.log().held(number)? else {
                continue;
            };
            for entry in &held.part.part().entries {
                if let Entry::Subject { document, subject } = entry
                    && *document == id
                {
                    return crate::document::Subject::decode(subject)
                        .map_err(|_| KeyspaceError::Damaged("subject").into());
                }
            }
        }
        Err(KeyspaceError::Damaged("subject").into())
    }
}
