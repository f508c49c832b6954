//! Bundles of a device: writing what waits into one, taking in what came by one.
//!
//! A bundle is a road, not another protocol: parts are judged by the same acceptor, records by the same
//! chain, and only a receipt signed by a node takes anything out of the outbox. Nothing here depends on
//! which bundles came before, so one that comes twice, late or by another hand changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::repair::Mode;
use super::{Device, DeviceError, Notice, OutboxState, Peer};
use crate::access;
use crate::batch::{Entry, SignedPart};
use crate::bundle::{
    self, BundleError, BundleId, Contents, Cover, Destination, Issuer, Opened, Span, Written,
};
use crate::catalogue::{ApplyError, Catalogue};
use crate::codec::{Reader, Writer};
use crate::identity::{DocumentId, KeyId, PartId};
use crate::log::{Acceptor, Follow, HeldReason, Keyspace, KeyspaceError, Trust, Verdict, Write};
use crate::sync::arrival::Arrival;
use crate::sync::message::Known;
use crate::sync::proof::Verifier;

const WRITTEN: u8 = 0x24;
const READ: u8 = 0x25;

/// What a device writes into a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What some node that it knows has not acknowledged: what the area has, the province may lack.
    Waiting,
    /// Everything it holds.
    All,
}

/// How a bundle stands to those of its issuer that came before. It decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// It follows the last one.
    Next,
    /// It is the last one, once more.
    Again,
    /// A later one was here before it.
    Late,
    /// Those between two numbers have not been here.
    Skipped {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Its issuer gave one number twice: a copy of an older state of it wrote one of them.
    Forked,
}

/// What taking a bundle came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// To be made durable before anything is said of it.
    pub writes: Vec<Write>,
    /// How it stands to the issuer's others.
    pub sequence: Sequence,
    /// Catalogue records that were new.
    pub records: u64,
    /// Parts that were new.
    pub accepted: usize,
    /// Parts that were here before.
    pub known: usize,
    /// Parts of units that this device does not follow.
    pub not_followed: usize,
    /// Parts not taken: they build on what is not here yet. The bundle is to be read again after it.
    pub waiting: Vec<PartId>,
    /// Parts of the outbox that a node acknowledges.
    pub acknowledged: usize,
    /// The node holds something else under one of our numbers, or more of our chain than we do: this
    /// device is a copy of an older state and has to meet a node.
    pub own_chain_differs: bool,
    /// For the person.
    pub notices: Vec<Notice>,
    /// Documents that changed.
    pub documents: BTreeSet<DocumentId>,
}

impl Device {
    /// Writes a bundle of what waits here or of everything. The writes are to be durable before the
    /// file is given out, or two files could have one number. `now` is this device's clock, a claim.
    pub fn write_bundle(
        &mut self,
        scope: Scope,
        with_catalogue: bool,
        destination: Destination,
        now: i64,
    ) -> Result<(Written, Vec<Write>), DeviceError> {
        let records = match with_catalogue {
            true => self.all_records()?,
            false => Vec::new(),
        };
        let contents = Contents {
            records,
            parts: self.parts_in(scope)?,
            ..Contents::default()
        };
        self.issue(contents, None, destination, now)
    }

    /// Writes a bundle that brings a node's answer to somebody.
    pub fn write_answer(
        &mut self,
        contents: Contents,
        span: Span,
        destination: Destination,
        now: i64,
    ) -> Result<(Written, Vec<Write>), DeviceError> {
        self.issue(contents, Some(span), destination, now)
    }

    fn issue(
        &mut self,
        contents: Contents,
        span: Option<Span>,
        destination: Destination,
        now: i64,
    ) -> Result<(Written, Vec<Write>), DeviceError> {
        let issuer = Issuer::Device {
            key: self.sealer.key.verifying_key().to_bytes(),
            installation: self.sealer.installation,
        };
        let (number, previous) = self.last_written(&issuer)?;
        let carried = contents.records.last().and_then(|record| record.number());
        let carried = carried.unwrap_or(0);
        let cover = Cover {
            province: self.sealer.province,
            issuer,
            number: number + 1,
            previous,
            written_at: now,
            destination,
            catalogue_number: carried.max(self.catalogue.last_number()),
            own_number: self.log().chain(self.sealer.actor())?.number,
            known: self.peer.as_ref().map(|peer| Known {
                node: peer.node,
                follow: peer.follow.digest(),
                position: peer.position,
            }),
            span,
        };
        let written = bundle::write(cover, contents, &self.sealer.key)?;
        let mut to = Writer::new();
        to.raw(&issuer.place()).var(number + 1).raw(&written.id.0);
        let mut writes = Vec::new();
        let (key, value) = (vec![WRITTEN], Some(to.into_bytes()));
        self.take(vec![Write { key, value }], &mut writes);
        Ok((written, writes))
    }

    /// Number and name of the last bundle of this issuer; another installation begins anew.
    fn last_written(&self, issuer: &Issuer) -> Result<(u64, BundleId), DeviceError> {
        let Some(bytes) = self.keyspace.get(&[WRITTEN])? else {
            return Ok((0, BundleId::default()));
        };
        let damaged = |_| KeyspaceError::Damaged("bundle written");
        let mut from = Reader::new(&bytes);
        let place: [u8; 16] = from.array("issuer").map_err(damaged)?;
        let number = from.var("number").map_err(damaged)?;
        let id = BundleId(from.array("bundle").map_err(damaged)?);
        Ok(match place == issuer.place() {
            true => (number, id),
            false => (0, BundleId::default()),
        })
    }

    fn all_records(&self) -> Result<Vec<crate::catalogue::SignedRecord>, DeviceError> {
        let mut records = Vec::new();
        while (records.len() as u64) < self.catalogue.last_number() {
            let more = self.records_after(records.len() as u64)?;
            if more.is_empty() {
                return Err(KeyspaceError::Damaged("catalogue record").into());
            }
            records.extend(more);
        }
        Ok(records)
    }

    /// Parts of the log in its order: what waits, or all.
    fn parts_in(&self, scope: Scope) -> Result<Vec<SignedPart>, DeviceError> {
        let elsewhere = self.lacking_elsewhere()?;
        let everything = self.log().feed(&Follow::All, 0, None, usize::MAX)?;
        let parts = everything.entries.into_iter().map(|(_, entry)| entry.part);
        let waits = |part: &SignedPart| {
            let id = part.id();
            self.outbox.get(&id) == Some(&OutboxState::Waiting) || elsewhere.contains(&id)
        };
        Ok(match scope {
            Scope::All => parts.collect(),
            Scope::Waiting => parts.filter(waits).collect(),
        })
    }

    /// Takes what a bundle brings. `now` is this device's clock, a claim.
    pub fn take_bundle(&mut self, opened: &Opened, now: i64) -> Result<Taken, DeviceError> {
        let cover = &opened.head.cover;
        if cover.province != self.sealer.province {
            return Err(BundleError::OtherProvince(cover.province).into());
        }
        let here = match cover.destination {
            Destination::Anyone => true,
            Destination::Device(key) => key == self.sealer.key_id(),
            Destination::Node(_) => false,
        };
        if !here {
            return Err(BundleError::NotForHere(cover.destination).into());
        }
        let mut taken = Taken {
            writes: Vec::new(),
            sequence: Sequence::Next,
            records: 0,
            accepted: 0,
            known: 0,
            not_followed: 0,
            waiting: Vec::new(),
            acknowledged: 0,
            own_chain_differs: false,
            notices: Vec::new(),
            documents: BTreeSet::new(),
        };
        self.take_bundled_records(opened, &mut taken)?;
        if !self.knows(&cover.issuer) {
            return Err(BundleError::IssuerUnknown(cover.issuer.key_id()).into());
        }
        self.follow_issuer(opened, &mut taken)?;
        self.take_bundled_parts(opened, now, &mut taken)?;
        self.take_receipts(&opened.contents, &mut taken)?;
        self.advance_by(opened, now, &mut taken);
        Ok(taken)
    }

    fn take_bundled_records(
        &mut self,
        opened: &Opened,
        taken: &mut Taken,
    ) -> Result<(), DeviceError> {
        let before = self.catalogue.last_number();
        let records = &opened.contents.records;
        let first = records.first().and_then(|record| record.number());
        if first.is_some_and(|first| first > before + 1) {
            // What is between is not here.
            return Ok(());
        }
        match self.take_records_into(records, &mut taken.writes) {
            Ok(()) => {}
            Err(DeviceError::Catalogue(ApplyError::Fork(number))) => {
                taken.notices.push(Notice::CatalogueForked { number });
            }
            Err(DeviceError::Catalogue(_)) => {
                let (part, code) = (PartId([0; 32]), "record-wrong".to_owned());
                taken.notices.push(Notice::Refused { part, code });
            }
            Err(error) => return Err(error),
        }
        taken.records = self.catalogue.last_number() - before;
        Ok(())
    }

    fn knows(&self, issuer: &Issuer) -> bool {
        match issuer {
            Issuer::Device { key, .. } => self.catalogue.key(KeyId::of(key)).is_some(),
            Issuer::Node { key, .. } => self.catalogue.node_keys().any(|of| of == key),
        }
    }

    /// Sees how the bundle stands to its issuer's others, and remembers the highest.
    fn follow_issuer(&mut self, opened: &Opened, taken: &mut Taken) -> Result<(), DeviceError> {
        let cover = &opened.head.cover;
        let key = [&[READ], cover.issuer.place().as_slice()].concat();
        let (number, id) = match self.keyspace.get(&key)? {
            None => (0, BundleId::default()),
            Some(bytes) => {
                let damaged = |_| KeyspaceError::Damaged("bundle read");
                let mut from = Reader::new(&bytes);
                let number = from.var("number").map_err(damaged)?;
                (number, BundleId(from.array("bundle").map_err(damaged)?))
            }
        };
        taken.sequence = sequence((number, id), (cover.number, opened.id, cover.previous));
        if cover.number > number {
            let mut to = Writer::new();
            to.var(cover.number).raw(&opened.id.0);
            let value = Some(to.into_bytes());
            self.take(vec![Write { key, value }], &mut taken.writes);
        }
        Ok(())
    }

    fn take_bundled_parts(
        &mut self,
        opened: &Opened,
        now: i64,
        taken: &mut Taken,
    ) -> Result<(), DeviceError> {
        let mut parts = self.parts_for_here(opened, now, taken)?;
        let left_out = self.touches_left_out(parts.iter().copied())?;
        let is_left_out = |part: &&SignedPart| {
            let mut documents = part.part().entries.iter().map(Entry::document);
            documents.any(|document| left_out.contains(&document))
        };
        // They build on what is not here until the older years are asked for.
        let early: Vec<PartId> = parts
            .iter()
            .copied()
            .filter(is_left_out)
            .map(SignedPart::id)
            .collect();
        parts.retain(|part| !is_left_out(part));
        let documents = self.touched_by(parts.iter().copied())?;
        let drafts: Vec<_> = documents
            .iter()
            .copied()
            .filter(|id| self.drafts.contains_key(id))
            .collect();
        let sealed = self.seal_documents(&drafts, now)?;
        taken.writes.extend(sealed);
        let mut acceptor = Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now)?;
        // Only a node's word says that somebody judged these parts: a person's word does not.
        let trust = match opened.head.cover.issuer {
            Issuer::Node { .. } => Trust::Relayed,
            Issuer::Device { .. } => Trust::Judge,
        };
        let judge = (&mut acceptor, trust);
        let fresh = accept_all(judge, &self.catalogue, parts, taken)?;
        taken.waiting.extend(early);
        let writes = acceptor.into_writes();
        self.take(writes, &mut taken.writes);
        if opened.head.cover.span.is_none() {
            // No node is known to have them: this device carries them further.
            for part in fresh {
                let state = Some(OutboxState::Waiting);
                self.set_outbox(part, state, &mut taken.writes);
            }
        }
        for document in &documents {
            self.documents.remove(document);
        }
        taken.documents.extend(documents);
        Ok(())
    }

    /// What this device follows: as its node last said, or by its grants.
    fn followed(&self, now: i64) -> Follow {
        match &self.peer {
            Some(peer) => peer.follow.clone(),
            None => self.readable(now),
        }
    }

    fn readable(&self, now: i64) -> Follow {
        let person = self.catalogue.key(self.sealer.key_id());
        let partitions = match person {
            None => Some(BTreeSet::new()),
            Some(key) => access::readable(&self.catalogue, key.person, now),
        };
        partitions.map_or(Follow::All, Follow::These)
    }

    /// Parts of others in partitions that are followed. Own ones are here, or this device is a copy of
    /// an older state, which a node has to tell it.
    fn parts_for_here<'a>(
        &self,
        opened: &'a Opened,
        now: i64,
        taken: &mut Taken,
    ) -> Result<Vec<&'a SignedPart>, DeviceError> {
        let (follow, own) = (self.followed(now), self.sealer.actor());
        let mut parts = Vec::new();
        for part in &opened.contents.parts {
            if part.actor() == own {
                let here = self.log().part(part.id())?.is_some();
                taken.known += usize::from(here);
                taken.own_chain_differs |= !here;
            } else if follow.contains(part.part().partition) {
                parts.push(part);
            } else {
                taken.not_followed += 1;
            }
        }
        Ok(parts)
    }

    /// Takes out of the outbox what a node says it holds of the own chain.
    fn take_receipts(&mut self, contents: &Contents, taken: &mut Taken) -> Result<(), DeviceError> {
        let own = self.sealer.actor();
        let mut reached = 0;
        for receipt in contents.receipts.iter().filter(|of| of.actor == own) {
            if !receipt.is_signed_by(self.catalogue.node_keys()) {
                let (part, code) = (PartId([0; 32]), "receipt-not-signed".to_owned());
                taken.notices.push(Notice::Refused { part, code });
            } else if self.log().batch(own, receipt.number)? == Some(receipt.batch) {
                reached = reached.max(receipt.number);
            } else {
                taken.own_chain_differs = true;
            }
        }
        let held: BTreeMap<PartId, HeldReason> = contents.held.iter().copied().collect();
        let waiting: Vec<PartId> = self
            .outbox
            .iter()
            .filter(|(_, state)| **state == OutboxState::Waiting)
            .map(|(part, _)| *part)
            .collect();
        for part in waiting {
            let Some(signed) = self.part(part)? else {
                continue;
            };
            if signed.actor() != own || signed.header().number > reached {
                continue;
            }
            taken.acknowledged += 1;
            let state = held.get(&part).map(|reason| OutboxState::Held(*reason));
            if let Some(reason) = held.get(&part).copied() {
                taken.notices.push(Notice::Held { part, reason });
            }
            self.set_outbox(part, state, &mut taken.writes);
        }
        Ok(())
    }

    /// Moves the position over the stretch of a node's feed that the bundle is. Whoever wrote it may
    /// have left something out: the fingerprint of the next exchange shows that, and it is repaired.
    fn advance_by(&mut self, opened: &Opened, now: i64, taken: &mut Taken) {
        let Some(span) = &opened.head.cover.span else {
            return;
        };
        let left_out = |notice: &Notice| matches!(notice, Notice::EntryNotTaken { .. });
        let all_taken = taken.waiting.is_empty() && !taken.notices.iter().any(left_out);
        if !opened.is_whole() || !all_taken || taken.own_chain_differs {
            return;
        }
        let peer = match &self.peer {
            Some(peer) => peer.clone(),
            None if span.after == 0 && span.follow == self.readable(now) => Peer {
                node: span.node,
                follow: span.follow.clone(),
                position: 0,
                mode: Mode::Following,
                resets: 0,
                arrival: Arrival::default(),
                left: None,
            },
            None => return,
        };
        let follows =
            peer.node == span.node && peer.follow == span.follow && peer.mode == Mode::Following;
        if follows && span.after <= peer.position && peer.position < span.through {
            let position = span.through;
            self.set_peer(Peer { position, ..peer }, &mut taken.writes);
        }
    }
}

/// Judges parts in order, and those that came too early once more after the others, as long as that
/// helps. Hands back which were new.
fn accept_all(
    (acceptor, trust): (&mut Acceptor<'_>, Trust),
    catalogue: &Catalogue,
    parts: Vec<&SignedPart>,
    taken: &mut Taken,
) -> Result<Vec<PartId>, DeviceError> {
    let (mut fresh, mut left) = (Vec::new(), parts);
    let mut verifier = Verifier::new(catalogue);
    loop {
        let (count, mut early) = (left.len(), Vec::new());
        for signed in left {
            let verdict = match verifier.verify(signed.clone()) {
                Ok(part) => acceptor.accept(&part, trust)?,
                Err(code) => Verdict::Refused { code },
            };
            let code = match verdict {
                Verdict::Accepted { .. } => {
                    fresh.push(signed.id());
                    continue;
                }
                Verdict::Duplicate { .. } => {
                    taken.known += 1;
                    continue;
                }
                Verdict::Gap { .. } | Verdict::Waiting => {
                    early.push(signed);
                    continue;
                }
                Verdict::Held { reason, .. } => reason.code(),
                Verdict::Refused { code } => code,
            };
            let (part, code) = (signed.id(), code.to_owned());
            taken.notices.push(Notice::EntryNotTaken { part, code });
        }
        left = early;
        if left.is_empty() || left.len() == count {
            break;
        }
    }
    taken.waiting = left.iter().map(|part| part.id()).collect();
    taken.accepted = fresh.len();
    Ok(fresh)
}

/// How a bundle stands to the highest one that was read of its issuer.
fn sequence(
    (known, known_id): (u64, BundleId),
    (number, id, previous): (u64, BundleId, BundleId),
) -> Sequence {
    if number == known {
        return match id == known_id {
            true => Sequence::Again,
            false => Sequence::Forked,
        };
    }
    if number < known {
        return Sequence::Late;
    }
    match known + 1 == number {
        true if previous == known_id => Sequence::Next,
        true => Sequence::Forked,
        false => Sequence::Skipped {
            first: known + 1,
            last: number - 1,
        },
    }
}
