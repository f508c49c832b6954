//! What can fail, one enum per operation. Every error of a file names the step and the file.

use std::io;

/// A step on a file that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step} {object}: {reason}")]
pub struct Failure {
    /// The step ("write", "fdatasync", …).
    pub step: &'static str,
    /// The file's name inside the journal's folder; "folder" for the folder.
    pub object: String,
    /// What the system said.
    pub reason: String,
}

impl Failure {
    pub(crate) fn new(step: &'static str, object: &str, source: &io::Error) -> Self {
        Self {
            step,
            object: object.to_owned(),
            reason: source.to_string(),
        }
    }
}

/// A journal that could not be opened. Nothing was changed, unless it is `Files`: then a repair may
/// have been interrupted, which the next opening takes up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A file could not be listed, read, cut or written.
    #[error("cannot open the journal: {0}")]
    Files(Failure),
    /// The folder was written by a later version of the product.
    #[error("{object} has journal format {found}; this program reads formats up to {known}")]
    Newer {
        /// The segment's file name.
        object: String,
        /// The format version found.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Records that were acknowledged are damaged, or the files do not belong together.
    #[error("{object} is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The segment's file name.
        object: String,
        /// The first byte that does not fit.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A segment between the first and the last is not there.
    #[error("segment {name} of the journal is missing")]
    MissingSegment {
        /// The file name that should be there.
        name: String,
    },
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Files(failure) => Self::Files(failure),
            ReadError::Corrupt {
                object,
                offset,
                what,
            } => Self::Corrupt {
                object,
                offset,
                what,
            },
        }
    }
}

/// A read that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A file could not be read.
    #[error("cannot read the journal: {0}")]
    Files(Failure),
    /// A record is not what was written.
    #[error("{object} is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The segment's file name.
        object: String,
        /// The first byte that does not fit.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
}

impl ReadError {
    pub(crate) fn files(step: &'static str, object: &str, source: &io::Error) -> Self {
        Self::Files(Failure::new(step, object, source))
    }
}

/// A record that could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The body is empty; nothing happened.
    #[error("a journal record must have a body")]
    Empty,
    /// The body is too large; nothing happened.
    #[error("a journal record of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        /// Bytes of the body.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// There is no room for a new segment; nothing happened.
    #[error("no room in the journal: {0}")]
    Full(Failure),
    /// A sync or a write failed now or before; the journal takes no more records.
    #[error("the journal is closed to writing since a failure: {0}")]
    Fatal(Failure),
    /// The journal was opened for reading only.
    #[error("the journal was opened for reading only")]
    ReadOnly,
}

/// A group that could not be made durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// There is no room; the whole group was given up and nothing of it remains.
    #[error("no room in the journal: {0}")]
    Full(Failure),
    /// It is unknown whether the group is durable; the journal takes no more records.
    #[error("the journal is closed to writing since a failure: {0}")]
    Fatal(Failure),
    /// The journal was opened for reading only.
    #[error("the journal was opened for reading only")]
    ReadOnly,
}
