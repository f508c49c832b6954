//! The Merkle tree over the part hashes of a batch.

use crate::identity::labelled_hash;

fn leaf(part_hash: &[u8; 32]) -> [u8; 32] {
    labelled_hash("merkle leaf", &[part_hash])
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    labelled_hash("merkle node", &[left, right])
}

fn level_above(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            [single] => *single,
            _ => [0; 32],
        })
        .collect()
}

/// The root; of no parts at all, zeros (no batch has none).
pub fn root(part_hashes: &[[u8; 32]]) -> [u8; 32] {
    let mut level: Vec<_> = part_hashes.iter().map(leaf).collect();
    while level.len() > 1 {
        level = level_above(&level);
    }
    level.first().copied().unwrap_or([0; 32])
}

/// The siblings of part `index`, from the leaf upward.
pub fn path(part_hashes: &[[u8; 32]], mut index: usize) -> Vec<[u8; 32]> {
    let mut level: Vec<_> = part_hashes.iter().map(leaf).collect();
    let mut siblings = Vec::new();
    while level.len() > 1 {
        siblings.extend(level.get(index ^ 1).copied());
        level = level_above(&level);
        index /= 2;
    }
    siblings
}

/// The siblings of every part, in order: [`path`] for each, at the cost of one tree.
pub fn paths(part_hashes: &[[u8; 32]]) -> Vec<Vec<[u8; 32]>> {
    let mut level: Vec<_> = part_hashes.iter().map(leaf).collect();
    let mut paths = vec![Vec::new(); level.len()];
    let mut height = 0;
    while level.len() > 1 {
        for (index, path) in paths.iter_mut().enumerate() {
            path.extend(level.get((index >> height) ^ 1).copied());
        }
        level = level_above(&level);
        height += 1;
    }
    paths
}

/// The root that a part hash, its index among `count` parts and its siblings lead to; none if the
/// number of siblings is not the one this place has.
pub fn root_from_path(
    part_hash: &[u8; 32],
    mut index: usize,
    mut count: usize,
    siblings: &[[u8; 32]],
) -> Option<[u8; 32]> {
    let mut at = leaf(part_hash);
    let mut siblings = siblings.iter();
    while count > 1 {
        if index ^ 1 < count {
            let sibling = siblings.next()?;
            at = if index.is_multiple_of(2) {
                node(&at, sibling)
            } else {
                node(sibling, &at)
            };
        }
        index /= 2;
        count = count.div_ceil(2);
    }
    siblings.next().is_none().then_some(at)
}
