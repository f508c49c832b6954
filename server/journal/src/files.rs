//! The narrow layer below the journal: seven operations on the files of one folder.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::folder::FolderLock;

/// Files kept open at a time: reads go to few segments, and a process may open 1,024 by default.
const OPEN_FILES_MAX: usize = 64;

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name in the folder.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
}

/// The files of one folder, without subfolders. A name is a plain file name.
pub trait Files: Send + Sync + std::fmt::Debug {
    /// All files, in any order.
    fn list(&self) -> io::Result<Vec<FileEntry>>;

    /// Creates an empty file. Durable only after [`Files::sync_folder`].
    ///
    /// **Contract.** Fails with `AlreadyExists` if there is one.
    fn create(&self, name: &str) -> io::Result<()>;

    /// Reads bytes from an offset, fewer than asked for only at the end of the file.
    fn read_at(&self, name: &str, offset: u64, to: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at an offset. Durable only after [`Files::sync`].
    ///
    /// **Contract.** A failed call may leave any part of them.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to a length.
    ///
    /// **Contract.** On `Ok` the cut is durable, and so is the rest of the file.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;

    /// Makes what was written to the file durable.
    ///
    /// **Contract.** After a failed call any unsynced byte may be lost, and a later `Ok` does not say
    /// otherwise.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes the names of files created in the folder durable.
    fn sync_folder(&self) -> io::Result<()>;
}

/// Reads until `to` is full or the file ends, and says how many bytes.
pub(crate) fn read_full(
    files: &dyn Files,
    name: &str,
    offset: u64,
    to: &mut [u8],
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match files.read_at(name, offset + done as u64, rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct RealFiles {
    folder: PathBuf,
    /// Held for as long as the folder is written to; none: reading only.
    lock: Option<Arc<FolderLock>>,
    open: Mutex<BTreeMap<String, Arc<File>>>,
}

impl RealFiles {
    /// A folder to write to: created, with its name made durable, if it does not exist.
    pub fn owned(folder: &Path, lock: Arc<FolderLock>) -> io::Result<Self> {
        if !folder.try_exists()? {
            std::fs::create_dir_all(folder)?;
            if let Some(parent) = folder.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            lock: Some(lock),
            open: Mutex::default(),
        })
    }

    /// A folder to look at, without a lock.
    pub fn read_only(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            lock: None,
            open: Mutex::default(),
        }
    }

    fn writable(&self) -> io::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "opened for reading only",
        ))
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(self.lock.is_some());
        let file = Arc::new(options.open(self.folder.join(name))?);
        self.keep(&mut open, name, &file);
        Ok(file)
    }

    fn keep(&self, open: &mut BTreeMap<String, Arc<File>>, name: &str, file: &Arc<File>) {
        if open.len() >= OPEN_FILES_MAX {
            // The oldest segment: the newest is the one that is written and read most.
            open.pop_first();
        }
        open.insert(name.to_owned(), Arc::clone(file));
    }
}

impl Files for RealFiles {
    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                entries.push(FileEntry {
                    name,
                    length: metadata.len(),
                });
            }
        }
        Ok(entries)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.writable()?;
        let path = self.folder.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(&mut open, name, &Arc::new(file));
        Ok(())
    }

    fn read_at(&self, name: &str, offset: u64, to: &mut [u8]) -> io::Result<usize> {
        self.file(name)?.read_at(to, offset)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        self.file(name)?.write_all_at(bytes, offset)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.writable()?;
        let file = self.file(name)?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}
