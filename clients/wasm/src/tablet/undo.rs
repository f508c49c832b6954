//! What was typed on this tablet and can be taken back, kept beside the drafts; `sync_core::sync::undo` has the rules.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use sync_core::document::{Document, Edit, Entry, MarginKey};
use sync_core::identity::{DocumentId, KeyId};
use sync_core::log::Write;
use sync_core::sync::undo::{Offered, Replaced, StepRows, UndoHistory};

use super::{Step, StepError, TabletState};
use crate::json;

/// The rows of all steps among what is durable: document, number of the step.
const UNDO: u8 = 0x28;
/// Bytes of a document id.
const ID_BYTES: usize = 16;

/// The steps of every report that somebody typed into here.
#[derive(Debug, Default)]
pub(super) struct Histories {
    of: BTreeMap<DocumentId, UndoHistory>,
}

impl Histories {
    /// Takes their rows out of what was durable.
    pub(super) fn taken_from(rows: &mut Vec<Write>) -> Self {
        let mut found: BTreeMap<DocumentId, BTreeMap<u64, Vec<u8>>> = BTreeMap::new();
        rows.retain(|write| {
            let Some((&UNDO, key)) = write.key.split_first() else {
                return true;
            };
            if let Some((document, step)) = key.split_at_checked(ID_BYTES)
                && let (Ok(document), Ok(step)) = (document.try_into(), step.try_into())
                && let Some(value) = &write.value
            {
                let steps = found.entry(DocumentId(document)).or_default();
                steps.insert(u64::from_be_bytes(step), value.clone());
            }
            false
        });
        let read = |(document, rows): (DocumentId, BTreeMap<u64, Vec<u8>>)| {
            let rows = rows.iter().map(|(step, row)| (*step, row.as_slice()));
            (document, UndoHistory::read(rows))
        };
        Self {
            of: found.into_iter().map(read).collect(),
        }
    }

    /// What can be taken back, and done again.
    pub(super) fn offered(&self, document: DocumentId) -> Value {
        let offered = |offered: Option<Offered>| {
            offered.map(|one| json!({"step": one.step, "values": one.values}))
        };
        let history = self.of.get(&document);
        json!({
            "back": offered(history.and_then(UndoHistory::back)),
            "forth": offered(history.and_then(UndoHistory::forth)),
        })
    }
}

fn writes(document: DocumentId, rows: StepRows) -> impl Iterator<Item = Write> {
    rows.into_iter().map(move |(step, value)| Write {
        key: [&[UNDO], document.0.as_slice(), &step.to_be_bytes()].concat(),
        value,
    })
}

impl TabletState {
    /// Notes what edits replaced.
    pub(super) fn typed_step(&mut self, before: &Document, edits: &[Edit]) {
        let replaced = Replaced::by(before, edits.iter().map(|edit| &edit.entry));
        let rows = self.undo.of.entry(before.id()).or_default().typed(replaced);
        self.writes.extend(writes(before.id(), rows));
    }

    /// See [`crate::Tablet::turn`].
    pub fn turn(&mut self, subject: &str, step: u64, back: bool, now: i64) -> Step {
        let subject = json::subject(subject)?;
        self.read_authors()?;
        let document = self.device.with_draft(&subject)?;
        let own = KeyId::of(self.device.sealer().key.verifying_key().as_bytes());
        let is_own = |actor: &_| self.authors.get(actor) == Some(&own);
        let history = self.undo.of.entry(document.id()).or_default();
        let (turned, rows) = match back {
            true => history.undo(step, &document, &is_own),
            false => history.redo(step, &document, &is_own),
        };
        self.writes.extend(writes(document.id(), rows));
        let edit = |entry| Edit {
            entry,
            typed_at: now,
        };
        let codes = |entries: &[Entry]| -> Vec<String> {
            let places = entries.iter().filter_map(Entry::place);
            let code = |(_, key): (_, Cow<'_, str>)| Some(MarginKey::of(&key)?.0.to_owned());
            places.filter_map(code).collect()
        };
        let (said, kept) = (codes(&turned.entries), codes(&turned.kept));
        let edits: Vec<Edit> = turned.entries.into_iter().map(edit).collect();
        let mut document = document;
        if !edits.is_empty() {
            let (writes, edited) = self.device.edited(&subject, &edits)?;
            self.writes.extend(writes);
            document = edited;
        }
        let report = self.rows_of(&subject, &document)?;
        let mut report: Value =
            serde_json::from_str(&report).map_err(|error| StepError::Damaged(error.to_string()))?;
        if let Some(report) = report.as_object_mut() {
            report.insert("said".to_owned(), json!(said));
            report.insert("kept".to_owned(), json!(kept));
        }
        Ok(report.to_string())
    }
}
