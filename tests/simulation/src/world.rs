//! The province of one run and what an operation does to it.

use std::collections::BTreeSet;

use sync_core::identity::{InstallationId, NodeId, PartId};
use sync_core::sync::{Frame, Notice, PartAnswer, Proof};

use crate::bugs::Bug;
use crate::dice::Dice;
use crate::durable::Durable;
use crate::edge::Edge;
use crate::forge::Side;
use crate::hops::Hops;
use crate::invariants;
use crate::knobs::Knobs;
use crate::ledger::Ledger;
use crate::link::{self, Envelope, Link, Peer};
use crate::node::Node;
use crate::operations::{Operation, Place};
use crate::planted;
use crate::setting::{START, Setting};
use crate::tablet::Tablet;
use crate::trace::Trace;
use crate::violation::{Checked, Violation, must};
use crate::years::Years;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// How it was drawn.
    pub knobs: Knobs,
    /// How its edges were drawn.
    pub hops: Hops,
    /// Units and form.
    pub setting: Setting,
    /// The chance left.
    pub dice: Dice,
    /// How its older years were drawn.
    pub years: Years,
    /// The chance left for edges.
    pub chance: Dice,
    /// The chance left for older years.
    pub chance_of_years: Dice,
    /// What happened.
    pub trace: Trace,
    /// What an onlooker knows.
    pub ledger: Ledger,
    /// The province's node.
    pub node: Node,
    /// Edges below it, by number.
    pub edges: Vec<Edge>,
    /// Tablets, by number.
    pub tablets: Vec<Tablet>,
    /// Chains written by hand.
    pub sides: Vec<Side>,
    /// Frames under way.
    pub link: Link,
    /// The true time, seconds since 1970.
    pub now: i64,
    /// The planted mistake.
    pub bug: Option<Bug>,
    /// The highest catalogue number that anybody holds.
    pub catalogue_known: u64,
    exchanges: u64,
}

impl World {
    /// Draws a province and starts everything in it.
    pub fn draw(seed: u64, bug: Option<Bug>, keep_trace: bool) -> Checked<Self> {
        let mut dice = Dice::new(seed);
        let knobs = Knobs::draw(&mut dice);
        let (hops, chance) = Hops::draw(seed, &knobs);
        let (years, chance_of_years) = Years::draw(seed);
        let setting = Setting::draw(&knobs, &mut dice);
        let mut trace = Trace::new(keep_trace);
        trace.say(format_args!("seed {seed} {knobs}{hops}{years}"));
        let key = ed25519_dalek::SigningKey::from_bytes(&dice.bytes());
        let durable = Durable::new(dice.number(), dice.bytes(), knobs.segment_bytes_max);
        let node = Node::new(durable, key.clone(), NodeId(dice.bytes()), bug);
        let mut world = Self {
            knobs,
            hops,
            years,
            setting,
            dice,
            chance,
            chance_of_years,
            trace,
            ledger: Ledger::default(),
            node,
            edges: Vec::new(),
            tablets: Vec::new(),
            sides: Vec::new(),
            link: Link::default(),
            now: START,
            bug,
            catalogue_known: 0,
            exchanges: 0,
        };
        world.found(&key)?;
        world.found_edges()?;
        Ok(world)
    }

    /// The province's clock.
    pub fn node_clock(&self) -> i64 {
        self.clock_at(None)
    }

    /// A node's clock.
    pub fn clock_at(&self, at: Option<usize>) -> i64 {
        let node = match at {
            None => Some(&self.node),
            Some(edge) => self.edges.get(edge).map(|edge| &edge.node),
        };
        self.now + node.map_or(0, |node| node.clock_offset)
    }

    /// A node: an edge's, or the province's.
    pub fn node_at(&mut self, at: Option<usize>) -> Checked<&mut Node> {
        match at {
            None => Ok(&mut self.node),
            Some(edge) => Ok(&mut self.edge(edge)?.node),
        }
    }

    /// The same, to look at.
    pub fn node_in(&self, at: Option<usize>) -> Checked<&Node> {
        match at {
            None => Ok(&self.node),
            Some(edge) => {
                let edge = self.edges.get(edge);
                let edge = edge.ok_or_else(|| Violation::new("edge", "none"))?;
                Ok(&edge.node)
            }
        }
    }

    /// A tablet's clock.
    pub fn tablet_clock(&self, tablet: usize) -> i64 {
        self.now
            + self
                .tablets
                .get(tablet)
                .map_or(0, |tablet| tablet.clock_offset)
    }

    /// A tablet by number.
    pub fn tablet(&mut self, tablet: usize) -> Checked<&mut Tablet> {
        self.tablets
            .get_mut(tablet)
            .ok_or_else(|| Violation::new("tablet", "no such tablet"))
    }

    /// Draws and does one operation.
    pub fn step(&mut self) -> Checked<()> {
        let subjects = self.setting.subjects.len();
        let operation = Operation::draw(&self.knobs, self.tablets.len(), subjects, &mut self.dice);
        self.now += self.dice.between(1, 60) as i64;
        self.trace.say(format_args!("{operation:?}"));
        self.perform(operation)?;
        self.perhaps_ask_for_years()?;
        let tablets = self.tablets.len();
        match self.hops.operation(&self.knobs, tablets, &mut self.chance) {
            None => Ok(()),
            Some(operation) => {
                self.trace.say(format_args!("{operation:?}"));
                self.perform(operation)
            }
        }
    }

    fn perform(&mut self, operation: Operation) -> Checked<()> {
        match operation {
            Operation::Type {
                tablet,
                subject,
                code,
                typing,
            } => self.type_in(tablet, subject, code, typing),
            Operation::Seal(tablet) => self.seal(tablet),
            Operation::Ask(tablet) => self.ask(tablet),
            Operation::Exchange(tablet) => self.exchange(tablet).map(drop),
            Operation::ArriveRequest => {
                if let Some(arrived) = link::take(&mut self.link.to_node, &mut self.dice) {
                    let node = self.node_at(arrived.to)?;
                    if node.up {
                        node.inbox.push(arrived);
                    }
                }
                Ok(())
            }
            Operation::Serve(count) => self.serve(None, count),
            Operation::ArriveAnswer => {
                match link::take(&mut self.link.to_tablets, &mut self.dice) {
                    Some(envelope) => self.arrive(&envelope),
                    None => Ok(()),
                }
            }
            Operation::LoseRequest => {
                link::take(&mut self.link.to_node, &mut self.dice);
                Ok(())
            }
            Operation::LoseAnswer => {
                link::take(&mut self.link.to_tablets, &mut self.dice);
                Ok(())
            }
            Operation::RepeatRequest => {
                link::repeat(&mut self.link.to_node, &mut self.dice);
                Ok(())
            }
            Operation::RepeatAnswer => {
                link::repeat(&mut self.link.to_tablets, &mut self.dice);
                Ok(())
            }
            Operation::GarbleRequest => {
                link::garble(&mut self.link.to_node, &mut self.dice);
                Ok(())
            }
            Operation::GarbleAnswer => {
                link::garble(&mut self.link.to_tablets, &mut self.dice);
                Ok(())
            }
            Operation::Cut(tablet) => {
                self.tablet(tablet)?.exchange = None;
                Ok(())
            }
            Operation::End(place, how) => {
                self.end(place, how)?;
                self.start(place)
            }
            Operation::Start(place) => self.start(place),
            Operation::StopAfter(place, operations) => {
                self.durable(place)?.stop_after(operations);
                Ok(())
            }
            Operation::FailAfter(place, operations, fault) => {
                self.durable(place)?.fail_after(operations, fault);
                Ok(())
            }
            Operation::Fill(place, bytes) => {
                self.durable(place)?.set_room(Some(bytes));
                Ok(())
            }
            Operation::Free(place) => {
                self.durable(place)?.set_room(None);
                Ok(())
            }
            Operation::Copy(place) => self.copy(place),
            Operation::Restore(place) => self.restore(place),
            Operation::Jump(place, seconds) => self.jump(place, seconds),
            Operation::EndGrant(tablet) => self.end_grants(tablet),
            Operation::Grant(tablet) => self.grant(tablet),
            Operation::EndKey(tablet) => self.end_key(tablet),
            Operation::NewTemplate => self.new_template(),
            Operation::Rename(unit) => self.rename(unit),
            Operation::Snapshot(tablet) => self.snapshot(tablet),
            Operation::Attack {
                tablet,
                subject,
                attack,
            } => self.attack(tablet, subject, attack),
            Operation::Pass(seconds) => {
                self.now += seconds;
                Ok(())
            }
            Operation::Climb(edge) => self.climb(edge),
            Operation::Round(edge) => self.round(edge).map(drop),
            Operation::ServeAt(edge, count) => self.serve(Some(edge), count),
            Operation::Roam { tablet, at } => self.roam(tablet, at),
            Operation::Branch { tablet, edge } => self.branch(tablet, edge),
        }
    }

    fn durable(&mut self, place: Place) -> Checked<&mut Durable> {
        match place {
            Place::Node => Ok(&mut self.node.durable),
            Place::Edge(edge) => Ok(&mut self.edge(edge)?.node.durable),
            Place::Tablet(tablet) => Ok(&mut self.tablet(tablet)?.durable),
        }
    }

    /// Starts what is down, and looks whether what it promised is still there.
    pub fn start(&mut self, place: Place) -> Checked<()> {
        match place {
            Place::Node if self.node.up => Ok(()),
            Place::Node => {
                self.node.end(crate::durable::End::PowerCut);
                self.node.start(&self.setting)?;
                self.trace.say(format_args!(
                    "node starts with {} parts",
                    self.node.parts()?.len()
                ));
                invariants::promises_hold(self)
            }
            Place::Edge(number) => {
                let edge = self
                    .edges
                    .get_mut(number)
                    .ok_or_else(|| Violation::new("edge", "none"))?;
                if edge.node.up {
                    return Ok(());
                }
                edge.forget_the_round();
                edge.node.end(crate::durable::End::PowerCut);
                edge.node.start(&self.setting)?;
                if edge.node.up && self.bug == Some(Bug::SentWhileAway) {
                    edge.take_all_for_sent()?;
                }
                let parts = edge.node.parts()?.len();
                self.trace
                    .say(format_args!("edge {number} starts with {parts} parts"));
                invariants::promises_hold_at(self, number)
            }
            Place::Tablet(tablet) => {
                let tablet = self.tablet(tablet)?;
                if tablet.device.is_none() {
                    tablet.end(crate::durable::End::PowerCut);
                    tablet.start()?;
                }
                Ok(())
            }
        }
    }

    /// A tablet that is ready to be used; started if it was down.
    pub fn running(&mut self, tablet: usize) -> Checked<bool> {
        self.start(Place::Tablet(tablet))?;
        Ok(self.tablet(tablet)?.device.is_some())
    }

    /// Seals a tablet's drafts.
    pub fn seal(&mut self, number: usize) -> Checked<()> {
        if !self.running(number)? {
            return Ok(());
        }
        let clock = self.tablet_clock(number);
        let tablet = self
            .tablets
            .get_mut(number)
            .ok_or_else(|| Violation::new("tablet", "none"))?;
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        let writes = must("device-seals", device.seal(clock))?;
        tablet.save(&writes, &mut self.ledger)?;
        Ok(())
    }

    /// Sends a tablet's next request.
    pub fn ask(&mut self, number: usize) -> Checked<()> {
        if !self.running(number)? {
            return Ok(());
        }
        self.exchanges += 1;
        let (exchange, bytes_max) = (self.exchanges, self.knobs.answer_bytes_max);
        let tablet = self
            .tablets
            .get_mut(number)
            .ok_or_else(|| Violation::new("tablet", "none"))?;
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        let mut request = must("device-asks", device.request())?;
        // In small pieces, and on whose word the device says.
        request.bytes_max = Proof::instead(request.bytes_max, bytes_max);
        if self.bug == Some(Bug::VouchedAsSigned) {
            for part in &mut request.parts {
                if part.attestation().is_some() {
                    *part = planted::as_if_signed(part)?;
                }
            }
        }
        tablet.exchange = Some(exchange);
        tablet.again = false;
        let bytes = must("device-packs", device.pack_request(request))?.encode();
        self.trace.bytes(&bytes);
        self.link.ask(Envelope {
            exchange,
            peer: Peer::Tablet(number),
            to: tablet.at,
            key: tablet.key_id,
            bytes,
        });
        Ok(())
    }

    /// A node serves what has arrived.
    pub fn serve(&mut self, at: Option<usize>, count: usize) -> Checked<()> {
        self.start(at.map_or(Place::Node, Place::Edge))?;
        let node = self.node_at(at)?;
        let count = count.min(node.inbox.len());
        let mut group: Vec<_> = node.inbox.drain(..count).collect();
        if let Some(edge) = at {
            group = self.introduce(edge, group)?;
        }
        if group.is_empty() || !self.node_at(at)?.up {
            return Ok(());
        }
        let clock = self.clock_at(at);
        let served = match at {
            None => {
                let fresh = NodeId(self.dice.bytes());
                self.node.serve(group, clock, fresh, &self.setting)?
            }
            Some(edge) => {
                let fresh = NodeId(self.chance.bytes());
                let edge = self.edges.get_mut(edge);
                let edge = edge.ok_or_else(|| Violation::new("edge", "none"))?;
                edge.node.serve(group, clock, fresh, &self.setting)?
            }
        };
        self.catalogue_known = self.catalogue_known.max(self.node.catalogue.last_number());
        for (part, answer) in &served.promised {
            match self.ledger.parts.get(part) {
                Some(known) => self.trace.say(format_args!(
                    "  {part} ({} of {}, edits {:?}): {answer:?}",
                    known.number, known.actor, known.edits
                )),
                None => self.trace.say(format_args!("  {part}: {answer:?}")),
            }
            match answer {
                PartAnswer::Accepted => {
                    invariants::no_hostile_part(self, *part)?;
                    self.promised_at(at)?.insert(*part);
                }
                PartAnswer::Held(_) => {
                    self.promised_at(at)?.insert(*part);
                }
                PartAnswer::Gap(_) | PartAnswer::Waiting | PartAnswer::Refused(_) => {}
            }
        }
        for receipt in &served.receipts {
            invariants::receipt_is_true(self, at, receipt)?;
        }
        for answer in served.answers {
            self.trace.bytes(&answer.bytes);
            self.link.answer(answer);
        }
        Ok(())
    }

    /// An answer reaches its tablet.
    pub fn arrive(&mut self, envelope: &Envelope) -> Checked<()> {
        match envelope.peer {
            Peer::Tablet(number) => self.arrive_at_tablet(number, envelope),
            Peer::Side(number) => self.arrive_at_side(number, envelope),
            Peer::Edge(number) => self.arrive_at_edge(number, envelope),
        }
    }

    fn arrive_at_tablet(&mut self, number: usize, envelope: &Envelope) -> Checked<()> {
        let clock = self.tablet_clock(number);
        let fresh = InstallationId(self.dice.bytes());
        let bug = self.bug;
        let tablet = self
            .tablets
            .get_mut(number)
            .ok_or_else(|| Violation::new("tablet", "none"))?;
        if tablet.exchange != Some(envelope.exchange) {
            return Ok(());
        }
        tablet.exchange = None;
        let mut response = match Frame::decode(&envelope.bytes) {
            Ok(Frame::PackedResponse(packed)) => {
                let Some(device) = &mut tablet.device else {
                    return Ok(());
                };
                must("device-opens", device.open_response(*packed))?
            }
            Ok(
                Frame::Response(_)
                | Frame::Problem(_)
                | Frame::Request(_)
                | Frame::PackedRequest(_),
            )
            | Err(_) => return Ok(()),
        };
        let put_back = match bug {
            Some(Bug::SealOnReceivedHeads) => tablet.take_drafts_away(&response)?,
            Some(Bug::ReuseOfNumber) => {
                tablet.hide_the_fork(&mut response)?;
                Vec::new()
            }
            _ => Vec::new(),
        };
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        let mut received = must("device-receives", device.receive(&response, clock, fresh))?;
        for (subject, edits) in put_back {
            received
                .writes
                .extend(must("device-edits", device.edit(&subject, &edits))?);
        }
        tablet.again = received.again;
        if bug == Some(Bug::SkippedRepair) {
            received.writes.extend(tablet.skip_the_repair()?);
        }
        if bug == Some(Bug::HolesForgotten) {
            received.writes.extend(tablet.forget_the_holes()?);
        }
        if bug == Some(Bug::LeftOutForgotten) {
            received.writes.extend(tablet.forget_what_is_left_out()?);
        }
        if bug == Some(Bug::SetAsideForgotten) {
            received.writes.extend(tablet.forget_what_is_owed()?);
        }
        let saved = tablet.save(&received.writes, &mut self.ledger)?;
        for notice in &received.notices {
            self.trace
                .say(format_args!("  tablet {number}: {notice:?}"));
        }
        if saved {
            invariants::notices_are_in_order(self, number, &received.notices)?;
        }
        Ok(())
    }

    /// A whole exchange without mishap on the link. True: the tablet wants to ask again.
    pub fn exchange(&mut self, number: usize) -> Checked<bool> {
        self.ask(number)?;
        let Some(exchange) = self.tablet(number)?.exchange else {
            return Ok(false);
        };
        let at = self.tablet(number)?.at;
        self.start(at.map_or(Place::Node, Place::Edge))?;
        let Some(request) = self.link.to_node.pop() else {
            return Ok(false);
        };
        // What waited in the node's inbox goes in the same group.
        self.node_at(at)?.inbox.push(request);
        self.serve(at, usize::MAX)?;
        let answers = std::mem::take(&mut self.link.to_tablets);
        for envelope in answers {
            if envelope.exchange == exchange {
                self.arrive(&envelope)?;
            } else {
                self.link.answer(envelope);
            }
        }
        Ok(self.tablet(number)?.again)
    }

    /// A tablet talks to another node from now on; what was under way is cut.
    pub fn roam(&mut self, number: usize, at: Option<usize>) -> Checked<()> {
        let tablet = self.tablet(number)?;
        if tablet.at != at {
            tablet.at = at;
            tablet.exchange = None;
        }
        Ok(())
    }

    fn promised_at(&mut self, at: Option<usize>) -> Checked<&mut BTreeSet<PartId>> {
        match at {
            None => Ok(&mut self.ledger.promised),
            Some(edge) => Ok(&mut self.edge(edge)?.promised),
        }
    }

    /// The number of the next exchange.
    pub fn next_exchange(&mut self) -> u64 {
        self.exchanges += 1;
        self.exchanges
    }
}

/// True for notices that say something between honest parties went wrong.
pub fn is_alarm(notice: &Notice) -> bool {
    match notice {
        Notice::EntryNotTaken { .. }
        | Notice::Refused { .. }
        | Notice::PieceRefused { .. }
        | Notice::FingerprintMismatch
        | Notice::CatalogueForked { .. } => true,
        Notice::Held { .. } | Notice::NodeChanged | Notice::NewInstallation => false,
    }
}
