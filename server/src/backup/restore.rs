//! Makes a province's folder out of a backup, and proves that it holds what the backup says.
//!
//! [`lay_out`] opens the pieces one after the other and hands their records on; the caller puts them into
//! a new store. [`prove`] has the server derive everything and compares. Then the node takes a new id.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dongbo::durable_file::FileError;
use sealed_file::Identity;
use store::{Commit, CommitError, SharedStore};
use sync_core::identity::NodeId;
use sync_core::log::{Fingerprint, LogReader};
use sync_core::sync::NodeIdentity;

use super::check::{CheckError, check};
use super::folder::{FolderError, Series};
use super::piece::{End, PieceError, PieceReader};
use crate::app::{App, OpenError};
use crate::clock::Clock;
use crate::edge::{self, EdgeCard};
use crate::entropy::{NoEntropy, random};
use crate::keyspace::{self, StoreKeyspace};
use crate::secrets::{self, Secrets, SecretsError};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup is not whole.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A file of the backup.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A piece cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Sealed {
        /// The piece.
        path: PathBuf,
        /// Why.
        source: sealed_file::OpenError,
    },
    /// A piece cannot be read.
    #[error("{} cannot be used: {source}", path.display())]
    Piece {
        /// The piece.
        path: PathBuf,
        /// Why.
        source: PieceError,
    },
    /// A piece is of another series or place, or another node's.
    #[error("{} does not belong here: {what}", path.display())]
    Stray {
        /// The piece.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The backup has fewer pieces.
    #[error("the backup has {0} pieces")]
    Fewer(u64),
    /// The keys cannot be written.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// What makes the node an edge cannot be written.
    #[error(transparent)]
    Edge(#[from] FileError),
    /// A record cannot be kept.
    #[error("a record cannot be kept: {0}")]
    Keep(String),
    /// What was restored cannot be served.
    #[error("what was restored cannot be served: {0}")]
    Open(#[from] OpenError),
    /// The log of what was restored cannot be read.
    #[error("what was restored cannot be read: {0}")]
    Log(#[from] sync_core::log::KeyspaceError),
    /// What was derived is not what was backed up.
    #[error("what was restored is not what was backed up: {found} instead of {expected}")]
    NotTheSame {
        /// What the backup says.
        expected: String,
        /// What came out.
        found: String,
    },
    /// No random bytes for the new node id.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The new node id cannot be kept.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What was laid out, and must come out.
#[derive(Debug, Clone, Copy)]
pub struct LaidOut {
    /// The series.
    pub series: u64,
    /// Its pieces that were used.
    pub pieces: u64,
    /// Records of the journal.
    pub records: u64,
    /// When the last piece was made, seconds since 1970 UTC.
    pub made_at: i64,
    end: End,
    signer: [u8; 32],
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The node's new id.
    pub node: NodeId,
    /// Accepted parts, by which the whole was proved.
    pub fingerprint: Fingerprint,
    /// The number of the last catalogue record.
    pub catalogue_number: u64,
}

/// Reads a series (none: the last) up to a piece (none: the last): writes the keys into `folder`, which
/// is there, and hands every record of the journal to `keep`, in order.
pub fn lay_out(
    backup: &Path,
    (series, through): (Option<u64>, Option<u64>),
    identities: &[Identity],
    folder: &Path,
    mut keep: impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<LaidOut, RestoreError> {
    let (number, manifests) = check(backup, series)?;
    let series = Series::of(backup, number);
    let last = through.unwrap_or(manifests.len() as u64);
    let mut previous = [0; 32];
    let (mut laid, mut records) = (None, 0);
    for manifest in manifests.iter().take_while(|piece| piece.number <= last) {
        let path = series.piece_path(manifest.number);
        let stray = |what| RestoreError::Stray {
            path: path.clone(),
            what,
        };
        let unusable = |source| RestoreError::Piece {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(FolderError::at("open", &path))?;
        let opened = sealed_file::open(BufReader::new(file), identities);
        let opened = opened.map_err(|source| RestoreError::Sealed {
            path: path.clone(),
            source,
        })?;
        let mut piece = PieceReader::begin(opened).map_err(unusable)?;
        if piece.head.number != manifest.number || piece.head.previous != previous {
            return Err(stray("it follows another piece"));
        }
        let mut found = 0;
        while let Some(record) = piece.record().map_err(unusable)? {
            found += 1;
            keep(&record).map_err(RestoreError::Keep)?;
        }
        let head = piece.head.clone();
        let (end, signer) = piece.end().map_err(unusable)?;
        if end.records != found {
            return Err(stray("records are missing in it"));
        }
        for (name, bytes) in &head.secrets {
            match name == edge::FILE {
                true => EdgeCard::put_back(folder, bytes)?,
                false => secrets::put_file(folder, name, bytes)?,
            }
        }
        records += found;
        previous = super::write::hash_of(manifest).unwrap_or_default();
        laid = Some(LaidOut {
            series: number,
            pieces: manifest.number,
            records,
            made_at: head.made_at,
            end,
            signer,
        });
    }
    laid.filter(|laid| laid.pieces == last)
        .ok_or(RestoreError::Fewer(manifests.len() as u64))
}

/// Derives everything of a store that was laid out, compares it with what was backed up, and gives the
/// node a new id. Durable on return; blocks.
pub fn prove(
    store: &SharedStore,
    secrets: Secrets,
    laid: &LaidOut,
) -> Result<Restored, RestoreError> {
    let signed_by_itself = secrets.node.verifying_key().to_bytes() == laid.signer;
    let app = App::open(Arc::clone(store), secrets.clone(), Clock::System)?;
    let catalogue = app.registry.current();
    if !signed_by_itself || !catalogue.node_keys().any(|key| *key == laid.signer) {
        return Err(RestoreError::NotTheSame {
            expected: "a backup signed by a node of its own province".to_owned(),
            found: "one that another signed".to_owned(),
        });
    }
    let started = app.start();
    app.close();
    started?;
    let below = StoreKeyspace(&**store);
    let partitions = LogReader(&below).partitions()?;
    let found = partitions
        .iter()
        .fold(Fingerprint::default(), |sum, (_, one)| sum.plus(*one));
    let told = |number: u64, sum: Fingerprint| format!("catalogue {number}, parts {sum}");
    let expected = (laid.end.catalogue_number, laid.end.fingerprint);
    if (catalogue.last_number(), found) != expected {
        return Err(RestoreError::NotTheSame {
            expected: told(expected.0, expected.1),
            found: told(catalogue.last_number(), found),
        });
    }
    let identity = NodeIdentity::read(&below, secrets.node)?;
    let identity = identity.ok_or(crate::registry::RegistryError::NoProvince);
    let renewed = identity
        .map_err(OpenError::from)?
        .renewed(NodeId(random()?));
    store.commit(Commit {
        conditions: Vec::new(),
        writes: vec![keyspace::write(renewed.write())],
    })?;
    Ok(Restored {
        node: renewed.node,
        fingerprint: found,
        catalogue_number: catalogue.last_number(),
    })
}
