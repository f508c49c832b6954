//! What is inside a piece before it is sealed: a head, the records, an end, a signature.
//!
//! Frames, each a big-endian `u32` length and so many bytes, the first of which says what it is:
//!
//! ```text
//! H  u8 version = 1, [32] hash of the sealed piece before (zero in the first), var number, svar made at,
//!    var count, then for each file of keys, and what makes a node an edge, its name and its bytes
//! R  a record of the journal: its body
//! E  var records, var catalogue number, fingerprint
//! S  [32] public node key, [64] its signature over H("backup piece", BLAKE3 of all frames before)
//! ```

use std::io::{self, Read, Write};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::identity::labelled_hash;
use sync_core::log::Fingerprint;

use super::FRAME_BYTES_MAX;

const VERSION: u8 = 1;
/// Files beside the journal, and bytes of one: an edge's holds the certificate of an authority.
const SECRETS_MAX: usize = 16;
const SECRET_BYTES_MAX: usize = 64 * 1_024;

/// Why a piece cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PieceError {
    /// The file, or its seal: it was changed, or ends too early.
    #[error("it was changed or ends too early ({0})")]
    Files(#[from] io::Error),
    /// What is in it is not of the form.
    #[error("it is not of the form of a backup: {0}")]
    Form(&'static str),
    /// A later program made it.
    #[error("it was made by a later version of the program (form {0})")]
    Newer(u8),
    /// Its signature does not hold.
    #[error("its signature does not hold")]
    Signature,
}

impl From<DecodeError> for PieceError {
    fn from(_: DecodeError) -> Self {
        Self::Form("a field cannot be read")
    }
}

/// How a piece begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// BLAKE3 of the sealed piece before; zero in the first.
    pub(super) previous: [u8; 32],
    pub(super) number: u64,
    pub(super) made_at: i64,
    /// Names and contents of the files of keys, and of what makes a node an edge.
    pub(super) secrets: Vec<(String, Vec<u8>)>,
}

/// How a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Records in this piece.
    pub(super) records: u64,
    /// The last catalogue record up to here.
    pub(super) catalogue_number: u64,
    /// All accepted parts up to here.
    pub(super) fingerprint: Fingerprint,
}

fn signed_over(hash: &blake3::Hasher) -> [u8; 32] {
    labelled_hash("backup piece", &[hash.finalize().as_bytes()])
}

/// Writes a piece.
pub(super) struct PieceWriter<W> {
    to: W,
    hash: blake3::Hasher,
}

impl<W: Write> PieceWriter<W> {
    pub(super) fn begin(to: W, head: &Head) -> io::Result<Self> {
        let mut bytes = Writer::new();
        bytes.u8(b'H').u8(VERSION).raw(&head.previous);
        bytes.var(head.number).svar(head.made_at);
        bytes.var(head.secrets.len() as u64);
        for (name, secret) in &head.secrets {
            bytes.text(name).bytes(secret);
        }
        let mut writer = Self {
            to,
            hash: blake3::Hasher::new(),
        };
        writer.frame(&[bytes.as_slice()])?;
        Ok(writer)
    }

    fn frame(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(io::Error::other)?;
        for bytes in [&length.to_be_bytes()[..]].iter().chain(parts) {
            self.hash.update(bytes);
            self.to.write_all(bytes)?;
        }
        Ok(())
    }

    pub(super) fn record(&mut self, record: &[u8]) -> io::Result<()> {
        self.frame(&[b"R", record])
    }

    /// Ends and signs it, and hands back what it was written to.
    pub(super) fn end(mut self, end: &End, key: &SigningKey) -> io::Result<W> {
        let mut bytes = Writer::new();
        bytes.u8(b'E').var(end.records).var(end.catalogue_number);
        end.fingerprint.write(&mut bytes);
        self.frame(&[bytes.as_slice()])?;
        let signature = key.sign(&signed_over(&self.hash)).to_bytes();
        self.frame(&[b"S", key.verifying_key().as_bytes(), &signature])?;
        Ok(self.to)
    }
}

/// Reads a piece: its head, then [`PieceReader::record`] until there is none, then the end.
pub(super) struct PieceReader<R> {
    from: R,
    hash: blake3::Hasher,
    pub(super) head: Head,
    end: Option<End>,
}

impl<R: Read> PieceReader<R> {
    pub(super) fn begin(from: R) -> Result<Self, PieceError> {
        let head = Head {
            previous: [0; 32],
            number: 0,
            made_at: 0,
            secrets: Vec::new(),
        };
        let mut reader = Self {
            from,
            hash: blake3::Hasher::new(),
            head,
            end: None,
        };
        let frame = reader.frame()?;
        let mut fields = Reader::new(&frame);
        if fields.u8("kind")? != b'H' {
            return Err(PieceError::Form("it does not begin with a head"));
        }
        match fields.u8("version")? {
            VERSION => {}
            later if later > VERSION => return Err(PieceError::Newer(later)),
            _ => return Err(PieceError::Form("version")),
        }
        reader.head.previous = fields.array("piece before")?;
        reader.head.number = fields.var("number")?;
        reader.head.made_at = fields.svar("made at")?;
        for _ in 0..fields.count(SECRETS_MAX, "secrets")? {
            let name = fields.name("name of a secret")?.to_owned();
            let secret = fields.bytes(SECRET_BYTES_MAX, "secret")?.to_vec();
            reader.head.secrets.push((name, secret));
        }
        fields.end("head")?;
        Ok(reader)
    }

    fn frame(&mut self) -> Result<Vec<u8>, PieceError> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        self.hash.update(&length);
        let count = u32::from_be_bytes(length) as usize;
        if count > FRAME_BYTES_MAX {
            return Err(PieceError::Form("a frame is too long"));
        }
        let mut bytes = vec![0; count];
        self.from.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    /// The next record; none at the end.
    pub(super) fn record(&mut self) -> Result<Option<Vec<u8>>, PieceError> {
        let mut frame = self.frame()?;
        match frame.first() {
            Some(b'R') => Ok(Some(frame.split_off(1))),
            Some(b'E') => {
                let mut fields = Reader::new(frame.get(1..).unwrap_or_default());
                self.end = Some(End {
                    records: fields.var("records")?,
                    catalogue_number: fields.var("catalogue number")?,
                    fingerprint: Fingerprint::read(&mut fields)?,
                });
                fields.end("end")?;
                Ok(None)
            }
            Some(_) | None => Err(PieceError::Form("neither a record nor an end")),
        }
    }

    /// The end, signed, and the key that signed it; nothing follows.
    pub(super) fn end(mut self) -> Result<(End, [u8; 32]), PieceError> {
        let signed = signed_over(&self.hash);
        let frame = self.frame()?;
        let mut fields = Reader::new(&frame);
        if fields.u8("kind")? != b'S' {
            return Err(PieceError::Form("it is not signed"));
        }
        let key: [u8; 32] = fields.array("key")?;
        let signature: [u8; 64] = fields.array("signature")?;
        fields.end("signature")?;
        let holds = VerifyingKey::from_bytes(&key).is_ok_and(|key| {
            let signature = Signature::from_bytes(&signature);
            key.verify_strict(&signed, &signature).is_ok()
        });
        // A seal tells that it is whole only when it is read to its end.
        if self.from.read(&mut [0])? != 0 {
            return Err(PieceError::Form("something follows its end"));
        }
        match self.end {
            Some(end) if holds => Ok((end, key)),
            Some(_) => Err(PieceError::Signature),
            None => Err(PieceError::Form("it has no end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::identity::PartId;

    fn head() -> Head {
        Head {
            previous: [9; 32],
            number: 2,
            made_at: -3,
            secrets: vec![("node.key".to_owned(), b"07".to_vec())],
        }
    }

    fn end() -> End {
        End {
            records: 2,
            catalogue_number: 4,
            fingerprint: Fingerprint::of(PartId([5; 32])),
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[6; 32])
    }

    fn written() -> Vec<u8> {
        let mut piece = PieceWriter::begin(Vec::new(), &head()).unwrap();
        piece.record(b"one").unwrap();
        piece.record(b"").unwrap();
        piece.end(&end(), &key()).unwrap()
    }

    type Whole = (Head, Vec<Vec<u8>>, End, [u8; 32]);

    fn read(bytes: &[u8]) -> Result<Whole, PieceError> {
        let mut piece = PieceReader::begin(bytes)?;
        let mut records = Vec::new();
        while let Some(record) = piece.record()? {
            records.push(record);
        }
        let head = piece.head.clone();
        let (end, key) = piece.end()?;
        Ok((head, records, end, key))
    }

    #[test]
    fn a_piece_reads_as_it_was_written() {
        let records = vec![b"one".to_vec(), Vec::new()];
        let expected = (head(), records, end(), key().verifying_key().to_bytes());
        assert_eq!(read(&written()).unwrap(), expected);
    }

    /// Whoever can seal to the public key can make a piece; only the node can sign it.
    #[test]
    fn every_flipped_bit_every_cut_and_everything_behind_it_is_refused() {
        let bytes = written();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&changed).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(read(&longer), Err(PieceError::Form(_))));
        let mut later = bytes;
        later[5] = 2;
        assert!(matches!(read(&later), Err(PieceError::Newer(2))));
    }
}
