//! One part with its header, signature and Merkle path: what nodes keep, relay and number.
//!
//! Instead of its author's signature a part can carry a node's word ([`super::attestation`]). Which of the
//! two it is decides its first byte, and no reader can take one for the other.

use std::sync::Arc;

use ed25519_dalek::{Signature, VerifyingKey};

use super::attestation::{Attestation, AttestationError, Vouched};
use super::part::part_hash;
use super::{Entry, Header, Part, batch_id, merkle, part_id, signed_message};
use crate::codec::{DecodeError, Reader, Writer};
use crate::gate;
use crate::identity::{ActorId, BatchId, DocumentId, KeyId, PartId};
use crate::limits;

/// Why a part of good form is not what its signer sealed. Final; nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The public key is not the one the header names, or no key at all.
    #[error("the key is not the one that the batch names")]
    Key,
    /// The signature is not the key's.
    #[error("the signature of the batch is not the device's")]
    Signature,
    /// The part does not belong under the signed root.
    #[error("the part does not belong to the signed batch")]
    Path,
    /// A change is not the one whose hash was signed: damaged or exchanged on the way.
    #[error("a change is not the one that the batch names")]
    Change,
    /// Its author's signature is not here: only a node vouches for it.
    #[error("the signature of its author is not here: a node vouches for it")]
    NotSigned,
    /// Nobody but its author vouches for it.
    #[error("no node vouches for it: its author signed it")]
    NotVouched,
    /// The node's word is not for this part, or not the province's.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
}

/// Whose word there is for a part.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Voucher {
    /// Its author's signature over the header.
    Author([u8; 64]),
    /// A node's, for a part that it had accepted.
    Node(Box<Vouched>),
}

/// First byte of a part with its author's signature.
const SIGNED: u8 = 0;
/// First byte of a part that a node vouches for.
const VOUCHED: u8 = 1;

/// A part as it travels. Its form is right; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPart {
    header: Header,
    header_bytes: Vec<u8>,
    voucher: Voucher,
    index: u32,
    siblings: Vec<[u8; 32]>,
    part: Part,
    part_bytes: Vec<u8>,
    changes: Vec<Vec<u8>>,
}

impl SignedPart {
    pub(crate) fn new(
        header: &Header,
        signature: [u8; 64],
        index: u32,
        siblings: Vec<[u8; 32]>,
        part: Part,
        changes: Vec<Vec<u8>>,
    ) -> Self {
        let (header_bytes, part_bytes) = (header.encode(), part.encode());
        let header = header.clone();
        Self {
            header,
            header_bytes,
            voucher: Voucher::Author(signature),
            index,
            siblings,
            part,
            part_bytes,
            changes,
        }
    }

    /// Bytes in the raw packing.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match &self.voucher {
            Voucher::Author(signature) => {
                writer.u8(SIGNED).bytes(&self.header_bytes).raw(signature);
            }
            Voucher::Node(vouched) => {
                writer.u8(VOUCHED).bytes(&self.header_bytes);
                vouched.write(&mut writer);
            }
        }
        writer.var(u64::from(self.index));
        writer.var(self.siblings.len() as u64);
        for sibling in &self.siblings {
            writer.raw(sibling);
        }
        writer
            .bytes(&self.part_bytes)
            .var(self.changes.len() as u64);
        for change in &self.changes {
            writer.bytes(change);
        }
        writer.into_bytes()
    }

    /// Reads bytes in the raw packing, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let packing = reader.u8("packing")?;
        let bytes_max = match packing {
            VOUCHED => limits::VOUCHED_PART_BYTES_MAX,
            _ => limits::SIGNED_PART_BYTES_MAX,
        };
        if bytes.len() > bytes_max {
            return Err(DecodeError::Limit("bytes of the part"));
        }
        let header_bytes = reader.bytes(bytes.len(), "header")?.to_vec();
        let header = Header::decode(&header_bytes)?;
        let voucher = match packing {
            SIGNED => Voucher::Author(reader.array("signature")?),
            VOUCHED => Voucher::Node(Box::new(Vouched::read(&mut reader)?)),
            _ => return Err(DecodeError::Undefined("packing")),
        };
        let index = u32::try_from(reader.var("index of the part")?)
            .map_err(|_| DecodeError::Limit("index of the part"))?;
        if index >= header.parts {
            return Err(DecodeError::Limit("index of the part"));
        }
        let count = reader.count(limits::PARTS_PER_BATCH_MAX, "siblings")?;
        let siblings = (0..count)
            .map(|_| reader.array("sibling"))
            .collect::<Result<Vec<_>, _>>()?;
        let part_bytes = reader.bytes(bytes.len(), "part")?.to_vec();
        let part = Part::decode(&part_bytes)?;
        let count = reader.count(limits::ENTRIES_PER_PART_MAX, "changes")?;
        let named = part
            .entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Change { .. }));
        if named.count() != count {
            return Err(DecodeError::Undefined("count of changes"));
        }
        let changes = (0..count)
            .map(|_| Ok(reader.bytes(limits::CHANGE_BYTES_MAX, "change")?.to_vec()))
            .collect::<Result<Vec<_>, DecodeError>>()?;
        reader.end("signed part")?;
        Ok(Self {
            header,
            header_bytes,
            voucher,
            index,
            siblings,
            part,
            part_bytes,
            changes,
        })
    }

    /// Checks signature, path and changes with the public key of the signer.
    ///
    /// Without the changes somebody on the way could exchange their bytes and have the part held for
    /// good under the name that the true one has.
    pub fn verify(self, public_key: &[u8; 32]) -> Result<VerifiedPart, VerifyError> {
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| VerifyError::Key)?;
        self.verify_with(&key)
    }

    /// [`SignedPart::verify`] with a key that was read before.
    pub fn verify_with(self, key: &VerifyingKey) -> Result<VerifiedPart, VerifyError> {
        if KeyId::of(key.as_bytes()) != self.header.key {
            return Err(VerifyError::Key);
        }
        let Voucher::Author(signature) = &self.voucher else {
            return Err(VerifyError::NotSigned);
        };
        key.verify_strict(
            &signed_message(&self.header_bytes),
            &Signature::from_bytes(signature),
        )
        .map_err(|_| VerifyError::Signature)?;
        self.verify_content()
    }

    /// Checks that the node's word it carries is about this part, then path and changes. Whether that
    /// word is the province's says [`Attestation::verify`], once for all parts it is about.
    pub fn verify_vouched(self) -> Result<VerifiedPart, VerifyError> {
        let Voucher::Node(vouched) = &self.voucher else {
            return Err(VerifyError::NotVouched);
        };
        if !vouched.is_about(self.id()) {
            return Err(AttestationError::Parts.into());
        }
        if vouched.by.said.province != self.header.province {
            return Err(AttestationError::Province.into());
        }
        self.verify_content()
    }

    /// Checks what the signature covers through hashes: the part by its path, changes by their names.
    fn verify_content(self) -> Result<VerifiedPart, VerifyError> {
        let (index, count) = (self.index as usize, self.header.parts as usize);
        let root = merkle::root_from_path(&self.part_hash(), index, count, &self.siblings);
        if root != Some(self.header.root) {
            return Err(VerifyError::Path);
        }
        let mut pairs = self.entries();
        let named = pairs.all(|(entry, bytes)| match (entry, bytes) {
            (Entry::Change { hash, .. }, Some(bytes)) => gate::is_named(hash, bytes),
            (Entry::Change { .. }, None) => false,
            (Entry::Subject { .. } | Entry::Extension { .. }, _) => true,
        });
        drop(pairs);
        if named {
            Ok(VerifiedPart(self))
        } else {
            Err(VerifyError::Change)
        }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// Which part of its batch it is, from 0.
    pub fn index(&self) -> u32 {
        self.index
    }
    /// The part.
    pub fn part(&self) -> &Part {
        &self.part
    }
    /// Its author's signature over the header; none if a node vouches for it instead.
    pub fn signature(&self) -> Option<&[u8; 64]> {
        match &self.voucher {
            Voucher::Author(signature) => Some(signature),
            Voucher::Node(_) => None,
        }
    }
    /// The node's word that stands in for its author's signature, if that is not here.
    pub fn attestation(&self) -> Option<&Arc<Attestation>> {
        match &self.voucher {
            Voucher::Author(_) => None,
            Voucher::Node(vouched) => Some(&vouched.by),
        }
    }
    /// The hashes beside the way to the root, from the leaf upward.
    pub fn siblings(&self) -> &[[u8; 32]] {
        &self.siblings
    }
    /// The part alone.
    pub fn into_part(self) -> Part {
        self.part
    }
    /// The changes, in the order of the change entries.
    pub fn changes(&self) -> &[Vec<u8>] {
        &self.changes
    }
    /// Entries with the bytes of their change, if they are one.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry, Option<&[u8]>)> {
        let mut changes = self.changes.iter();
        self.part.entries.iter().map(move |entry| {
            let bytes = match entry {
                Entry::Change { .. } => changes.next().map(Vec::as_slice),
                Entry::Subject { .. } | Entry::Extension { .. } => None,
            };
            (entry, bytes)
        })
    }
    /// The changes of one document, in order.
    pub fn changes_of(&self, document: DocumentId) -> impl Iterator<Item = &[u8]> {
        self.entries()
            .filter(move |(entry, _)| entry.document() == document)
            .filter_map(|(_, b)| b)
    }
    /// The chain.
    pub fn actor(&self) -> ActorId {
        self.header.actor()
    }
    /// The batch id.
    pub fn batch_id(&self) -> BatchId {
        batch_id(&self.header_bytes)
    }
    /// The part id.
    pub fn id(&self) -> PartId {
        part_id(self.batch_id(), self.index)
    }
    /// The hash of the part, which the next one in its partition names.
    pub fn part_hash(&self) -> [u8; 32] {
        part_hash(&self.part_bytes)
    }
}

/// A part without anybody's word for it: what is rebuilt of a packing that left signatures out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarePart(SignedPart);

impl BarePart {
    /// Of a part, without what vouches for it.
    pub fn new(part: SignedPart) -> Self {
        Self(part)
    }
    /// Its id.
    pub fn id(&self) -> PartId {
        self.0.id()
    }
    /// The part with a node's word for it.
    pub fn vouched(self, by: Vouched) -> SignedPart {
        SignedPart {
            voucher: Voucher::Node(Box::new(by)),
            ..self.0
        }
    }
}

/// A part that its signer sealed, byte for byte, by its own word or by that of the province's node.
/// Only [`SignedPart::verify`] and [`SignedPart::verify_vouched`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPart(SignedPart);

impl VerifiedPart {
    /// The part, as it is kept.
    pub fn into_signed(self) -> SignedPart {
        self.0
    }
}

impl std::ops::Deref for VerifiedPart {
    type Target = SignedPart;
    fn deref(&self) -> &SignedPart {
        &self.0
    }
}
