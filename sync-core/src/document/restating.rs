//! What stands where something was typed, as an entry that would say it again: for whoever takes back what they typed.

use std::borrow::Cow;

use crate::cell::CellValue;
use crate::gate::{Clock, Value};
use crate::identity::ActorId;

use super::Document;
use super::margin::MarginKey;
use super::root::Table;
use super::standing::{Put, standing_at};
use super::value::{cell_from_value, is_carried, value_from_carried, value_from_cell};
use super::write::{Entry, text_or_null};

/// Table, key and value of an entry that puts one value in place of another. None for what adds to a text or is
/// written once.
fn put_of(entry: &Entry) -> Option<(Table, Cow<'_, str>, Value)> {
    let note = |code: &str, beside: MarginKey<'_>, text| {
        let key = Cow::Owned(beside.key(code));
        Some((Table::Notes, key, text_or_null(text)))
    };
    match entry {
        Entry::Cell { code, value } => {
            Some((Table::Cells, Cow::Borrowed(code), value_from_cell(value)))
        }
        Entry::Carried { code, value } => {
            let value = value_from_carried(value)?;
            Some((Table::Cells, Cow::Borrowed(code), value))
        }
        Entry::Note { code, text } => note(code, MarginKey::Note, text),
        Entry::Source { code, text } => note(code, MarginKey::Source, text),
        Entry::Reason { code, rule, text } => note(code, MarginKey::Reason(rule), text),
        Entry::TemplateVersion(_)
        | Entry::Comment { .. }
        | Entry::Narrative { .. }
        | Entry::NarrativeText { .. }
        | Entry::SignOff { .. }
        | Entry::Attachment { .. } => None,
    }
}

/// The entry of the same place with another value.
fn with_value(entry: &Entry, standing: Option<&Value>) -> Option<Entry> {
    let text = standing.and_then(text_of);
    Some(match entry {
        Entry::Cell { code, .. } | Entry::Carried { code, .. } => {
            let code = code.clone();
            let value = standing.map_or(Some(CellValue::Empty), cell_from_value)?;
            match standing.is_some_and(is_carried) {
                true => Entry::Carried { code, value },
                false => Entry::Cell { code, value },
            }
        }
        Entry::Note { code, .. } => Entry::Note {
            code: code.clone(),
            text,
        },
        Entry::Source { code, .. } => Entry::Source {
            code: code.clone(),
            text,
        },
        Entry::Reason { code, rule, .. } => Entry::Reason {
            code: code.clone(),
            rule: rule.clone(),
            text,
        },
        Entry::TemplateVersion(_)
        | Entry::Comment { .. }
        | Entry::Narrative { .. }
        | Entry::NarrativeText { .. }
        | Entry::SignOff { .. }
        | Entry::Attachment { .. } => return None,
    })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Null | Value::False | Value::Int(_) | Value::Bytes(_) => None,
    }
}

impl Entry {
    /// The table and key that an entry puts a value at. None for what adds to a text or is written once.
    pub fn place(&self) -> Option<(Table, Cow<'_, str>)> {
        put_of(self).map(|(table, key, _)| (table, key))
    }
}

/// What stands in the current version of a document.
#[derive(Debug)]
pub struct Now<'a> {
    document: &'a Document,
    clock: Clock,
}

impl Document {
    /// What stands now.
    pub fn now(&self) -> Now<'_> {
        Now {
            document: self,
            clock: self.history.clock_at(&self.heads()),
        }
    }
}

impl Now<'_> {
    fn standing(&self, table: Table, key: &str) -> Vec<&Put> {
        standing_at(self.document.puts.all(table, key), &self.clock)
    }

    /// What stands where an entry would write, as the entry that says it; emptied where nothing ever stood. None
    /// where different values stand, and for entries that replace nothing.
    pub fn restated(&self, entry: &Entry) -> Option<Entry> {
        let (table, key, _) = put_of(entry)?;
        let standing = self.standing(table, &key);
        let first = standing.first().map(|put| &put.value);
        let alike = standing.iter().all(|put| Some(&put.value) == first);
        alike.then(|| with_value(entry, first)).flatten()
    }

    /// True if exactly what an entry says stands in its place, and nobody but these chains said it.
    pub fn stands(&self, entry: &Entry, is_own: &dyn Fn(&ActorId) -> bool) -> bool {
        let Some((table, key, value)) = put_of(entry) else {
            return false;
        };
        let standing = self.standing(table, &key);
        let own = |put: &&Put| put.value == value && is_own(&put.id.actor);
        !standing.is_empty() && standing.iter().all(own)
    }
}
