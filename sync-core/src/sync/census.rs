//! At a node: which parts of a feed are about which documents, and what of them a device leaves out
//! ([`extent`](super::extent)).

use std::collections::{BTreeMap, BTreeSet};

use super::extent::{Extent, LeftOut, Older, ToldOlder, YearLeftOut, year_of};
use super::node::Session;
use super::repair::Told;
use crate::batch::Entry;
use crate::identity::{ActorId, DocumentId, PartId};
use crate::limits;
use crate::log::{FeedPage, Fingerprint, KeyspaceError, LogReader};

/// A part of a feed.
struct Counted {
    position: u64,
    part: PartId,
    bytes: u64,
    /// The places of its documents.
    documents: Vec<usize>,
}

/// The parts of a feed up to a position, with the documents they are about.
#[derive(Default)]
pub(super) struct Census {
    places: BTreeMap<DocumentId, usize>,
    /// The year of each document; none if it is never left out.
    years: Vec<Option<u16>>,
    /// In the order of the feed.
    parts: Vec<Counted>,
}

impl Census {
    /// Reads a feed up to a position; none if it has too many parts.
    pub(super) fn read(
        reader: LogReader<'_>,
        session: &Session,
        through: u64,
    ) -> Result<Option<Self>, KeyspaceError> {
        let mut parts = Vec::new();
        reader.each_part(&session.follow, through, &mut |position, part| {
            if parts.len() <= limits::PARTS_ORDERED_MAX {
                parts.push((position, part));
            }
        })?;
        if parts.len() > limits::PARTS_ORDERED_MAX {
            return Ok(None);
        }
        parts.sort_unstable();
        let mut census = Self::default();
        for (position, part) in parts {
            let entry = reader.entry(position)?;
            let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
            let mut documents = Vec::new();
            for document in entry.part.part().entries.iter().map(Entry::document) {
                let place = census.place(reader, document)?;
                if !documents.contains(&place) {
                    documents.push(place);
                }
            }
            census.parts.push(Counted {
                position,
                part,
                bytes: entry.part.encode().len() as u64,
                documents,
            });
        }
        Ok(Some(census))
    }

    fn place(
        &mut self,
        reader: LogReader<'_>,
        document: DocumentId,
    ) -> Result<usize, KeyspaceError> {
        if let Some(place) = self.places.get(&document) {
            return Ok(*place);
        }
        let subject = reader.subject(document)?;
        let place = self.years.len();
        self.years.push(subject.as_ref().and_then(year_of));
        self.places.insert(document, place);
        Ok(place)
    }

    /// The documents of some parts.
    pub(super) fn documents_of(&self, is_one: impl Fn(u64) -> bool) -> BTreeSet<DocumentId> {
        let ones = self.parts.iter();
        let ones = ones.filter(|part| is_one(part.position));
        let places: BTreeSet<usize> = ones.flat_map(|part| &part.documents).copied().collect();
        let documents = self.places.iter();
        documents
            .filter(|(_, place)| places.contains(place))
            .map(|(document, _)| *document)
            .collect()
    }

    /// The positions of what is left out.
    pub(super) fn left_out(&self, extent: &Extent) -> BTreeSet<u64> {
        let mut ties = vec![Vec::new(); self.years.len()];
        for (at, part) in self.parts.iter().enumerate() {
            if part.documents.len() > 1 {
                for place in &part.documents {
                    if let Some(ties) = ties.get_mut(*place) {
                        ties.push(at);
                    }
                }
            }
        }
        let mut kept = vec![false; self.years.len()];
        let mut next: Vec<usize> = self
            .places
            .iter()
            .filter(|(document, place)| {
                let year = self.years.get(**place).copied().flatten();
                year.is_none_or(|year| year >= extent.since) || extent.also.contains(document)
            })
            .map(|(_, place)| *place)
            .collect();
        // What a part about a document that is there is about as well is there too.
        while let Some(place) = next.pop() {
            match kept.get_mut(place) {
                Some(kept) if !*kept => *kept = true,
                Some(_) | None => continue,
            }
            let tied = ties.get_mut(place).map(std::mem::take).unwrap_or_default();
            let tied = tied.into_iter().filter_map(|at| self.parts.get(at));
            next.extend(tied.flat_map(|part| &part.documents));
        }
        let is_kept = |place: &usize| kept.get(*place).copied().unwrap_or(true);
        let left = self.parts.iter();
        let left = left.filter(|part| !part.documents.iter().any(is_kept));
        left.map(|part| part.position).collect()
    }

    /// What is to be told of what is left out.
    pub(super) fn tell(&self, left: &BTreeSet<u64>) -> LeftOut {
        let mut fingerprint = Fingerprint::default();
        let mut years: BTreeMap<u16, (BTreeSet<usize>, u64)> = BTreeMap::new();
        for part in &self.parts {
            if !left.contains(&part.position) {
                continue;
            }
            fingerprint = fingerprint.plus(Fingerprint::of(part.part));
            let mut bytes = part.bytes;
            for place in &part.documents {
                let year = self.years.get(*place).copied().flatten().unwrap_or(0);
                let of = years.entry(year).or_default();
                of.0.insert(*place);
                of.1 += std::mem::take(&mut bytes);
            }
        }
        let mut told: Vec<YearLeftOut> = Vec::new();
        let too_many = years.len().saturating_sub(limits::YEARS_LEFT_OUT_MAX);
        for (at, (year, (documents, bytes))) in years.into_iter().enumerate() {
            let documents = documents.len() as u64;
            let one = YearLeftOut {
                year,
                documents,
                bytes,
            };
            match told.last_mut().filter(|_| at <= too_many) {
                Some(first) => {
                    first.year = year;
                    first.documents += documents;
                    first.bytes += bytes;
                }
                None => told.push(one),
            }
        }
        LeftOut {
            fingerprint,
            years: told,
        }
    }
}

/// At a node: a piece of what a device left out and asks for, up to the position that it names.
pub(super) fn page(
    reader: LogReader<'_>,
    session: &Session,
    own: Option<(ActorId, u64)>,
    (older, position): (&Older, u64),
    bytes_max: usize,
) -> Result<(FeedPage, Told), KeyspaceError> {
    let mut page = FeedPage {
        entries: Vec::new(),
        position,
        // What comes after the position is asked for then.
        more: true,
    };
    let mut told = ToldOlder {
        tag: older.tag(),
        after: older.after,
        through: position,
        more: false,
        left: None,
    };
    let Some(census) = Census::read(reader, session, position)? else {
        return Ok((page, Told::Older(told)));
    };
    let left = census.left_out(&older.wanted);
    told.left = Some(census.tell(&left));
    let lacking = census.left_out(&older.extent);
    let mut bytes = 0;
    for at in lacking.difference(&left).filter(|at| **at > older.after) {
        let entry = reader.entry(*at)?;
        let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
        let header = entry.part.header();
        if own.is_some_and(|(actor, last)| entry.part.actor() == actor && header.number <= last) {
            continue;
        }
        let length = entry.part.encode().len();
        if bytes > 0 && bytes + length > bytes_max {
            told.more = true;
            break;
        }
        bytes += length;
        told.through = *at;
        page.entries.push((*at, entry));
    }
    if !told.more {
        told.through = position;
    }
    Ok((page, Told::Older(told)))
}
