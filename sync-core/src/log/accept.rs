//! Judging parts one after the other, and what is to be written so that they are accepted.
//!
//! The order of questions: seen before? the next of its chain? whose key, and still theirs? subjects
//! and extensions; every change through the gate; rights on what the changes touch. A part whose
//! signature holds is never thrown away: it is accepted, or *held* with a reason, or it *waits*
//! outside (not acknowledged) for what must come before it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::document_index::IndexHistory;
use super::rebuild::Replayed;
use super::record::{Recorded, record, record_held};
use super::staging::{ChainEnd, PartPlace, Staging};
use super::{
    DocumentIndex, HeldEntry, HeldReason, Keyspace, KeyspaceError, Lane, LogEntry, Write, keys,
};
use crate::access;
use crate::batch::{ChainTip, Entry, SignedPart, VerifiedPart};
use crate::catalogue::Catalogue;
use crate::document::{Subject, extension_change};
use crate::gate::{self, DecodedChange, Judgement, Key, OpId, Refusal, Touch};
use crate::identity::{ActorId, ChangeHash, DocumentId, PartId};
use crate::limits;

/// Whether rights are judged here, or were judged by the node that relayed the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Judge rights by the catalogue held here.
    Judge,
    /// The part comes from a node over an authenticated link, which judged rights when it accepted
    /// it; a lease may have ended since. Everything else is judged all the same.
    Relayed,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted at this position, durable once the writes are committed.
    Accepted {
        /// Its position in this node's log, from 1.
        position: u64,
    },
    /// Accepted before.
    Duplicate {
        /// Its position.
        position: u64,
    },
    /// Kept, not applied; durable once the writes are committed.
    Held {
        /// Its held number.
        number: u64,
        /// Why.
        reason: HeldReason,
    },
    /// Not kept: an earlier part of this chain in this partition is missing. Send from there.
    Gap {
        /// The part number that comes next here.
        expected: u64,
    },
    /// Not kept: it builds on changes that are not here yet. Send again after them.
    Waiting,
    /// Not kept: the province is another one, or the chain has too many held parts.
    Refused {
        /// A stable code.
        code: &'static str,
    },
}

/// What acceptors keep in memory between parts: document indexes, decoded changes and the ends of
/// chains, bounded.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    documents: BTreeMap<DocumentId, DocumentIndex>,
    decoded: BTreeMap<DocumentId, BTreeMap<ChangeHash, DecodedChange>>,
    ends: BTreeMap<ActorId, ChainEnd>,
    weight: usize,
}

impl Cache {
    /// Forgets everything; needed after a commit that failed, as it holds what was staged.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn trim(&mut self) {
        if self.weight.saturating_add(self.ends.len()) > limits::ACCEPT_CACHE_OPERATIONS_MAX {
            self.clear();
        }
    }
}

/// Judges parts against a keyspace and collects the writes.
#[derive(Debug)]
pub struct Acceptor<'a> {
    staging: Staging<'a>,
    catalogue: &'a Catalogue,
    cache: &'a mut Cache,
    now: i64,
    next_position: u64,
    next_held: u64,
    /// Documents that accepted parts of this group are about, with the positions of those parts.
    touched: BTreeMap<DocumentId, Vec<u64>>,
    accepted: Vec<(u64, PartId)>,
}

enum Outcome {
    /// Everything passed; this is what the changes touch.
    Good(Vec<Touch>),
    Held(HeldReason),
    Waiting,
}

impl<'a> Acceptor<'a> {
    /// An acceptor over what is committed. `now` is this node's clock, seconds since 1970 UTC.
    pub fn new(
        below: &'a dyn Keyspace,
        catalogue: &'a Catalogue,
        cache: &'a mut Cache,
        now: i64,
    ) -> Result<Self, KeyspaceError> {
        let next_position = last_number(below, keys::LOG)? + 1;
        let next_held = last_number(below, keys::HELD)? + 1;
        cache.trim();
        let staging = Staging::knowing(below, std::mem::take(&mut cache.ends));
        let (touched, accepted) = (BTreeMap::new(), Vec::new());
        Ok(Self {
            staging,
            catalogue,
            cache,
            now,
            next_position,
            next_held,
            touched,
            accepted,
        })
    }

    /// Judges one part.
    pub fn accept(&mut self, part: &VerifiedPart, trust: Trust) -> Result<Verdict, KeyspaceError> {
        let header = part.header();
        if self
            .catalogue
            .province()
            .is_none_or(|province| province.id != header.province)
        {
            return Ok(Verdict::Refused {
                code: "other-province",
            });
        }
        let end = self.staging.chain_end(part.actor())?;
        let place = if header.number > end.number && end.held == 0 {
            // What was accepted is kept under its number, too.
            None
        } else {
            self.staging.part(part.id())?
        };
        match place {
            Some(PartPlace::Accepted(position)) => return Ok(Verdict::Duplicate { position }),
            Some(PartPlace::Held(number)) if trust == Trust::Judge => {
                return self.held_again(number);
            }
            // What a node has accepted is no longer for this device to hold.
            Some(PartPlace::Held(_)) | None => {}
        }
        if let Some(verdict) = self.chain_verdict(part, trust)? {
            return Ok(verdict);
        }
        if trust == Trust::Judge && self.is_past_the_end_of_its_key(part) {
            return self.hold(part, HeldReason::KeyEnded);
        }
        match self.judge_entries(part)? {
            Outcome::Waiting => {
                self.forget(part)?;
                Ok(Verdict::Waiting)
            }
            Outcome::Held(reason) => {
                self.forget(part)?;
                self.hold(part, reason)
            }
            Outcome::Good(touches) => {
                if !access::belong(part.part().partition.compartment, &touches) {
                    self.forget(part)?;
                    return self.hold(part, HeldReason::LocalRow);
                }
                if trust == Trust::Judge && !self.is_allowed(part, &touches) {
                    self.forget(part)?;
                    return self.hold(part, HeldReason::NotAllowed);
                }
                self.append(part)
            }
        }
    }

    fn held_again(&self, number: u64) -> Result<Verdict, KeyspaceError> {
        let reason = self.staging.held_entry(number)?.reason;
        Ok(Verdict::Held { number, reason })
    }

    /// Whether the part is the next of its chain, and the only one of its number.
    fn chain_verdict(
        &mut self,
        part: &VerifiedPart,
        trust: Trust,
    ) -> Result<Option<Verdict>, KeyspaceError> {
        let (header, actor) = (part.header(), part.actor());
        let same_number = self.staging.number(actor, header.number)?;
        if same_number.is_some_and(|known| known.batch != part.batch_id()) {
            return self.hold(part, HeldReason::Equivocation).map(Some);
        }
        if header.number > 1 {
            let is_fork = match self.staging.number(actor, header.number - 1)? {
                Some(known) => known.batch != header.previous,
                // A branch goes on with what it was when its first batch came.
                None if trust == Trust::Judge => {
                    self.staging.is_evidence(actor, &header.previous.0)?
                }
                None => false,
            };
            if is_fork {
                return self.hold(part, HeldReason::Equivocation).map(Some);
            }
        }
        if header.number < self.staging.chain_end(actor)?.number
            && let Some(next) = self.staging.number(actor, header.number + 1)?
            && let Some(next) = self.staging.previous_of(next)?
            && next != part.batch_id()
        {
            return self.hold(part, HeldReason::Equivocation).map(Some);
        }
        if trust == Trust::Relayed {
            // The node has every part of the chain there, but it keeps to itself what it holds.
            return Ok(None);
        }
        let tip = self.staging.chain_partition(actor, part.part().partition)?;
        let (number, previous) = (part.part().number, part.part().previous);
        let expected = tip.number + 1;
        let is_fork = match number.cmp(&expected) {
            Ordering::Less => true,
            Ordering::Equal => previous != tip.hash,
            // What is between them in other partitions may have come to nobody here.
            Ordering::Greater if self.staging.is_evidence(actor, &previous)? => true,
            Ordering::Greater => return Ok(Some(Verdict::Gap { expected })),
        };
        match is_fork {
            true => self.hold(part, HeldReason::Equivocation).map(Some),
            false => Ok(None),
        }
    }

    fn is_past_the_end_of_its_key(&self, part: &SignedPart) -> bool {
        let header = part.header();
        match self.catalogue.key(header.key) {
            None => true,
            Some(key) => key.ended.as_ref().is_some_and(|accepted| {
                accepted
                    .get(&header.installation)
                    .is_none_or(|last| header.number > *last)
            }),
        }
    }

    /// A part that touches nothing only makes documents appear; no role may do just that.
    fn is_allowed(&self, part: &SignedPart, touches: &[Touch]) -> bool {
        if touches.is_empty() {
            return false;
        }
        let partition = part.part().partition;
        self.catalogue.key(part.header().key).is_some_and(|key| {
            let person = key.person;
            access::first_refused(self.catalogue, person, partition, touches, self.now).is_none()
        })
    }

    fn judge_entries(&mut self, part: &VerifiedPart) -> Result<Outcome, KeyspaceError> {
        let mut touches = Vec::new();
        let mut ordinal = 0;
        let position = self.next_position;
        for (entry, bytes) in part.entries() {
            let document = entry.document();
            let outcome = match (entry, bytes) {
                (Entry::Subject { subject, .. }, _) => {
                    self.judge_subject(part, document, subject)?
                }
                (Entry::Extension { name, .. }, _) => self.judge_extension(part, document, name)?,
                (Entry::Change { hash, .. }, Some(bytes)) => {
                    let place = (position, ordinal);
                    ordinal += 1;
                    self.judge_change(part, document, *hash, bytes, place, &mut touches)?
                }
                (Entry::Change { .. }, None) => Some(Outcome::Held(HeldReason::Gate)),
            };
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Good(touches))
    }

    fn judge_subject(
        &mut self,
        part: &SignedPart,
        document: DocumentId,
        subject: &[u8],
    ) -> Result<Option<Outcome>, KeyspaceError> {
        let partition = part.part().partition;
        let Ok(subject) = Subject::decode(subject) else {
            return Ok(Some(Outcome::Held(HeldReason::Subject)));
        };
        let compartment = subject.kind.compartment();
        let belongs = subject.unit == partition.unit && compartment == partition.compartment;
        // A document introduced elsewhere would shut out everybody who introduces it where it belongs.
        if subject.document_id() != document || !belongs {
            return Ok(Some(Outcome::Held(HeldReason::Subject)));
        }
        if self.catalogue.newest_template(&subject.template).is_none() {
            return Ok(Some(Outcome::Held(HeldReason::UnknownTemplate)));
        }
        if self.load(document)?.is_none() {
            let index = DocumentIndex::new(subject, partition);
            self.cache.documents.insert(document, index);
        }
        Ok(None)
    }

    fn judge_extension(
        &mut self,
        part: &SignedPart,
        document: DocumentId,
        name: &str,
    ) -> Result<Option<Outcome>, KeyspaceError> {
        let held = Ok(Some(Outcome::Held(HeldReason::Subject)));
        let Some(index) = self.load(document)? else {
            // Perhaps introduced in a part that is held: the change after it tells, by its past.
            let decides = part.changes_of(document).next().is_some();
            return if decides { Ok(None) } else { held };
        };
        if index.partition() != part.part().partition {
            return held;
        }
        let Some(extension) = extension_change(index.subject(), name) else {
            return held;
        };
        index.declare(&extension);
        Ok(None)
    }

    fn judge_change(
        &mut self,
        part: &VerifiedPart,
        document: DocumentId,
        hash: ChangeHash,
        bytes: &[u8],
        place: (u64, u32),
        touches: &mut Vec<Touch>,
    ) -> Result<Option<Outcome>, KeyspaceError> {
        let partition = part.part().partition;
        let change = match gate::decode(bytes) {
            Ok(change) if change.hash == hash => change,
            Ok(_) | Err(_) => return Ok(Some(Outcome::Held(HeldReason::Gate))),
        };
        match self.load(document)?.map(|index| index.partition()) {
            Some(of) if of == partition => {}
            Some(_) => return Ok(Some(Outcome::Held(HeldReason::Subject))),
            None => {
                // Nobody introduced the document here, unless in a part that is held.
                return Ok(Some(
                    match self.missing(document, &change.content.deps)? {
                        Outcome::Held(reason) => Outcome::Held(reason),
                        Outcome::Waiting | Outcome::Good(_) => Outcome::Held(HeldReason::Subject),
                    },
                ));
            }
        }
        self.prepare(document, &change)?;
        let empty = BTreeMap::new();
        let decoded = self.cache.decoded.get(&document).unwrap_or(&empty);
        let Some(index) = self.cache.documents.get(&document) else {
            return Err(KeyspaceError::Damaged("document cache"));
        };
        let history = IndexHistory { index, decoded };
        match gate::judge(&change, part.actor(), part.header().key, &history)? {
            Judgement::Passed(touched) => touches.extend(touched),
            Judgement::Duplicate => return Ok(Some(Outcome::Held(HeldReason::SequenceReused))),
            Judgement::Missing(missing) => {
                return self.missing(document, &missing).map(Some);
            }
            Judgement::Refused(refusal) => {
                return Ok(Some(Outcome::Held(reason_of(refusal))));
            }
        }
        if let Some(index) = self.cache.documents.get_mut(&document) {
            index.insert(&change, place.0, place.1);
        }
        self.remember(document, change);
        Ok(None)
    }

    fn missing(
        &self,
        document: DocumentId,
        missing: &[ChangeHash],
    ) -> Result<Outcome, KeyspaceError> {
        for hash in missing {
            if self.staging.is_held(document, *hash)? {
                return Ok(Outcome::Held(HeldReason::WaitsForHeld));
            }
        }
        Ok(Outcome::Waiting)
    }

    /// Decodes the changes whose operations this change names, so that the gate can look at them.
    fn prepare(
        &mut self,
        document: DocumentId,
        change: &DecodedChange,
    ) -> Result<(), KeyspaceError> {
        let mut wanted: Vec<(ChangeHash, u64, u32)> = Vec::new();
        if let Some(index) = self.cache.documents.get(&document) {
            let known = self.cache.decoded.get(&document);
            for id in named_operations(change) {
                let Some(holder) = index.holder(id) else {
                    continue;
                };
                let is_known = known.is_some_and(|known| known.contains_key(&holder.hash));
                if !is_known && wanted.iter().all(|(hash, ..)| *hash != holder.hash) {
                    wanted.push((holder.hash, holder.position, holder.ordinal));
                }
            }
        }
        for (_, position, ordinal) in wanted {
            let entry = self.staging.get(&keys::log(position))?;
            let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
            let entry =
                LogEntry::decode(&entry).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            let bytes = entry.part.changes().get(ordinal as usize);
            let bytes = bytes.ok_or(KeyspaceError::Damaged("log entry"))?;
            let change = gate::decode(bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            self.remember(document, change);
        }
        Ok(())
    }

    fn remember(&mut self, document: DocumentId, change: DecodedChange) {
        self.cache.weight += change.content.ops.len() + 1;
        self.cache
            .decoded
            .entry(document)
            .or_default()
            .insert(change.hash, change);
    }

    fn load(&mut self, document: DocumentId) -> Result<Option<&mut DocumentIndex>, KeyspaceError> {
        if !self.cache.documents.contains_key(&document)
            && let Some(index) = self.staging.document(document)?
        {
            self.cache.weight += index.changes().len() + 1;
            self.cache.documents.insert(document, index);
        }
        Ok(self.cache.documents.get_mut(&document))
    }

    /// Drops what judging a part that was not accepted left in the cache. What earlier parts staged
    /// for the same documents is written out first, so that the cache can be read again.
    fn forget(&mut self, part: &SignedPart) -> Result<(), KeyspaceError> {
        let documents: BTreeSet<_> = part.part().entries.iter().map(Entry::document).collect();
        for document in documents {
            self.cache.documents.remove(&document);
            self.cache.decoded.remove(&document);
            if let Some(positions) = self.touched.get(&document) {
                let positions = positions.clone();
                self.restage(document, &positions)?;
            }
        }
        Ok(())
    }

    /// Rebuilds the index of a document that earlier parts of this group changed.
    fn restage(&mut self, document: DocumentId, positions: &[u64]) -> Result<(), KeyspaceError> {
        let mut index = self.staging.document(document)?;
        for position in positions {
            let bytes = self.staging.get(&keys::log(*position))?;
            let bytes = bytes.ok_or(KeyspaceError::Damaged("log entry"))?;
            let entry =
                LogEntry::decode(&bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            Replayed::new(*position, entry, &Lane::whole())?.add_all(&mut index, document)?;
        }
        if let Some(index) = index {
            self.cache.documents.insert(document, index);
        }
        Ok(())
    }

    fn append(&mut self, part: &VerifiedPart) -> Result<Verdict, KeyspaceError> {
        let position = self.next_position;
        self.next_position += 1;
        let entry = LogEntry::encode_of(self.now, part);
        self.staging.put(keys::log(position), entry);
        let place = PartPlace::Accepted(position);
        let held = match self.staging.part(part.id())? {
            Some(PartPlace::Held(number)) => Some(self.staging.held_entry(number)?.reason),
            Some(PartPlace::Accepted(_)) | None => None,
        };
        // A held part moved its chain when it came, unless it was evidence.
        let counted = held.is_some_and(|reason| reason != HeldReason::Equivocation);
        record(&mut self.staging, &Recorded::of(part), place, counted)?;
        for entry in &part.part().entries {
            let positions = self.touched.entry(entry.document()).or_default();
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
        self.accepted.push((position, part.id()));
        Ok(Verdict::Accepted { position })
    }

    fn hold(&mut self, part: &VerifiedPart, reason: HeldReason) -> Result<Verdict, KeyspaceError> {
        if let Some(PartPlace::Held(number)) = self.staging.part(part.id())? {
            return self.held_again(number);
        }
        let count = self.staging.held_count(part.actor())?;
        if count >= limits::HELD_PARTS_PER_CHAIN_MAX {
            return Ok(Verdict::Refused {
                code: "quarantine-full",
            });
        }
        let number = self.next_held;
        self.next_held += 1;
        let entry = HeldEntry {
            received_at: self.now,
            reason,
            part: SignedPart::clone(part),
        };
        self.staging.put(keys::held(number), entry.encode());
        record_held(&mut self.staging, part, number, reason)?;
        Ok(Verdict::Held { number, reason })
    }

    /// Positions accepted so far, with their parts.
    pub fn accepted(&self) -> &[(u64, PartId)] {
        &self.accepted
    }

    /// Where a chain stands, with what is staged.
    pub fn chain(&self, actor: ActorId) -> Result<ChainTip, KeyspaceError> {
        self.staging.chain(actor)
    }

    /// How many writes are staged, without document indexes.
    pub fn staged(&self) -> usize {
        self.staging.len()
    }

    /// Everything to be written, as one commit.
    pub fn into_writes(mut self) -> Vec<Write> {
        let mut writes = self.staging.take();
        self.cache.ends = self.staging.take_ends();
        for document in self.touched.keys() {
            if let Some(index) = self.cache.documents.get_mut(document) {
                index.flush(&mut writes);
            }
        }
        writes
    }
}

fn reason_of(refusal: Refusal) -> HeldReason {
    match refusal {
        Refusal::Equivocation(_) => HeldReason::SequenceReused,
        Refusal::Actor(_)
        | Refusal::StartOp { .. }
        | Refusal::Sequence { .. }
        | Refusal::NotInPast(_)
        | Refusal::OtherTarget(_)
        | Refusal::SignOffKey(_)
        | Refusal::CommentKey(_) => HeldReason::Gate,
    }
}

fn named_operations(change: &DecodedChange) -> impl Iterator<Item = OpId> {
    change.content.ops.iter().flat_map(|op| {
        let element = match &op.key {
            Key::Element(id) => Some(*id),
            Key::Map(_) | Key::Head => None,
        };
        op.pred.iter().copied().chain(element)
    })
}

/// The number in the last key of a kind whose keys are one big-endian number; 0 for none.
pub(super) fn last_number(keyspace: &dyn Keyspace, tag: u8) -> Result<u64, KeyspaceError> {
    let last = keyspace.last(&[tag], &keys::after(tag))?;
    Ok(last.and_then(|(key, _)| number_of(&key)).unwrap_or(0))
}

/// The number in a key that is a tag and one big-endian number.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    key.get(1..)
        .and_then(|number| number.try_into().ok())
        .map(u64::from_be_bytes)
}
