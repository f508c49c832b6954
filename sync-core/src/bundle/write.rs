//! Writing a bundle: content cut into small pieces, named by a signed head.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};

use super::head::{BundleId, Chain, Cover, Head, bundle_id, signed_message};
use super::piece::{Contents, Holds, Kind, PieceHead, encode, piece_hash, runs};
use super::{BundleError, MAGIC, VERSION};
use crate::codec::{DecodeError, Writer};
use crate::limits;

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// Its name, which the next one names.
    pub id: BundleId,
    /// Its head.
    pub head: Head,
}

/// Writes a bundle. `key` is the issuer's.
pub fn write(cover: Cover, contents: Contents, key: &SigningKey) -> Result<Written, BundleError> {
    if contents.is_empty() {
        return Err(BundleError::Nothing);
    }
    let first_record = first_record(&contents)?;
    let mut pieces = Pieces::default();
    pieces.add_records(first_record, contents.records);
    pieces.add_parts(contents.parts);
    pieces.add_receipts(Contents {
        receipts: contents.receipts,
        held: contents.held,
        ..Contents::default()
    });
    let head = Head {
        cover,
        chains: pieces.chains,
        pieces: pieces.heads,
    };
    let bytes = head.encode();
    if bytes.len() > limits::BUNDLE_HEAD_BYTES_MAX
        || head.pieces.len() > limits::BUNDLE_PIECES_MAX
        || head.chains.len() > limits::BUNDLE_CHAINS_MAX
        || pieces.body.len() > limits::BUNDLE_BYTES_MAX
    {
        return Err(BundleError::TooLarge("content"));
    }
    let mut to = Writer::with_capacity(bytes.len() + pieces.body.len() + 96);
    to.raw(&MAGIC).u8(VERSION).bytes(&bytes);
    to.raw(&key.sign(&signed_message(&bytes)).to_bytes());
    to.raw(&pieces.body);
    Ok(Written {
        bytes: to.into_bytes(),
        id: bundle_id(&bytes),
        head,
    })
}

/// The number of the first record; the others follow it.
fn first_record(contents: &Contents) -> Result<u64, BundleError> {
    let Some(record) = contents.records.first() else {
        return Ok(0);
    };
    let number = record.number();
    number.ok_or(BundleError::Head(DecodeError::Undefined("record")))
}

#[derive(Default)]
struct Pieces {
    heads: Vec<PieceHead>,
    body: Vec<u8>,
    chains: Vec<Chain>,
    places: BTreeMap<Chain, usize>,
}

impl Pieces {
    fn add_records(&mut self, mut first: u64, records: Vec<crate::catalogue::SignedRecord>) {
        for records in cut(records, |record| record.encode().len()) {
            let count = records.len() as u64;
            let contents = Contents {
                records,
                ..Contents::default()
            };
            self.add(Kind::Records, Holds::Records { first, count }, &contents);
            first = first.saturating_add(count);
        }
    }

    fn add_parts(&mut self, parts: Vec<crate::batch::SignedPart>) {
        for parts in cut(parts, |part| part.encode().len()) {
            let (chains, places) = (&mut self.chains, &mut self.places);
            let runs = runs(&parts, |chain| {
                let place = *places.entry(chain).or_insert_with(|| {
                    chains.push(chain);
                    chains.len() - 1
                });
                Ok::<_, std::convert::Infallible>(place)
            });
            let runs = match runs {
                Ok(runs) => runs,
                Err(never) => match never {},
            };
            let contents = Contents {
                parts,
                ..Contents::default()
            };
            self.add(Kind::Parts, Holds::Parts(runs), &contents);
        }
    }

    fn add_receipts(&mut self, contents: Contents) {
        if contents.is_empty() {
            return;
        }
        let holds = Holds::Receipts {
            receipts: contents.receipts.len() as u64,
            held: contents.held.len() as u64,
        };
        self.add(Kind::Receipts, holds, &contents);
    }

    fn add(&mut self, kind: Kind, holds: Holds, contents: &Contents) {
        let bytes = encode(kind, contents);
        self.heads.push(PieceHead {
            holds,
            bytes: bytes.len(),
            hash: piece_hash(&bytes),
        });
        self.body.extend_from_slice(&bytes);
    }
}

/// Things in order, in portions of about one piece; a larger one is alone.
fn cut<T>(things: Vec<T>, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let (mut portions, mut portion, mut bytes) = (Vec::new(), Vec::new(), 0);
    for thing in things {
        let more = size(&thing);
        if !portion.is_empty() && bytes + more > limits::BUNDLE_PIECE_BYTES {
            portions.push(std::mem::take(&mut portion));
            bytes = 0;
        }
        bytes += more;
        portion.push(thing);
    }
    if !portion.is_empty() {
        portions.push(portion);
    }
    portions
}
