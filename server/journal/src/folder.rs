//! The lock of a folder: one process writes to it, a second is told so.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// A folder that could not be locked. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another part of this one, writes to the folder.
    #[error("{} is in use by another process", .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The lock's file could not be made or locked.
    #[error("cannot lock {}: {source}", .path.display())]
    Files {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The right to write to a folder, held until dropped; the system ends it with the process.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder by its file `lock`, which is created and stays.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let failed = |source| LockError::Files {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
