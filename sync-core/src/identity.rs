//! Identities: one newtype each, and the labelled hash they are made with.

use std::fmt;
use std::str::FromStr;

/// A text that is no identity: wrong length or not lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} is written as {expected} lower-case hexadecimal digits")]
pub struct BadIdentity {
    kind: &'static str,
    expected: usize,
}

/// BLAKE3 in key-derivation mode: one label, one purpose, no bytes shared between purposes.
pub fn labelled_hash(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(&format!("dongbo 2026 {label}"));
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The first sixteen bytes of a labelled hash.
pub fn labelled_id(label: &str, parts: &[&[u8]]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = labelled_hash(label, parts);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Bytes in one.
            pub const BYTES: usize = $bytes;
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl FromStr for $name {
            type Err = BadIdentity;
            fn from_str(text: &str) -> Result<Self, BadIdentity> {
                data_encoding::HEXLOWER
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| <[u8; $bytes]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or(BadIdentity { kind: $kind, expected: 2 * $bytes })
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

identity!(
    /// A province: a function of its catalogue key.
    ProvinceId, 16, "a province id"
);
identity!(
    /// An org unit: opaque, stable, never reused. Code, name, parent and kind are dated attributes.
    UnitId, 8, "an org unit id"
);
identity!(
    /// A person.
    PersonId, 8, "a person id"
);
identity!(
    /// A grant of rights.
    GrantId, 8, "a grant id"
);
identity!(
    /// A reporting duty.
    DutyId, 8, "a duty id"
);
identity!(
    /// One person's key on one device.
    KeyId, 16, "a key id"
);
identity!(
    /// One installation of the product on a device; new after every rollback.
    InstallationId, 8, "an installation id"
);
identity!(
    /// One key on one installation: one chain of batches, one Automerge actor.
    ActorId, 16, "an actor id"
);
identity!(
    /// A node as its peers know it; new after every rollback.
    NodeId, 16, "a node id"
);
identity!(
    /// A document: a function of its subject.
    DocumentId, 16, "a document id"
);
identity!(
    /// A change of a document; unique only together with the document id.
    ChangeHash, 32, "a change hash"
);
identity!(
    /// A batch: hash of its header without the signature.
    BatchId, 32, "a batch id"
);
identity!(
    /// A part of a batch.
    PartId, 32, "a part id"
);

impl KeyId {
    /// The id of an Ed25519 public key.
    pub fn of(public_key: &[u8; 32]) -> Self {
        Self(labelled_id("key", &[public_key]))
    }
}

impl ProvinceId {
    /// The id of the province that signs its catalogue with this Ed25519 public key.
    pub fn of(catalogue_key: &[u8; 32]) -> Self {
        Self(labelled_id("province", &[catalogue_key]))
    }
}

impl ActorId {
    /// The chain of one key on one installation.
    pub fn of(key: KeyId, installation: InstallationId) -> Self {
        Self(labelled_id("actor", &[&key.0, &installation.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_round_trip_as_text_and_refuse_others() {
        let id = KeyId::of(&[7; 32]);
        assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
        assert!("ABCD".parse::<KeyId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<KeyId>().is_err());
    }
}
