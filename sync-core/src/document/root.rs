//! Genesis and extension: the changes below everything else, which nobody sends.

use crate::gate::{Action, ChangeContent, Key, Op, OpId, Value, encode};
use crate::identity::{ActorId, ChangeHash, labelled_id};

use super::subject::{Subject, is_section};

/// The actor of every genesis: `H("genesis actor", "")[..16]`.
pub const GENESIS_ACTOR: ActorId = ActorId([
    31, 97, 203, 158, 123, 147, 237, 54, 48, 231, 66, 77, 92, 198, 28, 247,
]);

/// Number of the last operation of a genesis.
pub const GENESIS_LAST_OP: u64 = 10;

/// The maps that genesis makes, in the order of their operations 1 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Blob hash to metadata.
    Attachments,
    /// Indicator code to value.
    Cells,
    /// The subject and the template version.
    Meta,
    /// Section to text.
    Narrative,
    /// Indicator code to note.
    Notes,
    /// Key id and number to statement.
    SignOffs,
}

impl Table {
    /// All, in the order of their operations.
    pub const ALL: [Self; 6] = [
        Self::Attachments,
        Self::Cells,
        Self::Meta,
        Self::Narrative,
        Self::Notes,
        Self::SignOffs,
    ];

    /// Its key in the root map.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attachments => "attachments",
            Self::Cells => "cells",
            Self::Meta => "meta",
            Self::Narrative => "narrative",
            Self::Notes => "notes",
            Self::SignOffs => "sign_offs",
        }
    }

    /// The operation that made it, which is its object id.
    pub fn object(self) -> OpId {
        let counter = match self {
            Self::Attachments => 1,
            Self::Cells => 2,
            Self::Meta => 3,
            Self::Narrative => 4,
            Self::Notes => 5,
            Self::SignOffs => 6,
        };
        OpId {
            counter,
            actor: GENESIS_ACTOR,
        }
    }

    /// The table that this operation of a genesis made.
    pub fn of_operation(counter: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|table| table.object().counter == counter)
    }
}

/// A change that follows from its description alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What it says.
    pub content: ChangeContent,
    /// The change chunk.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: ChangeHash,
}

impl Built {
    pub(super) fn new(content: ChangeContent) -> Self {
        let (bytes, hash) = encode(&content);
        Self {
            content,
            bytes,
            hash,
        }
    }
}

/// An extension change and the section it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The section.
    pub name: String,
    /// The change.
    pub built: Built,
}

impl Extension {
    /// The object id of the section's text.
    pub fn text(&self) -> OpId {
        OpId {
            counter: GENESIS_LAST_OP + 1,
            actor: self.built.content.actor,
        }
    }
}

/// The first change of every document of this subject.
pub fn genesis_change(subject: &Subject) -> Built {
    let make = |table: Table| Op {
        object: None,
        key: Key::Map(table.name().to_owned()),
        insert: false,
        action: Action::MakeMap,
        value: Value::Null,
        pred: Vec::new(),
    };
    let put = |key: &str, value: Value| Op {
        object: Some(Table::Meta.object()),
        key: Key::Map(key.to_owned()),
        insert: false,
        action: Action::Put,
        value,
        pred: Vec::new(),
    };
    let mut ops: Vec<Op> = Table::ALL.into_iter().map(make).collect();
    ops.push(put("period", Value::Text(subject.period.clone())));
    ops.push(put("subject_kind", Value::Int(subject.kind.byte().into())));
    ops.push(put("template", Value::Text(subject.template.clone())));
    ops.push(put("unit", Value::Text(subject.unit.to_string())));
    Built::new(ChangeContent {
        actor: GENESIS_ACTOR,
        seq: 1,
        start_op: 1,
        time: 0,
        message: String::new(),
        deps: Vec::new(),
        ops,
    })
}

/// The change that makes the text of a section; `None` when this is no section id.
pub fn extension_change(subject: &Subject, name: &str) -> Option<Extension> {
    if !is_section(name) {
        return None;
    }
    let built = Built::new(ChangeContent {
        actor: extension_actor(name),
        seq: 1,
        start_op: GENESIS_LAST_OP + 1,
        time: 0,
        message: String::new(),
        deps: vec![genesis_change(subject).hash],
        ops: vec![Op {
            object: Some(Table::Narrative.object()),
            key: Key::Map(name.to_owned()),
            insert: false,
            action: Action::MakeText,
            value: Value::Null,
            pred: Vec::new(),
        }],
    });
    Some(Extension {
        name: name.to_owned(),
        built,
    })
}

/// The actor of a section's extension: `H("extension actor", name)[..16]`.
pub fn extension_actor(name: &str) -> ActorId {
    ActorId(labelled_id("extension actor", &[name.as_bytes()]))
}
