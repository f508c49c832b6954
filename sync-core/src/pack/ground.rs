//! What both sides of an exchange hold: the ground that a packing stands on.

use std::collections::{BTreeMap, BTreeSet};

use super::Trouble;
use crate::batch::Partition;
use crate::catalogue::Names;
use crate::document::{Subject, Table, genesis_change};
use crate::gate::{self, ChangeContent, Key, OpId, Place, place};
use crate::identity::{ActorId, BatchId, ChangeHash, DocumentId};
use crate::log::staging::PartPlace;
use crate::log::{DocumentIndex, Follow, IndexedChange, Keyspace, LogEntry, LogReader};

/// Which accepted parts the other side is known to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shared {
    /// None: the two never met, or nothing is to be taken for granted.
    Nothing,
    /// At a node: what the device has read, and what it made itself.
    Through {
        /// The position up to which the device has the feed.
        position: u64,
        /// The chain the device writes, when it is known to hold all of it that is here.
        own: Option<ActorId>,
        /// What the device follows.
        follow: Follow,
    },
    /// At a device: everything in its log but the parts at these positions.
    Without(BTreeSet<u64>),
}

/// What one side holds, and how much of it the other one is known to hold.
#[derive(Clone)]
pub struct Ground<'a> {
    /// The log.
    pub keyspace: &'a dyn Keyspace,
    /// Units and keys of the catalogue.
    pub names: &'a Names,
    /// What of it counts.
    pub shared: Shared,
}

impl std::fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl Ground<'_> {
    pub(super) fn reader(&self) -> LogReader<'_> {
        LogReader(self.keyspace)
    }

    /// True if the other side may be asked for anything at all.
    pub(super) fn is_any(&self) -> bool {
        self.shared != Shared::Nothing
    }

    pub(super) fn index(&self, document: DocumentId) -> Result<Option<DocumentIndex>, Trouble> {
        Ok(self.reader().document(document)?)
    }

    fn holds(&self, change: &IndexedChange) -> bool {
        match &self.shared {
            Shared::Nothing => false,
            Shared::Through { position, own, .. } => {
                change.position <= *position || Some(change.actor) == *own
            }
            Shared::Without(positions) => !positions.contains(&change.position),
        }
    }

    /// The batch that a chain has under a number, if the other side is known to hold a part of it.
    /// `reads` is true for the side that unpacks, which only looks at what it holds itself.
    pub(super) fn batch(
        &self,
        actor: ActorId,
        number: u64,
        reads: bool,
    ) -> Result<Option<BatchId>, Trouble> {
        let reader = self.reader();
        match &self.shared {
            Shared::Nothing => Ok(None),
            Shared::Through {
                position,
                own,
                follow,
            } if !reads && Some(actor) != *own => {
                for part in reader.parts_of_batch(actor, number)? {
                    if let Some(PartPlace::Accepted(at)) = reader.part(part)?
                        && at <= *position
                        && let Some(entry) = reader.entry(at)?
                        && follow.contains(entry.part.part().partition)
                    {
                        return Ok(Some(entry.part.batch_id()));
                    }
                }
                Ok(None)
            }
            Shared::Through { .. } | Shared::Without(_) => Ok(reader.batch(actor, number)?),
        }
    }

    /// The hash of the part that a chain has under a number in a partition, as the side that unpacks
    /// holds it: the last one there, or the one before a part of the batch that is here already.
    pub(super) fn part_before(
        &self,
        actor: ActorId,
        partition: Partition,
        (batch, number): (u64, u64),
    ) -> Result<Option<[u8; 32]>, Trouble> {
        let reader = self.reader();
        let tip = reader.chain_partition(actor, partition)?;
        if tip.number == number {
            return Ok(Some(tip.hash));
        }
        for part in reader.parts_of_batch(actor, batch)? {
            let entry = match reader.part(part)? {
                Some(PartPlace::Accepted(at)) => reader.entry(at)?.map(|entry| entry.part),
                Some(PartPlace::Held(at)) => reader.held(at)?.map(|entry| entry.part),
                None => None,
            };
            if let Some(part) = entry.as_ref().map(|part| part.part())
                && part.partition == partition
                && part.number.checked_sub(1) == Some(number)
            {
                return Ok(Some(part.previous));
            }
        }
        Ok(None)
    }
}

/// The operations of a change, by the tables they put into.
#[derive(Debug, Clone, Default)]
pub(super) struct Puts {
    pub(super) ops: Vec<(Table, String, u64)>,
    tables: BTreeMap<Table, Vec<usize>>,
    places: BTreeMap<u64, usize>,
}

impl Puts {
    pub(super) fn of(content: &ChangeContent) -> Self {
        let mut puts = Self::default();
        for (id, op) in content.numbered() {
            if let (Some(Place::Table(table)), Key::Map(key)) = (op.object.and_then(place), &op.key)
            {
                puts.push(table, key, id.counter);
            }
        }
        puts
    }

    pub(super) fn push(&mut self, table: Table, key: &str, counter: u64) {
        let of_table = self.tables.entry(table).or_default();
        self.places.insert(counter, of_table.len());
        of_table.push(self.ops.len());
        self.ops.push((table, key.to_owned(), counter));
    }

    pub(super) fn count(&self, table: Table) -> usize {
        self.tables.get(&table).map_or(0, Vec::len)
    }

    pub(super) fn at(&self, table: Table, place: usize) -> Option<(&str, u64)> {
        let at = self.tables.get(&table)?.get(place)?;
        let (_, key, counter) = self.ops.get(*at)?;
        Some((key, *counter))
    }

    /// The place of an operation among those of its table.
    pub(super) fn place(&self, counter: u64) -> Option<usize> {
        self.places.get(&counter).copied()
    }
}

/// A change that both sides hold, or that came earlier in the exchange.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) hash: ChangeHash,
    pub(super) actor: ActorId,
    pub(super) start_op: u64,
    pub(super) ops: u64,
    stands: Option<(u64, u32)>,
    puts: Option<Puts>,
}

impl Candidate {
    pub(super) fn last_op(&self) -> u64 {
        (self.start_op + self.ops).saturating_sub(1)
    }
    pub(super) fn holds(&self, id: OpId) -> bool {
        id.actor == self.actor && (self.start_op..=self.last_op()).contains(&id.counter)
    }
}

/// A document as both sides hold it.
#[derive(Debug)]
pub(super) struct KnownDocument {
    pub(super) genesis: ChangeHash,
    subject: Subject,
    candidates: Vec<Candidate>,
    /// Candidates by their hash, and the last sequence of each actor among them.
    places: BTreeMap<ChangeHash, usize>,
    sequences: BTreeMap<ActorId, u64>,
    pub(super) heads: BTreeSet<ChangeHash>,
    /// Extensions by the hash of their change.
    pub(super) extensions: BTreeMap<ChangeHash, String>,
    /// Actors of extensions that a change builds on already.
    covered: BTreeSet<ActorId>,
}

impl KnownDocument {
    pub(super) fn new(subject: Subject, ground: &Ground<'_>) -> Result<Self, Trouble> {
        let index = match ground.is_any() {
            true => ground.index(subject.document_id())?,
            false => None,
        };
        let genesis = genesis_change(&subject).hash;
        let mut held = Self {
            genesis,
            subject,
            candidates: Vec::new(),
            places: BTreeMap::new(),
            sequences: BTreeMap::new(),
            heads: BTreeSet::new(),
            extensions: BTreeMap::new(),
            covered: BTreeSet::new(),
        };
        let known: Vec<&IndexedChange> = index
            .iter()
            .flat_map(|index| index.changes())
            .filter(|change| ground.holds(change))
            .collect();
        held.take(&known);
        for name in index.iter().flat_map(|index| index.extensions()) {
            if let Some(extension) = crate::document::extension_change(&held.subject, name) {
                held.extensions.insert(extension.built.hash, name.clone());
            }
        }
        Ok(held)
    }

    fn take(&mut self, known: &[&IndexedChange]) {
        let mut last: BTreeMap<ActorId, &IndexedChange> = BTreeMap::new();
        for change in known {
            self.covered.extend(change.clock.keys().copied());
            let at = last.entry(change.actor).or_insert(change);
            if at.seq < change.seq {
                *at = change;
            }
            self.candidates.push(Candidate {
                hash: change.hash,
                actor: change.actor,
                start_op: change.start_op,
                ops: change.ops,
                stands: Some((change.position, change.ordinal)),
                puts: None,
            });
        }
        let is_past = |change: &IndexedChange| {
            let mut others = last.values().filter(|other| other.actor != change.actor);
            others.any(|other| other.clock.get(&change.actor) >= Some(&change.seq))
        };
        let heads = last.values().filter(|change| !is_past(change));
        self.heads = heads.map(|change| change.hash).collect();
        if self.heads.is_empty() {
            self.heads.insert(self.genesis);
        }
        self.candidates
            .sort_by_key(|change| (change.start_op, change.hash));
        let hashes = self.candidates.iter().map(|change| change.hash);
        self.places = hashes.zip(0..).collect();
        self.sequences = last
            .into_iter()
            .map(|(actor, at)| (actor, at.seq))
            .collect();
    }

    /// What the document is about.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Adds a declared text.
    pub(super) fn declare(&mut self, name: &str) {
        let Some(extension) = crate::document::extension_change(&self.subject, name) else {
            return;
        };
        let built = extension.built;
        if self.covered.insert(built.content.actor) {
            self.heads.remove(&self.genesis);
            self.heads.insert(built.hash);
        }
        self.extensions.insert(built.hash, name.to_owned());
    }

    /// Adds a change of the exchange.
    pub(super) fn push(&mut self, content: &ChangeContent, hash: ChangeHash) {
        for dep in &content.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(hash);
        self.places.insert(hash, self.candidates.len());
        let seq = self.sequences.entry(content.actor).or_default();
        *seq = content.seq.max(*seq);
        self.candidates.push(Candidate {
            hash,
            actor: content.actor,
            start_op: content.start_op,
            ops: content.ops.len() as u64,
            stands: None,
            puts: Some(Puts::of(content)),
        });
    }

    /// The number of the last operation of a change that one may build on.
    pub(super) fn last_op(&self, dep: &ChangeHash) -> u64 {
        let place = self.places.get(dep);
        match place.and_then(|place| self.candidates.get(*place)) {
            Some(known) => known.last_op(),
            None => {
                crate::document::root::GENESIS_LAST_OP
                    + u64::from(self.extensions.contains_key(dep))
            }
        }
    }

    /// The last number of an actor's changes.
    pub(super) fn last_sequence(&self, actor: ActorId) -> u64 {
        self.sequences.get(&actor).copied().unwrap_or_default()
    }

    /// How far back among the candidates a change stands, the last one at 0.
    pub(super) fn rank_of(&self, dep: &ChangeHash) -> Option<usize> {
        let after = self.candidates.len().checked_sub(1)?;
        after.checked_sub(*self.places.get(dep)?)
    }

    /// How far back the change stands that made an operation.
    pub(super) fn rank_of_holder(&self, id: OpId) -> Option<usize> {
        self.candidates.iter().rev().position(|one| one.holds(id))
    }

    pub(super) fn ranked(&self, rank: usize) -> Option<&Candidate> {
        self.candidates.iter().rev().nth(rank)
    }

    /// What a candidate puts; it is read once.
    pub(super) fn puts(
        &mut self,
        rank: usize,
        ground: &Ground<'_>,
    ) -> Result<Option<&Puts>, Trouble> {
        let Some(candidate) = self.candidates.iter_mut().rev().nth(rank) else {
            return Ok(None);
        };
        if candidate.puts.is_none()
            && let Some((position, ordinal)) = candidate.stands
        {
            let entry = ground.reader().entry(position)?;
            candidate.puts = Some(puts_in(entry.as_ref(), ordinal).unwrap_or_default());
        }
        Ok(candidate.puts.as_ref())
    }
}

fn puts_in(entry: Option<&LogEntry>, ordinal: u32) -> Option<Puts> {
    let bytes = entry?.part.changes().get(ordinal as usize)?;
    Some(Puts::of(&gate::decode_kept(bytes).ok()?.content))
}
