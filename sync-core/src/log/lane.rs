//! Which part of the log's consequences somebody derives, where several derive them side by side.

use std::ops::Range;

use crate::identity::DocumentId;

/// Documents are dealt out in so many shares, by their id, which is a hash.
const SHARES: usize = 16;

/// What the keys of the log itself cost to derive, in shares of the documents.
const RECORD_SHARES: usize = 2;

/// Some of the documents, and with the first lane everything that is no document's. Every entry of the
/// log concerns exactly one lane for each of its documents, so that lanes need nothing of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    shares: Range<usize>,
    records: bool,
}

impl Lane {
    /// Everything.
    pub fn whole() -> Self {
        Self {
            shares: 0..SHARES,
            records: true,
        }
    }

    /// As many lanes as are asked for, which together are everything, with about the same work each.
    pub fn several(count: usize) -> impl Iterator<Item = Self> {
        let count = count.max(1);
        let end = move |lanes: usize| {
            (lanes * (SHARES + RECORD_SHARES) / count).saturating_sub(RECORD_SHARES)
        };
        (0..count).map(move |lane| Self {
            shares: end(lane)..end(lane + 1),
            records: lane == 0,
        })
    }

    /// True if a document is in it.
    pub fn has(&self, document: DocumentId) -> bool {
        let [first, ..] = document.0;
        self.shares.contains(&(usize::from(first) % SHARES))
    }

    /// True if it derives what is no document's: places, feeds, fingerprints, chains.
    pub(super) fn records(&self) -> bool {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_in_one_lane_and_one_lane_records() {
        for count in 0..40 {
            let lanes: Vec<Lane> = Lane::several(count).collect();
            assert_eq!(lanes.len(), count.max(1));
            assert_eq!(lanes.iter().filter(|lane| lane.records()).count(), 1);
            for first in 0..=u8::MAX {
                let document = DocumentId([first; 16]);
                assert_eq!(lanes.iter().filter(|lane| lane.has(document)).count(), 1);
            }
        }
        assert_eq!(Lane::several(1).next(), Some(Lane::whole()));
    }
}
