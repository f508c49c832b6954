//! A few hundred seeds, the determinism itself, and each planted mistake.
