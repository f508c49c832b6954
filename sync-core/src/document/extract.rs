//! The extract of a report: what roll-up, rights and lists need of it, kept without Automerge.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use crate::cell::{CellValue, Rival};
use crate::codec::{DecodeError, Reader, Writer};
use crate::gate::{DecodedChange, OpId, Value};
use crate::identity::{ChangeHash, DocumentId};
use crate::limits;

use super::root::{Extension, Table, genesis_change};
use super::standing::{puts, rivals};
use super::subject::Subject;
use super::value::{cell_from_value, value_from_cell};

/// Bytes of a cell with one value, about: its code, a number, who said so, when and in which change.
const CELL_BYTES: usize = 80;

/// One version of a report's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// Which document.
    pub document: DocumentId,
    /// What it is about.
    pub subject: Subject,
    /// The template version it is filled by: the highest where two stand side by side.
    pub template_version: Option<u32>,
    /// Which version of the document, ascending.
    pub heads: Vec<ChangeHash>,
    /// What stands in each cell ever typed in. Two or more rivals are an open conflict; see
    /// [`super::Document::cells`] for their order.
    pub cells: BTreeMap<String, Vec<Rival>>,
}

/// What stands at one key, with its operation name so that a later change can replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    id: OpId,
    rival: Rival,
}

/// Follows a document change by change and gives its [`Extract`] at any moment.
///
/// Changes come in any order that respects their dependencies, each once, each having passed the
/// gate. It costs no Automerge document: a put stands until another one names it as predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractState {
    document: DocumentId,
    subject: Subject,
    heads: BTreeSet<ChangeHash>,
    template_version: BTreeMap<OpId, u32>,
    cells: BTreeMap<String, Vec<Standing>>,
}

impl ExtractState {
    /// A document that holds its genesis only.
    pub fn new(subject: Subject) -> Self {
        Self {
            document: subject.document_id(),
            heads: BTreeSet::from([genesis_change(&subject).hash]),
            subject,
            template_version: BTreeMap::new(),
            cells: BTreeMap::new(),
        }
    }

    /// Adds a declared extension; again changes nothing as long as nothing depends on it yet.
    pub fn declare(&mut self, extension: &Extension) {
        self.advance(&extension.built.content.deps, extension.built.hash);
    }

    /// Adds a change that passed the gate.
    pub fn apply(&mut self, change: &DecodedChange) {
        self.advance(&change.content.deps, change.hash);
        for (table, key, put) in puts(change) {
            match table {
                Table::Cells => {
                    let Some(value) = cell_from_value(put.value) else {
                        continue;
                    };
                    let new = Standing {
                        id: put.id,
                        rival: put.rival(value),
                    };
                    match self.cells.get_mut(key) {
                        Some(standing) => {
                            standing.retain(|other| !put.pred.contains(&other.id));
                            standing.push(new);
                        }
                        // Room for the one value that nearly every cell has.
                        None => {
                            self.cells.insert(key.to_owned(), vec![new]);
                        }
                    }
                }
                Table::Meta => {
                    self.template_version.retain(|id, _| !put.pred.contains(id));
                    if let Some(version) = version(put.value) {
                        self.template_version.insert(put.id, version);
                    }
                }
                Table::Attachments | Table::Narrative | Table::Notes | Table::SignOffs => {}
            }
        }
    }

    fn advance(&mut self, deps: &[ChangeHash], hash: ChangeHash) {
        for dep in deps {
            self.heads.remove(dep);
        }
        self.heads.insert(hash);
    }

    /// What [`Extract::encode`] gives of the version that stands now, without making it.
    pub fn encode_extract(&self) -> Vec<u8> {
        let heads = self.heads.iter();
        let mut to = Writer::with_capacity(self.cells.len() * CELL_BYTES);
        write_head(
            &mut to,
            &self.subject,
            self.document,
            self.template_version(),
        );
        write_heads(&mut to, heads);
        to.var(self.cells.len() as u64);
        for (code, standing) in &self.cells {
            match standing.as_slice() {
                [one] => write_rivals(&mut to, code, slice::from_ref(&one.rival)),
                all => {
                    let all = all.iter().map(|one| one.rival.clone());
                    write_rivals(&mut to, code, &rivals(all));
                }
            }
        }
        to.into_bytes()
    }

    fn template_version(&self) -> Option<u32> {
        self.template_version.values().max().copied()
    }

    /// The version that stands now.
    pub fn extract(&self) -> Extract {
        Extract {
            document: self.document,
            subject: self.subject.clone(),
            template_version: self.template_version(),
            heads: self.heads.iter().copied().collect(),
            cells: self
                .cells
                .iter()
                .map(|(code, standing)| {
                    let all = standing.iter().map(|one| one.rival.clone());
                    (code.clone(), rivals(all))
                })
                .collect(),
        }
    }
}

/// The template version that an operation puts.
pub(super) fn version(value: &Value) -> Option<u32> {
    match value {
        Value::Int(version) => u32::try_from(*version).ok().filter(|version| *version > 0),
        Value::Null | Value::False | Value::Text(_) | Value::Bytes(_) => None,
    }
}

impl Extract {
    /// Canonical bytes: document, subject, `var` template version or 0, list of heads, list of
    /// (code, list of rivals).
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::with_capacity(self.cells.len() * CELL_BYTES);
        write_head(&mut to, &self.subject, self.document, self.template_version);
        write_heads(&mut to, self.heads.iter());
        to.var(self.cells.len() as u64);
        for (code, rivals) in &self.cells {
            write_rivals(&mut to, code, rivals);
        }
        to.into_bytes()
    }

    /// Reads what [`Extract::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let document = DocumentId(from.array("document")?);
        let subject = Subject::decode(from.bytes(limits::SUBJECT_BYTES_MAX, "subject")?)?;
        if subject.document_id() != document {
            return Err(DecodeError::Undefined("document"));
        }
        let version = u32::try_from(from.var("template version")?)
            .map_err(|_| DecodeError::Limit("template version"))?;
        let count = from.count(from.rest().len(), "heads")?;
        let heads = (0..count)
            .map(|_| from.array("head").map(ChangeHash))
            .collect::<Result<Vec<_>, _>>()?;
        if !heads.is_sorted_by(|one, next| one < next) {
            return Err(DecodeError::Undefined("order of heads"));
        }
        let mut cells = BTreeMap::new();
        for _ in 0..from.count(from.rest().len(), "cells")? {
            let code = from.text(limits::CODE_BYTES_MAX, "code")?.to_owned();
            if cells
                .last_key_value()
                .is_some_and(|(last, _)| *last >= code)
            {
                return Err(DecodeError::Undefined("order of cells"));
            }
            let rivals = read_rivals(&mut from)?;
            cells.insert(code, rivals);
        }
        from.end("extract")?;
        Ok(Self {
            document,
            subject,
            template_version: (version > 0).then_some(version),
            heads,
            cells,
        })
    }
}

fn write_head(to: &mut Writer, subject: &Subject, document: DocumentId, version: Option<u32>) {
    to.raw(&document.0)
        .bytes(&subject.encode())
        .var(version.unwrap_or(0).into());
}

fn write_heads<'a>(to: &mut Writer, heads: impl ExactSizeIterator<Item = &'a ChangeHash>) {
    to.var(heads.len() as u64);
    for head in heads {
        to.raw(&head.0);
    }
}

fn write_rivals(to: &mut Writer, code: &str, rivals: &[Rival]) {
    to.text(code).var(rivals.len() as u64);
    for rival in rivals {
        write_cell(to, &rival.value);
        to.raw(&rival.actor.0)
            .svar(rival.claimed_at)
            .raw(&rival.change.0);
    }
}

fn read_rivals(from: &mut Reader<'_>) -> Result<Vec<Rival>, DecodeError> {
    let count = from.count(from.rest().len(), "rivals")?;
    let rivals = (0..count)
        .map(|_| {
            Ok(Rival {
                value: read_cell(from)?,
                actor: crate::identity::ActorId(from.array("actor")?),
                claimed_at: from.svar("claimed at")?,
                change: ChangeHash(from.array("change")?),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if rivals.is_empty() || !rivals.is_sorted_by(|one, next| one.value < next.value) {
        return Err(DecodeError::Undefined("order of rivals"));
    }
    Ok(rivals)
}

/// Tag and content: 0 emptied, 1 no occurrence, 2 integer, 3 the string of section 3.
fn write_cell(writer: &mut Writer, cell: &CellValue) {
    match value_from_cell(cell) {
        Value::Null | Value::Bytes(_) => writer.u8(0),
        Value::False => writer.u8(1),
        Value::Int(integer) => writer.u8(2).svar(integer),
        Value::Text(text) => writer.u8(3).text(&text),
    };
}

fn read_cell(from: &mut Reader<'_>) -> Result<CellValue, DecodeError> {
    let value = match from.u8("cell kind")? {
        0 => Value::Null,
        1 => Value::False,
        2 => Value::Int(from.svar("cell")?),
        3 => Value::Text(from.text(limits::TEXT_BYTES_MAX, "cell")?.to_owned()),
        _ => return Err(DecodeError::Undefined("cell kind")),
    };
    cell_from_value(&value).ok_or(DecodeError::Undefined("cell"))
}
