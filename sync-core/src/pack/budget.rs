//! How much one packing may become, counted while it is read: nothing is kept first and refused after.

use super::Trouble;
use crate::limits;

/// What a packing may still become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    bytes: usize,
    operations: usize,
}

impl Budget {
    /// Of the largest packing.
    pub(super) const FULL: Self = Self {
        bytes: limits::UNPACKED_BYTES_MAX,
        operations: limits::OPERATIONS_PER_PACKING_MAX,
    };

    /// Of no end, to make what no side would.
    #[cfg(test)]
    pub(super) const ENDLESS: Self = Self {
        bytes: usize::MAX,
        operations: usize::MAX,
    };

    /// Of a packing of so many bytes: what a sender pays for in bytes is what it makes the other side do.
    pub(super) fn of(packed: usize) -> Self {
        let bytes = packed.saturating_mul(limits::UNPACKED_BYTES_PER_BYTE_MAX);
        let operations = packed.saturating_mul(limits::OPERATIONS_PER_PACKED_BYTE_MAX);
        Self {
            bytes: limits::UNPACKED_BYTES_FREE
                .saturating_add(bytes)
                .min(limits::UNPACKED_BYTES_MAX),
            operations: limits::OPERATIONS_PER_CHANGE_MAX
                .saturating_add(operations)
                .min(limits::OPERATIONS_PER_PACKING_MAX),
        }
    }

    /// Takes room for bytes that are about to be kept.
    pub(super) fn keep(&mut self, what: &'static str, bytes: usize) -> Result<(), Trouble> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or(Trouble::Limit(what))?;
        Ok(())
    }

    /// Takes room for operations that are about to be read.
    pub(super) fn operate(&mut self, count: usize) -> Result<(), Trouble> {
        let left = self.operations.checked_sub(count);
        self.operations = left.ok_or(Trouble::Limit("operations of a packing"))?;
        Ok(())
    }

    /// True if this much, left of all, fits what a packing of so many bytes may become.
    pub(super) fn fits(self, packed: usize) -> bool {
        let allowed = Self::of(packed);
        Self::FULL.bytes - self.bytes <= allowed.bytes
            && Self::FULL.operations - self.operations <= allowed.operations
    }
}
