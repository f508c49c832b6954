//! Changes of a chain that was abandoned, said again by the chain that continues the work.
//!
//! After a rollback a device may hold changes under numbers that its old chain has used otherwise.
//! They become changes of a new actor. Since every change keeps its operations and what they build
//! on, operation numbers stay and only names change: the same edits, on the heads they were made on.

use std::collections::BTreeMap;

use crate::gate::{DecodedChange, Key, Op, OpId};
use crate::identity::{ActorId, ChangeHash};

use super::{Document, NewChange, WriteError};

impl Document {
    /// Says the forked changes again as changes of `actor`, which has written nothing in this
    /// document yet, and applies them. They stand in their order; what they depend on is among them
    /// or in this document, which holds none of them. What time each value was typed is kept.
    ///
    /// # Errors
    /// [`WriteError`] of the first that could not be said again; those before it were.
    pub fn reauthor(
        &mut self,
        forked: &[DecodedChange],
        actor: ActorId,
    ) -> Result<Vec<NewChange>, WriteError> {
        let mut names = Names::new(actor);
        let mut made = Vec::with_capacity(forked.len());
        for change in forked {
            let old = &change.content;
            names.first_op.entry(old.actor).or_insert(old.start_op);
            let mut content = old.clone();
            content.actor = actor;
            content.seq = self.history.last_seq(actor) + 1;
            content.deps = names.deps(&old.deps);
            content.ops.iter_mut().for_each(|op| names.rename_in(op));
            let sections = self.sections_among(&content.deps);
            let new = self.take_own(content, sections)?;
            names.changes.insert(change.hash, new.hash);
            made.push(new);
        }
        Ok(made)
    }
}

/// Old names to new ones.
struct Names {
    actor: ActorId,
    /// For each abandoned actor the first operation that is said again.
    first_op: BTreeMap<ActorId, u64>,
    changes: BTreeMap<ChangeHash, ChangeHash>,
}

impl Names {
    fn new(actor: ActorId) -> Self {
        Self {
            actor,
            first_op: BTreeMap::new(),
            changes: BTreeMap::new(),
        }
    }

    fn deps(&self, old: &[ChangeHash]) -> Vec<ChangeHash> {
        let new = |dep| self.changes.get(dep).unwrap_or(dep);
        let mut deps: Vec<ChangeHash> = old.iter().map(new).copied().collect();
        deps.sort_unstable();
        deps.dedup();
        deps
    }

    fn rename(&self, id: &mut OpId) {
        if self
            .first_op
            .get(&id.actor)
            .is_some_and(|first| id.counter >= *first)
        {
            id.actor = self.actor;
        }
    }

    fn rename_in(&self, op: &mut Op) {
        if let Some(object) = &mut op.object {
            self.rename(object);
        }
        if let Key::Element(element) = &mut op.key {
            self.rename(element);
        }
        op.pred.iter_mut().for_each(|pred| self.rename(pred));
        // Two operations of one number sort by their actors, and one of them may have a new one.
        op.pred.sort_unstable();
    }
}
