//! Values as they stand in sled: inline, or a pointer to where they lie in the journal.

use journal::{Journal, Place};
use store::ReadError;
use sync_core::codec::{DecodeError, Reader, Writer};

use crate::POINTED_BYTES_MIN;

const INLINE: u8 = 0;
const POINTED: u8 = 1;

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
            if crc32c::crc32c(&value) != at.checksum {
                return Err(damaged("journal", "a value does not have its checksum"));
            }
            Ok(value)
        }
        Some(_) | None => Err(damaged("index", "a value has an undefined form")),
    }
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
