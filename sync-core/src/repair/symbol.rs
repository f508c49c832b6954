//! One symbol, a stretch of the stream of them, and their bytes.

use super::key::{RepairKey, ShortId};
use super::places::Places;
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

/// The members of one symbol, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Symbol {
    /// Exclusive or of their short ids.
    pub sum: u64,
    /// Exclusive or of their checksums.
    pub check: u32,
    /// How many they are; of a difference: how many more there than here.
    pub count: i64,
}

/// The checksum of a member, from its spread. The places use all of it, this half as it is.
fn check_of(spread: u64) -> u32 {
    (spread >> 32) as u32
}

impl Symbol {
    /// Puts a member in (`by` 1) or takes it out (`by` -1).
    pub(super) fn add(&mut self, id: ShortId, spread: u64, by: i64) {
        self.sum ^= id.0;
        self.check ^= check_of(spread);
        self.count = self.count.wrapping_add(by);
    }

    /// What is left of this symbol without the members of another.
    pub(super) fn without(self, other: Self) -> Self {
        Self {
            sum: self.sum ^ other.sum,
            check: self.check ^ other.check,
            count: self.count.wrapping_sub(other.count),
        }
    }

    /// The only member with its spread and which side has it (1 there, -1 here), if there is one only.
    pub(super) fn only(&self, key: RepairKey) -> Option<(ShortId, u64, i64)> {
        if self.count.unsigned_abs() != 1 {
            return None;
        }
        let id = ShortId(self.sum);
        let spread = key.spread(id);
        (check_of(spread) == self.check).then_some((id, spread, self.count))
    }

    /// True if it has no member.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How many members a symbol of a set has on average.
fn expected(members: u64, place: usize) -> i64 {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    let count = members.saturating_mul(2) / place.saturating_add(2);
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The symbols `from..to` of a set. Nothing is kept of the members.
pub fn symbols(
    key: RepairKey,
    members: impl IntoIterator<Item = ShortId>,
    from: usize,
    to: usize,
) -> Vec<Symbol> {
    let mut stretch = Stretch::new(key, from, to);
    for member in members {
        stretch.add(member);
    }
    stretch.into_symbols()
}

/// A stretch of the stream, member by member.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    key: RepairKey,
    from: u64,
    to: u64,
    symbols: Vec<Symbol>,
    /// Members that are not in yet.
    waiting: Vec<ShortId>,
}

/// Members that are put in side by side. The places of one follow one on the other, each after a
/// division and a root; those of several members a processor computes at the same time.
const LANES: usize = 8;

impl Stretch {
    /// The symbols `from..to` of no member; at most [`limits::REPAIR_SYMBOLS_MAX`] of them.
    pub(crate) fn new(key: RepairKey, from: usize, to: usize) -> Self {
        let length = to.saturating_sub(from).min(limits::REPAIR_SYMBOLS_MAX);
        let from = u64::try_from(from).unwrap_or(u64::MAX);
        let to = from.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Self {
            key,
            from,
            to,
            symbols: vec![Symbol::default(); length],
            waiting: Vec::with_capacity(LANES),
        }
    }

    /// Puts a member in.
    pub(crate) fn add(&mut self, id: ShortId) {
        self.waiting.push(id);
        if self.waiting.len() == LANES {
            self.put_in();
        }
    }

    /// The symbols of all members.
    pub(crate) fn into_symbols(mut self) -> Vec<Symbol> {
        self.put_in();
        self.symbols
    }

    fn put_in(&mut self) {
        let mut lanes = [const { None }; LANES];
        for (lane, id) in lanes.iter_mut().zip(self.waiting.drain(..)) {
            let spread = self.key.spread(id);
            *lane = Some((id, spread, Places::of(spread)));
        }
        let mut under_way = true;
        while under_way {
            under_way = false;
            for (id, spread, places) in lanes.iter_mut().flatten() {
                let place = places.ahead();
                if place >= self.to {
                    continue;
                }
                under_way = true;
                let at = place.checked_sub(self.from).map(usize::try_from);
                if let Some(Ok(at)) = at
                    && let Some(symbol) = self.symbols.get_mut(at)
                {
                    symbol.add(*id, *spread, 1);
                }
                places.next();
            }
        }
    }
}

/// Appends the symbols from a place on, of a set with so many members.
pub(crate) fn write_symbols(to: &mut Writer, symbols: &[Symbol], from: usize, members: u64) {
    to.var(symbols.len() as u64);
    for (place, symbol) in (from..).zip(symbols) {
        to.raw(&symbol.sum.to_le_bytes());
        to.raw(&symbol.check.to_le_bytes());
        // Close to what it is on average: one byte says how far off.
        to.svar(symbol.count.wrapping_sub(expected(members, place)));
    }
}

/// Reads what [`write_symbols`] wrote.
pub(crate) fn read_symbols(
    reader: &mut Reader<'_>,
    from: usize,
    members: u64,
) -> Result<Vec<Symbol>, DecodeError> {
    let count = reader.count(limits::REPAIR_SYMBOLS_PER_ANSWER_MAX, "symbols")?;
    (from..)
        .take(count)
        .map(|place| {
            let sum = u64::from_le_bytes(reader.array("sum of a symbol")?);
            let check = u32::from_le_bytes(reader.array("checksum of a symbol")?);
            let off = reader.svar("count of a symbol")?;
            Ok(Symbol {
                sum,
                check,
                count: expected(members, place).wrapping_add(off),
            })
        })
        .collect()
}
