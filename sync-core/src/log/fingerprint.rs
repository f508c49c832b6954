//! The order-independent fingerprint of a set of parts.

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{PartId, labelled_hash};

/// Sum modulo 2^256 of the labelled hashes of part ids, and their count.
///
/// Sums of disjoint sets add up, so a feed's fingerprint is the sum of its partitions'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint {
    limbs: [u64; 4],
    count: u64,
}

impl Fingerprint {
    /// The fingerprint of one part.
    pub fn of(part: PartId) -> Self {
        let hash = labelled_hash("fingerprint", &[&part.0]);
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(hash.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Self { limbs, count: 1 }
    }

    /// The fingerprint of two disjoint sets together.
    pub fn plus(self, other: Self) -> Self {
        let mut limbs = [0; 4];
        let mut carry = 0;
        for (limb, (a, b)) in limbs
            .iter_mut()
            .zip(self.limbs.into_iter().zip(other.limbs))
        {
            let sum = u128::from(a) + u128::from(b) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        Self {
            limbs,
            count: self.count + other.count,
        }
    }

    /// The fingerprint of a set without a part of it.
    pub fn without(self, part: PartId) -> Self {
        let mut limbs = [0; 4];
        let mut borrow = false;
        for (limb, (a, b)) in limbs
            .iter_mut()
            .zip(self.limbs.into_iter().zip(Self::of(part).limbs))
        {
            let (less, first) = a.overflowing_sub(b);
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            *limb = less;
            borrow = first || second;
        }
        Self {
            limbs,
            count: self.count.saturating_sub(1),
        }
    }

    /// How many parts it stands for.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum as 32 little-endian bytes.
    pub fn sum(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.limbs) {
            *chunk = limb.to_le_bytes();
        }
        bytes
    }

    /// Appends count and sum.
    pub fn write(&self, to: &mut Writer) {
        to.var(self.count).raw(&self.sum());
    }

    /// Reads count and sum.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = from.var("count of parts")?;
        let sum: [u8; 32] = from.array("fingerprint")?;
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(sum.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Ok(Self { limbs, count })
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}",
            self.count,
            data_encoding::HEXLOWER.encode(&self.sum())
        )
    }
}
