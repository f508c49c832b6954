//! Packed messages: a request or an answer whose parts stand on what both sides hold.
//!
//! They carry what the plain ones carry. A side that cannot rebuild the parts says so, with everything
//! else of the message still good, and is sent them as they are the next time: that is one exchange
//! more, never a loop, and nothing is taken for sent that was not.

use std::collections::BTreeSet;

use super::device::{Device, DeviceError, OutboxState};
use super::frame::Frame;
use super::message::{PartAnswer, Request, Response};
use super::node::{NodeIdentity, Session};
use crate::catalogue::{Catalogue, Names};
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::log::staging::PartPlace;
use crate::log::{Keyspace, KeyspaceError, LogReader};
use crate::pack::{Ground, Shared, Timed, pack, pack_records, unpack, unpack_records};

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

/// What a device keeps in mind of how messages go. Not durable: the worst that can be forgotten is
/// that parts have to travel as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// The node could not read the last packed request.
    plain_request: bool,
    /// The last packed answer could not be read here.
    plain_answer: bool,
    /// The catalogue here went another way than the node's: no packing of its records can be read.
    is_forked: bool,
}

impl Device {
    /// The next request as a frame, packed; [`Device::request`] as it is.
    pub fn packed_request(&mut self) -> Result<Frame, DeviceError> {
        let request = self.request()?;
        self.pack_request(request)
    }

    /// Packs what [`Device::request`] gave.
    pub fn pack_request(&self, mut request: Request) -> Result<Frame, DeviceError> {
        let manner = self.manner();
        let is_plain = manner.plain_answer || manner.is_forked;
        let wanted = match (is_plain, self.is_out_of_step()) {
            (true, _) => Wanted::Plain,
            (false, true) => Wanted::OnNothing,
            (false, false) => Wanted::OnShared,
        };
        let mut parts = Packing::Plain;
        if !manner.plain_request && !request.parts.is_empty() {
            let on_shared = request.known.is_some() && !self.is_out_of_step();
            let shared = match on_shared {
                true => Shared::Without(self.positions_of_outbox(|_, _| false)?),
                false => Shared::Nothing,
            };
            let sent: Vec<Timed> = request.parts.iter().map(|part| (0, part.clone())).collect();
            if let Some(bytes) = pack(&self.ground(self.catalogue().names(), shared), &sent)? {
                request.parts.clear();
                parts = Packing::Packed { on_shared, bytes };
            }
        }
        Ok(Frame::PackedRequest(Box::new(PackedRequest {
            request,
            wanted,
            parts,
        })))
    }

    /// The answer with its records and entries, to be taken by [`Device::receive`]. What cannot be
    /// rebuilt is as if it had not been sent: it comes again, as it is.
    pub fn open_response(&mut self, packed: PackedResponse) -> Result<Response, DeviceError> {
        let PackedResponse {
            mut response,
            unread,
            records,
            entries,
        } = packed;
        let mut manner = self.manner();
        // A node cannot fail to read what came as it is.
        manner.plain_request = unread && !manner.plain_request;
        manner.plain_answer = false;
        if let Some(bytes) = records {
            let tip = (self.catalogue().last_number(), self.catalogue().last_hash());
            match unpack_records(tip, &bytes) {
                Some(records) => response.records = records,
                None => {
                    manner.plain_answer = true;
                    leave_entries(&mut response);
                }
            }
        }
        // Entries are judged by the catalogue: without its records they wait as well.
        if let Packing::Packed { on_shared, bytes } = entries
            && !manner.plain_answer
        {
            let shared = match on_shared {
                true => Shared::Without(self.unknown_to_node(&response)?),
                false => Shared::Nothing,
            };
            let names = self.catalogue().names_with(&response.records);
            match unpack(&self.ground(&names, shared), &bytes)? {
                Some(entries) => response.entries = entries,
                None => {
                    manner.plain_answer = true;
                    leave_entries(&mut response);
                }
            }
        }
        if manner.plain_request {
            // Parts are still under way, some of which the node may have from an earlier request.
            response.more = true;
            response.fingerprint = None;
        }
        self.set_manner(manner);
        Ok(response)
    }

    /// Keeps in mind whether the records of a node follow those here.
    pub(super) fn set_forked(&mut self, is_forked: bool) {
        self.set_manner(Manner {
            is_forked,
            ..self.manner()
        });
    }

    fn ground<'a>(&'a self, names: &'a Names, shared: Shared) -> Ground<'a> {
        Ground {
            keyspace: self.keyspace(),
            names,
            shared,
        }
    }

    /// Positions of parts that the node did not have accepted when it made this answer.
    fn unknown_to_node(&self, response: &Response) -> Result<BTreeSet<u64>, DeviceError> {
        let accepted = self.accepted_by(response);
        let own = self.sealer().actor();
        self.positions_of_outbox(|part, state| {
            accepted.contains(&part.id())
                || (state == OutboxState::Waiting
                    && part.actor() == own
                    && part.header().number <= response.chain.number)
        })
    }

    /// Positions of the parts in the outbox, but for some.
    fn positions_of_outbox(
        &self,
        but: impl Fn(&crate::batch::SignedPart, OutboxState) -> bool,
    ) -> Result<BTreeSet<u64>, DeviceError> {
        let reader: LogReader<'_> = self.log();
        let mut positions = BTreeSet::new();
        for (part, state) in self.outbox() {
            if let Some(PartPlace::Accepted(position)) = reader.part(*part)?
                && let Some(entry) = reader.entry(position)?
                && !but(&entry.part, *state)
            {
                positions.insert(position);
            }
        }
        Ok(positions)
    }
}

/// Makes an answer one without entries, after which they are asked for again.
fn leave_entries(response: &mut Response) {
    response.entries.clear();
    response.position = response.from;
    response.more = true;
    response.fingerprint = None;
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
