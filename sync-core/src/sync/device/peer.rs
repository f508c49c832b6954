//! Where a device stands with a node, as it is kept.

use super::DeviceError;
use super::older::LeftThere;
use super::repair::Mode;
use crate::codec::{Reader, Writer};
use crate::identity::NodeId;
use crate::log::{Follow, Keyspace, KeyspaceError, MemoryKeyspace, Write};
use crate::repair::RepairKey;
use crate::sync::arrival::Arrival;

pub(super) const PEER: u8 = 0x23;

/// Where the device stands with its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) node: NodeId,
    pub(super) follow: Follow,
    pub(super) position: u64,
    /// What is done about its feed.
    pub(super) mode: Mode,
    /// Repairs since the fingerprints last agreed: after one everything is read, and after that
    /// something else is wrong.
    pub(super) resets: u64,
    /// How far its first contact came; nothing when it is over.
    pub(super) arrival: Arrival,
    /// What is left out of its feed, as it last said.
    pub(super) left: Option<LeftThere>,
}

/// Added to the mode of a node that has said what is left out.
const LEFT: u8 = 16;

impl Peer {
    /// As it is kept: what is had beyond the position while the first contact lasts, and nothing after.
    pub(super) fn kept(mut self) -> Self {
        self.arrival = match self.mode {
            Mode::Arriving => Arrival {
                has: self.arrival.has.after(self.position),
                ..self.arrival
            },
            Mode::Following | Mode::Reading | Mode::Repairing(_) => Arrival::default(),
        };
        self
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.raw(&self.node.0).var(self.position);
        let left = if self.left.is_some() { LEFT } else { 0 };
        let to = match self.mode {
            Mode::Following => to.u8(left),
            Mode::Reading => to.u8(left + 1),
            Mode::Repairing(key) => to.u8(left + 2).raw(&key.0),
            Mode::Arriving if self.arrival == Arrival::default() => to.u8(left + 3),
            Mode::Arriving => {
                self.arrival.write(to.u8(left + 4));
                to
            }
        };
        if let Some(left) = &self.left {
            left.write(to);
        }
        to.var(self.resets);
        to.bytes(&crate::sync::message::encode_follow(&self.follow));
    }

    pub(super) fn read(from: &mut Reader<'_>, bytes_max: usize) -> Result<Self, KeyspaceError> {
        let damaged = |_| KeyspaceError::Damaged("peer");
        let node = NodeId(from.array("node").map_err(damaged)?);
        let position = from.var("position").map_err(damaged)?;
        let mut arrival = Arrival::default();
        let kind = from.u8("mode").map_err(damaged)?;
        let mode = match kind % LEFT {
            0 => Mode::Following,
            1 => Mode::Reading,
            2 => Mode::Repairing(RepairKey(from.array("key of a repair").map_err(damaged)?)),
            3 => Mode::Arriving,
            4 => {
                arrival = Arrival::read(from).map_err(damaged)?;
                Mode::Arriving
            }
            _ => return Err(KeyspaceError::Damaged("peer")),
        };
        let left = match kind / LEFT {
            0 => None,
            1 => Some(LeftThere::read(from).map_err(damaged)?),
            _ => return Err(KeyspaceError::Damaged("peer")),
        };
        let resets = from.var("resets").map_err(damaged)?;
        let follow = from.bytes(bytes_max, "follow").map_err(damaged)?;
        let follow = crate::sync::message::decode_follow(follow).map_err(damaged)?;
        let follow = follow.ok_or(KeyspaceError::Damaged("peer"))?;
        Ok(Self {
            node,
            follow,
            position,
            mode,
            resets,
            arrival,
            left,
        })
    }
}

pub(super) fn peer_write(peer: &Peer) -> Write {
    let mut to = Writer::new();
    peer.write(&mut to);
    Write {
        key: vec![PEER],
        value: Some(to.into_bytes()),
    }
}

pub(super) fn read_peer(keyspace: &MemoryKeyspace) -> Result<Option<Peer>, DeviceError> {
    let Some(bytes) = keyspace.get(&[PEER])? else {
        return Ok(None);
    };
    Ok(Some(Peer::read(&mut Reader::new(&bytes), bytes.len())?))
}
