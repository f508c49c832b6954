//! The side that asks, a device or a node toward the one above it: packs its requests and opens the
//! answers to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{PackedRequest, PackedResponse, Packing, Wanted};
use crate::batch::{Attestation, BarePart, SignedPart, Vouched};
use crate::catalogue::Catalogue;
use crate::identity::{NodeId, PartId};
use crate::log::staging::PartPlace;
use crate::log::{Keyspace, KeyspaceError, LogReader};
use crate::pack::{Ground, Shared, Timed, pack, unpack, unpack_bare, unpack_records};
use crate::sync::device::{Device, DeviceError, OutboxState};
use crate::sync::frame::Frame;
use crate::sync::message::{Request, Response};
use crate::sync::proof::Proof;
use crate::sync::repair::Told;
use crate::sync::uplink::Uplink;

/// What the side that asks keeps in mind of how messages go. Not durable: the worst that can be
/// forgotten is that parts have to travel as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sync) struct Manner {
    /// The node could not read the last packed request.
    plain_request: bool,
    /// The last packed answer could not be read here.
    plain_answer: bool,
    /// The catalogue here went another way than the node's: no packing of its records can be read.
    is_forked: bool,
    /// The node that has shown that it takes parts on the province's word.
    takes_vouched: Option<NodeId>,
    /// It has shown it with the last answer.
    learned: bool,
    /// What came on a node's word was not what it attests: signatures are asked for.
    wants_signatures: bool,
}

impl Manner {
    /// How an answer is to come; `anew` while the feed is read again from its start.
    fn wanted(self, anew: bool) -> Wanted {
        match (self.plain_answer || self.is_forked, anew) {
            (true, _) => Wanted::Plain,
            (false, true) => Wanted::OnNothing,
            (false, false) => Wanted::OnShared,
        }
    }

    /// The node that takes parts on the province's word.
    pub(in crate::sync) fn takes_vouched(self) -> Option<NodeId> {
        self.takes_vouched
    }

    /// True if the answer opened last was the first to show it.
    pub(in crate::sync) fn has_learned(self) -> bool {
        self.learned
    }

    /// True if no node's word is taken in place of signatures.
    pub(in crate::sync) fn wants_signatures(self) -> bool {
        self.wants_signatures
    }

    /// Takes no node's word in place of signatures any more.
    pub(in crate::sync) fn doubting(self) -> Self {
        Self {
            wants_signatures: true,
            ..self
        }
    }

    /// True if the parts of the next request may be packed.
    fn packs(self, request: &Request) -> bool {
        !self.plain_request && !request.parts.is_empty()
    }

    /// Opens an answer. `shared` tells what an answer may stand on that stands on more than the
    /// catalogue. What cannot be rebuilt is as if it had not been sent: it comes again, as it is.
    fn open<E: From<KeyspaceError>>(
        &mut self,
        packed: PackedResponse,
        (keyspace, catalogue): (&dyn Keyspace, &Catalogue),
        shared: impl FnOnce(&Response) -> Result<Option<Shared>, E>,
    ) -> Result<Response, E> {
        let PackedResponse {
            mut response,
            unread,
            records,
            entries,
            takes_vouched,
        } = packed;
        let before = self.takes_vouched;
        if takes_vouched {
            self.takes_vouched = Some(response.node);
        }
        self.learned = self.takes_vouched != before;
        // A node cannot fail to read what came as it is.
        self.plain_request = unread && !self.plain_request;
        self.plain_answer = false;
        if let Some(bytes) = records {
            match unpack_records((catalogue.last_number(), catalogue.last_hash()), &bytes) {
                Some(records) => response.records = records,
                None => {
                    self.plain_answer = true;
                    leave_entries(&mut response);
                }
            }
        }
        // Entries are judged by the catalogue: without its records they wait as well.
        if let Packing::Packed { on_shared, bytes } = entries
            && !self.plain_answer
        {
            let shared = match on_shared {
                true => shared(&response)?,
                false => Some(Shared::Nothing),
            };
            let names = &catalogue.names_with(&response.records);
            let unpacked = match shared {
                Some(shared) => {
                    let ground = Ground {
                        keyspace,
                        names,
                        shared,
                    };
                    match &response.piece {
                        Some(piece) => unpack_attested(&ground, &bytes, piece)?,
                        None => unpack(&ground, &bytes)?,
                    }
                }
                None => None,
            };
            match unpacked {
                Some(entries) => response.entries = entries,
                None => {
                    self.plain_answer = true;
                    leave_entries(&mut response);
                }
            }
        }
        if self.plain_request {
            // Parts are still under way, some of which the node may have from an earlier request.
            response.fingerprint = None;
        }
        Ok(response)
    }
}

/// The parts of a packing without signatures, each with the node's word for it. Nothing is checked.
fn unpack_attested(
    ground: &Ground<'_>,
    bytes: &[u8],
    piece: &Attestation,
) -> Result<Option<Vec<Timed>>, KeyspaceError> {
    let Some(bare) = unpack_bare(ground, bytes)? else {
        return Ok(None);
    };
    let ids: Vec<PartId> = bare.iter().map(|(_, part)| part.id()).collect();
    let vouched = Vouched::each(&Arc::new(piece.clone()), &ids);
    let timed = |((received_at, part), by): ((i64, BarePart), Vouched)| -> (i64, SignedPart) {
        (received_at, part.vouched(by))
    };
    Ok(Some(bare.into_iter().zip(vouched).map(timed).collect()))
}

/// The request with its parts packed on this ground.
fn packed_on(
    ground: &Ground<'_>,
    on_shared: bool,
    request: &mut Request,
) -> Result<Packing, KeyspaceError> {
    let sent: Vec<Timed> = request.parts.iter().map(|part| (0, part.clone())).collect();
    Ok(match pack(ground, &sent)? {
        Some(bytes) => {
            request.parts.clear();
            Packing::Packed { on_shared, bytes }
        }
        None => Packing::Plain,
    })
}

fn frame(request: Request, wanted: Wanted, parts: Packing) -> Frame {
    Frame::PackedRequest(Box::new(PackedRequest {
        request,
        wanted,
        parts,
    }))
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
        request.bytes_max = Proof::packed(request.bytes_max);
        let wanted = manner.wanted(self.is_out_of_step());
        let mut parts = Packing::Plain;
        if manner.packs(&request) {
            let on_shared = request.known.is_some() && !self.is_out_of_step();
            let shared = match on_shared {
                true => Shared::Without(self.positions_of_outbox(|_, _| false)?),
                false => Shared::Nothing,
            };
            let ground = Ground {
                keyspace: self.keyspace(),
                names: self.catalogue().names(),
                shared,
            };
            parts = packed_on(&ground, on_shared, &mut request)?;
        }
        Ok(frame(request, wanted, parts))
    }

    /// The answer with its records and entries, to be taken by [`Device::receive`]. What cannot be
    /// rebuilt is as if it had not been sent: it comes again, as it is.
    pub fn open_response(&mut self, packed: PackedResponse) -> Result<Response, DeviceError> {
        let mut manner = self.manner();
        let here = (self.keyspace() as &dyn Keyspace, self.catalogue());
        let mut response = manner.open(packed, here, |response| {
            Ok::<_, DeviceError>(Some(Shared::Without(self.unknown_to_node(response)?)))
        })?;
        // What could not be rebuilt is still to be sent.
        response.more |= manner.plain_request;
        self.set_manner(manner);
        Ok(response)
    }

    /// Keeps in mind whether the records of a node follow those here.
    pub(in crate::sync) fn set_forked(&mut self, is_forked: bool) {
        self.set_manner(Manner {
            is_forked,
            ..self.manner()
        });
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

impl Uplink {
    /// The next request as a frame, packed on the catalogue alone: the two nodes share more, but what
    /// the one above has of it is told by no position.
    pub fn packed_request(
        &mut self,
        keyspace: &dyn Keyspace,
        catalogue: &Catalogue,
    ) -> Result<Frame, KeyspaceError> {
        let mut request = self.request(keyspace, catalogue)?;
        let manner = self.manner();
        let mut parts = Packing::Plain;
        if manner.packs(&request) {
            let ground = Ground {
                keyspace,
                names: catalogue.names(),
                shared: Shared::Nothing,
            };
            parts = packed_on(&ground, false, &mut request)?;
        }
        Ok(frame(request, manner.wanted(true), parts))
    }

    /// The answer with its records and entries, to be taken by [`Uplink::receive`].
    pub fn open_response(
        &mut self,
        keyspace: &dyn Keyspace,
        catalogue: &Catalogue,
        packed: PackedResponse,
    ) -> Result<Response, KeyspaceError> {
        // Nothing else was asked for.
        let nothing_shared = |_: &Response| Ok::<_, KeyspaceError>(None);
        let here = (keyspace, catalogue);
        self.manner_mut().open(packed, here, nothing_shared)
    }
}

/// Makes an answer one without entries, after which they are asked for again.
pub(in crate::sync) fn leave_entries(response: &mut Response) {
    response.entries.clear();
    response.piece = None;
    if let Some(Told::Rest(_) | Told::Older(_) | Told::Settled(_)) = response.repair {
        response.repair = None;
    }
    response.position = response.from;
    response.more = true;
    response.fingerprint = None;
}
