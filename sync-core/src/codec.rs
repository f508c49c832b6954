//! The byte codec of everything signed or sent: one canonical form per value, strict on reading.

use crate::limits;

/// Why bytes could not be read. Nothing was changed by the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("input ends inside {0}")]
    Truncated(&'static str),
    /// An integer is written longer than needed, or does not fit 64 bits.
    #[error("integer of {0} is not in its shortest form")]
    Integer(&'static str),
    /// A count or length is over its limit.
    #[error("{0} is over its limit")]
    Limit(&'static str),
    /// A string is not UTF-8.
    #[error("{0} is not UTF-8")]
    Text(&'static str),
    /// A tag, flag or version is none of those that are defined.
    #[error("{0} has an undefined value")]
    Undefined(&'static str),
    /// Bytes are left after the end.
    #[error("bytes are left over after {0}")]
    LeftOver(&'static str),
}

/// Appends canonical bytes to a buffer.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }
    /// An empty writer with room for about so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let bytes = Vec::with_capacity(bytes);
        Self { bytes }
    }
    /// The bytes written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
    /// Ends writing.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }
    /// Raw bytes without a length.
    pub fn raw(&mut self, value: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(value);
        self
    }
    /// Eight bytes, big-endian: for keys that must sort.
    pub fn u64_be(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// An unsigned integer in shortest LEB128.
    pub fn var(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }
    /// A signed integer, zigzag.
    pub fn svar(&mut self, value: i64) -> &mut Self {
        self.var(((value << 1) ^ (value >> 63)) as u64)
    }
    /// Length and bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.var(value.len() as u64).raw(value)
    }
    /// Length and UTF-8.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }
}

/// Reads canonical bytes from the front of a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
    /// Bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
    /// True when everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(*first)
    }
    /// `length` raw bytes.
    pub fn raw(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (front, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(front)
    }
    /// An array of raw bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (front, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(*front)
    }
    /// Eight bytes, big-endian.
    pub fn u64_be(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }
    /// A shortest-form LEB128 integer.
    pub fn var(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut value: u64 = 0;
        for index in 0..10u32 {
            let byte = self.u8(what)?;
            let low = u64::from(byte & 0x7f);
            if index == 9 && byte > 1 {
                return Err(DecodeError::Integer(what));
            }
            value |= low << (7 * index);
            if byte & 0x80 == 0 {
                if byte == 0 && index > 0 {
                    return Err(DecodeError::Integer(what));
                }
                return Ok(value);
            }
        }
        Err(DecodeError::Integer(what))
    }
    /// A zigzag integer.
    pub fn svar(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        let raw = self.var(what)?;
        Ok(((raw >> 1) as i64) ^ -((raw & 1) as i64))
    }
    /// A count of items that are at least one byte each, at most `max`.
    pub fn count(&mut self, max: usize, what: &'static str) -> Result<usize, DecodeError> {
        let count = self.var(what)?;
        let count = usize::try_from(count).map_err(|_| DecodeError::Limit(what))?;
        if count > max {
            return Err(DecodeError::Limit(what));
        }
        Ok(count)
    }
    /// Length and bytes, at most `max`.
    pub fn bytes(&mut self, max: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.count(max, what)?;
        self.raw(length, what)
    }
    /// Length and UTF-8, at most `max` bytes.
    pub fn text(&mut self, max: usize, what: &'static str) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(max, what)?).map_err(|_| DecodeError::Text(what))
    }
    /// A name or label.
    pub fn name(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        self.text(limits::NAME_BYTES_MAX, what)
    }
    /// Refuses anything left over.
    pub fn end(&self, what: &'static str) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::LeftOver(what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_round_trip(value: u64, signed: i64) {
            let mut writer = Writer::new();
            writer.var(value).svar(signed);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.var("a"), Ok(value));
            prop_assert_eq!(reader.svar("b"), Ok(signed));
            prop_assert_eq!(reader.end("c"), Ok(()));
        }

        #[test]
        fn what_reads_writes_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.var("a") {
                let mut writer = Writer::new();
                writer.var(value);
                let used = bytes.len() - reader.rest().len();
                prop_assert_eq!(writer.as_slice(), &bytes[..used]);
            }
        }
    }

    #[test]
    fn a_longer_form_is_refused() {
        assert_eq!(
            Reader::new(&[0x80, 0x00]).var("x"),
            Err(DecodeError::Integer("x"))
        );
        assert_eq!(
            Reader::new(&[0xff; 10]).var("x"),
            Err(DecodeError::Integer("x"))
        );
        assert_eq!(
            Reader::new(&[0x80]).var("x"),
            Err(DecodeError::Truncated("x"))
        );
    }
}
