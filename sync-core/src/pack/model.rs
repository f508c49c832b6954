//! Models of bits, symbols and numbers: what was seen before makes its like cheap.

use super::Trouble;
use super::coder::Pipe;

/// How many bits a probability remembers: enough for a form, few enough to follow another one.
const MEMORY: u8 = 120;

/// Probabilities stay this far from certainty, in 65,536ths: a surprise costs eleven bits.
const MARGIN: i32 = 32;

/// Bits of a number below its highest one that are learned; the rest is taken as it comes.
const LEARNED_BITS: u32 = 6;

/// Bits that tell how many bits a number has.
const WIDTH_BITS: u32 = 7;

/// The probability of one bit, learned quickly at first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bit {
    one: u16,
    seen: u8,
}

impl Default for Bit {
    fn default() -> Self {
        Self {
            one: 1 << 15,
            seen: 0,
        }
    }
}

impl Bit {
    /// The probability of a one in 65,536ths.
    pub(super) fn one(self) -> u16 {
        self.one
    }

    /// Learns a bit.
    pub(super) fn learn(&mut self, bit: bool) {
        let target = if bit { 1 << 16 } else { 0 };
        let away = target - i32::from(self.one);
        // The mean of what was seen and one and a half bits of doubt.
        let step = away * 2 / (2 * i32::from(self.seen) + 3);
        let one = (i32::from(self.one) + step).clamp(MARGIN, (1 << 16) - MARGIN);
        self.one = one as u16;
        self.seen = (self.seen + 1).min(MEMORY);
    }

    /// Carries a bit and learns it.
    pub(super) fn code(&mut self, pipe: &mut impl Pipe, given: bool) -> Result<bool, Trouble> {
        let bit = pipe.bit(self.one, given)?;
        self.learn(bit);
        Ok(bit)
    }
}

/// A symbol of so many bits.
#[derive(Debug, Clone)]
pub(super) struct Symbol {
    bits: u32,
    nodes: Vec<Bit>,
}

impl Symbol {
    pub(super) fn new(bits: u32) -> Self {
        Self {
            bits,
            nodes: Vec::new(),
        }
    }

    /// Carries a symbol and learns it.
    pub(super) fn code(&mut self, pipe: &mut impl Pipe, given: u64) -> Result<u64, Trouble> {
        if self.nodes.is_empty() {
            self.nodes = vec![Bit::default(); 1 << self.bits];
        }
        let mut node = 1usize;
        for at in (0..self.bits).rev() {
            let given = (given >> at) & 1 == 1;
            let bit = match self.nodes.get_mut(node) {
                Some(model) => model.code(pipe, given)?,
                None => given,
            };
            node = (node << 1) | usize::from(bit);
        }
        Ok((node - (1 << self.bits)) as u64)
    }
}

/// A number of any size: how many bits it has, the highest of them learned, the rest plain.
#[derive(Debug, Clone)]
pub(super) struct Number {
    width: Symbol,
    /// By width, as far as widths were seen.
    high: Vec<Symbol>,
}

impl Default for Number {
    fn default() -> Self {
        Self {
            width: Symbol::new(WIDTH_BITS),
            high: Vec::new(),
        }
    }
}

impl Number {
    /// Carries a number and learns it.
    pub(super) fn code(&mut self, pipe: &mut impl Pipe, given: u64) -> Result<u64, Trouble> {
        let width = u64::from(u64::BITS - given.leading_zeros());
        let width = self.width.code(pipe, width)? as u32;
        if width > u64::BITS {
            return Err(Trouble::Malformed("width of a number"));
        }
        while self.high.len() <= width as usize {
            let width = self.high.len() as u32;
            let learned = width.saturating_sub(1).min(LEARNED_BITS);
            self.high.push(Symbol::new(learned));
        }
        let high = self
            .high
            .get_mut(width as usize)
            .ok_or(Trouble::Malformed("width of a number"))?;
        if width < 2 {
            return Ok(width.into());
        }
        let low = width - 1 - high.bits;
        let mask = |bits: u32| (1u64 << bits) - 1;
        let learned = high.code(pipe, (given >> low) & mask(high.bits))?;
        let top = (1 << high.bits) | learned;
        let plain = pipe.plain(low, given & mask(low))?;
        Ok((top << low) | plain)
    }

    /// Carries a signed number and learns it.
    pub(super) fn signed(&mut self, pipe: &mut impl Pipe, given: i64) -> Result<i64, Trouble> {
        let zigzag = ((given << 1) ^ (given >> 63)) as u64;
        let zigzag = self.code(pipe, zigzag)?;
        Ok(((zigzag >> 1) as i64) ^ -((zigzag & 1) as i64))
    }
}

/// A place among so many, all about as likely.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    widths: Vec<Option<Symbol>>,
}

impl Place {
    /// Carries a place below `count`, which is not 0 and at most the operations of a change.
    pub(super) fn code(
        &mut self,
        pipe: &mut impl Pipe,
        count: usize,
        given: usize,
    ) -> Result<usize, Trouble> {
        let bits = (count.max(1) - 1).checked_ilog2().map_or(0, |bit| bit + 1);
        let learned = bits.min(LEARNED_BITS);
        let low = bits - learned;
        if self.widths.len() <= bits as usize {
            self.widths.resize(bits as usize + 1, None);
        }
        let symbol = match self.widths.get_mut(bits as usize) {
            Some(slot) => slot.get_or_insert_with(|| Symbol::new(learned)),
            None => return Err(Trouble::Malformed("place")),
        };
        let high = symbol.code(pipe, (given >> low) as u64)?;
        let plain = pipe.plain(low, (given & ((1 << low) - 1)) as u64)?;
        let place = ((high << low) | plain) as usize;
        if place < count {
            Ok(place)
        } else {
            Err(Trouble::Malformed("place"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coder::{Decoder, Encoder};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_out_as_they_went_in(
            numbers in proptest::collection::vec((any::<u64>(), 0u32..64, any::<i64>()), 0..200),
        ) {
            let (mut model, mut pipe) = (Number::default(), Encoder::new());
            let mut place = Place::default();
            for (number, shift, signed) in &numbers {
                model.code(&mut pipe, number >> shift).unwrap();
                model.signed(&mut pipe, *signed).unwrap();
                place.code(&mut pipe, 1_000, (number % 1_000) as usize).unwrap();
            }
            let bytes = pipe.into_bytes();
            let (mut model, mut pipe) = (Number::default(), Decoder::new(&bytes));
            let mut place = Place::default();
            for (number, shift, signed) in &numbers {
                prop_assert_eq!(model.code(&mut pipe, 0), Ok(number >> shift));
                prop_assert_eq!(model.signed(&mut pipe, 0), Ok(*signed));
                prop_assert_eq!(place.code(&mut pipe, 1_000, 0), Ok((number % 1_000) as usize));
            }
            prop_assert_eq!(pipe.end(), Ok(()));
        }
    }
}
