//! A node's signed word that it holds a chain durably up to a batch: the only proof of "before".

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ActorId, BatchId, NodeId, labelled_hash};

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The node that gives it.
    pub node: NodeId,
    /// The chain.
    pub actor: ActorId,
    /// The highest batch of the chain that the node holds.
    pub number: u64,
    /// That batch.
    pub batch: BatchId,
    /// When the node gave it, by its own clock, seconds since 1970 UTC.
    pub received_at: i64,
    signature: [u8; 64],
}

impl Receipt {
    /// Gives a receipt.
    pub fn sign(
        node: NodeId,
        actor: ActorId,
        (number, batch): (u64, BatchId),
        received_at: i64,
        key: &SigningKey,
    ) -> Self {
        let mut receipt = Self {
            node,
            actor,
            number,
            batch,
            received_at,
            signature: [0; 64],
        };
        receipt.signature = key.sign(&receipt.message()).to_bytes();
        receipt
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.node.0)
            .raw(&self.actor.0)
            .var(self.number);
        writer.raw(&self.batch.0).svar(self.received_at);
        writer.into_bytes()
    }

    fn message(&self) -> [u8; 32] {
        labelled_hash("receipt", &[&self.body()])
    }

    /// True if one of these node keys signed it.
    pub fn is_signed_by<'a>(&self, mut keys: impl Iterator<Item = &'a [u8; 32]>) -> bool {
        let (message, signature) = (self.message(), Signature::from_bytes(&self.signature));
        keys.any(|key| {
            VerifyingKey::from_bytes(key)
                .is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
        })
    }

    /// Appends the bytes.
    pub fn write(&self, to: &mut Writer) {
        to.raw(&self.body()).raw(&self.signature);
    }

    /// Reads the bytes.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if from.u8("version of the receipt")? != 1 {
            return Err(DecodeError::Undefined("version of the receipt"));
        }
        Ok(Self {
            node: NodeId(from.array("node")?),
            actor: ActorId(from.array("actor")?),
            number: from.var("batch number")?,
            batch: BatchId(from.array("batch")?),
            received_at: from.svar("time of receipt")?,
            signature: from.array("signature")?,
        })
    }
}
