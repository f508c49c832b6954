//! A set of positions of a log, kept as runs: what a peer has of a feed beyond the position up to which it
//! has everything.

use crate::codec::{DecodeError, Reader, Writer};

/// A set of positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// First and last position of each run, ascending, with at least one position between two runs.
    runs: Vec<(u64, u64)>,
}

impl Positions {
    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many runs they are.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The highest one.
    pub fn last(&self) -> Option<u64> {
        self.runs.last().map(|(_, last)| *last)
    }

    /// True if this position is among them.
    pub fn contains(&self, position: u64) -> bool {
        let at = self.runs.partition_point(|(_, last)| *last < position);
        self.runs
            .get(at)
            .is_some_and(|(first, _)| *first <= position)
    }

    /// Adds a run that begins at the last one or after it.
    pub fn push(&mut self, first: u64, last: u64) {
        match self.runs.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            Some(_) | None => self.runs.push((first, last)),
        }
    }

    /// The positions of both.
    pub fn union(&self, other: &Self) -> Self {
        let mut runs = [self.runs.as_slice(), other.runs.as_slice()].concat();
        runs.sort_unstable();
        let mut union = Self::default();
        for (first, last) in runs {
            union.push(first, last);
        }
        union
    }

    /// Those after a position.
    pub fn after(&self, position: u64) -> Self {
        let beyond = self.runs.iter().filter(|(_, last)| *last > position);
        let cut = |(first, last): &(u64, u64)| ((*first).max(position + 1), *last);
        Self {
            runs: beyond.map(cut).collect(),
        }
    }

    /// Appends the bytes: `var` runs, then for each `var` positions left out before it and `var` positions
    /// after its first.
    pub fn write(&self, to: &mut Writer) {
        to.var(self.runs.len() as u64);
        let mut before = 0;
        for (first, last) in &self.runs {
            to.var(first - before - 1).var(last - first);
            before = *last;
        }
    }

    /// Reads the bytes, of at most so many runs.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn read(from: &mut Reader<'_>, runs_max: usize) -> Result<Self, DecodeError> {
        let count = from.count(runs_max, "runs of positions")?;
        let mut runs: Vec<(u64, u64)> = Vec::with_capacity(count);
        for _ in 0..count {
            let left_out = from.var("positions left out")?;
            let more = from.var("positions of a run")?;
            let run = match runs.last() {
                Some(_) if left_out == 0 => None,
                Some((_, before)) => run_after(*before, left_out, more),
                None => run_after(0, left_out, more),
            };
            runs.push(run.ok_or(DecodeError::Undefined("run of positions"))?);
        }
        Ok(Self { runs })
    }
}

fn run_after(before: u64, left_out: u64, more: u64) -> Option<(u64, u64)> {
    let first = before.checked_add(1)?.checked_add(left_out)?;
    // No position is the highest number: one after it can always be named.
    let last = first.checked_add(more).filter(|last| *last < u64::MAX)?;
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Some positions below 64, as the bits of a number.
    fn set(bits: u64) -> (BTreeSet<u64>, Positions) {
        let model: BTreeSet<u64> = (1..64).filter(|at| bits >> at & 1 == 1).collect();
        let mut positions = Positions::default();
        for position in &model {
            positions.push(*position, *position);
        }
        (model, positions)
    }

    fn members(positions: &Positions) -> BTreeSet<u64> {
        (0..70).filter(|at| positions.contains(*at)).collect()
    }

    #[test]
    fn a_set_of_positions_behaves_as_a_set() {
        let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
        for turn in 0..500 {
            bits = bits
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            let ((one, a), (other, b)) = (set(bits), set(bits.rotate_left(turn % 64) & bits >> 3));
            assert_eq!(members(&a), one);
            assert_eq!(a.last(), one.last().copied());
            assert_eq!(members(&a.union(&b)), &one | &other);
            assert_eq!(a.union(&b), b.union(&a));
            let after = u64::from(turn % 66);
            let beyond: BTreeSet<u64> = one.iter().copied().filter(|at| *at > after).collect();
            assert_eq!(members(&a.after(after)), beyond);
            assert_eq!(a.after(after).is_empty(), beyond.is_empty());
            let mut to = Writer::new();
            a.write(&mut to);
            let mut from = Reader::new(to.as_slice());
            assert_eq!(Positions::read(&mut from, 64), Ok(a.clone()));
            assert!(from.rest().is_empty());
            if a.runs() > 1 {
                let mut from = Reader::new(to.as_slice());
                assert!(Positions::read(&mut from, a.runs() - 1).is_err(), "a limit");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_set_are_refused() {
        for numbers in [
            // Two runs that are one; beyond the numbers there are; a run that is not there.
            &[2, 0, 0, 0, 0][..],
            &[1, u64::MAX, 0],
            &[1, 0, u64::MAX - 1],
            &[2, 0, 5, u64::MAX - 3, 1],
            &[1, 3],
        ] {
            let mut to = Writer::new();
            for number in numbers {
                to.var(*number);
            }
            let read = Positions::read(&mut Reader::new(to.as_slice()), 8);
            assert!(read.is_err(), "{numbers:?}: {read:?}");
        }
    }
}
