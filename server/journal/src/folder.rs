//! The lock of a folder: one process writes to it, a second is told so.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// The right to write to a folder, held until dropped or released; the system ends it with the process.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    held: AtomicBool,
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
            Ok(()) => Ok(Self {
                file,
                held: AtomicBool::new(true),
            }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Gives the folder free for others, for good.
    pub fn release(&self) {
        self.held.store(false, Ordering::SeqCst);
        // If this fails, dropping the file ends the lock all the same.
        let _ = self.file.unlock();
    }

    /// False once it was released.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }
}
