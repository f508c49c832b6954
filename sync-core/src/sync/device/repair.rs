//! Repair at a device: finding out what it and a node differ in, where positions do not tell.
//!
//! It is begun where the node is another than before, where both hold data and never met, where
//! fingerprints differ, and where this device goes on under a new installation id. That it is under way
//! is durable; how far it came is not: a device that was closed in between asks for the first symbols
//! again. Until it is done the position stays where it is and nothing is taken from the feed, so a cut
//! at any point costs what was under way. When it cannot be done, everything is read and offered.
//!
//! What a step does is one table, [`decide`], of what the device is at ([`Stage`]) and what an answer
//! brings ([`Heard`]).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::receive::Received;
use super::{Device, DeviceError, OutboxState, Peer};
use crate::batch::Partition;
use crate::identity::{InstallationId, PartId};
use crate::limits;
use crate::log::staging::PartPlace;
use crate::log::{Follow, Write};
use crate::repair::{Comparison, Difference, RepairKey, ShortId, is_worth_comparing};
use crate::sync::arrival::Arrival;
use crate::sync::extent::LeftOut;
use crate::sync::message::Response;
use crate::sync::repair::{Ask, Symbols, Told};

/// What a device does about a node's feed. Durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Its position says what it has.
    Following,
    /// The same, and it has never yet had everything: the province's word will do for what it is sent.
    Arriving,
    /// It reads everything again before the rest of the outbox is offered.
    Reading,
    /// It finds out what it lacks, under this key.
    Repairing(RepairKey),
}

impl Mode {
    /// True while the position says what the device has.
    pub(super) fn is_in_step(self) -> bool {
        match self {
            Self::Following | Self::Arriving => true,
            Self::Reading | Self::Repairing(_) => false,
        }
    }
}

/// How far a repair came.
#[derive(Debug)]
pub(super) struct Repair {
    key: RepairKey,
    /// The position that the node's symbols are about.
    through: u64,
    /// Answers in a row that brought nothing.
    idle: u32,
    /// What the node's symbols leave out.
    left: Option<LeftOut>,
    at: At,
}

#[derive(Debug)]
enum At {
    Comparing {
        comparison: Comparison,
        /// The parts compared, so that the log is not walked again for those the node lacks.
        own: Vec<PartId>,
    },
    Fetching(BTreeSet<ShortId>),
}

/// What a device is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No repair is under way.
    Resting,
    /// It lacks symbols.
    Comparing,
    /// It knows which parts it lacks.
    Fetching,
}

/// What an answer brings for a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// The symbols that follow on those here.
    Next,
    /// Symbols from the first one, where others were asked for: the node's log is not the one of before.
    Anew,
    /// Symbols of another repair or another place.
    OtherSymbols,
    /// Parts that were asked for.
    Parts,
    /// Parts of another repair or up to another position.
    OtherParts,
    /// Parts of a first contact that is under way, the most useful first.
    Rest,
    /// Such parts, and no first contact is under way.
    OtherRest,
    /// What was asked for of older years.
    Older,
    /// Something else of them, or nothing was asked for.
    OtherOlder,
    /// Nothing: an answer that is late, what a live node sends by itself, or one that knows no repair.
    Nothing,
}

/// What is done with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Its entries are taken and the position moves on, as ever.
    Follow,
    /// Its symbols are compared.
    Compare,
    /// Its symbols are compared with a set none was compared with yet.
    CompareAnew,
    /// Its entries are taken; if they were the last that were lacking, the position moves on.
    Take,
    /// Its entries are taken and the mark of older years moves on; the position stays.
    TakeOlder,
    /// Nothing of the feed is taken, and the same is asked for again.
    Wait,
}

/// The table: what a device does with what it heard.
pub(super) fn decide(stage: Stage, heard: Heard) -> Move {
    match (stage, heard) {
        (Stage::Resting, Heard::Nothing | Heard::Parts | Heard::OtherParts | Heard::Rest) => {
            Move::Follow
        }
        (Stage::Resting, Heard::Older) => Move::TakeOlder,
        // An answer from before, which has no entries and would take the position back.
        (
            Stage::Resting,
            Heard::Next | Heard::Anew | Heard::OtherSymbols | Heard::OtherRest | Heard::OtherOlder,
        ) => Move::Wait,
        (Stage::Comparing, Heard::Next) => Move::Compare,
        (Stage::Comparing, Heard::Anew) => Move::CompareAnew,
        (
            Stage::Comparing,
            Heard::OtherSymbols
            | Heard::Parts
            | Heard::OtherParts
            | Heard::Rest
            | Heard::OtherRest
            | Heard::Older
            | Heard::OtherOlder
            | Heard::Nothing,
        ) => Move::Wait,
        (Stage::Fetching, Heard::Parts) => Move::Take,
        (
            Stage::Fetching,
            Heard::Next
            | Heard::Anew
            | Heard::OtherSymbols
            | Heard::OtherParts
            | Heard::Rest
            | Heard::OtherRest
            | Heard::Older
            | Heard::OtherOlder
            | Heard::Nothing,
        ) => Move::Wait,
    }
}

impl Repair {
    fn stage(&self) -> Stage {
        match self.at {
            At::Comparing { .. } => Stage::Comparing,
            At::Fetching(_) => Stage::Fetching,
        }
    }

    fn hears(&self, response: &Response) -> Heard {
        match &response.repair {
            None => Heard::Nothing,
            Some(Told::Rest(_) | Told::Settled(_)) => Heard::OtherRest,
            Some(Told::Older(_)) => Heard::OtherOlder,
            Some(Told::Parts { tag }) => {
                match *tag == self.key.tag() && response.from == self.through {
                    true => Heard::Parts,
                    false => Heard::OtherParts,
                }
            }
            Some(Told::Symbols(told)) if told.tag != self.key.tag() => Heard::OtherSymbols,
            Some(Told::Symbols(told)) => match &self.at {
                At::Fetching(_) => Heard::OtherSymbols,
                At::Comparing { comparison, .. } => {
                    let taken = comparison.taken() as u64;
                    let follows_on = told.from == taken;
                    match (taken, told.from) {
                        (0, 0) => Heard::Next,
                        (_, 0) => Heard::Anew,
                        _ if follows_on && told.through == self.through => Heard::Next,
                        _ => Heard::OtherSymbols,
                    }
                }
            },
        }
    }
}

impl Device {
    /// Begins to find out what this device and its node differ in; or to read everything, if it holds
    /// nothing that could be compared. `fresh` is random.
    pub(super) fn begin_repair(
        &mut self,
        mut peer: Peer,
        fresh: InstallationId,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        self.repair = None;
        if self.log().fingerprint(&peer.follow)?.count() == 0 {
            self.read_everything(peer, to);
            return Ok(());
        }
        let random = [fresh.0.as_slice(), &peer.node.0, &peer.resets.to_be_bytes()].concat();
        let key = RepairKey::new(&random, &self.sealer.key.to_bytes());
        peer.mode = Mode::Repairing(key);
        peer.left = None;
        self.set_peer(peer, to);
        Ok(())
    }

    /// Begins to read everything that the node has, and to offer everything here.
    pub(super) fn read_everything(&mut self, mut peer: Peer, to: &mut Vec<Write>) {
        self.repair = None;
        self.give_up_extent(to);
        peer.mode = Mode::Reading;
        peer.position = 0;
        peer.left = None;
        self.set_peer(peer, to);
        self.offer_everything(to);
    }

    /// True if the log here has parts that came from elsewhere, or went there: a node met now for the
    /// first time may have them as well.
    pub(super) fn holds_shared_parts(&self) -> Result<bool, DeviceError> {
        let mut waiting = 0;
        for (part, state) in &self.outbox {
            let waits = *state == OutboxState::Waiting;
            let place = self.log().part(*part)?;
            waiting += u64::from(waits && matches!(place, Some(PartPlace::Accepted(_))));
        }
        Ok(self.log().fingerprint(&Follow::All)?.count() > waiting)
    }

    /// What to ask for with the next request, and the position that it counts from.
    pub(super) fn ask(&mut self) -> Result<Option<(Ask, Option<u64>)>, DeviceError> {
        let Some(peer) = &self.peer else {
            return Ok(None);
        };
        let Mode::Repairing(key) = peer.mode else {
            self.repair = None;
            if let Some(older) = self.older_asked() {
                return Ok(Some((Ask::Older(older), None)));
            }
            let goes_on = peer.arrival != Arrival::default();
            return Ok(goes_on.then(|| (Ask::Rest(peer.arrival.clone()), None)));
        };
        if self.repair.as_ref().is_none_or(|repair| repair.key != key) {
            self.repair = Some(Repair {
                key,
                through: 0,
                idle: 0,
                left: None,
                at: self.comparing(key, &peer.follow)?,
            });
        }
        let repair = self.repair.as_ref();
        Ok(repair.map(|repair| match &repair.at {
            At::Comparing { comparison, .. } => {
                let ask = Ask::Symbols {
                    key,
                    size: comparison.size(),
                    from: comparison.taken() as u64,
                    through: repair.through,
                    extent: self.reach.extent.clone(),
                };
                (ask, None)
            }
            At::Fetching(missing) => {
                let ids = missing.iter().take(limits::REPAIR_IDS_PER_REQUEST_MAX);
                let ids = ids.copied().collect();
                (Ask::Parts { key, ids }, Some(repair.through))
            }
        }))
    }

    fn comparing(&self, key: RepairKey, follow: &Follow) -> Result<At, DeviceError> {
        let mut own = Vec::new();
        self.log()
            .each_part(follow, u64::MAX, &mut |_, part| own.push(part))?;
        let short = own.iter().map(|part| key.short(*part)).collect();
        let comparison = Comparison::new(key, short);
        Ok(At::Comparing { comparison, own })
    }

    fn is_arriving(&self) -> bool {
        let mode = self.peer.as_ref().map(|peer| peer.mode);
        mode == Some(Mode::Arriving)
    }

    /// What to do with an answer.
    pub(super) fn hear(&self, response: &Response) -> Move {
        let repairing = self
            .peer
            .as_ref()
            .is_some_and(|peer| matches!(peer.mode, Mode::Repairing(_)));
        match (&self.repair, repairing) {
            (Some(repair), true) => decide(repair.stage(), repair.hears(response)),
            // Nothing was asked for yet: this device has just begun.
            (None, true) => Move::Wait,
            (_, false) => decide(
                Stage::Resting,
                match response.repair {
                    Some(Told::Symbols(_)) => Heard::OtherSymbols,
                    Some(Told::Parts { .. }) => Heard::OtherParts,
                    Some(Told::Rest(_) | Told::Settled(_)) if self.is_arriving() => Heard::Rest,
                    Some(Told::Rest(_) | Told::Settled(_)) => Heard::OtherRest,
                    Some(Told::Older(ref told)) if self.is_asked(told) => Heard::Older,
                    Some(Told::Older(_)) => Heard::OtherOlder,
                    None => Heard::Nothing,
                },
            ),
        }
    }

    /// Compares the symbols of an answer, if it has any.
    pub(super) fn compare(
        &mut self,
        response: &Response,
        anew: bool,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let (Some(Told::Symbols(told)), Some(peer)) = (&response.repair, self.peer.clone()) else {
            return Ok(());
        };
        let Some(mut repair) = self.repair.take() else {
            return Ok(());
        };
        if anew {
            repair.at = self.comparing(repair.key, &peer.follow)?;
        }
        if told.left.is_some() != self.reach.extent.is_some() {
            self.give_up(peer, received);
            return Ok(());
        }
        repair.through = told.through;
        repair.left.clone_from(&told.left);
        repair.idle += 1;
        let At::Comparing { comparison, own } = &mut repair.at else {
            return Ok(());
        };
        match differ(comparison, told) {
            Differ::Unknown if repair.idle < limits::REPAIR_IDLE_ANSWERS_MAX => {
                self.repair = Some(repair);
            }
            Differ::Unknown | Differ::Never => self.give_up(peer, received),
            Differ::By(difference) => {
                let lacks = |part: &PartId| {
                    let short = repair.key.short(*part);
                    difference.here.binary_search(&short).is_ok()
                };
                if !difference.here.is_empty() {
                    let parts = own.iter().copied().filter(lacks).collect();
                    self.offer(parts, &mut received.writes);
                }
                // The node tells nothing of what this device may not read any more. After this a
                // position shows it if the node is copied back once more.
                let unfollowed = |of| !peer.follow.contains(of);
                self.offer_partitions(unfollowed, &mut received.writes)?;
                let (idle, missing) = (0, difference.there.into_iter().collect());
                let at = At::Fetching(missing);
                self.repair = Some(Repair { at, idle, ..repair });
            }
        }
        Ok(())
    }

    /// Offers everything in some partitions.
    pub(super) fn offer_partitions(
        &mut self,
        these: impl Fn(Partition) -> bool,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        let all = self.log().partitions()?;
        let partitions = all.into_iter().map(|(partition, _)| partition);
        let follow = Follow::These(partitions.filter(|of| these(*of)).collect());
        let mut parts = Vec::new();
        self.log()
            .each_part(&follow, u64::MAX, &mut |_, part| parts.push(part))?;
        self.offer(parts, to);
        Ok(())
    }

    /// Puts parts into the outbox, those as well that the node once held: they may be lost with its
    /// folder like all else.
    pub(super) fn offer(&mut self, parts: Vec<PartId>, to: &mut Vec<Write>) {
        for part in parts {
            if self.outbox.get(&part) != Some(&OutboxState::Waiting) {
                self.set_outbox(part, Some(OutboxState::Waiting), to);
            }
        }
    }

    /// Crosses out what an answer brought of what was lacking. With the last of it the repair is done:
    /// from the answer's position on, positions tell again.
    pub(super) fn cross_out(
        &mut self,
        response: &Response,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let (Some(mut repair), Some(mut peer)) = (self.repair.take(), self.peer.clone()) else {
            return Ok(());
        };
        let At::Fetching(missing) = &mut repair.at else {
            return Ok(());
        };
        let before = missing.len();
        for (_, part) in &response.entries {
            missing.remove(&repair.key.short(part.id()));
        }
        let progressed = missing.len() < before || !response.records.is_empty();
        let asked = before.min(limits::REPAIR_IDS_PER_REQUEST_MAX);
        if missing.is_empty() {
            peer.mode = Mode::Following;
            peer.position = response.position;
            if let Some(left) = repair.left {
                self.repaired_within(left, &mut peer, &mut received.writes)?;
            }
            self.set_peer(peer, &mut received.writes);
        } else if !response.more && before - missing.len() < asked {
            // The node does not have what its symbols told.
            self.give_up(peer, received);
        } else {
            repair.idle = if progressed { 0 } else { repair.idle };
            self.repair = Some(repair);
            self.wait(received);
        }
        Ok(())
    }

    /// An answer of a repair without what follows in the feed, where older years are left out: what is
    /// asked for is within the extent, and what follows may not be.
    pub(super) fn asked_for<'a>(&self, response: &'a Response) -> Cow<'a, Response> {
        let Some(Repair {
            key,
            at: At::Fetching(missing),
            ..
        }) = &self.repair
        else {
            return Cow::Borrowed(response);
        };
        if self.reach.extent.is_none() {
            return Cow::Borrowed(response);
        }
        let mut asked = response.clone();
        asked
            .entries
            .retain(|(_, part)| missing.contains(&key.short(part.id())));
        // It is asked for next.
        asked.more |= asked.position > asked.from;
        asked.position = asked.from;
        Cow::Owned(asked)
    }

    /// Counts an answer that brought a repair no further; after too many of them everything is read.
    pub(super) fn wait(&mut self, received: &mut Received) {
        let Some(repair) = &mut self.repair else {
            return;
        };
        repair.idle += 1;
        let is_over = repair.idle >= limits::REPAIR_IDLE_ANSWERS_MAX;
        if let Some(peer) = self.peer.clone().filter(|_| is_over) {
            self.give_up(peer, received);
        }
    }

    /// Reads everything, since repairing came to nothing. If that does not help, nothing here does.
    fn give_up(&mut self, mut peer: Peer, received: &mut Received) {
        peer.resets = peer.resets.max(REPAIRS_MAX);
        self.read_everything(peer, &mut received.writes);
    }
}

/// Attempts at making fingerprints agree: a repair, and reading everything.
pub(super) const REPAIRS_MAX: u64 = 2;

enum Differ {
    By(Difference),
    Unknown,
    Never,
}

/// What two sets differ in, as far as these symbols tell.
fn differ(comparison: &mut Comparison, told: &Symbols) -> Differ {
    if told.symbols.is_empty() || !is_worth_comparing(comparison.size(), told.size) {
        return Differ::Never;
    }
    match comparison.take(&told.symbols) {
        Ok(Some(difference)) => Differ::By(difference),
        Ok(None) => Differ::Unknown,
        Err(_) => Differ::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of the table, written out once more from what it has to say: a position never moves
    /// on what was not asked for, and an answer of a repair is only used where the repair is.
    #[test]
    fn every_pair_is_decided() {
        use Heard as H;
        use Move as M;
        use Stage as S;
        let heard = [
            H::Next,
            H::Anew,
            H::OtherSymbols,
            H::Parts,
            H::OtherParts,
            H::Nothing,
        ];
        let table = [
            (
                S::Resting,
                [M::Wait, M::Wait, M::Wait, M::Follow, M::Follow, M::Follow],
            ),
            (
                S::Comparing,
                [
                    M::Compare,
                    M::CompareAnew,
                    M::Wait,
                    M::Wait,
                    M::Wait,
                    M::Wait,
                ],
            ),
            (
                S::Fetching,
                [M::Wait, M::Wait, M::Wait, M::Take, M::Wait, M::Wait],
            ),
        ];
        for (stage, moves) in table {
            for (heard, expected) in heard.into_iter().zip(moves) {
                assert_eq!(decide(stage, heard), expected, "{stage:?}, {heard:?}");
            }
        }
    }
}
