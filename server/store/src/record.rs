//! The bytes of one commit in a journal: `journal::commit`, for the writes of this crate.

pub use journal::commit::{Encoded, TruthWrite, decode};

use crate::Write;

/// Encodes the writes, in order.
pub fn encode(writes: &[&Write]) -> Encoded {
    let writes: Vec<_> = writes
        .iter()
        .map(|write| (write.key.as_slice(), write.value.as_deref()))
        .collect();
    journal::commit::encode(&writes)
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
