//! What Automerge makes of the same bytes, in our words: the second opinion on everything that passes.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key as TheirKey, ObjectId, OpId as TheirOpId, OpType};
use automerge::{Automerge, ObjType, ReadDoc, ScalarValue};
use sync_core::cell::CellValue;
use sync_core::document::Document;
use sync_core::document::value::cell_from_value;
use sync_core::gate::{Action, ChangeContent, Key, Op, OpId, Value};
use sync_core::identity::{ActorId, ChangeHash};

/// Saves and loads a document in Automerge and compares what both read.
pub(crate) fn check_saved(document: &Document) {
    let loaded = Automerge::load(&document.save()).expect("what passes saves and loads");
    let heads: Vec<ChangeHash> = loaded
        .get_heads()
        .iter()
        .map(|head| ChangeHash(head.0))
        .collect();
    assert_eq!(heads, document.heads());
    let ours: BTreeMap<String, BTreeSet<CellValue>> = document
        .cells()
        .into_iter()
        .map(|(code, rivals)| (code, rivals.into_iter().map(|one| one.value).collect()))
        .collect();
    assert_eq!(ours, their_cells(&loaded));
}

/// The values of every cell as Automerge reads them.
pub(crate) fn their_cells(doc: &Automerge) -> BTreeMap<String, BTreeSet<CellValue>> {
    let (_, cells) = doc
        .get(automerge::ROOT, "cells")
        .expect("reads")
        .expect("cells");
    let read = |value: &automerge::Value<'_>| {
        let scalar = value.as_scalar().expect("a cell holds a scalar");
        cell_from_value(&our_value(scalar)).expect("a cell")
    };
    doc.keys(&cells)
        .map(|code| {
            let all = doc.get_all(&cells, &code).expect("reads");
            (code, all.iter().map(|(value, _)| read(value)).collect())
        })
        .collect()
}

fn our_value(scalar: &ScalarValue) -> Value {
    match scalar {
        ScalarValue::Null => Value::Null,
        ScalarValue::Boolean(false) => Value::False,
        ScalarValue::Int(integer) => Value::Int(*integer),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Bytes(bytes) => Value::Bytes(bytes.clone()),
        ScalarValue::Boolean(true)
        | ScalarValue::Uint(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => panic!("{scalar:?} passed the gate"),
    }
}

fn our_id(id: &TheirOpId) -> OpId {
    OpId {
        counter: id.0,
        actor: ActorId(id.1.to_bytes().try_into().expect("an actor of 16 bytes")),
    }
}

/// Automerge's decoding in our words.
pub(crate) fn their_content(bytes: &[u8]) -> (ChangeContent, ChangeHash) {
    let change = automerge::Change::try_from(bytes).expect("what passes parses");
    let expanded = change.decode();
    let ops = expanded
        .operations
        .iter()
        .map(|op| {
            let (action, value) = match &op.action {
                OpType::Put(value) => (Action::Put, our_value(value)),
                OpType::Delete => (Action::Delete, Value::Null),
                OpType::Make(ObjType::Map) => (Action::MakeMap, Value::Null),
                OpType::Make(ObjType::Text) => (Action::MakeText, Value::Null),
                OpType::Make(ObjType::List | ObjType::Table)
                | OpType::Increment(_)
                | OpType::MarkBegin(_)
                | OpType::MarkEnd(_) => panic!("{:?} passed the gate", op.action),
            };
            Op {
                object: match &op.obj {
                    ObjectId::Id(id) => Some(our_id(id)),
                    ObjectId::Root => None,
                },
                key: match &op.key {
                    TheirKey::Map(key) => Key::Map(key.to_string()),
                    TheirKey::Seq(ElementId::Head) => Key::Head,
                    TheirKey::Seq(ElementId::Id(id)) => Key::Element(our_id(id)),
                },
                insert: op.insert,
                action,
                value,
                pred: op.pred.iter().map(our_id).collect(),
            }
        })
        .collect();
    let content = ChangeContent {
        actor: our_id(&TheirOpId(1, expanded.actor_id.clone())).actor,
        seq: expanded.seq,
        start_op: expanded.start_op.get(),
        time: expanded.time,
        message: expanded.message.clone().unwrap_or_default(),
        deps: expanded.deps.iter().map(|dep| ChangeHash(dep.0)).collect(),
        ops,
    };
    (content, ChangeHash(change.hash().0))
}
