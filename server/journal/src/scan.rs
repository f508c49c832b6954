//! Reads a segment record by record, and looks for valid records behind an invalid one.

use crate::error::ReadError;
use crate::files::{Files, read_full};
use crate::format::{RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, segment_name};
use crate::{Place, RECORD_BYTES_MAX, Segment};

/// Bytes read from a file at a time, unless a record is larger.
const WINDOW_BYTES: usize = 1024 * 1024;

const HEAD: u64 = RECORD_HEADER_BYTES as u64;

/// What stands at the reader's position.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A valid record; the reader has moved behind it.
    Record {
        place: Place,
        /// What the record knew to be durable.
        durable: u64,
        body: &'a [u8],
    },
    /// Bytes that are not the next record; the reader stays.
    Invalid { what: &'static str },
    /// The end.
    End,
}

/// Reads one segment from some record on.
#[derive(Debug)]
pub(crate) struct SegmentReader<'a> {
    window: Window<'a>,
    id: [u8; 16],
    segment: Segment,
    position: u64,
    next_sequence: u64,
    last_checksum: u32,
}

impl<'a> SegmentReader<'a> {
    /// Begins at the segment's first record.
    pub(crate) fn new(files: &'a dyn Files, id: [u8; 16], segment: Segment) -> Self {
        Self {
            window: Window::new(files, segment),
            id,
            segment,
            position: SEGMENT_HEADER_BYTES as u64,
            next_sequence: segment.first_sequence,
            last_checksum: segment.previous_checksum,
        }
    }

    /// Begins behind a record of this segment.
    pub(crate) fn after(
        files: &'a dyn Files,
        id: [u8; 16],
        segment: Segment,
        place: Place,
    ) -> Self {
        Self {
            position: place.offset.saturating_add(u64::from(place.length)),
            next_sequence: place.sequence.saturating_add(1),
            last_checksum: place.checksum,
            ..Self::new(files, id, segment)
        }
    }

    /// The byte at which the next record begins.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The sequence number the next record must have.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The checksum of the record before the position.
    pub(crate) fn last_checksum(&self) -> u32 {
        self.last_checksum
    }

    /// The error that says what is wrong at the position.
    pub(crate) fn corrupt(&self, what: &'static str) -> ReadError {
        ReadError::Corrupt {
            object: self.window.name.clone(),
            offset: self.position,
            what,
        }
    }

    /// Reads what stands at the position.
    pub(crate) fn next(&mut self) -> Result<Step<'_>, ReadError> {
        if self.position == self.segment.length {
            return Ok(Step::End);
        }
        let start = self.position;
        let Some(header) = self.window.header_at(start)? else {
            return Ok(Step::Invalid {
                what: "the file ends inside a record",
            });
        };
        if header.sequence != self.next_sequence || header.durable >= header.sequence {
            return Ok(Step::Invalid {
                what: "the next record is not here",
            });
        }
        let Some(body) = self.window.body_at(start, header)? else {
            return Ok(Step::Invalid {
                what: "the file ends inside a record",
            });
        };
        if header.expected_checksum(&self.id, body) != header.checksum {
            return Ok(Step::Invalid {
                what: "a record does not have its checksum",
            });
        }
        let place = Place {
            sequence: header.sequence,
            segment: self.segment.number,
            offset: start + HEAD,
            length: header.length,
            checksum: header.checksum,
        };
        self.position = place.offset + u64::from(header.length);
        self.next_sequence += 1;
        self.last_checksum = header.checksum;
        Ok(Step::Record {
            place,
            durable: header.durable,
            body,
        })
    }

    /// True if some valid record behind the position knew the record at the position to be durable:
    /// then what stands here is damage, not a torn group.
    pub(crate) fn is_damage(&mut self) -> Result<bool, ReadError> {
        let lost = self.next_sequence;
        let mut start = self.position + 1;
        while start.saturating_add(HEAD) <= self.segment.length {
            let Some(header) = self.window.header_at(start)? else {
                break;
            };
            // A record behind this point needs at least a header's bytes for each before it.
            let farthest = lost.saturating_add((start - self.position) / HEAD + 1);
            let plausible = header.sequence > lost
                && header.sequence <= farthest
                && header.durable >= lost
                && header.durable < header.sequence;
            if plausible
                && let Some(body) = self.window.body_at(start, header)?
                && header.expected_checksum(&self.id, body) == header.checksum
            {
                return Ok(true);
            }
            start += 1;
        }
        Ok(false)
    }
}

/// A part of a file in memory, moved forward on demand.
#[derive(Debug)]
struct Window<'a> {
    files: &'a dyn Files,
    name: String,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(files: &'a dyn Files, segment: Segment) -> Self {
        let name = segment_name(segment.number);
        Self {
            files,
            name,
            length: segment.length,
            start: 0,
            bytes: Vec::new(),
        }
    }

    fn header_at(&mut self, start: u64) -> Result<Option<RecordHeader>, ReadError> {
        let bytes = self.at(start, RECORD_HEADER_BYTES)?;
        Ok(bytes
            .and_then(|bytes| bytes.first_chunk())
            .map(RecordHeader::decode))
    }

    /// The body of the record that starts at `start`, if it is whole.
    fn body_at(&mut self, start: u64, header: RecordHeader) -> Result<Option<&[u8]>, ReadError> {
        let length = header.length as usize;
        if length > RECORD_BYTES_MAX {
            return Ok(None);
        }
        self.at(start + HEAD, length)
    }

    /// `length` bytes at an offset; none if the file ends before.
    fn at(&mut self, offset: u64, length: usize) -> Result<Option<&[u8]>, ReadError> {
        if offset
            .checked_add(length as u64)
            .is_none_or(|end| end > self.length)
        {
            return Ok(None);
        }
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + length as u64 > end {
            self.fill(offset, length)?;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..).and_then(|rest| rest.get(..length)))
    }

    fn fill(&mut self, offset: u64, length: usize) -> Result<(), ReadError> {
        let rest = usize::try_from(self.length - offset).unwrap_or(usize::MAX);
        self.bytes.resize(length.max(WINDOW_BYTES).min(rest), 0);
        // Memory of one huge record is given back with the next small read.
        self.bytes.shrink_to(WINDOW_BYTES);
        self.start = offset;
        let got = read_full(self.files, &self.name, offset, &mut self.bytes)
            .map_err(|source| ReadError::files("read", &self.name, &source))?;
        self.bytes.truncate(got);
        Ok(())
    }
}
