//! The bytes of one commit in a journal: its truth writes, as `docs/formats.md` section 10 says.

use sync_core::codec::{DecodeError, Reader, Writer};

use crate::{COMMIT_BYTES_MAX, Write};

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

/// Encodes the writes, in order.
pub fn encode(writes: &[&Write]) -> Encoded {
    let mut writer = Writer::new();
    let mut value_offsets = Vec::with_capacity(writes.len());
    writer.var(writes.len() as u64);
    for Write { key, value } in writes {
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
    let count = reader.count(COMMIT_BYTES_MAX, "writes")?;
    let mut writes = Vec::new();
    for _ in 0..count {
        let key = reader.bytes(COMMIT_BYTES_MAX, "key")?;
        let (value, value_offset) = match reader.u8("presence")? {
            0 => (None, 0),
            1 => {
                let value = reader.bytes(COMMIT_BYTES_MAX, "value")?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_has_the_bytes_of_the_specification() {
        let writes = [
            Write {
                key: vec![3, 9],
                value: Some(b"abc".to_vec()),
            },
            Write {
                key: vec![5],
                value: None,
            },
        ];
        let Encoded {
            bytes: record,
            value_offsets,
        } = encode(&[&writes[0], &writes[1]]);
        assert_eq!(value_offsets, [6, 0]);
        assert_eq!(record, [2, 2, 3, 9, 1, 3, b'a', b'b', b'c', 1, 5, 0]);
        assert_eq!(decode(&record).unwrap()[0].value_offset, 6);
    }

    proptest! {
        #[test]
        fn records_round_trip_and_offsets_point_at_values(
            writes: Vec<(Vec<u8>, Option<Vec<u8>>)>
        ) {
            let writes: Vec<Write> =
                writes.into_iter().map(|(key, value)| Write { key, value }).collect();
            let Encoded { bytes: record, value_offsets } = encode(&writes.iter().collect::<Vec<_>>());
            let read = decode(&record).unwrap();
            prop_assert_eq!(read.len(), writes.len());
            for ((read, write), offset) in read.iter().zip(&writes).zip(value_offsets) {
                prop_assert_eq!(read.value_offset, offset);
                prop_assert_eq!(read.key, &write.key);
                prop_assert_eq!(read.value, write.value.as_deref());
                if let Some(value) = read.value {
                    prop_assert_eq!(&record[read.value_offset..][..value.len()], value);
                }
            }
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(0u8..6, 0..20)) {
            if let Ok(writes) = decode(&bytes) {
                let writes: Vec<Write> = writes
                    .iter()
                    .map(|w| Write { key: w.key.to_vec(), value: w.value.map(<[u8]>::to_vec) })
                    .collect();
                prop_assert_eq!(encode(&writes.iter().collect::<Vec<_>>()).bytes, bytes);
            }
        }
    }
}
