//! What keeps one person's data shut on a shared device: a PIN opens two secrets, they open the rest.
//!
//! ```text
//! lock     u8 version = 1, u32 memory in KiB, u32 passes, [16] salt, [24] nonce,
//!          sealed under argon2id(PIN, salt): [32] secret device key, [32] data key
//! row      name: the first 16 of H("vault name", data key ‖ key)
//!          [24] nonce, sealed under H("vault values", data key): u32 length of the key, key, value
//! ```
//!
//! Sealing is XChaCha20-Poly1305; the person's key id and the name of the row are the associated bytes,
//! so that nothing can be moved to another place. Integers are big-endian.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sync_core::codec::Reader;
use sync_core::identity::{labelled_hash, labelled_id};
use sync_core::log::Write;

use crate::packed;

/// Digits of a PIN: what a person remembers and a found tablet does not give away in an evening.
pub(crate) const PIN_DIGITS: usize = 6;
/// Memory of argon2id for a PIN, in KiB: what a tablet of 2 GB spares beside the app.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it: about a second on the slowest tablet, which opens a few times a day.
const PASSES: u32 = 2;
/// The most that a lock may ask for, in KiB and passes: it was written by us, perhaps by a later version.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 16;
/// Wrong PINs before the first wait: fingers slip.
const FREE_TRIES: u32 = 3;
/// The first wait and the longest, in seconds: a thief tries some hundred PINs a day, an officer who
/// is sure of theirs never waits past a meal.
const WAIT_FIRST_S: u32 = 15;
const WAIT_MAX_S: u32 = 15 * 60;

const SECRETS_BYTES: usize = 64;
const VERSION: u8 = 1;

/// Why something stays shut. The code is also the end of its message's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not as many digits as a PIN has.
    #[error("pin-digits")]
    PinDigits,
    /// The first that anybody would try.
    #[error("pin-easy")]
    PinEasy,
    /// Another PIN.
    #[error("pin-wrong")]
    PinWrong,
    /// Not what this person kept, or changed since.
    #[error("vault-damaged")]
    Damaged,
    /// No memory to derive a key in.
    #[error("vault-memory")]
    Memory,
}

/// Refuses a new PIN that is not one, or that anybody would try first.
pub(crate) fn check_pin(pin: &str) -> Result<(), VaultError> {
    let digits = pin.as_bytes();
    if digits.len() != PIN_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return Err(VaultError::PinDigits);
    }
    let steps_by = |by: u8| digits.is_sorted_by(|a, b| a.wrapping_add(by) == *b);
    let repeats = |length: usize| {
        let mut pieces = digits.chunks(length);
        let first = pieces.next();
        pieces.all(|piece| Some(piece) == first)
    };
    match steps_by(1) || steps_by(u8::MAX) || [1, 2, 3].into_iter().any(repeats) {
        true => Err(VaultError::PinEasy),
        false => Ok(()),
    }
}

/// Seconds to wait after so many wrong PINs in a row.
pub(crate) fn wait_after(wrong: u32) -> u32 {
    match wrong.checked_sub(FREE_TRIES) {
        None => 0,
        Some(more) => WAIT_FIRST_S
            .saturating_mul(1_u32.checked_shl(more).unwrap_or(u32::MAX))
            .min(WAIT_MAX_S),
    }
}

/// Shuts `secrets` (device key, data key) under a PIN. `fresh` is 40 random bytes.
pub(crate) fn make_lock(
    pin: &str,
    key_id: &str,
    secrets: &[u8],
    fresh: &[u8],
) -> Result<Vec<u8>, VaultError> {
    check_pin(pin)?;
    let (salt, nonce) = fresh.split_first_chunk::<16>().ok_or(VaultError::Damaged)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| VaultError::Damaged)?;
    if secrets.len() != SECRETS_BYTES {
        return Err(VaultError::Damaged);
    }
    let payload = Payload {
        msg: secrets,
        aad: key_id.as_bytes(),
    };
    let sealed = derived(pin, salt, MEMORY_KIB, PASSES)?
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::Memory)?;
    let mut lock = vec![VERSION];
    lock.extend(MEMORY_KIB.to_be_bytes());
    lock.extend(PASSES.to_be_bytes());
    lock.extend(salt);
    lock.extend(nonce);
    lock.extend(sealed);
    Ok(lock)
}

/// The secrets behind a lock.
pub(crate) fn open_lock(pin: &str, key_id: &str, lock: &[u8]) -> Result<Vec<u8>, VaultError> {
    let damaged = |_| VaultError::Damaged;
    let mut from = Reader::new(lock);
    if from.u8("version").map_err(damaged)? != VERSION {
        return Err(VaultError::Damaged);
    }
    let memory = u32::from_be_bytes(from.array("memory").map_err(damaged)?);
    let passes = u32::from_be_bytes(from.array("passes").map_err(damaged)?);
    if memory > MEMORY_KIB_MAX || passes > PASSES_MAX {
        return Err(VaultError::Damaged);
    }
    let salt: [u8; 16] = from.array("salt").map_err(damaged)?;
    let nonce: [u8; 24] = from.array("nonce").map_err(damaged)?;
    let payload = Payload {
        msg: from.rest(),
        aad: key_id.as_bytes(),
    };
    derived(pin, &salt, memory, passes)?
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::PinWrong)
}

fn derived(
    pin: &str,
    salt: &[u8; 16],
    memory_kib: u32,
    passes: u32,
) -> Result<XChaCha20Poly1305, VaultError> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| VaultError::Damaged)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, &mut key)
        .map_err(|_| VaultError::Memory)?;
    Ok(XChaCha20Poly1305::new(&key.into()))
}

/// An open vault: what is kept goes through it in both directions.
pub struct VaultState {
    key_id: String,
    names: [u8; 32],
    values: XChaCha20Poly1305,
    /// Random at every opening, with the count of what was sealed since: no nonce comes twice.
    nonce: [u8; 16],
    sealed: u64,
}

impl std::fmt::Debug for VaultState {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("VaultState").finish_non_exhaustive()
    }
}

impl VaultState {
    /// Opens with the secrets that the lock gave. `fresh` is 16 random bytes.
    pub fn open(key_id: &str, secrets: &[u8], fresh: &[u8]) -> Result<Self, VaultError> {
        let (_, data_key) = secrets
            .split_first_chunk::<32>()
            .ok_or(VaultError::Damaged)?;
        let data_key: [u8; 32] = data_key.try_into().map_err(|_| VaultError::Damaged)?;
        let values = labelled_hash("vault values", &[&data_key]);
        Ok(Self {
            key_id: key_id.to_owned(),
            names: data_key,
            values: XChaCha20Poly1305::new(&values.into()),
            nonce: fresh.try_into().map_err(|_| VaultError::Damaged)?,
            sealed: 0,
        })
    }

    fn name(&self, key: &[u8]) -> [u8; 16] {
        labelled_id("vault name", &[&self.names, key])
    }

    fn about(&self, name: &[u8]) -> Vec<u8> {
        [self.key_id.as_bytes(), name].concat()
    }

    /// Packed writes as they are kept: names and values of which nothing shows but their number and size.
    pub fn seal(&mut self, writes: &[u8]) -> Result<Vec<u8>, VaultError> {
        let writes = packed::unpack(writes).map_err(|_| VaultError::Damaged)?;
        let mut sealed = Vec::with_capacity(writes.len());
        for Write { key, value } in writes {
            let name = self.name(&key);
            let value = value
                .map(|value| self.seal_one(&name, &key, &value))
                .transpose()?;
            let key = name.to_vec();
            sealed.push(Write { key, value });
        }
        Ok(packed::pack_all(&sealed))
    }

    fn seal_one(&mut self, name: &[u8], key: &[u8], value: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&[self.nonce.as_slice(), &self.sealed.to_be_bytes()].concat());
        self.sealed += 1;
        let mut plain = Vec::with_capacity(4 + key.len() + value.len());
        packed::put(&mut plain, key);
        plain.extend_from_slice(value);
        let payload = Payload {
            msg: &plain,
            aad: &self.about(name),
        };
        let sealed = self.values.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| VaultError::Memory)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Packed writes as the tablet made them, from rows as they were kept.
    pub fn unseal(&self, rows: &[u8]) -> Result<Vec<u8>, VaultError> {
        let rows = packed::unpack_all(rows).map_err(|_| VaultError::Damaged)?;
        let mut opened = Vec::with_capacity(rows.len());
        for Write { key: name, value } in rows {
            let value = value.ok_or(VaultError::Damaged)?;
            let (nonce, sealed) = value.split_first_chunk::<24>().ok_or(VaultError::Damaged)?;
            let payload = Payload {
                msg: sealed,
                aad: &self.about(&name),
            };
            let plain = self.values.decrypt(&XNonce::from(*nonce), payload);
            let plain = plain.map_err(|_| VaultError::Damaged)?;
            let (length, rest) = plain.split_first_chunk::<4>().ok_or(VaultError::Damaged)?;
            let (key, value) = rest
                .split_at_checked(u32::from_be_bytes(*length) as usize)
                .ok_or(VaultError::Damaged)?;
            let (key, value) = (key.to_vec(), Some(value.to_vec()));
            opened.push(Write { key, value });
        }
        Ok(packed::pack(&opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";
    const PIN: &str = "280745";

    fn write(key: &[u8], value: Option<&[u8]>) -> Write {
        Write {
            key: key.to_vec(),
            value: value.map(<[u8]>::to_vec),
        }
    }

    fn vault(secrets: &[u8], fresh: u8) -> VaultState {
        VaultState::open(ID, secrets, &[fresh; 16]).unwrap()
    }

    #[test]
    fn a_lock_opens_with_its_pin_alone_and_for_its_person_alone() {
        let secrets: Vec<u8> = (0..64).collect();
        let lock = make_lock(PIN, ID, &secrets, &[3; 40]).unwrap();
        assert_eq!(open_lock(PIN, ID, &lock), Ok(secrets.clone()));
        assert_eq!(open_lock("280746", ID, &lock), Err(VaultError::PinWrong));
        let other = ID.replace('0', "1");
        assert_eq!(open_lock(PIN, &other, &lock), Err(VaultError::PinWrong));
        assert!(!lock.windows(8).any(|piece| secrets.starts_with(piece)));
        let mut greedy = lock.clone();
        greedy.splice(1..5, u32::MAX.to_be_bytes());
        assert_eq!(open_lock(PIN, ID, &greedy), Err(VaultError::Damaged));
        for end in 0..lock.len() {
            assert!(open_lock(PIN, ID, lock.get(..end).unwrap()).is_err() || end == lock.len());
            if end > 49 {
                break;
            }
        }
    }

    #[test]
    fn a_pin_that_anybody_would_try_is_refused() {
        for easy in ["000000", "123456", "654321", "121212", "123123", "456789"] {
            assert_eq!(check_pin(easy), Err(VaultError::PinEasy), "{easy}");
        }
        for short in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"] {
            assert_eq!(check_pin(short), Err(VaultError::PinDigits), "{short}");
        }
        for fine in [PIN, "135790", "112233", "890123"] {
            assert_eq!(check_pin(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<u32> = (0..12).map(wait_after).collect();
        assert_eq!(waits, [0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait_after(u32::MAX), 900);
    }

    #[test]
    fn rows_come_back_and_show_nothing() {
        let secrets: Vec<u8> = (0..64).collect();
        let draft = b"nobody reads this".as_slice();
        let writes = [
            write(&[0x22, 7], Some(draft)),
            write(&[0x20], Some(&[1; 8])),
        ];
        let plain = packed::pack(&writes);
        let kept = vault(&secrets, 1).seal(&plain).unwrap();
        assert!(!kept.windows(6).any(|piece| draft.starts_with(piece)));
        assert_eq!(vault(&secrets, 9).unseal(&kept), Ok(plain.clone()));
        // The same write has the same name and never the same bytes.
        let again = vault(&secrets, 2).seal(&plain).unwrap();
        let names = |rows: &[u8]| -> Vec<Vec<u8>> {
            let rows = packed::unpack_all(rows).unwrap();
            rows.into_iter().map(|row| row.key).collect()
        };
        assert_eq!(names(&kept), names(&again));
        assert_ne!(kept, again);
        // A removal names the row it removes.
        let removed = packed::pack(&[write(&[0x22, 7], None)]);
        let removed = vault(&secrets, 3).seal(&removed).unwrap();
        assert_eq!(names(&removed).first(), names(&kept).first());
    }

    #[test]
    fn a_row_that_was_changed_or_moved_is_refused() {
        let secrets: Vec<u8> = (0..64).collect();
        let plain = packed::pack(&[
            write(&[0x22, 7], Some(b"one")),
            write(&[0x22, 8], Some(b"two")),
        ]);
        let kept = vault(&secrets, 1).seal(&plain).unwrap();
        for at in 0..kept.len() {
            let mut changed = kept.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(vault(&secrets, 1).unseal(&changed).is_err(), "byte {at}");
        }
        let mut rows = packed::unpack_all(&kept).unwrap();
        let moved = rows.last().map(|row| row.key.clone()).unwrap();
        if let Some(first) = rows.first_mut() {
            first.key = moved;
        }
        let moved = packed::pack_all(&rows);
        assert_eq!(vault(&secrets, 1).unseal(&moved), Err(VaultError::Damaged));
        let others: Vec<u8> = (1..65).collect();
        assert!(
            vault(&others, 1).unseal(&kept).is_err(),
            "another person's key"
        );
    }
}
