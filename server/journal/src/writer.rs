//! The writing side: the current group, the current segment, and what a failure leaves of them.

use std::io;
use std::sync::Arc;

use crate::error::{AppendError, Failure, SyncError};
use crate::files::Files;
use crate::format::{RECORD_HEADER_BYTES, RecordHeader, SegmentHeader, segment_name};
use crate::{Options, Place, Recovery, Segment, is_full};

/// Memory of the group's buffer that is kept between groups.
const BUFFER_BYTES_KEPT: usize = 256 * 1024;

/// Where the journal ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) segment: Segment,
    pub(crate) last_sequence: u64,
    pub(crate) last_checksum: u32,
    pub(crate) sealed: bool,
    /// The next record begins a new segment, whatever room there is.
    pub(crate) rotate_next: bool,
}

impl Tail {
    pub(crate) fn new(segment: Segment, recovery: Recovery) -> Self {
        Self {
            segment,
            last_sequence: recovery.last_sequence,
            last_checksum: recovery.last_checksum,
            sealed: recovery.sealed,
            rotate_next: false,
        }
    }
}

/// Writes groups of records. Everything in `durable` is synced; `current` counts the group in.
#[derive(Debug)]
pub(crate) struct Writer {
    files: Arc<dyn Files>,
    options: Options,
    id: [u8; 16],
    durable: Tail,
    current: Tail,
    group: Vec<u8>,
    fatal: Option<Failure>,
}

/// A step that failed, and whether another try can be of use.
#[derive(Debug)]
pub(crate) enum Failed {
    Full(Failure),
    Fatal(Failure),
}

impl Failed {
    /// A write or a creation that failed.
    fn write(step: &'static str, object: &str, source: &io::Error) -> Self {
        let failure = Failure::new(step, object, source);
        if is_full(source) {
            Self::Full(failure)
        } else {
            Self::Fatal(failure)
        }
    }

    /// A sync that failed: fatal, whatever the reason.
    fn sync(step: &'static str, object: &str, source: &io::Error) -> Self {
        Self::Fatal(Failure::new(step, object, source))
    }

    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Full(failure) | Self::Fatal(failure) => failure,
        }
    }
}

/// Makes a segment's file with its header, durably. A file left by an interrupted creation is used.
pub(crate) fn create_segment(files: &dyn Files, header: SegmentHeader) -> Result<Segment, Failed> {
    let name = segment_name(header.number);
    match files.create(&name) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => files
            .truncate(&name, 0)
            .map_err(|source| Failed::sync("truncate", &name, &source))?,
        Err(source) => return Err(Failed::write("create", &name, &source)),
    }
    let bytes = header.encode();
    files
        .write_at(&name, 0, &bytes)
        .map_err(|source| Failed::write("write", &name, &source))?;
    files
        .sync(&name)
        .map_err(|source| Failed::sync("fdatasync", &name, &source))?;
    files
        .sync_folder()
        .map_err(|source| Failed::sync("fsync", "folder", &source))?;
    Ok(Segment {
        number: header.number,
        first_sequence: header.first_sequence,
        length: bytes.len() as u64,
        previous_checksum: header.previous_checksum,
    })
}

impl Writer {
    pub(crate) fn new(files: Arc<dyn Files>, options: Options, id: [u8; 16], tail: Tail) -> Self {
        Self {
            files,
            options,
            id,
            durable: tail,
            current: tail,
            group: Vec::new(),
            fatal: None,
        }
    }

    pub(crate) fn durable_sequence(&self) -> u64 {
        self.durable.last_sequence
    }

    pub(crate) fn ends_with_seal(&self) -> bool {
        self.current.sealed || self.current.last_sequence == 0
    }

    /// Prepares for a record with a body of `length` bytes; returns the segment if one was begun.
    pub(crate) fn begin_record(&mut self, length: usize) -> Result<Option<Segment>, AppendError> {
        if let Some(failure) = &self.fatal {
            return Err(AppendError::Fatal(failure.clone()));
        }
        if !self.group.is_empty() {
            return Ok(None);
        }
        let segment = self.current.segment;
        let empty = self.current.last_sequence < segment.first_sequence;
        let after = segment.length + (RECORD_HEADER_BYTES + length) as u64;
        let enough = after <= self.options.segment_bytes_max;
        if !self.current.rotate_next && (empty || enough) {
            return Ok(None);
        }
        self.rotate().map(Some).map_err(|failed| match failed {
            Failed::Full(failure) => AppendError::Full(failure),
            Failed::Fatal(failure) => {
                self.fatal = Some(failure.clone());
                AppendError::Fatal(failure)
            }
        })
    }

    /// Begins a segment. Everything written so far is durable.
    fn rotate(&mut self) -> Result<Segment, Failed> {
        // Until the new one stands, the old one takes no more: its header will name its length.
        self.current.rotate_next = true;
        self.durable.rotate_next = true;
        let header = SegmentHeader {
            id: self.id,
            number: self.current.segment.number + 1,
            first_sequence: self.current.last_sequence + 1,
            previous_length: self.current.segment.length,
            previous_checksum: self.current.last_checksum,
        };
        let segment = create_segment(self.files.as_ref(), header)?;
        self.current.segment = segment;
        self.current.rotate_next = false;
        self.durable = self.current;
        Ok(segment)
    }

    /// Adds a record to the group.
    pub(crate) fn append(&mut self, body: &[u8]) -> Place {
        let sequence = self.current.last_sequence + 1;
        let header = RecordHeader::new(&self.id, sequence, self.durable.last_sequence, body);
        header.encode_to(&mut self.group);
        self.group.extend_from_slice(body);
        let offset = self.current.segment.length + RECORD_HEADER_BYTES as u64;
        self.current.segment.length = offset + body.len() as u64;
        self.current.last_sequence = sequence;
        self.current.last_checksum = header.checksum;
        self.current.sealed = body.is_empty();
        Place {
            sequence,
            segment: self.current.segment.number,
            offset,
            length: header.length,
            checksum: header.checksum,
        }
    }

    /// Adds the record that only says what is durable.
    pub(crate) fn append_seal(&mut self) {
        if self.fatal.is_none() {
            self.append(&[]);
        }
    }

    /// Writes and syncs the group; returns the durable length of the current segment.
    pub(crate) fn sync(&mut self) -> Result<u64, SyncError> {
        if let Some(failure) = &self.fatal {
            return Err(SyncError::Fatal(failure.clone()));
        }
        if self.group.is_empty() {
            return Ok(self.durable.segment.length);
        }
        let name = segment_name(self.durable.segment.number);
        let start = self.durable.segment.length;
        if let Err(source) = self.files.write_at(&name, start, &self.group) {
            let failed = Failed::write("write", &name, &source);
            return Err(self.give_up(&name, failed));
        }
        let started = std::time::Instant::now();
        if let Err(source) = self.files.sync(&name) {
            let failed = Failed::sync("fdatasync", &name, &source);
            return Err(self.give_up(&name, failed));
        }
        self.durable = self.current;
        self.clear_group();
        if let Some(observer) = &self.options.observer {
            observer.synced(self.durable.last_sequence, started.elapsed());
        }
        Ok(self.durable.segment.length)
    }

    /// Forgets the group, of which nothing was written.
    pub(crate) fn discard(&mut self) {
        self.clear_group();
        self.current = self.durable;
    }

    /// Gives the group up: without a trace if there was no room, for good otherwise.
    fn give_up(&mut self, name: &str, failed: Failed) -> SyncError {
        self.discard();
        let failure = match failed {
            Failed::Fatal(failure) => failure,
            Failed::Full(failure) => match self.files.truncate(name, self.durable.segment.length) {
                Ok(()) => return SyncError::Full(failure),
                Err(source) => Failure::new("truncate", name, &source),
            },
        };
        self.fatal = Some(failure.clone());
        SyncError::Fatal(failure)
    }

    fn clear_group(&mut self) {
        self.group.clear();
        self.group.shrink_to(BUFFER_BYTES_KEPT);
    }
}
