//! What was typed and not sealed yet: durable on the device, invisible to everybody else.

use crate::codec::{DecodeError, Reader, Writer};
use crate::date::Date;
use crate::document::value::{cell_from_value, value_from_cell};
use crate::document::{Comment, Edit, Entry, SignOff, Subject};
use crate::gate::Value;
use crate::identity::KeyId;
use crate::limits;

/// The unsealed edits of one document, in the order they were typed, all made on the heads that the
/// document has while the draft exists: it is sealed before anything received is applied there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The document.
    pub subject: Subject,
    /// What was typed.
    pub edits: Vec<Edit>,
}

impl Draft {
    /// Adds what was typed. Who goes on typing in a text makes one replacement of it: what is taken away again
    /// before it was sealed was never said.
    pub(super) fn extend(&mut self, edits: &[Edit]) {
        for edit in edits {
            let last = self.edits.iter_mut().rfind(|last| same_text(last, edit));
            if !last.is_some_and(|last| goes_on(last, edit)) {
                self.edits.push(edit.clone());
            }
        }
    }

    /// Bytes of the value.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.bytes(&self.subject.encode())
            .var(self.edits.len() as u64);
        for edit in &self.edits {
            to.svar(edit.typed_at);
            write_entry(&mut to, &edit.entry);
        }
        to.into_bytes()
    }

    /// Reads the value.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let subject = Subject::decode(from.bytes(limits::SUBJECT_BYTES_MAX, "subject")?)
            .map_err(|_| DecodeError::Undefined("subject"))?;
        let count = from.count(bytes.len(), "edits")?;
        let edits = (0..count)
            .map(|_| {
                let typed_at = from.svar("time")?;
                Ok(Edit {
                    entry: read_entry(&mut from)?,
                    typed_at,
                })
            })
            .collect::<Result<_, DecodeError>>()?;
        from.end("draft")?;
        Ok(Self { subject, edits })
    }
}

fn same_text(one: &Edit, other: &Edit) -> bool {
    match (&one.entry, &other.entry) {
        (
            Entry::Narrative { section: one, .. } | Entry::NarrativeText { section: one, .. },
            Entry::Narrative { section: other, .. } | Entry::NarrativeText { section: other, .. },
        ) => one == other,
        _ => false,
    }
}

/// Takes a replacement into the last one of its text if it changes nothing but what that one put in on the same
/// day: a limit of the day asks which day something is of.
fn goes_on(last: &mut Edit, edit: &Edit) -> bool {
    let Entry::Narrative {
        position,
        delete,
        insert,
        ..
    } = &edit.entry
    else {
        return false;
    };
    let Entry::Narrative {
        position: start,
        insert: before,
        ..
    } = &mut last.entry
    else {
        return false;
    };
    if Date::of_timestamp(last.typed_at) != Date::of_timestamp(edit.typed_at) {
        return false;
    }
    let characters: Vec<char> = before.chars().collect();
    let Some(from) = position.checked_sub(*start) else {
        return false;
    };
    // In front of it is another place: nobody goes on typing there.
    if from == 0 && *delete == 0 {
        return false;
    }
    let head = characters.get(..from);
    let tail = from
        .checked_add(*delete)
        .and_then(|to| characters.get(to..));
    let (Some(head), Some(tail)) = (head, tail) else {
        return false;
    };
    let joined: String = head
        .iter()
        .copied()
        .chain(insert.chars())
        .chain(tail.iter().copied())
        .collect();
    if joined.len() > limits::TEXT_BYTES_MAX {
        return false;
    }
    *before = joined;
    last.typed_at = edit.typed_at;
    true
}

fn write_value(to: &mut Writer, value: &Value) {
    match value {
        Value::Null => to.u8(0),
        Value::False => to.u8(1),
        Value::Int(number) => to.u8(2).svar(*number),
        Value::Text(text) => to.u8(3).text(text),
        Value::Bytes(bytes) => to.u8(4).bytes(bytes),
    };
}

fn read_value(from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    Ok(match from.u8("value")? {
        0 => Value::Null,
        1 => Value::False,
        2 => Value::Int(from.svar("number")?),
        3 => Value::Text(from.text(limits::TEXT_BYTES_MAX + 1, "text")?.to_owned()),
        4 => Value::Bytes(from.bytes(limits::TEXT_BYTES_MAX, "bytes")?.to_vec()),
        _ => return Err(DecodeError::Undefined("value")),
    })
}

fn write_optional(to: &mut Writer, text: Option<&str>) {
    match text {
        None => to.u8(0),
        Some(text) => to.u8(1).text(text),
    };
}

fn read_optional(from: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    match from.u8("text")? {
        0 => Ok(None),
        1 => Ok(Some(from.text(limits::TEXT_BYTES_MAX, "text")?.to_owned())),
        _ => Err(DecodeError::Undefined("text")),
    }
}

pub(super) fn write_entry(to: &mut Writer, entry: &Entry) {
    match entry {
        Entry::Cell { code, value } => {
            to.u8(1).text(code);
            write_value(to, &value_from_cell(value));
        }
        Entry::Note { code, text } => {
            to.u8(2).text(code);
            write_optional(to, text.as_deref());
        }
        Entry::TemplateVersion(version) => {
            to.u8(3).var(u64::from(*version));
        }
        Entry::Narrative {
            section,
            position,
            delete,
            insert,
        } => {
            to.u8(4)
                .text(section)
                .var(*position as u64)
                .var(*delete as u64)
                .text(insert);
        }
        Entry::NarrativeText { section, text } => {
            to.u8(5).text(section).text(text);
        }
        Entry::SignOff { key, sign_off } => {
            to.u8(6).raw(&key.0).bytes(&sign_off.encode());
        }
        Entry::Attachment { blob, metadata } => {
            to.u8(7).raw(blob);
            write_optional(to, metadata.as_deref());
        }
        Entry::Carried { code, value } => {
            to.u8(8).text(code);
            write_value(to, &value_from_cell(value));
        }
        Entry::Source { code, text } => {
            to.u8(9).text(code);
            write_optional(to, text.as_deref());
        }
        Entry::Reason { code, rule, text } => {
            to.u8(10).text(code).text(rule);
            write_optional(to, text.as_deref());
        }
        Entry::Comment { code, key, comment } => {
            to.u8(11).text(code).raw(&key.0).bytes(&comment.encode());
        }
    }
}

pub(super) fn read_entry(from: &mut Reader<'_>) -> Result<Entry, DecodeError> {
    let code = |from: &mut Reader<'_>| from.text(limits::CODE_BYTES_MAX, "code").map(str::to_owned);
    let text = |from: &mut Reader<'_>| from.text(limits::TEXT_BYTES_MAX, "text").map(str::to_owned);
    let size = |from: &mut Reader<'_>| from.count(limits::DRAFT_TEXT_MAX, "position");
    Ok(match from.u8("kind of edit")? {
        1 => Entry::Cell {
            code: code(from)?,
            value: cell_from_value(&read_value(from)?)
                .ok_or(DecodeError::Undefined("value of a cell"))?,
        },
        2 => Entry::Note {
            code: code(from)?,
            text: read_optional(from)?,
        },
        3 => Entry::TemplateVersion(
            u32::try_from(from.var("version")?).map_err(|_| DecodeError::Limit("version"))?,
        ),
        4 => Entry::Narrative {
            section: code(from)?,
            position: size(from)?,
            delete: size(from)?,
            insert: text(from)?,
        },
        5 => Entry::NarrativeText {
            section: code(from)?,
            text: text(from)?,
        },
        6 => Entry::SignOff {
            key: KeyId(from.array("key")?),
            sign_off: SignOff::decode(from.bytes(limits::TEXT_BYTES_MAX, "sign-off")?)?,
        },
        7 => Entry::Attachment {
            blob: from.array("blob")?,
            metadata: read_optional(from)?,
        },
        8 => Entry::Carried {
            code: code(from)?,
            value: cell_from_value(&read_value(from)?)
                .ok_or(DecodeError::Undefined("value of a cell"))?,
        },
        9 => Entry::Source {
            code: code(from)?,
            text: read_optional(from)?,
        },
        10 => Entry::Reason {
            code: code(from)?,
            rule: code(from)?,
            text: read_optional(from)?,
        },
        11 => Entry::Comment {
            code: code(from)?,
            key: KeyId(from.array("key")?),
            comment: Comment::decode(from.bytes(limits::TEXT_BYTES_MAX, "comment")?)?,
        },
        _ => return Err(DecodeError::Undefined("kind of edit")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, SubjectKind};
    use crate::identity::{ActorId, UnitId};
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn draft() -> Draft {
        Draft {
            subject: Subject {
                kind: SubjectKind::Report,
                template: "mau".into(),
                unit: UnitId([1; 8]),
                period: "2026".into(),
            },
            edits: Vec::new(),
        }
    }

    fn edit(section: &str, position: usize, delete: usize, insert: &str, typed_at: i64) -> Edit {
        Edit {
            entry: Entry::Narrative {
                section: section.into(),
                position,
                delete,
                insert: insert.into(),
            },
            typed_at,
        }
    }

    fn cell() -> Edit {
        Edit {
            entry: Entry::Cell {
                code: "a".into(),
                value: crate::cell::CellValue::Empty,
            },
            typed_at: 1,
        }
    }

    #[test]
    fn who_goes_on_typing_makes_one_replacement() {
        let mut draft = draft();
        draft.extend(&[edit("i", 3, 2, "Tỉnh", 1), cell()]);
        draft.extend(&[edit("i", 7, 0, " có", 2), edit("i", 4, 3, "", 3)]);
        assert_eq!(draft.edits, [edit("i", 3, 2, "T có", 3), cell()]);
        // Another text, another place, another day.
        let others = [
            edit("ii", 4, 0, "x", 3),
            edit("i", 0, 0, "x", 3),
            edit("i", 2, 0, "x", DAY + 3),
        ];
        draft.extend(&others);
        assert_eq!(draft.edits.len(), 5);
    }

    #[test]
    fn no_replacement_grows_beyond_what_can_be_read_again() {
        let mut draft = draft();
        let long = "x".repeat(limits::TEXT_BYTES_MAX);
        draft.extend(&[edit("i", 0, 0, &long, 1), edit("i", 5, 0, "y", 1)]);
        assert_eq!(draft.edits.len(), 2);
        assert_eq!(Draft::decode(&draft.encode()), Ok(draft));
    }

    proptest! {
        /// The text is the same as if each replacement stood by itself.
        #[test]
        fn the_text_is_the_same(
            steps in proptest::collection::vec((0usize..2, 0usize..8, 0usize..3, "[ab]{0,3}"), 1..12),
        ) {
            let actor = ActorId([3; 16]);
            let (mut together, mut alone) = (draft(), Vec::new());
            let mut lengths = [0usize; 2];
            for (section, position, delete, insert) in &steps {
                let length = &mut lengths[*section];
                let position = (*position).min(*length);
                let delete = (*delete).min(*length - position);
                *length = *length - delete + insert.len();
                let one = edit(["i", "ii"][*section], position, delete, insert, 1);
                together.extend(std::slice::from_ref(&one));
                alone.push(one);
            }
            let written = |edits: &[Edit]| {
                let mut document = Document::new(together.subject.clone()).expect("a document");
                let _ = document.write(actor, edits);
                ["i", "ii"].map(|section| document.narrative(section).unwrap_or_default())
            };
            prop_assert_eq!(written(&together.edits), written(&alone));
        }
    }
}
