//! Sealing a bundle to public keys: files of the age format, version 1, with X25519 recipients.
//!
//! What is written here opens with any program of that format, and the other way round. A file that ends
//! early gives its whole chunks of 64 KiB; the length that the bundle's head tells tells such a file from
//! one that was changed.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use curve25519_dalek::MontgomeryPoint;
use data_encoding::BASE64_NOPAD;
use sha2::{Digest, Sha256};
use sync_core::bundle::length_of;

use super::key_text::{Identity, Recipient};

/// The first line of a sealed file.
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
const WRAP_LABEL: &[u8] = b"age-encryption.org/v1/X25519";
/// Bytes sealed at once, and what a seal adds to them.
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// Bytes of a header that is read: a thousand recipients.
const HEADER_BYTES_MAX: usize = 128 * 1024;

/// Why a sealed file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key was given.
    #[error("the file is sealed")]
    KeyNeeded,
    /// None of the keys opens it.
    #[error("none of the keys opens the file")]
    KeyWrong,
    /// Its header is not of the format: changed on the way, or cut.
    #[error("the header of the sealed file cannot be read")]
    Header,
    /// It was changed on the way, or ends so early that this cannot be told.
    #[error("the sealed file was changed on the way or ends too early")]
    Broken,
    /// A public key under which everybody could read.
    #[error("the key is not one to seal to")]
    Recipient,
}

impl SealError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::KeyNeeded => "seal-key-needed",
            Self::KeyWrong => "seal-key-wrong",
            Self::Header => "seal-header-damaged",
            Self::Broken => "seal-broken",
            Self::Recipient => "seal-recipient-bad",
        }
    }
}

/// True if a file begins like a sealed one.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(FIRST_LINE)
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut inner = Sha256::new();
    let mut outer = Sha256::new();
    let (mut inside, mut outside) = ([0x36; 64], [0x5c; 64]);
    for (at, byte) in key.iter().enumerate() {
        if let (Some(inside), Some(outside)) = (inside.get_mut(at), outside.get_mut(at)) {
            *inside ^= byte;
            *outside ^= byte;
        }
    }
    inner.update(inside);
    for part in parts {
        inner.update(part);
    }
    outer.update(outside);
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// HKDF-SHA-256 of 32 bytes. A salt longer than a block is never used here.
fn derived(secret: &[u8], salt: &[u8], label: &[u8]) -> [u8; 32] {
    let mut inner = Sha256::new();
    let mut outer = Sha256::new();
    let padded = |mask: u8| -> Vec<u8> {
        let salt = salt.iter().copied().chain(std::iter::repeat(0));
        salt.take(64).map(|byte| byte ^ mask).collect()
    };
    inner.update(padded(0x36));
    inner.update(secret);
    outer.update(padded(0x5c));
    outer.update(inner.finalize());
    let extracted: [u8; 32] = outer.finalize().into();
    hmac(&extracted, &[label, &[1]])
}

fn cipher(key: [u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&key.into())
}

fn wrap_key(shared: [u8; 32], share: &[u8; 32], to: &Recipient) -> Option<[u8; 32]> {
    let salt = [share.as_slice(), &to.0].concat();
    (shared != [0; 32]).then(|| derived(&shared, &salt, WRAP_LABEL))
}

fn chunk_nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    if let Some(counter) = nonce.get_mut(3..11) {
        counter.copy_from_slice(&number.to_be_bytes());
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    nonce.into()
}

/// What sealing draws from the system: a file key, a nonce, and a secret for each recipient.
#[derive(Debug)]
pub struct Drawn {
    /// The key of the file.
    pub file_key: [u8; 16],
    /// The nonce of the content.
    pub nonce: [u8; 16],
    /// One secret for each recipient.
    pub secrets: Vec<[u8; 32]>,
}

/// Seals bytes to public keys.
pub fn seal(plain: &[u8], to: &[Recipient], drawn: &Drawn) -> Result<Vec<u8>, SealError> {
    let mut sealed = FIRST_LINE.to_vec();
    if to.is_empty() || drawn.secrets.len() != to.len() {
        return Err(SealError::Recipient);
    }
    for (recipient, secret) in to.iter().zip(&drawn.secrets) {
        let share = MontgomeryPoint::mul_base_clamped(*secret).0;
        let shared = MontgomeryPoint(recipient.0).mul_clamped(*secret).0;
        let key = wrap_key(shared, &share, recipient).ok_or(SealError::Recipient)?;
        let body = cipher(key).encrypt(&Nonce::default(), drawn.file_key.as_slice());
        let body = body.map_err(|_| SealError::Recipient)?;
        let (share, body) = (BASE64_NOPAD.encode(&share), BASE64_NOPAD.encode(&body));
        sealed.extend_from_slice(format!("-> X25519 {share}\n{body}\n").as_bytes());
    }
    sealed.extend_from_slice(b"---");
    let mac = hmac(&derived(&drawn.file_key, b"", b"header"), &[&sealed]);
    sealed.extend_from_slice(format!(" {}\n", BASE64_NOPAD.encode(&mac)).as_bytes());
    sealed.extend_from_slice(&drawn.nonce);
    let content = cipher(derived(&drawn.file_key, &drawn.nonce, b"payload"));
    let count = plain.len().div_ceil(CHUNK).max(1) as u64;
    for number in 0..count {
        let from = number as usize * CHUNK;
        let chunk = plain.get(from..).unwrap_or_default();
        let chunk = chunk.get(..CHUNK).unwrap_or(chunk);
        let nonce = chunk_nonce(number, number + 1 == count);
        let chunk = content.encrypt(&nonce, chunk);
        sealed.extend(chunk.map_err(|_| SealError::Broken)?);
    }
    Ok(sealed)
}

/// Opens a sealed bundle: its bytes, or those of its beginning if the file ends early.
pub fn unseal(bytes: &[u8], identities: &[Identity]) -> Result<Vec<u8>, SealError> {
    if identities.is_empty() {
        return Err(SealError::KeyNeeded);
    }
    let (file_key, payload) = opened_header(bytes, identities)?;
    let (nonce, sealed) = payload.split_first_chunk::<16>().ok_or(SealError::Broken)?;
    let content = cipher(derived(&file_key, nonce, b"payload"));
    let (mut plain, mut rest, mut number) = (Vec::new(), sealed, 0);
    loop {
        let length = rest.len().min(CHUNK + TAG);
        let (chunk, after) = rest.split_at_checked(length).ok_or(SealError::Broken)?;
        let last = after.is_empty();
        if let Ok(chunk) = content.decrypt(&chunk_nonce(number, last), chunk) {
            plain.extend_from_slice(&chunk);
        } else if last {
            // Cut behind a whole chunk, or in the middle of one; else changed.
            if let Ok(chunk) = content.decrypt(&chunk_nonce(number, false), chunk) {
                plain.extend_from_slice(&chunk);
            }
            return match sealed_length(&plain) {
                Some(whole) if (sealed.len() as u64) < whole => Ok(plain),
                Some(_) | None => Err(SealError::Broken),
            };
        } else {
            return Err(SealError::Broken);
        }
        if last {
            return Ok(plain);
        }
        (rest, number) = (after, number + 1);
    }
}

/// How long the sealed content of the bundle is that begins like this.
fn sealed_length(plain: &[u8]) -> Option<u64> {
    let length = length_of(plain).ok()?;
    let chunks = length.div_ceil(CHUNK as u64).max(1);
    Some(length + chunks * TAG as u64)
}

/// The file key and what is behind the header.
fn opened_header<'a>(
    bytes: &'a [u8],
    identities: &[Identity],
) -> Result<([u8; 16], &'a [u8]), SealError> {
    let mut at = FIRST_LINE.len();
    let mut found = None;
    let mut share = None;
    loop {
        let rest = bytes.get(at..).ok_or(SealError::Header)?;
        let end = rest
            .iter()
            .take(HEADER_BYTES_MAX)
            .position(|byte| *byte == b'\n');
        let line = rest
            .get(..end.ok_or(SealError::Header)?)
            .unwrap_or_default();
        if at > HEADER_BYTES_MAX {
            return Err(SealError::Header);
        }
        if let Some(mac) = line.strip_prefix(b"--- ") {
            let file_key: [u8; 16] = found.ok_or(SealError::KeyWrong)?;
            let signed = bytes.get(..at + 3).ok_or(SealError::Header)?;
            let expected = hmac(&derived(&file_key, b"", b"header"), &[signed]);
            let payload = bytes.get(at + line.len() + 1..).unwrap_or_default();
            return match BASE64_NOPAD.decode(mac) {
                Ok(mac) if mac == expected => Ok((file_key, payload)),
                Ok(_) | Err(_) => Err(SealError::Header),
            };
        }
        if let Some(stanza) = line.strip_prefix(b"-> ") {
            share = stanza.strip_prefix(b"X25519 ").and_then(decoded::<32>);
        } else if let Some(share) = share.take() {
            found = found.or_else(|| unwrap(&share, line, identities));
        }
        at += line.len() + 1;
    }
}

fn decoded<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    BASE64_NOPAD.decode(text).ok()?.try_into().ok()
}

fn unwrap(share: &[u8; 32], body: &[u8], identities: &[Identity]) -> Option<[u8; 16]> {
    let body: [u8; 32] = decoded(body)?;
    identities.iter().find_map(|identity| {
        let shared = MontgomeryPoint(*share).mul_clamped(identity.0).0;
        let key = wrap_key(shared, share, &identity.recipient())?;
        let opened = cipher(key).decrypt(&Nonce::default(), body.as_slice());
        opened.ok()?.try_into().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the format's own first test file.
    const KEY: &str = "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6";

    fn identity(seed: u8) -> Identity {
        Identity::of([seed; 32])
    }

    fn drawn(count: u8) -> Drawn {
        Drawn {
            file_key: [1; 16],
            nonce: [2; 16],
            secrets: (0..count).map(|number| [50 + number; 32]).collect(),
        }
    }

    #[test]
    fn a_file_key_of_another_program_is_unwrapped() {
        let key = Identity::read(KEY).unwrap();
        let share: [u8; 32] = decoded(b"TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc").unwrap();
        let body = b"EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U";
        let file_key = unwrap(&share, body, &[identity(3), key.clone()]);
        assert_eq!(file_key.as_ref(), Some(b"YELLOW SUBMARINE"));
        assert_eq!(unwrap(&share, body, &[identity(3)]), None);
    }

    #[test]
    fn what_is_sealed_opens_with_each_key_and_no_other() {
        let keys = [identity(3), identity(4)];
        let to = keys.each_ref().map(Identity::recipient);
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let plain = vec![7; length];
            let sealed = seal(&plain, &to, &drawn(2)).unwrap();
            assert!(is_sealed(&sealed));
            for key in &keys {
                assert_eq!(
                    unseal(&sealed, &[identity(9), key.clone()]),
                    Ok(plain.clone())
                );
            }
            assert_eq!(unseal(&sealed, &[identity(9)]), Err(SealError::KeyWrong));
            assert_eq!(unseal(&sealed, &[]), Err(SealError::KeyNeeded));
        }
        assert_eq!(seal(b"x", &[], &drawn(0)), Err(SealError::Recipient));
        let open = Recipient([0; 32]);
        assert_eq!(seal(b"x", &[open], &drawn(1)), Err(SealError::Recipient));
    }

    #[test]
    fn every_flipped_bit_of_a_sealed_file_is_refused() {
        let sealed = seal(&[7; 40], &[identity(3).recipient()], &drawn(1)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let opened = unseal(&bytes, &[identity(3)]);
            assert!(
                !is_sealed(&bytes) || opened.is_err(),
                "bit {bit}: {opened:?}"
            );
        }
    }

    /// A bundle of several chunks, from a node so that nothing but its bytes matters here.
    fn bundle() -> Vec<u8> {
        use sync_core::bundle::{BundleId, Contents, Cover, Destination, Issuer, write};
        use sync_core::identity::{NodeId, PartId, ProvinceId};
        let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        let cover = Cover {
            province: ProvinceId([1; 16]),
            issuer: Issuer::Node {
                key: key.verifying_key().to_bytes(),
                node: NodeId([2; 16]),
            },
            number: 1,
            previous: BundleId::default(),
            written_at: 0,
            destination: Destination::Anyone,
            catalogue_number: 0,
            own_number: 0,
            known: None,
            span: None,
        };
        let held = sync_core::log::HeldReason::Gate;
        let contents = Contents {
            held: vec![(PartId([3; 32]), held); 6_000],
            ..Contents::default()
        };
        write(cover, contents, &key).unwrap().bytes
    }

    /// Cut anywhere, a sealed bundle gives its whole chunks or nothing, and never what was not in it;
    /// changed, it gives nothing.
    #[test]
    fn a_sealed_bundle_that_ends_early_gives_its_whole_chunks() {
        let plain = bundle();
        let sealed = seal(&plain, &[identity(3).recipient()], &drawn(1)).unwrap();
        let header = sealed.len() - plain.len() - 16 - plain.len().div_ceil(CHUNK) * TAG;
        for cut in (0..sealed.len()).step_by(1_009).chain([sealed.len() - 1]) {
            let opened = unseal(&sealed[..cut], &[identity(3)]);
            let whole = cut.saturating_sub(header + 16) / (CHUNK + TAG) * CHUNK;
            match opened {
                Ok(opened) => {
                    assert!(whole > 0, "cut at {cut}");
                    assert_eq!(opened, plain[..whole]);
                }
                Err(_) => assert_eq!(whole, 0, "cut at {cut}"),
            }
        }
        for at in (0..sealed.len()).step_by(2_003).chain([sealed.len() - 1]) {
            let mut bytes = sealed.clone();
            bytes[at] ^= 4;
            let opened = unseal(&bytes, &[identity(3)]);
            assert!(!is_sealed(&bytes) || opened.is_err(), "byte {at}");
        }
    }
}
