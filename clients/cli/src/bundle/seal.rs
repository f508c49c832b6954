//! Sealing a bundle to public keys, and opening it.
//!
//! A file that ends early gives its whole pieces of 64 KiB; the length that the bundle's head tells tells
//! such a file from one that was changed.

use std::io::{Read, Write};

use sealed_file::{Identity, OpenError, Recipient};
use sync_core::bundle::length_of;

/// Bytes sealed at once, and what a seal adds to them.
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const NONCE: usize = 16;

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
}

impl SealError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::KeyNeeded => "seal-key-needed",
            Self::KeyWrong => "seal-key-wrong",
            Self::Header => "seal-header-damaged",
            Self::Broken => "seal-broken",
        }
    }
}

impl From<OpenError> for SealError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::KeyNeeded => Self::KeyNeeded,
            OpenError::KeyWrong => Self::KeyWrong,
            OpenError::Header => Self::Header,
            OpenError::Files(_) => Self::Broken,
        }
    }
}

/// Seals bytes to public keys, of which there is at least one.
pub fn seal(plain: &[u8], to: &[Recipient]) -> std::io::Result<Vec<u8>> {
    let mut sealed = sealed_file::seal(Vec::new(), to)?;
    sealed.write_all(plain)?;
    sealed.finish()
}

/// Opens a sealed bundle: its bytes, or those of its beginning if the file ends early.
pub fn unseal(bytes: &[u8], identities: &[Identity]) -> Result<Vec<u8>, SealError> {
    let mut reader = sealed_file::open(bytes, identities)?;
    let mut plain = Vec::new();
    // What was read before a failure stays in `plain`: whole pieces.
    if reader.read_to_end(&mut plain).is_ok() {
        return Ok(plain);
    }
    let content = content_length(bytes).ok_or(SealError::Header)?;
    match sealed_length(&plain) {
        Some(whole) if content < whole && all_of(content) == plain.len() => Ok(plain),
        Some(_) | None => Err(SealError::Broken),
    }
}

/// Bytes behind the header, which ends with the line of its checksum and a nonce.
fn content_length(bytes: &[u8]) -> Option<usize> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut header = 0;
    loop {
        let line = lines.next()?;
        header += line.len();
        if line.starts_with(b"--- ") {
            return bytes.len().checked_sub(header + NONCE);
        }
    }
}

/// How many bytes the whole pieces of that much sealed content hold.
fn all_of(content: usize) -> usize {
    content / (CHUNK + TAG) * CHUNK
}

/// How long the sealed content of the bundle is that begins like this.
fn sealed_length(plain: &[u8]) -> Option<usize> {
    let length = usize::try_from(length_of(plain).ok()?).ok()?;
    let chunks = length.div_ceil(CHUNK).max(1);
    length.checked_add(chunks.checked_mul(TAG)?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let key = Identity::generate();
        let sealed = seal(&plain, &[key.recipient()]).unwrap();
        let keys = [key];
        let header = sealed.len() - plain.len() - 16 - plain.len().div_ceil(CHUNK) * TAG;
        for cut in (0..sealed.len()).step_by(1_009).chain([sealed.len() - 1]) {
            let opened = unseal(&sealed[..cut], &keys);
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
            let opened = unseal(&bytes, &keys);
            assert!(opened.is_err(), "byte {at}");
        }
    }
}
