//! What the server itself keeps in the store: one file per kind of key (`docs/formats.md`, section 11).

pub mod account;
pub mod derived_report;
pub mod derived_version;
pub mod enrolment;
pub mod refresh_family;

use sync_core::codec::DecodeError;

use crate::problem::Problem;

/// A kept value that cannot be read back: the store holds what this server never wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the kept {kind} cannot be read: {error}")]
pub struct KeptError {
    /// The kind of value.
    pub kind: &'static str,
    /// What is wrong with it.
    pub error: DecodeError,
}

impl From<KeptError> for Problem {
    fn from(error: KeptError) -> Self {
        Self::internal(&error)
    }
}
