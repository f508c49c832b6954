//! The key of one repair, and the ids that it makes.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::identity::{PartId, labelled_id};

/// A part's id during one repair: eight bytes, of no meaning under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortId(pub u64);

/// The key of one repair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RepairKey(pub [u8; 16]);

impl std::fmt::Debug for RepairKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RepairKey")
    }
}

impl RepairKey {
    /// A key from random bytes that were drawn for this repair, and a secret of who draws it: nobody
    /// else can know it beforehand, even if the random bytes are told to others later.
    pub fn new(random: &[u8], secret: &[u8; 32]) -> Self {
        Self(labelled_id("repair key", &[secret, random]))
    }

    /// Names the key, so that symbols of another one are not taken for its.
    pub fn tag(self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = labelled_id("repair tag", &[&self.0]);
        [a, b, c, d, e, f, g, h]
    }

    /// The short id of a part.
    pub fn short(self, part: PartId) -> ShortId {
        ShortId(self.hash(&part.0))
    }

    /// What checksum and places of a member follow from.
    pub(super) fn spread(self, id: ShortId) -> u64 {
        self.hash(&id.0.to_le_bytes())
    }

    fn hash(self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}
