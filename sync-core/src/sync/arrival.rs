//! The order of a first contact: what a device that has nothing is sent first.
//!
//! What is due or was returned comes first, then this year, then the rest ([`Usefulness`]). An answer
//! carries parts of one usefulness only, so the first ones are small and their documents are whole on the
//! device while the rest is still under way.
//!
//! A part that comes before others of its feed leaves a hole. So while its first contact lasts a device
//! holds, beside the position up to which it has everything, the set of positions it has beyond that
//! ([`Arrival`]), and says both with each request. The node keeps nothing: it sends of what is lacking the
//! most useful. That is why nothing can go wrong when a report is returned, a year ends or the log grows
//! between two requests: what is useful is asked anew each time, what is there is told by the device. A
//! cut costs one answer. When nothing is lacking the position says it all again, and only then
//! fingerprints are compared: before that both sides know that something is missing.
//!
//! A change is judged by its past, and the past of a change is changes of its own document. So a part is
//! as useful as the most useful document it is about, and with it all earlier parts about any of its
//! documents: the feed is walked from its end to its start once, and within one usefulness the order is
//! that of the feed. Everything else that a part needs travels with it.
//!
//! What a node does, by what it is asked (`page`):
//!
//! | | |
//! |---|---|
//! | nothing is lacking | no parts, the end of the feed, the fingerprint |
//! | what is lacking is all as useful and fits | it, the end of the feed, the fingerprint |
//! | more is lacking | the most useful parts, then the position and the set |
//! | the most useful parts would leave too many holes | parts from the first hole on, then the position and the set |
//! | what is lacking is all of years that are left out | no parts, the end of the feed, the fingerprint, and what is left out |
//! | too many parts are lacking to be put in order, or an older program asks | parts after the position, in the order of the feed |
//!
//! A device may say how many years back it wants ([`extent`](super::extent)). What is older, and no document of
//! which it has or needs first, is lacking and never sent.
//!
//! What a device does is in `device/receive.rs`: it adds the set to its own, whatever answer it comes with
//! and however late, since all that an answer says is true of a device that had what it asked with.

use std::collections::{BTreeMap, BTreeSet};

use super::census::Census;
use super::extent::{Extent, Settled};
use super::message::Request;
use super::node::Session;
use super::proof;
use super::repair::{Ask, Told};
use crate::batch::SignedPart;
use crate::catalogue::Catalogue;
use crate::codec::{DecodeError, Reader, Writer};
use crate::date::Date;
use crate::document::{Statement, Subject, sign_off};
use crate::gate;
use crate::identity::{ActorId, DocumentId, PartId};
use crate::limits;
use crate::log::{FeedPage, KeyspaceError, LogEntry, LogReader, Positions};
use crate::period::Period;

/// How soon somebody needs a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usefulness {
    /// It is due and not handed in, or it was returned.
    #[default]
    Urgent,
    /// Its period reaches into this year.
    ThisYear,
    /// It is of an earlier year.
    Earlier,
}

impl Usefulness {
    const ALL: [Self; 3] = [Self::Urgent, Self::ThisYear, Self::Earlier];

    fn byte(self) -> u8 {
        match self {
            Self::Urgent => 0,
            Self::ThisYear => 1,
            Self::Earlier => 2,
        }
    }
}

/// How far a first contact came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// What the device has beyond its position.
    pub has: Positions,
    /// How useful at most is what it lacks, as the node last said.
    pub next: Usefulness,
}

impl Arrival {
    /// Appends the bytes.
    pub(super) fn write(&self, to: &mut Writer) {
        to.u8(self.next.byte());
        self.has.write(to);
    }

    /// Reads the bytes.
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let byte = from.u8("usefulness")?;
        let next = Usefulness::ALL.into_iter().find(|one| one.byte() == byte);
        Ok(Self {
            next: next.ok_or(DecodeError::Undefined("usefulness"))?,
            has: Positions::read(from, limits::ARRIVAL_RUNS_MAX)?,
        })
    }

    /// With what an answer says, for a device that has everything up to a position by now.
    pub(super) fn with(&self, told: &Self, position: u64) -> Self {
        let both = self.has.union(&told.has).after(position);
        // An answer that is late may leave more holes than can be told. What it says alone is true too.
        let has = match both.runs() <= limits::ARRIVAL_RUNS_MAX {
            true => both,
            false => told.has.after(position),
        };
        Self {
            has,
            next: told.next,
        }
    }
}

/// Reports that are due about now: template and period.
pub type Due = BTreeSet<(String, String)>;

/// What is due about a moment by the catalogue.
pub(super) fn due(catalogue: &Catalogue, now: i64) -> Due {
    let today = Date::of_timestamp(now);
    let days = limits::DUE_AROUND_DAYS;
    let (Some(first), Some(last)) = (today.plus(-days), today.plus(days)) else {
        return Due::new();
    };
    let (first, last) = (first.to_string(), last.to_string());
    let about_now = |due: &str| first.as_str() <= due && due <= last.as_str();
    let duties = catalogue.duties().filter(|duty| about_now(&duty.due));
    duties
        .map(|duty| (duty.template.clone(), duty.period.clone()))
        .collect()
}

/// How useful a document is by itself. `said` is what was last stated about it.
fn usefulness(subject: &Subject, said: Option<Statement>, due: &Due, today: Date) -> Usefulness {
    let is_due = || due.contains(&(subject.template.clone(), subject.period.clone()));
    match said {
        Some(Statement::Returned) => return Usefulness::Urgent,
        None | Some(Statement::Prepared | Statement::Signed) if is_due() => {
            return Usefulness::Urgent;
        }
        None
        | Some(
            Statement::HandedIn
            | Statement::Prepared
            | Statement::Signed
            | Statement::Accepted
            | Statement::Approved,
        ) => {}
    }
    match subject.period.parse::<Period>() {
        Ok(period) if period.last_day().year() < today.year() => Usefulness::Earlier,
        Ok(_) | Err(_) => Usefulness::ThisYear,
    }
}

/// Documents that lacking parts are about.
#[derive(Default)]
struct Documents {
    places: BTreeMap<DocumentId, usize>,
    /// What was last stated about each.
    said: Vec<Option<Statement>>,
    /// Lacking parts in the order of the feed, with the places of their documents.
    parts: Vec<(u64, Vec<usize>)>,
}

impl Documents {
    fn place(&mut self, document: DocumentId) -> usize {
        let next = self.said.len();
        let place = *self.places.entry(document).or_insert(next);
        if place == next {
            self.said.push(None);
        }
        place
    }

    fn take(&mut self, position: u64, part: &SignedPart) {
        let mut documents = Vec::new();
        for (about, bytes) in part.entries() {
            let place = self.place(about.document());
            if !documents.contains(&place) {
                documents.push(place);
            }
            // The key of a sign-off has a stroke in it: only what has one is read at all.
            let statement = bytes
                .filter(|bytes| bytes.contains(&b'/'))
                .and_then(|bytes| gate::decode(bytes).ok())
                .and_then(|change| sign_off::last_statement(&change));
            if let (Some(statement), Some(said)) = (statement, self.said.get_mut(place)) {
                *said = Some(statement);
            }
        }
        self.parts.push((position, documents));
    }

    /// How useful each document is by itself, by its place.
    fn needed(
        &self,
        reader: LogReader<'_>,
        due: &Due,
        today: Date,
    ) -> Result<Vec<Usefulness>, KeyspaceError> {
        let mut needed = vec![Usefulness::Earlier; self.said.len()];
        for (document, place) in &self.places {
            let subject = reader.subject(*document)?;
            let said = self.said.get(*place).copied().flatten();
            if let (Some(subject), Some(needed)) = (subject, needed.get_mut(*place)) {
                *needed = usefulness(&subject, said, due, today);
            }
        }
        Ok(needed)
    }

    /// Those that somebody needs first.
    fn urgent(&self, needed: &[Usefulness]) -> BTreeSet<DocumentId> {
        let is_urgent =
            |(_, place): &(&DocumentId, &usize)| needed.get(**place) == Some(&Usefulness::Urgent);
        let urgent = self.places.iter().filter(is_urgent);
        urgent.map(|(document, _)| *document).collect()
    }

    /// How useful the part at each position is.
    fn order(self, mut needed: Vec<Usefulness>) -> BTreeMap<u64, Usefulness> {
        let mut order = BTreeMap::new();
        // What a part builds on comes before it.
        for (position, documents) in self.parts.iter().rev() {
            let of = documents.iter().filter_map(|place| needed.get(*place));
            let of = of.min().copied().unwrap_or(Usefulness::Earlier);
            for place in documents {
                if let Some(needed) = needed.get_mut(*place) {
                    *needed = of;
                }
            }
            order.insert(*position, of);
        }
        order
    }
}

/// A feed after the position up to which a device has everything.
#[derive(Clone)]
struct Rest {
    from: u64,
    /// Its positions, ascending, and whether the device has what stands there.
    feed: Vec<(u64, bool)>,
    /// How useful what is lacking is; what is not told is of earlier years.
    order: BTreeMap<u64, Usefulness>,
    /// What is lacking and not to be sent.
    left: BTreeSet<u64>,
}

impl Rest {
    fn usefulness(&self, position: u64) -> Usefulness {
        let told = self.order.get(&position).copied();
        told.unwrap_or(Usefulness::Earlier)
    }

    /// True if the device has what stands at a position of the feed.
    fn has_one(&self, position: u64) -> bool {
        let at = self.feed.binary_search_by_key(&position, |(at, _)| *at);
        match at.ok().and_then(|at| self.feed.get(at)) {
            Some((_, is_there)) => *is_there,
            None => position <= self.from,
        }
    }

    /// The most useful of what is lacking and to be sent; none if nothing is.
    fn next(&self) -> Option<Usefulness> {
        let is_lacking = |at: &&(u64, bool)| !at.1 && !self.left.contains(&at.0);
        let lacking = self.feed.iter().filter(is_lacking);
        lacking
            .map(|(position, _)| self.usefulness(*position))
            .min()
    }

    /// The position up to which the device has everything, and what it has beyond it. What the feed does
    /// not have lies in no hole.
    fn has(&self) -> (u64, Positions) {
        let mut feed = self.feed.iter().peekable();
        let mut position = self.from;
        while let Some((next, _)) = feed.next_if(|(_, is_there)| *is_there) {
            position = *next;
        }
        let mut has = Positions::default();
        let mut run = None;
        for (position, is_there) in feed {
            run = match (is_there, run) {
                (true, None) => Some((*position, *position)),
                (true, Some((first, _))) => Some((first, *position)),
                (false, Some((first, last))) => {
                    has.push(first, last);
                    None
                }
                (false, None) => None,
            };
        }
        if let Some((first, last)) = run {
            has.push(first, last);
        }
        (position, has)
    }
}

/// Reads what is lacking.
struct Giving<'a> {
    reader: LogReader<'a>,
    /// The chain that the device writes, and up to which number it has all of it.
    own: Option<(ActorId, u64)>,
    bytes_max: usize,
}

impl Giving<'_> {
    /// The part at a position; none if the device made it.
    fn read(&self, position: u64) -> Result<Option<LogEntry>, KeyspaceError> {
        let entry = self.reader.entry(position)?;
        let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
        let is_own = self.own.is_some_and(|(actor, through)| {
            entry.part.actor() == actor && entry.part.header().number <= through
        });
        Ok((!is_own).then_some(entry))
    }

    /// Parts that are at least so useful, about as many as fit and at least one, and what is left.
    fn fill(
        &self,
        rest: &Rest,
        least: Usefulness,
    ) -> Result<(Vec<(u64, LogEntry)>, Rest), KeyspaceError> {
        let mut after = rest.clone();
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (position, is_there) in &mut after.feed {
            let is_left = rest.left.contains(position);
            if *is_there || is_left || rest.usefulness(*position) > least {
                continue;
            }
            if let Some(entry) = self.read(*position)? {
                let length = entry.part.encode().len();
                if bytes > 0 && bytes + length > self.bytes_max {
                    break;
                }
                bytes += length;
                entries.push((*position, entry));
            }
            *is_there = true;
        }
        Ok((entries, after))
    }
}

/// At a node: the most useful parts that a device lacks, about as many as fit, and what it then has. None
/// if they are too many to be put in order.
pub(super) fn page(
    reader: LogReader<'_>,
    session: &Session,
    (request, brought): (&Request, &BTreeSet<PartId>),
    known: Option<u64>,
    (bytes_max, now): (usize, i64),
) -> Result<Option<(FeedPage, Option<Told>)>, KeyspaceError> {
    let from = known.unwrap_or(0);
    let before = match (&request.repair, known) {
        (Some(Ask::Rest(arrival)), Some(_)) => arrival.clone(),
        (_, _) => Arrival::default(),
    };
    // The log may grow while it is read: what comes after its end of now is no part of this.
    let end = reader.end()?;
    let (mut feed, mut lacks) = (Vec::new(), 0);
    reader.each_part(&session.follow, end, &mut |position, part| {
        if position > from && lacks <= limits::PARTS_ORDERED_MAX {
            let is_there = before.has.contains(position) || brought.contains(&part);
            lacks += usize::from(!is_there);
            feed.push((position, is_there));
        }
    })?;
    if lacks > limits::PARTS_ORDERED_MAX {
        return Ok(None);
    }
    feed.sort_unstable();
    let own = known.map(|_| (request.actor, request.own_number));
    let giving = Giving {
        reader,
        own,
        bytes_max,
    };
    let (order, left) = (BTreeMap::new(), BTreeSet::new());
    let mut rest = Rest {
        from,
        feed,
        order,
        left,
    };
    let today = Date::of_timestamp(now);
    let years = proof::years(request.bytes_max);
    let census = match years {
        Some(_) => Census::read(reader, session, end)?,
        None => None,
    };
    let mut settled = None;
    if before.next < Usefulness::Earlier || census.is_some() {
        let mut documents = Documents::default();
        for (position, is_there) in &mut rest.feed {
            if !*is_there {
                match giving.read(*position)? {
                    Some(entry) => documents.take(*position, &entry.part),
                    None => *is_there = true,
                }
            }
        }
        let needed = documents.needed(reader, &session.due, today)?;
        if let (Some(census), Some(years)) = (census, years) {
            let since = today.year().saturating_sub(years.into());
            let mut also = documents.urgent(&needed);
            also.extend(census.documents_of(|position| rest.has_one(position)));
            rest.left = census.left_out(&Extent { since, also });
            let left = census.tell(&rest.left);
            settled = Some(Settled { since, left });
        }
        rest.order = documents.order(needed);
    }
    let most = rest.next().unwrap_or(Usefulness::Earlier);
    let (mut entries, mut after) = giving.fill(&rest, most)?;
    if after.next().is_some() && after.has().1.runs() > limits::ARRIVAL_RUNS_MAX {
        // Some of what was to be left out goes along: the device has less of nothing by it.
        rest.left.clear();
        (entries, after) = giving.fill(&rest, Usefulness::Earlier)?;
    }
    let (position, has) = after.has();
    let next = after.next();
    let page = |position| FeedPage {
        entries,
        position,
        more: next.is_some(),
    };
    if next.is_none()
        && !after.left.is_empty()
        && let Some(settled) = settled
    {
        let last = after.feed.last().map_or(from, |(position, _)| *position);
        return Ok(Some((page(last), Some(Told::Settled(settled)))));
    }
    let told = next.filter(|next| !has.is_empty() || *next == Usefulness::Earlier);
    let told = told.map(|next| Told::Rest(Arrival { has, next }));
    Ok(Some((page(position), told)))
}
