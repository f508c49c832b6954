//! Packed messages: a request or an answer whose parts stand on what both sides hold.
//!
//! They carry what the plain ones carry. A side that cannot rebuild the parts says so, with everything
//! else of the message still good, and is sent them as they are the next time: that is one exchange
//! more, never a loop, and nothing is taken for sent that was not.

mod asker;

use super::frame::Frame;
use super::message::{PartAnswer, Request, Response};
use super::node::{NodeIdentity, Session};
use super::proof::Proof;
use crate::batch::Attestation;
use crate::catalogue::Catalogue;
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::log::{Keyspace, KeyspaceError};
use crate::pack::{Ground, Shared, pack, pack_bare, pack_records, unpack};

pub(super) use asker::{Manner, leave_entries};

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
    /// The entries. With the node's word in the response they are packed without signatures.
    pub entries: Packing,
    /// The node takes parts on the province's word. It says so only to who takes them as well.
    pub takes_vouched: bool,
}

/// Kinds of packing; what is added to them says more of an answer.
const KINDS: u8 = 3;

impl Packing {
    fn kind(&self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Packed { on_shared, .. } => 1 + u8::from(*on_shared),
        }
    }

    fn write_rest(&self, to: &mut Writer) {
        if let Self::Packed { bytes, .. } = self {
            to.bytes(bytes);
        }
    }

    fn read_rest(kind: u8, from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let on_shared = match kind {
            0 => return Ok(Self::Plain),
            1 => false,
            2 => true,
            _ => return Err(DecodeError::Undefined("packing")),
        };
        let bytes = from.bytes(limits::FRAME_BYTES_MAX, "packing")?.to_vec();
        Ok(Self::Packed { on_shared, bytes })
    }

    fn write(&self, to: &mut Writer) {
        to.u8(self.kind());
        self.write_rest(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = from.u8("packing")?;
        Self::read_rest(kind, from)
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
        let kind = self.entries.kind();
        match (&self.response.piece, self.takes_vouched) {
            (None, false) => to.u8(kind),
            (None, true) => to.u8(KINDS + kind),
            (Some(piece), _) => {
                to.u8(2 * KINDS + kind);
                piece.write(&mut to);
                &mut to
            }
        };
        self.entries.write_rest(&mut to);
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
        let kind = from.u8("packing")?;
        let piece = match kind / KINDS {
            0 | 1 => None,
            2 => Some(Attestation::read(&mut from)?),
            _ => return Err(DecodeError::Undefined("packing")),
        };
        let entries = Packing::read_rest(kind % KINDS, &mut from)?;
        let mut response = Response::decode(from.rest())?;
        response.piece = piece;
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
            takes_vouched: kind >= KINDS,
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
    /// Whose word the device takes.
    pub proof: Proof,
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
    let proof = Proof::of(request.bytes_max);
    let reply = Reply {
        wanted,
        unread,
        proof,
    };
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
        let counts = |piece: &Attestation| catalogue.province_node_key(piece.said.key).is_some();
        response.piece = response.piece.filter(counts);
        let bytes = match response.piece {
            Some(_) => pack_bare(&ground, &response.entries)?,
            None => pack(&ground, &response.entries)?,
        };
        if let Some(bytes) = bytes {
            response.entries.clear();
            entries = Packing::Packed { on_shared, bytes };
        }
    }
    if entries == Packing::Plain {
        response.piece = None;
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
        takes_vouched: reply.proof != Proof::Author,
    })))
}

/// At a node: the answer with its entries as they are.
pub fn plain(mut response: Response, reply: Reply) -> Frame {
    response.piece = None;
    Frame::PackedResponse(Box::new(PackedResponse {
        response,
        unread: reply.unread,
        records: None,
        entries: Packing::Plain,
        takes_vouched: reply.proof != Proof::Author,
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
