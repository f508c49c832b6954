//! A frame under way to the node, and its answer back, over as many connections as it takes.
//!
//! Who carries it says on each connection what [`Carried::said`] gives, hands what came back to
//! [`Carried::take`], and goes on until that gives the answer. How long to wait between connections is
//! theirs; whether one got further is [`Carried::progress`].

use super::piece::{FrameName, Piece};

/// Requests up to here are sent whole again: asking what arrived costs as much.
const WHOLE_BYTES_MAX: usize = 1_024;

/// A frame under way, and what has come back.
#[derive(Debug)]
pub struct Carried {
    frame: Vec<u8>,
    /// Bytes of the frame that the node has, as far as we know.
    arrived: usize,
    answer: Vec<u8>,
    next: Next,
}

/// Bytes of an exchange that are still to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Of the request, as far as is known of what arrived.
    pub send: usize,
    /// Of the answer; not known before it begins.
    pub receive: Option<usize>,
}

/// What is said on the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The frame from its first byte.
    Whole,
    /// What became of it?
    Ask,
    /// The frame from where it was cut.
    Rest,
}

impl Carried {
    /// A frame that nobody has seen yet.
    pub fn new(frame: Vec<u8>) -> Self {
        Self {
            frame,
            arrived: 0,
            answer: Vec::new(),
            next: Next::Whole,
        }
    }

    /// True if it is this frame that is under way.
    pub fn is(&self, frame: &[u8]) -> bool {
        self.frame == frame
    }

    /// Bytes of the request that arrived, as far as is known, and bytes of the answer that are here.
    pub fn progress(&self) -> (usize, usize) {
        (self.arrived, self.answer.len())
    }

    /// How much is left, while a connection brings its answer: `begins_with` are the first bytes of so many that
    /// came on it.
    pub fn left(&self, begins_with: &[u8], came: usize) -> Left {
        let (first, here) = match Piece::decode(begins_with) {
            Ok(Some(Piece::RestOfAnswer(rest))) => {
                let around = begins_with.len().saturating_sub(rest.len());
                let first = if self.answer.is_empty() {
                    rest
                } else {
                    self.answer.as_slice()
                };
                (first, self.answer.len() + came.saturating_sub(around))
            }
            Ok(Some(Piece::Received(_) | Piece::Where { .. } | Piece::Rest { .. })) | Err(_) => {
                (self.answer.as_slice(), self.answer.len())
            }
            Ok(None) if begins_with.is_empty() => (self.answer.as_slice(), self.answer.len()),
            Ok(None) => (begins_with, came),
        };
        let whole = FrameName::of(first).map(|name| name.length());
        Left {
            // Who answers has the whole request.
            send: match here {
                0 => self.frame.len() - self.arrived.min(self.frame.len()),
                _ => 0,
            },
            receive: whole.map(|whole| whole.saturating_sub(here)),
        }
    }

    /// What to say on the next connection.
    pub fn said(&self) -> Vec<u8> {
        match (self.next, FrameName::of(&self.frame)) {
            (Next::Ask, Some(request)) => Piece::Where {
                request,
                held: self.answer.len(),
            }
            .encode(),
            (Next::Rest, Some(request)) => Piece::Rest {
                request,
                from: self.arrived,
                bytes: self.frame.get(self.arrived..).unwrap_or_default(),
            }
            .encode(),
            (Next::Whole | Next::Ask | Next::Rest, _) => self.frame.clone(),
        }
    }

    /// Takes what a connection brought before it ended, `cut` short or not. Gives the answer once it is
    /// whole, or whatever else the node said to the end; then the frame can be sent from its start.
    pub fn take(&mut self, bytes: &[u8], cut: bool) -> Option<Vec<u8>> {
        let is_piece = self.read(bytes, cut);
        if self.is_whole() || (!cut && !is_piece) {
            self.next = Next::Whole;
            return Some(std::mem::take(&mut self.answer));
        }
        if cut {
            self.next = self.after_a_cut();
        }
        None
    }

    /// A small request whose answer has not begun is sent again; else it is worth asking.
    fn after_a_cut(&self) -> Next {
        if self.frame.len() <= WHOLE_BYTES_MAX && self.answer.is_empty() {
            Next::Whole
        } else {
            Next::Ask
        }
    }

    /// Reads what came; true if it was a piece, and not the answer from its start.
    fn read(&mut self, bytes: &[u8], cut: bool) -> bool {
        match Piece::decode(bytes) {
            Ok(Some(Piece::Received(arrived))) => {
                // Without an answer there, what is here of one is of no use.
                self.answer.clear();
                self.arrived = arrived.min(self.frame.len());
                self.next = if arrived == 0 {
                    Next::Whole
                } else {
                    Next::Rest
                };
                true
            }
            Ok(Some(Piece::RestOfAnswer(rest))) => {
                self.answer.extend_from_slice(rest);
                true
            }
            // A piece that was cut itself says nothing.
            Err(_) if cut => true,
            Ok(None | Some(Piece::Where { .. } | Piece::Rest { .. })) | Err(_) => {
                if !bytes.is_empty() {
                    self.answer = bytes.to_vec();
                }
                false
            }
        }
    }

    fn is_whole(&self) -> bool {
        FrameName::of(&self.answer).is_some_and(|name| self.answer.len() >= name.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Frame;
    use proptest::prelude::*;

    /// A node that keeps what arrived of a request and the answer it made.
    #[derive(Default)]
    struct Node {
        request: Vec<u8>,
        answered: bool,
    }

    impl Node {
        /// What it says to what arrived of a body.
        fn hear(&mut self, body: &[u8], answer: &[u8]) -> Vec<u8> {
            match Piece::decode(body) {
                Ok(Some(Piece::Where { held, .. })) if self.answered => {
                    return Piece::RestOfAnswer(&answer[held..]).encode();
                }
                Ok(Some(Piece::Where { .. })) => {
                    return Piece::Received(self.request.len()).encode();
                }
                Ok(Some(Piece::Rest { from, bytes, .. })) => {
                    self.request.truncate(from);
                    self.request.extend_from_slice(bytes);
                }
                Ok(_) => self.request = body.to_vec(),
                Err(_) => return Vec::new(),
            }
            let name = FrameName::of(&self.request);
            if name.is_none_or(|name| self.request.len() < name.length()) {
                return Vec::new();
            }
            self.answered = true;
            answer.to_vec()
        }
    }

    #[test]
    fn how_much_is_left_is_known_at_every_byte_and_over_every_cut() {
        let frame = Frame::Problem("u".repeat(3_000)).encode();
        let answer = Frame::Problem("d".repeat(4_000)).encode();
        let mut carried = Carried::new(frame.clone());
        let unknown = |send| Left {
            send,
            receive: None,
        };
        assert_eq!(carried.left(&[], 0), unknown(frame.len()));
        // Cut, and the node has 1,000 bytes of it.
        carried.take(&[], true);
        carried.take(&Piece::Received(1_000).encode(), false);
        assert_eq!(carried.left(&[], 0), unknown(frame.len() - 1_000));
        let left = |receive| Left {
            send: 0,
            receive: Some(receive),
        };
        // The answer comes, from its start and then from where it was cut.
        for came in [16, 700] {
            let seen = carried.left(answer.get(..16).unwrap(), came);
            assert_eq!(seen, left(answer.len() - came));
        }
        carried.take(answer.get(..700).unwrap(), true);
        assert_eq!(carried.left(&[], 0), left(answer.len() - 700));
        let rest = Piece::RestOfAnswer(answer.get(700..).unwrap()).encode();
        for came in [20, 500, rest.len()] {
            let around = rest.len() - (answer.len() - 700);
            let seen = carried.left(rest.get(..20).unwrap(), came);
            assert_eq!(seen, left(answer.len() - 700 - (came - around)));
        }
        assert_eq!(carried.take(&rest, false), Some(answer));
    }

    proptest! {
        #[test]
        fn it_arrives_whole_however_often_the_link_is_cut(
            up in 0_usize..6_000,
            down in 0_usize..6_000,
            cuts in prop::collection::vec(40_usize..900, 1..12),
        ) {
            let frame = Frame::Problem("u".repeat(up)).encode();
            let answer = Frame::Problem("d".repeat(down)).encode();
            let (mut node, mut carried) = (Node::default(), Carried::new(frame.clone()));
            let mut sent = 0;
            for connection in 0.. {
                prop_assert!(connection < 1_000, "no end");
                // The last of them is longer than what is ever sent whole again.
                let cut = cuts.get(connection).copied().unwrap_or(1_200);
                let said = carried.said();
                let body = &said[..said.len().min(cut)];
                sent += body.len();
                let back = node.hear(body, &answer);
                let back_cut = back.len().min(cut - body.len());
                let was_cut = body.len() < said.len() || back_cut < back.len();
                if let Some(whole) = carried.take(&back[..back_cut], was_cut) {
                    prop_assert_eq!(&whole, &answer);
                    prop_assert_eq!(&node.request, &frame, "nothing else arrived");
                    let again = (connection + 1) * (WHOLE_BYTES_MAX + 32);
                    prop_assert!(sent <= frame.len() + again, "what arrived is not sent again");
                    break;
                }
            }
        }
    }
}
