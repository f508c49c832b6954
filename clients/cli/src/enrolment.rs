//! Enrolling a device: a one-time code and a new key become a device of the province.

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::json;
use sync_core::identity::{KeyId, NodeId, PersonId, ProvinceId, UnitId};

use crate::folder::{DeviceCard, DeviceFolder, FolderError};
use crate::road::{Road, RoadError};

/// Why a device was not enrolled. The code can be used again with the same folder.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The server was not reached or refused.
    #[error(transparent)]
    Road(#[from] RoadError),
    /// The answer does not fit together: not the province its key makes, or not our key.
    #[error("the server's answer does not fit together: {0}")]
    Answer(&'static str),
}

/// What enrolling needs.
#[derive(Debug, Clone, Default)]
pub struct Enrolling<'a> {
    /// The one-time code.
    pub code: &'a str,
    /// What the device is called; none: as the administrator wrote.
    pub label: Option<&'a str>,
    /// A first password for the person, for browsers.
    pub password: Option<&'a str>,
    /// Seals the key in its file.
    pub pin: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    province: ProvinceId,
    province_name: String,
    rehearsal: Option<String>,
    catalogue_public_key: String,
    node: NodeId,
    person: PersonId,
    name: String,
    display: String,
    unit: Option<UnitId>,
    key_id: KeyId,
}

/// Enrols the device in a folder. Interrupted, it is called again with the same code and folder.
pub fn enrol(
    folder: &DeviceFolder,
    road: &Road,
    enrolling: &Enrolling<'_>,
) -> Result<DeviceCard, EnrolError> {
    let key = folder.key_for_enrolment(enrolling.pin)?;
    let public_key = key.verifying_key();
    let mut body = json!({
        "code": enrolling.code,
        "public_key": HEXLOWER.encode(public_key.as_bytes()),
    });
    if let Some(fields) = body.as_object_mut() {
        for (name, value) in [("label", enrolling.label), ("password", enrolling.password)] {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value.into());
            }
        }
    }
    let answer: Answer = road.post("/v1/enrolments/redeem", None, &body)?;
    if answer.key_id != KeyId::of(public_key.as_bytes()) {
        return Err(EnrolError::Answer("it names another key"));
    }
    let catalogue_key = HEXLOWER
        .decode(answer.catalogue_public_key.as_bytes())
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or(EnrolError::Answer("the catalogue key is none"))?;
    if ProvinceId::of(&catalogue_key) != answer.province {
        return Err(EnrolError::Answer("the province is not that of its key"));
    }
    let card = DeviceCard {
        version: 1,
        server: road.server().to_owned(),
        province: answer.province,
        province_name: answer.province_name,
        rehearsal: answer.rehearsal,
        catalogue_public_key: answer.catalogue_public_key,
        node: answer.node,
        person: answer.person,
        name: answer.name,
        display: answer.display,
        unit: answer.unit,
        key_id: answer.key_id,
        label: enrolling.label.unwrap_or_default().to_owned(),
    };
    folder.write_card(&card)?;
    Ok(card)
}
