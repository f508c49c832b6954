//! Going through a run: a range of it, or all of it entry by entry without a copy.

use std::ops::Range;

use store::ReadError;
use sync_core::codec::Reader;

use super::fence::{Page, at_or_before};
use super::{CHECKSUM_BYTES, Run, Stored};

/// A range of a run, a block in memory.
#[derive(Debug)]
pub(crate) struct RunRange {
    run: Run,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    /// None before the first entry was asked for.
    next_block: Option<usize>,
    page: Page,
    entries: std::vec::IntoIter<Stored>,
}

impl RunRange {
    pub(super) fn new(run: Run, from: &[u8], to: Option<&[u8]>) -> Self {
        Self {
            run,
            from: from.to_vec(),
            to: to.map(<[u8]>::to_vec),
            next_block: None,
            page: None,
            entries: Vec::new().into_iter(),
        }
    }

    /// Reads the next block; false at the end.
    fn read_on(&mut self) -> Result<bool, ReadError> {
        let run = &self.run;
        let block = match self.next_block {
            Some(block) => block,
            None => {
                let from = &self.from;
                let found = run.found_in(&mut self.page, |fences| at_or_before(fences, from));
                found?.unwrap_or(0)
            }
        };
        if block >= run.blocks() {
            return Ok(false);
        }
        let first = &run.fence(&mut self.page, block)?.first;
        if self.to.as_ref().is_some_and(|to| **first >= **to) {
            return Ok(false);
        }
        self.entries = run.entries_of(&mut self.page, block)?.into_iter();
        self.next_block = Some(block + 1);
        Ok(true)
    }
}

impl Iterator for RunRange {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            for (key, value) in self.entries.by_ref() {
                if self.to.as_ref().is_some_and(|to| key >= *to) {
                    self.next_block = Some(usize::MAX);
                    return None;
                }
                if key >= self.from {
                    return Some(Ok((key, value)));
                }
            }
            match self.read_on() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.next_block = Some(usize::MAX);
                    return Some(Err(error));
                }
            }
        }
    }
}

/// A place in a run, which begins at its first entry.
#[derive(Debug)]
pub(crate) struct Cursor {
    run: Run,
    next_block: usize,
    page: Page,
    block: Vec<u8>,
    key: Range<usize>,
    value: Range<usize>,
}

impl Cursor {
    /// Before the first entry, where there is nothing to read yet.
    pub(super) fn before(run: Run) -> Self {
        Self {
            run,
            next_block: 0,
            page: None,
            block: Vec::new(),
            key: 0..0,
            value: 0..0,
        }
    }

    /// The key of the entry.
    pub(crate) fn key(&self) -> &[u8] {
        self.block.get(self.key.clone()).unwrap_or_default()
    }

    /// Its stored value.
    pub(crate) fn value(&self) -> &[u8] {
        self.block.get(self.value.clone()).unwrap_or_default()
    }

    /// Goes to the next entry; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        if self.value.end >= self.block.len() {
            if self.next_block >= self.run.blocks() {
                return Ok(false);
            }
            self.block = self.run.read(&mut self.page, self.next_block)?;
            self.next_block += 1;
            self.value = CHECKSUM_BYTES..CHECKSUM_BYTES;
        }
        let rest = self.block.get(self.value.end..).unwrap_or_default();
        let mut reader = Reader::new(rest);
        let mut next = |what| {
            let found = reader.bytes(usize::MAX, what).map(<[u8]>::len);
            let found = found.map_err(|error| self.run.failure(&error.to_string()))?;
            let end = self.block.len() - reader.rest().len();
            Ok::<_, ReadError>(end - found..end)
        };
        (self.key, self.value) = (next("key")?, next("value")?);
        Ok(true)
    }
}
