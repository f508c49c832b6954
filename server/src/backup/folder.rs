//! The files of a backup: series, pieces and what is said of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use journal::Place;
use serde::{Deserialize, Serialize};

const PIECE: &str = "piece";
const MANIFEST: &str = "json";
/// Of a manifest; it is some five hundred bytes.
const MANIFEST_BYTES_MAX: u64 = 16 * 1024;

/// Why a backup's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file operation failed.
    #[error("cannot {step} {}: {source}", path.display())]
    Files {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is said of a piece cannot be read.
    #[error("{} does not say what its piece holds", .0.display())]
    Manifest(PathBuf),
    /// A number is missing among the pieces.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
}

impl FolderError {
    /// For `map_err`.
    pub(super) fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Files { step, path, source }
    }
}

/// What is said of a piece, in clear. Nothing in it tells what people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form: 1.
    pub format: u32,
    /// The piece's number in its series, from 1.
    pub number: u64,
    /// When it was made, seconds since 1970 UTC, by the clock of whoever made it.
    pub made_at: i64,
    /// Bytes of the sealed piece.
    pub sealed_bytes: u64,
    /// BLAKE3 of the sealed piece, hexadecimal.
    pub sealed_blake3: String,
    /// Names the journal without telling its id, hexadecimal.
    pub journal: String,
    /// The last record of the journal that is in it.
    pub through: RecordPlace,
    /// Records of the journal in this piece.
    pub records: u64,
    /// What the series holds up to here.
    #[serde(flatten)]
    pub holds: Holds,
}

/// What a node held at a record of its journal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holds {
    /// The number of the last catalogue record.
    pub catalogue_number: u64,
    /// Accepted parts.
    pub parts: u64,
    /// The sum of their fingerprints, hexadecimal.
    pub fingerprint: String,
}

/// A place in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlace {
    sequence: u64,
    segment: u64,
    offset: u64,
    length: u32,
    checksum: u32,
}

impl From<Place> for RecordPlace {
    fn from(place: Place) -> Self {
        Self {
            sequence: place.sequence,
            segment: place.segment,
            offset: place.offset,
            length: place.length,
            checksum: place.checksum,
        }
    }
}

impl From<RecordPlace> for Place {
    fn from(place: RecordPlace) -> Self {
        Self {
            sequence: place.sequence,
            segment: place.segment,
            offset: place.offset,
            length: place.length,
            checksum: place.checksum,
        }
    }
}

fn name(number: u64) -> String {
    format!("{number:010}")
}

fn number(name: &str) -> Option<u64> {
    let read: u64 = name.parse().ok()?;
    (self::name(read) == name).then_some(read)
}

/// One series of pieces.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) number: u64,
    folder: PathBuf,
}

impl Series {
    /// A series of a backup; it need not be there.
    pub(super) fn of(backup: &Path, number: u64) -> Self {
        Self {
            number,
            folder: backup.join(name(number)),
        }
    }

    /// The last series of a backup; none if there is none.
    pub(super) fn last(backup: &Path) -> Result<Option<Self>, FolderError> {
        let numbers = numbers(backup, None)?;
        Ok(numbers.last().map(|number| Self::of(backup, *number)))
    }

    pub(super) fn piece_path(&self, number: u64) -> PathBuf {
        self.folder.join(name(number)).with_extension(PIECE)
    }

    pub(super) fn manifest_path(&self, number: u64) -> PathBuf {
        self.folder.join(name(number)).with_extension(MANIFEST)
    }

    /// What is said of every whole piece, in order. A gap is an error.
    pub(super) fn manifests(&self) -> Result<Vec<Manifest>, FolderError> {
        let numbers = numbers(&self.folder, Some(MANIFEST))?;
        let mut manifests = Vec::new();
        for (expected, number) in (1..).zip(numbers) {
            if number != expected {
                return Err(FolderError::Missing(self.manifest_path(expected)));
            }
            manifests.push(self.manifest(number)?);
        }
        Ok(manifests)
    }

    fn manifest(&self, number: u64) -> Result<Manifest, FolderError> {
        let path = self.manifest_path(number);
        let length = fs::metadata(&path).map_err(FolderError::at("read", &path))?;
        let bytes = match length.len() <= MANIFEST_BYTES_MAX {
            true => fs::read(&path).map_err(FolderError::at("read", &path))?,
            false => Vec::new(),
        };
        serde_json::from_slice(&bytes)
            .ok()
            .filter(|manifest: &Manifest| manifest.format == 1 && manifest.number == number)
            .ok_or(FolderError::Manifest(path))
    }

    /// Says what a piece holds; from now on it is there. Durable on return.
    pub(super) fn say(&self, manifest: &Manifest) -> Result<(), FolderError> {
        let path = self.manifest_path(manifest.number);
        let said = serde_json::to_vec_pretty(manifest).map_err(io::Error::other);
        let said = said.map_err(FolderError::at("write", &path))?;
        write_durably(&path, |file| file.write_all(&said)).map(|_| ())
    }

    /// Makes the series' folder if it is not there.
    pub(super) fn create(&self) -> Result<(), FolderError> {
        fs::create_dir_all(&self.folder).map_err(FolderError::at("create", &self.folder))?;
        self.folder.parent().map_or(Ok(()), sync)
    }
}

/// The numbers that name files of one extension (none: folders), in order.
fn numbers(folder: &Path, extension: Option<&str>) -> Result<Vec<u64>, FolderError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FolderError::at("read", folder)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let path = entry.map_err(FolderError::at("read", folder))?.path();
        let of_kind = match extension {
            None => path.is_dir(),
            Some(wanted) => path.extension().is_some_and(|found| found == wanted),
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        numbers.extend(stem.filter(|_| of_kind).and_then(number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes beside, syncs and renames: after a crash the file is whole or not there.
pub(super) fn write_durably<T>(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> Result<T, FolderError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(&beside)
        .map_err(FolderError::at("create", &beside))?;
    let written = write(&mut file).map_err(FolderError::at("write", &beside))?;
    file.sync_all().map_err(FolderError::at("sync", &beside))?;
    fs::rename(&beside, path).map_err(FolderError::at("rename", &beside))?;
    path.parent().map_or(Ok(()), sync)?;
    Ok(written)
}

pub(super) fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(FolderError::at("sync", folder))
}
