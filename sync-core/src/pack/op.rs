//! Models of operations, and where in a change the next one stands.

use std::collections::BTreeMap;

use super::ground::Puts;
use super::model::{Number, Place, Symbol};
use super::strings::Strings;
use super::text::Text;
use crate::document::Table;
use crate::gate::{Action, Key, Op, OpId};
use crate::identity::ActorId;

/// The ways to tell an operation.
pub(super) mod shape {
    /// A put in place of one known operation, which also says where.
    pub(crate) const REPLACE: u64 = 0;
    /// A put where nothing stands.
    pub(crate) const WRITE: u64 = 1;
    /// A put in place of several operations.
    pub(crate) const SETTLE: u64 = 2;
    /// An insertion behind the one before.
    pub(crate) const AFTER: u64 = 3;
    /// An insertion anywhere.
    pub(crate) const INSERT: u64 = 4;
    /// A deletion.
    pub(crate) const DELETE: u64 = 5;
}

/// Models of operations.
#[derive(Debug, Default)]
pub(super) struct Ops {
    pub(super) symbols: BTreeMap<(&'static str, u64), Symbol>,
    pub(super) places: BTreeMap<Option<Table>, Place>,
    pub(super) codes: Strings,
    pub(super) integers: BTreeMap<Table, Number>,
    /// Texts by table; none for those that grow letter by letter.
    pub(super) texts: BTreeMap<Option<Table>, (Number, Text)>,
    /// The kind of value last put into each table.
    pub(super) kinds: BTreeMap<Table, u64>,
}

/// Where in a change the next operation stands.
#[derive(Debug)]
pub(super) struct At {
    pub(super) actor: ActorId,
    pub(super) start_op: u64,
    pub(super) ops: Vec<Op>,
    /// What the operations so far put.
    pub(super) own: Puts,
    pub(super) shape: u64,
    pub(super) table: Option<Table>,
    pub(super) key: Option<String>,
    /// The place of the last operation replaced.
    pub(super) place: usize,
    /// The operation that was last referred to.
    pub(super) named: Option<OpId>,
    /// The text that was last written in, by its name and its object.
    pub(super) section: Option<(String, OpId)>,
}

impl At {
    pub(super) fn new(actor: ActorId, start_op: u64) -> Self {
        Self {
            actor,
            start_op,
            ops: Vec::new(),
            own: Puts::default(),
            shape: shape::WRITE,
            table: None,
            key: None,
            place: 0,
            named: None,
            section: None,
        }
    }

    /// The name of the next operation.
    pub(super) fn next(&self) -> OpId {
        OpId {
            counter: self.start_op + self.ops.len() as u64,
            actor: self.actor,
        }
    }

    /// The name of the last operation, if it was an insertion into this text.
    pub(super) fn inserted(&self, object: OpId) -> Option<OpId> {
        let last = self.ops.last()?;
        let id = OpId {
            counter: self.next().counter - 1,
            actor: self.actor,
        };
        (last.insert && last.object == Some(object)).then_some(id)
    }
}

/// A small number for a table, none among them.
pub(super) fn tag(table: Option<Table>) -> u64 {
    table.map_or(0, |table| table.object().counter)
}

/// How an operation is told.
pub(super) fn shape_of(op: &Op, at: &At, is_replaced: bool) -> u64 {
    match (op.action, op.insert, op.object) {
        (Action::Delete, _, _) => shape::DELETE,
        (_, true, Some(object)) => match (&op.key, at.inserted(object)) {
            (Key::Element(element), Some(last)) if *element == last => shape::AFTER,
            (_, _) => shape::INSERT,
        },
        (_, _, _) if is_replaced => shape::REPLACE,
        (_, _, _) if op.pred.is_empty() => shape::WRITE,
        (_, _, _) => shape::SETTLE,
    }
}
