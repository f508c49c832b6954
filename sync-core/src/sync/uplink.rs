//! A node and the node above it: an area's edge gives the province what it accepted and takes what it
//! follows, over the same two messages as a device.
//!
//! The edge signs in as what it is in the catalogue, a key with a right to read its units, and follows
//! what that right covers. [`Uplink::request`] says what comes next, [`Uplink::receive`] what an answer
//! brings – records to take, parts to accept as [`Trust::Relayed`](crate::log::Trust) –, and
//! [`Uplink::settle`] what to keep once those are durable. Two positions are kept, journalled: how far
//! the own log was sent, how far the feed above was taken. They are written after what they tell of, so
//! a cut or a kill repeats one exchange at most, and a part that comes twice changes nothing.
//!
//! What came from above is not sent up again: its positions in the own log are remembered until the
//! sending has passed them. Held parts go up as well, since chains are numbered through them and whoever
//! decides about them sits there. What the node above cannot take yet is tried again after the rest; if it
//! names an earlier part of a chain that it lacks, that is sent again before, and so is all that is held.

mod apart;
mod lacking;
mod place;

use super::message::{Known, PartAnswer, Request, Response, digest_of_parts};
use super::packed::Manner;
use super::proof::Proof;
use crate::batch::SignedPart;
use crate::catalogue::{Catalogue, SignedRecord};
use crate::identity::{ActorId, PartId, ProvinceId};
use crate::limits;
use crate::log::{
    Fingerprint, Follow, Keyspace, KeyspaceError, LogReader, Losing, Verdict, Write, keys,
};

use apart::{held_alone, is_followed, is_followed_there, losing};
pub use place::Place;
use place::Sent;

/// Offers of records in a row that the node above may leave untaken.
const OFFERS_UNTAKEN_MAX: u8 = 3;

/// What became of the comparison at the end of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not compared: more is under way on one side.
    UnderWay,
    /// Both nodes hold the same of what is followed.
    InStep,
    /// They did not, and everything is compared anew from the beginning.
    Again,
    /// They still do not after that: a person has to look.
    Apart,
}

/// What an answer brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Catalogue records, ascending.
    pub records: Vec<SignedRecord>,
    /// Parts to be accepted as relayed, in order.
    pub parts: Vec<SignedPart>,
    /// The node above is another than before, or took a new id.
    pub node_changed: bool,
}

/// What settling an answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// To be made durable before the next request.
    pub write: Write,
    /// What loses here, if the node above accepted another branch of a chain: while nothing else is
    /// written, it is set aside, and those writes, `write` and a new id of this node become durable
    /// together; then everything derived is derived again before anybody is answered.
    pub losing: Option<Losing>,
    /// Ask again at once.
    pub again: bool,
    /// The comparison.
    pub standing: Standing,
    /// Parts that the node above holds durably now, accepted or held.
    pub acknowledged: usize,
}

/// Whether the node above was met, and whether parts are under way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unmet,
    Resting,
    Sending,
}

/// What an answer is to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// The node that was met, about exactly the parts under way.
    Answers,
    /// The node that was met, about other parts: late, or the parts could not be read there.
    OtherAnswers,
    /// Another node than the one that was met, or the first.
    OtherNode,
}

/// What is done with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Its verdicts count and its feed is taken on.
    GoOn,
    /// The first place is kept: nothing sent, nothing taken.
    Begin,
    /// A new place is begun: what was sent to another node is not there.
    BeginAnew,
}

/// The table: what a node does with what it heard. Verdicts about other parts than those under way
/// count as none, so that these are sent again.
fn decide(stage: Stage, heard: Heard) -> Move {
    match (stage, heard) {
        (Stage::Unmet, Heard::Answers | Heard::OtherAnswers | Heard::OtherNode) => Move::Begin,
        (Stage::Resting | Stage::Sending, Heard::Answers | Heard::OtherAnswers) => Move::GoOn,
        (Stage::Resting | Stage::Sending, Heard::OtherNode) => Move::BeginAnew,
    }
}

/// What is under way.
#[derive(Debug, Clone, Default)]
struct Flight {
    parts: Vec<(Sent, SignedPart)>,
    log_through: u64,
    held_through: u64,
    is_retry: bool,
}

/// The state of a node toward the node above it.
#[derive(Debug)]
pub struct Uplink {
    province: ProvinceId,
    /// The chain of the node's own key, which nobody writes.
    actor: ActorId,
    place: Option<Place>,
    /// How messages go between the two nodes.
    manner: Manner,
    flight: Flight,
    /// The last answer, without what it brought, and the parts it brought.
    answer: Option<(Response, Vec<PartId>)>,
    retry_due: bool,
    /// Parts that the node above accepted and this one holds, since they build on others that it holds:
    /// they are taken once more with the next answer.
    waiting: Vec<SignedPart>,
    /// Something was taken since that was tried.
    waiting_due: bool,
    /// In this round the node above named what it lost.
    knows_of_loss: bool,
    reads_on: bool,
    /// The last record above, while it is behind, and how often the next ones were offered.
    behind: Option<(u64, u8)>,
}

impl Uplink {
    /// The state that a node kept.
    pub fn open(
        keyspace: &dyn Keyspace,
        province: ProvinceId,
        actor: ActorId,
    ) -> Result<Self, KeyspaceError> {
        let kept = keyspace.get(&keys::uplink())?;
        Ok(Self {
            province,
            actor,
            place: kept.map(|bytes| Place::decode(&bytes)).transpose()?,
            manner: Manner::default(),
            flight: Flight::default(),
            answer: None,
            retry_due: true,
            waiting: Vec::new(),
            waiting_due: true,
            knows_of_loss: false,
            reads_on: false,
            behind: None,
        })
    }

    /// Where the node stands, if it has met the node above.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    pub(super) fn manner(&self) -> Manner {
        self.manner
    }
    pub(super) fn manner_mut(&mut self) -> &mut Manner {
        &mut self.manner
    }

    /// Begins a round: what could not be taken above is tried once more.
    pub fn begin(&mut self) {
        self.retry_due = true;
        self.waiting_due = true;
        self.knows_of_loss = false;
        self.reads_on = false;
        self.behind = None;
    }

    /// True if the own log has something that was not sent up.
    pub fn has_unsent(&self, keyspace: &dyn Keyspace) -> Result<bool, KeyspaceError> {
        let Some(place) = &self.place else {
            return Ok(true);
        };
        let reader = LogReader(keyspace);
        let end = reader.end()?;
        Ok(place.first_unsent(end).is_some() || reader.held_end()? > place.held_sent)
    }

    /// The next request.
    pub fn request(
        &mut self,
        keyspace: &dyn Keyspace,
        catalogue: &Catalogue,
    ) -> Result<Request, KeyspaceError> {
        let flight = match &self.place {
            // What is read first need not be sent, and what is sent then does not come back.
            Some(place) if !self.reads_on => self.next_flight(keyspace, place)?,
            Some(place) => Flight {
                log_through: place.sent,
                held_through: place.held_sent,
                ..Flight::default()
            },
            None => Flight::default(),
        };
        self.retry_due &= !flight.is_retry;
        self.waiting = match (&self.place, std::mem::take(&mut self.waiting_due)) {
            (Some(place), true) => held_alone(LogReader(keyspace), place)?,
            (_, _) => Vec::new(),
        };
        let records = match &mut self.behind {
            Some((after, offers)) => {
                *offers = offers.saturating_add(1);
                super::node::records_after(keyspace, *after)?.0
            }
            None => Vec::new(),
        };
        let request = Request {
            province: self.province,
            actor: self.actor,
            own_number: 0,
            catalogue_number: catalogue.last_number(),
            known: self.place.as_ref().map(|place| Known {
                node: place.node,
                follow: place.follow.digest(),
                position: place.taken,
            }),
            bytes_max: Proof::Either.with(limits::RESPONSE_ENTRY_BYTES_MAX as u64),
            records,
            parts: flight.parts.iter().map(|(_, part)| part.clone()).collect(),
            repair: None,
        };
        self.flight = flight;
        Ok(request)
    }

    /// Parts of the log and held ones that were not sent, as many as fit; else those to be tried again.
    fn next_flight(&self, keyspace: &dyn Keyspace, place: &Place) -> Result<Flight, KeyspaceError> {
        let reader = LogReader(keyspace);
        let mut flight = Flight {
            log_through: place.sent,
            held_through: place.held_sent,
            ..Flight::default()
        };
        let mut room = Room::default();
        let end = reader.end()?;
        while flight.log_through < end {
            let position = flight.log_through + 1;
            if !place.came_down(position) {
                // A position may be empty: a part can be moved out of a log.
                if let Some(entry) = reader.entry(position)? {
                    if !room.takes(&entry.part) {
                        return Ok(flight);
                    }
                    flight.parts.push((Sent::Log(position), entry.part));
                }
            }
            flight.log_through = position;
        }
        let held_end = reader.held_end()?;
        while flight.held_through < held_end {
            let number = flight.held_through + 1;
            if let Some(held) = reader.held(number)? {
                if !room.takes(&held.part) {
                    return Ok(flight);
                }
                flight.parts.push((Sent::Held(number), held.part));
            }
            flight.held_through = number;
        }
        if !flight.parts.is_empty() || !self.retry_due {
            return Ok(flight);
        }
        for sent in &place.left {
            let part = match sent {
                Sent::Log(position) => reader.entry(*position)?.map(|entry| entry.part),
                Sent::Held(number) => reader.held(*number)?.map(|held| held.part),
            };
            if let Some(part) = part
                && room.takes(&part)
            {
                flight.parts.push((*sent, part));
            }
        }
        flight.is_retry = true;
        Ok(flight)
    }

    fn stage(&self) -> Stage {
        match (&self.place, self.flight.parts.is_empty()) {
            (None, _) => Stage::Unmet,
            (Some(_), true) => Stage::Resting,
            (Some(_), false) => Stage::Sending,
        }
    }

    fn hears(&self, response: &Response) -> Heard {
        let met = self.place.as_ref().map(|place| place.node);
        if met != Some(response.node) {
            return Heard::OtherNode;
        }
        let sent = self.flight.parts.iter().map(|(_, part)| part.id());
        let sent: Vec<PartId> = sent.collect();
        let is_about_them =
            response.answers.len() == sent.len() && response.answers_to == digest_of_parts(&sent);
        match is_about_them {
            true => Heard::Answers,
            false => Heard::OtherAnswers,
        }
    }

    /// Takes an answer to the last request: what is to be taken and accepted before it is settled.
    pub fn receive(&mut self, mut response: Response) -> Brought {
        let mut brought = Brought {
            records: std::mem::take(&mut response.records),
            ..Brought::default()
        };
        let heard = self.hears(&response);
        if heard != Heard::Answers {
            response.answers.clear();
        }
        let entries = std::mem::take(&mut response.entries);
        brought
            .parts
            .extend(entries.into_iter().map(|(_, part)| part));
        for ((from, part), answer) in self.flight.parts.iter().zip(&response.answers) {
            // Held here and accepted above: from now on it counts here, too. What it builds on may have
            // come with the feed.
            if let (Sent::Held(_), PartAnswer::Accepted) = (from, answer) {
                brought.parts.push(part.clone());
            }
        }
        brought.parts.append(&mut self.waiting);
        let follow = response.follow.take();
        match (decide(self.stage(), heard), &mut self.place) {
            (Move::GoOn, Some(place)) => {
                if let Some(follow) = follow {
                    // Another set of partitions: the feed counts from its start again.
                    place.follow = follow;
                    place.taken = 0;
                }
            }
            (Move::GoOn | Move::Begin | Move::BeginAnew, place) => {
                brought.node_changed = place.is_some();
                *place = Some(Place::new(response.node, follow.unwrap_or(none())));
                self.flight = Flight::default();
            }
        }
        let ids = brought.parts.iter().map(SignedPart::id).collect();
        self.answer = Some((response, ids));
        brought
    }

    /// What is to be kept, once the records of the answer were taken and its parts accepted, with the
    /// verdicts on them in order.
    pub fn settle(
        &mut self,
        keyspace: &dyn Keyspace,
        catalogue: &Catalogue,
        verdicts: &[Verdict],
    ) -> Result<Option<Settled>, KeyspaceError> {
        let (Some((response, brought)), Some(mut place)) = (self.answer.take(), self.place.take())
        else {
            return Ok(None);
        };
        let flight = std::mem::take(&mut self.flight);
        let acknowledged = self.take_answers(keyspace, &mut place, &flight, &response)?;
        for (part, verdict) in brought.iter().zip(verdicts) {
            place.took(*part, verdict);
            self.waiting_due |= matches!(verdict, Verdict::Accepted { .. });
        }
        if response.from <= place.taken {
            place.taken = place.taken.max(response.position);
        }
        self.reads_on = response.more;
        self.follow_catalogue(catalogue, &response);
        let losing = losing(LogReader(keyspace), &place, &flight, &response)?;
        if !losing.set_aside(keyspace)?.is_empty() {
            // Positions of the own log name other parts now, and what was taken may count at last.
            let begun = Place::new(place.node, place.follow.clone());
            let write = begun.write();
            self.place = Some(begun);
            (self.reads_on, self.retry_due, self.waiting_due) = (false, true, true);
            return Ok(Some(Settled {
                write,
                losing: Some(losing),
                again: true,
                standing: Standing::UnderWay,
                acknowledged,
            }));
        }
        let waits = self.waiting_due && !held_alone(LogReader(keyspace), &place)?.is_empty();
        self.place = Some(place);
        let unsent = self.has_unsent(keyspace)?;
        let retries = self.retry_due && self.place.as_ref().is_some_and(|p| !p.left.is_empty());
        let lags = response.catalogue_last > catalogue.last_number();
        let offers = self.behind.is_some();
        let mut again = response.more || waits || unsent || retries || lags || offers;
        if self.place.as_ref().is_some_and(Place::is_full) {
            // Nothing more is sent until somebody looked.
            again = false;
        }
        let standing = match again {
            true => Standing::UnderWay,
            false => self.compare(keyspace, &response)?,
        };
        again |= standing == Standing::Again;
        let write = match &self.place {
            Some(place) => place.write(),
            None => return Ok(None),
        };
        Ok(Some(Settled {
            write,
            losing: None,
            again,
            standing,
            acknowledged,
        }))
    }

    /// Tells of what is under way as sent, for a test that this is noticed.
    #[cfg(test)]
    pub(super) fn plant_sent(&mut self, _: &dyn Keyspace) -> Option<Write> {
        let (through, held) = (self.flight.log_through, self.flight.held_through);
        let place = self.place.as_mut()?;
        place.advance(through, held);
        Some(place.write())
    }

    fn take_answers(
        &mut self,
        keyspace: &dyn Keyspace,
        place: &mut Place,
        flight: &Flight,
        response: &Response,
    ) -> Result<usize, KeyspaceError> {
        if response.answers.len() != flight.parts.len() {
            return Ok(0);
        }
        let (mut acknowledged, mut lacks) = (0, false);
        for ((sent, part), answer) in flight.parts.iter().zip(&response.answers) {
            place.left.remove(sent);
            match answer {
                PartAnswer::Accepted => acknowledged += 1,
                PartAnswer::Held(_) | PartAnswer::Refused(_) => {
                    acknowledged += 1;
                    if let Sent::Log(_) = sent {
                        place.only_here.insert(part.id());
                    }
                }
                PartAnswer::Gap(expected) => {
                    place.left.insert(*sent);
                    for earlier in lacking::before(LogReader(keyspace), part, *expected)? {
                        let is_under_way = flight.parts.iter().any(|(sent, _)| *sent == earlier);
                        lacks |= !is_under_way && place.left.insert(earlier);
                    }
                }
                PartAnswer::Waiting => {
                    place.left.insert(*sent);
                }
            }
        }
        let is_news = lacks && !self.knows_of_loss;
        self.knows_of_loss |= lacks;
        self.retry_due |= acknowledged > 0 || is_news;
        if !place.is_full() {
            place.advance(flight.log_through, flight.held_through);
        }
        if is_news {
            // No later part need build on what was held and lost.
            place.held_sent = 0;
        }
        Ok(acknowledged)
    }

    /// Sees whether the node above lacks catalogue records.
    fn follow_catalogue(&mut self, catalogue: &Catalogue, response: &Response) {
        let theirs = response.catalogue_last;
        self.behind = match self.behind {
            _ if theirs >= catalogue.last_number() => None,
            Some((before, offers)) if before == theirs => {
                (offers < OFFERS_UNTAKEN_MAX).then_some((before, offers))
            }
            Some(_) | None => Some((theirs, 0)),
        };
    }

    /// Compares fingerprints of what is followed; what is known to differ is set off.
    fn compare(
        &mut self,
        keyspace: &dyn Keyspace,
        response: &Response,
    ) -> Result<Standing, KeyspaceError> {
        let Some(place) = &self.place else {
            return Ok(Standing::UnderWay);
        };
        let (Some(theirs), true) = (response.fingerprint, place.taken == response.position) else {
            return Ok(Standing::UnderWay);
        };
        let reader = LogReader(keyspace);
        let mut ours = reader.fingerprint(&place.follow)?;
        let mut theirs = theirs;
        for part in place.only_here.iter().copied() {
            if is_followed(&reader, part, &place.follow)? {
                theirs = theirs.plus(Fingerprint::of(part));
            }
        }
        for sent in &place.left {
            if let Sent::Log(position) = sent
                && let Some(entry) = reader.entry(*position)?
                && place.follow.contains(entry.part.part().partition)
            {
                theirs = theirs.plus(Fingerprint::of(entry.part.id()));
            }
        }
        for part in &place.only_there {
            if is_followed_there(&reader, *part, &place.follow)? {
                ours = ours.plus(Fingerprint::of(*part));
            }
        }
        if self.has_unsent(keyspace)? {
            // The log has grown meanwhile.
            return Ok(Standing::UnderWay);
        }
        let Some(place) = &mut self.place else {
            return Ok(Standing::UnderWay);
        };
        if ours == theirs {
            place.resets = 0;
            return Ok(Standing::InStep);
        }
        if place.resets > 0 {
            return Ok(Standing::Apart);
        }
        // From the beginning, both ways. A repair that finds what differs has its place here.
        let begun = Place::new(place.node, place.follow.clone());
        *place = Place { resets: 1, ..begun };
        Ok(Standing::Again)
    }
}

fn none() -> Follow {
    Follow::These(std::collections::BTreeSet::new())
}

/// What still fits a request.
#[derive(Debug, Default)]
struct Room {
    parts: usize,
    bytes: usize,
}

impl Room {
    fn takes(&mut self, part: &SignedPart) -> bool {
        let bytes = self.bytes + part.encode().len();
        let fits = self.parts < limits::PARTS_PER_MESSAGE_MAX
            && (self.parts == 0 || bytes <= limits::REQUEST_PART_BYTES_MAX);
        if fits {
            (self.parts, self.bytes) = (self.parts + 1, bytes);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_decided() {
        use {Heard::*, Move::*, Stage::*};
        let table = [
            (Unmet, [Begin, Begin, Begin]),
            (Resting, [GoOn, GoOn, BeginAnew]),
            (Sending, [GoOn, GoOn, BeginAnew]),
        ];
        for (stage, moves) in table {
            for (heard, expected) in [Answers, OtherAnswers, OtherNode].into_iter().zip(moves) {
                assert_eq!(decide(stage, heard), expected, "{stage:?}, {heard:?}");
            }
        }
    }
}
