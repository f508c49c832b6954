//! The words of a report: its parts in the order of the outline, the figures quoted in them, and what is typed.
//!
//! The page types into a text it was given. What it says is that text and what became of it, so words that arrived
//! meanwhile stay. Many words at once are more than one change takes: the draft is sealed in between.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sync_core::cell::Rival;
use sync_core::document::margin::words_code;
use sync_core::document::{Document, Edit, Entry, Replacement, Subject, WriteError, typed_over};
use sync_core::form::Template;
use sync_core::gate::GateError;
use sync_core::limits;
use sync_core::report::quote::{self, Piece};
use sync_core::sync::DeviceError;

use super::{Step, StepError, TabletState};
use crate::json;
use crate::view;

/// Characters of one edit: of the operations that a change may have, so that a few fit.
const CHARACTERS_PER_EDIT: usize = limits::OPERATIONS_PER_CHANGE_MAX / 4;

/// The words of a report by part, as far as there are any.
pub(super) fn texts(document: &Document) -> BTreeMap<String, String> {
    let text = |part: String| {
        let text = document.narrative(&part)?;
        (!text.is_empty()).then_some((part, text))
    };
    document.sections().into_iter().filter_map(text).collect()
}

/// How far the words are: parts without any, of how many; and whether words stand in a part that the form has not.
pub(super) fn standing(template: &Template, texts: &BTreeMap<String, String>) -> Value {
    let parts = template.outline();
    let empty = parts.iter().filter(|part| !texts.contains_key(&part.id));
    let without_place = texts.keys().any(|id| template.outline_part(id).is_none());
    json!({"parts": parts.len(), "empty": empty.count(), "without_place": without_place})
}

impl TabletState {
    /// See [`crate::Tablet::narrative`].
    pub fn narrative(&mut self, subject: &str) -> Step {
        let subject = json::subject(subject)?;
        let document = self.device.with_draft(&subject)?;
        self.narrative_of(&subject, &document)
    }

    /// See [`crate::Tablet::write_words`].
    pub fn write_words(
        &mut self,
        subject: &str,
        part: &str,
        seen: &str,
        typed: &str,
        now: i64,
    ) -> Step {
        let subject = json::subject(subject)?;
        self.known_part(&subject, part)?;
        if typed.chars().count() > limits::NARRATIVE_CHARACTERS_MAX {
            return Err(StepError::WordsTooMany);
        }
        let document = self.device.with_draft(&subject)?;
        let standing = document.narrative(part).unwrap_or_default();
        let replacements = typed_over(seen, typed, &standing);
        let document = self.put_words(&subject, part, replacements, now)?;
        self.narrative_of(&subject, &document)
    }

    /// See [`crate::Tablet::renew_quotes`].
    pub fn renew_quotes(&mut self, subject: &str, part: &str, now: i64) -> Step {
        let subject = json::subject(subject)?;
        self.known_part(&subject, part)?;
        let template = self.template_of(&subject)?;
        let document = self.device.with_draft(&subject)?;
        let standing = document.narrative(part).unwrap_or_default();
        let replacements = quote::renewals(&template, &document.cells(), &standing);
        let document = self.put_words(&subject, part, replacements, now)?;
        self.narrative_of(&subject, &document)
    }

    /// A part that the form has, or in which somebody wrote.
    fn known_part(&mut self, subject: &Subject, part: &str) -> Result<(), StepError> {
        let known = self.template_of(subject)?.outline_part(part).is_some()
            || self.device.with_draft(subject)?.narrative(part).is_some();
        known
            .then_some(())
            .ok_or_else(|| StepError::Unknown(part.to_owned()))
    }

    fn put_words(
        &mut self,
        subject: &Subject,
        part: &str,
        replacements: Vec<Replacement>,
        now: i64,
    ) -> Result<Document, StepError> {
        let mut entries = Vec::new();
        if !replacements.is_empty() && self.version_of(subject)?.is_none() {
            entries.push(Entry::TemplateVersion(self.template_of(subject)?.version()));
        }
        let short = replacements.into_iter().flat_map(shortened);
        entries.extend(short.map(|one| Entry::Narrative {
            section: part.to_owned(),
            position: one.position,
            delete: one.delete,
            insert: one.insert,
        }));
        for entry in entries {
            let edits = [Edit {
                entry,
                typed_at: now,
            }];
            let edited = match self.device.edited(subject, &edits) {
                Err(DeviceError::Write(WriteError::Gate(GateError::Limit(_)))) => {
                    self.seal(now)?;
                    self.device.edited(subject, &edits)
                }
                edited => edited,
            };
            let (writes, _) = edited?;
            self.writes.extend(writes);
        }
        Ok(self.device.with_draft(subject)?)
    }

    fn narrative_of(&mut self, subject: &Subject, document: &Document) -> Step {
        let template = self.template_of(subject)?;
        let cells = document.cells();
        let texts = texts(document);
        let margins = document.margins();
        let kept = self.origins(subject)?;
        let origins = kept.of(&self.device, &self.authors);
        let part = |id: &str| {
            let text = texts.get(id).map(String::as_str).unwrap_or_default();
            let thread = margins.get(&words_code(id)).map(|margin| &margin.thread);
            let thread = thread.filter(|thread| !thread.comments.is_empty());
            json!({
                "id": id, "text": text, "pieces": pieces(&template, &cells, text),
                "thread": thread.map(|thread| view::thread_json(thread, &origins)),
            })
        };
        let parts: Vec<Value> = template.outline().iter().map(|one| part(&one.id)).collect();
        let without_place: Vec<Value> = texts
            .keys()
            .filter(|id| template.outline_part(id).is_none())
            .map(|id| part(id))
            .collect();
        Ok(json!({
            "parts": parts, "without_place": without_place,
            "standing": standing(&template, &texts),
        })
        .to_string())
    }
}

fn pieces(template: &Template, cells: &BTreeMap<String, Vec<Rival>>, text: &str) -> Vec<Value> {
    let pieces = quote::pieces(template, cells, text).into_iter();
    let piece = |piece: Piece<'_>| match piece {
        Piece::Words(words) => json!({"words": words}),
        Piece::Quote(quote) => json!({
            "figure": quote.figure, "between": quote.between, "code": quote.code,
            "agreement": quote.agreement.code(), "now": quote.now.map(view::range_json),
            "old": quote.agreement.is_old(),
        }),
    };
    pieces.map(piece).collect()
}

/// The same in steps that a change has room for.
fn shortened(whole: Replacement) -> Vec<Replacement> {
    let mut steps = Vec::new();
    let mut left = whole.delete;
    while left > CHARACTERS_PER_EDIT {
        left -= CHARACTERS_PER_EDIT;
        steps.push(Replacement {
            position: whole.position,
            delete: CHARACTERS_PER_EDIT,
            insert: String::new(),
        });
    }
    let characters: Vec<char> = whole.insert.chars().collect();
    let mut position = whole.position;
    let mut chunks = characters.chunks(CHARACTERS_PER_EDIT);
    steps.push(Replacement {
        position,
        delete: left,
        insert: chunks.next().unwrap_or_default().iter().collect(),
    });
    for chunk in chunks {
        position += CHARACTERS_PER_EDIT;
        steps.push(Replacement {
            position,
            delete: 0,
            insert: chunk.iter().collect(),
        });
    }
    steps
}
