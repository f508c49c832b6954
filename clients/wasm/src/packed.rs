//! Writes as bytes across the boundary: what the worker keeps in IndexedDB and gives back at the start.
//!
//! ```text
//! writes   one after another: u32 length of the key, key, u8 1 put or 0 removed,
//!          if put: u32 length of the value, value; integers are big-endian
//! ```

use sync_core::codec::{DecodeError, Reader};
use sync_core::log::{Write, keys};

/// Bytes of a key, at most: the longest has a tag and two hashes.
const KEY_BYTES_MAX: u32 = 256;

/// The truth among writes, packed; derived keys are derived again.
pub(crate) fn pack(writes: &[Write]) -> Vec<u8> {
    pack_these(writes.iter().filter(|write| is_truth(&write.key)))
}

/// Writes of which the names say nothing, packed.
pub(crate) fn pack_all(writes: &[Write]) -> Vec<u8> {
    pack_these(writes.iter())
}

fn pack_these<'a>(writes: impl Iterator<Item = &'a Write>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for write in writes {
        put(&mut bytes, &write.key);
        match &write.value {
            None => bytes.push(0),
            Some(value) => {
                bytes.push(1);
                put(&mut bytes, value);
            }
        }
    }
    bytes
}

pub(crate) fn put(to: &mut Vec<u8>, part: &[u8]) {
    // Nothing here comes near four gigabytes: a value is one part or one record.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(part);
}

fn is_truth(key: &[u8]) -> bool {
    key.first().is_some_and(|tag| *tag < keys::DERIVED_FROM)
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<Write>, DecodeError> {
    let writes = unpack_all(bytes)?;
    match writes.iter().all(|write| is_truth(&write.key)) {
        true => Ok(writes),
        false => Err(DecodeError::Undefined("key")),
    }
}

/// Reads what [`pack_all`] wrote.
pub(crate) fn unpack_all(bytes: &[u8]) -> Result<Vec<Write>, DecodeError> {
    let mut from = Reader::new(bytes);
    let mut writes = Vec::new();
    while !from.rest().is_empty() {
        let key = take(&mut from, KEY_BYTES_MAX)?;
        let value = match from.u8("put or removed")? {
            0 => None,
            1 => Some(take(&mut from, u32::MAX)?),
            _ => return Err(DecodeError::Undefined("put or removed")),
        };
        writes.push(Write { key, value });
    }
    Ok(writes)
}

fn take(from: &mut Reader<'_>, bytes_max: u32) -> Result<Vec<u8>, DecodeError> {
    let length = u32::from_be_bytes(from.array("length")?);
    if length > bytes_max {
        return Err(DecodeError::Limit("length"));
    }
    Ok(from.raw(length as usize, "bytes")?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_round_trip_and_derived_keys_stay_behind() {
        let write = |key: &[u8], value: Option<&[u8]>| Write {
            key: key.to_vec(),
            value: value.map(<[u8]>::to_vec),
        };
        let truth = [
            write(&[0x20], Some(&[1; 8])),
            write(&[0x22, 7], None),
            write(&[0x03, 0, 1], Some(&[])),
        ];
        let mut all = truth.to_vec();
        all.push(write(&[0x80, 1], Some(&[2])));
        assert_eq!(unpack(&pack(&all)), Ok(truth.to_vec()));
    }

    #[test]
    fn what_is_cut_or_not_ours_is_refused() {
        let bytes = pack(&[Write {
            key: vec![0x20],
            value: Some(vec![1; 8]),
        }]);
        for end in 1..bytes.len() {
            assert!(
                unpack(bytes.get(..end).unwrap_or_default()).is_err(),
                "{end}"
            );
        }
        assert!(unpack(&[0, 0, 0, 1, 0x81, 0]).is_err(), "a derived key");
        assert!(unpack(&[255, 255, 255, 255, 1]).is_err(), "a huge key");
        assert!(
            unpack(&[0, 0, 0, 1, 0x20, 2]).is_err(),
            "neither put nor removed"
        );
    }
}
