//! Work that was set aside, said again from its effects on the heads that stand.
//!
//! Changes that were built on what does not stand any more cannot be applied, and [`Document::reauthor`]
//! cannot rename what others made. What they asserted can be said again: this value in this cell, this note,
//! these words. Each replaces what its author had seen and still stands; whatever else stands there
//! meanwhile stands beside it, as a conflict if it differs. A value that somebody else says already is said all
//! the same: theirs may be set aside in its turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::gate::{
    Action, ChangeContent, DecodedChange, History, Key, Op, OpId, Place, place, typing_message,
};
use crate::identity::{ActorId, ChangeHash};

use super::root::Table;
use super::{Document, NewChange, WriteError};

impl Document {
    /// Says again as changes of `actor` what these changes asserted, in their order, and applies them.
    /// Texts they write in are declared before. What time each value was typed is kept. `lost` has every
    /// change of the document that was set aside, these and those of others.
    ///
    /// # Errors
    /// [`WriteError`] of the first that could not be said again; those before it were.
    pub fn say_again(
        &mut self,
        aside: &[DecodedChange],
        lost: &BTreeMap<ChangeHash, DecodedChange>,
        actor: ActorId,
    ) -> Result<Vec<NewChange>, WriteError> {
        let mut names = BTreeMap::new();
        let mut made = Vec::new();
        for change in aside {
            let said = Said::of(self, change, lost, actor, &mut names);
            if said.ops.is_empty() {
                continue;
            }
            let (time, message) = typing_message(&said.typed_at);
            let content = ChangeContent {
                actor,
                seq: self.history.last_seq(actor) + 1,
                start_op: said.start_op,
                time,
                message,
                deps: said.deps,
                ops: said.ops,
            };
            let mut sections = self.sections_among(&content.deps);
            sections.extend(said.sections);
            sections.sort_unstable();
            sections.dedup();
            made.push(self.take_own(content, sections)?);
        }
        Ok(made)
    }
}

/// One change being said again.
struct Said<'a> {
    document: &'a Document,
    actor: ActorId,
    /// Operations that were said again, under their new names. Two branches use one name for two
    /// operations: it counts together with its change.
    names: &'a mut BTreeMap<(ChangeHash, OpId), OpId>,
    /// What its author had seen of what was set aside.
    seen: Vec<&'a DecodedChange>,
    deps: Vec<ChangeHash>,
    start_op: u64,
    ops: Vec<Op>,
    typed_at: Vec<i64>,
    sections: Vec<String>,
}

impl<'a> Said<'a> {
    fn of(
        document: &'a Document,
        change: &'a DecodedChange,
        lost: &'a BTreeMap<ChangeHash, DecodedChange>,
        actor: ActorId,
        names: &'a mut BTreeMap<(ChangeHash, OpId), OpId>,
    ) -> Self {
        let deps = document.history.heads();
        let mut said = Self {
            document,
            actor,
            names,
            seen: seen_by(change, lost),
            start_op: document.history.last_op_at(&deps) + 1,
            deps,
            ops: Vec::new(),
            typed_at: Vec::new(),
            sections: Vec::new(),
        };
        for ((id, op), typed_at) in change.content.numbered().zip(&change.typed_at) {
            let Some(again) = said.again(op) else {
                continue;
            };
            let new = OpId {
                counter: said.start_op + said.ops.len() as u64,
                actor: said.actor,
            };
            said.names.insert((change.hash, id), new);
            said.ops.push(again);
            said.typed_at.push(*typed_at);
        }
        said
    }

    /// The operation as it can be said now; none if there is nothing left to say.
    fn again(&mut self, op: &Op) -> Option<Op> {
        match op.object.and_then(place)? {
            Place::Table(table) => self.put_again(table, op),
            Place::Text(text) => {
                let Ok(section) = self.document.history.section(text);
                let section = section?;
                let again = self.text_again(op)?;
                self.sections.push(section);
                Some(again)
            }
        }
    }

    fn put_again(&self, table: Table, op: &Op) -> Option<Op> {
        let Key::Map(key) = &op.key else {
            return None;
        };
        let pred = self.known(&op.pred);
        let puts = self.document.puts.all(table, key);
        let mut again = Op { pred, ..op.clone() };
        if table == Table::SignOffs && !puts.is_empty() {
            if puts.iter().any(|put| put.value == op.value) {
                return None;
            }
            // Written once: another one has taken its number.
            let (signer, _) = crate::gate::sign_off_key(key)?;
            let there = self.document.puts.keys(Table::SignOffs).map(|(at, _)| at);
            let here = self.ops.iter().filter_map(|op| match &op.key {
                Key::Map(at) => Some(at.as_str()),
                Key::Head | Key::Element(_) => None,
            });
            let numbers = there.chain(here).filter_map(crate::gate::sign_off_key);
            let own = numbers.filter(|(of, _)| *of == signer);
            let next = own.map(|(_, number)| number).max().unwrap_or(0) + 1;
            again.key = Key::Map(format!("{signer}/{next}"));
        }
        Some(again)
    }

    fn text_again(&self, op: &Op) -> Option<Op> {
        let key = match &op.key {
            Key::Element(element) => match (self.known(&[*element]).first(), op.insert) {
                (Some(element), _) => Key::Element(*element),
                // Words after words that are gone stand at the beginning.
                (None, true) => Key::Head,
                (None, false) => return None,
            },
            other @ (Key::Head | Key::Map(_)) => other.clone(),
        };
        let pred = self.known(&op.pred);
        if op.action == Action::Delete && pred.is_empty() {
            return None;
        }
        let op = op.clone();
        Some(Op { key, pred, ..op })
    }

    /// Those of these operations that stand in this document or were said again, under their names there.
    fn known(&self, ids: &[OpId]) -> Vec<OpId> {
        let known = |id: &OpId| match self.seen.iter().find(|change| holds(change, *id)) {
            Some(change) => self.names.get(&(change.hash, *id)).copied(),
            None => {
                let Ok(written) = self.document.history.operation(*id);
                written.map(|_| *id)
            }
        };
        let mut ids: Vec<OpId> = ids.iter().filter_map(known).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn holds(change: &DecodedChange, id: OpId) -> bool {
    let content = &change.content;
    content.actor == id.actor && (content.start_op..=content.last_op()).contains(&id.counter)
}

/// The past of a change among those that were set aside, and the change itself.
fn seen_by<'a>(
    change: &'a DecodedChange,
    lost: &'a BTreeMap<ChangeHash, DecodedChange>,
) -> Vec<&'a DecodedChange> {
    let mut seen = vec![change];
    let mut known: BTreeSet<ChangeHash> = BTreeSet::from([change.hash]);
    let mut next = vec![change];
    while let Some(change) = next.pop() {
        for dep in &change.content.deps {
            if let Some(earlier) = lost.get(dep)
                && known.insert(*dep)
            {
                seen.push(earlier);
                next.push(earlier);
            }
        }
    }
    seen
}
