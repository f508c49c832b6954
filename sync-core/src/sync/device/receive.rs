//! Taking an answer: catalogue, verdicts on what was sent, entries of others, proof.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::repair::{Mode, Move, REPAIRS_MAX};
use super::{Device, DeviceError, OutboxState, Peer};
use crate::batch::{AttestationError, Entry, SignedPart, attestation};
use crate::identity::{DocumentId, InstallationId, PartId};
use crate::log::aside::is_fork;
use crate::log::staging::PartPlace;
use crate::log::{Acceptor, Follow, HeldReason, Trust, Verdict, Write};
use crate::sync::arrival::Arrival;
use crate::sync::message::{PartAnswer, Response, digest_of_parts};
use crate::sync::packed::leave_entries;
use crate::sync::proof::Verifier;
use crate::sync::repair::Told;

/// Something a person should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A part of ours is held at the node.
    Held {
        /// The part.
        part: PartId,
        /// Why.
        reason: HeldReason,
    },
    /// A part of ours is refused as it is; it stays here.
    Refused {
        /// The part.
        part: PartId,
        /// A machine code.
        code: String,
    },
    /// What came on a node's word is not what that node attests, or the node is not the province's. It is
    /// asked for again, with its authors' signatures.
    PieceRefused {
        /// A machine code.
        code: &'static str,
    },
    /// An entry from the node was not taken into the log: held here or refused.
    EntryNotTaken {
        /// The part.
        part: PartId,
        /// A machine code.
        code: String,
    },
    /// The node is new to us, or was rolled back: everything is compared once more.
    NodeChanged,
    /// This device was rolled back and goes on as a new installation.
    NewInstallation,
    /// Fingerprints differed: everything is compared once more.
    FingerprintMismatch,
    /// The node's catalogue and the one held here part at this record: the province's folder was
    /// restored and went on before the lost records were given back. A person must decide.
    CatalogueForked {
        /// The first number that is not the same, or follows it.
        number: u64,
    },
}

/// What taking an answer came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// To be made durable before anything else is said or sent.
    pub writes: Vec<Write>,
    /// For the person.
    pub notices: Vec<Notice>,
    /// Documents that changed.
    pub documents: BTreeSet<DocumentId>,
    /// How many parts were acknowledged.
    pub acknowledged: usize,
    /// Ask again at once: more is there on one side or the other.
    pub again: bool,
}

impl Device {
    /// Takes the answer to the last request, or what a live node sent by itself (no answers then).
    ///
    /// `now` is this device's clock, a claim. `fresh` is a random installation id, used only if this
    /// device turns out to have been rolled back.
    pub fn receive(
        &mut self,
        response: &Response,
        now: i64,
        fresh: InstallationId,
    ) -> Result<Received, DeviceError> {
        let mut received = Received::default();
        let returned = self.meet(response, fresh, &mut received)?;
        self.receive_records(response, &mut received)?;
        let stands = self.take_answers(response, &mut received)?;
        if let (true, Some(peer)) = (stands, self.peer.clone()) {
            // Set aside here, it counts there: it comes back like everything that is lacking here.
            self.begin_repair(peer, fresh, &mut received.writes)?;
        }
        let response = self.without_false_piece(response, &mut received);
        let response = &*self.without_older(response, &mut received)?;
        if returned {
            self.read_before_offering(&mut received);
        }
        let forked = self.is_forked(response, &received)?;
        if forked {
            // What the answer brings was chosen for a chain that is not what the node holds of it:
            // nothing of it is taken now, everything is read again under the new installation.
            self.set_aside_forked(&mut received)?;
            self.continue_as(fresh, now, &mut received)?;
        } else {
            self.offer_what_is_lost(response, &mut received)?;
            let mut standing = Vec::new();
            match self.hear(response) {
                Move::Follow => {
                    standing = self.take_entries(response, now, &mut received)?;
                    self.advance(response, &mut received)?;
                }
                Move::TakeOlder => {
                    standing = self.take_entries(response, now, &mut received)?;
                    if let Some(Told::Older(told)) = &response.repair {
                        self.older_came(told, &mut received)?;
                    }
                }
                Move::Compare => self.compare(response, false, &mut received)?,
                Move::CompareAnew => self.compare(response, true, &mut received)?,
                Move::Take => {
                    let asked = &*self.asked_for(response);
                    received.again |= asked.more;
                    standing = self.take_entries(asked, now, &mut received)?;
                    self.cross_out(asked, &mut received)?;
                }
                Move::Wait => self.wait(&mut received),
            }
            self.give_way(&standing, now, fresh, &mut received)?;
            let has_everything = !response.more && !self.is_out_of_step();
            if has_everything && !received.again {
                self.say_owed(now, &mut received)?;
            }
        }
        let waits = self
            .outbox
            .values()
            .any(|state| *state == OutboxState::Waiting);
        let progressed = received.acknowledged > 0 || forked;
        // The node may have what waits, if an answer was lost: that is offered before anything is compared.
        received.again |= waits && progressed;
        received.again |= self.manner().has_learned() && self.vouched_wait()?;
        self.prove(response, fresh, &mut received)?;
        received.again |= response.more || self.is_out_of_step();
        Ok(received)
    }

    /// A node id not met before: what it lacks of what is held here is offered to it, what it has and
    /// this device lacks is asked for. One that was met before the last one (true): reading goes on
    /// where it was left.
    fn meet(
        &mut self,
        response: &Response,
        fresh: InstallationId,
        received: &mut Received,
    ) -> Result<bool, DeviceError> {
        let follow = response.follow.clone();
        let same = self
            .peer
            .as_ref()
            .is_some_and(|peer| peer.node == response.node);
        if same {
            if let (Some(follow), Some(mut peer)) = (follow, self.peer.clone()) {
                // The set of partitions changed: positions count from the start again.
                let before = std::mem::replace(&mut peer.follow, follow);
                peer.position = response.from;
                peer.arrival = Arrival::default();
                // No fingerprint will tell any more what the node lacks there.
                let (now, to) = (peer.follow.clone(), &mut received.writes);
                self.offer_partitions(|of| before.contains(of) && !now.contains(of), to)?;
                let met_others = self.remembers_nodes();
                if met_others {
                    // What other nodes gave of what is followed here from now on.
                    self.offer_partitions(|of| now.contains(of) && !before.contains(of), to)?;
                }
                self.repair = None;
                self.count_anew(peer, fresh, &mut received.writes)?;
                return Ok(met_others);
            }
            return Ok(false);
        }
        self.gave_past.clear();
        self.aim_anew(&mut received.writes);
        if self.return_to(response.node, &mut received.writes)? {
            self.repair = None;
            received.again = true;
            let known = self.peer.clone();
            if let (Some(follow), Some(mut peer)) = (follow, known)
                && follow != peer.follow
            {
                let before = std::mem::replace(&mut peer.follow, follow);
                peer.position = 0;
                peer.arrival = Arrival::default();
                // What was not for this node when it was left is offered to it now.
                let (now, to) = (peer.follow.clone(), &mut received.writes);
                self.offer_partitions(|of| now.contains(of) && !before.contains(of), to)?;
                self.count_anew(peer, fresh, &mut received.writes)?;
            } else if let Some(peer) = self.peer.clone().filter(|peer| self.counts_otherwise(peer))
            {
                self.begin_repair(peer, fresh, &mut received.writes)?;
            }
            return Ok(true);
        }
        let first = self.peer.is_none();
        let resets = self.peer.as_ref().map_or(0, |peer| peer.resets);
        self.leave_node(&mut received.writes)?;
        let peer = Peer {
            node: response.node,
            follow: follow.unwrap_or(Follow::These(BTreeSet::new())),
            position: 0,
            mode: Mode::Following,
            resets,
            arrival: Arrival::default(),
            left: None,
        };
        if first && !self.holds_shared_parts()? {
            let mode = Mode::Arriving;
            self.set_peer(Peer { mode, ..peer }, &mut received.writes);
            return Ok(false);
        }
        if !first {
            received.notices.push(Notice::NodeChanged);
        }
        self.begin_repair(peer, fresh, &mut received.writes)?;
        Ok(false)
    }

    /// Goes on with a node whose positions count from the start again. A device that leaves older years out
    /// would be sent them: it finds out what it lacks of the rest.
    fn count_anew(
        &mut self,
        peer: Peer,
        fresh: InstallationId,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        match self.reach.extent.is_some() && peer.mode != Mode::Arriving {
            true => self.begin_repair(peer, fresh, to),
            false => {
                self.set_peer(peer, to);
                Ok(())
            }
        }
    }

    /// Back at a node: what reached it by another road is taken out of the outbox while its feed is
    /// read on, and only the rest is offered.
    fn read_before_offering(&mut self, received: &mut Received) {
        let waits = |state: &OutboxState| *state == OutboxState::Waiting;
        if let Some(mut peer) = self.peer.clone()
            && peer.mode.is_in_step()
            && self.outbox.values().any(waits)
        {
            peer.mode = Mode::Reading;
            self.set_peer(peer, &mut received.writes);
        }
    }

    /// Takes the verdicts on what was sent. True: the node accepted a part that was set aside here.
    fn take_answers(
        &mut self,
        response: &Response,
        received: &mut Received,
    ) -> Result<bool, DeviceError> {
        // A live node sends news while a request is under way, and an answer may come late: only the
        // answer about these parts is theirs.
        if response.answers.len() != self.in_flight.len()
            || response.answers_to != digest_of_parts(&self.in_flight)
        {
            return Ok(false);
        }
        let in_flight = std::mem::take(&mut self.in_flight);
        let (mut stands, mut lacks) = (false, Vec::new());
        for (part, answer) in in_flight.iter().copied().zip(&response.answers) {
            match answer {
                PartAnswer::Accepted => {
                    stands |= self.is_held_here(part);
                    received.acknowledged += 1;
                    self.set_outbox(part, None, &mut received.writes);
                }
                // It was set aside here, and is said again: nobody need decide about it.
                PartAnswer::Held(_) if self.is_held_here(part) => {
                    received.acknowledged += 1;
                    self.set_outbox(part, None, &mut received.writes);
                }
                PartAnswer::Held(reason) => {
                    received.acknowledged += 1;
                    received.notices.push(Notice::Held {
                        part,
                        reason: *reason,
                    });
                    let state = Some(OutboxState::Held(*reason));
                    self.set_outbox(part, state, &mut received.writes);
                }
                PartAnswer::Refused(code) => {
                    received.notices.push(Notice::Refused {
                        part,
                        code: code.clone(),
                    });
                }
                PartAnswer::Gap(_) | PartAnswer::Waiting => lacks.push(part),
            }
        }
        received.again |= self.offer_past(&lacks, &in_flight, &mut received.writes)?;
        Ok(stands)
    }

    fn is_held_here(&self, part: PartId) -> bool {
        matches!(self.log().part(part), Ok(Some(PartPlace::Held(_))))
    }

    /// True if the node holds more of our chain than we do, or something else under one of our
    /// numbers: this device is a copy of an older state.
    fn is_forked(&self, response: &Response, received: &Received) -> Result<bool, DeviceError> {
        let own = self.log().chain(self.sealer.actor())?;
        let ahead = response.chain.number > own.number;
        let other = response.chain.number == own.number && response.chain.batch != own.batch;
        // Of an earlier installation of this device it says nothing new.
        let mut equivocates = false;
        for notice in &received.notices {
            if let Notice::Held {
                part,
                reason: HeldReason::Equivocation,
            } = notice
            {
                let part = self.part(*part)?;
                equivocates |= part.is_none_or(|part| part.actor() == self.sealer.actor());
            }
        }
        Ok(ahead || other || equivocates)
    }

    /// The node's word for how far it holds our chain without a gap: what we took for acknowledged
    /// beyond it was lost with an older folder, perhaps held parts alone, which no position tells.
    fn offer_what_is_lost(
        &mut self,
        response: &Response,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let actor = self.sealer.actor();
        let own = self.log().chain(actor)?.number;
        if response.chain.number >= own {
            return Ok(());
        }
        let mut lost = Vec::new();
        for number in (response.chain.number + 1)..=own {
            let parts = self.log().parts_of_batch(actor, number)?;
            let waits = |part: &PartId| self.outbox.get(part) == Some(&OutboxState::Waiting);
            if parts.iter().any(waits) {
                break;
            }
            lost.extend(parts);
        }
        received.again |= !lost.is_empty();
        for part in lost {
            let state = Some(OutboxState::Waiting);
            self.set_outbox(part, state, &mut received.writes);
        }
        Ok(())
    }

    /// The answer without its entries if a node's word comes with them and is not for them or not the
    /// province's: they are asked for again, with signatures.
    fn without_false_piece<'a>(
        &mut self,
        response: &'a Response,
        received: &mut Received,
    ) -> Cow<'a, Response> {
        let Err(error) = self.check_piece(response) else {
            return Cow::Borrowed(response);
        };
        let code = error.code();
        received.notices.push(Notice::PieceRefused { code });
        let mut without = response.clone();
        leave_entries(&mut without);
        // Who sends it once more without being asked is not asked at once.
        without.more = !self.manner().wants_signatures();
        self.set_manner(self.manner().doubting());
        Cow::Owned(without)
    }

    /// Whether a node's word is about this answer, all of its entries and nothing else.
    fn check_piece(&self, response: &Response) -> Result<(), AttestationError> {
        let Some(piece) = &response.piece else {
            return Ok(());
        };
        let said = &piece.said;
        let follow = match (&response.follow, &self.peer) {
            (Some(follow), _) => Some(follow.digest()),
            (None, Some(peer)) => Some(peer.follow.digest()),
            (None, None) => None,
        };
        let parts: Vec<PartId> = response.entries.iter().map(|(_, part)| part.id()).collect();
        if said.province != self.sealer.province {
            return Err(AttestationError::Province);
        }
        if said.node != response.node {
            return Err(AttestationError::Node);
        }
        if follow != Some(said.follow) {
            return Err(AttestationError::Follow);
        }
        if (said.from, said.through) != response.span() {
            return Err(AttestationError::Place);
        }
        if said.parts != parts.len() as u64 || said.root != attestation::root_of(&parts) {
            return Err(AttestationError::Parts);
        }
        Verifier::new(&self.catalogue).attested(&Arc::new(piece.clone()))
    }

    /// Takes what an answer brings of the feed. Those parts are handed back that contradict a chain as it
    /// is here.
    fn take_entries(
        &mut self,
        response: &Response,
        now: i64,
        received: &mut Received,
    ) -> Result<Vec<SignedPart>, DeviceError> {
        let mut standing = Vec::new();
        if response.entries.is_empty() {
            return Ok(standing);
        }
        let documents = self.touched(response)?;
        let drafts: Vec<_> = documents
            .iter()
            .copied()
            .filter(|id| self.drafts.contains_key(id))
            .collect();
        let sealed = self.seal_documents(&drafts, now)?;
        received.writes.extend(sealed);
        received.again |= !drafts.is_empty();
        let mut acceptor = Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now)?;
        let mut verifier = Verifier::new(&self.catalogue);
        let (mut delivered, mut held) = (Vec::new(), Vec::new());
        for (_, part) in &response.entries {
            let id = part.id();
            let code = match verifier.verify(part.clone()) {
                Err(code) => Some(code),
                Ok(part) => match acceptor.accept(&part, Trust::Relayed)? {
                    Verdict::Accepted { .. } | Verdict::Duplicate { .. } => None,
                    Verdict::Held { number, reason } => {
                        if is_fork(reason) {
                            standing.push(SignedPart::clone(&part));
                        }
                        held.push((number, SignedPart::clone(&part)));
                        Some(reason.code())
                    }
                    Verdict::Gap { .. } => Some("gap"),
                    Verdict::Waiting => Some("waiting"),
                    Verdict::Refused { code } => Some(code),
                },
            };
            delivered.push((id, code));
        }
        let writes = acceptor.into_writes();
        self.take(writes, &mut received.writes);
        self.owe_held(&held, &mut received.writes)?;
        for (part, code) in delivered {
            match code {
                // The node has it, whoever sent it there.
                None if self.outbox.contains_key(&part) => {
                    received.acknowledged += 1;
                    self.set_outbox(part, None, &mut received.writes);
                }
                None => {}
                Some(code) => {
                    let code = code.to_owned();
                    received.notices.push(Notice::EntryNotTaken { part, code });
                }
            }
        }
        for document in &documents {
            self.documents.remove(document);
        }
        received.documents.extend(documents);
        Ok(standing)
    }

    /// Documents that entries not in the log yet are about.
    fn touched(&self, response: &Response) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let parts = response.entries.iter().map(|(_, part)| part);
        self.touched_by(parts)
    }

    /// Documents that parts not in the log yet are about: what is held here may be taken now.
    pub(super) fn touched_by<'a>(
        &self,
        parts: impl Iterator<Item = &'a SignedPart>,
    ) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let mut documents = BTreeSet::new();
        for part in parts {
            let place = self.log().part(part.id())?;
            if !matches!(place, Some(PartPlace::Accepted(_))) {
                documents.extend(part.part().entries.iter().map(Entry::document));
            }
        }
        Ok(documents)
    }

    fn advance(&mut self, response: &Response, received: &mut Received) -> Result<(), DeviceError> {
        if let Some(mut peer) = self.peer.clone() {
            if response.from <= peer.position {
                peer.position = peer.position.max(response.position);
                if let Some(Told::Rest(told)) = &response.repair {
                    peer.arrival = peer.arrival.with(told, peer.position);
                }
            }
            let is_late = peer.mode == Mode::Arriving && response.from > peer.position;
            if !response.more && !is_late {
                // What was read may be waiting to be offered.
                received.again |= peer.mode == Mode::Reading;
                if peer.mode == Mode::Arriving {
                    if let Some(Told::Settled(told)) = &response.repair {
                        self.settle(told, &mut peer, &mut received.writes)?;
                    } else {
                        self.wish_came_true(&mut received.writes);
                    }
                }
                peer.mode = match peer.mode {
                    Mode::Reading | Mode::Arriving => Mode::Following,
                    mode @ (Mode::Following | Mode::Repairing(_)) => mode,
                };
            }
            if Some(&peer) != self.peer.as_ref() {
                self.set_peer(peer, &mut received.writes);
            }
        }
        Ok(())
    }

    /// Compares fingerprints once nothing more is under way on either side.
    fn prove(
        &mut self,
        response: &Response,
        fresh: InstallationId,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let Some(theirs) = response.fingerprint else {
            return Ok(());
        };
        let Some(mut peer) = self.peer.clone() else {
            return Ok(());
        };
        if received.again || self.is_out_of_step() || peer.position != response.position {
            return Ok(());
        }
        let Some(left) = self.left_of(&peer) else {
            return Ok(());
        };
        let (ours, outbox) = self.fingerprints(&peer.follow)?;
        if theirs.plus(outbox) == ours.plus(left) {
            self.asked_about_held = false;
            if peer.resets > 0 {
                peer.resets = 0;
                self.set_peer(peer, &mut received.writes);
            }
            return Ok(());
        }
        if self.ask_about_held(received) {
            return Ok(());
        }
        received.notices.push(Notice::FingerprintMismatch);
        peer.resets += 1;
        match peer.resets {
            1 => self.begin_repair(peer, fresh, &mut received.writes)?,
            REPAIRS_MAX => self.read_everything(peer, &mut received.writes),
            _ => {}
        }
        Ok(())
    }
}

impl Device {
    /// What the node held may have been accepted since, by the word of the node above it or of a person:
    /// it is offered once more, and the answer tells. False if there is nothing of that kind, or it was
    /// offered already.
    fn ask_about_held(&mut self, received: &mut Received) -> bool {
        let is_held = |(part, state): (&PartId, &OutboxState)| match state {
            OutboxState::Held(_) => Some(*part),
            OutboxState::Waiting => None,
        };
        let held: Vec<PartId> = self.outbox.iter().filter_map(is_held).collect();
        if self.asked_about_held || held.is_empty() {
            return false;
        }
        self.asked_about_held = true;
        received.again = true;
        self.offer(held, &mut received.writes);
        true
    }
}
