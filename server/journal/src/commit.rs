//! The bytes of one commit in a journal: its truth writes, as `docs/formats.md` section 10 says.
//!
//! The journal itself never looks into a record; its owners – a node's store, a tablet – share this
//! one form, so that a tool can read the folder of either.

use sync_core::codec::{DecodeError, Reader, Writer};

use crate::RECORD_BYTES_MAX;

/// A truth write and where its value lies in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthWrite<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The value, or none to remove the key.
    pub value: Option<&'a [u8]>,
    /// The byte of the record at which the value begins; 0 without a value.
    pub value_offset: usize,
}

/// A record and where the values of its writes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The record.
    pub bytes: Vec<u8>,
    /// For each write the byte at which its value begins; 0 without a value.
    pub value_offsets: Vec<usize>,
}

/// Encodes the writes, in order: each a key and its value, or none to remove it.
pub fn encode(writes: &[(&[u8], Option<&[u8]>)]) -> Encoded {
    let mut writer = Writer::new();
    let mut value_offsets = Vec::with_capacity(writes.len());
    writer.var(writes.len() as u64);
    for (key, value) in writes {
        writer.bytes(key);
        match value {
            Some(value) => {
                writer.u8(1).bytes(value);
                value_offsets.push(writer.as_slice().len() - value.len());
            }
            None => {
                writer.u8(0);
                value_offsets.push(0);
            }
        }
    }
    Encoded {
        bytes: writer.into_bytes(),
        value_offsets,
    }
}

/// Reads the writes of a record, strictly.
pub fn decode(record: &[u8]) -> Result<Vec<TruthWrite<'_>>, DecodeError> {
    let mut reader = Reader::new(record);
    let count = reader.count(RECORD_BYTES_MAX, "writes")?;
    let mut writes = Vec::new();
    for _ in 0..count {
        let key = reader.bytes(RECORD_BYTES_MAX, "key")?;
        let (value, value_offset) = match reader.u8("presence")? {
            0 => (None, 0),
            1 => {
                let value = reader.bytes(RECORD_BYTES_MAX, "value")?;
                (
                    Some(value),
                    record.len() - reader.rest().len() - value.len(),
                )
            }
            _ => return Err(DecodeError::Undefined("presence")),
        };
        writes.push(TruthWrite {
            key,
            value,
            value_offset,
        });
    }
    reader.end("writes")?;
    Ok(writes)
}
