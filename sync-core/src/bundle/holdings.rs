//! What pieces of a bundle hold, for people: ranges of records and of batches by chain.

use super::head::Chain;
use super::piece::{Holds, PieceHead};

/// Of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfChain {
    /// The chain.
    pub chain: Chain,
    /// Ranges of batches.
    pub batches: Vec<(u64, u64)>,
    /// How many parts.
    pub parts: u64,
}

/// Counts and ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Ranges of catalogue records.
    pub records: Vec<(u64, u64)>,
    /// Chains; those without any part are left out.
    pub chains: Vec<OfChain>,
    /// Receipts.
    pub receipts: u64,
    /// Parts held at a node.
    pub held: u64,
}

impl Holdings {
    pub(super) fn of<'a>(chains: &[Chain], pieces: impl Iterator<Item = &'a PieceHead>) -> Self {
        let mut holdings = Self::default();
        let of_none = |chain: &Chain| OfChain {
            chain: *chain,
            batches: Vec::new(),
            parts: 0,
        };
        holdings.chains = chains.iter().map(of_none).collect();
        for piece in pieces {
            match &piece.holds {
                Holds::Records { first, count } => {
                    let last = first.saturating_add(count.saturating_sub(1));
                    extend(&mut holdings.records, (*first, last));
                }
                Holds::Parts(runs) => {
                    for run in runs {
                        if let Some(of) = holdings.chains.get_mut(run.chain) {
                            extend(&mut of.batches, (run.first, run.last));
                            of.parts = of.parts.saturating_add(run.parts);
                        }
                    }
                }
                Holds::Receipts { receipts, held } => {
                    holdings.receipts = holdings.receipts.saturating_add(*receipts);
                    holdings.held = holdings.held.saturating_add(*held);
                }
            }
        }
        holdings.chains.retain(|of| of.parts > 0);
        holdings
    }

    /// How many parts.
    pub fn parts(&self) -> u64 {
        let parts = self.chains.iter().map(|of| of.parts);
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
