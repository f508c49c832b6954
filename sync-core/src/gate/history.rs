//! What the gate asks about the past of a document, and an answer kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::{Action, DecodedChange, Key, OpId};
use crate::document::root::{Built, Extension, genesis_change};
use crate::document::subject::Subject;
use crate::identity::{ActorId, ChangeHash};

/// For every actor the last sequence number that a version of the document holds. Chains have no
/// gaps, so this names the version's whole past: a change is in it when its sequence is not larger.
pub type Clock = BTreeMap<ActorId, u64>;

/// What the gate needs of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownChange {
    /// The largest operation number in its past and itself.
    pub last_op: u64,
    /// Its past, itself included.
    pub clock: Clock,
}

/// What an operation of an accepted change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Sequence number of the change that holds it, in the chain of its actor.
    pub seq: u64,
    /// The object it worked on.
    pub object: Option<OpId>,
    /// Where in it.
    pub key: Key,
    /// True for a new element of a text.
    pub insert: bool,
    /// What it did.
    pub action: Action,
}

/// The accepted changes of one document: genesis, declared extensions, and what passed the gate.
///
/// **Contract.** Answers are about one moment: a judge must not see changes arrive between two
/// questions. `change` and `operation` answer for genesis and for declared extensions too. An error
/// means that nothing is known, never that something is absent.
pub trait History {
    /// Why a question could not be answered.
    type Error;
    /// A change of this document, or `None` when it is not (yet) here.
    fn change(&self, hash: &ChangeHash) -> Result<Option<KnownChange>, Self::Error>;
    /// The change with this number in the actor's chain.
    fn at_sequence(&self, actor: ActorId, seq: u64) -> Result<Option<ChangeHash>, Self::Error>;
    /// The operation of this name.
    fn operation(&self, id: OpId) -> Result<Option<Written>, Self::Error>;
    /// The section whose text this actor's extension change made, if that extension is declared.
    fn section(&self, actor: ActorId) -> Result<Option<String>, Self::Error>;
}

/// One change as kept by [`MemoryHistory`].
#[derive(Debug, Clone)]
struct Kept {
    change: DecodedChange,
    clock: Clock,
}

/// The whole history of one document in memory: for devices, tests, and nodes that load a document.
#[derive(Debug, Clone)]
pub struct MemoryHistory {
    changes: BTreeMap<ChangeHash, Kept>,
    /// Change hashes by actor, in sequence from 1.
    chains: BTreeMap<ActorId, Vec<ChangeHash>>,
    sections: BTreeMap<ActorId, String>,
    heads: BTreeSet<ChangeHash>,
}

impl MemoryHistory {
    /// The history of a document that holds nothing but its genesis.
    pub fn new(subject: &Subject) -> Self {
        let mut history = Self {
            changes: BTreeMap::new(),
            chains: BTreeMap::new(),
            sections: BTreeMap::new(),
            heads: BTreeSet::new(),
        };
        history.insert_built(&genesis_change(subject));
        history
    }

    /// Adds a declared extension. Returns false when it was there.
    pub fn declare(&mut self, extension: &Extension) -> bool {
        let actor = extension.built.content.actor;
        if self.sections.contains_key(&actor) {
            return false;
        }
        self.sections.insert(actor, extension.name.clone());
        self.insert_built(&extension.built);
        true
    }

    fn insert_built(&mut self, built: &Built) {
        self.insert(DecodedChange {
            content: built.content.clone(),
            hash: built.hash,
            typed_at: vec![built.content.time; built.content.ops.len()],
        });
    }

    /// Adds a change that passed [`super::judge`] against this history.
    pub fn insert(&mut self, change: DecodedChange) {
        let content = &change.content;
        let mut clock = self.clock_at(&content.deps);
        clock.insert(content.actor, content.seq);
        for dep in &content.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(change.hash);
        self.chains
            .entry(content.actor)
            .or_default()
            .push(change.hash);
        self.changes.insert(change.hash, Kept { change, clock });
    }

    /// The frontier: changes that no other change depends on, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.heads.iter().copied().collect()
    }

    /// The past of these heads, themselves included. Unknown heads count for nothing.
    pub fn clock_at(&self, heads: &[ChangeHash]) -> Clock {
        let mut clock = Clock::new();
        for kept in heads.iter().filter_map(|head| self.changes.get(head)) {
            merge(&mut clock, &kept.clock);
        }
        clock
    }

    /// The largest operation number at these heads.
    pub fn last_op_at(&self, heads: &[ChangeHash]) -> u64 {
        heads
            .iter()
            .filter_map(|head| self.changes.get(head))
            .map(|kept| kept.change.content.last_op())
            .max()
            .unwrap_or(0)
    }

    /// The last sequence number of an actor, 0 for none.
    pub fn last_seq(&self, actor: ActorId) -> u64 {
        self.chains
            .get(&actor)
            .map_or(0, |chain| chain.len() as u64)
    }

    /// A change by its hash.
    pub fn get(&self, hash: &ChangeHash) -> Option<&DecodedChange> {
        self.changes.get(hash).map(|kept| &kept.change)
    }

    /// Declared sections, ascending by name, with the actor of the extension.
    pub fn sections(&self) -> BTreeMap<&str, ActorId> {
        self.sections
            .iter()
            .map(|(actor, name)| (name.as_str(), *actor))
            .collect()
    }

    fn find(&self, id: OpId) -> Option<(&DecodedChange, usize)> {
        let chain = self.chains.get(&id.actor)?;
        let start = |hash: &ChangeHash| {
            self.changes
                .get(hash)
                .map_or(u64::MAX, |kept| kept.change.content.start_op)
        };
        let after = chain.partition_point(|hash| start(hash) <= id.counter);
        let kept = self.changes.get(chain.get(after.checked_sub(1)?)?)?;
        let offset = id.counter.checked_sub(kept.change.content.start_op)?;
        Some((&kept.change, usize::try_from(offset).ok()?))
    }
}

/// Takes the larger number for every actor.
pub(crate) fn merge(into: &mut Clock, from: &Clock) {
    for (actor, seq) in from {
        let at = into.entry(*actor).or_default();
        *at = (*at).max(*seq);
    }
}

impl History for MemoryHistory {
    type Error = Infallible;

    fn change(&self, hash: &ChangeHash) -> Result<Option<KnownChange>, Infallible> {
        Ok(self.changes.get(hash).map(|kept| KnownChange {
            last_op: kept.change.content.last_op(),
            clock: kept.clock.clone(),
        }))
    }

    fn at_sequence(&self, actor: ActorId, seq: u64) -> Result<Option<ChangeHash>, Infallible> {
        let index = seq
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok());
        let chain = self.chains.get(&actor);
        Ok(index.and_then(|index| chain?.get(index).copied()))
    }

    fn operation(&self, id: OpId) -> Result<Option<Written>, Infallible> {
        Ok(self.find(id).and_then(|(change, index)| {
            let op = change.content.ops.get(index)?;
            Some(Written {
                seq: change.content.seq,
                object: op.object,
                key: op.key.clone(),
                insert: op.insert,
                action: op.action,
            })
        }))
    }

    fn section(&self, actor: ActorId) -> Result<Option<String>, Infallible> {
        Ok(self.sections.get(&actor).cloned())
    }
}
