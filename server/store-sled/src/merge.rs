//! Several ordered layers as one: where a key is in more than one, the newest has it.
//!
//! [`Merged`] gives entries to whoever reads; [`merge_runs`] writes whole runs, without taking an entry
//! out of the block it is in.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;

use store::ReadError;

use crate::gathering::GatherError;
use crate::run::{Cursor, Run, RunWriter, Stored};

/// Entries of one layer, ascending; an empty value says that the key was removed.
pub(crate) type Layer<'a> = Box<dyn Iterator<Item = Result<Stored, ReadError>> + 'a>;

/// The layers as one, removals included. What cannot be read ends the whole.
pub(crate) struct Merged<'a> {
    /// Newest first.
    layers: Vec<Layer<'a>>,
    /// The next entry of each layer that has one.
    heads: BinaryHeap<Head>,
    failed: Option<ReadError>,
}

/// The next entry of a layer; the greatest is the one to come first.
struct Head {
    entry: Stored,
    layer: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, others) = (&self.entry.0, &other.entry.0);
        others.cmp(own).then(other.layer.cmp(&self.layer))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

impl<'a> Merged<'a> {
    pub(crate) fn new(layers: Vec<Layer<'a>>) -> Self {
        let heads = BinaryHeap::with_capacity(layers.len());
        let mut merged = Self {
            layers,
            heads,
            failed: None,
        };
        (0..merged.layers.len()).for_each(|layer| merged.advance(layer));
        merged
    }

    /// Takes the next entry of a layer to the heads.
    fn advance(&mut self, layer: usize) {
        match self.layers.get_mut(layer).and_then(Iterator::next) {
            Some(Ok(entry)) => self.heads.push(Head { entry, layer }),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.heads.clear();
            return Some(Err(error));
        }
        let Head { entry, layer } = self.heads.pop()?;
        self.advance(layer);
        while self
            .heads
            .peek()
            .is_some_and(|head| head.entry.0 == entry.0)
        {
            let older = self.heads.pop().map(|head| head.layer);
            older.into_iter().for_each(|layer| self.advance(layer));
        }
        Some(Ok(entry))
    }
}

/// Where the merging stands in a run; the greatest is the one whose entry comes first.
struct RunHead {
    cursor: Cursor,
    /// How many runs are newer.
    age: usize,
}

impl Ord for RunHead {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, others) = (self.cursor.key(), other.cursor.key());
        others.cmp(own).then(other.age.cmp(&self.age))
    }
}

impl PartialOrd for RunHead {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RunHead {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for RunHead {}

/// Writes runs, given oldest first, as one. Nothing lies below them: what was removed is left out.
pub(crate) fn merge_runs(runs: &[Run], path: &Path) -> Result<Run, GatherError> {
    let mut heads = BinaryHeap::with_capacity(runs.len());
    for (age, run) in runs.iter().rev().enumerate() {
        if let Some(cursor) = run.cursor()? {
            heads.push(RunHead { cursor, age });
        }
    }
    let mut writer = RunWriter::create(path)?;
    let mut last: Option<Vec<u8>> = None;
    while let Some(mut head) = heads.peek_mut() {
        let key = head.cursor.key();
        // Of equal keys the newest came first.
        if last.as_deref() != Some(key) {
            let last = last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
            let value = head.cursor.value();
            if !value.is_empty() {
                writer.push(key, value)?;
            }
        }
        if !head.cursor.advance()? {
            PeekMut::pop(head);
        }
    }
    Ok(writer.finish()?)
}
