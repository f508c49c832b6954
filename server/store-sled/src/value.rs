//! Values as they stand in sled: inline, or a pointer to where they lie in the journal.

use journal::{Journal, Place};
use store::{Entry, ReadError};
use sync_core::codec::{DecodeError, Reader, Writer};

use crate::POINTED_BYTES_MIN;

const INLINE: u8 = 0;
const POINTED: u8 = 1;

/// Bytes of the journal read at once for several values.
const SPAN_BYTES_MAX: u64 = 512 * 1024;

/// Bytes between two values up to which reading them along costs less than another read: what a
/// record has beside one value, and a small value or two.
const SPAN_GAP_BYTES_MAX: u64 = 4 * 1024;

/// The bytes of a value kept in sled itself.
pub(crate) fn inline(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + 1);
    bytes.push(INLINE);
    bytes.extend_from_slice(value);
    bytes
}

/// The same of a value that nobody else needs.
pub(crate) fn inlined(mut value: Vec<u8>) -> Vec<u8> {
    value.insert(0, INLINE);
    value
}

/// The bytes of a truth value that begins at byte `offset` of the record at `place`.
pub(crate) fn truth(value: &[u8], place: Place, offset: usize) -> Vec<u8> {
    if value.len() < POINTED_BYTES_MIN {
        return inline(value);
    }
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    Writer::new()
        .u8(POINTED)
        .u64_be(place.segment)
        .u64_be(place.offset + offset as u64)
        .raw(&length.to_be_bytes())
        .raw(&crc32c::crc32c(value).to_be_bytes())
        .as_slice()
        .to_vec()
}

struct Pointer {
    segment: u64,
    offset: u64,
    length: u32,
    checksum: u32,
}

impl Pointer {
    fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }
}

fn pointer(bytes: &[u8]) -> Result<Pointer, DecodeError> {
    let mut reader = Reader::new(bytes);
    let pointer = Pointer {
        segment: reader.u64_be("segment")?,
        offset: reader.u64_be("offset")?,
        length: u32::from_be_bytes(reader.array("length")?),
        checksum: u32::from_be_bytes(reader.array("checksum")?),
    };
    reader.end("pointer")?;
    Ok(pointer)
}

/// The value that bytes of sled stand for.
pub(crate) fn read(journal: &Journal, bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    match bytes.split_first() {
        Some((&INLINE, value)) => Ok(value.to_vec()),
        Some((&POINTED, rest)) => {
            let at = pointer(rest).map_err(|error| damaged("index", &error.to_string()))?;
            let value = journal
                .read_span(at.segment, at.offset, at.length as usize)
                .map_err(|error| damaged("journal", &error.to_string()))?;
            whole(value, &at)
        }
        Some(_) | None => Err(damaged("index", "a value has an undefined form")),
    }
}

/// The values that bytes of sled stand for, with their keys. What lies side by side in the journal is
/// read at once.
pub(crate) fn read_all(journal: &Journal, entries: Vec<Entry>) -> Result<Vec<Entry>, ReadError> {
    let pointers = entries
        .iter()
        .map(|(_, bytes)| match bytes.split_first() {
            Some((&POINTED, rest)) => pointer(rest)
                .map(Some)
                .map_err(|error| damaged("index", &error.to_string())),
            Some(_) | None => Ok(None),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut span = Span::default();
    let mut found = Vec::with_capacity(entries.len());
    for (at, (key, bytes)) in entries.into_iter().enumerate() {
        let ahead = pointers.get(at..).unwrap_or_default();
        let value = match ahead.first() {
            Some(Some(pointer)) => {
                if span.slice(pointer).is_none() {
                    span = Span::read(journal, ahead)?;
                }
                let value = span.slice(pointer);
                whole(value.unwrap_or_default().to_vec(), pointer)?
            }
            Some(None) | None => read(journal, &bytes)?,
        };
        found.push((key, value));
    }
    Ok(found)
}

/// Bytes of a segment.
#[derive(Default)]
struct Span {
    segment: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl Span {
    /// Reads what the first pointer names, and what those behind it name as far as it follows closely.
    fn read(journal: &Journal, ahead: &[Option<Pointer>]) -> Result<Self, ReadError> {
        let mut ahead = ahead.iter().map_while(Option::as_ref);
        let Some(first) = ahead.next() else {
            return Ok(Self::default());
        };
        let mut end = first.end();
        for next in ahead {
            let close = next.segment == first.segment
                && next.offset >= end
                && next.offset - end <= SPAN_GAP_BYTES_MAX
                && next.end() - first.offset <= SPAN_BYTES_MAX;
            if !close {
                break;
            }
            end = next.end();
        }
        let length = usize::try_from(end - first.offset).unwrap_or(usize::MAX);
        let bytes = journal
            .read_span(first.segment, first.offset, length)
            .map_err(|error| damaged("journal", &error.to_string()))?;
        Ok(Self {
            segment: first.segment,
            offset: first.offset,
            bytes,
        })
    }

    /// What a pointer names, if it is here.
    fn slice(&self, of: &Pointer) -> Option<&[u8]> {
        if of.segment != self.segment {
            return None;
        }
        let from = usize::try_from(of.offset.checked_sub(self.offset)?).ok()?;
        self.bytes.get(from..)?.get(..of.length as usize)
    }
}

/// A value that was read, if it is the one that a pointer names.
fn whole(value: Vec<u8>, pointer: &Pointer) -> Result<Vec<u8>, ReadError> {
    if value.len() != pointer.length as usize || crc32c::crc32c(&value) != pointer.checksum {
        return Err(damaged("journal", "a value does not have its checksum"));
    }
    Ok(value)
}

/// True if bytes of sled stand for this value. Reads the journal only if the lengths agree.
pub(crate) fn equals(journal: &Journal, bytes: &[u8], value: &[u8]) -> Result<bool, ReadError> {
    match bytes.split_first() {
        Some((&INLINE, own)) => Ok(own == value),
        Some((&POINTED, rest)) => {
            let at = pointer(rest).map_err(|error| damaged("index", &error.to_string()))?;
            Ok(at.length as usize == value.len()
                && at.checksum == crc32c::crc32c(value)
                && read(journal, bytes)? == value)
        }
        Some(_) | None => Err(damaged("index", "a value has an undefined form")),
    }
}

fn damaged(object: &str, reason: &str) -> ReadError {
    ReadError {
        step: "read",
        object: object.to_owned(),
        reason: reason.to_owned(),
    }
}
