//! What a person typed, as one change on the heads that person saw.

use std::collections::BTreeMap;

use crate::cell::CellValue;
use crate::gate::{
    Action, ChangeContent, Clock, GateError, Judgement, Key, Op, OpId, Refusal, Value, decode,
    encode, judge_past, typing_message,
};
use crate::identity::{ActorId, ChangeHash, KeyId};

use super::comment::Comment;
use super::margin::{MarginKey, comment_numbers};
use super::root::{Table, extension_change};
use super::sign_off::SignOff;
use super::standing::standing_at;
use super::text::{Element, Splice, difference, elements, splice, text_object};
use super::value::{value_from_carried, value_from_cell};
use super::{ApplyError, Document};

/// One thing typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What was typed, and where.
    pub entry: Entry,
    /// When, as the device claims, seconds since 1970 UTC.
    pub typed_at: i64,
}

/// What can be typed into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A value into a cell; emptying is [`CellValue::Empty`]. A value typed again is kept: it is
    /// somebody's work.
    Cell {
        /// Indicator code.
        code: String,
        /// The value.
        value: CellValue,
    },
    /// A value from the period before, carried forward into a cell: marked as such until somebody confirms it by
    /// typing it. Nothing is carried of what is empty or did not occur.
    Carried {
        /// Indicator code.
        code: String,
        /// The value.
        value: CellValue,
    },
    /// Where the figure of a cell comes from; `None` empties it.
    Source {
        /// Indicator code.
        code: String,
        /// In a few words.
        text: Option<String>,
    },
    /// Why a figure stands though a rule speaks against it; `None` empties it.
    Reason {
        /// Indicator code.
        code: String,
        /// The code of the rule.
        rule: String,
        /// The reason.
        text: Option<String>,
    },
    /// A comment of this key at a cell; its number is the next one of the key there.
    Comment {
        /// Indicator code.
        code: String,
        /// The key of the person who writes.
        key: KeyId,
        /// What is written.
        comment: Comment,
    },
    /// A note at a cell; `None` empties it.
    Note {
        /// Indicator code.
        code: String,
        /// The note.
        text: Option<String>,
    },
    /// The version of the template the report is filled by, from 1.
    TemplateVersion(u32),
    /// A replacement in the text of a section.
    Narrative {
        /// Section id.
        section: String,
        /// First character that changes, from 0.
        position: usize,
        /// Characters taken away.
        delete: usize,
        /// Characters put in their place.
        insert: String,
    },
    /// The whole text of a section: the difference to what stands is written.
    NarrativeText {
        /// Section id.
        section: String,
        /// The text as it is to be.
        text: String,
    },
    /// A sign-off of this key; its number is the next one of the key in this document.
    SignOff {
        /// The key of the person who signs.
        key: KeyId,
        /// The statement.
        sign_off: SignOff,
    },
    /// Metadata of an attachment; `None` takes it out of the list.
    Attachment {
        /// Hash of the blob.
        blob: [u8; 32],
        /// JSON.
        metadata: Option<String>,
    },
}

/// A change just made, to be sealed into a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// The change chunk.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: ChangeHash,
    /// Sequence number in the actor's chain within this document.
    pub seq: u64,
    /// Number of the first operation.
    pub start_op: u64,
    /// How many operations.
    pub ops: usize,
    /// Sections whose extension the change depends on or writes: declare them before it.
    pub sections: Vec<String>,
}

/// Why nothing was written. The document is as before, apart from declared sections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Nothing was typed, or only texts that already stand.
    #[error("there is nothing to write")]
    Nothing,
    /// No section id.
    #[error("{0:?} is no section id")]
    Section(String),
    /// A value that is empty, or did not occur.
    #[error("there is nothing to carry forward")]
    NothingToCarry,
    /// A replacement beyond the end of the text.
    #[error("replacement lies beyond the end of section {0:?}")]
    Range(String),
    /// The change would not pass the gate: too much at once, or a value that has no form.
    #[error("change would be refused")]
    Gate(#[from] GateError),
    /// The change would not pass beside its past: an actor whose chain is not whole here.
    #[error("change would be refused beside its past")]
    Past(#[from] Refusal),
    /// The document could not take its own change.
    #[error("document cannot take its own change")]
    Apply(#[source] Box<ApplyError>),
}

impl Document {
    /// Writes what was typed as one change of `actor` on the current heads, and applies it.
    ///
    /// The heads must be those the person saw: seal before applying what was received.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written then. [`WriteError::Gate`] with a limit: write fewer edits
    /// at a time.
    pub fn write(&mut self, actor: ActorId, edits: &[Edit]) -> Result<NewChange, WriteError> {
        for edit in edits {
            self.declare_section_of(&edit.entry)?;
        }
        let mut draft = Draft::new(self, actor);
        for edit in edits {
            draft.add(edit)?;
        }
        let (content, mut sections) = draft.finish();
        if content.ops.is_empty() {
            return Err(WriteError::Nothing);
        }
        sections.extend(self.sections_among(&content.deps));
        sections.sort_unstable();
        sections.dedup();
        self.take_own(content, sections)
    }

    /// Checks a change of our own by the gate and applies it.
    pub(super) fn take_own(
        &mut self,
        content: ChangeContent,
        sections: Vec<String>,
    ) -> Result<NewChange, WriteError> {
        let (bytes, hash) = encode(&content);
        let change = decode(&bytes)?;
        let Ok(judgement) = judge_past(&change, &self.history);
        if let Judgement::Refused(refusal) = judgement {
            return Err(refusal.into());
        }
        self.apply([bytes.as_slice()])
            .map_err(|error| WriteError::Apply(Box::new(error)))?;
        Ok(NewChange {
            bytes,
            hash,
            seq: content.seq,
            start_op: content.start_op,
            ops: content.ops.len(),
            sections,
        })
    }

    fn declare_section_of(&mut self, entry: &Entry) -> Result<(), WriteError> {
        let section = match entry {
            Entry::Narrative { section, .. } | Entry::NarrativeText { section, .. } => section,
            Entry::Cell { .. }
            | Entry::Carried { .. }
            | Entry::Note { .. }
            | Entry::Source { .. }
            | Entry::Reason { .. }
            | Entry::Comment { .. }
            | Entry::TemplateVersion(_)
            | Entry::SignOff { .. }
            | Entry::Attachment { .. } => return Ok(()),
        };
        let extension = extension_change(&self.subject, section)
            .ok_or_else(|| WriteError::Section(section.clone()))?;
        self.declare(&extension)
            .map_err(|error| WriteError::Apply(Box::new(error)))?;
        Ok(())
    }
}

/// A change being put together.
struct Draft<'a> {
    document: &'a Document,
    actor: ActorId,
    deps: Vec<ChangeHash>,
    /// The past of the change.
    clock: Clock,
    start_op: u64,
    ops: Vec<Op>,
    typed_at: Vec<i64>,
    /// What stands at keys that this draft has written.
    standing: BTreeMap<(Table, String), OpId>,
    /// The texts that this draft has changed.
    texts: BTreeMap<String, (OpId, Vec<Element>)>,
}

impl<'a> Draft<'a> {
    fn new(document: &'a Document, actor: ActorId) -> Self {
        let deps = document.history.heads();
        Self {
            document,
            actor,
            start_op: document.history.last_op_at(&deps) + 1,
            clock: document.history.clock_at(&deps),
            deps,
            ops: Vec::new(),
            typed_at: Vec::new(),
            standing: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }

    fn next(&self) -> OpId {
        OpId {
            counter: self.start_op + self.ops.len() as u64,
            actor: self.actor,
        }
    }

    fn add(&mut self, edit: &Edit) -> Result<(), WriteError> {
        match &edit.entry {
            Entry::Cell { code, value } => self.put(Table::Cells, code, value_from_cell(value)),
            Entry::Carried { code, value } => {
                let value = value_from_carried(value).ok_or(WriteError::NothingToCarry)?;
                self.put(Table::Cells, code, value);
            }
            Entry::Source { code, text } => {
                self.put(
                    Table::Notes,
                    &MarginKey::Source.key(code),
                    text_or_null(text),
                );
            }
            Entry::Reason { code, rule, text } => {
                let at = MarginKey::Reason(rule).key(code);
                self.put(Table::Notes, &at, text_or_null(text));
            }
            Entry::Comment { code, key, comment } => {
                let number = self.next_comment(code, *key);
                let at = MarginKey::Comment(*key, number).key(code);
                self.put(Table::Notes, &at, Value::Bytes(comment.encode()));
            }
            Entry::Note { code, text } => self.put(Table::Notes, code, text_or_null(text)),
            Entry::TemplateVersion(version) => {
                self.put(
                    Table::Meta,
                    "template_version",
                    Value::Int((*version).into()),
                );
            }
            Entry::Narrative {
                section,
                position,
                delete,
                insert,
            } => {
                let change = Splice {
                    position: *position,
                    delete: *delete,
                    insert,
                };
                self.splice(section, change)?;
            }
            Entry::NarrativeText { section, text } => {
                let old: String = self
                    .text(section)?
                    .1
                    .iter()
                    .map(|element| element.text.as_str())
                    .collect();
                if let Some(change) = difference(&old, text) {
                    self.splice(section, change)?;
                }
            }
            Entry::SignOff { key, sign_off } => {
                let number = self.next_sign_off(*key);
                let at = format!("{key}/{number}");
                self.put(Table::SignOffs, &at, Value::Bytes(sign_off.encode()));
            }
            Entry::Attachment { blob, metadata } => {
                let at = data_encoding::HEXLOWER.encode(blob);
                self.put(Table::Attachments, &at, text_or_null(metadata));
            }
        }
        self.typed_at.resize(self.ops.len(), edit.typed_at);
        Ok(())
    }

    fn put(&mut self, table: Table, key: &str, value: Value) {
        let id = self.next();
        let written = self.standing.insert((table, key.to_owned()), id);
        let pred = match written {
            Some(own) => vec![own],
            None => {
                let puts = self.document.puts.all(table, key);
                standing_at(puts, &self.clock)
                    .iter()
                    .map(|put| put.id)
                    .collect()
            }
        };
        self.ops.push(Op {
            object: Some(table.object()),
            key: Key::Map(key.to_owned()),
            insert: false,
            action: Action::Put,
            value,
            pred,
        });
    }

    /// One more than the largest number of the key's sign-offs, here or in this draft.
    fn next_sign_off(&self, key: KeyId) -> u64 {
        let own = self
            .standing
            .keys()
            .filter(|(table, _)| *table == Table::SignOffs)
            .map(|(_, at)| at.as_str());
        let known = self.document.puts.keys(Table::SignOffs).map(|(at, _)| at);
        own.chain(known)
            .filter_map(crate::gate::sign_off_key)
            .filter(|(id, _)| *id == key)
            .map(|(_, number)| number)
            .max()
            .unwrap_or(0)
            + 1
    }

    /// One more than the largest number of the key's comments at a cell, here or in this draft.
    fn next_comment(&self, code: &str, key: KeyId) -> u64 {
        let own = self.standing.keys();
        let own = own.filter(|(table, _)| *table == Table::Notes);
        let own = comment_numbers(own.map(|(_, at)| at.as_str()), code, key);
        let known = self.document.comment_numbers(code, key);
        own.chain(known).max().unwrap_or(0) + 1
    }

    fn text(&mut self, section: &str) -> Result<&mut (OpId, Vec<Element>), WriteError> {
        if !self.texts.contains_key(section) {
            let extension = extension_change(&self.document.subject, section)
                .ok_or_else(|| WriteError::Section(section.to_owned()))?;
            let found = text_object(&self.document.automerge, section)
                .and_then(|object| elements(&self.document.automerge, &object))
                .ok_or_else(|| WriteError::Section(section.to_owned()))?;
            self.texts
                .insert(section.to_owned(), (extension.text(), found));
        }
        self.texts
            .get_mut(section)
            .ok_or_else(|| WriteError::Section(section.to_owned()))
    }

    fn splice(&mut self, section: &str, change: Splice<'_>) -> Result<(), WriteError> {
        let next = self.next();
        let (text, elements) = self.text(section)?;
        let ops = splice(elements, change, *text, next)
            .ok_or_else(|| WriteError::Range(section.to_owned()))?;
        self.ops.extend(ops);
        Ok(())
    }

    fn finish(self) -> (ChangeContent, Vec<String>) {
        let (time, message) = typing_message(&self.typed_at);
        let content = ChangeContent {
            actor: self.actor,
            seq: self.document.history.last_seq(self.actor) + 1,
            start_op: self.start_op,
            time,
            message,
            deps: self.deps,
            ops: self.ops,
        };
        (content, self.texts.into_keys().collect())
    }
}

pub(super) fn text_or_null(text: &Option<String>) -> Value {
    match text {
        Some(text) => Value::Text(text.clone()),
        None => Value::Null,
    }
}
