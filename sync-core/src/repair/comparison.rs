//! Finding the members that only one side has, from the symbols of the other.

use std::collections::BTreeMap;

use super::key::{RepairKey, ShortId};
use super::places::Places;
use super::symbol::{Stretch, Symbol};
use crate::limits;

/// Symbols that no honest set has: they are of another key, changed, or two short ids fell together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the symbols contradict themselves or the set here")]
pub struct Contradiction;

/// What two sets differ in. It is no proof: only what to ask for and what to offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Members that are there and not here, ascending.
    pub there: Vec<ShortId>,
    /// Members that are here and not there, ascending.
    pub here: Vec<ShortId>,
}

/// The own set beside the symbols of another, as far as they have come.
#[derive(Debug, Clone)]
pub struct Comparison {
    key: RepairKey,
    own: Vec<ShortId>,
    /// Symbols of the difference, without what was found.
    left: Vec<Symbol>,
    /// What was found, with its spread: 1 there, -1 here.
    found: BTreeMap<ShortId, (u64, i64)>,
}

impl Comparison {
    /// A comparison of the own set with one whose symbols have not come yet.
    pub fn new(key: RepairKey, own: Vec<ShortId>) -> Self {
        Self {
            key,
            own,
            left: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// How many symbols were taken.
    pub fn taken(&self) -> usize {
        self.left.len()
    }

    /// How many members the own set has.
    pub fn size(&self) -> u64 {
        self.own.len() as u64
    }

    /// Takes the symbols that follow on those before. The difference once it is known; none while more
    /// symbols are needed.
    pub fn take(&mut self, symbols: &[Symbol]) -> Result<Option<Difference>, Contradiction> {
        let from = self.left.len();
        let to = from.saturating_add(symbols.len());
        if to > limits::REPAIR_SYMBOLS_MAX {
            return Err(Contradiction);
        }
        let mut own = Stretch::new(self.key, from, to);
        for member in &self.own {
            own.add(*member);
        }
        let pairs = symbols.iter().zip(own.into_symbols());
        self.left
            .extend(pairs.map(|(there, here)| there.without(here)));
        for (id, (spread, side)) in &self.found {
            take_out(&mut self.left, from, (*id, *spread, *side), |_| {});
        }
        self.peel(from)?;
        if self.left.is_empty() || !self.left.iter().all(Symbol::is_empty) {
            return Ok(None);
        }
        self.difference().map(Some)
    }

    /// Takes out what stands alone in a symbol from a place on, and what then does, to the end.
    fn peel(&mut self, from: usize) -> Result<(), Contradiction> {
        let mut to_look_at: Vec<usize> = (from..self.left.len()).collect();
        while let Some(place) = to_look_at.pop() {
            let only = self
                .left
                .get(place)
                .and_then(|symbol| symbol.only(self.key));
            let Some((id, spread, side)) = only else {
                continue;
            };
            if !is_among(spread, place) {
                // A checksum that fits by chance, or symbols that somebody made up.
                continue;
            }
            // Each finding empties a symbol for good, in tables that are what they should be.
            if self.found.len() >= self.left.len() || self.found.contains_key(&id) {
                return Err(Contradiction);
            }
            self.found.insert(id, (spread, side));
            take_out(&mut self.left, 0, (id, spread, side), |place| {
                to_look_at.push(place);
            });
        }
        Ok(())
    }

    /// What was found, if it can be: what is here only is here, what is there only is not.
    fn difference(&self) -> Result<Difference, Contradiction> {
        let mut difference = Difference::default();
        for (id, (_, side)) in &self.found {
            match *side {
                1 => difference.there.push(*id),
                _ => difference.here.push(*id),
            }
        }
        let mut here = 0;
        let own = match self.found.is_empty() {
            true => &[],
            false => self.own.as_slice(),
        };
        for member in own {
            if difference.here.binary_search(member).is_ok() {
                here += 1;
            } else if difference.there.binary_search(member).is_ok() {
                return Err(Contradiction);
            }
        }
        match here == difference.here.len() {
            true => Ok(difference),
            false => Err(Contradiction),
        }
    }
}

fn is_among(spread: u64, place: usize) -> bool {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    Places::of(spread).find(|at| *at >= place) == Some(place)
}

/// Takes a member out of its symbols from a place on, and tells which those are.
fn take_out(
    left: &mut [Symbol],
    from: usize,
    (id, spread, side): (ShortId, u64, i64),
    mut tell: impl FnMut(usize),
) {
    for place in Places::of(spread) {
        let Ok(place) = usize::try_from(place) else {
            return;
        };
        if place < from {
            continue;
        }
        let Some(symbol) = left.get_mut(place) else {
            return;
        };
        symbol.add(id, spread, -side);
        tell(place);
    }
}
