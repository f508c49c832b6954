//! What was typed and not sealed yet: durable on the device, invisible to everybody else.

use crate::codec::{DecodeError, Reader, Writer};
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
