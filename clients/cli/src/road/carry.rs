//! Carrying one frame to the node and its answer back, over as many connections as it takes.

use std::io::Read;
use std::time::Duration;

use sync_core::sync::piece::{FrameName, Piece};

use super::wait::spread;
use super::{Road, RoadError};

/// Where exchanges go.
const PATH: &str = "/v1/sync";

/// Requests up to here are sent whole again: asking what arrived costs as much.
const WHOLE_BYTES_MAX: usize = 1_024;

/// Cuts in a row that brought nothing before the link is given up for now.
const FRUITLESS_MAX: u32 = 4;

/// The wait after a cut that brought nothing; each is twice the one before.
const FRUITLESS_WAIT: Duration = Duration::from_millis(25);

/// A frame under way, and what has come back.
#[derive(Debug)]
pub(super) struct Carried {
    frame: Vec<u8>,
    /// Bytes of the frame that the node has, as far as we know.
    arrived: usize,
    answer: Vec<u8>,
    next: Next,
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

/// What one connection brought.
struct Brought {
    bytes: Vec<u8>,
    /// Why it ended early.
    cut: Option<RoadError>,
}

impl Carried {
    /// A frame that nobody has seen yet.
    pub(super) fn new(frame: Vec<u8>) -> Self {
        Self {
            frame,
            arrived: 0,
            answer: Vec::new(),
            next: Next::Whole,
        }
    }

    /// True if it is this frame that is under way.
    pub(super) fn is(&self, frame: &[u8]) -> bool {
        self.frame == frame
    }

    /// Goes on until the answer is whole, or the link brings nothing any more; then it can be called
    /// again later.
    pub(super) fn carry(&mut self, road: &Road, token: &str) -> Result<Vec<u8>, RoadError> {
        let mut fruitless = 0;
        loop {
            let before = (self.arrived, self.answer.len());
            let brought = road.post_frame(PATH, token, &self.said())?;
            let is_piece = self.take(&brought.bytes);
            if self.is_whole() || (brought.cut.is_none() && !is_piece) {
                self.next = Next::Whole;
                return Ok(std::mem::take(&mut self.answer));
            }
            if brought.cut.is_some() {
                self.next = self.after_a_cut();
            }
            if before != (self.arrived, self.answer.len()) {
                fruitless = 0;
                continue;
            }
            fruitless += 1;
            if fruitless > FRUITLESS_MAX {
                let endless = || road.garbled("an exchange that does not go on".to_owned());
                return Err(brought.cut.unwrap_or_else(endless));
            }
            if brought.cut.is_some() {
                std::thread::sleep(spread(FRUITLESS_WAIT * (1 << fruitless)));
            }
        }
    }

    fn said(&self) -> Vec<u8> {
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

    /// A small request whose answer has not begun is sent again; else it is worth asking.
    fn after_a_cut(&self) -> Next {
        if self.frame.len() <= WHOLE_BYTES_MAX && self.answer.is_empty() {
            Next::Whole
        } else {
            Next::Ask
        }
    }

    /// Takes what came; true if it was a piece, and not the answer from its start.
    fn take(&mut self, bytes: &[u8]) -> bool {
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

impl Road {
    /// Posts bytes and gives what comes back, also when it is cut short.
    fn post_frame(&self, path: &str, token: &str, body: &[u8]) -> Result<Brought, RoadError> {
        let request = self
            .agent
            .post(format!("{}{path}", self.server))
            .header("authorization", format!("Bearer {token}"))
            .config()
            // Every byte counts, and the server asks for none of these.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            // Somebody who moved away leaves a connection that is open and dead.
            .timeout_per_read(Some(self.stall))
            .timeout_per_write(Some(self.stall))
            .build();
        let cut = |reason: String| {
            Some(RoadError::Offline {
                server: self.server.clone(),
                reason,
            })
        };
        let mut response = match request.send(body) {
            Ok(response) => response,
            Err(error) => {
                return Ok(Brought {
                    bytes: Vec::new(),
                    cut: cut(error.to_string()),
                });
            }
        };
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let mut bytes = Vec::new();
        let body = response.body_mut().with_config();
        let body = body.limit(super::FRAME_ANSWER_BYTES_MAX);
        let read = body.reader().read_to_end(&mut bytes);
        Ok(Brought {
            bytes,
            cut: read.err().and_then(|error| cut(error.to_string())),
        })
    }
}
