//! Key 06: a person's password, as its argon2id hash.
//!
//! Key: `06, [8] person`. Value: `u8 1, var memory in KiB, var passes, var lanes, [16] salt, [32] hash`.
//! Written when a person first sets a password, replaced when they change it.

use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::identity::PersonId;

use super::KeptError;

const TAG: u8 = 0x06;
const SCHEMA: u8 = 1;

/// A password hash with the parameters it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Random salt.
    pub salt: [u8; 16],
    /// The hash.
    pub hash: [u8; 32],
}

/// The key of a person's account.
pub fn key(person: PersonId) -> Vec<u8> {
    let mut key = vec![TAG];
    key.extend_from_slice(&person.0);
    key
}

impl Account {
    /// Bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(SCHEMA)
            .var(self.memory_kib.into())
            .var(self.passes.into())
            .var(self.lanes.into())
            .raw(&self.salt)
            .raw(&self.hash);
        writer.into_bytes()
    }

    /// Reads kept bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeptError> {
        Self::read(bytes).map_err(|error| KeptError {
            kind: "account",
            error,
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("schema")? != SCHEMA {
            return Err(DecodeError::Undefined("schema"));
        }
        let mut small = |what| {
            reader
                .var(what)
                .and_then(|value| u32::try_from(value).map_err(|_| DecodeError::Limit(what)))
        };
        let (memory_kib, passes, lanes) = (small("memory")?, small("passes")?, small("lanes")?);
        let account = Self {
            memory_kib,
            passes,
            lanes,
            salt: reader.array("salt")?,
            hash: reader.array("hash")?,
        };
        reader.end("account")?;
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(memory_kib: u32, passes: u32, lanes: u32, salt: [u8; 16], hash: [u8; 32]) {
            let account = Account { memory_kib, passes, lanes, salt, hash };
            prop_assert_eq!(Account::decode(&account.encode()), Ok(account));
        }
    }
}
