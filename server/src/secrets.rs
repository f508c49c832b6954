//! The folder `secrets/`: three Ed25519 keys, each a file of 64 hexadecimal digits only its owner reads.
//!
//! `catalogue.key` signs the province's catalogue, `node.key` signs receipts, `token.key` signs
//! access tokens and is what refresh tokens and challenges are derived from. Losing the first two is
//! losing the province; replacing the third signs everybody out. `first-run.code` is there only until
//! the province is founded.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;

use crate::entropy::{NoEntropy, random};
use crate::wire::EnrolmentCode;

/// Bytes of a file of keys that are read.
const KEY_FILE_BYTES_MAX: u64 = 1_024;

/// The keys of a node.
#[derive(Clone)]
pub struct Secrets {
    /// Signs the catalogue; none at an edge, which only takes signed records.
    pub catalogue: Option<SigningKey>,
    /// Signs receipts.
    pub node: SigningKey,
    /// Signs access tokens.
    pub token: SigningKey,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Why the keys are not there.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file operation failed.
    #[error("cannot {step} {}: {source}", path.display())]
    File {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("{} holds no key of 64 hexadecimal digits", .0.display())]
    NoKey(PathBuf),
    /// The file holds no enrolment code.
    #[error("{} holds no enrolment code", .0.display())]
    NoCode(PathBuf),
    /// No random bytes for a new key.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl Secrets {
    /// New keys that are kept nowhere, for tests.
    pub fn random() -> Result<Self, NoEntropy> {
        Ok(Self {
            catalogue: Some(SigningKey::from_bytes(&random()?)),
            node: SigningKey::from_bytes(&random()?),
            token: SigningKey::from_bytes(&random()?),
        })
    }

    /// Reads the keys of a node's folder.
    pub fn open(folder: &Path) -> Result<Self, SecretsError> {
        let at = |name: &str| read_key(&folder.join("secrets").join(name));
        Ok(Self {
            catalogue: Some(at("catalogue.key")?),
            node: at("node.key")?,
            token: at("token.key")?,
        })
    }

    /// Reads the keys of an edge, making those that are not there; the files are durable on return.
    pub fn open_or_create_edge(folder: &Path) -> Result<Self, SecretsError> {
        let secrets = folder.join("secrets");
        create_folder(&secrets)?;
        let keys = Self {
            catalogue: None,
            node: read_or_create_key(&secrets.join("node.key"))?,
            token: read_or_create_key(&secrets.join("token.key"))?,
        };
        sync(&secrets)?;
        sync(folder)?;
        Ok(keys)
    }

    /// Copies the keys of one node's folder to another folder; keys that are there stay, and then
    /// fail to fit. The files are durable on return.
    pub fn copy(from: &Path, to: &Path) -> Result<(), SecretsError> {
        let keys = Self::open(from)?;
        let secrets = to.join("secrets");
        create_folder(&secrets)?;
        let named = [
            ("catalogue.key", keys.catalogue.as_ref()),
            ("node.key", Some(&keys.node)),
            ("token.key", Some(&keys.token)),
        ];
        for (name, key) in named {
            let Some(key) = key else { continue };
            let path = secrets.join(name);
            if !path.exists() {
                write_key(&path, key.as_bytes())?;
            }
        }
        sync(&secrets)?;
        sync(to)
    }

    /// Reads the keys, making those that are not there; the files are durable on return.
    pub fn open_or_create(folder: &Path) -> Result<Self, SecretsError> {
        let secrets = folder.join("secrets");
        create_folder(&secrets)?;
        let at = |name: &str| read_or_create_key(&secrets.join(name));
        let keys = Self {
            catalogue: Some(at("catalogue.key")?),
            node: at("node.key")?,
            token: at("token.key")?,
        };
        sync(&secrets)?;
        sync(folder)?;
        Ok(keys)
    }
}

/// The names and bytes of a node's files of keys, for a backup.
pub(crate) fn files_of(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, SecretsError> {
    let secrets = folder.join("secrets");
    let entries = fs::read_dir(&secrets).map_err(failed("read", &secrets))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", &secrets))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| is_key_file(name)) {
            let mut bytes = Vec::new();
            File::open(&path)
                .and_then(|file| file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes))
                .map_err(failed("read", &path))?;
            files.push((name.to_owned(), bytes));
        }
    }
    files.sort();
    Ok(files)
}

/// Puts a file of keys back; durable on return. A name that no file of keys has is left out.
pub(crate) fn put_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), SecretsError> {
    if !is_key_file(name) {
        return Ok(());
    }
    let secrets = folder.join("secrets");
    create_folder(&secrets)?;
    write_file(&secrets.join(name), bytes)?;
    sync(&secrets)?;
    sync(folder)
}

/// The key that a node signs with.
pub(crate) fn node_key(folder: &Path) -> Result<SigningKey, SecretsError> {
    read_key(&folder.join("secrets").join("node.key"))
}

fn is_key_file(name: &str) -> bool {
    let stem = name.strip_suffix(".key").unwrap_or_default();
    !stem.is_empty()
        && stem
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn read_or_create_key(path: &Path) -> Result<SigningKey, SecretsError> {
    if !path.exists() {
        write_key(path, &random()?)?;
    }
    read_key(path)
}

/// Where the code of a first run is kept until the province is founded.
pub(crate) fn code_path(folder: &Path) -> PathBuf {
    folder.join("secrets").join("first-run.code")
}

/// The code of a first run, if one has begun and not ended.
pub(crate) fn read_code(folder: &Path) -> Result<Option<EnrolmentCode>, SecretsError> {
    let path = code_path(folder);
    match fs::read_to_string(&path) {
        Ok(text) => match EnrolmentCode::read(text.trim_end()) {
            Some(code) => Ok(Some(code)),
            None => Err(SecretsError::NoCode(path)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &path)(error)),
    }
}

/// Keeps the code of a first run; durable on return.
pub(crate) fn write_code(folder: &Path, code: &EnrolmentCode) -> Result<(), SecretsError> {
    let secrets = folder.join("secrets");
    create_folder(&secrets)?;
    write_line(&code_path(folder), &code.to_string())?;
    sync(&secrets)?;
    sync(folder)
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SecretsError {
    let path = path.to_owned();
    move |source| SecretsError::File { step, path, source }
}

fn create_folder(path: &Path) -> Result<(), SecretsError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed("create", path))
}

fn sync(folder: &Path) -> Result<(), SecretsError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", folder))
}

fn write_key(path: &Path, seed: &[u8; 32]) -> Result<(), SecretsError> {
    write_line(path, &HEXLOWER.encode(seed))
}

fn write_line(path: &Path, line: &str) -> Result<(), SecretsError> {
    write_file(path, format!("{line}\n").as_bytes())
}

/// Writes beside and renames, so that a crash leaves the whole file or none.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SecretsError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(failed("create", &beside))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed("write", &beside))?;
    fs::rename(&beside, path).map_err(failed("rename", &beside))
}

fn read_key(path: &Path) -> Result<SigningKey, SecretsError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(128).read_to_string(&mut text))
        .map_err(failed("read", path))?;
    HEXLOWER
        .decode(text.trim_end().as_bytes())
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(|seed| SigningKey::from_bytes(&seed))
        .ok_or_else(|| SecretsError::NoKey(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Secrets::open(folder.path()),
            Err(SecretsError::File { step: "read", .. })
        ));
        let made = Secrets::open_or_create(folder.path()).unwrap();
        let again = Secrets::open_or_create(folder.path()).unwrap();
        assert_eq!(made.catalogue, again.catalogue);
        assert_ne!(made.catalogue, Some(made.node));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let secrets = folder.path().join("secrets");
            for entry in fs::read_dir(&secrets).unwrap() {
                let mode = entry.unwrap().metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            let mode = fs::metadata(&secrets).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        fs::write(folder.path().join("secrets/node.key"), "short\n").unwrap();
        assert!(matches!(
            Secrets::open(folder.path()),
            Err(SecretsError::NoKey(_))
        ));
    }
}
