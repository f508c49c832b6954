//! Batches: what a person sealed on a device, signed, numbered, chained, in parts by partition.
//!
//! A [`Header`] is signed once and covers every [`Part`] through a Merkle root, so that a node may
//! keep and relay only the parts it may hold. What moves between nodes is a [`SignedPart`]: header,
//! signature, Merkle path, part and changes. Reading one checks form only; [`SignedPart::verify`]
//! checks the signature and the path and is the only maker of a [`VerifiedPart`], which is what the
//! log asks for. Bytes: `docs/formats.md` section 4.

pub mod attestation;
pub mod merkle;
pub mod part;
pub mod seal;
pub mod signed_part;
#[cfg(test)]
mod tests;

pub use attestation::{Attestation, AttestationError, Statement, Vouched};
pub use part::{Compartment, Entry, Part, Partition};
pub use seal::{ChainTip, NewPart, PartitionTip, SealError, Sealer, seal, tip_after};
pub use signed_part::{BarePart, SignedPart, VerifiedPart, VerifyError};

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ActorId, BatchId, InstallationId, KeyId, PartId, ProvinceId, labelled_hash};
use crate::limits;

/// The version of the batch format that this code writes and reads.
pub const SCHEMA: u8 = 1;

/// The signed head of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The province it is meant for.
    pub province: ProvinceId,
    /// The key that signs it.
    pub key: KeyId,
    /// The installation it was sealed on.
    pub installation: InstallationId,
    /// Its number on its chain, from 1.
    pub number: u64,
    /// The batch before it on its chain; zeros for the first.
    pub previous: BatchId,
    /// When it was sealed: a claim, seconds since 1970 UTC.
    pub sealed_at: i64,
    /// How many parts it has.
    pub parts: u32,
    /// Merkle root over the part hashes.
    pub root: [u8; 32],
}

impl Header {
    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(SCHEMA)
            .raw(&self.province.0)
            .raw(&self.key.0)
            .raw(&self.installation.0);
        writer
            .var(self.number)
            .raw(&self.previous.0)
            .svar(self.sealed_at);
        writer.var(u64::from(self.parts)).raw(&self.root);
        writer.into_bytes()
    }

    /// Reads the bytes, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("schema")? != SCHEMA {
            return Err(DecodeError::Undefined("schema of the batch"));
        }
        let header = Self {
            province: ProvinceId(reader.array("province")?),
            key: KeyId(reader.array("key")?),
            installation: InstallationId(reader.array("installation")?),
            number: reader.var("batch number")?,
            previous: BatchId(reader.array("previous batch")?),
            sealed_at: reader.svar("sealing time")?,
            parts: u32::try_from(reader.count(limits::PARTS_PER_BATCH_MAX, "parts")?)
                .map_err(|_| DecodeError::Limit("parts"))?,
            root: reader.array("root")?,
        };
        reader.end("header")?;
        if header.number == 0 || header.parts == 0 {
            return Err(DecodeError::Undefined("batch number or count of parts"));
        }
        if (header.number == 1) != (header.previous == BatchId([0; 32])) {
            return Err(DecodeError::Undefined("previous batch of the first batch"));
        }
        Ok(header)
    }

    /// The chain it belongs to.
    pub fn actor(&self) -> ActorId {
        ActorId::of(self.key, self.installation)
    }

    /// The batch id: the hash of the header.
    pub fn id(&self) -> BatchId {
        batch_id(&self.encode())
    }
}

/// The batch id of header bytes.
pub fn batch_id(header: &[u8]) -> BatchId {
    BatchId(labelled_hash("header", &[header]))
}

/// The id of one part of a batch.
pub fn part_id(batch: BatchId, index: u32) -> PartId {
    PartId(labelled_hash("part id", &[&batch.0, &[index as u8]]))
}

fn signed_message(header: &[u8]) -> [u8; 32] {
    labelled_hash("batch signature", &[header])
}
