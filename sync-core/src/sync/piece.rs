//! Pieces: how an exchange over a POST goes on after the link was cut in the middle of it.
//!
//! A frame begins with its checksum and its length: its [`FrameName`], known as soon as its first bytes
//! are. After a cut a device asks where the two were ([`Piece::Where`]); a node that has made the answer
//! gives the rest of it, one that has not says how much of the request arrived, and the device sends what
//! follows ([`Piece::Rest`]). Nothing is taken before the whole frame matches its checksum.

use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

const WHERE: u8 = 0x11;
const RECEIVED: u8 = 0x12;
const REST_OF_ANSWER: u8 = 0x13;
const REST_OF_REQUEST: u8 = 0x14;

/// Tells a frame from others, by the bytes it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameName {
    checksum: [u8; 4],
    length: usize,
}

impl FrameName {
    /// The name of the frame that begins with these bytes; none if they are too few, or no frame's.
    pub fn of(begins_with: &[u8]) -> Option<Self> {
        let mut from = Reader::new(begins_with);
        let kind = from.u8("kind of frame").ok()?;
        let checksum = from.array("checksum").ok()?;
        let body = usize::try_from(from.var("length").ok()?).ok()?;
        let head = begins_with.len() - from.rest().len();
        let known = (1..=5).contains(&kind) && body <= limits::FRAME_BYTES_MAX;
        known.then(|| Self {
            checksum,
            length: head + body,
        })
    }

    /// Bytes of the whole frame.
    pub fn length(&self) -> usize {
        self.length
    }

    fn write(&self, to: &mut Writer) {
        to.raw(&self.checksum).var(self.length as u64);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let checksum = from.array("checksum")?;
        let length = from.count(limits::FRAME_BYTES_MAX + 64, "length")?;
        Ok(Self { checksum, length })
    }
}

/// What goes up or down instead of a whole frame. The bytes of a rest are whatever has arrived of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// From a device: what became of this request? Of its answer I hold so many bytes.
    Where {
        /// The request.
        request: FrameName,
        /// Bytes of the answer that are here.
        held: usize,
    },
    /// From a node: so many bytes of the request arrived.
    Received(usize),
    /// From a node: the answer from where it was cut.
    RestOfAnswer(&'a [u8]),
    /// From a device: the request from where it was cut.
    Rest {
        /// The request.
        request: FrameName,
        /// Bytes before these.
        from: usize,
        /// The bytes.
        bytes: &'a [u8],
    },
}

impl<'a> Piece<'a> {
    /// Bytes of the piece.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        match self {
            Self::Where { request, held } => {
                to.u8(WHERE);
                request.write(&mut to);
                to.var(*held as u64);
            }
            Self::Received(bytes) => {
                to.u8(RECEIVED).var(*bytes as u64);
            }
            Self::RestOfAnswer(bytes) => {
                to.u8(REST_OF_ANSWER).raw(bytes);
            }
            Self::Rest {
                request,
                from,
                bytes,
            } => {
                to.u8(REST_OF_REQUEST);
                request.write(&mut to);
                to.var(*from as u64).raw(bytes);
            }
        }
        to.into_bytes()
    }

    /// Reads a piece; none if the bytes begin a frame, or are too few to say.
    pub fn decode(bytes: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let bytes_max = limits::FRAME_BYTES_MAX + 64;
        let mut from = Reader::new(bytes);
        let Ok(kind) = from.u8("kind of piece") else {
            return Ok(None);
        };
        Ok(Some(match kind {
            WHERE => {
                let request = FrameName::read(&mut from)?;
                let held = from.count(bytes_max, "bytes held")?;
                from.end("piece")?;
                Self::Where { request, held }
            }
            RECEIVED => {
                let received = from.count(bytes_max, "bytes received")?;
                from.end("piece")?;
                Self::Received(received)
            }
            REST_OF_ANSWER => Self::RestOfAnswer(from.rest()),
            REST_OF_REQUEST => Self::Rest {
                request: FrameName::read(&mut from)?,
                from: from.count(bytes_max, "bytes before")?,
                bytes: from.rest(),
            },
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Frame;
    use proptest::prelude::*;

    fn frame(length: usize) -> Vec<u8> {
        Frame::Problem("x".repeat(length)).encode()
    }

    #[test]
    fn a_frame_is_named_by_its_first_bytes() {
        for length in [0, 1, 127, 128, 20_000] {
            let bytes = frame(length);
            let name = FrameName::of(&bytes).unwrap();
            assert_eq!(name.length(), bytes.len());
            assert_eq!(FrameName::of(&bytes[..10.min(bytes.len())]), Some(name));
            assert_eq!(FrameName::of(&bytes[..5]), None);
            assert_eq!(Piece::decode(&bytes), Ok(None), "a frame is no piece");
        }
        assert_ne!(FrameName::of(&frame(10)), FrameName::of(&frame(11)));
        let mut other = frame(10);
        other[0] = 0x11;
        assert_eq!(FrameName::of(&other), None, "a piece is no frame");
        let huge = [&[1, 0, 0, 0, 0][..], &[0xff; 9], &[1]].concat();
        assert_eq!(FrameName::of(&huge), None, "over the limit of a frame");
    }

    proptest! {
        #[test]
        fn pieces_are_read_back(held in 0..1_000_usize, bytes: Vec<u8>) {
            let request = FrameName::of(&frame(300)).unwrap();
            for piece in [
                Piece::Where { request, held },
                Piece::Received(held),
                Piece::RestOfAnswer(&bytes),
                Piece::Rest { request, from: held, bytes: &bytes },
            ] {
                let encoded = piece.encode();
                prop_assert_eq!(Piece::decode(&encoded), Ok(Some(piece)));
            }
        }

        #[test]
        fn nothing_from_outside_makes_it_stumble(bytes: Vec<u8>) {
            let _ = (Piece::decode(&bytes), FrameName::of(&bytes));
        }
    }
}
