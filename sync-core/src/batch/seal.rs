//! Sealing: from changes to signed parts.

use ed25519_dalek::{Signer, SigningKey};

use super::part::part_hash;
use super::{Entry, Header, Part, Partition, SignedPart, batch_id, merkle, signed_message};
use crate::identity::{ActorId, BatchId, InstallationId, KeyId, ProvinceId};
use crate::limits;

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is nothing to seal, or a part has no entries.
    #[error("there is nothing to seal")]
    Nothing,
    /// More than fits one batch or one part; seal in several.
    #[error("{0} is over its limit for one batch")]
    Limit(&'static str),
    /// Entries and changes do not pair up.
    #[error("a change entry has no change, or a change no entry")]
    Unpaired,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTip {
    /// Number of its last batch; 0 before the first.
    pub number: u64,
    /// That batch; zeros before the first.
    pub batch: BatchId,
}

impl Default for ChainTip {
    fn default() -> Self {
        Self {
            number: 0,
            batch: BatchId([0; 32]),
        }
    }
}

/// Where a chain stands in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartitionTip {
    /// Number of its last part there; 0 before the first.
    pub number: u64,
    /// Hash of that part; zeros before the first.
    pub hash: [u8; 32],
}

/// What is to become one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPart {
    /// Whose documents.
    pub partition: Partition,
    /// Where the chain stands in that partition.
    pub tip: PartitionTip,
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// The change bytes of the change entries, in order.
    pub changes: Vec<Vec<u8>>,
}

/// Who seals: a key on an installation, for a province.
#[derive(Debug, Clone)]
pub struct Sealer {
    /// The province.
    pub province: ProvinceId,
    /// The installation.
    pub installation: InstallationId,
    /// The private key.
    pub key: SigningKey,
}

impl Sealer {
    /// The id of the key.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(self.key.verifying_key().as_bytes())
    }
    /// The chain that this sealer writes.
    pub fn actor(&self) -> ActorId {
        ActorId::of(self.key_id(), self.installation)
    }
}

/// Seals one batch after `tip`. `sealed_at` is this device's claim.
pub fn seal(
    sealer: &Sealer,
    tip: ChainTip,
    sealed_at: i64,
    new_parts: Vec<NewPart>,
) -> Result<Vec<SignedPart>, SealError> {
    if new_parts.is_empty() || new_parts.iter().any(|part| part.entries.is_empty()) {
        return Err(SealError::Nothing);
    }
    if new_parts.len() > limits::PARTS_PER_BATCH_MAX {
        return Err(SealError::Limit("count of parts"));
    }
    if new_parts
        .iter()
        .any(|part| part.entries.len() > limits::ENTRIES_PER_PART_MAX)
    {
        return Err(SealError::Limit("count of entries"));
    }
    let paired = |part: &NewPart| {
        let named = part
            .entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Change { .. }));
        named.count() == part.changes.len()
    };
    if !new_parts.iter().all(paired) {
        return Err(SealError::Unpaired);
    }
    let (parts, changes): (Vec<_>, Vec<_>) = new_parts
        .into_iter()
        .map(|new| {
            let (number, previous) = (new.tip.number + 1, new.tip.hash);
            let part = Part {
                partition: new.partition,
                number,
                previous,
                entries: new.entries,
            };
            (part, new.changes)
        })
        .unzip();
    let hashes: Vec<_> = parts.iter().map(|part| part_hash(&part.encode())).collect();
    let header = Header {
        province: sealer.province,
        key: sealer.key_id(),
        installation: sealer.installation,
        number: tip.number + 1,
        previous: tip.batch,
        sealed_at,
        parts: parts.len() as u32,
        root: merkle::root(&hashes),
    };
    let signature = sealer
        .key
        .sign(&signed_message(&header.encode()))
        .to_bytes();
    let signed: Vec<_> = parts
        .into_iter()
        .zip(changes)
        .enumerate()
        .map(|(index, (part, changes))| {
            let siblings = merkle::path(&hashes, index);
            SignedPart::new(&header, signature, index as u32, siblings, part, changes)
        })
        .collect();
    if signed
        .iter()
        .any(|part| part.encode().len() > limits::SIGNED_PART_BYTES_MAX)
    {
        return Err(SealError::Limit("bytes of a part"));
    }
    Ok(signed)
}

/// The tips after a sealed batch.
pub fn tip_after(parts: &[SignedPart]) -> Option<ChainTip> {
    let header = parts.first()?.header();
    Some(ChainTip {
        number: header.number,
        batch: batch_id(&header.encode()),
    })
}
