//! The pieces of a bundle: each is read, checked and used by itself.

use super::head::Chain;
use crate::batch::SignedPart;
use crate::catalogue::SignedRecord;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{PartId, labelled_hash};
use crate::limits;
use crate::log::HeldReason;
use crate::sync::Receipt;

/// Parts of one chain that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The chain, by its place in the head.
    pub chain: usize,
    /// The batch of the first part.
    pub first: u64,
    /// The batch of the last part.
    pub last: u64,
    /// How many parts.
    pub parts: u64,
}

/// What kind of things a piece holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Catalogue records.
    Records,
    /// Signed parts.
    Parts,
    /// Receipts, and what is held.
    Receipts,
}

/// What a piece holds, as the head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Catalogue records from a number on.
    Records {
        /// The first number.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Signed parts.
    Parts(Vec<Run>),
    /// Receipts, and parts held at a node.
    Receipts {
        /// How many receipts.
        receipts: u64,
        /// How many parts held.
        held: u64,
    },
}

/// A piece as the head names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceHead {
    /// What it holds.
    pub holds: Holds,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its hash.
    pub hash: [u8; 32],
}

impl PieceHead {
    /// Runs of parts; none in a piece of another kind.
    pub fn runs(&self) -> &[Run] {
        match &self.holds {
            Holds::Parts(runs) => runs,
            Holds::Records { .. } | Holds::Receipts { .. } => &[],
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match &self.holds {
            Holds::Records { .. } => Kind::Records,
            Holds::Parts(_) => Kind::Parts,
            Holds::Receipts { .. } => Kind::Receipts,
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        let tag = match self.kind() {
            Kind::Records => 1,
            Kind::Parts => 2,
            Kind::Receipts => 3,
        };
        to.u8(tag).var(self.bytes as u64).raw(&self.hash);
        match &self.holds {
            Holds::Records { first, count } => {
                to.var(*first).var(*count);
            }
            Holds::Parts(runs) => {
                to.var(runs.len() as u64);
                for run in runs {
                    to.var(run.chain as u64).var(run.first);
                    to.var(run.last).var(run.parts);
                }
            }
            Holds::Receipts { receipts, held } => {
                to.var(*receipts).var(*held);
            }
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = from.u8("kind of piece")?;
        let bytes = from.count(limits::BUNDLE_PIECE_BYTES_MAX, "piece")?;
        let hash = from.array("piece")?;
        let holds = match kind {
            1 => Holds::Records {
                first: from.var("record")?,
                count: from.var("records")?,
            },
            2 => {
                let count = from.count(limits::BUNDLE_PIECE_BYTES_MAX, "runs")?;
                let runs = (0..count).map(|_| read_run(from));
                Holds::Parts(runs.collect::<Result<_, _>>()?)
            }
            3 => Holds::Receipts {
                receipts: from.var("receipts")?,
                held: from.var("parts held")?,
            },
            _ => return Err(DecodeError::Undefined("kind of piece")),
        };
        let empty = match &holds {
            Holds::Records { first, count } => {
                *first == 0 || *count == 0 || first.checked_add(*count).is_none()
            }
            Holds::Parts(runs) => runs.is_empty(),
            Holds::Receipts { receipts, held } => *receipts == 0 && *held == 0,
        };
        if empty {
            return Err(DecodeError::Undefined("piece that holds nothing"));
        }
        Ok(Self { holds, bytes, hash })
    }
}

fn read_run(from: &mut Reader<'_>) -> Result<Run, DecodeError> {
    let run = Run {
        chain: from.count(limits::BUNDLE_CHAINS_MAX, "chain")?,
        first: from.var("batch")?,
        last: from.var("batch")?,
        parts: from.var("parts")?,
    };
    if run.first == 0 || run.last < run.first || run.parts == 0 {
        return Err(DecodeError::Undefined("run of parts"));
    }
    Ok(run)
}

/// The hash by which a head names a piece.
pub(super) fn piece_hash(bytes: &[u8]) -> [u8; 32] {
    labelled_hash("bundle piece", &[bytes])
}

/// What a bundle carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// Catalogue records, ascending.
    pub records: Vec<SignedRecord>,
    /// Signed parts, in an order in which they can be taken.
    pub parts: Vec<SignedPart>,
    /// Receipts.
    pub receipts: Vec<Receipt>,
    /// Parts that a node keeps and a person decides about.
    pub held: Vec<(PartId, HeldReason)>,
}

impl Contents {
    /// True if there is nothing.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.parts.is_empty()
            && self.receipts.is_empty()
            && self.held.is_empty()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.records.extend(other.records);
        self.parts.extend(other.parts);
        self.receipts.extend(other.receipts);
        self.held.extend(other.held);
    }
}

/// The bytes of a piece.
pub(super) fn encode(kind: Kind, contents: &Contents) -> Vec<u8> {
    let mut to = Writer::new();
    match kind {
        Kind::Records => {
            to.var(contents.records.len() as u64);
            for record in &contents.records {
                to.bytes(&record.encode());
            }
        }
        Kind::Parts => {
            to.var(contents.parts.len() as u64);
            for part in &contents.parts {
                to.bytes(&part.encode());
            }
        }
        Kind::Receipts => {
            to.var(contents.receipts.len() as u64);
            for receipt in &contents.receipts {
                receipt.write(&mut to);
            }
            to.var(contents.held.len() as u64);
            for (part, reason) in &contents.held {
                to.raw(&part.0).u8(reason.tag());
            }
        }
    }
    to.into_bytes()
}

/// Reads the bytes of a piece, strictly.
pub(super) fn decode(kind: Kind, bytes: &[u8]) -> Result<Contents, DecodeError> {
    let (mut from, mut contents) = (Reader::new(bytes), Contents::default());
    match kind {
        Kind::Records => {
            for _ in 0..from.count(bytes.len(), "records")? {
                let record = from.bytes(bytes.len(), "record")?;
                let record = SignedRecord::decode(record);
                let record = record.map_err(|_| DecodeError::Undefined("record"))?;
                contents.records.push(record);
            }
        }
        Kind::Parts => {
            for _ in 0..from.count(bytes.len(), "parts")? {
                let part = from.bytes(limits::VOUCHED_PART_BYTES_MAX, "part")?;
                contents.parts.push(SignedPart::decode(part)?);
            }
        }
        Kind::Receipts => {
            for _ in 0..from.count(bytes.len(), "receipts")? {
                contents.receipts.push(Receipt::read(&mut from)?);
            }
            for _ in 0..from.count(bytes.len(), "parts held")? {
                let part = PartId(from.array("part")?);
                let reason = HeldReason::from_tag(from.u8("reason")?)?;
                contents.held.push((part, reason));
            }
        }
    }
    from.end("piece")?;
    Ok(contents)
}

/// The runs that parts make up. `place` tells the place of a chain in the head.
pub(super) fn runs<E>(
    parts: &[SignedPart],
    mut place: impl FnMut(Chain) -> Result<usize, E>,
) -> Result<Vec<Run>, E> {
    let mut runs: Vec<Run> = Vec::new();
    for part in parts {
        let header = part.header();
        let chain = place(Chain {
            key: header.key,
            installation: header.installation,
        })?;
        let number = header.number;
        match runs.last_mut() {
            Some(run)
                if run.chain == chain
                    && (run.last == number || run.last.checked_add(1) == Some(number)) =>
            {
                run.last = number;
                run.parts += 1;
            }
            Some(_) | None => runs.push(Run {
                chain,
                first: number,
                last: number,
                parts: 1,
            }),
        }
    }
    Ok(runs)
}
