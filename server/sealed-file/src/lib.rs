//! Files sealed to public keys, in the age format (age-encryption.org/v1, X25519).
//!
//! Bundles that travel on a stick and backups that lie on somebody else's disk are sealed this way: who
//! writes them needs a public key alone, and any program of the format opens them with the secret one.
//! The format is authenticated piece by piece (64 KiB), so a changed file is refused; it says nothing of
//! who wrote it, which is for what is inside to say.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::x25519;
use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use curve25519_dalek::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity;

pub use age::stream::{StreamReader, StreamWriter};

/// The first line of a sealed file.
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form `age1…`, or damaged in copying.
    #[error("this is no public key (age1…)")]
    Recipient,
    /// Everybody could open what is sealed to it.
    #[error("this public key protects nothing")]
    Weak,
    /// A line of a key file is neither a comment nor `AGE-SECRET-KEY-1…`, or there is none.
    #[error("the file holds no secret key (AGE-SECRET-KEY-1…)")]
    Identity,
}

/// Why a sealed file is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No key was given.
    #[error("the file is sealed and no key was given")]
    KeyNeeded,
    /// None of the keys opens it.
    #[error("none of the keys opens the file")]
    KeyWrong,
    /// Its header is not of the format: changed on the way, or cut.
    #[error("the header of the sealed file cannot be read")]
    Header,
    /// It could not be read.
    #[error("the sealed file cannot be read: {0}")]
    Files(#[source] io::Error),
}

/// The key that something is sealed to; it opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(x25519::Recipient);

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key: x25519::Recipient = text.parse().map_err(|_| KeyError::Recipient)?;
        // The library ends the process when it seals to one of the few points of small order.
        let (_, bytes) = bech32::decode(text).map_err(|_| KeyError::Recipient)?;
        let point: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Recipient)?;
        match MontgomeryPoint(point).mul_clamped([1; 32]).is_identity() {
            true => Err(KeyError::Weak),
            false => Ok(Self(key)),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The secret that opens what is sealed to its recipient.
#[derive(Clone)]
pub struct Identity(x25519::Identity);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// A new one, of the system's random bytes.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Its recipient.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// The text of a key file that holds it.
    pub fn file_text(&self) -> String {
        let secret = self.0.to_string();
        let secret = secret.expose_secret();
        format!("# public key: {}\n{secret}\n", self.recipient())
    }
}

/// Reads a key file: one secret key on a line, `#` begins a comment.
pub fn read_identities(text: &str) -> Result<Vec<Identity>, KeyError> {
    let lines = text.lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = keys.map(|line| line.parse().map(Identity).map_err(|_| KeyError::Identity));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err(KeyError::Identity),
        false => Ok(keys),
    }
}

/// True if a file begins like a sealed one.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(FIRST_LINE)
}

/// Begins a sealed file. What is written to the result is sealed; [`StreamWriter::finish`] ends it, and
/// a file that was not ended does not open as a whole.
///
/// Fails with `InvalidInput` if there is no recipient, and as `to` fails.
pub fn seal<W: Write>(to: W, recipients: &[Recipient]) -> io::Result<StreamWriter<W>> {
    let keys = recipients.iter().map(|key| &key.0 as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(keys).map_err(|error| match error {
        EncryptError::Io(error) => error,
        EncryptError::EncryptedIdentities(_)
        | EncryptError::IncompatibleRecipients { .. }
        | EncryptError::InvalidRecipientLabels(_)
        | EncryptError::MissingRecipients
        | EncryptError::MixedRecipientAndPassphrase
        | _ => io::Error::new(io::ErrorKind::InvalidInput, "nobody to seal to"),
    })?;
    encryptor.wrap_output(to)
}

/// Opens a sealed file. Reading from the result gives what was sealed, piece by piece, and fails at a
/// piece that was changed or is missing.
pub fn open<R: Read>(from: R, identities: &[Identity]) -> Result<StreamReader<R>, OpenError> {
    if identities.is_empty() {
        return Err(OpenError::KeyNeeded);
    }
    let keys = identities.iter().map(|key| &key.0 as &dyn age::Identity);
    let opened = Decryptor::new(from).and_then(|sealed| sealed.decrypt(keys));
    opened.map_err(|error| match error {
        DecryptError::NoMatchingKeys => OpenError::KeyWrong,
        DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            OpenError::Files(error)
        }
        DecryptError::Io(_)
        | DecryptError::DecryptionFailed
        | DecryptError::ExcessiveWork { .. }
        | DecryptError::InvalidHeader
        | DecryptError::InvalidMac
        | DecryptError::KeyDecryptionFailed
        | DecryptError::UnknownFormat
        | _ => OpenError::Header,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that another program of the format made.
    const SECRET: &str =
        "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    fn sealed(plain: &[u8], to: &[Recipient]) -> Vec<u8> {
        let mut writer = seal(Vec::new(), to).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(bytes: &[u8], keys: &[Identity]) -> Result<Vec<u8>, String> {
        let mut reader = open(bytes, keys).map_err(|error| error.to_string())?;
        let mut plain = Vec::new();
        let read = reader.read_to_end(&mut plain);
        read.map(|_| plain).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_read_as_they_are_written() {
        let keys = read_identities(&format!("# made on a day\n\n{SECRET}\n")).unwrap();
        assert_eq!(keys[0].recipient().to_string(), PUBLIC);
        assert_eq!(PUBLIC.parse(), Ok(keys[0].recipient()));
        let made = Identity::generate();
        let again = read_identities(&made.file_text()).unwrap();
        assert_eq!(again[0].recipient(), made.recipient());
        for wrong in ["", "# nothing\n", "age1q\n", PUBLIC] {
            assert!(read_identities(wrong).is_err(), "{wrong}");
        }
        for at in 4..PUBLIC.len() {
            let mut wrong = PUBLIC.to_owned().into_bytes();
            wrong[at] = if wrong[at] == b'q' { b'p' } else { b'q' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(
                wrong.parse::<Recipient>(),
                Err(KeyError::Recipient),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_key_that_protects_nothing_is_refused() {
        let prefix = bech32::Hrp::parse("age").unwrap();
        for first in [0, 1] {
            let mut point = [0; 32];
            point[0] = first;
            let text = bech32::encode::<bech32::Bech32>(prefix, &point).unwrap();
            assert_eq!(text.parse::<Recipient>(), Err(KeyError::Weak));
        }
    }

    #[test]
    fn what_is_sealed_opens_with_each_key_and_no_other() {
        let keys = [Identity::generate(), Identity::generate()];
        let to = keys.each_ref().map(Identity::recipient);
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let plain = vec![7; length];
            let sealed = sealed(&plain, &to);
            assert!(is_sealed(&sealed));
            for key in &keys {
                let stranger = Identity::generate();
                assert_eq!(opened(&sealed, &[stranger, key.clone()]), Ok(plain.clone()));
            }
            let wrong = open(&*sealed, &[Identity::generate()]);
            assert!(matches!(wrong, Err(OpenError::KeyWrong)));
            assert!(matches!(open(&*sealed, &[]), Err(OpenError::KeyNeeded)));
        }
        assert!(seal(Vec::new(), &[]).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let key = Identity::generate();
        let sealed = sealed(&[7; 40], &[key.recipient()]);
        let keys = [key];
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(&bytes, &keys).is_err(), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(opened(&sealed[..cut], &keys).is_err(), "cut at {cut}");
        }
    }
}
