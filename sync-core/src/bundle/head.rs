//! The signed head of a bundle: who wrote it, for whom, where they stand, and what each piece holds.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use super::BundleError;
use super::holdings::Holdings;
use super::piece::PieceHead;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{
    ActorId, InstallationId, KeyId, NodeId, ProvinceId, labelled_hash, labelled_id,
};
use crate::limits;
use crate::log::Follow;
use crate::sync::Known;
use crate::sync::message::{read_follow, read_known, write_follow, write_known};

/// The name of a bundle: the hash of its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BundleId(pub [u8; 32]);

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Who wrote a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// A person's key on an installation.
    Device {
        /// The public key.
        key: [u8; 32],
        /// The installation.
        installation: InstallationId,
    },
    /// A node.
    Node {
        /// The public key of its receipts.
        key: [u8; 32],
        /// The node.
        node: NodeId,
    },
}

impl Issuer {
    /// The public key that signs.
    pub fn public_key(&self) -> &[u8; 32] {
        match self {
            Self::Device { key, .. } | Self::Node { key, .. } => key,
        }
    }
    /// The id of that key.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(self.public_key())
    }
    /// The chain of a device.
    pub fn actor(&self) -> Option<ActorId> {
        match self {
            Self::Device { key, installation } => Some(ActorId::of(KeyId::of(key), *installation)),
            Self::Node { .. } => None,
        }
    }
    /// What its numbers are kept under.
    pub fn place(&self) -> [u8; 16] {
        let mut to = Writer::new();
        self.write(&mut to);
        labelled_id("bundle issuer", &[to.as_slice()])
    }

    fn write(&self, to: &mut Writer) {
        match self {
            Self::Device { key, installation } => to.u8(1).raw(key).raw(&installation.0),
            Self::Node { key, node } => to.u8(2).raw(key).raw(&node.0),
        };
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = from.u8("kind of issuer")?;
        let key = from.array("issuer")?;
        match kind {
            1 => Ok(Self::Device {
                key,
                installation: InstallationId(from.array("installation")?),
            }),
            2 => Ok(Self::Node {
                key,
                node: NodeId(from.array("node")?),
            }),
            _ => Err(DecodeError::Undefined("kind of issuer")),
        }
    }
}

/// For whom a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Anyone of the province.
    Anyone,
    /// A node.
    Node(NodeId),
    /// A device, by its key.
    Device(KeyId),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Device(key) => write!(f, "device {key}"),
        }
    }
}

/// The stretch of a node's feed that the parts of a bundle are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Whose feed.
    pub node: NodeId,
    /// What it was asked for.
    pub follow: Follow,
    /// The position it begins after.
    pub after: u64,
    /// The position it ends with.
    pub through: u64,
}

/// A chain that a bundle has parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The key.
    pub key: KeyId,
    /// The installation.
    pub installation: InstallationId,
}

/// What a bundle says besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The province.
    pub province: ProvinceId,
    /// Who wrote it.
    pub issuer: Issuer,
    /// Its number among those of its issuer, from 1.
    pub number: u64,
    /// The one before it; zeros for the first.
    pub previous: BundleId,
    /// When it was written: a claim, seconds since 1970 UTC.
    pub written_at: i64,
    /// For whom.
    pub destination: Destination,
    /// The last catalogue record that the issuer holds.
    pub catalogue_number: u64,
    /// The last batch of its own chain that the issuer holds.
    pub own_number: u64,
    /// Where it stands with its node.
    pub known: Option<Known>,
    /// Of which feed the parts are, if they are a node's.
    pub span: Option<Span>,
}

/// Everything that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What the issuer says.
    pub cover: Cover,
    /// Chains, in the order in which the pieces name them first.
    pub chains: Vec<Chain>,
    /// The pieces.
    pub pieces: Vec<PieceHead>,
}

impl Head {
    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let (mut to, cover) = (Writer::new(), &self.cover);
        to.raw(&cover.province.0);
        cover.issuer.write(&mut to);
        to.var(cover.number)
            .raw(&cover.previous.0)
            .svar(cover.written_at);
        match &cover.destination {
            Destination::Anyone => to.u8(0),
            Destination::Node(node) => to.u8(1).raw(&node.0),
            Destination::Device(key) => to.u8(2).raw(&key.0),
        };
        to.var(cover.catalogue_number).var(cover.own_number);
        write_known(&mut to, cover.known.as_ref());
        match &cover.span {
            None => {
                to.u8(0);
            }
            Some(span) => {
                to.u8(1).raw(&span.node.0);
                write_follow(&mut to, Some(&span.follow));
                to.var(span.after).var(span.through);
            }
        }
        to.var(self.chains.len() as u64);
        for chain in &self.chains {
            to.raw(&chain.key.0).raw(&chain.installation.0);
        }
        to.var(self.pieces.len() as u64);
        for piece in &self.pieces {
            piece.write(&mut to);
        }
        to.into_bytes()
    }

    /// Reads the bytes, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let cover = read_cover(&mut from)?;
        let count = from.count(limits::BUNDLE_CHAINS_MAX, "chains")?;
        let chains = (0..count)
            .map(|_| {
                Ok(Chain {
                    key: KeyId(from.array("key")?),
                    installation: InstallationId(from.array("installation")?),
                })
            })
            .collect::<Result<Vec<_>, DecodeError>>()?;
        let count = from.count(limits::BUNDLE_PIECES_MAX, "pieces")?;
        if count == 0 {
            return Err(DecodeError::Undefined("count of pieces"));
        }
        let pieces = (0..count)
            .map(|_| PieceHead::read(&mut from))
            .collect::<Result<Vec<_>, _>>()?;
        from.end("head of the bundle")?;
        let head = Self {
            cover,
            chains,
            pieces,
        };
        head.check_chains()?;
        Ok(head)
    }

    /// Chains stand once each, in the order in which pieces name them first.
    fn check_chains(&self) -> Result<(), DecodeError> {
        let mut named = 0;
        for run in self.pieces.iter().flat_map(|piece| piece.runs()) {
            if run.chain > named {
                return Err(DecodeError::Undefined("order of chains"));
            }
            named = named.max(run.chain + 1);
        }
        let distinct: std::collections::BTreeSet<_> = self.chains.iter().collect();
        if named == self.chains.len() && distinct.len() == named {
            Ok(())
        } else {
            Err(DecodeError::Undefined("chains of the bundle"))
        }
    }

    /// Everything that its pieces hold.
    pub fn holdings(&self) -> Holdings {
        Holdings::of(&self.chains, self.pieces.iter())
    }
}

fn read_cover(from: &mut Reader<'_>) -> Result<Cover, DecodeError> {
    let province = ProvinceId(from.array("province")?);
    let issuer = Issuer::read(from)?;
    let number = from.var("number of the bundle")?;
    let previous = BundleId(from.array("previous bundle")?);
    if number == 0 || (number == 1) != (previous == BundleId::default()) {
        return Err(DecodeError::Undefined("number of the bundle"));
    }
    Ok(Cover {
        province,
        issuer,
        number,
        previous,
        written_at: from.svar("time of writing")?,
        destination: match from.u8("destination")? {
            0 => Destination::Anyone,
            1 => Destination::Node(NodeId(from.array("destination")?)),
            2 => Destination::Device(KeyId(from.array("destination")?)),
            _ => return Err(DecodeError::Undefined("destination")),
        },
        catalogue_number: from.var("catalogue number")?,
        own_number: from.var("own number")?,
        known: read_known(from)?,
        span: match from.u8("span")? {
            0 => None,
            1 => Some(read_span(from)?),
            _ => return Err(DecodeError::Undefined("span")),
        },
    })
}

fn read_span(from: &mut Reader<'_>) -> Result<Span, DecodeError> {
    let node = NodeId(from.array("node")?);
    let follow = read_follow(from)?.ok_or(DecodeError::Undefined("follow"))?;
    let (after, through) = (from.var("position")?, from.var("position")?);
    if after > through {
        return Err(DecodeError::Undefined("order of positions"));
    }
    Ok(Span {
        node,
        follow,
        after,
        through,
    })
}

/// The name of the bundle with this head.
pub(super) fn bundle_id(head: &[u8]) -> BundleId {
    BundleId(labelled_hash("bundle", &[head]))
}

/// What an issuer signs.
pub(super) fn signed_message(head: &[u8]) -> [u8; 32] {
    labelled_hash("bundle signature", &[head])
}

/// Checks the signature over a head with the key in it.
pub(super) fn verify(
    issuer: &Issuer,
    head: &[u8],
    signature: &[u8; 64],
) -> Result<(), BundleError> {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(issuer.public_key())
        .and_then(|key| key.verify_strict(&signed_message(head), &signature))
        .map_err(|_| BundleError::Signature)
}
