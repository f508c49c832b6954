//! What is under way between tablets and the node: frames that can be lost, repeated, delayed,
//! overtaken and garbled.
//!
//! A connection pairs an answer with its request (a POST has one answer, a socket numbers its
//! frames), so an answer to anything but the request under way does not reach the tablet's state
//! machine. Requests may arrive late and more than once.

use sync_core::identity::KeyId;

use crate::dice::Dice;

/// Frames under way in one direction at most; the oldest is lost.
const UNDER_WAY_MAX: usize = 12;

/// Who is at the other end of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// A tablet.
    Tablet(usize),
    /// A chain that no tablet's state machine writes.
    Side(usize),
    /// An edge that asks the province.
    Edge(usize),
}

/// A frame under way.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Which exchange it belongs to.
    pub exchange: u64,
    /// The tablet's end.
    pub peer: Peer,
    /// The node's end: an edge, or the province.
    pub to: Option<usize>,
    /// The key it proved when it connected.
    pub key: KeyId,
    /// The frame.
    pub bytes: Vec<u8>,
}

/// Both directions.
#[derive(Debug, Default)]
pub struct Link {
    /// Requests.
    pub to_node: Vec<Envelope>,
    /// Answers.
    pub to_tablets: Vec<Envelope>,
}

impl Link {
    /// Sends a request.
    pub fn ask(&mut self, envelope: Envelope) {
        push(&mut self.to_node, envelope);
    }

    /// Sends an answer.
    pub fn answer(&mut self, envelope: Envelope) {
        push(&mut self.to_tablets, envelope);
    }
}

fn push(way: &mut Vec<Envelope>, envelope: Envelope) {
    if way.len() >= UNDER_WAY_MAX {
        way.remove(0);
    }
    way.push(envelope);
}

/// Takes a random frame off a way.
pub fn take(way: &mut Vec<Envelope>, dice: &mut Dice) -> Option<Envelope> {
    (!way.is_empty()).then(|| way.remove(dice.below(way.len())))
}

/// Sends a random frame of a way once more.
pub fn repeat(way: &mut Vec<Envelope>, dice: &mut Dice) {
    if let Some(envelope) = dice.pick(way).cloned() {
        push(way, envelope);
    }
}

/// Changes one bit of a random frame, or cuts it short.
pub fn garble(way: &mut [Envelope], dice: &mut Dice) {
    let at = dice.below(way.len());
    if let Some(envelope) = way.get_mut(at) {
        let place = dice.below(envelope.bytes.len());
        if dice.one_in(2) {
            envelope.bytes.truncate(place);
        } else if let Some(byte) = envelope.bytes.get_mut(place) {
            *byte ^= 1 << dice.below(8);
        }
    }
}
