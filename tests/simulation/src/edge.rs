//! An area's edge: a node with a node above it, and its shell's duties toward that one.
//!
//! What an answer from above brings is taken in this order, each durable before the next: records,
//! parts, and only then where the edge stands. The process may end anywhere in between.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use sync_core::catalogue::{Body, Grant, NodeRecord, Person, Role};
use sync_core::identity::{ActorId, GrantId, InstallationId, KeyId, NodeId, PartId, PersonId};
use sync_core::log::SetAside;
use sync_core::sync::uplink::{Settled, Uplink};
use sync_core::sync::{Frame, Proof, Standing};

use crate::bugs::Bug;
use crate::durable::{Commit, Durable};
use crate::link::{Envelope, Peer};
use crate::node::Node;
use crate::operations::Place;
use crate::violation::{Checked, Violation, must};
use crate::world::World;

/// Exchanges of one round at most.
const EXCHANGES_MAX: usize = 200;

/// An edge.
#[derive(Debug)]
pub struct Edge {
    /// What it is toward its tablets.
    pub node: Node,
    /// The person it is enrolled as.
    pub person: PersonId,
    /// The key it signs in with above, and signs receipts with.
    pub key: SigningKey,
    /// That key's id.
    pub key_id: KeyId,
    /// Parts that it has promised to keep and to give to the province.
    pub promised: BTreeSet<PartId>,
    /// Promised parts that it lost with an older folder; others have them.
    pub awaited: BTreeSet<PartId>,
    /// The round upward that is under way.
    uplink: Option<Uplink>,
    /// The exchange under way.
    exchange: Option<u64>,
    /// The round goes on.
    again: bool,
}

impl Edge {
    /// The process has ended: no round is under way.
    pub fn forget_the_round(&mut self) {
        self.uplink = None;
        self.exchange = None;
        self.again = false;
    }
}

impl World {
    /// An edge by number.
    pub fn edge(&mut self, edge: usize) -> Checked<&mut Edge> {
        self.edges
            .get_mut(edge)
            .ok_or_else(|| Violation::new("edge", "no such edge"))
    }

    /// Gives areas their edges and tablets the node they begin with.
    pub(crate) fn found_edges(&mut self) -> Checked<()> {
        for number in 0..self.hops.edges {
            let areas = self.setting.areas.clone();
            let area = self.chance.pick(&areas).copied();
            let unit = match self.chance.one_in(2) {
                true => self.setting.top,
                false => area.unwrap_or(self.setting.top),
            };
            let key = SigningKey::from_bytes(&self.chance.bytes());
            let (person, public_key) = (
                PersonId(self.chance.bytes()),
                *key.verifying_key().as_bytes(),
            );
            let label = format!("nút {number}");
            let bodies = [
                Body::Person(Person {
                    person,
                    sign_in_name: format!("nut-{number}"),
                    display_name: label.clone(),
                }),
                Body::Grant(Grant {
                    grant: GrantId(self.chance.bytes()),
                    person,
                    role: Role::Auditor,
                    unit: Some(unit),
                    subtree: true,
                    until: 0,
                }),
                Body::DeviceKey {
                    public_key,
                    person,
                    unit,
                    label: label.clone(),
                },
                Body::Node(NodeRecord {
                    public_key,
                    unit,
                    label,
                    address: "https://khu-vuc.example".to_owned(),
                }),
            ];
            for body in bodies {
                self.record(body)?;
            }
            let bytes_max = self.knobs.segment_bytes_max;
            let durable = Durable::new(self.chance.number(), self.chance.bytes(), bytes_max);
            let id = NodeId(self.chance.bytes());
            let mut node = Node::new(durable, key.clone(), id, self.bug);
            node.has_totals = false;
            let key_id = KeyId::of(&public_key);
            self.trace.say(format_args!("edge {number} at {unit:?}"));
            self.edges.push(Edge {
                node,
                person,
                key,
                key_id,
                promised: BTreeSet::new(),
                awaited: BTreeSet::new(),
                uplink: None,
                exchange: None,
                again: false,
            });
            self.start(Place::Edge(number))?;
            for record in self.node.records()? {
                self.edge(number)?.node.append_record(&record)?;
            }
        }
        for tablet in 0..self.tablets.len() {
            let at = self.chance.below(self.hops.edges + 1).checked_sub(1);
            self.tablet(tablet)?.at = at;
        }
        Ok(())
    }

    /// An edge sends its next request upward.
    pub(crate) fn climb(&mut self, number: usize) -> Checked<()> {
        self.start(Place::Edge(number))?;
        let (province, bytes_max) = (self.setting.province(), self.knobs.answer_bytes_max);
        let exchange = self.next_exchange();
        let edge = self.edge(number)?;
        if !edge.node.up {
            return Ok(());
        }
        let below = &edge.node.keyspace;
        let mut uplink = match edge.uplink.take() {
            Some(uplink) => uplink,
            None => {
                let actor = ActorId::of(edge.key_id, InstallationId([0; 8]));
                let mut uplink = must("uplink-opens", Uplink::open(below, province, actor))?;
                uplink.begin();
                uplink
            }
        };
        let frame = must(
            "edge-asks",
            uplink.packed_request(below, &edge.node.catalogue),
        )?;
        let bytes = match frame {
            Frame::PackedRequest(mut packed) => {
                let proof = Proof::of(packed.request.bytes_max);
                packed.request.bytes_max = proof.with(bytes_max);
                Frame::PackedRequest(packed).encode()
            }
            Frame::Request(_)
            | Frame::Response(_)
            | Frame::Problem(_)
            | Frame::PackedResponse(_) => frame.encode(),
        };
        edge.uplink = Some(uplink);
        edge.exchange = Some(exchange);
        edge.again = false;
        let envelope = Envelope {
            exchange,
            peer: Peer::Edge(number),
            to: None,
            key: edge.key_id,
            bytes,
        };
        self.trace.bytes(&envelope.bytes);
        self.link.ask(envelope);
        Ok(())
    }

    /// An answer from above reaches an edge.
    pub(crate) fn arrive_at_edge(&mut self, number: usize, envelope: &Envelope) -> Checked<()> {
        let restored = self.ledger.node_restores > 0;
        let fresh = NodeId(self.chance.bytes());
        let (clock, bug) = (self.clock_at(Some(number)), self.bug);
        let edge = self.edge(number)?;
        if !edge.node.up || edge.exchange != Some(envelope.exchange) {
            return Ok(());
        }
        edge.exchange = None;
        let Some(mut uplink) = edge.uplink.take() else {
            return Ok(());
        };
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&envelope.bytes) else {
            return Ok(());
        };
        let below = &edge.node.keyspace;
        let opened = uplink.open_response(below, &edge.node.catalogue, *packed);
        let brought = uplink.receive(must("edge-opens", opened)?);
        for record in &brought.records {
            let mut next = edge.node.catalogue.clone();
            if next.apply(record).is_ok() && edge.node.append_record(record)? != Commit::Durable {
                return Ok(());
            }
        }
        let taken = edge.take_parts(&mut uplink, brought.parts, clock, (bug, fresh))?;
        let Some((settled, aside)) = taken else {
            return Ok(());
        };
        edge.again = settled.again;
        if settled.again {
            edge.uplink = Some(uplink);
        }
        self.trace.say(format_args!(
            "  edge {number}: {:?}, again {}, {} acknowledged",
            settled.standing, settled.again, settled.acknowledged
        ));
        self.note_aside(number, &aside);
        match settled.standing {
            Standing::Apart => Err(Violation::new("edge-is-in-step", format!("edge {number}"))),
            Standing::Again if !restored => Err(Violation::new(
                "no-false-alarm",
                format!("edge {number}: everything is compared anew"),
            )),
            Standing::Again | Standing::InStep | Standing::UnderWay => Ok(()),
        }
    }

    /// What an edge sets aside its authors say again.
    fn note_aside(&mut self, number: usize, aside: &SetAside) {
        for (_, part) in &aside.parts {
            let part = part.id();
            self.trace
                .say(format_args!("  edge {number} sets {part} aside"));
            self.ledger.aside.insert(part);
        }
    }

    /// A whole round of an edge without mishap on the link. True: it moved something.
    pub(crate) fn round(&mut self, number: usize) -> Checked<usize> {
        for exchanges in 1..=EXCHANGES_MAX {
            self.climb(number)?;
            let Some(exchange) = self.edge(number)?.exchange else {
                return Ok(exchanges);
            };
            self.start(Place::Node)?;
            let Some(request) = self.link.to_node.pop() else {
                return Ok(exchanges);
            };
            self.node.inbox.push(request);
            self.serve(None, usize::MAX)?;
            for envelope in std::mem::take(&mut self.link.to_tablets) {
                if envelope.exchange == exchange {
                    self.arrive(&envelope)?;
                } else {
                    self.link.answer(envelope);
                }
            }
            if !self.edge(number)?.again {
                return Ok(exchanges);
            }
        }
        Err(Violation::new(
            "converges",
            format!("edge {number} never stops asking"),
        ))
    }

    /// Whoever is enrolled and unknown at an edge shows it the records that say so, as it is told to;
    /// a request that comes without them is turned away.
    pub(crate) fn introduce(&mut self, at: usize, group: Vec<Envelope>) -> Checked<Vec<Envelope>> {
        let mut known = Vec::with_capacity(group.len());
        for envelope in group {
            let node = &self.edge(at)?.node;
            let last = node.catalogue.last_number();
            if node.catalogue.key(envelope.key).is_some() {
                known.push(envelope);
                continue;
            }
            let Peer::Tablet(tablet) = envelope.peer else {
                continue;
            };
            let records = match &self.tablet(tablet)?.device {
                Some(device) => must("records", device.records_after(last))?,
                None => Vec::new(),
            };
            let node = &mut self.edge(at)?.node;
            for record in &records {
                let mut next = node.catalogue.clone();
                if next.apply(record).is_ok() && node.append_record(record)? != Commit::Durable {
                    break;
                }
            }
            if node.up && node.catalogue.key(envelope.key).is_some() {
                known.push(envelope);
            }
        }
        Ok(known)
    }
}

impl Edge {
    /// Takes parts from above and where the edge stands then. None: not everything was kept.
    fn take_parts(
        &mut self,
        uplink: &mut Uplink,
        parts: Vec<sync_core::batch::SignedPart>,
        now: i64,
        (bug, fresh): (Option<Bug>, NodeId),
    ) -> Checked<Option<(Settled, SetAside)>> {
        let judged = self
            .node
            .judge_relayed(parts, now, bug == Some(Bug::EdgeJudgesAgain))?;
        let (verdicts, writes) = judged;
        let mut after = self.node.keyspace.clone();
        after.apply(writes.iter().cloned());
        let settled = uplink.settle(&after, &self.node.catalogue, &verdicts);
        let Some(settled) = must("edge-settles", settled)? else {
            return Ok(None);
        };
        let mut place = vec![settled.write.clone()];
        if let Some(losing) = settled.losing.as_ref() {
            if self.node.commit(writes)? != Commit::Durable {
                return Ok(None);
            }
            let aside = must("edge-sets-aside", losing.set_aside(&self.node.keyspace))?;
            if bug != Some(Bug::BranchOfTheEdge) {
                place.extend(aside.writes.iter().cloned());
            }
            let keeps_id = bug == Some(Bug::SetAsideUnnoticed);
            let done = self.node.set_aside(place, fresh, keeps_id)?;
            return Ok((done == Commit::Durable).then_some((settled, aside)));
        }
        let steps = match bug {
            Some(Bug::PlaceBeforeParts) => [place, writes],
            _ => [writes, place],
        };
        for writes in steps {
            if self.node.commit(writes)? != Commit::Durable {
                return Ok(None);
            }
        }
        Ok(Some((settled, SetAside::default())))
    }
}
