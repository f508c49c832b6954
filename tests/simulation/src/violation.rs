//! What stops a run: a promise of the product that did not hold.

use std::error::Error;

/// A broken promise, with what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant}: {detail}")]
pub struct Violation {
    /// A stable name of the promise.
    pub invariant: &'static str,
    /// What was seen instead.
    pub detail: String,
}

impl Violation {
    /// A violation of a promise.
    pub fn new(invariant: &'static str, detail: impl Into<String>) -> Self {
        Self {
            invariant,
            detail: detail.into(),
        }
    }
}

/// What a step comes to.
pub type Checked<T> = Result<T, Violation>;

/// A call into the product that must not fail, whatever happened around it.
pub fn must<T, E: Error>(what: &'static str, result: Result<T, E>) -> Checked<T> {
    result.map_err(|error| {
        let mut detail = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            detail = format!("{detail}: {error}");
            source = error.source();
        }
        Violation::new(what, detail)
    })
}
