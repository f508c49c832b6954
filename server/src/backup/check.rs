//! Looks whether the pieces of a backup are all there and unchanged; needs no secret.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::folder::{FolderError, Manifest, Series};
use super::write::hash_of;

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// What is wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is no such series, or none at all.
    #[error("{} holds no backup", .0.display())]
    Nothing(PathBuf),
    /// A piece is not what was written.
    #[error("{} is not what was written: it was changed or broke off", .0.display())]
    Changed(PathBuf),
}

/// Reads every piece of a series (none: the last) and compares it with what is said of it. Hands back
/// the series' number and what is said of its pieces.
pub fn check(backup: &Path, series: Option<u64>) -> Result<(u64, Vec<Manifest>), CheckError> {
    let series = match series {
        Some(number) => Series::of(backup, number),
        None => Series::last(backup)?.ok_or_else(|| CheckError::Nothing(backup.to_owned()))?,
    };
    let manifests = series.manifests()?;
    if manifests.is_empty() {
        return Err(CheckError::Nothing(backup.to_owned()));
    }
    for manifest in &manifests {
        let path = series.piece_path(manifest.number);
        let hash = hash_file(&path).map_err(FolderError::at("read", &path))?;
        if hash_of(manifest) != Some(*hash.as_bytes()) {
            return Err(CheckError::Changed(path));
        }
    }
    Ok((series.number, manifests))
}

fn hash_file(path: &Path) -> io::Result<blake3::Hash> {
    let mut file = File::open(path)?;
    let mut hash = blake3::Hasher::new();
    let mut bytes = vec![0; READ_BYTES];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hash.finalize()),
            count => {
                hash.update(bytes.get(..count).unwrap_or_default());
            }
        }
    }
}
