//! Keys being put by the million: in memory up to a limit, then as runs in a folder, in the end as one.
//!
//! Reads see everything put so far. Nothing here survives a stop: what is gathered counts only once it
//! is one run and the index says so.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use store::ReadError;

use crate::merge::{Layer, merge_runs};
use crate::run::{Run, RunWriter, Stored};

/// Bytes of keys and values in memory before they are written as a run; what surrounds them is about
/// as much again for small ones. A gigabyte of journal makes some forty of such runs.
pub(crate) const MEMORY_BYTES_MAX: usize = 24 * 1024 * 1024;

/// What a key in memory costs beside its bytes.
const KEY_OVERHEAD_BYTES: usize = 64;

/// Runs before they are merged into one: a read may have to look into each.
const RUNS_MAX: usize = 48;

/// What went wrong while gathering.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    #[error("cannot write a run: {0}")]
    Write(#[from] io::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Keys put so far.
#[derive(Debug)]
pub(crate) struct Gathering {
    folder: PathBuf,
    bytes_max: usize,
    memory: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
    /// Oldest first.
    runs: Vec<Run>,
    /// Files written so far.
    files: u64,
}

impl Gathering {
    /// Gathers in a folder, which is emptied.
    pub(crate) fn begin(folder: &Path, bytes_max: usize) -> io::Result<Self> {
        end(folder)?;
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            bytes_max,
            memory: BTreeMap::new(),
            bytes: 0,
            runs: Vec::new(),
            files: 0,
        })
    }

    /// Puts a key, or removes it.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), GatherError> {
        let value = value.unwrap_or_default();
        let bytes = key.len() + value.len() + KEY_OVERHEAD_BYTES;
        match self.memory.insert(key, value) {
            // Its length may be another one; that much the limit can be off.
            Some(_) => {}
            None => self.bytes += bytes,
        }
        if self.bytes > self.bytes_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), GatherError> {
        let mut writer = RunWriter::create(&self.file())?;
        for (key, value) in &self.memory {
            writer.push(key, value)?;
        }
        self.runs.push(writer.finish()?);
        self.files += 1;
        self.memory.clear();
        self.bytes = 0;
        if self.runs.len() > RUNS_MAX {
            let run = merge_runs(&self.runs, &self.file())?;
            self.forget_runs()?;
            self.runs.push(run);
            self.files += 1;
        }
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.join(self.files.to_string())
    }

    fn forget_runs(&mut self) -> io::Result<()> {
        let last = self.files;
        self.runs.clear();
        (0..last).try_for_each(|number| remove_file(&self.folder.join(number.to_string())))
    }

    /// Ends in one run at a path. The folder is removed.
    pub(crate) fn finish(mut self, path: &Path) -> Result<Run, GatherError> {
        let new = path.with_extension("new");
        self.spill()?;
        merge_runs(&self.runs, &new)?;
        fs::rename(&new, path)?;
        self.runs.clear();
        end(&self.folder)?;
        Ok(Run::open(path)?)
    }

    /// The value of a key; an empty one if it was removed.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(value) = self.memory.get(key) {
            return Ok(Some(value.clone()));
        }
        for run in self.runs.iter().rev() {
            if let Some(value) = run.get(key)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Everything from a key on, the newest first where a key is in several.
    pub(crate) fn layers<'a>(&'a self, from: &[u8], to: Option<&[u8]>) -> Vec<Layer<'a>> {
        let (low, high) = (
            Bound::Included(from),
            to.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let memory = self
            .memory
            .range::<[u8], _>((low, high))
            .map(|(key, value)| Ok((key.clone(), value.clone())));
        let mut layers: Vec<Layer<'a>> = vec![Box::new(memory)];
        for run in self.runs.iter().rev() {
            layers.push(Box::new(run.range(from, to)));
        }
        layers
    }

    /// The last entry before `to`, removed ones included.
    pub(crate) fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Stored>, ReadError> {
        let memory = self
            .memory
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)))
            .next_back()
            .map(|(key, value)| (key.clone(), value.clone()));
        let mut last = memory;
        for run in self.runs.iter().rev() {
            let found = run.last(from, to)?;
            if found.as_ref().map(|(key, _)| key) > last.as_ref().map(|(key, _)| key) {
                last = found;
            }
        }
        Ok(last)
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.runs.iter().map(Run::bytes).sum()
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a folder of gathering that is of no use any more.
pub(crate) fn end(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Merged;

    /// Against a map, with so little memory that runs are written and merged many times.
    #[test]
    fn what_was_put_last_is_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut gathering = Gathering::begin(&folder.path().join("g"), 2_000).unwrap();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..6_000 {
            let key = vec![0x84, next(20) as u8, next(40) as u8];
            let value = (next(4) > 0).then(|| vec![1 + next(200) as u8; 1 + next(30) as usize]);
            gathering.put(key.clone(), value.clone()).unwrap();
            match value {
                Some(value) => model.insert(key.clone(), value),
                None => model.remove(&key),
            };
            let seen = gathering
                .get(&key)
                .unwrap()
                .filter(|value| !value.is_empty());
            assert_eq!(seen.as_ref(), model.get(&key));
            let any = vec![0x84, next(20) as u8, next(40) as u8];
            let seen = gathering
                .get(&any)
                .unwrap()
                .filter(|value| !value.is_empty());
            assert_eq!(seen.as_ref(), model.get(&any));
        }
        assert!(gathering.files > 2 * RUNS_MAX as u64, "runs were merged");
        let there = Merged::new(gathering.layers(b"", None)).map(Result::unwrap);
        let there: Vec<Stored> = there.filter(|(_, value)| !value.is_empty()).collect();
        assert_eq!(there, model.clone().into_iter().collect::<Vec<_>>());
        let path = folder.path().join("run");
        gathering.finish(&path).unwrap();
        let run = Run::open(&path).unwrap();
        let there: Vec<Stored> = run.range(b"", None).map(Result::unwrap).collect();
        assert_eq!(there, model.into_iter().collect::<Vec<_>>());
        assert!(!folder.path().join("g").exists());
    }
}
