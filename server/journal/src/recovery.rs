//! Opening: looks at what the last process left, decides what it means, and repairs it.

use crate::error::{Failure, OpenError};
use crate::files::{Files, read_full};
use crate::format::{
    HeaderBytes, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name, segment_number,
};
use crate::scan::{SegmentReader, Step};
use crate::writer::{self, Tail};
use crate::{FORMAT_VERSION, Options, Recovery, Segment};

const HEADER: u64 = SEGMENT_HEADER_BYTES as u64;

/// Bytes copied at a time when records are written again.
const COPY_BYTES: usize = 1024 * 1024;

/// What a folder holds. Making it changed nothing.
#[derive(Debug)]
pub(crate) struct Found {
    /// None: there is no segment with a valid header.
    pub(crate) id: Option<[u8; 16]>,
    pub(crate) segments: Vec<Segment>,
    end: End,
    /// The last segment's creation was interrupted: its number.
    unfinished: Option<u64>,
}

/// The end of the last segment.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    /// Behind the last valid record.
    position: u64,
    /// Where the first record begins that nothing proves durable.
    unproved: u64,
    last_sequence: u64,
    last_checksum: u32,
    sealed: bool,
    cut_bytes: u64,
}

/// A journal ready to be written to.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) id: [u8; 16],
    pub(crate) segments: Vec<Segment>,
    pub(crate) tail: Tail,
    pub(crate) recovery: Recovery,
}

impl Found {
    pub(crate) fn recovery(&self) -> Recovery {
        Recovery {
            last_sequence: self.end.last_sequence,
            last_checksum: self.end.last_checksum,
            cut_bytes: self.end.cut_bytes,
            rewritten_bytes: 0,
            sealed: self.end.sealed,
        }
    }
}

fn failed(step: &'static str, object: &str, source: &std::io::Error) -> OpenError {
    OpenError::Files(Failure::new(step, object, source))
}

/// Looks at the folder without changing it.
pub(crate) fn examine(files: &dyn Files) -> Result<Found, OpenError> {
    let mut lengths: Vec<(u64, u64)> = files
        .list()
        .map_err(|source| failed("list", "folder", &source))?
        .into_iter()
        .filter_map(|entry| Some((segment_number(&entry.name)?, entry.length)))
        .collect();
    lengths.sort_unstable();
    for ((number, _), expected) in lengths.iter().zip(1..) {
        if *number != expected {
            return Err(OpenError::MissingSegment {
                name: segment_name(expected),
            });
        }
    }
    let mut headers = Vec::new();
    let mut unfinished = None;
    for (number, length) in &lengths {
        match read_header(files, *number)? {
            Some(header) => headers.push((header, *length)),
            None if *number == lengths.len() as u64 && *length <= HEADER => {
                unfinished = Some(*number);
            }
            None => {
                let what = "the segment's header is not valid";
                return Err(OpenError::Corrupt {
                    object: segment_name(*number),
                    offset: 0,
                    what,
                });
            }
        }
    }
    let mut segments = chain(&headers)?;
    let id = headers.first().map(|(header, _)| header.id);
    let mut end = End::default();
    if let (Some(id), Some(last)) = (id, segments.last_mut()) {
        end = find_end(files, id, *last, unfinished.is_some())?;
        last.length = end.position;
    }
    Ok(Found {
        id,
        segments,
        end,
        unfinished,
    })
}

/// The header of a segment; none if it is not valid.
fn read_header(files: &dyn Files, number: u64) -> Result<Option<SegmentHeader>, OpenError> {
    let name = segment_name(number);
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let got =
        read_full(files, &name, 0, &mut bytes).map_err(|source| failed("read", &name, &source))?;
    match SegmentHeader::decode(bytes.get(..got).unwrap_or_default()) {
        HeaderBytes::Valid(header) => Ok(Some(header)),
        HeaderBytes::Newer(found) => Err(OpenError::Newer {
            object: name,
            found,
            known: FORMAT_VERSION,
        }),
        HeaderBytes::Invalid => Ok(None),
    }
}

/// Checks that the headers belong together.
fn chain(headers: &[(SegmentHeader, u64)]) -> Result<Vec<Segment>, OpenError> {
    let mut segments: Vec<Segment> = Vec::new();
    let id = headers.first().map(|(header, _)| header.id);
    for ((header, length), number) in headers.iter().zip(1..) {
        let corrupt = |what| {
            Err(OpenError::Corrupt {
                object: segment_name(number),
                offset: 0,
                what,
            })
        };
        if header.number != number {
            return corrupt("the segment has the number of another");
        }
        if Some(header.id) != id {
            return corrupt("the segment belongs to another journal");
        }
        let (previous_length, sequence_min) = match segments.last() {
            Some(previous) => (previous.length, previous.first_sequence + 1),
            None => (0, 1),
        };
        if header.previous_length != previous_length {
            return corrupt("the segment before it does not have the length it had");
        }
        if header.first_sequence < sequence_min || (number == 1 && header.first_sequence != 1) {
            return corrupt("the segment's first sequence number does not follow");
        }
        segments.push(Segment {
            number,
            first_sequence: header.first_sequence,
            length: *length,
            previous_checksum: header.previous_checksum,
        });
    }
    Ok(segments)
}

/// Reads the last segment to its end. `complete`: a later one was begun, so nothing may be torn.
fn find_end(
    files: &dyn Files,
    id: [u8; 16],
    segment: Segment,
    complete: bool,
) -> Result<End, OpenError> {
    let mut reader = SegmentReader::new(files, id, segment);
    // A segment begins when everything before it is durable.
    let mut proved = segment.first_sequence.saturating_sub(1);
    let mut sealed = false;
    loop {
        match reader.next()? {
            Step::Record { durable, body, .. } => {
                proved = proved.max(durable);
                sealed = body.is_empty();
            }
            Step::End => break,
            Step::Invalid { what } => {
                if complete || reader.is_damage()? {
                    return Err(reader.corrupt(what).into());
                }
                sealed = false;
                break;
            }
        }
    }
    let position = reader.position();
    Ok(End {
        position,
        unproved: start_of(files, id, segment, proved, position)?,
        last_sequence: reader.next_sequence().saturating_sub(1),
        last_checksum: reader.last_checksum(),
        sealed,
        cut_bytes: segment.length.saturating_sub(position),
    })
}

/// Where the record after `proved` begins.
fn start_of(
    files: &dyn Files,
    id: [u8; 16],
    segment: Segment,
    proved: u64,
    end: u64,
) -> Result<u64, OpenError> {
    let mut reader = SegmentReader::new(
        files,
        id,
        Segment {
            length: end,
            ..segment
        },
    );
    while reader.next_sequence() <= proved {
        match reader.next()? {
            Step::Record { .. } => {}
            Step::End | Step::Invalid { .. } => break,
        }
    }
    Ok(reader.position())
}

/// Makes what was found durable and ready to be continued.
pub(crate) fn repair(
    files: &dyn Files,
    found: Found,
    options: &Options,
) -> Result<Repaired, OpenError> {
    let mut recovery = found.recovery();
    let Some(id) = found.id else {
        let id = options.new_id;
        let header = SegmentHeader {
            id,
            number: 1,
            first_sequence: 1,
            previous_length: 0,
            previous_checksum: 0,
        };
        let segment = writer::create_segment(files, header)
            .map_err(|failure| OpenError::Files(failure.into_failure()))?;
        let tail = Tail::new(segment, recovery);
        return Ok(Repaired {
            id,
            segments: vec![segment],
            tail,
            recovery,
        });
    };
    let segments = found.segments;
    let Some(last) = segments.last().copied() else {
        return Err(OpenError::MissingSegment {
            name: segment_name(1),
        });
    };
    let name = segment_name(last.number);
    if found.end.cut_bytes > 0 {
        files
            .truncate(&name, found.end.position)
            .map_err(|source| failed("truncate", &name, &source))?;
    }
    recovery.rewritten_bytes = write_again(files, &name, found.end)?;
    files
        .sync_folder()
        .map_err(|source| failed("fsync", "folder", &source))?;
    let mut tail = Tail::new(last, recovery);
    tail.rotate_next = found.unfinished.is_some();
    Ok(Repaired {
        id,
        segments,
        tail,
        recovery,
    })
}

/// Writes the records again that nothing proves durable, with the bytes they have, and syncs them.
fn write_again(files: &dyn Files, name: &str, end: End) -> Result<u64, OpenError> {
    let mut offset = end.unproved;
    let mut buffer = vec![0; COPY_BYTES];
    while offset < end.position {
        let length = usize::try_from(end.position - offset)
            .unwrap_or(COPY_BYTES)
            .min(COPY_BYTES);
        buffer.truncate(length);
        let got = read_full(files, name, offset, &mut buffer)
            .map_err(|source| failed("read", name, &source))?;
        if got == 0 {
            break;
        }
        files
            .write_at(name, offset, buffer.get(..got).unwrap_or_default())
            .map_err(|source| failed("write", name, &source))?;
        offset += got as u64;
    }
    files
        .sync(name)
        .map_err(|source| failed("fdatasync", name, &source))?;
    Ok(end.position.saturating_sub(end.unproved))
}
