//! The bytes of segment headers and record headers, as the crate's documentation specifies them.

use crate::{FORMAT_VERSION, SEGMENTS_MAX};

pub(crate) const MAGIC: [u8; 8] = *b"DONGBO-J";
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
pub(crate) const RECORD_HEADER_BYTES: usize = 24;
const SUFFIX: &str = ".journal";

/// The file name of a segment.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:010}{SUFFIX}")
}

/// The number of a segment's file name; none if it is not the name of a segment.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let number: u64 = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (number <= SEGMENTS_MAX && segment_name(number) == name).then_some(number)
}

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) id: [u8; 16],
    pub(crate) number: u64,
    pub(crate) first_sequence: u64,
    pub(crate) previous_length: u64,
    pub(crate) previous_checksum: u32,
}

/// What 64 bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderBytes {
    Valid(SegmentHeader),
    Newer(u32),
    Invalid,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.first_sequence.to_be_bytes());
        bytes.extend_from_slice(&self.previous_length.to_be_bytes());
        bytes.extend_from_slice(&self.previous_checksum.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        let mut header = [0; SEGMENT_HEADER_BYTES];
        for (to, from) in header.iter_mut().zip(bytes) {
            *to = from;
        }
        header
    }

    pub(crate) fn decode(bytes: &[u8]) -> HeaderBytes {
        let mut rest = bytes;
        if take::<8>(&mut rest) != Some(MAGIC) {
            return HeaderBytes::Invalid;
        }
        match take(&mut rest).map(u32::from_be_bytes) {
            Some(version) if version > FORMAT_VERSION => return HeaderBytes::Newer(version),
            Some(FORMAT_VERSION) => {}
            Some(_) | None => return HeaderBytes::Invalid,
        }
        Self::fields(rest)
            .filter(|header| header.encode() == bytes)
            .map_or(HeaderBytes::Invalid, HeaderBytes::Valid)
    }

    fn fields(mut rest: &[u8]) -> Option<Self> {
        Some(Self {
            id: take(&mut rest)?,
            number: u64::from_be_bytes(take(&mut rest)?),
            first_sequence: u64::from_be_bytes(take(&mut rest)?),
            previous_length: u64::from_be_bytes(take(&mut rest)?),
            previous_checksum: u32::from_be_bytes(take(&mut rest)?),
        })
    }
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) length: u32,
    pub(crate) checksum: u32,
    pub(crate) sequence: u64,
    pub(crate) durable: u64,
}

impl RecordHeader {
    /// The header of a new record.
    pub(crate) fn new(id: &[u8; 16], sequence: u64, durable: u64, body: &[u8]) -> Self {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut header = Self {
            length,
            checksum: 0,
            sequence,
            durable,
        };
        header.checksum = header.expected_checksum(id, body);
        header
    }

    pub(crate) fn expected_checksum(&self, id: &[u8; 16], body: &[u8]) -> u32 {
        let mut checksum = crc32c::crc32c(id);
        checksum = crc32c::crc32c_append(checksum, &self.length.to_be_bytes());
        checksum = crc32c::crc32c_append(checksum, &self.sequence.to_be_bytes());
        checksum = crc32c::crc32c_append(checksum, &self.durable.to_be_bytes());
        crc32c::crc32c_append(checksum, body)
    }

    pub(crate) fn encode_to(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.length.to_be_bytes());
        to.extend_from_slice(&self.checksum.to_be_bytes());
        to.extend_from_slice(&self.sequence.to_be_bytes());
        to.extend_from_slice(&self.durable.to_be_bytes());
    }

    pub(crate) fn decode(bytes: &[u8; RECORD_HEADER_BYTES]) -> Self {
        let mut rest = bytes.as_slice();
        let mut u32_of = || take(&mut rest).map_or(0, u32::from_be_bytes);
        let (length, checksum) = (u32_of(), u32_of());
        let mut u64_of = || take(&mut rest).map_or(0, u64::from_be_bytes);
        let (sequence, durable) = (u64_of(), u64_of());
        Self {
            length,
            checksum,
            sequence,
            durable,
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (front, back) = rest.split_first_chunk::<N>()?;
    *rest = back;
    Some(*front)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            id: *b"0123456789abcdef",
            number: 2,
            first_sequence: 3,
            previous_length: 0x1122,
            previous_checksum: 0x3344_5566,
        }
    }

    #[test]
    fn a_header_has_the_bytes_of_the_specification() {
        let bytes = header().encode();
        assert_eq!(&bytes[..12], b"DONGBO-J\0\0\0\x01");
        assert_eq!(&bytes[12..28], b"0123456789abcdef");
        assert_eq!(&bytes[28..36], &[0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(&bytes[36..44], &[0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(&bytes[44..52], &[0, 0, 0, 0, 0, 0, 0x11, 0x22]);
        assert_eq!(&bytes[52..60], &[0x33, 0x44, 0x55, 0x66, 0, 0, 0, 0]);
        assert_eq!(&bytes[60..], &crc32c::crc32c(&bytes[..60]).to_be_bytes());
        assert_eq!(SegmentHeader::decode(&bytes), HeaderBytes::Valid(header()));
    }

    #[test]
    fn a_later_version_is_recognised_whatever_follows_it() {
        let mut bytes = header().encode();
        bytes[11] = 2;
        assert_eq!(SegmentHeader::decode(&bytes), HeaderBytes::Newer(2));
        assert_eq!(SegmentHeader::decode(&bytes[..12]), HeaderBytes::Newer(2));
    }

    #[test]
    fn every_changed_bit_of_a_header_is_noticed() {
        let bytes = header().encode();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches!(SegmentHeader::decode(&changed), HeaderBytes::Valid(_)),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn names_are_of_ten_digits_and_nothing_else() {
        assert_eq!(segment_name(7), "0000000007.journal");
        assert_eq!(segment_number("0000000007.journal"), Some(7));
        for name in [
            "7.journal",
            "+000000007.journal",
            "0000000007",
            "0000000007.journal~",
        ] {
            assert_eq!(segment_number(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_record_header_round_trips(sequence: u64, durable: u64, body: Vec<u8>) {
            let header = RecordHeader::new(&[7; 16], sequence, durable, &body);
            let mut bytes = Vec::new();
            header.encode_to(&mut bytes);
            let bytes = <[u8; RECORD_HEADER_BYTES]>::try_from(bytes).unwrap();
            prop_assert_eq!(RecordHeader::decode(&bytes), header);
            prop_assert_ne!(header.expected_checksum(&[8; 16], &body), header.checksum);
        }
    }
}
