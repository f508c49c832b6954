//! Nodes met before the one that answers now: a tablet may talk to the area's edge one day and to the
//! province the next.
//!
//! For each of a few nodes the device keeps where it stood when it left: the position in the node's
//! feed, what the node had not acknowledged, and the end of the device's own log. What entered the log
//! since then is what that node may lack, so nothing has to be kept part by part while the device is
//! elsewhere. When a known node answers again, its feed is read on from that position, which takes out
//! what reached it by another road; only the rest is offered.

use std::collections::{BTreeMap, BTreeSet};

use super::{Device, DeviceError, OutboxState, Peer};
use crate::batch::SignedPart;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{NodeId, PartId};
use crate::limits::{NODES_REMEMBERED_MAX, OUTBOX_REMEMBERED_MAX};
use crate::log::{HeldReason, Keyspace, KeyspaceError, MemoryKeyspace, Write, keys};

const TAG: u8 = 0x26;

/// A node that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Left {
    peer: Peer,
    /// The higher, the later it was left.
    turn: u64,
    /// The end of the device's own log when it was left.
    end: u64,
    /// What it had not acknowledged then.
    outbox: BTreeMap<PartId, OutboxState>,
}

/// The nodes that were left, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Elsewhere(BTreeMap<NodeId, Left>);

impl Elsewhere {
    pub(super) fn read(keyspace: &MemoryKeyspace) -> Result<Self, DeviceError> {
        let mut nodes = BTreeMap::new();
        for (_, value) in keyspace.scan(&[TAG], &keys::after(TAG), usize::MAX)? {
            let left = Left::decode(&value)?;
            nodes.insert(left.peer.node, left);
        }
        Ok(Self(nodes))
    }
}

/// What removes everything that is kept of nodes that were left.
pub(super) fn forgotten(keyspace: &MemoryKeyspace) -> Result<Vec<Write>, KeyspaceError> {
    let kept = keyspace.scan(&[TAG], &keys::after(TAG), usize::MAX)?;
    let forget = |(key, _)| Write { key, value: None };
    Ok(kept.into_iter().map(forget).collect())
}

fn key(node: NodeId) -> Vec<u8> {
    [&[TAG], node.0.as_slice()].concat()
}

impl Left {
    fn write(&self) -> Write {
        let mut to = Writer::new();
        self.peer.write(&mut to);
        to.var(self.turn)
            .var(self.end)
            .var(self.outbox.len() as u64);
        for (part, state) in &self.outbox {
            to.raw(&part.0).u8(match state {
                OutboxState::Waiting => 0,
                OutboxState::Held(reason) => reason.tag(),
            });
        }
        Write {
            key: key(self.peer.node),
            value: Some(to.into_bytes()),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyspaceError> {
        let mut from = Reader::new(bytes);
        let peer = Peer::read(&mut from, bytes.len())?;
        Self::read(peer, &mut from).map_err(|_| KeyspaceError::Damaged("node left"))
    }

    fn read(peer: Peer, from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (turn, end) = (from.var("turn")?, from.var("end")?);
        let count = from.count(OUTBOX_REMEMBERED_MAX, "outbox")?;
        let mut outbox = BTreeMap::new();
        for _ in 0..count {
            let part = PartId(from.array("part")?);
            let state = match from.u8("state")? {
                0 => OutboxState::Waiting,
                tag => OutboxState::Held(HeldReason::from_tag(tag)?),
            };
            outbox.insert(part, state);
        }
        from.end("node left")?;
        Ok(Self {
            peer,
            turn,
            end,
            outbox,
        })
    }
}

impl Device {
    /// Keeps where the device stands with the node that answered so far.
    pub(super) fn leave_node(&mut self, to: &mut Vec<Write>) -> Result<(), DeviceError> {
        let Some(peer) = self.peer.clone() else {
            return Ok(());
        };
        if self.outbox.len() > OUTBOX_REMEMBERED_MAX {
            // Met again it is a node like any other that is new: everything is read and offered.
            return Ok(());
        }
        let turns = self.elsewhere.0.values().map(|left| left.turn);
        let left = Left {
            turn: turns.max().unwrap_or(0) + 1,
            end: self.log().end()?,
            outbox: self.outbox.clone(),
            peer,
        };
        let mut writes = vec![left.write()];
        self.elsewhere.0.insert(left.peer.node, left);
        while self.elsewhere.0.len() > NODES_REMEMBERED_MAX {
            let oldest = self.elsewhere.0.iter().min_by_key(|(_, left)| left.turn);
            let Some((node, _)) = oldest.map(|(node, left)| (*node, left.turn)) else {
                break;
            };
            self.elsewhere.0.remove(&node);
            let (key, value) = (key(node), None);
            writes.push(Write { key, value });
        }
        self.take(writes, to);
        Ok(())
    }

    /// Goes on with a node where it was left; false if it is not known.
    pub(super) fn return_to(
        &mut self,
        node: NodeId,
        to: &mut Vec<Write>,
    ) -> Result<bool, DeviceError> {
        let Some(left) = self.elsewhere.0.remove(&node) else {
            return Ok(false);
        };
        self.leave_node(to)?;
        let (key, value) = (key(node), None);
        self.take(vec![Write { key, value }], to);
        let entered = self.entered_after(left.end)?;
        let offered = entered.iter().filter(|part| self.offers(&left, part));
        let offered: Vec<PartId> = offered.map(SignedPart::id).collect();
        let Left {
            peer, mut outbox, ..
        } = left;
        for part in offered {
            outbox.entry(part).or_insert(OutboxState::Waiting);
        }
        let gone: Vec<PartId> = self
            .outbox
            .keys()
            .filter(|part| !outbox.contains_key(part))
            .copied()
            .collect();
        for part in gone {
            self.set_outbox(part, None, to);
        }
        for (part, state) in outbox {
            if self.outbox.get(&part) != Some(&state) {
                self.set_outbox(part, Some(state), to);
            }
        }
        self.set_peer(peer, to);
        Ok(true)
    }

    /// True if it remembers other nodes than the one that answers now.
    pub(super) fn has_met_others(&self) -> bool {
        !self.elsewhere.0.is_empty()
    }

    /// Parts that some node that was left may lack.
    pub(super) fn lacking_elsewhere(&self) -> Result<BTreeSet<PartId>, DeviceError> {
        let mut lacking = BTreeSet::new();
        for left in self.elsewhere.0.values() {
            lacking.extend(self.lacking(left)?);
        }
        Ok(lacking)
    }

    /// Parts that some node has and that `node` has not confirmed to this device: it may have them by
    /// another road by now, which this device has not heard. None of a node that was not met, or that
    /// was left too long ago to be remembered.
    pub fn unconfirmed_by(&self, node: NodeId) -> Result<Option<BTreeSet<PartId>>, DeviceError> {
        if self.peer.as_ref().is_some_and(|peer| peer.node == node) {
            // What it has not confirmed stands in the outbox.
            return Ok(Some(BTreeSet::new()));
        }
        let Some(left) = self.elsewhere.0.get(&node) else {
            return Ok(None);
        };
        let mut parts = self.lacking(left)?;
        // These no node has.
        parts.retain(|part| !self.outbox.contains_key(part));
        Ok(Some(parts))
    }

    /// Parts that a node that was left may lack.
    fn lacking(&self, left: &Left) -> Result<BTreeSet<PartId>, DeviceError> {
        let waiting = left.outbox.iter();
        let waiting = waiting.filter(|(_, state)| **state == OutboxState::Waiting);
        let mut lacking: BTreeSet<PartId> = waiting.map(|(part, _)| *part).collect();
        let entered = self.entered_after(left.end)?;
        let offered = entered.iter().filter(|part| self.offers(left, part));
        lacking.extend(offered.map(SignedPart::id));
        Ok(lacking)
    }

    /// True for a part that a node is offered: an own one, or one that is followed there.
    fn offers(&self, left: &Left, part: &SignedPart) -> bool {
        let follow = &left.peer.follow;
        part.actor() == self.sealer.actor() || follow.contains(part.part().partition)
    }

    /// Parts that entered the log after a position of it.
    fn entered_after(&self, end: u64) -> Result<Vec<SignedPart>, DeviceError> {
        let page = self
            .log()
            .feed(&crate::log::Follow::All, end, None, usize::MAX)?;
        Ok(page
            .entries
            .into_iter()
            .map(|(_, entry)| entry.part)
            .collect())
    }

    /// Forgets every node that was left: the positions of this log say nothing about them any more.
    pub(super) fn forget_elsewhere(&mut self, to: &mut Vec<Write>) {
        let nodes = std::mem::take(&mut self.elsewhere.0);
        let writes = nodes.keys().map(|node| Write {
            key: key(*node),
            value: None,
        });
        self.take(writes.collect(), to);
    }
}
