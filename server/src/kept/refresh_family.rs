//! Key 07: a family of refresh tokens, one per sign-in.
//!
//! Key: `07, [16] family`. Value: `u8 1, [8] person, u8 has key, [16] key if so, svar made at,
//! svar expires at, var generation, u8 ended`. The tokens themselves are not kept, nor anything they
//! could be made from: a token is a function of the server's token key, the family and the
//! generation. Written at sign-in and at each rotation; removed by whoever finds it expired.

use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::identity::{KeyId, PersonId};

use super::KeptError;

const TAG: u8 = 0x07;
const SCHEMA: u8 = 1;

/// The state of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFamily {
    /// Who signed in.
    pub person: PersonId,
    /// The device key the session is bound to, if any.
    pub key: Option<KeyId>,
    /// Seconds since 1970.
    pub made_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// The generation of the newest token handed out, from 1.
    pub generation: u64,
    /// True after sign-out or a replay.
    pub ended: bool,
}

/// The key of a family.
pub fn key(family: &[u8; 16]) -> Vec<u8> {
    let mut key = vec![TAG];
    key.extend_from_slice(family);
    key
}

impl RefreshFamily {
    /// Bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(SCHEMA).raw(&self.person.0);
        match &self.key {
            Some(key) => writer.u8(1).raw(&key.0),
            None => writer.u8(0),
        };
        writer
            .svar(self.made_at)
            .svar(self.expires_at)
            .var(self.generation)
            .u8(self.ended.into());
        writer.into_bytes()
    }

    /// Reads kept bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeptError> {
        Self::read(bytes).map_err(|error| KeptError {
            kind: "family of refresh tokens",
            error,
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("schema")? != SCHEMA {
            return Err(DecodeError::Undefined("schema"));
        }
        let person = PersonId(reader.array("person")?);
        let key = match reader.u8("has key")? {
            0 => None,
            1 => Some(KeyId(reader.array("key")?)),
            _ => return Err(DecodeError::Undefined("has key")),
        };
        let family = Self {
            person,
            key,
            made_at: reader.svar("made at")?,
            expires_at: reader.svar("expires at")?,
            generation: reader.var("generation")?,
            ended: match reader.u8("ended")? {
                0 => false,
                1 => true,
                _ => return Err(DecodeError::Undefined("ended")),
            },
        };
        reader.end("family")?;
        Ok(family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(
            person: [u8; 8], bound: Option<[u8; 16]>, made_at: i64, expires_at: i64,
            generation: u64, ended: bool,
        ) {
            let family = RefreshFamily {
                person: PersonId(person), key: bound.map(KeyId), made_at, expires_at, generation, ended,
            };
            prop_assert_eq!(RefreshFamily::decode(&family.encode()), Ok(family));
        }
    }
}
