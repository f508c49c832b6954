//! How far each report is, for the list of work: counted once and kept, so that a start loads no document.
//!
//! A count is of exactly what the log holds of its report ([`LogReader::stamp`]), counted by exactly this
//! version of the app; of anything else it is made anew. So nothing has to say when something changes, and
//! a count that was not kept costs time, never truth. A report with a draft is counted each time.
//!
//! ```text
//! row 27   text version of the app, list of ([16] document, [8] stamp, var template version, var cells
//!          filled, var conflicts, var findings), ascending
//! ```

use std::collections::BTreeMap;

use sync_core::cell::Rival;
use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::document::{ExtractState, Subject, extension_change};
use sync_core::form::Template;
use sync_core::gate;
use sync_core::identity::DocumentId;
use sync_core::log::{KeyspaceError, LogReader, Write};
use sync_core::report;

use super::{StepError, TabletState};

/// The row of all counts among what is durable.
const COUNTS: u8 = 0x27;
/// Bytes of an app's version.
const APP_BYTES_MAX: usize = 64;
/// Bytes of one count: two ids and some short numbers.
const COUNT_BYTES: usize = 30;

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// The version of the form it was counted by.
    pub(super) version: u32,
    pub(super) filled: u32,
    pub(super) conflicts: u32,
    pub(super) findings: u32,
}

impl Count {
    fn of(template: &Template, cells: &BTreeMap<String, Vec<Rival>>) -> Self {
        let conflicts = cells.values().filter(|rivals| rivals.len() > 1).count();
        let findings = report::findings(template, cells).len();
        Self {
            version: template.version(),
            filled: cells.len() as u32,
            conflicts: conflicts as u32,
            findings: findings as u32,
        }
    }
}

/// What was counted, of which state of the log.
#[derive(Debug, Default)]
pub(super) struct Counts {
    app: String,
    of: BTreeMap<DocumentId, ([u8; 8], Count)>,
    /// Something was counted since they were last kept.
    new: bool,
}

impl Counts {
    /// Takes their row out of what was durable. One that cannot be read is as good as none.
    pub(super) fn taken_from(rows: &mut Vec<Write>) -> Self {
        let is_row = |write: &Write| write.key == [COUNTS];
        let kept = rows.iter().rev().find(|write| is_row(write));
        let kept = kept.and_then(|write| Self::decode(write.value.as_deref()?).ok());
        rows.retain(|write| !is_row(write));
        kept.unwrap_or_default()
    }

    /// Forgets what another version of the app counted.
    fn by(&mut self, app: &str) {
        if self.app != app {
            self.app = app.to_owned();
            self.of.clear();
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let app = from.text(APP_BYTES_MAX, "version of the app")?.to_owned();
        let mut of = BTreeMap::new();
        let number = |from: &mut Reader<'_>| {
            u32::try_from(from.var("count")?).map_err(|_| DecodeError::Limit("count"))
        };
        for _ in 0..from.count(bytes.len(), "counts")? {
            let document = DocumentId(from.array("document")?);
            let stamp = from.array("stamp")?;
            let count = Count {
                version: number(&mut from)?,
                filled: number(&mut from)?,
                conflicts: number(&mut from)?,
                findings: number(&mut from)?,
            };
            of.insert(document, (stamp, count));
        }
        from.end("counts")?;
        Ok(Self {
            app,
            of,
            new: false,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut to = Writer::with_capacity(self.of.len() * COUNT_BYTES);
        to.text(&self.app).var(self.of.len() as u64);
        for (document, (stamp, count)) in &self.of {
            to.raw(&document.0).raw(stamp);
            for number in [count.version, count.filled, count.conflicts, count.findings] {
                to.var(number.into());
            }
        }
        to.into_bytes()
    }

    /// The write that keeps them, if there is anything new in them.
    fn keep(&mut self) -> Option<Write> {
        std::mem::take(&mut self.new).then(|| Write {
            key: vec![COUNTS],
            value: Some(self.encode()),
        })
    }
}

impl TabletState {
    /// See [`crate::Tablet::keep_counts`].
    pub fn keep_counts(&mut self) {
        self.writes.extend(self.counts.keep());
    }

    /// Before a list is made by a version of the app.
    pub(super) fn count_by(&mut self, app: &str) {
        self.counts.by(app);
    }

    /// How far a report is.
    pub(super) fn count(&mut self, id: DocumentId, subject: &Subject) -> Result<Count, StepError> {
        if self.device.draft(id).is_some() {
            let document = self.device.with_draft(subject)?;
            return Ok(Count::of(&*self.published_of(subject)?, &document.cells()));
        }
        let stamp = self.device.log().stamp(id)?;
        if let Some((counted, count)) = self.counts.of.get(&id)
            && *counted == stamp
        {
            return Ok(*count);
        }
        let extract = follow(&self.device.log(), id, subject)?.extract();
        // Of one that does not say its version, the newest may be another one tomorrow.
        let Some(version) = extract.template_version else {
            return Ok(Count::of(
                &*self.newest_template(&subject.template)?,
                &extract.cells,
            ));
        };
        let template = self.template(&subject.template, version)?;
        let count = Count::of(&template, &extract.cells);
        self.counts.of.insert(id, (stamp, count));
        self.counts.new = true;
        Ok(count)
    }
}

/// What stands in a report, from its changes alone: a document of the engine would cost ten times as much.
pub(super) fn follow(
    log: &LogReader<'_>,
    id: DocumentId,
    subject: &Subject,
) -> Result<ExtractState, StepError> {
    let mut state = ExtractState::new(subject.clone());
    let Some(index) = log.document(id)? else {
        return Ok(state);
    };
    for name in index.extensions() {
        if let Some(extension) = extension_change(subject, name) {
            state.declare(&extension);
        }
    }
    for (_, bytes) in log.changes(&index)? {
        let change = gate::decode_kept(&bytes);
        state.apply(&change.map_err(|_| KeyspaceError::Damaged("log entry"))?);
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_round_trip_and_a_damaged_row_is_as_good_as_none() {
        let count = Count {
            version: 1,
            filled: 60,
            conflicts: 2,
            findings: 300,
        };
        let counts = Counts {
            app: "0.1.0-abc".into(),
            of: BTreeMap::from([(DocumentId([7; 16]), ([1; 8], count))]),
            new: true,
        };
        let row = |bytes: &[u8]| Write {
            key: vec![COUNTS],
            value: Some(bytes.to_vec()),
        };
        let other = Write {
            key: vec![0x20],
            value: Some(vec![1; 8]),
        };
        let bytes = counts.encode();
        let mut rows = vec![row(&[]), other.clone(), row(&bytes)];
        let read = Counts::taken_from(&mut rows);
        assert_eq!((&read.app, &read.of), (&counts.app, &counts.of));
        assert_eq!(rows, [other], "the device is not given what is not its own");
        for end in 0..bytes.len() {
            let cut = bytes.get(..end).unwrap_or_default();
            let none = Counts::taken_from(&mut vec![row(cut)]);
            assert!(none.of.is_empty() && none.app.is_empty(), "{end}");
        }
    }
}
