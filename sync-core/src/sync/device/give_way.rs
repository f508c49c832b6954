//! Giving way: the node has accepted another branch of a chain than this device holds.
//!
//! A device key was copied back, and each of its branches reached somebody before they spoke
//! ([`crate::log::aside`]). The word of the node that answers counts: the other branch and what builds on
//! it is moved from the log into what is held, and the node's is taken. Whoever typed what was set aside says
//! it again, each device what its own key signed, under a new installation: numbers and sequences of the
//! old one name what is held now. It is said when the device has everything the node has, so that what came
//! back by itself is not said twice; what a part said again is kept with it, so that a second time
//! begins from the first words and not from their echo.

use std::collections::{BTreeMap, BTreeSet};

use super::receive::{Notice, Received};
use super::{Device, DeviceError, OutboxState, state_write};
use crate::batch::{Entry, SignedPart};
use crate::codec::{DecodeError, Reader, Writer};
use crate::document::extension_change;
use crate::gate::{self, DecodedChange};
use crate::identity::{ChangeHash, DocumentId, InstallationId, KeyId, PartId};
use crate::limits;
use crate::log::aside::is_fork;
use crate::log::staging::PartPlace;
use crate::log::{Keyspace, KeyspaceError, Losing, Write, keys};

/// What is still to be said again.
const OWED: u8 = 0x2c;
/// What a part said again.
const SAID: u8 = 0x2d;

/// A document in a held part.
type Origin = (u64, DocumentId);

fn owed_key((number, document): Origin) -> Vec<u8> {
    let mut to = Writer::new();
    to.u8(OWED).u64_be(number).raw(&document.0);
    to.into_bytes()
}

fn owe(origin: Origin) -> Write {
    Write {
        key: owed_key(origin),
        value: Some(Vec::new()),
    }
}

fn documents_of(part: &SignedPart) -> BTreeSet<DocumentId> {
    part.part().entries.iter().map(Entry::document).collect()
}

fn said_key(part: PartId) -> Vec<u8> {
    [&[SAID], part.0.as_slice()].concat()
}

fn origin_of(key: &[u8]) -> Result<Origin, KeyspaceError> {
    let read = |key: &[u8]| -> Result<Origin, DecodeError> {
        let mut from = Reader::new(key);
        from.u8("kind")?;
        let number = u64::from_be_bytes(from.array("held number")?);
        let document = DocumentId(from.array("document")?);
        from.end("owed")?;
        Ok((number, document))
    };
    read(key).map_err(|_| KeyspaceError::Damaged("owed"))
}

fn read_origins(bytes: &[u8]) -> Result<Vec<Origin>, KeyspaceError> {
    let read = |bytes: &[u8]| -> Result<Vec<Origin>, DecodeError> {
        let mut from = Reader::new(bytes);
        let count = from.count(bytes.len(), "origins")?;
        let origins = (0..count)
            .map(|_| {
                Ok((
                    from.var("held number")?,
                    DocumentId(from.array("document")?),
                ))
            })
            .collect::<Result<_, DecodeError>>()?;
        from.end("said again")?;
        Ok(origins)
    };
    read(bytes).map_err(|_| KeyspaceError::Damaged("said again"))
}

impl Device {
    /// Takes the node's word where it contradicts this log: `standing` came with its feed and is held
    /// here, and it said of parts in the outbox that another branch stands.
    pub(super) fn give_way(
        &mut self,
        standing: &[SignedPart],
        now: i64,
        fresh: InstallationId,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        if self.losing(standing)?.set_aside(&self.keyspace)?.is_empty() {
            return Ok(());
        }
        // What was typed on what goes now is work on it, and goes and comes back with it.
        received.writes.extend(self.seal(now)?);
        let aside = self.losing(standing)?.set_aside(&self.keyspace)?;
        let mut owed = BTreeSet::new();
        for (number, part) in &aside.parts {
            owed.extend(self.owed_by(*number, part)?);
            received.documents.extend(documents_of(part));
            // What no node has is sent all the same: later parts of its chain come after it.
            if let Some(OutboxState::Held(_)) = self.outbox.get(&part.id()) {
                self.set_outbox(part.id(), None, &mut received.writes);
            }
        }
        let mut writes = aside.writes;
        writes.extend(owed.iter().copied().map(owe));
        if !owed.is_empty() {
            self.sealer.installation = fresh;
            writes.push(state_write(fresh));
            received.notices.push(Notice::NewInstallation);
        }
        self.take(writes, &mut received.writes);
        self.rebuild()?;
        self.forget_elsewhere(&mut received.writes);
        // All of them are asked for once more.
        let is_asked_again = |notice: &Notice| matches!(notice, Notice::EntryNotTaken { .. });
        received.notices.retain(|notice| !is_asked_again(notice));
        if let Some(peer) = self.peer.clone() {
            self.begin_repair(peer, fresh, &mut received.writes)?;
        }
        received.again = true;
        Ok(())
    }

    /// A node cannot take these parts yet: of what was set aside here, and another node has by now, it is
    /// offered what they build on and what comes before them in their chains, each once while it answers.
    /// True if there is such.
    pub(super) fn offer_past(
        &mut self,
        lacks: &[PartId],
        in_flight: &[PartId],
        to: &mut Vec<Write>,
    ) -> Result<bool, DeviceError> {
        let (mut chains, mut deps, mut previous) =
            (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for part in lacks {
            let Some(part) = self.part(*part)? else {
                continue;
            };
            let before = chains.entry(part.actor()).or_insert(0);
            *before = part.header().number.max(*before);
            previous.extend([part.header().previous.0, part.part().previous]);
            for (entry, bytes) in part.entries() {
                if let (Entry::Change { document, .. }, Some(bytes)) = (entry, bytes) {
                    let change = gate::decode_kept(bytes);
                    let change = change.map_err(|_| KeyspaceError::Damaged("part"))?;
                    deps.extend(change.content.deps.iter().map(|dep| (*document, *dep)));
                }
            }
        }
        let mut past = Vec::new();
        for number in (1..=self.log().held_end()?).take_while(|_| !lacks.is_empty()) {
            let Some(held) = self.log().held(number)? else {
                continue;
            };
            let (part, id) = (&held.part, held.part.id());
            let is_before = chains
                .get(&part.actor())
                .is_some_and(|last| part.header().number < *last);
            let is_previous =
                previous.contains(&part.batch_id().0) || previous.contains(&part.part_hash());
            let is_dep = part.part().entries.iter().any(|entry| match entry {
                Entry::Change { document, hash } => deps.contains(&(*document, *hash)),
                Entry::Subject { .. } | Entry::Extension { .. } => false,
            });
            if (is_before && !is_fork(held.reason) || is_previous || is_dep)
                && !self.stands(id)?
                && !in_flight.contains(&id)
                && self.gave_past.insert(id)
            {
                past.push(id);
            }
        }
        let offers = !past.is_empty();
        self.offer(past, to);
        Ok(offers)
    }

    /// Notes what is to be said again of parts that came and are held here: they may never come into this
    /// log, since the next node's word may be another.
    pub(super) fn owe_held(
        &mut self,
        held: &[(u64, SignedPart)],
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        let mut owed = Vec::new();
        for (number, part) in held {
            owed.extend(self.owed_by(*number, part)?);
        }
        self.take(owed.into_iter().map(owe).collect(), to);
        Ok(())
    }

    /// What is to be said again of a part that is held: nothing of another key's; if it said something
    /// again itself, that.
    fn owed_by(&self, number: u64, part: &SignedPart) -> Result<Vec<Origin>, DeviceError> {
        if part.header().key != KeyId::of(self.sealer.key.verifying_key().as_bytes()) {
            return Ok(Vec::new());
        }
        Ok(match self.keyspace.get(&said_key(part.id()))? {
            Some(origins) => read_origins(&origins)?,
            None => {
                let documents = documents_of(part).into_iter();
                documents.map(|document| (number, document)).collect()
            }
        })
    }

    fn losing(&self, standing: &[SignedPart]) -> Result<Losing, DeviceError> {
        let mut losing = Losing::default();
        for part in standing {
            losing.to_standing(self.log(), part)?;
        }
        for (part, state) in &self.outbox {
            if let OutboxState::Held(reason) = state
                && is_fork(*reason)
            {
                losing.is_held_above(self.log(), *part)?;
            }
        }
        Ok(losing)
    }

    /// Says again what was set aside, once this device has everything that the node has.
    pub(super) fn say_owed(
        &mut self,
        now: i64,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let owed = self.owed()?;
        if owed.is_empty() {
            return Ok(());
        }
        let mut by_document: BTreeMap<DocumentId, Vec<SignedPart>> = BTreeMap::new();
        let mut origins: BTreeMap<DocumentId, Vec<Origin>> = BTreeMap::new();
        let mut done = Vec::new();
        let standing = self.said()?;
        for origin in owed {
            let (number, document) = origin;
            done.push(Write {
                key: owed_key(origin),
                value: None,
            });
            let Some(held) = self.log().held(number)? else {
                continue;
            };
            if self.stands(held.part.id())? || standing.contains(&origin) {
                // It came back by itself, or what said it again did.
                continue;
            }
            by_document.entry(document).or_default().push(held.part);
            origins.entry(document).or_default().push(origin);
        }
        let documents: Vec<DocumentId> = by_document.keys().copied().collect();
        let drafts: Vec<DocumentId> = documents
            .iter()
            .copied()
            .filter(|document| self.drafts.contains_key(document))
            .collect();
        received.writes.extend(self.seal_documents(&drafts, now)?);
        for portion in documents.chunks(limits::PARTS_PER_BATCH_MAX) {
            let mut said = Vec::new();
            for document in portion {
                let parts = by_document.remove(document).unwrap_or_default();
                said.extend(self.say_parts(*document, &parts)?);
            }
            let before: BTreeSet<PartId> = self.outbox.keys().copied().collect();
            received.writes.extend(self.seal_changes(said, now)?);
            let new: Vec<PartId> = self.outbox.keys().copied().collect();
            for part in new.into_iter().filter(|part| !before.contains(part)) {
                done.extend(self.note_said(part, &origins)?);
            }
        }
        self.take(done, &mut received.writes);
        received.documents.extend(documents);
        received.again = true;
        Ok(())
    }

    fn owed(&self) -> Result<Vec<Origin>, DeviceError> {
        let found = self
            .keyspace
            .scan(&[OWED], &keys::after(OWED), usize::MAX)?;
        let origins = found.iter().map(|(key, _)| origin_of(key));
        Ok(origins.collect::<Result<_, _>>()?)
    }

    /// The changes of a document that are held here and do not stand.
    fn lost(&self, id: DocumentId) -> Result<BTreeMap<ChangeHash, DecodedChange>, DeviceError> {
        let mut lost = BTreeMap::new();
        for number in 1..=self.log().held_end()? {
            let Some(held) = self.log().held(number)? else {
                continue;
            };
            if self.stands(held.part.id())? {
                continue;
            }
            for (entry, bytes) in held.part.entries() {
                if let (Entry::Change { document, hash }, Some(bytes)) = (entry, bytes)
                    && *document == id
                    && let Ok(change) = gate::decode_kept(bytes)
                {
                    lost.insert(*hash, change);
                }
            }
        }
        Ok(lost)
    }

    fn stands(&self, part: PartId) -> Result<bool, DeviceError> {
        let place = self.log().part(part)?;
        Ok(matches!(place, Some(PartPlace::Accepted(_))))
    }

    /// What was said again by parts that stand.
    fn said(&self) -> Result<BTreeSet<Origin>, DeviceError> {
        let mut said = BTreeSet::new();
        for (key, origins) in self
            .keyspace
            .scan(&[SAID], &keys::after(SAID), usize::MAX)?
        {
            let part = key.get(1..).and_then(|id| id.try_into().ok()).map(PartId);
            let part = part.ok_or(KeyspaceError::Damaged("said again"))?;
            if self.stands(part)? {
                said.extend(read_origins(&origins)?);
            }
        }
        Ok(said)
    }

    /// What remembers what a new part says again.
    fn note_said(
        &self,
        part: PartId,
        origins: &BTreeMap<DocumentId, Vec<Origin>>,
    ) -> Result<Option<Write>, DeviceError> {
        let Some(signed) = self.part(part)? else {
            return Ok(None);
        };
        let documents = documents_of(&signed);
        let of = documents.iter().filter_map(|of| origins.get(of)).flatten();
        let of: Vec<Origin> = of.copied().collect();
        let mut to = Writer::new();
        to.var(of.len() as u64);
        for (number, document) in of {
            to.var(number).raw(&document.0);
        }
        Ok(Some(Write {
            key: said_key(part),
            value: Some(to.into_bytes()),
        }))
    }

    /// Says again what parts say about one document.
    fn say_parts(
        &mut self,
        id: DocumentId,
        parts: &[SignedPart],
    ) -> Result<Vec<(crate::document::Subject, crate::document::NewChange)>, DeviceError> {
        let subject = self.forked_subject(id)?;
        let actor = self.sealer.actor();
        let mut changes: Vec<DecodedChange> = Vec::new();
        let mut sections = BTreeSet::new();
        for (entry, bytes) in parts.iter().flat_map(SignedPart::entries) {
            match (entry, bytes) {
                (Entry::Extension { document, name }, _) if *document == id => {
                    sections.insert(name.clone());
                }
                (Entry::Change { document, .. }, Some(bytes)) if *document == id => {
                    let change = gate::decode_kept(bytes);
                    changes.push(change.map_err(|_| KeyspaceError::Damaged("held entry"))?);
                }
                (_, _) => {}
            }
        }
        let lost = self.lost(id)?;
        let document = self.load(&subject)?;
        for name in sections {
            if let Some(extension) = extension_change(&subject, &name) {
                let declared = document.declare(&extension);
                declared.map_err(|error| DeviceError::Document {
                    document: id,
                    error,
                })?;
            }
        }
        let said = document.say_again(&changes, &lost, actor)?;
        Ok(said
            .into_iter()
            .map(|change| (subject.clone(), change))
            .collect())
    }
}
