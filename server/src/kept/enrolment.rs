//! Key 08: a one-time enrolment code, under the hash of the code.
//!
//! Key: `08, [32] H("enrolment code", code)`. Value: `u8 1, [8] person, [8] unit (zeros: the whole
//! province), text label, svar expires at, u8 used, [32] public key if so`; schema 2 for the code of an
//! edge, with `text address` behind. Written when an
//! administrator makes the code and when it is redeemed; a redeemed one stays as the evidence that
//! lets the same key ask again after a lost answer.

use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::identity::{PersonId, UnitId, labelled_hash};

use super::KeptError;

const TAG: u8 = 0x08;
const SCHEMA: u8 = 1;
const SCHEMA_OF_NODE: u8 = 2;

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Who will own the device key.
    pub person: PersonId,
    /// The unit of the device; zeros for the whole province.
    pub unit: UnitId,
    /// What the administrator calls the device.
    pub label: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// The public key that used it.
    pub used_by: Option<[u8; 32]>,
    /// For an edge that serves the unit: where tablets reach it.
    pub node: Option<String>,
}

/// The key of a code, from the code in its canonical form.
pub fn key(code: &str) -> Vec<u8> {
    let mut key = vec![TAG];
    key.extend_from_slice(&labelled_hash("enrolment code", &[code.as_bytes()]));
    key
}

impl Enrolment {
    /// Bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(match self.node {
                None => SCHEMA,
                Some(_) => SCHEMA_OF_NODE,
            })
            .raw(&self.person.0)
            .raw(&self.unit.0)
            .text(&self.label)
            .svar(self.expires_at);
        match &self.used_by {
            Some(public_key) => writer.u8(1).raw(public_key),
            None => writer.u8(0),
        };
        if let Some(address) = &self.node {
            writer.text(address);
        }
        writer.into_bytes()
    }

    /// Reads kept bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeptError> {
        Self::read(bytes).map_err(|error| KeptError {
            kind: "enrolment code",
            error,
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let schema = reader.u8("schema")?;
        if schema != SCHEMA && schema != SCHEMA_OF_NODE {
            return Err(DecodeError::Undefined("schema"));
        }
        let enrolment = Self {
            person: PersonId(reader.array("person")?),
            unit: UnitId(reader.array("unit")?),
            label: reader.name("label")?.to_owned(),
            expires_at: reader.svar("expires at")?,
            used_by: match reader.u8("used")? {
                0 => None,
                1 => Some(reader.array("public key")?),
                _ => return Err(DecodeError::Undefined("used")),
            },
            node: match schema {
                SCHEMA_OF_NODE => Some(reader.name("address")?.to_owned()),
                _ => None,
            },
        };
        reader.end("enrolment")?;
        Ok(enrolment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(
            person: [u8; 8], unit: [u8; 8], label in ".{0,40}", expires_at: i64,
            used_by: Option<[u8; 32]>, node in proptest::option::of(".{0,40}"),
        ) {
            let enrolment = Enrolment {
                person: PersonId(person), unit: UnitId(unit), label, expires_at, used_by, node,
            };
            prop_assert_eq!(Enrolment::decode(&enrolment.encode()), Ok(enrolment));
        }
    }
}
