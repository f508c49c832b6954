//! The arithmetic coder: bits in and out of bytes, each at the price of its probability.

use super::Trouble;
use super::budget::Budget;

/// Bytes that a decoder reads beyond the end of what an encoder wrote: all but one of its window.
const BEYOND_THE_END: usize = 3;

/// Where bits go or come from. Packing and unpacking are one and the same code over one of two pipes,
/// so that neither can do what the other does not.
pub(super) trait Pipe {
    /// Carries a bit whose probability of being one is `one` in 65,536ths, never none and never all:
    /// an encoder takes the bit given and hands it back, a decoder hands back what was taken.
    fn bit(&mut self, one: u16, given: bool) -> Result<bool, Trouble>;

    /// What what is carried may still become.
    fn budget(&mut self) -> &mut Budget;

    /// Carries the lowest `count` bits of a number, each as likely as not.
    fn plain(&mut self, count: u32, given: u64) -> Result<u64, Trouble> {
        let mut value = 0;
        for at in (0..count).rev() {
            let bit = self.bit(1 << 15, (given >> at) & 1 == 1)?;
            value = (value << 1) | u64::from(bit);
        }
        Ok(value)
    }

    /// Carries bytes of which nothing is known beforehand.
    fn array<const N: usize>(&mut self, given: Option<&[u8; N]>) -> Result<[u8; N], Trouble> {
        let mut bytes = *given.unwrap_or(&[0; N]);
        for byte in &mut bytes {
            *byte = self.plain(8, u64::from(*byte))? as u8;
        }
        Ok(bytes)
    }
}

/// Splits the range by the probability of a one.
fn middle(low: u32, high: u32, one: u16) -> u32 {
    let share = (u64::from(high - low) * u64::from(one)) >> 16;
    low + share as u32
}

/// Bits to bytes.
#[derive(Debug)]
pub(super) struct Encoder {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
    budget: Budget,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            low: 0,
            high: u32::MAX,
            bytes: Vec::new(),
            budget: Budget::FULL,
        }
    }

    /// Ends the bits: one more byte leads into what is left of the range, with zeros behind it.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        // The first bytes of the two ends differ, so that this lies between them.
        self.bytes.push(((self.low >> 24) + 1) as u8);
        self.bytes
    }
}

impl Pipe for Encoder {
    fn bit(&mut self, one: u16, given: bool) -> Result<bool, Trouble> {
        let middle = middle(self.low, self.high, one);
        if given {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
        }
        Ok(given)
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

/// Bytes to bits.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    low: u32,
    high: u32,
    window: u32,
    rest: &'a [u8],
    beyond: usize,
    budget: Budget,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            low: 0,
            high: u32::MAX,
            window: 0,
            rest: bytes,
            beyond: 0,
            budget: Budget::of(bytes.len()),
        };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    fn shift(&mut self) {
        let byte = match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => {
                self.beyond += 1;
                0
            }
        };
        self.window = (self.window << 8) | u32::from(byte);
    }

    /// Refuses bytes that are too few or too many for what was read.
    pub(super) fn end(&self) -> Result<(), Trouble> {
        if self.rest.is_empty() && self.beyond == BEYOND_THE_END {
            Ok(())
        } else {
            Err(Trouble::Malformed("end"))
        }
    }
}

impl Pipe for Decoder<'_> {
    fn bit(&mut self, one: u16, _: bool) -> Result<bool, Trouble> {
        let middle = middle(self.low, self.high, one);
        let bit = self.window <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
            self.shift();
        }
        if self.beyond > BEYOND_THE_END {
            return Err(Trouble::Malformed("end"));
        }
        Ok(bit)
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(bits in proptest::collection::vec((any::<bool>(), 1u16..), 0..2_000)) {
            let mut encoder = Encoder::new();
            for (bit, one) in &bits {
                encoder.bit(*one, *bit).unwrap();
            }
            let bytes = encoder.into_bytes();
            let mut decoder = Decoder::new(&bytes);
            for (bit, one) in &bits {
                prop_assert_eq!(decoder.bit(*one, false), Ok(*bit));
            }
            prop_assert_eq!(decoder.end(), Ok(()));
            let longer = [bytes.as_slice(), &[0]].concat();
            let mut decoder = Decoder::new(&longer);
            for (_, one) in &bits {
                decoder.bit(*one, false).unwrap();
            }
            prop_assert!(decoder.end().is_err());
        }
    }
}
