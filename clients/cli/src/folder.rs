//! A device folder: who the device is, its key, its journal.
//!
//! ```text
//! device.json   server, province, person, key id, names: written when the device is enrolled
//! key           the secret key, mode 0600, plain or sealed under a PIN; it never leaves the device
//! journal/      the truth, see the crate `journal`; records as in `docs/formats.md` section 10
//! lock          locked by the process that has the folder open
//! ```
//!
//! The key is made before the enrolment code is used, so that a lost answer can be asked for again.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sync_core::identity::{KeyId, NodeId, PersonId, ProvinceId, UnitId};

use crate::durable_file::{self, FileError};
use crate::sealed_key::{self, KeyError};

/// Who the device is, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCard {
    /// Version of this file.
    pub version: u32,
    /// The server's address.
    pub server: String,
    /// The province.
    pub province: ProvinceId,
    /// Its name.
    pub province_name: String,
    /// The label of a rehearsal, if the province is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<String>,
    /// The key that signs the province's catalogue, hexadecimal.
    pub catalogue_public_key: String,
    /// The node the device was enrolled at.
    pub node: NodeId,
    /// Whose key this is.
    pub person: PersonId,
    /// The name they sign in with.
    pub name: String,
    /// Their name.
    pub display: String,
    /// The unit the device was enrolled for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// The key.
    pub key_id: KeyId,
    /// What the device is called.
    #[serde(default)]
    pub label: String,
}

/// Why a device folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nobody enrolled here.
    #[error("{} holds no enrolled device", .0.display())]
    NotEnrolled(PathBuf),
    /// A device is here already.
    #[error("{} holds the device of {name} already", folder.display())]
    AlreadyEnrolled {
        /// The folder.
        folder: PathBuf,
        /// Whose device it is.
        name: String,
    },
    /// `device.json` cannot be read.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key in the folder is not the one of the card.
    #[error("the key in {} is not the one the device was enrolled with", .0.display())]
    OtherKey(PathBuf),
}

/// A folder that is or becomes a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFolder {
    path: PathBuf,
}

impl DeviceFolder {
    /// A folder, there or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Where its journal is.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }
    fn card_path(&self) -> PathBuf {
        self.path.join("device.json")
    }
    fn key_path(&self) -> PathBuf {
        self.path.join("key")
    }

    /// Who the device is; none before it is enrolled.
    pub fn card_if_enrolled(&self) -> Result<Option<DeviceCard>, FolderError> {
        let path = self.card_path();
        let Some(bytes) = durable_file::read(&path)? else {
            return Ok(None);
        };
        let damaged = |reason: String| FolderError::Damaged {
            path: path.clone(),
            reason,
        };
        let card: DeviceCard =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if card.version != 1 {
            return Err(damaged(format!("version {} is unknown", card.version)));
        }
        Ok(Some(card))
    }

    /// Who the device is.
    pub fn card(&self) -> Result<DeviceCard, FolderError> {
        self.card_if_enrolled()?
            .ok_or_else(|| FolderError::NotEnrolled(self.path.clone()))
    }

    /// Writes who the device is.
    pub fn write_card(&self, card: &DeviceCard) -> Result<(), FolderError> {
        let mut text = serde_json::to_vec_pretty(card).map_err(|error| FolderError::Damaged {
            path: self.card_path(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        Ok(durable_file::write(&self.card_path(), &text)?)
    }

    /// The device's key.
    pub fn key(&self, card: &DeviceCard, pin: Option<&str>) -> Result<SigningKey, FolderError> {
        let text = durable_file::read(&self.key_path())?
            .ok_or_else(|| FolderError::NotEnrolled(self.path.clone()))?;
        let key = sealed_key::open(&text, pin)?;
        if KeyId::of(key.verifying_key().as_bytes()) == card.key_id {
            Ok(key)
        } else {
            Err(FolderError::OtherKey(self.path.clone()))
        }
    }

    /// True if the key asks for a PIN.
    pub fn is_sealed(&self) -> Result<bool, FolderError> {
        let text = durable_file::read(&self.key_path())?;
        Ok(text.is_some_and(|text| sealed_key::is_sealed(&text)))
    }

    /// The key of a device that is being enrolled: the one of an enrolment that was cut off, or a
    /// new one. Durable on return.
    pub fn key_for_enrolment(&self, pin: Option<&str>) -> Result<SigningKey, FolderError> {
        if let Some(card) = self.card_if_enrolled()? {
            return Err(FolderError::AlreadyEnrolled {
                folder: self.path.clone(),
                name: card.name,
            });
        }
        durable_file::create_folder(&self.path)?;
        let path = self.key_path();
        if let Some(text) = durable_file::read(&path)? {
            return Ok(sealed_key::open(&text, pin)?);
        }
        let key = SigningKey::from_bytes(&sealed_key::random()?);
        durable_file::write(&path, &sealed_key::seal(&key, pin)?)?;
        Ok(key)
    }
}
