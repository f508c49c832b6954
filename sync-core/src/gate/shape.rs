//! The operations a change from outside may hold: `docs/formats.md` section 3, without history.

use std::collections::BTreeSet;

use super::{Action, ChangeContent, GateError, Key, Op, OpId, Value};
use crate::document::comment::Comment;
use crate::document::margin::MarginKey;
use crate::document::root::{GENESIS_ACTOR, GENESIS_LAST_OP, Table};
use crate::document::sign_off::SignOff;
use crate::document::value::cell_from_value;
use crate::identity::{ActorId, KeyId};
use crate::limits;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A map made by genesis.
    Table(Table),
    /// A text that the extension change of this actor may have made.
    Text(ActorId),
}

/// What the object of this id can only be, in any document; `None` for ids that no object has.
pub fn place(object: OpId) -> Option<Place> {
    if object.actor == GENESIS_ACTOR {
        Table::of_operation(object.counter).map(Place::Table)
    } else if object.counter == GENESIS_LAST_OP + 1 {
        Some(Place::Text(object.actor))
    } else {
        None
    }
}

/// Checks everything about a change that needs no other change.
pub(super) fn check(content: &ChangeContent) -> Result<(), GateError> {
    if content.deps.is_empty() {
        return Err(GateError::Malformed("dependencies"));
    }
    if !content.deps.is_sorted_by(|one, next| one < next) {
        return Err(GateError::NotCanonical);
    }
    if content.ops.is_empty() {
        return Err(GateError::Malformed("operations"));
    }
    if content.start_op <= GENESIS_LAST_OP {
        return Err(GateError::Malformed("start_op"));
    }
    let mut once = BTreeSet::new();
    for (index, op) in content.ops.iter().enumerate() {
        let refuse = |reason| GateError::Operation { index, reason };
        check_op(op).map_err(refuse)?;
        if let (Some(Place::Table(table)), Key::Map(key)) = (op.object.and_then(place), &op.key)
            && is_written_once(table, key)
            && !once.insert((table, key))
        {
            return Err(refuse("a sign-off or a comment is written once"));
        }
    }
    Ok(())
}

/// True for a place that one operation alone may ever name.
fn is_written_once(table: Table, key: &str) -> bool {
    match table {
        Table::SignOffs => true,
        Table::Notes => matches!(MarginKey::of(key), Some((_, MarginKey::Comment(..)))),
        Table::Attachments | Table::Cells | Table::Meta | Table::Narrative => false,
    }
}

fn check_op(op: &Op) -> Result<(), &'static str> {
    let object = op.object.ok_or("the root map is fixed")?;
    if !op.pred.is_sorted_by(|one, next| one < next) {
        return Err("predecessors are not ascending");
    }
    match place(object).ok_or("there is no such object")? {
        Place::Text(_) => check_text(op),
        Place::Table(table) => {
            let Key::Map(key) = &op.key else {
                return Err("a map has no elements");
            };
            if op.insert || op.action != Action::Put {
                return Err("only put is allowed on a map");
            }
            check_entry(table, key, op)
        }
    }
}

fn check_text(op: &Op) -> Result<(), &'static str> {
    match (op.action, op.insert, &op.key) {
        (Action::Put, true, Key::Head | Key::Element(_)) => match &op.value {
            Value::Text(text) if text.is_empty() => Err("an element holds at least one character"),
            Value::Text(_) if op.pred.is_empty() => Ok(()),
            Value::Text(_) => Err("an insertion replaces nothing"),
            Value::Null | Value::False | Value::Int(_) | Value::Bytes(_) => {
                Err("an element is a string")
            }
        },
        (Action::Delete, false, Key::Element(element)) => {
            if op.value != Value::Null {
                Err("a deletion has no value")
            } else if op.pred.as_slice() != [*element] {
                Err("a deletion replaces exactly its element")
            } else {
                Ok(())
            }
        }
        (_, _, _) => Err("a text takes insertions and deletions of elements"),
    }
}

fn check_entry(table: Table, key: &str, op: &Op) -> Result<(), &'static str> {
    match table {
        Table::Cells => {
            check_code(key)?;
            cell_from_value(&op.value)
                .map(|_| ())
                .ok_or("a cell cannot hold this value")
        }
        Table::Notes => check_beside(key, op),
        Table::Meta => match (key, &op.value) {
            ("template_version", Value::Int(version))
                if (1..=u32::MAX.into()).contains(version) =>
            {
                Ok(())
            }
            (_, _) => Err("only the template version may be put here"),
        },
        Table::SignOffs => {
            sign_off_key(key).ok_or("a sign-off stands at key id and number")?;
            match &op.value {
                Value::Bytes(_) if !op.pred.is_empty() => Err("a sign-off is written once"),
                Value::Bytes(bytes) => SignOff::decode(bytes)
                    .map(|_| ())
                    .map_err(|_| "a sign-off is malformed"),
                Value::Null | Value::False | Value::Int(_) | Value::Text(_) => {
                    Err("a sign-off is bytes")
                }
            }
        }
        Table::Attachments => check_attachment(key, &op.value),
        Table::Narrative => Err("sections are made by extensions only"),
    }
}

/// Notes, sources and reasons, which replace what stood there, and comments, which replace nothing.
fn check_beside(key: &str, op: &Op) -> Result<(), &'static str> {
    let (code, beside) = MarginKey::of(key).ok_or("nothing stands beside a cell under this key")?;
    check_code(code)?;
    match (beside, &op.value) {
        (MarginKey::Comment(..), Value::Bytes(_)) if !op.pred.is_empty() => {
            Err("a comment is written once")
        }
        (MarginKey::Comment(..), Value::Bytes(bytes)) => Comment::decode(bytes)
            .map(|_| ())
            .map_err(|_| "a comment is malformed"),
        (MarginKey::Comment(..), Value::Null | Value::False | Value::Int(_) | Value::Text(_)) => {
            Err("a comment is bytes")
        }
        (
            MarginKey::Note | MarginKey::Source | MarginKey::Reason(_),
            Value::Null | Value::Text(_),
        ) => Ok(()),
        (
            MarginKey::Note | MarginKey::Source | MarginKey::Reason(_),
            Value::False | Value::Int(_) | Value::Bytes(_),
        ) => Err("a note, a source or a reason is null or a string"),
    }
}

/// An indicator code: 1 to `CODE_BYTES_MAX` bytes, no control characters.
pub(crate) fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= limits::CODE_BYTES_MAX && !code.chars().any(char::is_control)
}

fn check_code(code: &str) -> Result<(), &'static str> {
    if is_code(code) {
        Ok(())
    } else {
        Err("an indicator code is 1 to 64 bytes without control characters")
    }
}

/// Key id and number of a sign-off's key `<key id hex>/<n>`, n from 1 in its shortest form.
pub(crate) fn sign_off_key(key: &str) -> Option<(KeyId, u64)> {
    let (id, number) = key.split_once('/')?;
    let shortest = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    let number = number.parse().ok().filter(|_| shortest)?;
    Some((id.parse().ok()?, number))
}

fn check_attachment(key: &str, value: &Value) -> Result<(), &'static str> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if key.len() != 64 || !key.bytes().all(hexadecimal) {
        return Err("an attachment stands at the hash of its bytes");
    }
    match value {
        Value::Null => Ok(()),
        Value::Text(text) => serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map(|_| ())
            .map_err(|_| "the metadata of an attachment is JSON"),
        Value::False | Value::Int(_) | Value::Bytes(_) => Err("attachment metadata is a string"),
    }
}
