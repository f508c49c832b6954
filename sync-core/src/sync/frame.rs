//! Frames: what a pipe carries. One WebSocket message is one frame; a POST body is one after another.

use super::message::{Request, Response};
use super::packed::{PackedRequest, PackedResponse};
use super::repair::{Ask, Told};
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

/// Why a frame cannot be read. Nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than allowed.
    #[error("frame of {0} bytes is over the limit of {max}", max = limits::FRAME_BYTES_MAX)]
    TooLong(usize),
    /// Cut short or changed on the way.
    #[error("frame does not match its checksum")]
    Checksum,
    /// Its content cannot be read.
    #[error("frame: {0}")]
    Decode(#[from] DecodeError),
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// From a device.
    Request(Box<Request>),
    /// From a node.
    Response(Box<Response>),
    /// From a node that could not do what was asked: a machine code.
    Problem(String),
    /// From a device, its parts packed, perhaps with what it asks for to repair its set. The answer is
    /// packed too.
    PackedRequest(Box<PackedRequest>),
    /// From a node, its entries packed.
    PackedResponse(Box<PackedResponse>),
}

fn checksum(kind: u8, body: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = crate::identity::labelled_hash("frame", &[&[kind], body]);
    [a, b, c, d]
}

/// What rides along with a message, and the message.
fn beside(write: impl FnOnce(&mut Writer), message: &[u8]) -> Vec<u8> {
    let mut to = Writer::new();
    write(&mut to);
    to.raw(message);
    to.into_bytes()
}

impl Frame {
    /// Bytes: kind, checksum, length and body.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Request(request) => (1, request.encode()),
            Self::Response(response) => (2, response.encode()),
            Self::Problem(code) => (3, code.clone().into_bytes()),
            Self::PackedRequest(request) => match &request.request.repair {
                None => (4, request.encode()),
                Some(ask) => (6, beside(|to| ask.write(to), &request.encode())),
            },
            Self::PackedResponse(response) => match &response.response.repair {
                None => (5, response.encode()),
                Some(told) => (7, beside(|to| told.write(to), &response.encode())),
            },
        };
        let mut writer = Writer::new();
        writer.u8(kind).raw(&checksum(kind, &body)).bytes(&body);
        writer.into_bytes()
    }

    /// Reads the one frame that `bytes` are.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let frame = Self::read(&mut reader)?;
        reader.end("frame")?;
        Ok(frame)
    }

    /// Reads a frame from the front.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let kind = reader.u8("kind of frame")?;
        let sum: [u8; 4] = reader.array("checksum")?;
        let body = reader.bytes(limits::FRAME_BYTES_MAX, "frame")?;
        if checksum(kind, body) != sum {
            return Err(FrameError::Checksum);
        }
        Ok(match kind {
            1 => Self::Request(Box::new(Request::decode(body)?)),
            2 => Self::Response(Box::new(Response::decode(body)?)),
            3 => {
                let code = std::str::from_utf8(body).map_err(|_| DecodeError::Text("code"))?;
                Self::Problem(code.to_owned())
            }
            4 => Self::PackedRequest(Box::new(PackedRequest::decode(body)?)),
            5 => Self::PackedResponse(Box::new(PackedResponse::decode(body)?)),
            6 => {
                let mut from = Reader::new(body);
                let ask = Ask::read(&mut from)?;
                let mut packed = PackedRequest::decode(from.rest())?;
                packed.request.repair = Some(ask);
                Self::PackedRequest(Box::new(packed))
            }
            7 => {
                let mut from = Reader::new(body);
                let told = Told::read(&mut from)?;
                let mut packed = PackedResponse::decode(from.rest())?;
                packed.response.repair = Some(told);
                Self::PackedResponse(Box::new(packed))
            }
            _ => return Err(DecodeError::Undefined("kind of frame").into()),
        })
    }
}
