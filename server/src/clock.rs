//! What time it is: the system's clock, or one that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the current time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands until it is set: seconds since 1970 UTC.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Seconds since 1970 UTC; 0 if the machine believes in an earlier time.
    pub fn now_s(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_secs()).ok())
                .unwrap_or(0),
            Self::Set(at) => at.load(Ordering::SeqCst),
        }
    }
}
