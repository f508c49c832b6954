use proptest::prelude::*;

use super::*;
use crate::identity::PartId;

proptest! {
    /// Order and grouping do not matter, repetition does (a set is summed once).
    #[test]
    fn fingerprints_add_up_in_any_order(ids in proptest::collection::vec(any::<[u8; 32]>(), 1..20), at: prop::sample::Index) {
        let prints: Vec<_> = ids.iter().map(|id| Fingerprint::of(PartId(*id))).collect();
        let forward = prints.iter().fold(Fingerprint::default(), |sum, one| sum.plus(*one));
        let backward = prints.iter().rev().fold(Fingerprint::default(), |sum, one| sum.plus(*one));
        prop_assert_eq!(forward, backward);
        let (left, right) = prints.split_at(at.index(prints.len()));
        let sum = |part: &[Fingerprint]| part.iter().fold(Fingerprint::default(), |sum, one| sum.plus(*one));
        prop_assert_eq!(sum(left).plus(sum(right)), forward);
        prop_assert_ne!(forward.plus(prints[0]), forward);
    }

    /// A set without some of its parts is the set that never had them, whatever the order.
    #[test]
    fn what_leaves_a_set_leaves_its_fingerprint(ids in proptest::collection::vec(any::<[u8; 32]>(), 2..20), at: prop::sample::Index) {
        let sum = |ids: &[[u8; 32]]| ids.iter().fold(Fingerprint::default(), |sum, id| sum.plus(Fingerprint::of(PartId(*id))));
        let (stays, goes) = ids.split_at(at.index(ids.len()));
        let left = goes.iter().fold(sum(&ids), |sum, id| sum.without(PartId(*id)));
        prop_assert_eq!(left, sum(stays));
        prop_assert_eq!(left.count(), stays.len() as u64);
    }
}
