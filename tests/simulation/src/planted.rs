//! What a planted mistake does on a tablet, and on an edge.

use sync_core::batch::SignedPart;
use sync_core::codec::{DecodeError, Reader, Writer};
use sync_core::document::{Edit, Subject};
use sync_core::log::{HeldReason, Keyspace, LogReader, MemoryKeyspace, Positions, Write};
use sync_core::sync::{Device, PartAnswer, Response};

use crate::edge::Edge;
use crate::tablet::Tablet;
use crate::violation::{Checked, must};

/// A draft that was not sealed (`docs/formats.md` section 11).
const DRAFT: u8 = 0x22;

/// Where a device stands with its node (`docs/formats.md` section 11).
const PEER: u8 = 0x23;

/// Where a device stands, without the repair that it is about to make; none if it makes none.
fn without_repair(peer: &[u8]) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut from = Reader::new(peer);
    let node: [u8; 16] = from.array("node")?;
    let position = from.var("position")?;
    match from.u8("repair")? {
        // It follows the feed, or follows it for the first time.
        0 | 3 | 4 => return Ok(None),
        2 => {
            let _key: [u8; 16] = from.array("key")?;
        }
        _ => {}
    }
    let _repairs = from.var("repairs")?;
    // So many that none is made any more.
    let mut to = Writer::new();
    to.raw(&node).var(position).u8(0).var(9).raw(from.rest());
    Ok(Some(to.into_bytes()))
}

/// Where a device stands, as if it had everything up to the last of what its first contact brought; none
/// if that left no holes.
fn without_holes(peer: &[u8]) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut from = Reader::new(peer);
    let node: [u8; 16] = from.array("node")?;
    let _position = from.var("position")?;
    if from.u8("mode")? != 4 {
        return Ok(None);
    }
    let _next = from.u8("usefulness")?;
    let has = Positions::read(&mut from, peer.len())?;
    let Some(position) = has.last() else {
        return Ok(None);
    };
    let _repairs = from.var("repairs")?;
    // So many that none is made any more.
    let mut to = Writer::new();
    to.raw(&node).var(position).u8(0).var(9).raw(from.rest());
    Ok(Some(to.into_bytes()))
}

/// Where a device stands, as if its node had said that nothing is left out; none if it says so.
fn without_left(peer: &[u8]) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut from = Reader::new(peer);
    let node: [u8; 16] = from.array("node")?;
    let position = from.var("position")?;
    // It follows the feed, and something is left out.
    if from.u8("mode")? != 16 {
        return Ok(None);
    }
    let extent: [u8; 8] = from.array("extent")?;
    let _count = from.var("parts")?;
    let _sum: [u8; 32] = from.array("fingerprint")?;
    let mut to = Writer::new();
    to.raw(&node).var(position).u8(16).raw(&extent);
    to.var(0).raw(&[0; 32]).raw(from.rest());
    Ok(Some(to.into_bytes()))
}

/// The part with bytes that say its author had signed it, whatever signature that may be.
pub(crate) fn as_if_signed(part: &SignedPart) -> Checked<SignedPart> {
    let mut to = Writer::new();
    to.u8(0).bytes(&part.header().encode()).raw(&[0; 64]);
    to.var(part.index().into())
        .var(part.siblings().len() as u64);
    for sibling in part.siblings() {
        to.raw(sibling);
    }
    to.bytes(&part.part().encode())
        .var(part.changes().len() as u64);
    for change in part.changes() {
        to.bytes(change);
    }
    must("part", SignedPart::decode(to.as_slice()))
}

/// What a device has still to say again (`docs/formats.md` section 11).
const OWED: u8 = 0x2c;

/// Where an edge stands with the node above (`docs/formats.md` section 11).
const UPLINK: u8 = 0x09;

/// Where an edge stands, as if everything up to here had been sent.
fn all_sent(place: &[u8], end: u64, held_end: u64) -> Result<Vec<u8>, DecodeError> {
    let mut from = Reader::new(place);
    let node: [u8; 16] = from.array("node")?;
    let follow = from.bytes(place.len(), "follow")?;
    let taken = from.var("taken")?;
    let (_sent, _held_sent) = (from.var("sent")?, from.var("held sent")?);
    let mut to = Writer::new();
    to.raw(&node).bytes(follow).var(taken);
    to.var(end).var(held_end).raw(from.rest());
    Ok(to.into_bytes())
}

impl Edge {
    /// Makes the edge take everything in its log for sent.
    pub fn take_all_for_sent(&mut self) -> Checked<()> {
        let below = &self.node.keyspace;
        let Some(place) = must("place", below.get(&[UPLINK]))? else {
            return Ok(());
        };
        let reader = LogReader(below);
        let (end, held) = (must("end", reader.end())?, must("end", reader.held_end())?);
        let value = Some(must("place", all_sent(&place, end, held))?);
        let key = vec![UPLINK];
        self.node.commit(vec![Write { key, value }]).map(drop)
    }
}

impl Tablet {
    /// Takes the drafts of documents that an answer is about out of the device, so that they are
    /// put back after it was applied: they will be sealed on heads their author never saw.
    pub fn take_drafts_away(&mut self, response: &Response) -> Checked<Vec<(Subject, Vec<Edit>)>> {
        let Some(device) = &self.device else {
            return Ok(Vec::new());
        };
        let about = response
            .entries
            .iter()
            .flat_map(|(_, part)| &part.part().entries);
        let mut taken = Vec::new();
        let mut truth: MemoryKeyspace = device.keyspace().clone();
        for document in about.map(sync_core::batch::Entry::document) {
            let key = [&[DRAFT], document.0.as_slice()].concat();
            if let Some(draft) = device.draft(document)
                && !taken.iter().any(|(subject, _)| *subject == draft.subject)
            {
                taken.push((draft.subject.clone(), draft.edits.clone()));
                truth.apply([Write { key, value: None }]);
            }
        }
        if !taken.is_empty() {
            let sealer = device.sealer().clone();
            let (device, _) = must("device-opens", Device::open(sealer, truth))?;
            self.device = Some(device);
        }
        Ok(taken)
    }

    /// Makes the device forget the repair that it is about to make.
    pub fn skip_the_repair(&mut self) -> Checked<Vec<Write>> {
        self.stand_as(without_repair)
    }

    /// Makes the device forget what its first contact left out.
    pub fn forget_the_holes(&mut self) -> Checked<Vec<Write>> {
        self.stand_as(without_holes)
    }

    /// Makes the device forget the fingerprint of what it leaves out.
    pub fn forget_what_is_left_out(&mut self) -> Checked<Vec<Write>> {
        self.stand_as(without_left)
    }

    /// Makes the device think that it stands elsewhere with its node.
    fn stand_as(
        &mut self,
        change: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, DecodeError>,
    ) -> Checked<Vec<Write>> {
        let Some(device) = &self.device else {
            return Ok(Vec::new());
        };
        let mut truth: MemoryKeyspace = device.keyspace().clone();
        let Some(peer) = must("peer", truth.get(&[PEER]))? else {
            return Ok(Vec::new());
        };
        let Some(value) = must("peer", change(&peer))? else {
            return Ok(Vec::new());
        };
        let (key, value) = (vec![PEER], Some(value));
        let write = Write { key, value };
        truth.apply([write.clone()]);
        let (device, _) = must("device-opens", Device::open(device.sealer().clone(), truth))?;
        self.device = Some(device);
        Ok(vec![write])
    }

    /// Makes the device forget what it has to say again.
    pub fn forget_what_is_owed(&mut self) -> Checked<Vec<Write>> {
        let Some(device) = &self.device else {
            return Ok(Vec::new());
        };
        let mut truth: MemoryKeyspace = device.keyspace().clone();
        let owed = must("owed", truth.scan(&[OWED], &[OWED + 1], usize::MAX))?;
        let forget = |(key, _)| Write { key, value: None };
        let writes: Vec<Write> = owed.into_iter().map(forget).collect();
        if !writes.is_empty() {
            truth.apply(writes.iter().cloned());
            let (device, _) = must("device-opens", Device::open(device.sealer().clone(), truth))?;
            self.device = Some(device);
        }
        Ok(writes)
    }

    /// Hides from the device that the node knows its numbers as something else.
    pub fn hide_the_fork(&self, response: &mut Response) -> Checked<()> {
        let Some(device) = &self.device else {
            return Ok(());
        };
        response.chain = must("chain", device.log().chain(device.sealer().actor()))?;
        for answer in &mut response.answers {
            if *answer == PartAnswer::Held(HeldReason::Equivocation) {
                *answer = PartAnswer::Accepted;
            }
        }
        Ok(())
    }
}
