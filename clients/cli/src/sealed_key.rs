//! The device's secret key at rest: as it is, or sealed under a PIN.
//!
//! A file of JSON: `{"version":1,"kind":"plain","secret":hex}`, or `"kind":"pin"` with the parameters
//! of argon2id, its salt, a nonce, and the key sealed by XChaCha20-Poly1305 with the key id as the
//! associated bytes. A PIN of few digits only delays who has the file; it keeps a found tablet shut
//! for an evening, not for a month.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sync_core::identity::KeyId;

/// Memory of argon2id for a PIN, in KiB: four times what a server spends on a password, since a PIN
/// is shorter and a tablet unlocks once a day.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// Why a key cannot be taken out of its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file is none of ours.
    #[error("the key file cannot be read: {0}")]
    Damaged(String),
    /// The key is sealed and no PIN was given.
    #[error("the key is sealed under a PIN")]
    PinNeeded,
    /// The PIN is not the one, or the file was changed.
    #[error("the PIN does not open the key")]
    PinWrong,
    /// The machine has no random bytes, or not the memory to derive a key.
    #[error("the key cannot be sealed: {0}")]
    Unavailable(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Kept {
    Plain {
        version: u32,
        secret: String,
    },
    Pin {
        version: u32,
        key_id: KeyId,
        memory_kib: u32,
        passes: u32,
        salt: String,
        nonce: String,
        sealed: String,
    },
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyError::Unavailable(error.to_string()))?;
    Ok(bytes)
}

/// The text of a key file.
pub fn seal(key: &SigningKey, pin: Option<&str>) -> Result<Vec<u8>, KeyError> {
    let kept = match pin {
        None => Kept::Plain {
            version: 1,
            secret: HEXLOWER.encode(key.as_bytes()),
        },
        Some(pin) => {
            let key_id = KeyId::of(key.verifying_key().as_bytes());
            let (salt, nonce): ([u8; 16], [u8; 24]) = (random()?, random()?);
            let cipher = cipher(pin, &salt, MEMORY_KIB, PASSES)?;
            let payload = Payload {
                msg: key.as_bytes(),
                aad: &key_id.0,
            };
            let sealed = cipher
                .encrypt(&XNonce::from(nonce), payload)
                .map_err(|_| KeyError::Unavailable("sealing failed".to_owned()))?;
            Kept::Pin {
                version: 1,
                key_id,
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                salt: HEXLOWER.encode(&salt),
                nonce: HEXLOWER.encode(&nonce),
                sealed: HEXLOWER.encode(&sealed),
            }
        }
    };
    let mut text =
        serde_json::to_vec_pretty(&kept).map_err(|e| KeyError::Unavailable(e.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// The key in a key file.
pub fn open(text: &[u8], pin: Option<&str>) -> Result<SigningKey, KeyError> {
    let damaged = |what: &str| KeyError::Damaged(what.to_owned());
    let kept: Kept =
        serde_json::from_slice(text).map_err(|error| KeyError::Damaged(error.to_string()))?;
    let seed = match (kept, pin) {
        (Kept::Plain { version: 1, secret }, _) => bytes::<32>(&secret)?.to_vec(),
        (Kept::Pin { version: 1, .. }, None) => return Err(KeyError::PinNeeded),
        (
            Kept::Pin {
                version: 1,
                key_id,
                memory_kib,
                passes,
                salt,
                nonce,
                sealed,
            },
            Some(pin),
        ) => {
            let sealed = HEXLOWER
                .decode(sealed.as_bytes())
                .map_err(|_| damaged("no hexadecimal digits"))?;
            let payload = Payload {
                msg: &sealed,
                aad: &key_id.0,
            };
            cipher(pin, &bytes::<16>(&salt)?, memory_kib, passes)?
                .decrypt(&XNonce::from(bytes::<24>(&nonce)?), payload)
                .map_err(|_| KeyError::PinWrong)?
        }
        (Kept::Plain { .. } | Kept::Pin { .. }, _) => return Err(damaged("a later version")),
    };
    let seed = <[u8; 32]>::try_from(seed).map_err(|_| damaged("not 32 bytes"))?;
    Ok(SigningKey::from_bytes(&seed))
}

/// True if a key file asks for a PIN.
pub fn is_sealed(text: &[u8]) -> bool {
    matches!(serde_json::from_slice(text), Ok(Kept::Pin { .. }))
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], KeyError> {
    HEXLOWER
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| KeyError::Damaged("no hexadecimal digits of the right number".to_owned()))
}

fn cipher(
    pin: &str,
    salt: &[u8; 16],
    memory_kib: u32,
    passes: u32,
) -> Result<XChaCha20Poly1305, KeyError> {
    // A file from elsewhere must not be able to ask for all the memory there is.
    if memory_kib > 1024 * 1024 || passes > 64 {
        return Err(KeyError::Damaged("parameters out of range".to_owned()));
    }
    let unavailable = |error: argon2::Error| KeyError::Unavailable(error.to_string());
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(unavailable)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, &mut key)
        .map_err(unavailable)?;
    Ok(XChaCha20Poly1305::new(&key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_with_its_pin_alone_and_does_not_show() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let text = seal(&key, Some("246810")).unwrap();
        assert!(is_sealed(&text));
        assert_eq!(open(&text, Some("246810")).unwrap().to_bytes(), [7; 32]);
        assert_eq!(open(&text, Some("246811")), Err(KeyError::PinWrong));
        assert_eq!(open(&text, None), Err(KeyError::PinNeeded));
        let shown = String::from_utf8(text.clone()).unwrap();
        assert!(!shown.contains(&HEXLOWER.encode(&[7; 32])));
        // Another key id on the same sealed bytes is a changed file.
        let id = KeyId::of(key.verifying_key().as_bytes()).to_string();
        let other = shown.replace(&id, &"0".repeat(32));
        assert_eq!(
            open(other.as_bytes(), Some("246810")),
            Err(KeyError::PinWrong)
        );
        let plain = seal(&key, None).unwrap();
        assert_eq!(open(&plain, None).unwrap().to_bytes(), [7; 32]);
        assert!(matches!(open(b"{}", None), Err(KeyError::Damaged(_))));
    }
}
