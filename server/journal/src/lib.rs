//! The journal: append-only segment files whose durable records are the truth of a node.
//!
//! An acknowledgement is true because a record of this journal was synced before it left. Everything
//! else a node keeps can be derived from here. The journal knows nothing of what its records mean.
//!
//! # The folder
//!
//! ```text
//! 0000000001.journal     segment 1
//! 0000000002.journal     segment 2, …: ten decimal digits, from 1, without gaps
//! ```
//!
//! Other names are left alone. Integers are big-endian. CRC is CRC-32C (Castagnoli).
//!
//! # A segment
//!
//! A header of 64 bytes, then records without gaps up to the end of the file.
//!
//! ```text
//! offset  bytes
//!      0  8   magic "DONGBO-J"
//!      8  4   format version = 1; magic and version stand here in every version
//!     12  16  journal id: random, the same in every segment; also the salt of record checksums
//!     28  8   number of this segment, equal to its name
//!     36  8   sequence number of its first record
//!     44  8   length of the previous segment's file in bytes; 0 in segment 1
//!     52  4   checksum of the last record before this segment; 0 if there is none
//!     56  4   zero
//!     60  4   CRC of bytes 0..60
//! ```
//!
//! # A record
//!
//! ```text
//!      0  4   length of the body in bytes, at most RECORD_BYTES_MAX
//!      4  4   CRC of (journal id, bytes 0..4, bytes 8..24, body)
//!      8  8   sequence number: from 1, one by one, across segments
//!     16  8   durable: the highest sequence number known to be durable when this was written
//!     24  …   body
//! ```
//!
//! An empty body is a *seal*: it says nothing but its `durable` and is not shown to readers. One is
//! written when a journal is closed. The salt never leaves the folder, so bytes from outside that are
//! stored in a body cannot be made to look like a record.
//!
//! # Writing
//!
//! Records are appended to a buffer; [`Journal::sync`] writes the buffer with one write, then syncs
//! the file (`fdatasync`): one *group*. Only then do its records exist for readers. A segment that
//! has reached its limit is followed by a new one when the next group begins: the old one is durable
//! as a whole by then; the new file gets its header, is synced, then the folder is synced, and only
//! then records follow. A segment may pass its limit by one group.
//!
//! A failed sync is fatal: the kernel may have dropped the data and forgotten the failure, so a second
//! sync would lie. The journal refuses all further writes until it is opened again. Without room
//! (`ENOSPC`, quota) the group is given up, the file is cut back to its last durable byte, and the
//! journal goes on reading and may be written again later.
//!
//! # What a crash can leave, and how it is read
//!
//! Assumed: a sync that returned without error made the bytes before it durable; a write after it
//! does not damage them; bytes that were not synced may be there, in any subset of sectors, or zero.
//! If a disk breaks the first promise, acknowledged records can be lost without being noticed here.
//!
//! | found | read as |
//! |---|---|
//! | the last segment is no longer than a header and its header is invalid | a creation that was interrupted: written again before the next record |
//! | an invalid record in the last segment, and no valid one after it | a torn group: cut |
//! | …, and valid ones after it, none of which knew the invalid one to be durable | a torn group of which some sectors arrived: cut |
//! | …, and a later one says that the invalid one was durable | [`OpenError::Corrupt`]: acknowledged records are damaged; nothing is touched |
//! | zeros after the last record | as an invalid record |
//! | an invalid record in another segment; a segment whose length or neighbour does not fit | `Corrupt`, by [`Journal::open`] for what headers tell, by [`Journal::replay`] for the rest |
//! | a number missing between segments | [`OpenError::MissingSegment`] |
//! | a segment of a later format version | [`OpenError::Newer`], before anything is touched |
//!
//! Damage to the *last* group of a journal that was not closed cannot be told from a torn group.
//!
//! Opening cuts the torn end durably, writes again every record that nothing proves durable and syncs
//! it (after a kill, or after a failed sync, such a record may exist in memory alone), and syncs the
//! folder. So whatever opening reports is durable.

pub mod commit;
mod error;
pub mod files;
pub mod folder;
mod format;
mod recovery;
mod scan;
pub mod simulated;
mod writer;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use error::{AppendError, Failure, OpenError, ReadError, SyncError};
pub use files::{FileEntry, Files};

use scan::{SegmentReader, Step};
use writer::Writer;

/// Bytes of one record's body. A record holds one commit; the largest frame a node accepts is 1 MiB
/// and a commit holds a few of them.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes after which a segment is followed by a new one: small enough to scan in a fraction of a
/// second when opening, large enough that a terabyte has no more than 16,384 files.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Segments in one journal: names have ten digits.
pub const SEGMENTS_MAX: u64 = 9_999_999_999;

/// The format version this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Where a record stands. Ordered by sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The record's sequence number, from 1.
    pub sequence: u64,
    /// The number of its segment, from 1.
    pub segment: u64,
    /// The byte of the segment's file at which its body begins.
    pub offset: u64,
    /// Bytes of its body.
    pub length: u32,
    /// Its checksum.
    pub checksum: u32,
}

/// Told what happened to the files, so that a test can prove an order of events.
pub trait Observer: Send + Sync + std::fmt::Debug {
    /// A sync returned after so long: every record up to this sequence number is durable.
    fn synced(&self, durable: u64, took: std::time::Duration);
}

/// How a journal is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The id of the journal if it must be created: random, unknown to others.
    pub new_id: [u8; 16],
    /// Bytes after which a new segment begins, at most [`SEGMENT_BYTES_MAX`] in use, less in tests.
    pub segment_bytes_max: u64,
    /// Told of every sync.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Options {
    /// The options of normal use.
    pub fn new(new_id: [u8; 16]) -> Self {
        Self {
            new_id,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            observer: None,
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The last record's sequence number, seals included; 0 for an empty journal.
    pub last_sequence: u64,
    /// Its checksum; 0 for an empty journal.
    pub last_checksum: u32,
    /// Bytes of torn groups at the end: cut, or skipped when opened for reading only.
    pub cut_bytes: u64,
    /// Bytes written again because nothing proved them durable.
    pub rewritten_bytes: u64,
    /// True if the journal was closed in order.
    pub sealed: bool,
}

/// One segment as its header tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) first_sequence: u64,
    /// Bytes of the file that hold the header and whole, durable records.
    pub(crate) length: u64,
    /// Checksum of the last record before this segment.
    pub(crate) previous_checksum: u32,
}

/// An open journal. Shared between threads: one writes at a time, any number read.
#[derive(Debug)]
pub struct Journal {
    files: Arc<dyn Files>,
    id: [u8; 16],
    segments: RwLock<Vec<Segment>>,
    /// None when opened for reading only.
    writer: Option<Mutex<Writer>>,
}

impl Journal {
    /// Opens a journal for writing, creates it if the folder holds none, and repairs what a crash
    /// left as the crate's documentation says. The caller sees to it that nobody else writes to the
    /// folder ([`folder::FolderLock`]).
    pub fn open(files: Arc<dyn Files>, options: Options) -> Result<(Self, Recovery), OpenError> {
        let found = recovery::examine(files.as_ref())?;
        let repaired = recovery::repair(files.as_ref(), found, &options)?;
        let recovery = repaired.recovery;
        let journal = Self {
            files: Arc::clone(&files),
            id: repaired.id,
            segments: RwLock::new(repaired.segments),
            writer: Some(Mutex::new(Writer::new(
                files,
                options,
                repaired.id,
                repaired.tail,
            ))),
        };
        Ok((journal, recovery))
    }

    /// Opens a journal to look at it: changes nothing, and stops before a torn end. A journal that
    /// somebody writes to may be read this way; records synced later are not seen.
    pub fn open_read_only(files: Arc<dyn Files>) -> Result<(Self, Recovery), OpenError> {
        let found = recovery::examine(files.as_ref())?;
        let recovery = found.recovery();
        let journal = Self {
            files,
            id: found.id.unwrap_or_default(),
            segments: RwLock::new(found.segments),
            writer: None,
        };
        Ok((journal, recovery))
    }

    /// The journal's id. It is a secret of the folder: see the crate's documentation.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Adds a record to the current group. It is not durable and not readable before
    /// [`Journal::sync`].
    ///
    /// On `Full` nothing of the record remains. On `Fatal` the journal takes no more records.
    pub fn append(&self, body: &[u8]) -> Result<Place, AppendError> {
        if body.is_empty() {
            return Err(AppendError::Empty);
        }
        if body.len() > RECORD_BYTES_MAX {
            return Err(AppendError::TooLarge {
                bytes: body.len(),
                bytes_max: RECORD_BYTES_MAX,
            });
        }
        let mut writer = self.lock_writer().ok_or(AppendError::ReadOnly)?;
        if let Some(segment) = writer.begin_record(body.len())? {
            self.write_segments(|segments| segments.push(segment));
        }
        Ok(writer.append(body))
    }

    /// Writes and syncs the current group, one `fdatasync` for all of it. On `Ok` every record
    /// appended so far is durable and readable.
    ///
    /// On `Full` the whole group is given up, as if it had not been appended. On `Fatal` it is unknown
    /// what of it is durable, and the journal takes no more records.
    pub fn sync(&self) -> Result<(), SyncError> {
        let mut writer = self.lock_writer().ok_or(SyncError::ReadOnly)?;
        let length = writer.sync()?;
        self.write_segments(|segments| {
            if let Some(last) = segments.last_mut() {
                last.length = length;
            }
        });
        Ok(())
    }

    /// Gives the current group up, as if it had not been appended.
    pub fn discard(&self) {
        if let Some(mut writer) = self.lock_writer() {
            writer.discard();
        }
    }

    /// Ends the journal in order: syncs the group and writes a seal behind it, which lets the next
    /// opening tell damage from a torn end. Without room for it the seal is left out.
    pub fn close(&self) -> Result<(), SyncError> {
        self.sync()?;
        {
            let mut writer = self.lock_writer().ok_or(SyncError::ReadOnly)?;
            if writer.ends_with_seal() {
                return Ok(());
            }
            writer.append_seal();
        }
        match self.sync() {
            Ok(()) | Err(SyncError::Full(_)) => Ok(()),
            Err(error @ (SyncError::Fatal(_) | SyncError::ReadOnly)) => Err(error),
        }
    }

    /// The highest sequence number that is durable; 0 if there is none.
    pub fn durable_sequence(&self) -> u64 {
        self.lock_writer()
            .map_or(0, |writer| writer.durable_sequence())
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        self.read_segments()
            .iter()
            .map(|segment| segment.length)
            .sum()
    }

    /// The body of a durable record, checked.
    pub fn read(&self, place: Place) -> Result<Vec<u8>, ReadError> {
        let head = format::RECORD_HEADER_BYTES as u64;
        let name = format::segment_name(place.segment);
        let corrupt = |what| ReadError::Corrupt {
            object: name.clone(),
            offset: place.offset,
            what,
        };
        let start = place
            .offset
            .checked_sub(head)
            .ok_or_else(|| corrupt("no record is here"))?;
        let bytes = self.read_span(place.segment, start, place.length as usize + head as usize)?;
        let (header, body) = bytes
            .split_first_chunk::<{ format::RECORD_HEADER_BYTES }>()
            .ok_or_else(|| corrupt("the file ends inside the record"))?;
        let header = format::RecordHeader::decode(header);
        if header.sequence != place.sequence
            || header.length != place.length
            || header.checksum != header.expected_checksum(&self.id, body)
        {
            return Err(corrupt(
                "the record does not have the checksum it was written with",
            ));
        }
        Ok(body.to_vec())
    }

    /// `length` raw bytes of a segment's file, unchecked: part of a body whose place is known.
    pub fn read_span(
        &self,
        segment: u64,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let name = format::segment_name(segment);
        let mut bytes = vec![0; length];
        let got = files::read_full(self.files.as_ref(), &name, offset, &mut bytes)
            .map_err(|source| ReadError::files("read", &name, &source))?;
        if got < length {
            return Err(ReadError::Corrupt {
                object: name,
                offset,
                what: "the file ends before what was written to it",
            });
        }
        Ok(bytes)
    }

    /// Shows every durable record after the place `after` (all, if none), in order, each checked, with
    /// memory for one record and one read of a mebibyte. A failure of `show` ends it.
    pub fn replay<E: From<ReadError>>(
        &self,
        after: Option<Place>,
        mut show: impl FnMut(Place, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let segments = self.read_segments();
        let from = after.map_or(0, |place| place.segment);
        let mut checksum = None;
        for segment in segments
            .into_iter()
            .filter(|segment| segment.number >= from)
        {
            let mut reader = match after {
                Some(place) if place.segment == segment.number => {
                    SegmentReader::after(self.files.as_ref(), self.id, segment, place)
                }
                Some(_) | None => SegmentReader::new(self.files.as_ref(), self.id, segment),
            };
            if checksum.is_some_and(|checksum| checksum != segment.previous_checksum) {
                return Err(reader
                    .corrupt("the segment before it ends with another record")
                    .into());
            }
            loop {
                match reader.next()? {
                    Step::Record { place, body, .. } => {
                        if !body.is_empty() {
                            show(place, body)?;
                        }
                    }
                    Step::Invalid { what } => return Err(reader.corrupt(what).into()),
                    Step::End => break,
                }
            }
            checksum = Some(reader.last_checksum());
        }
        Ok(())
    }

    fn read_segments(&self) -> Vec<Segment> {
        self.segments
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write_segments(&self, change: impl FnOnce(&mut Vec<Segment>)) {
        change(
            &mut self
                .segments
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn lock_writer(&self) -> Option<MutexGuard<'_, Writer>> {
        let writer = self.writer.as_ref()?;
        Some(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// True if an error says that there is no room, so that trying again later may do.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests;
