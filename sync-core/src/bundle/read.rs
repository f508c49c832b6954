//! Reading a bundle: the head first, then every piece that is whole.

use std::collections::BTreeMap;

use super::head::{BundleId, Chain, Head, bundle_id, verify};
use super::holdings::Holdings;
use super::piece::{Contents, Holds, PieceHead, decode, piece_hash, runs};
use super::{BundleError, MAGIC, VERSION};
use crate::codec::{DecodeError, Reader};
use crate::limits;

/// What is done about a piece that was changed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The file is refused.
    Refuse,
    /// The piece is left out, the others are used: a person asked for it.
    LeaveOut,
}

/// Why a piece is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The file ends before its end.
    Missing,
    /// It was changed on the way.
    Damaged,
}

/// A bundle whose head holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its name.
    pub id: BundleId,
    /// Its head.
    pub head: Head,
    /// What its whole pieces carry.
    pub contents: Contents,
    /// For each piece, why it is not in the contents, if it is not.
    lacks: Vec<Option<Lack>>,
}

impl Opened {
    /// True if every piece is here.
    pub fn is_whole(&self) -> bool {
        self.lacks.iter().all(Option::is_none)
    }

    /// The pieces that are not here, from 1, with what the head says of them.
    pub fn lacking(&self) -> impl Iterator<Item = (usize, Lack, &PieceHead)> {
        let pairs = (1..).zip(self.lacks.iter().zip(&self.head.pieces));
        pairs.filter_map(|(number, (lack, piece))| Some((number, (*lack)?, piece)))
    }

    /// Everything that the head names.
    pub fn holdings(&self) -> Holdings {
        self.head.holdings()
    }

    /// What the head names and is not here.
    pub fn missing(&self) -> Holdings {
        let lacking = self.lacking().map(|(_, _, piece)| piece);
        Holdings::of(&self.head.chains, lacking)
    }
}

/// The parts of a file before its pieces.
struct Front<'a> {
    head: &'a [u8],
    signature: [u8; 64],
    body: &'a [u8],
}

fn front(bytes: &[u8]) -> Result<Front<'_>, BundleError> {
    let cut = |error| match error {
        DecodeError::Truncated(_) => BundleError::HeadCut,
        DecodeError::Limit(_) => BundleError::TooLarge("head"),
        DecodeError::Integer(_)
        | DecodeError::Text(_)
        | DecodeError::Undefined(_)
        | DecodeError::LeftOver(_) => BundleError::Head(error),
    };
    let mut from = Reader::new(bytes);
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(BundleError::HeadCut);
    }
    if from.raw(MAGIC.len(), "magic") != Ok(&MAGIC) {
        return Err(BundleError::NotOne);
    }
    match from.u8("version").map_err(cut)? {
        VERSION => {}
        other => return Err(BundleError::Version(other)),
    }
    let head = from
        .bytes(limits::BUNDLE_HEAD_BYTES_MAX, "head")
        .map_err(cut)?;
    let signature = from.array("signature").map_err(cut)?;
    Ok(Front {
        head,
        signature,
        body: from.rest(),
    })
}

fn checked_head(front: &Front<'_>) -> Result<Head, BundleError> {
    let head = Head::decode(front.head).map_err(BundleError::Head)?;
    verify(&head.cover.issuer, front.head, &front.signature)?;
    Ok(head)
}

/// How long the whole file is, if its head is here and holds.
pub fn length_of(bytes: &[u8]) -> Result<u64, BundleError> {
    let front = front(bytes)?;
    let pieces = checked_head(&front)?.pieces;
    let pieces: u64 = pieces.iter().map(|piece| piece.bytes as u64).sum();
    Ok((bytes.len() - front.body.len()) as u64 + pieces)
}

/// Reads a bundle. A file that ends early gives the pieces that are whole.
pub fn open(bytes: &[u8], damage: Damage) -> Result<Opened, BundleError> {
    let front = front(bytes)?;
    let head = checked_head(&front)?;
    let (mut contents, mut lacks) = (Contents::default(), Vec::new());
    let (mut rest, pieces) = (front.body, head.pieces.len());
    let places: BTreeMap<Chain, usize> = head.chains.iter().copied().zip(0..).collect();
    for (number, piece) in (1..).zip(&head.pieces) {
        let Some((found, after)) = rest.split_at_checked(piece.bytes) else {
            // What follows an incomplete piece cannot be there.
            rest = &[];
            lacks.push(Some(Lack::Missing));
            continue;
        };
        rest = after;
        if piece_hash(found) != piece.hash {
            if damage == Damage::Refuse {
                return Err(BundleError::Damaged {
                    piece: number,
                    pieces,
                });
            }
            lacks.push(Some(Lack::Damaged));
            continue;
        }
        let wrong = BundleError::Misdescribed {
            piece: number,
            pieces,
        };
        contents.add(content(&head, &places, piece, found).ok_or(wrong)?);
        lacks.push(None);
    }
    if !rest.is_empty() {
        return Err(BundleError::LeftOver);
    }
    Ok(Opened {
        id: bundle_id(front.head),
        head,
        contents,
        lacks,
    })
}

/// What a piece carries, if it is what the head says of it.
fn content(
    head: &Head,
    places: &BTreeMap<Chain, usize>,
    piece: &PieceHead,
    bytes: &[u8],
) -> Option<Contents> {
    let contents = decode(piece.kind(), bytes).ok()?;
    let fits = match &piece.holds {
        Holds::Records { first, count } => {
            let numbers = contents.records.iter().map(|record| record.number());
            *count == contents.records.len() as u64
                && numbers.eq((*first..).take(contents.records.len()).map(Some))
        }
        Holds::Parts(told) => {
            let place = |chain: Chain| places.get(&chain).copied().ok_or(());
            let ours =
                |part: &crate::batch::SignedPart| part.header().province == head.cover.province;
            contents.parts.iter().all(ours) && runs(&contents.parts, place).as_ref() == Ok(told)
        }
        Holds::Receipts { receipts, held } => {
            *receipts == contents.receipts.len() as u64 && *held == contents.held.len() as u64
        }
    };
    fits.then_some(contents)
}
