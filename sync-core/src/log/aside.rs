//! Setting a branch of a chain aside, so that the one which the node above accepted can stand.
//!
//! A device key that was copied has two branches from some batch on. Two nodes may each have accepted
//! another of them before they spoke; the node above decides by what it accepted. Whoever is below moves
//! the losing branch out of its log into what it holds, and with it everything that builds on it: its
//! changes would lack their past. Nothing is thrown away, and whatever the node above did accept comes
//! back with its feed, so that setting too much aside costs bytes and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::staging::PartPlace;
use super::{HeldEntry, HeldReason, Keyspace, KeyspaceError, LogReader, Write, keys};
use crate::batch::{Entry, SignedPart};
use crate::gate;
use crate::identity::{ActorId, BatchId, ChangeHash, DocumentId, PartId};

/// What is known to lose: chains, each from a batch number on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losing {
    first: BTreeMap<ActorId, u64>,
    standing: BTreeSet<BatchId>,
}

/// What was set aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetAside {
    /// The parts, in the order of the log, with the numbers under which they are held.
    pub parts: Vec<(u64, SignedPart)>,
    /// Writes of the truth alone: what is derived has to be derived again. Cut out of the log and held
    /// must become durable together.
    pub writes: Vec<Write>,
}

impl SetAside {
    /// True if nothing contradicts what stands.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// True for reasons that say: another branch of this chain stands.
pub fn is_fork(reason: HeldReason) -> bool {
    match reason {
        HeldReason::Equivocation | HeldReason::SequenceReused => true,
        HeldReason::KeyEnded
        | HeldReason::NotAllowed
        | HeldReason::UnknownTemplate
        | HeldReason::Subject
        | HeldReason::Gate
        | HeldReason::WaitsForHeld
        | HeldReason::LocalRow => false,
    }
}

impl Losing {
    fn from(&mut self, actor: ActorId, number: u64) {
        let first = self.first.entry(actor).or_insert(number);
        *first = number.min(*first);
    }

    /// This part stands, by the word of the node above: what contradicts it in this log loses.
    pub fn to_standing(
        &mut self,
        reader: LogReader<'_>,
        part: &SignedPart,
    ) -> Result<(), KeyspaceError> {
        let (actor, batch) = (part.actor(), part.batch_id());
        let header = part.header();
        self.standing.insert(batch);
        let kept = reader.batch(actor, header.number)?;
        if kept.is_some_and(|kept| kept != batch) {
            self.from(actor, header.number);
        }
        if header.number > 1 {
            let before = reader.batch(actor, header.number - 1)?;
            if before.is_some_and(|before| before != header.previous) {
                self.from(actor, header.number - 1);
            }
        }
        for next in reader.parts_of_batch(actor, header.number + 1)? {
            let next = part_at(reader, next)?;
            if next.is_some_and(|next| next.header().previous != batch) {
                self.from(actor, header.number + 1);
            }
        }
        for (entry, bytes) in part.entries() {
            if let (Entry::Change { document, hash }, Some(bytes)) = (entry, bytes)
                && let Ok(change) = gate::decode(bytes)
                && let Some(index) = reader.document(*document)?
            {
                let content = &change.content;
                let other = index.changes().iter().find(|other| {
                    other.actor == content.actor && other.seq == content.seq && other.hash != *hash
                });
                if let Some(other) = other
                    && let Some(entry) = reader.entry(other.position)?
                {
                    self.from(actor, entry.part.header().number);
                }
            }
        }
        Ok(())
    }

    /// This part does not stand, by the word of the node above. Held here for another reason, it becomes
    /// evidence here as well, so that its author learns that it is to be said again.
    pub fn is_held_above(
        &mut self,
        reader: LogReader<'_>,
        part: PartId,
    ) -> Result<(), KeyspaceError> {
        let loses = match reader.part(part)? {
            Some(PartPlace::Accepted(position)) => reader.entry(position)?.map(|entry| entry.part),
            Some(PartPlace::Held(number)) => {
                let held = reader.held(number)?.filter(|held| !is_fork(held.reason));
                held.map(|held| held.part)
            }
            None => None,
        };
        if let Some(part) = loses {
            self.from(part.actor(), part.header().number);
        }
        Ok(())
    }

    fn has(&self, part: &SignedPart) -> bool {
        let first = self.first.get(&part.actor());
        first.is_some_and(|first| part.header().number >= *first)
            && !self.standing.contains(&part.batch_id())
    }

    /// Moves what loses, and what builds on it, out of the log.
    pub fn set_aside(&self, keyspace: &dyn Keyspace) -> Result<SetAside, KeyspaceError> {
        let mut aside = SetAside::default();
        if self.first.is_empty() {
            return Ok(aside);
        }
        let reader = LogReader(keyspace);
        let (mut kept, end) = self.held_before(keyspace, &mut aside.writes)?;
        let mut next = end;
        let mut lost: BTreeSet<(DocumentId, ChangeHash)> = BTreeSet::new();
        for position in 1..=reader.end()? {
            // A position may be empty: a part was moved out of the log before.
            let Some(entry) = reader.entry(position)? else {
                continue;
            };
            let part = entry.part;
            let reason = match self.has(&part) {
                true => HeldReason::Equivocation,
                false if builds_on(&part, &lost)? => HeldReason::WaitsForHeld,
                false => continue,
            };
            for entry in &part.part().entries {
                if let Entry::Change { document, hash } = entry {
                    lost.insert((*document, *hash));
                }
            }
            let number = kept.remove(&part.id()).unwrap_or_else(|| {
                next += 1;
                next
            });
            let held = HeldEntry {
                received_at: entry.received_at,
                reason,
                part,
            };
            aside.writes.push(Write {
                key: keys::held(number),
                value: Some(held.encode()),
            });
            aside.writes.push(Write {
                key: keys::log(position),
                value: None,
            });
            aside.parts.push((number, held.part));
        }
        Ok(aside)
    }

    /// Held entries by part, and the last number. Those that move a chain which loses become evidence.
    fn held_before(
        &self,
        keyspace: &dyn Keyspace,
        writes: &mut Vec<Write>,
    ) -> Result<(BTreeMap<PartId, u64>, u64), KeyspaceError> {
        let reader = LogReader(keyspace);
        let mut kept = BTreeMap::new();
        let end = reader.held_end()?;
        for number in 1..=end {
            let Some(mut held) = reader.held(number)? else {
                continue;
            };
            let id = held.part.id();
            kept.insert(id, number);
            let is_held = reader.part(id)? == Some(PartPlace::Held(number));
            if is_held && self.has(&held.part) && held.reason != HeldReason::Equivocation {
                held.reason = HeldReason::Equivocation;
                writes.push(Write {
                    key: keys::held(number),
                    value: Some(held.encode()),
                });
            }
        }
        Ok((kept, end))
    }
}

fn builds_on(
    part: &SignedPart,
    lost: &BTreeSet<(DocumentId, ChangeHash)>,
) -> Result<bool, KeyspaceError> {
    for (entry, bytes) in part.entries() {
        if let (Entry::Change { document, .. }, Some(bytes)) = (entry, bytes) {
            let change =
                gate::decode_kept(bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            let deps = &change.content.deps;
            if deps.iter().any(|dep| lost.contains(&(*document, *dep))) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn part_at(reader: LogReader<'_>, part: PartId) -> Result<Option<SignedPart>, KeyspaceError> {
    Ok(match reader.part(part)? {
        None => None,
        Some(PartPlace::Accepted(position)) => reader.entry(position)?.map(|entry| entry.part),
        Some(PartPlace::Held(number)) => reader.held(number)?.map(|held| held.part),
    })
}
