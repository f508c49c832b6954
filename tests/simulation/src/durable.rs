//! What a node or a tablet keeps: the real journal over a folder that fails as disks do.
//!
//! One commit is one record, encoded as the server's store encodes it; the derived keys are kept in
//! memory and made again when it is opened.

use std::sync::Arc;

use journal::simulated::{Fault, Image, SimulatedFiles};
use journal::{AppendError, Journal, OpenError, Options, SyncError};
use sync_core::log::{MemoryKeyspace, Write, keys};

use crate::violation::{Checked, Violation, must};

/// Openings after which a folder that fails on every try is given up.
const OPENINGS_MAX: usize = 8;

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Durable.
    Durable,
    /// No room; nothing of it is kept.
    Full,
    /// It failed: whether it is kept is known after the next opening.
    Unknown,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process was killed, the machine lived on.
    Killed,
    /// The power failed.
    PowerCut,
}

/// A folder with a journal.
#[derive(Debug)]
pub struct Durable {
    files: SimulatedFiles,
    journal: Option<Journal>,
    journal_id: [u8; 16],
    segment_bytes_max: u64,
    /// A mistake for the test: records are synced with the group after the next one.
    pub lazy: bool,
    unsynced: usize,
}

impl Durable {
    /// An empty folder.
    pub fn new(seed: u64, journal_id: [u8; 16], segment_bytes_max: u64) -> Self {
        Self {
            files: SimulatedFiles::new(seed),
            journal: None,
            journal_id,
            segment_bytes_max,
            lazy: false,
            unsynced: 0,
        }
    }

    /// Opens the journal and reads the truth. An opening that the disk fails is tried again after
    /// another power cut, as people do.
    pub fn open(&mut self) -> Checked<MemoryKeyspace> {
        self.journal = None;
        self.unsynced = 0;
        for _ in 0..OPENINGS_MAX {
            let options = Options {
                segment_bytes_max: self.segment_bytes_max,
                ..Options::new(self.journal_id)
            };
            match Journal::open(Arc::new(self.files.clone()), options) {
                Ok((journal, _)) => {
                    self.journal = Some(journal);
                    return self.read();
                }
                Err(OpenError::Files(_)) => self.files.power_cut(),
                Err(
                    error @ (OpenError::Corrupt { .. }
                    | OpenError::Newer { .. }
                    | OpenError::MissingSegment { .. }),
                ) => return Err(Violation::new("journal-opens", error.to_string())),
            }
        }
        Err(Violation::new("journal-opens", "the disk never let it"))
    }

    /// The truth as the journal holds it.
    pub fn read(&self) -> Checked<MemoryKeyspace> {
        let mut truth = MemoryKeyspace::new();
        let Some(journal) = &self.journal else {
            return Ok(truth);
        };
        let mut damaged = None;
        let shown = journal.replay::<journal::ReadError>(None, |_, body| {
            match store::record::decode(body) {
                Ok(writes) => truth.apply(writes.into_iter().map(|write| Write {
                    key: write.key.to_vec(),
                    value: write.value.map(<[u8]>::to_vec),
                })),
                Err(error) => damaged = Some(error.to_string()),
            }
            Ok(())
        });
        must("journal-reads", shown)?;
        match damaged {
            None => Ok(truth),
            Some(error) => Err(Violation::new("journal-record", error)),
        }
    }

    /// Makes the truth among the writes durable, as one record.
    pub fn commit(&mut self, writes: &[Write]) -> Checked<Commit> {
        let truth: Vec<store::Write> = writes
            .iter()
            .filter(|write| {
                write
                    .key
                    .first()
                    .is_some_and(|tag| *tag < keys::DERIVED_FROM)
            })
            .map(|write| store::Write {
                key: write.key.clone(),
                value: write.value.clone(),
            })
            .collect();
        let Some(journal) = &self.journal else {
            return Ok(Commit::Unknown);
        };
        if truth.is_empty() {
            return Ok(Commit::Durable);
        }
        let record = store::record::encode(&truth.iter().collect::<Vec<_>>());
        match journal.append(&record.bytes) {
            Ok(_) => {}
            Err(AppendError::Full(_)) => return Ok(Commit::Full),
            Err(AppendError::Fatal(_)) => return Ok(Commit::Unknown),
            Err(
                error @ (AppendError::Empty | AppendError::TooLarge { .. } | AppendError::ReadOnly),
            ) => return Err(Violation::new("journal-appends", error.to_string())),
        }
        if self.lazy && self.unsynced < 2 {
            self.unsynced += 1;
            return Ok(Commit::Durable);
        }
        self.unsynced = 0;
        match journal.sync() {
            Ok(()) => Ok(Commit::Durable),
            Err(SyncError::Full(_)) => Ok(Commit::Full),
            Err(SyncError::Fatal(_)) => Ok(Commit::Unknown),
            Err(error @ SyncError::ReadOnly) => {
                Err(Violation::new("journal-syncs", error.to_string()))
            }
        }
    }

    /// The process ends; the journal is closed without a word.
    pub fn end(&mut self, how: End) {
        self.journal = None;
        match how {
            End::Killed => self.files.kill(),
            End::PowerCut => self.files.power_cut(),
        }
    }

    /// Stops the machine at one of the next operations on a file.
    pub fn stop_after(&self, operations: usize) {
        self.files
            .stop_at(self.files.operations() + 1 + operations as u64);
    }

    /// Lets one of the next operations on a file fail.
    pub fn fail_after(&self, operations: usize, fault: Fault) {
        let operation = self.files.operations() + 1 + operations as u64;
        self.files.fail_at(operation, fault);
    }

    /// Leaves so many bytes of room, or all there is to want.
    pub fn set_room(&self, bytes: Option<usize>) {
        let used: usize = self.files.image().files().values().map(Vec::len).sum();
        self.files
            .set_capacity_bytes(bytes.map(|bytes| (used + bytes) as u64));
    }

    /// A copy of the folder.
    pub fn image(&self) -> Image {
        self.files.image()
    }

    /// Puts a copy in place of the folder; the process must have ended.
    pub fn restore(&mut self, image: &Image) {
        self.journal = None;
        self.files.restore(image);
    }
}
