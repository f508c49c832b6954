//! What a node keeps of where it stands with the node above it, and its bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{NodeId, PartId};
use crate::limits::{UPLINK_DIFFERENCES_MAX, UPLINK_LEFT_MAX, UPLINK_STRETCHES_MAX};
use crate::log::{Follow, KeyspaceError, Verdict, Write, keys};
use crate::sync::message::{decode_follow, encode_follow};

/// A part as the own log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sent {
    /// By its position.
    Log(u64),
    /// By its held number.
    Held(u64),
}

/// Where a node stands with the node above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node above.
    pub node: NodeId,
    /// What is followed there.
    pub follow: Follow,
    /// The position of its feed that was taken.
    pub taken: u64,
    /// The position of the own log up to which everything was sent.
    pub sent: u64,
    /// The same of held parts.
    pub held_sent: u64,
    /// Comparisons begun anew since both were in step.
    pub(super) resets: u64,
    /// Stretches of the own log beyond `sent` that came from above: first position and count.
    pub(super) came: BTreeMap<u64, u64>,
    /// Sent, and not taken yet.
    pub(super) left: BTreeSet<Sent>,
    /// Accepted here, held or refused above.
    pub(super) only_here: BTreeSet<PartId>,
    /// Accepted above, not here.
    pub(super) only_there: BTreeSet<PartId>,
}

impl Place {
    /// Nothing sent and nothing taken.
    pub(super) fn new(node: NodeId, follow: Follow) -> Self {
        Self {
            node,
            follow,
            taken: 0,
            sent: 0,
            held_sent: 0,
            resets: 0,
            came: BTreeMap::new(),
            left: BTreeSet::new(),
            only_here: BTreeSet::new(),
            only_there: BTreeSet::new(),
        }
    }

    /// Parts on which the two nodes differ, as far as it is known.
    pub fn differences(&self) -> usize {
        self.left.len() + self.only_here.len() + self.only_there.len()
    }

    /// True if more differs than can be kept in mind.
    pub(super) fn is_full(&self) -> bool {
        self.left.len() > UPLINK_LEFT_MAX
            || self.only_here.len() > UPLINK_DIFFERENCES_MAX
            || self.only_there.len() > UPLINK_DIFFERENCES_MAX
    }

    /// True if a position of the own log came from above.
    pub(super) fn came_down(&self, position: u64) -> bool {
        let stretch = self.came.range(..=position).next_back();
        stretch.is_some_and(|(first, count)| position - first < *count)
    }

    /// The first position up to the end of the own log that is still to be sent.
    pub(super) fn first_unsent(&self, end: u64) -> Option<u64> {
        let mut next = self.sent + 1;
        for (first, count) in &self.came {
            if (*first..first + count).contains(&next) {
                next = first + count;
            }
        }
        (next <= end).then_some(next)
    }

    /// What became of a part that came from above.
    pub(super) fn took(&mut self, part: PartId, verdict: &Verdict) {
        self.only_here.remove(&part);
        match verdict {
            Verdict::Accepted { position } => {
                self.only_there.remove(&part);
                self.add_came(*position);
            }
            Verdict::Duplicate { .. } => {
                self.only_there.remove(&part);
            }
            Verdict::Held { .. }
            | Verdict::Gap { .. }
            | Verdict::Waiting
            | Verdict::Refused { .. } => {
                self.only_there.insert(part);
            }
        }
    }

    fn add_came(&mut self, position: u64) {
        if position <= self.sent || self.came_down(position) {
            return;
        }
        let mut first = position;
        let mut count = 1;
        if let Some((before, length)) = self.came.range(..position).next_back()
            && before + length == position
        {
            (first, count) = (*before, length + 1);
        }
        if let Some(length) = self.came.remove(&(position + 1)) {
            count += length;
        }
        self.came.insert(first, count);
        while self.came.len() > UPLINK_STRETCHES_MAX {
            self.came.pop_first();
        }
    }

    /// Everything up to here was sent.
    pub(super) fn advance(&mut self, sent: u64, held_sent: u64) {
        self.sent = self.sent.max(sent);
        self.held_sent = self.held_sent.max(held_sent);
        while let Some((first, count)) = self.came.pop_first() {
            if first > self.sent + 1 {
                self.came.insert(first, count);
                return;
            }
            self.sent = self.sent.max(first + count - 1);
        }
    }

    pub(super) fn write(&self) -> Write {
        let mut to = Writer::new();
        to.raw(&self.node.0).bytes(&encode_follow(&self.follow));
        to.var(self.taken)
            .var(self.sent)
            .var(self.held_sent)
            .var(self.resets);
        to.var(self.came.len() as u64);
        for (first, count) in &self.came {
            to.var(*first).var(*count);
        }
        to.var(self.left.len() as u64);
        for sent in &self.left {
            match sent {
                Sent::Log(position) => to.u8(1).var(*position),
                Sent::Held(number) => to.u8(2).var(*number),
            };
        }
        for parts in [&self.only_here, &self.only_there] {
            to.var(parts.len() as u64);
            for part in parts {
                to.raw(&part.0);
            }
        }
        Write {
            key: keys::uplink(),
            value: Some(to.into_bytes()),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, KeyspaceError> {
        Self::read(bytes).map_err(|_| KeyspaceError::Damaged("place above"))
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let node = NodeId(from.array("node")?);
        let follow = decode_follow(from.bytes(bytes.len(), "follow")?)?;
        let follow = follow.ok_or(DecodeError::Undefined("follow"))?;
        let mut place = Self::new(node, follow);
        place.taken = from.var("taken")?;
        place.sent = from.var("sent")?;
        place.held_sent = from.var("held sent")?;
        place.resets = from.var("resets")?;
        for _ in 0..from.count(bytes.len(), "stretches")? {
            let (first, count) = (from.var("first")?, from.var("count")?);
            place.came.insert(first, count);
        }
        for _ in 0..from.count(bytes.len(), "left")? {
            let kind = from.u8("kind")?;
            let number = from.var("number")?;
            place.left.insert(match kind {
                1 => Sent::Log(number),
                2 => Sent::Held(number),
                _ => return Err(DecodeError::Undefined("kind")),
            });
        }
        for parts in [&mut place.only_here, &mut place.only_there] {
            for _ in 0..from.count(bytes.len(), "parts")? {
                parts.insert(PartId(from.array("part")?));
            }
        }
        from.end("place above")?;
        Ok(place)
    }
}
