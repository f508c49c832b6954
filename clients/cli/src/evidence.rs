//! Signed history out of a folder or a file: catalogue records, accepted parts, held parts.
//!
//! An export is JSON: `format` (`dongbo export 1`), `province`, `catalogue` (signed records, base64),
//! `parts` (log entries), `held` (held entries), each with its bytes as base64, and `documents` as a
//! person reads them. What is read back is the bytes; the rest is for people and other programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use journal::Journal;
use journal::files::RealFiles;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_core::catalogue::SignedRecord;
use sync_core::identity::ProvinceId;
use sync_core::log::{HeldEntry, Keyspace, KeyspaceError, LogEntry, MemoryKeyspace, keys};

use crate::durable_file::{self, FileError};
use crate::tablet::{TabletError, truth_of};

/// The first line of an export.
pub const EXPORT_FORMAT: &str = "dongbo export 1";

/// Why history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// A record of it.
    #[error(transparent)]
    Records(#[from] TabletError),
    /// Its keys.
    #[error(transparent)]
    Keyspace(#[from] KeyspaceError),
    /// No journal there.
    #[error("{} holds no journal", .0.display())]
    NoJournal(PathBuf),
    /// The file is no export.
    #[error("{} is no export: {reason}", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Signed history. Nothing in it is verified.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Catalogue records in order.
    pub records: Vec<SignedRecord>,
    /// Accepted parts with their positions, in order.
    pub entries: Vec<(u64, LogEntry)>,
    /// Held parts with their numbers.
    pub held: Vec<(u64, HeldEntry)>,
}

#[derive(Serialize, Deserialize)]
struct ExportedPart {
    number: u64,
    entry: String,
}

#[derive(Deserialize)]
struct Export {
    format: String,
    catalogue: Vec<String>,
    parts: Vec<ExportedPart>,
    #[serde(default)]
    held: Vec<ExportedPart>,
}

impl Evidence {
    /// What a keyspace holds.
    pub fn of_keyspace(keyspace: &dyn Keyspace) -> Result<Self, KeyspaceError> {
        let all = |tag: u8| keyspace.scan(&[tag], &keys::after(tag), usize::MAX);
        let number = |key: &[u8]| {
            let digits = key.get(1..).and_then(|digits| digits.try_into().ok());
            digits
                .map(u64::from_be_bytes)
                .ok_or(KeyspaceError::Damaged("key"))
        };
        let mut evidence = Self::default();
        for (_, value) in all(keys::CATALOGUE)? {
            let record = SignedRecord::decode(&value);
            let record = record.map_err(|_| KeyspaceError::Damaged("catalogue record"))?;
            evidence.records.push(record);
        }
        for (key, value) in all(keys::LOG)? {
            let entry = LogEntry::decode(&value);
            let entry = entry.map_err(|_| KeyspaceError::Damaged("log entry"))?;
            evidence.entries.push((number(&key)?, entry));
        }
        for (key, value) in all(keys::HELD)? {
            let entry = HeldEntry::decode(&value);
            let entry = entry.map_err(|_| KeyspaceError::Damaged("held entry"))?;
            evidence.held.push((number(&key)?, entry));
        }
        Ok(evidence)
    }

    /// What a journal folder holds: itself, or the one in the folder of a device or a server.
    /// Nothing is changed; somebody else may be writing to it.
    pub fn of_journal(path: &Path) -> Result<Self, EvidenceError> {
        let folder = ["", "journal", "store/journal"]
            .into_iter()
            .map(|inner| path.join(inner))
            .find(|folder| folder.join("0000000001.journal").is_file())
            .ok_or_else(|| EvidenceError::NoJournal(path.to_owned()))?;
        let files = Arc::new(RealFiles::read_only(&folder));
        let (journal, _) = Journal::open_read_only(files)?;
        let keyspace: MemoryKeyspace = truth_of(&journal)?;
        Ok(Self::of_keyspace(&keyspace)?)
    }

    /// What an export holds.
    pub fn of_export(path: &Path) -> Result<Self, EvidenceError> {
        let wrong = |reason: &dyn std::fmt::Display| EvidenceError::Export {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let bytes = durable_file::read(path)?.ok_or_else(|| wrong(&"it is not there"))?;
        let export: Export = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
        if export.format != EXPORT_FORMAT {
            return Err(wrong(&format!("its format is {}", export.format)));
        }
        let bytes = |text: &str| {
            BASE64
                .decode(text.as_bytes())
                .map_err(|error| wrong(&error))
        };
        let mut evidence = Self::default();
        for record in &export.catalogue {
            let record = SignedRecord::decode(&bytes(record)?).map_err(|error| wrong(&error))?;
            evidence.records.push(record);
        }
        for part in &export.parts {
            let entry = LogEntry::decode(&bytes(&part.entry)?).map_err(|error| wrong(&error))?;
            evidence.entries.push((part.number, entry));
        }
        for part in &export.held {
            let entry = HeldEntry::decode(&bytes(&part.entry)?).map_err(|error| wrong(&error))?;
            evidence.held.push((part.number, entry));
        }
        Ok(evidence)
    }

    /// The export of this history with documents as a person reads them.
    pub fn to_export(&self, province: ProvinceId, documents: Vec<Value>) -> Value {
        let part = |number: u64, bytes: Vec<u8>| ExportedPart {
            number,
            entry: BASE64.encode(&bytes),
        };
        let parts = self.entries.iter();
        let parts: Vec<_> = parts.map(|(at, entry)| part(*at, entry.encode())).collect();
        let held = self.held.iter();
        let held: Vec<_> = held.map(|(at, entry)| part(*at, entry.encode())).collect();
        let records = self.records.iter();
        let catalogue: Vec<_> = records.map(|r| BASE64.encode(&r.encode())).collect();
        json!({
            "format": EXPORT_FORMAT, "province": province, "catalogue": catalogue,
            "parts": parts, "held": held, "documents": documents,
        })
    }
}
