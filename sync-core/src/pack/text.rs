//! The model of text: six guesses at the next bit, from what stood before it, weighed by how well
//! each guessed so far.

use std::sync::OnceLock;

use super::Trouble;
use super::coder::Pipe;
use super::model::Bit;

/// Guesses: after none, one, two, three and four bytes, and after the beginning of the word.
const GUESSES: usize = 6;

/// Slots of a guess at first, as a power of two; twice as many whenever they fill.
const SLOT_BITS_FIRST: u32 = 10;

/// Slots of a guess at most, as a power of two: 256 KiB each.
const SLOT_BITS_MAX: u32 = 16;

/// How quickly weights follow.
const RATE: i32 = 10;

/// Weights in 65,536ths at first.
const WEIGHT: i32 = 20_000;

/// The logistic function on a grid of 128ths between -16 and 16, in 4,096ths.
const LOGISTIC: [i32; 33] = [
    1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348,
    3607, 3785, 3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
];

/// Probability in 4,096ths of a logit in 256ths.
fn squash(logit: i32) -> i32 {
    let logit = logit.clamp(-2047, 2047) + 2048;
    let (at, part) = ((logit >> 7) as usize, logit & 127);
    let value = |at: usize| LOGISTIC.get(at).copied().unwrap_or(4095);
    (value(at) * (128 - part) + value(at + 1) * part + 64) >> 7
}

/// Logits in 256ths of probabilities in 4,096ths: [`squash`] turned round.
fn stretch(probability: u16) -> i32 {
    static LOGITS: OnceLock<Vec<i16>> = OnceLock::new();
    let logits = LOGITS.get_or_init(|| {
        let mut table = Vec::with_capacity(4096);
        for logit in -2047i16..=2047 {
            let upto = squash(logit.into()) as usize;
            if table.len() <= upto {
                table.resize(upto + 1, logit);
            }
        }
        table.resize(4096, 2047);
        table
    });
    let logit = logits.get(usize::from(probability >> 4)).copied();
    logit.unwrap_or_default().into()
}

/// Probabilities by a hash of what stood before. It grows by giving each half of a slot its own.
#[derive(Debug)]
struct Slots {
    bits: u32,
    touched: usize,
    slots: Vec<Bit>,
}

impl Slots {
    fn new() -> Self {
        Self {
            bits: SLOT_BITS_FIRST,
            touched: 0,
            slots: vec![Bit::default(); 1 << SLOT_BITS_FIRST],
        }
    }

    fn slot(&mut self, hash: u32) -> Option<&mut Bit> {
        self.slots.get_mut((hash >> (32 - self.bits)) as usize)
    }

    /// Counts a byte.
    fn grow(&mut self) {
        self.touched += 8;
        if self.touched > self.slots.len() && self.bits < SLOT_BITS_MAX {
            self.slots = self.slots.iter().flat_map(|slot| [*slot; 2]).collect();
            self.bits += 1;
        }
    }
}

/// The model of one kind of text. It takes no memory before its first byte: most exchanges say only a few
/// kinds of things.
#[derive(Debug, Default)]
pub(super) struct Text {
    slots: Vec<Slots>,
    weights: Vec<[i32; GUESSES]>,
    before: u32,
    word: u32,
}

impl Text {
    fn make_ready(&mut self) {
        if self.slots.is_empty() {
            self.slots = (0..GUESSES).map(|_| Slots::new()).collect();
            self.weights = vec![[WEIGHT; GUESSES]; 256];
        }
    }

    /// What comes now does not go on from what was carried last.
    pub(super) fn begin(&mut self) {
        (self.before, self.word) = (0, 0);
    }

    /// Carries a byte and learns it.
    pub(super) fn code(&mut self, pipe: &mut impl Pipe, given: u8) -> Result<u8, Trouble> {
        self.make_ready();
        let before = self.before;
        let contexts: [u32; GUESSES] = [
            0,
            before & 0xff,
            before & 0xffff,
            before & 0x00ff_ffff,
            before,
            self.word,
        ];
        let mut node = 1u32;
        for at in (0..8).rev() {
            let bit = self.bit(pipe, &contexts, node, (given >> at) & 1 == 1)?;
            node = (node << 1) | u32::from(bit);
        }
        let byte = (node & 0xff) as u8;
        self.before = (before << 8) | u32::from(byte);
        self.word = match byte {
            b' ' => 0,
            _ => hash(self.word, u32::from(byte) + 1),
        };
        self.slots.iter_mut().for_each(Slots::grow);
        Ok(byte)
    }

    fn bit(
        &mut self,
        pipe: &mut impl Pipe,
        contexts: &[u32; GUESSES],
        node: u32,
        given: bool,
    ) -> Result<bool, Trouble> {
        let mut inputs = [0i32; GUESSES];
        for ((slots, context), input) in self.slots.iter_mut().zip(contexts).zip(&mut inputs) {
            *input = slots
                .slot(hash(*context, node))
                .map_or(0, |slot| stretch(slot.one()));
        }
        let mut fresh = [WEIGHT; GUESSES];
        let weights = self.weights.get_mut(node as usize).unwrap_or(&mut fresh);
        let sum: i64 = weights
            .iter()
            .zip(&inputs)
            .map(|(weight, input)| i64::from(*weight) * i64::from(*input))
            .sum();
        let guess = squash((sum >> 16) as i32).clamp(1, 4094);
        let bit = pipe.bit((guess << 4) as u16, given)?;
        let error = ((i32::from(bit) << 12) - guess) * RATE;
        for (weight, input) in weights.iter_mut().zip(&inputs) {
            *weight = weight.saturating_add((input * error + (1 << 15)) >> 16);
        }
        for (slots, context) in self.slots.iter_mut().zip(contexts) {
            if let Some(slot) = slots.slot(hash(*context, node)) {
                slot.learn(bit);
            }
        }
        Ok(bit)
    }
}

fn hash(context: u32, more: u32) -> u32 {
    let mixed = (context.wrapping_add(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) ^ more;
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae35);
    mixed ^ (mixed >> 13)
}

#[cfg(test)]
mod tests {
    use super::super::coder::{Decoder, Encoder};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_come_out_as_they_went_in(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..10),
        ) {
            let (mut model, mut pipe) = (Text::default(), Encoder::new());
            for text in &texts {
                model.begin();
                for byte in text {
                    model.code(&mut pipe, *byte).unwrap();
                }
            }
            let bytes = pipe.into_bytes();
            let (mut model, mut pipe) = (Text::default(), Decoder::new(&bytes));
            for text in &texts {
                model.begin();
                for byte in text {
                    prop_assert_eq!(model.code(&mut pipe, 0), Ok(*byte));
                }
            }
            prop_assert_eq!(pipe.end(), Ok(()));
        }
    }

    #[test]
    fn what_repeats_costs_little() {
        let (mut model, mut pipe) = (Text::default(), Encoder::new());
        for _ in 0..1_000 {
            model.begin();
            for byte in b"chua co so lieu" {
                model.code(&mut pipe, *byte).unwrap();
            }
        }
        let bytes = pipe.into_bytes().len();
        assert!(bytes < 600, "{bytes}");
    }
}
