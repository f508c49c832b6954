//! What a person typed on this device and can take back, also after the app was closed, and after it was sealed or sent.
//!
//! The history of a document says every value a cell ever had, by chain and in order. It does not say which of them
//! were typed together (a pasted block is one step), and it cannot tell a value that was typed again from one that an
//! undo brought back. To say so in the document would send it to everybody. So the steps stand beside the draft, on the
//! device they were typed on, sealed as everything of their person, one row for each step:
//!
//! ```text
//! row 28   [16] document, [8] number of the step, big endian
//! value    u8 0 done, 1 taken back; list of (entry before, entry after), each written as in a draft
//! ```
//!
//! A lost row costs the undo of a step and nothing else.
//!
//! To undo is to type: a new change that says the value before again, on the heads that stand now. Nothing is rolled
//! back. It is done for a cell only where exactly what the step left still stands, said by this device alone; what
//! somebody else typed over it stays, and the caller is told. The same holds for doing it again.

use std::collections::BTreeMap;

use super::draft::{read_entry, write_entry};
use crate::codec::{DecodeError, Reader, Writer};
use crate::document::{Document, Entry};
use crate::identity::ActorId;
use crate::limits;

/// One value that a step put in place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Says what stood there before.
    pub before: Entry,
    /// What was typed.
    pub after: Entry,
}

impl Replaced {
    /// What entries replace in a document, the last one at each place; those that replace nothing, or would settle rivals, are left out.
    pub fn by<'a>(
        document: &'a Document,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Vec<Replaced> {
        let now = document.now();
        let mut last = BTreeMap::new();
        for entry in entries {
            if let Some(place) = entry.place() {
                last.insert(place, entry);
            }
        }
        let replaced = |after: &Entry| {
            let before = now.restated(after)?;
            (before != *after).then(|| Replaced {
                before,
                after: after.clone(),
            })
        };
        last.into_values().filter_map(replaced).collect()
    }
}

/// What was typed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    taken_back: bool,
    replaced: Vec<Replaced>,
}

impl Step {
    fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(self.taken_back.into())
            .var(self.replaced.len() as u64);
        for one in &self.replaced {
            write_entry(&mut to, &one.before);
            write_entry(&mut to, &one.after);
        }
        to.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let taken_back = match from.u8("state of a step")? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Undefined("state of a step")),
        };
        let count = from.count(bytes.len(), "step")?;
        let replaced = (0..count)
            .map(|_| {
                Ok(Replaced {
                    before: read_entry(&mut from)?,
                    after: read_entry(&mut from)?,
                })
            })
            .collect::<Result<_, DecodeError>>()?;
        from.end("step")?;
        Ok(Self {
            taken_back,
            replaced,
        })
    }
}

/// A step that may be taken back, or done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Its number: said again when it is asked for, so that to ask twice does it once.
    pub step: u64,
    /// Values that it put.
    pub values: usize,
}

/// What is to be typed to take a step back or to do it again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turned {
    /// To be typed.
    pub entries: Vec<Entry>,
    /// What stays, since something else stands there now: as the step left it.
    pub kept: Vec<Entry>,
}

/// The steps of one report on this device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UndoHistory {
    steps: BTreeMap<u64, Step>,
}

/// Rows to be kept: numbers of steps with their values, none for those that are gone.
pub type StepRows = Vec<(u64, Option<Vec<u8>>)>;

impl UndoHistory {
    /// From the rows that were kept. One that cannot be read is as good as none.
    pub fn read<'a>(rows: impl IntoIterator<Item = (u64, &'a [u8])>) -> Self {
        let read = |(number, bytes)| Some((number, Step::decode(bytes).ok()?));
        Self {
            steps: rows.into_iter().filter_map(read).collect(),
        }
    }

    /// The step that an undo would take back.
    pub fn back(&self) -> Option<Offered> {
        self.offered(self.steps.iter().rfind(|(_, step)| !step.taken_back))
    }

    /// The step that would be done again.
    pub fn forth(&self) -> Option<Offered> {
        self.offered(self.steps.iter().find(|(_, step)| step.taken_back))
    }

    fn offered(&self, found: Option<(&u64, &Step)>) -> Option<Offered> {
        found.map(|(number, step)| Offered {
            step: *number,
            values: step.replaced.len(),
        })
    }

    /// A person typed: what was taken back before it cannot be done again.
    pub fn typed(&mut self, replaced: Vec<Replaced>) -> StepRows {
        if replaced.is_empty() {
            return Vec::new();
        }
        let number = self.steps.last_key_value().map_or(1, |(last, _)| last + 1);
        let mut rows: StepRows = Vec::new();
        self.steps.retain(|number, step| {
            if step.taken_back {
                rows.push((*number, None));
            }
            !step.taken_back
        });
        while self.steps.len() >= limits::UNDO_STEPS_MAX {
            let oldest = self.steps.pop_first();
            rows.extend(oldest.map(|(number, _)| (number, None)));
        }
        let step = Step {
            taken_back: false,
            replaced,
        };
        rows.push((number, Some(step.encode())));
        self.steps.insert(number, step);
        rows
    }

    /// Takes the step of this number back, if it is the one that is offered.
    pub fn undo(
        &mut self,
        number: u64,
        document: &Document,
        is_own: &dyn Fn(&ActorId) -> bool,
    ) -> (Turned, StepRows) {
        let offered = self.back().is_some_and(|back| back.step == number);
        self.turn(offered.then_some(number), true, document, is_own)
    }

    /// Does the step of this number again, if it is the one that is offered.
    pub fn redo(
        &mut self,
        number: u64,
        document: &Document,
        is_own: &dyn Fn(&ActorId) -> bool,
    ) -> (Turned, StepRows) {
        let offered = self.forth().is_some_and(|forth| forth.step == number);
        self.turn(offered.then_some(number), false, document, is_own)
    }

    fn turn(
        &mut self,
        number: Option<u64>,
        back: bool,
        document: &Document,
        is_own: &dyn Fn(&ActorId) -> bool,
    ) -> (Turned, StepRows) {
        let step = number.and_then(|number| Some((number, self.steps.remove(&number)?)));
        let Some((number, step)) = step else {
            return (Turned::default(), Vec::new());
        };
        let mut turned = Turned::default();
        let mut replaced = Vec::new();
        let now = document.now();
        for one in step.replaced {
            let (is, becomes) = match back {
                true => (&one.after, &one.before),
                false => (&one.before, &one.after),
            };
            if now.stands(is, is_own) {
                turned.entries.push(becomes.clone());
                replaced.push(one);
            } else {
                turned.kept.push(is.clone());
            }
        }
        if replaced.is_empty() {
            return (turned, vec![(number, None)]);
        }
        let step = Step {
            taken_back: back,
            replaced,
        };
        let row = (number, Some(step.encode()));
        self.steps.insert(number, step);
        (turned, vec![row])
    }
}

#[cfg(test)]
mod tests;
