//! What pieces of a bundle hold, for people: ranges of records and of batches by chain.

use super::head::Chain;
use super::piece::{Holds, PieceHead};

/// Counts and ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Ranges of catalogue records.
    pub records: Vec<(u64, u64)>,
    /// Chains with ranges of batches and the count of parts; chains without any are left out.
    pub chains: Vec<(Chain, Vec<(u64, u64)>, u64)>,
    /// Receipts.
    pub receipts: u64,
    /// Parts held at a node.
    pub held: u64,
}

impl Holdings {
    pub(super) fn of<'a>(chains: &[Chain], pieces: impl Iterator<Item = &'a PieceHead>) -> Self {
        let mut holdings = Self::default();
        let mut of_chain: Vec<(Vec<(u64, u64)>, u64)> = vec![Default::default(); chains.len()];
        for piece in pieces {
            match &piece.holds {
                Holds::Records { first, count } => {
                    let last = first.saturating_add(count.saturating_sub(1));
                    extend(&mut holdings.records, (*first, last));
                }
                Holds::Parts(runs) => {
                    for run in runs {
                        if let Some((ranges, parts)) = of_chain.get_mut(run.chain) {
                            extend(ranges, (run.first, run.last));
                            *parts = parts.saturating_add(run.parts);
                        }
                    }
                }
                Holds::Receipts { receipts, held } => {
                    holdings.receipts = holdings.receipts.saturating_add(*receipts);
                    holdings.held = holdings.held.saturating_add(*held);
                }
            }
        }
        let named = chains.iter().zip(of_chain);
        holdings.chains = named
            .filter(|(_, (ranges, _))| !ranges.is_empty())
            .map(|(chain, (ranges, parts))| (*chain, ranges, parts))
            .collect();
        holdings
    }

    /// How many parts.
    pub fn parts(&self) -> u64 {
        let parts = self.chains.iter().map(|(_, _, parts)| *parts);
        parts.fold(0, u64::saturating_add)
    }

    /// How many records.
    pub fn record_count(&self) -> u64 {
        let counts = self.records.iter();
        let counts = counts.map(|(first, last)| last.saturating_sub(*first).saturating_add(1));
        counts.fold(0, u64::saturating_add)
    }
}

/// Adds a range to those before it, joining it with the last one where they touch.
fn extend(ranges: &mut Vec<(u64, u64)>, (first, last): (u64, u64)) {
    match ranges.last_mut() {
        Some(range) if first >= range.0 && first <= range.1.saturating_add(1) => {
            range.1 = range.1.max(last);
        }
        Some(_) | None => ranges.push((first, last)),
    }
}

/// Ranges as people write them: `1–3, 7`.
pub fn runs_text(ranges: &[(u64, u64)]) -> String {
    let text = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}–{last}"),
    });
    text.collect::<Vec<_>>().join(", ")
}
