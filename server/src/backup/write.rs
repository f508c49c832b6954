//! Adds a piece to a backup: what the journal has that the pieces before have not.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use dongbo::durable_file::FileError;
use ed25519_dalek::SigningKey;
use journal::files::RealFiles;
use journal::folder::{FolderLock, LockError};
use journal::{Journal, Place};
use sealed_file::Recipient;
use sync_core::codec::{Reader, Writer};
use sync_core::identity::labelled_hash;
use sync_core::log::{Fingerprint, HeldEntry, LogEntry, keys};

use super::folder::{FolderError, Holds, Manifest, Series, write_durably};
use super::piece::{End, Head, PieceWriter};
use crate::edge::{self, EdgeCard};
use crate::secrets::{self, SecretsError};

/// Why no piece was added. The pieces before are as they were.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The backup's folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Another backup is being made, or its folder cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The keys of the node cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// What makes the node an edge cannot be read.
    #[error(transparent)]
    Edge(#[from] FileError),
    /// The journal cannot be opened.
    #[error("the journal cannot be opened: {0}")]
    Journal(#[from] journal::OpenError),
    /// The journal cannot be read to its end.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] journal::ReadError),
    /// A record of the journal is none.
    #[error("the journal holds a record that cannot be read, at sequence number {0}")]
    Damaged(u64),
    /// What the last piece is said to hold cannot be read.
    #[error("{} does not say what its piece holds", .0.display())]
    Manifest(std::path::PathBuf),
}

/// What a backup came to.
#[derive(Debug)]
pub struct Written {
    /// Its series.
    pub series: u64,
    /// True if the series was begun now.
    pub begun: bool,
    /// The new piece; none if there was nothing new.
    pub piece: Option<Manifest>,
    /// What the backup holds by now.
    pub holds: Holds,
}

/// What is counted while records pass.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    records: u64,
    catalogue_number: u64,
    fingerprint: Fingerprint,
}

impl Count {
    fn of(holds: &Holds) -> Option<Self> {
        let bytes = HEXLOWER.decode(holds.fingerprint.as_bytes()).ok()?;
        let mut fields = Reader::new(&bytes);
        let fingerprint = Fingerprint::read(&mut fields).ok()?;
        Some(Self {
            records: 0,
            catalogue_number: holds.catalogue_number,
            fingerprint,
        })
    }

    fn holds(&self) -> Holds {
        let mut bytes = Writer::new();
        self.fingerprint.write(&mut bytes);
        Holds {
            catalogue_number: self.catalogue_number,
            parts: self.fingerprint.count(),
            fingerprint: HEXLOWER.encode(bytes.as_slice()),
        }
    }

    /// Counts a record; none if it cannot be read.
    fn take(&mut self, record: &[u8]) -> Option<()> {
        self.records += 1;
        let mut held = None;
        for write in store::record::decode(record).ok()? {
            let Some((&kind, rest)) = write.key.split_first() else {
                continue;
            };
            let Some(value) = write.value else {
                // What leaves the log is held first, in the same record.
                if kind == keys::LOG {
                    self.fingerprint = self.fingerprint.without(held.take()?);
                }
                continue;
            };
            match kind {
                keys::HELD => {
                    held = Some(HeldEntry::decode(value).ok()?.part.id());
                }
                keys::LOG => {
                    let part = LogEntry::decode(value).ok()?.part.id();
                    self.fingerprint = self.fingerprint.plus(Fingerprint::of(part));
                }
                keys::CATALOGUE => {
                    let number = u64::from_be_bytes(rest.try_into().ok()?);
                    self.catalogue_number = self.catalogue_number.max(number);
                }
                _ => {}
            }
        }
        Some(())
    }
}

/// Names a journal without telling its id.
fn name_of(journal: &Journal) -> String {
    let hash = labelled_hash("backup of journal", &[&journal.id()]);
    HEXLOWER.encode(&hash)
}

/// Adds what is new in the province's folder to a backup. The server may be running. With
/// `anew` a new series is begun, whatever there is.
///
/// Durable on return. `now` is seconds since 1970 UTC.
pub fn write(
    province: &Path,
    backup: &Path,
    recipients: &[Recipient],
    anew: bool,
    now: i64,
) -> Result<Written, WriteError> {
    fs::create_dir_all(backup).map_err(FolderError::at("create", backup))?;
    let _lock = FolderLock::take(backup)?;
    let mut secrets = secrets::files_of(province)?;
    if let Some(card) = EdgeCard::bytes_of(province)? {
        secrets.push((edge::FILE.to_owned(), card));
    }
    let key = secrets::node_key(province)?;
    let files = RealFiles::read_only(&province.join("store").join("journal"));
    let (journal, _) = Journal::open_read_only(Arc::new(files))?;
    let last = match anew {
        true => None,
        false => continued(backup, &journal)?,
    };
    let (series, last) = match last {
        Some((series, last)) => (series, Some(last)),
        None => {
            let number = Series::last(backup)?.map_or(1, |series| series.number + 1);
            (Series::of(backup, number), None)
        }
    };
    let begun = last.is_none();
    let number = last.as_ref().map_or(1, |last| last.number + 1);
    let after = last.as_ref().map(|last| Place::from(last.through));
    let count = match &last {
        None => Count::default(),
        Some(last) => Count::of(&last.holds)
            .ok_or_else(|| WriteError::Manifest(series.manifest_path(last.number)))?,
    };
    let head = Head {
        previous: last.as_ref().map_or(Ok([0; 32]), |last| {
            hash_of(last).ok_or_else(|| WriteError::Manifest(series.manifest_path(last.number)))
        })?,
        number,
        made_at: now,
        secrets,
    };
    if !has_more(&journal, after)? {
        return Ok(Written {
            series: series.number,
            begun: false,
            piece: None,
            holds: count.holds(),
        });
    }
    series.create()?;
    let path = series.piece_path(number);
    let mut failure = None;
    let passed = write_durably(&path, |file| {
        let passed = Passing {
            journal: &journal,
            after,
            head: &head,
            key: &key,
        };
        passed
            .seal(file, recipients, count)
            .map_err(|error| match error {
                PassError::Files(error) => error,
                PassError::Other(error) => {
                    failure = Some(error);
                    io::Error::other("the journal")
                }
            })
    });
    let (count, through, sealed_bytes, hash) = match (passed, failure) {
        (_, Some(error)) => return Err(error),
        (passed, None) => passed?,
    };
    let manifest = Manifest {
        format: 1,
        number,
        made_at: now,
        sealed_bytes,
        sealed_blake3: hash.to_hex().to_string(),
        journal: name_of(&journal),
        through: through.into(),
        records: count.records,
        holds: count.holds(),
    };
    series.say(&manifest)?;
    Ok(Written {
        series: series.number,
        begun,
        holds: manifest.holds.clone(),
        piece: Some(manifest),
    })
}

/// The hash of a sealed piece, as its manifest says.
pub(super) fn hash_of(manifest: &Manifest) -> Option<[u8; 32]> {
    let bytes = HEXLOWER.decode(manifest.sealed_blake3.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// The series that this journal goes on, and its last piece; none if the journal is another, or went
/// another way since (a folder that was copied back).
fn continued(backup: &Path, journal: &Journal) -> Result<Option<(Series, Manifest)>, WriteError> {
    let Some(series) = Series::last(backup)? else {
        return Ok(None);
    };
    let last = series.manifests()?.pop();
    Ok(last
        .filter(|last| last.journal == name_of(journal))
        .filter(|last| journal.read(last.through.into()).is_ok())
        .map(|last| (series, last)))
}

fn has_more(journal: &Journal, after: Option<Place>) -> Result<bool, WriteError> {
    enum Seen {
        One,
        Failed(journal::ReadError),
    }
    impl From<journal::ReadError> for Seen {
        fn from(error: journal::ReadError) -> Self {
            Self::Failed(error)
        }
    }
    match journal.replay(after, |_, _| Err(Seen::One)) {
        Ok(()) => Ok(false),
        Err(Seen::One) => Ok(true),
        Err(Seen::Failed(error)) => Err(error.into()),
    }
}

enum PassError {
    Files(io::Error),
    Other(WriteError),
}

impl From<io::Error> for PassError {
    fn from(error: io::Error) -> Self {
        Self::Files(error)
    }
}

impl From<journal::ReadError> for PassError {
    fn from(error: journal::ReadError) -> Self {
        Self::Other(error.into())
    }
}

/// Records on their way from a journal into a piece.
struct Passing<'a> {
    journal: &'a Journal,
    after: Option<Place>,
    head: &'a Head,
    key: &'a SigningKey,
}

impl Passing<'_> {
    /// Seals head, records and end into a file: what they add up to, the last record's place, and the
    /// length and hash of what was written.
    fn seal(
        &self,
        file: &mut File,
        recipients: &[Recipient],
        mut count: Count,
    ) -> Result<(Count, Place, u64, blake3::Hash), PassError> {
        let counted = Hashed {
            to: BufWriter::new(file),
            bytes: 0,
            hash: blake3::Hasher::new(),
        };
        let mut piece = PieceWriter::begin(sealed_file::seal(counted, recipients)?, self.head)?;
        let mut through = None;
        self.journal.replay(self.after, |place, record| {
            let read = count.take(record);
            read.ok_or(PassError::Other(WriteError::Damaged(place.sequence)))?;
            through = Some(place);
            Ok::<_, PassError>(piece.record(record)?)
        })?;
        let end = End {
            records: count.records,
            catalogue_number: count.catalogue_number,
            fingerprint: count.fingerprint,
        };
        let mut counted = piece.end(&end, self.key)?.finish()?;
        counted.flush()?;
        let through = through.ok_or_else(|| io::Error::other("the journal became empty"))?;
        Ok((count, through, counted.bytes, counted.hash.finalize()))
    }
}

/// Counts and hashes what passes.
struct Hashed<W> {
    to: W,
    bytes: u64,
    hash: blake3::Hasher,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
