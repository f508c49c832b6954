//! A node's word for parts that it accepted, where their authors' signatures are not sent.
//!
//! A signature is 64 bytes of every part that no packing makes smaller, and a device that has nothing yet
//! gets hundreds of parts at once. It takes the province's word for them instead: one [`Attestation`] over
//! all parts of an answer, through a Merkle root over their ids. A part id covers header, part and changes
//! through hashes, so what is attested is every byte but the author's signature.
//!
//! Such a part is kept as what it is, a *vouched* part: it carries the attestation and its own way to the
//! attested root ([`Vouched`]), so it proves itself to whoever gets it, by itself and years later. It never
//! counts as signed by its author: [`SignedPart::verify`](super::SignedPart::verify) refuses it, and only
//! [`SignedPart::verify_vouched`](super::SignedPart::verify_vouched) with a key of the province's own node
//! takes it. A province whose folder is lost can so be given back what a tablet has of it: the word that
//! the tablet brings is the province's own. Bytes: `docs/formats.md` section 4.

use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::merkle;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{KeyId, NodeId, PartId, ProvinceId, labelled_hash};
use crate::limits;

/// The order of the log: the only one that parts are attested in by this version.
const ORDER_OF_LOG: u8 = 1;

/// Why a node's word is not taken. Nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// It is of another province.
    #[error("the parts are attested for another province")]
    Province,
    /// It is of another node than the one that answers.
    #[error("the parts are attested by another node than the one that answers")]
    Node,
    /// It is of another set of partitions than is followed.
    #[error("the parts are attested for another selection of units")]
    Follow,
    /// It stands for other positions than the answer.
    #[error("the parts are attested for another place of the log")]
    Place,
    /// It is about other parts, or about these in another order.
    #[error("other parts are attested than those that came")]
    Parts,
    /// No node of the province itself has this key.
    #[error("the parts are attested with a key that is not the province's")]
    Key,
    /// The signature is not the key's.
    #[error("the attestation of the parts is not signed by the node")]
    Signature,
}

impl AttestationError {
    /// A stable code for machines and message catalogues.
    pub fn code(self) -> &'static str {
        match self {
            Self::Province => "piece-other-province",
            Self::Node => "piece-other-node",
            Self::Follow => "piece-other-selection",
            Self::Place => "piece-other-place",
            Self::Parts => "piece-other-parts",
            Self::Key => "piece-unknown-key",
            Self::Signature => "piece-wrong-signature",
        }
    }
}

/// What a node attests: which parts, and where in its log they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The province.
    pub province: ProvinceId,
    /// The node.
    pub node: NodeId,
    /// The node's key.
    pub key: KeyId,
    /// Digest of the set of partitions that were read.
    pub follow: [u8; 8],
    /// The position the parts come after.
    pub from: u64,
    /// The position they reach: all of them were accepted there or before.
    pub through: u64,
    /// How many there are.
    pub parts: u64,
    /// Merkle root over their ids, in order.
    pub root: [u8; 32],
}

impl Statement {
    fn write(&self, to: &mut Writer) {
        to.u8(ORDER_OF_LOG).raw(&self.province.0).raw(&self.node.0);
        to.raw(&self.key.0).raw(&self.follow);
        to.var(self.from).var(self.through).var(self.parts);
        to.raw(&self.root);
    }

    fn message(&self) -> [u8; 32] {
        let mut to = Writer::new();
        self.write(&mut to);
        labelled_hash("attestation", &[to.as_slice()])
    }
}

/// A node's signed word for some parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// What it says.
    pub said: Statement,
    signature: [u8; 64],
}

impl Attestation {
    /// Signs a statement.
    pub fn sign(said: Statement, key: &SigningKey) -> Self {
        let signature = key.sign(&said.message()).to_bytes();
        Self { said, signature }
    }

    /// Checks the signature with the key that the statement names.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), AttestationError> {
        if KeyId::of(key.as_bytes()) != self.said.key {
            return Err(AttestationError::Key);
        }
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&self.said.message(), &signature)
            .map_err(|_| AttestationError::Signature)
    }

    /// Appends the bytes.
    pub fn write(&self, to: &mut Writer) {
        self.said.write(to);
        to.raw(&self.signature);
    }

    /// Reads the bytes.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if from.u8("order of attested parts")? != ORDER_OF_LOG {
            return Err(DecodeError::Undefined("order of attested parts"));
        }
        let said = Statement {
            province: ProvinceId(from.array("province")?),
            node: NodeId(from.array("node")?),
            key: KeyId(from.array("key of the node")?),
            follow: from.array("digest of what is followed")?,
            from: from.var("position")?,
            through: from.var("position")?,
            parts: from.count(limits::PARTS_PER_PACKING_MAX, "attested parts")? as u64,
            root: from.array("root of the attested parts")?,
        };
        let signature = from.array("signature of the node")?;
        Ok(Self { said, signature })
    }
}

/// The root over the ids of parts, in order.
pub fn root_of(parts: &[PartId]) -> [u8; 32] {
    let ids: Vec<[u8; 32]> = parts.iter().map(|part| part.0).collect();
    merkle::root(&ids)
}

/// A node's word for one part, with the way from the part's id to the attested root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The node's word, shared by the parts that it is about.
    pub by: Arc<Attestation>,
    place: u64,
    siblings: Vec<[u8; 32]>,
}

impl Vouched {
    /// The same word for each of the parts that it is about, in order.
    pub fn each(by: &Arc<Attestation>, parts: &[PartId]) -> Vec<Self> {
        let ids: Vec<[u8; 32]> = parts.iter().map(|part| part.0).collect();
        let one = |(place, siblings): (usize, Vec<[u8; 32]>)| Self {
            by: Arc::clone(by),
            place: place as u64,
            siblings,
        };
        merkle::paths(&ids)
            .into_iter()
            .enumerate()
            .map(one)
            .collect()
    }

    /// True if this part is one of those that are attested.
    pub fn is_about(&self, part: PartId) -> bool {
        let index = usize::try_from(self.place).ok();
        let count = usize::try_from(self.by.said.parts).ok();
        let (Some(index), Some(count)) = (index, count) else {
            return false;
        };
        index < count
            && merkle::root_from_path(&part.0, index, count, &self.siblings)
                == Some(self.by.said.root)
    }

    /// Appends the bytes.
    pub(super) fn write(&self, to: &mut Writer) {
        self.by.write(to);
        to.var(self.place).var(self.siblings.len() as u64);
        for sibling in &self.siblings {
            to.raw(sibling);
        }
    }

    /// Reads the bytes.
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let by = Arc::new(Attestation::read(from)?);
        let place = from.var("place of an attested part")?;
        let count = from.count(limits::ATTESTED_PATH_MAX, "hashes beside an attested part")?;
        let siblings = (0..count)
            .map(|_| from.array("hash beside an attested part"))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            by,
            place,
            siblings,
        })
    }
}
