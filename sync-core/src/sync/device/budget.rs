//! What goes first, and what waits, when not everything may travel today.
//!
//! **Where an order can be chosen.** A chain's parts arrive in the order of their numbers, and a change
//! only after the changes it was made on; both are signed, so nothing can be moved once it is sealed. A
//! node's answer follows its one position, which can leave nothing out. So priority is decided when a
//! draft is sealed: sign-offs and numbers ([`Rank::First`]) become changes of their own in earlier
//! batches, and texts stay in the draft – durable, not yet in any chain – or are sealed behind them. That
//! holds for every road: a request and a bundle both take what waits in the order of the log.
//! It does not reach further back: a text that was sealed (the person locked the tablet, or a colleague's
//! change to the same report came) stands before the numbers that are typed after it.
//!
//! Without a limit drafts are sealed whole, as few changes as possible, unless they are more than one
//! request brings. With one ([`Budget`](crate::sync::budget::Budget)):
//!
//! - the request brings as many whole batches as the rest of the day has room for, and asks for as many
//!   entries as then still fit; what a node answers beside them (verdicts, records of the catalogue) is
//!   counted, not limited;
//! - texts are sealed when there is room for them after what waits, and at a new day's first exchange
//!   those that were typed on an earlier day, whatever they weigh: they stand before that day's numbers;
//! - a batch that no day has room for goes on a day on which nothing else of ours was delivered yet.
//!   So everything goes in the end, in its order, and the limit is exceeded by one batch at most;
//! - a request that was begun is made again as it was, so that what a cut left of it goes on.

use std::collections::BTreeSet;

use super::{Device, DeviceError};
use crate::batch::SignedPart;
use crate::date::Date;
use crate::document::{Edit, Entry};
use crate::identity::{BatchId, DocumentId, PartId};
use crate::limits;
use crate::log::{Keyspace, KeyspaceError, MemoryKeyspace, Write};
use crate::sync::Frame;
use crate::sync::budget::{Budget, BudgetStanding};
use crate::sync::draft::Draft;
use crate::sync::message::Request;
use crate::sync::proof::{self, Proof};

const TAG: u8 = 0x2a;

/// What an edit is when bandwidth is scarce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Sign-offs, numbers, and the version of the form that they are filled by.
    First,
    /// Notes, narrative, what is attached.
    Text,
}

impl Rank {
    pub(super) fn of(edit: &Edit) -> Self {
        match edit.entry {
            Entry::Cell { .. }
            | Entry::Carried { .. }
            | Entry::TemplateVersion(_)
            | Entry::SignOff { .. } => Self::First,
            Entry::Note { .. }
            | Entry::Source { .. }
            | Entry::Reason { .. }
            | Entry::Comment { .. }
            | Entry::Narrative { .. }
            | Entry::NarrativeText { .. }
            | Entry::Attachment { .. } => Self::Text,
        }
    }
}

/// A request that a limit shaped, until it is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Begun {
    parts: Vec<PartId>,
    bytes_max: u64,
}

/// What sending would cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of requests that bring everything that waits, with what travels around them.
    pub all: u64,
    /// Bytes of what goes now.
    pub now: u64,
    /// The parts that go now; of the others the day has no room.
    pub parts: BTreeSet<PartId>,
    /// Edits that stay in drafts, since the day has no room for them either.
    pub drafted: usize,
}

pub(super) fn read(keyspace: &MemoryKeyspace) -> Result<Budget, KeyspaceError> {
    match keyspace.get(&[TAG])? {
        Some(bytes) => Budget::decode(&bytes).map_err(|_| KeyspaceError::Damaged("budget")),
        None => Ok(Budget::default()),
    }
}

impl Device {
    /// How the day stands.
    pub fn budget(&self, now: i64) -> BudgetStanding {
        self.budget.standing(now)
    }

    /// Sets how many bytes may travel in a day; none: as many as there are.
    pub fn set_budget(&mut self, per_day: Option<u64>) -> Vec<Write> {
        self.keep_budget(self.budget.limited(per_day))
    }

    /// Counts bytes that travelled, both ways, over so many connections; `delivered` if a node
    /// acknowledged something with them. Nothing is kept where there is no limit.
    pub fn spend(&mut self, bytes: u64, connections: u64, delivered: bool, now: i64) -> Vec<Write> {
        if self.budget.standing(now).per_day.is_none() || connections == 0 {
            return Vec::new();
        }
        self.keep_budget(self.budget.after(bytes, connections, delivered, now))
    }

    fn keep_budget(&mut self, budget: Budget) -> Vec<Write> {
        let value = Some(budget.encode());
        let key = vec![TAG];
        self.budget = budget;
        let mut writes = Vec::new();
        self.take(vec![Write { key, value }], &mut writes);
        writes
    }

    /// Seals what is to go with the next request: everything, or with a limit what goes first and the
    /// rest as far as there is room for it. `anyway`: a person has said that today's limit does not count.
    pub fn seal_within(&mut self, now: i64, anyway: bool) -> Result<Vec<Write>, DeviceError> {
        let standing = self.budget(now);
        let Some(left) = standing.left.filter(|_| !anyway) else {
            return self.seal(now);
        };
        let today = Date::of_timestamp(now);
        let earlier = |draft: &Draft| {
            let mut edits = draft.edits.iter();
            edits.any(|edit| Date::of_timestamp(edit.typed_at) != today)
        };
        let old = self.drafts.iter().filter(|(_, draft)| earlier(draft));
        let old: Vec<DocumentId> = old.map(|(document, _)| *document).collect();
        let mut writes = self.seal_documents(&old, now)?;
        writes.extend(self.seal_first(now)?);
        // One report after the other: a batch is what goes or waits as a whole.
        let room = left.saturating_sub(self.cost(now, true)?.all);
        for document in self.texts_for(room) {
            writes.extend(self.seal_documents(&[document], now)?);
        }
        Ok(writes)
    }

    /// The documents of which texts wait in drafts that there is room for.
    fn texts_for(&self, mut room: u64) -> Vec<DocumentId> {
        let mut fit = Vec::new();
        for (document, draft) in &self.drafts {
            let mut text = draft.clone();
            text.edits.retain(|edit| Rank::of(edit) == Rank::Text);
            let cost = text.encode().len() as u64 + limits::BATCH_AROUND_BYTES;
            if cost <= room {
                room -= cost;
                fit.push(*document);
            }
        }
        fit
    }

    /// The next request, packed, within what is left of the day; none when there is no room for anything.
    pub fn packed_request_within(
        &mut self,
        now: i64,
        anyway: bool,
    ) -> Result<Option<Frame>, DeviceError> {
        match self.request_within(now, anyway)? {
            Some(request) => Ok(Some(self.pack_request(request)?)),
            None => Ok(None),
        }
    }

    /// The next request within what is left of the day, to be packed.
    pub fn request_within(
        &mut self,
        now: i64,
        anyway: bool,
    ) -> Result<Option<Request>, DeviceError> {
        let standing = self.budget(now);
        let Some(left) = standing.left.filter(|_| !anyway) else {
            return self.request().map(Some);
        };
        if left == 0 {
            return Ok(None);
        }
        let begun = std::mem::take(&mut self.begun);
        let is_begun = !begun.parts.is_empty() && begun.parts == self.in_flight;
        let mut request = self.request()?;
        if is_begun && begins_with(&request.parts, &begun.parts) {
            request.parts.truncate(begun.parts.len());
            request.bytes_max = begun.bytes_max;
        } else {
            let (fit, cost) = self.fitting(&request, left)?;
            let is_first = fit == 0 && !standing.delivered && !request.parts.is_empty();
            let parts = match is_first {
                true => first_batch(&request.parts),
                false => fit,
            };
            request.parts.truncate(parts);
            let room = if is_first {
                0
            } else {
                left.saturating_sub(cost)
            };
            let asks = request.bytes_max > 0;
            let has_room = room >= limits::ANSWER_BYTES_LEAST;
            // A repair asks for no entries: what it brings needs room as well.
            if request.parts.is_empty() && !has_room {
                self.in_flight.clear();
                return Ok(None);
            }
            request.bytes_max = match asks && has_room {
                true => {
                    Proof::instead(request.bytes_max, room.min(proof::bytes(request.bytes_max)))
                }
                false => 0,
            };
        }
        self.in_flight = request.parts.iter().map(SignedPart::id).collect();
        self.begun = Begun {
            parts: self.in_flight.clone(),
            bytes_max: request.bytes_max,
        };
        Ok(Some(request))
    }

    /// How many parts of a request fit, whole batches of them, and what it then costs.
    fn fitting(&self, request: &Request, left: u64) -> Result<(usize, u64), DeviceError> {
        let ends = batch_ends(&request.parts);
        let cost = |parts: usize| -> Result<u64, DeviceError> {
            let mut some = request.clone();
            some.parts.truncate(parts);
            let frame = self.pack_request(some)?.encode().len() as u64;
            Ok(frame + limits::CONNECTION_AROUND_BYTES)
        };
        let (mut most, mut best) = (0, cost(0)?);
        let (mut low, mut high) = (0, ends.len());
        // What is packed grows with what is in it: halves are tried.
        while low < high {
            let middle = low + (high - low) / 2;
            let parts = ends.get(middle).copied().unwrap_or(0);
            let bytes = cost(parts)?;
            if bytes <= left {
                (most, best) = (parts, bytes);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok((most, best))
    }

    /// What sending would cost now; nothing of the device changes.
    pub fn cost(&mut self, now: i64, anyway: bool) -> Result<Cost, DeviceError> {
        let before = (self.in_flight.clone(), self.begun.clone(), self.manner());
        let cost = self.cost_of_next(now, anyway);
        (self.in_flight, self.begun) = (before.0, before.1);
        self.set_manner(before.2);
        cost
    }

    fn cost_of_next(&mut self, now: i64, anyway: bool) -> Result<Cost, DeviceError> {
        let around = limits::CONNECTION_AROUND_BYTES;
        let whole = self.request()?;
        let mut cost = Cost::default();
        if !whole.parts.is_empty() {
            cost.all = self.pack_request(whole)?.encode().len() as u64 + around;
        }
        if let Some(left) = self.budget(now).left.filter(|_| !anyway) {
            let fit = self.texts_for(left.saturating_sub(cost.all));
            let stay = self.drafts.iter().filter(|(id, _)| !fit.contains(id));
            let texts = stay.flat_map(|(_, draft)| &draft.edits);
            cost.drafted = texts.filter(|edit| Rank::of(edit) == Rank::Text).count();
        }
        if cost.all == 0 {
            return Ok(cost);
        }
        self.in_flight.clear();
        if let Some(request) = self.request_within(now, anyway)? {
            cost.parts = request.parts.iter().map(SignedPart::id).collect();
            if !cost.parts.is_empty() {
                cost.now = self.pack_request(request)?.encode().len() as u64 + around;
            }
        }
        Ok(cost)
    }
}

fn begins_with(parts: &[SignedPart], ids: &[PartId]) -> bool {
    parts.len() >= ids.len() && parts.iter().zip(ids).all(|(part, id)| part.id() == *id)
}

/// How many parts stand before the end of each batch.
fn batch_ends(parts: &[SignedPart]) -> Vec<usize> {
    let batches: Vec<BatchId> = parts.iter().map(SignedPart::batch_id).collect();
    let last = |at: &usize| batches.get(*at) != batches.get(*at + 1);
    (0..batches.len()).filter(last).map(|at| at + 1).collect()
}

fn first_batch(parts: &[SignedPart]) -> usize {
    batch_ends(parts).first().copied().unwrap_or(0)
}
