//! Packed messages: a request or an answer whose parts stand on what both sides hold.
//!
//! They carry what the plain ones carry. A side that cannot rebuild the parts says so, with everything
//! else of the message still good, and is sent them as they are the next time: that is one exchange
//! more, never a loop, and nothing is taken for sent that was not.

mod asker;

use super::frame::Frame;
use super::message::{PartAnswer, Request, Response};
use super::node::{NodeIdentity, Session};
use crate::catalogue::Catalogue;
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::log::{Keyspace, KeyspaceError};
use crate::pack::{Ground, Shared, pack, pack_records, unpack};

pub(super) use asker::Manner;

/// How the parts of a message travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packing {
    /// As they are, in the message itself; or there are none.
    Plain,
    /// Packed.
    Packed {
        /// True when it stands on what both sides have of the log, else on the catalogue alone.
        on_shared: bool,
        /// The packing.
        bytes: Vec<u8>,
    },
}

/// How a device wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Entries as they are.
    Plain,
    /// Packed on the catalogue alone: it reads again what it may hold already.
    OnNothing,
    /// Packed on what it has read.
    OnShared,
}

/// A request with its parts packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedRequest {
    /// Everything else; parts only when they are plain.
    pub request: Request,
    /// How the answer is to come.
    pub wanted: Wanted,
    /// The parts.
    pub parts: Packing,
}

/// An answer with its entries packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedResponse {
    /// Everything else; records and entries only when they are plain.
    pub response: Response,
    /// The parts of the request could not be rebuilt: nothing became of them.
    pub unread: bool,
    /// The catalogue records, packed; none when they are plain.
    pub records: Option<Vec<u8>>,
    /// The entries.
    pub entries: Packing,
}

impl Packing {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Plain => to.u8(0),
            Self::Packed { on_shared, bytes } => to.u8(1 + u8::from(*on_shared)).bytes(bytes),
        };
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let on_shared = match from.u8("packing")? {
            0 => return Ok(Self::Plain),
            1 => false,
            2 => true,
            _ => return Err(DecodeError::Undefined("packing")),
        };
        let bytes = from.bytes(limits::FRAME_BYTES_MAX, "packing")?.to_vec();
        Ok(Self::Packed { on_shared, bytes })
    }
}

impl PackedRequest {
    /// Bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(match self.wanted {
            Wanted::Plain => 0,
            Wanted::OnNothing => 1,
            Wanted::OnShared => 2,
        });
        self.parts.write(&mut to);
        to.raw(&self.request.encode());
        to.into_bytes()
    }

    /// Reads the message, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let wanted = match from.u8("wanted packing")? {
            0 => Wanted::Plain,
            1 => Wanted::OnNothing,
            2 => Wanted::OnShared,
            _ => return Err(DecodeError::Undefined("wanted packing")),
        };
        let parts = Packing::read(&mut from)?;
        let request = Request::decode(from.rest())?;
        if parts != Packing::Plain && !request.parts.is_empty() {
            return Err(DecodeError::Undefined("parts beside a packing"));
        }
        Ok(Self {
            request,
            wanted,
            parts,
        })
    }
}

impl PackedResponse {
    /// Bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(self.unread.into());
        match &self.records {
            None => to.u8(0),
            Some(bytes) => to.u8(1).bytes(bytes),
        };
        self.entries.write(&mut to);
        to.raw(&self.response.encode());
        to.into_bytes()
    }

    /// Reads the message, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let unread = match from.u8("unread")? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Undefined("unread")),
        };
        let records = match from.u8("packing of records")? {
            0 => None,
            1 => {
                let bytes = from.bytes(limits::FRAME_BYTES_MAX, "packing of records")?;
                Some(bytes.to_vec())
            }
            _ => return Err(DecodeError::Undefined("packing of records")),
        };
        let entries = Packing::read(&mut from)?;
        let response = Response::decode(from.rest())?;
        if entries != Packing::Plain && !response.entries.is_empty() {
            return Err(DecodeError::Undefined("entries beside a packing"));
        }
        if records.is_some() && !response.records.is_empty() {
            return Err(DecodeError::Undefined("records beside a packing"));
        }
        Ok(Self {
            response,
            unread,
            records,
            entries,
        })
    }
}

/// A request as a node goes on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The request with its parts; without any when they could not be rebuilt.
    pub request: Request,
    /// How to answer.
    pub reply: Reply,
}

/// How a node answers a packed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// As the device wants it.
    pub wanted: Wanted,
    /// The parts of the request could not be rebuilt.
    pub unread: bool,
}

/// At a node: the request with its parts.
pub fn open(
    keyspace: &dyn Keyspace,
    catalogue: &Catalogue,
    identity: &NodeIdentity,
    session: &Session,
    packed: PackedRequest,
) -> Result<Opened, KeyspaceError> {
    let PackedRequest {
        mut request,
        wanted,
        parts,
    } = packed;
    let mut unread = false;
    if let Packing::Packed { on_shared, bytes } = parts {
        let known = request.known.filter(|known| known.node == identity.node);
        let shared = match (on_shared, known) {
            (true, Some(known)) => Some(Shared::Through {
                position: known.position,
                own: None,
                follow: session.follow.clone(),
            }),
            (true, None) => None,
            (false, _) => Some(Shared::Nothing),
        };
        let rebuilt = match shared {
            Some(shared) => {
                let ground = Ground {
                    keyspace,
                    names: catalogue.names(),
                    shared,
                };
                unpack(&ground, &bytes)?
            }
            None => None,
        };
        // More than one request may hold is as good as unreadable.
        match rebuilt.filter(|parts| parts.len() <= limits::PARTS_PER_MESSAGE_MAX) {
            Some(parts) => request.parts = parts.into_iter().map(|(_, part)| part).collect(),
            None => unread = true,
        }
    }
    let reply = Reply { wanted, unread };
    Ok(Opened { request, reply })
}

/// At a node: the answer as the device wants it. `request` is the one that was answered.
pub fn close(
    keyspace: &dyn Keyspace,
    catalogue: &Catalogue,
    session: &Session,
    (request, reply): (&Request, Reply),
    mut response: Response,
) -> Result<Frame, KeyspaceError> {
    let reads_on = response.follow.is_none() && request.own_number >= response.chain.number;
    let on_shared = reply.wanted == Wanted::OnShared && reads_on;
    let mut entries = Packing::Plain;
    if reply.wanted != Wanted::Plain && !response.entries.is_empty() {
        let shared = match on_shared {
            true => Shared::Through {
                position: response.from,
                own: Some(request.actor),
                follow: session.follow.clone(),
            },
            false => Shared::Nothing,
        };
        let ground = Ground {
            keyspace,
            names: catalogue.names(),
            shared,
        };
        if let Some(bytes) = pack(&ground, &response.entries)? {
            response.entries.clear();
            entries = Packing::Packed { on_shared, bytes };
        }
    }
    let mut records = None;
    if reply.wanted != Wanted::Plain
        && let Some(bytes) = pack_records(&response.records)
    {
        response.records.clear();
        records = Some(bytes);
    }
    Ok(Frame::PackedResponse(Box::new(PackedResponse {
        response,
        unread: reply.unread,
        records,
        entries,
    })))
}

/// At a node: the answer with its entries as they are.
pub fn plain(response: Response, reply: Reply) -> Frame {
    Frame::PackedResponse(Box::new(PackedResponse {
        response,
        unread: reply.unread,
        records: None,
        entries: Packing::Plain,
    }))
}

/// True for an answer that says the part is in the node's log.
pub(super) fn is_accepted(answer: &PartAnswer) -> bool {
    match answer {
        PartAnswer::Accepted => true,
        PartAnswer::Held(_) | PartAnswer::Gap(_) | PartAnswer::Waiting | PartAnswer::Refused(_) => {
            false
        }
    }
}
