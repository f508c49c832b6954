//! A report document: its schema, typed reads and writes, and its extract for everyone else.
//!
//! A document is an Automerge document whose objects are made by genesis and extensions alone
//! (`docs/formats.md` sections 2 and 3), so that people who start it apart start the same one. Maps
//! are flat; what stands in them follows from predecessors, which are kept here for history and
//! reads at any heads. Texts are merged by Automerge. Nothing reaches Automerge that did not pass
//! the gate, our own changes included.

pub mod comment;
mod extract;
pub mod margin;
mod reauthor;
mod restating;
pub mod root;
mod say_again;
pub mod sign_off;
mod standing;
pub mod subject;
mod text;
mod typed_over;
pub mod value;
mod write;

pub use comment::{Comment, PlacedComment, Thread};
pub use extract::{Extract, ExtractState};
pub use margin::{Margin, MarginKey};
pub use restating::Now;
pub use root::{Extension, Table, extension_change, genesis_change};
pub use sign_off::{Capacity, SignOff, Statement};
pub use subject::{Subject, SubjectKind};
pub use typed_over::{Replacement, typed_over};
pub use write::{Edit, Entry, NewChange, WriteError};

use std::collections::BTreeMap;
use std::fmt;

use automerge::{Automerge, ReadDoc};

use crate::cell::{CellValue, Rival};
use crate::gate::{Clock, GateError, Judgement, MemoryHistory, Refusal, Value, decode, judge_past};
use crate::identity::{ActorId, ChangeHash, DocumentId, KeyId};
use standing::{Put, Puts, rivals, standing_at};
use text::text_object;

/// Why received changes could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Bytes that no gate lets through.
    #[error("change does not pass the gate")]
    Gate(#[from] GateError),
    /// A change that does not fit its past.
    #[error("change does not fit its past")]
    Past(#[from] Refusal),
    /// Dependencies that are neither here nor among the changes given.
    #[error("{} dependencies are missing", .0.len())]
    Missing(Vec<ChangeHash>),
    /// Automerge refused what passed the gate. The document must be loaded again without the
    /// changes of this call.
    #[error("document engine refused a change: {0}")]
    Engine(String),
}

/// A sign-off as found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSignOff {
    /// The key that signed.
    pub key: KeyId,
    /// Its number among the key's sign-offs in this document.
    pub number: u64,
    /// The statement.
    pub sign_off: SignOff,
    /// The chain that wrote it.
    pub actor: ActorId,
    /// When, as that device claims, seconds since 1970 UTC.
    pub claimed_at: i64,
    /// The change that carries it.
    pub change: ChangeHash,
}

/// A document in memory, for reading and writing.
#[derive(Clone)]
pub struct Document {
    subject: Subject,
    history: MemoryHistory,
    puts: Puts,
    automerge: Automerge,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("subject", &self.subject)
            .field("heads", &self.heads())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// A document that holds its genesis only.
    ///
    /// # Errors
    /// [`ApplyError::Engine`], which no subject leads to.
    pub fn new(subject: Subject) -> Result<Self, ApplyError> {
        let genesis = genesis_change(&subject);
        let mut document = Self {
            history: MemoryHistory::new(&subject),
            puts: Puts::default(),
            automerge: Automerge::new(),
            subject,
        };
        document.engine_apply([genesis.bytes.as_slice()])?;
        Ok(document)
    }

    /// A document with declared sections and changes, in any order.
    ///
    /// # Errors
    /// As [`Document::apply`]. Names that are no section ids are left out.
    pub fn load<'a>(
        subject: Subject,
        sections: impl IntoIterator<Item = &'a str>,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, ApplyError> {
        let mut document = Self::new(subject)?;
        for name in sections {
            if let Some(extension) = extension_change(&document.subject, name) {
                document.declare(&extension)?;
            }
        }
        document.apply(changes)?;
        Ok(document)
    }

    /// What the document is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Which document.
    pub fn id(&self) -> DocumentId {
        self.subject.document_id()
    }

    /// The current version, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.history.heads()
    }

    /// True when all these changes are here, so that the version they name can be read.
    pub fn knows(&self, heads: &[ChangeHash]) -> bool {
        heads.iter().all(|head| self.history.get(head).is_some())
    }

    /// The accepted changes, for the gate.
    pub fn history(&self) -> &MemoryHistory {
        &self.history
    }

    /// Adds a declared extension; true when it was not there.
    ///
    /// # Errors
    /// [`ApplyError::Engine`], which no extension of this subject leads to.
    pub fn declare(&mut self, extension: &Extension) -> Result<bool, ApplyError> {
        let new = self.history.declare(extension);
        if new {
            self.engine_apply([extension.built.bytes.as_slice()])?;
        }
        Ok(new)
    }

    /// Applies changes in any order and gives the hashes of those that were new, in the order they
    /// were applied. The signature and the rights of each were checked by the caller; the gate is
    /// passed here again.
    ///
    /// # Errors
    /// [`ApplyError`] of the first change that stopped it; those applied before stay applied.
    pub fn apply<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<ChangeHash>, ApplyError> {
        let mut waiting = Vec::new();
        for bytes in changes {
            waiting.push((bytes, decode(bytes)?));
        }
        let mut ready = Vec::new();
        let mut applied = Vec::new();
        let outcome = loop {
            let before = waiting.len();
            let mut missing = Vec::new();
            let mut refused = None;
            for (bytes, change) in std::mem::take(&mut waiting) {
                let Ok(judgement) = judge_past(&change, &self.history);
                match judgement {
                    Judgement::Passed(_) => {
                        applied.push(change.hash);
                        ready.push(bytes);
                        self.puts.insert(&change);
                        self.history.insert(change);
                    }
                    Judgement::Duplicate => {}
                    Judgement::Missing(deps) => {
                        missing.extend(deps);
                        waiting.push((bytes, change));
                    }
                    Judgement::Refused(refusal) => refused = refused.or(Some(refusal)),
                }
            }
            if let Some(refusal) = refused {
                break Err(refusal.into());
            }
            if waiting.is_empty() {
                break Ok(applied);
            }
            if waiting.len() == before {
                missing.sort_unstable();
                missing.dedup();
                break Err(ApplyError::Missing(missing));
            }
        };
        self.engine_apply(ready)?;
        outcome
    }

    fn engine_apply<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), ApplyError> {
        let engine = |error: &dyn fmt::Display| ApplyError::Engine(error.to_string());
        let changes = changes
            .into_iter()
            .map(automerge::Change::try_from)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| engine(&error))?;
        self.automerge
            .apply_changes(changes)
            .map_err(|error| engine(&error))
    }

    /// The document as one Automerge file: genesis, extensions and changes.
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    /// Names of declared sections.
    pub fn sections(&self) -> Vec<String> {
        self.history
            .sections()
            .into_keys()
            .map(str::to_owned)
            .collect()
    }

    /// The sections whose extensions are among these changes.
    fn sections_among(&self, deps: &[ChangeHash]) -> Vec<String> {
        let among = |actor: &ActorId| {
            let Ok(made) = crate::gate::History::at_sequence(&self.history, *actor, 1);
            made.is_some_and(|hash| deps.contains(&hash))
        };
        self.history
            .sections()
            .into_iter()
            .filter(|(_, actor)| among(actor))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// What stands in each cell ever typed in, ascending by code. Rivals ascend by value; of equal
    /// values the one claimed earliest stands for all, so one rival means no conflict.
    pub fn cells(&self) -> BTreeMap<String, Vec<Rival>> {
        self.cells_at(&self.heads())
    }

    /// [`Document::cells`] as it was at these heads; see [`Document::knows`].
    pub fn cells_at(&self, heads: &[ChangeHash]) -> BTreeMap<String, Vec<Rival>> {
        self.table_at(Table::Cells, heads)
    }

    /// The notes at cells; an emptied one is [`CellValue::Empty`]. Rivals as for cells.
    pub fn notes(&self) -> BTreeMap<String, Vec<Rival>> {
        self.notes_at(&self.heads())
    }

    /// [`Document::notes`] as it was at these heads.
    pub fn notes_at(&self, heads: &[ChangeHash]) -> BTreeMap<String, Vec<Rival>> {
        let mut notes = self.table_at(Table::Notes, heads);
        notes.retain(|key, _| matches!(MarginKey::of(key), Some((_, MarginKey::Note))));
        notes
    }

    /// The note at a cell; empty when there never was one.
    pub fn note(&self, code: &str) -> Vec<Rival> {
        let clock = self.history.clock_at(&self.heads());
        standing_rivals(Table::Notes, self.puts.all(Table::Notes, code), &clock)
    }

    /// Attachments by blob hash in hexadecimal: metadata as text, or emptied.
    pub fn attachments(&self) -> BTreeMap<String, Vec<Rival>> {
        self.table_at(Table::Attachments, &self.heads())
    }

    fn table_at(&self, table: Table, heads: &[ChangeHash]) -> BTreeMap<String, Vec<Rival>> {
        let clock = self.history.clock_at(heads);
        self.puts
            .keys(table)
            .map(|(key, puts)| (key.to_owned(), standing_rivals(table, puts, &clock)))
            .filter(|(_, rivals)| !rivals.is_empty())
            .collect()
    }

    /// Every value ever typed into a cell, no later one before one it had seen.
    pub fn cell_history(&self, code: &str) -> Vec<Rival> {
        self.puts
            .all(Table::Cells, code)
            .iter()
            .map(|put| put.rival(read(Table::Cells, &put.value)))
            .collect()
    }

    /// The template version, the highest where two stand side by side.
    pub fn template_version(&self) -> Option<u32> {
        self.template_version_at(&self.heads())
    }

    /// [`Document::template_version`] as it was at these heads.
    pub fn template_version_at(&self, heads: &[ChangeHash]) -> Option<u32> {
        let clock = self.history.clock_at(heads);
        let puts = self.puts.all(Table::Meta, "template_version");
        standing_at(puts, &clock)
            .into_iter()
            .filter_map(|put| extract::version(&put.value))
            .max()
    }

    /// The text of a section; `None` when it is not declared.
    pub fn narrative(&self, section: &str) -> Option<String> {
        let text = text_object(&self.automerge, section)?;
        self.automerge.text(text).ok()
    }

    /// [`Document::narrative`] as it was at these heads; `None` also for heads that are not here.
    pub fn narrative_at(&self, section: &str, heads: &[ChangeHash]) -> Option<String> {
        if !self.knows(heads) {
            return None;
        }
        let text = text_object(&self.automerge, section)?;
        let heads: Vec<automerge::ChangeHash> = heads
            .iter()
            .map(|head| automerge::ChangeHash(head.0))
            .collect();
        self.automerge.text_at(text, &heads).ok()
    }

    /// Every sign-off, ascending by key, number and change.
    pub fn sign_offs(&self) -> Vec<PlacedSignOff> {
        let mut all: Vec<PlacedSignOff> = self
            .puts
            .keys(Table::SignOffs)
            .flat_map(|(at, puts)| puts.iter().filter_map(move |put| placed(at, put)))
            .collect();
        all.sort_by_key(|one| (one.key, one.number, one.change));
        all
    }

    /// True when cells, notes with sources and reasons, or narrative read differently now than at these heads.
    /// Sign-offs, comments, attachments and a value typed again do not count.
    pub fn changed_since(&self, heads: &[ChangeHash]) -> bool {
        let values = |table, heads: &[ChangeHash]| -> BTreeMap<String, Vec<CellValue>> {
            self.table_at(table, heads)
                .into_iter()
                .filter(|(key, _)| table == Table::Cells || margin::is_content(key))
                .map(|(key, rivals)| (key, rivals.into_iter().map(|one| one.value).collect()))
                .collect()
        };
        let now = self.heads();
        [Table::Cells, Table::Notes]
            .into_iter()
            .any(|table| values(table, heads) != values(table, &now))
            || self.sections().iter().any(|section| {
                self.narrative_at(section, heads).unwrap_or_default()
                    != self.narrative(section).unwrap_or_default()
            })
    }

    /// The extract of the current version.
    pub fn extract(&self) -> Extract {
        self.extract_at(&self.heads())
    }

    /// The extract of the version at these heads, which are ascending.
    pub fn extract_at(&self, heads: &[ChangeHash]) -> Extract {
        Extract {
            document: self.id(),
            subject: self.subject.clone(),
            template_version: self.template_version_at(heads),
            heads: heads.to_vec(),
            cells: self.cells_at(heads),
        }
    }
}

fn standing_rivals(table: Table, puts: &[Put], clock: &Clock) -> Vec<Rival> {
    let standing = standing_at(puts, clock).into_iter();
    rivals(standing.map(|put| put.rival(read(table, &put.value))))
}

/// The value of an operation as shown: cells by their marks, everything else as plain text.
fn read(table: Table, value: &Value) -> CellValue {
    match (table, value) {
        (Table::Cells, value) => value::cell_from_value(value).unwrap_or(CellValue::Empty),
        (_, Value::Text(text)) => CellValue::Text(text.clone()),
        (_, Value::Null | Value::False | Value::Int(_) | Value::Bytes(_)) => CellValue::Empty,
    }
}

fn placed(at: &str, put: &Put) -> Option<PlacedSignOff> {
    let (key, number) = crate::gate::sign_off_key(at)?;
    let Value::Bytes(bytes) = &put.value else {
        return None;
    };
    Some(PlacedSignOff {
        key,
        number,
        sign_off: SignOff::decode(bytes).ok()?,
        actor: put.id.actor,
        claimed_at: put.typed_at,
        change: put.change,
    })
}

#[cfg(test)]
mod tests;
