//! The province's node: the real state machine over the real journal, and the order of its steps.
//!
//! A group of requests is judged, committed as one record, synced, and only then answered.

use ed25519_dalek::SigningKey;
use journal::simulated::Image;
use sync_core::batch::{SignedPart, VerifiedPart};
use sync_core::catalogue::{Catalogue, SignedRecord};
use sync_core::identity::{BatchId, NodeId, PartId, PersonId};
use sync_core::log::{
    Acceptor, Cache, Follow, Keyspace, LogReader, MemoryKeyspace, Trust, Verdict, Write, keys,
    rebuild,
};
use sync_core::sync::packed::{self, Reply};
use sync_core::sync::{Frame, NodeIdentity, PartAnswer, Receipt, Request, Session, node};

use std::collections::BTreeSet;

use crate::bugs::Bug;
use crate::durable::{Commit, Durable, End};
use crate::figures::Figures;
use crate::forge;
use crate::link::Envelope;
use crate::setting::Setting;
use crate::violation::{Checked, Violation, must};

/// The node.
#[derive(Debug)]
pub struct Node {
    /// Its folder.
    pub durable: Durable,
    /// Truth and derived keys.
    pub keyspace: MemoryKeyspace,
    /// The catalogue it judges by.
    pub catalogue: Catalogue,
    /// Totals.
    pub figures: Option<Figures>,
    /// Keeps totals.
    pub has_totals: bool,
    /// Requests that arrived and wait for the next group.
    pub inbox: Vec<Envelope>,
    /// A process is running.
    pub up: bool,
    /// A copy somebody took of the folder.
    pub copy: Option<Image>,
    /// How far its clock is off, in seconds.
    pub clock_offset: i64,
    /// Openings so far.
    pub restarts: u64,
    bug: Option<Bug>,
    identity: NodeIdentity,
    cache: Cache,
    batches: BTreeSet<BatchId>,
}

/// What a group came to.
#[derive(Debug, Default)]
pub struct Served {
    /// Answers that left.
    pub answers: Vec<Envelope>,
    /// What they promise.
    pub promised: Vec<(PartId, PartAnswer)>,
    /// Receipts among them.
    pub receipts: Vec<Receipt>,
}

impl Node {
    /// A node on an empty folder.
    pub fn new(durable: Durable, key: SigningKey, node: NodeId, bug: Option<Bug>) -> Self {
        let identity = NodeIdentity {
            node,
            restarts: 0,
            key,
        };
        Self {
            durable,
            keyspace: MemoryKeyspace::new(),
            catalogue: Catalogue::new(),
            figures: None,
            has_totals: true,
            inbox: Vec::new(),
            up: false,
            copy: None,
            clock_offset: 0,
            restarts: 0,
            bug,
            identity,
            cache: Cache::default(),
            batches: BTreeSet::new(),
        }
    }

    /// Starts the process on what the folder holds.
    pub fn start(&mut self, setting: &Setting) -> Checked<()> {
        self.durable.lazy = self.bug == Some(Bug::AcknowledgeBeforeSync);
        self.restarts += 1;
        self.inbox.clear();
        self.cache.clear();
        self.keyspace = self.durable.open()?;
        must("rebuild", rebuild::rebuild(&mut self.keyspace))?;
        self.catalogue = Catalogue::new();
        for record in self.records()? {
            must("catalogue-applies", self.catalogue.apply_kept(&record))?;
        }
        let key = self.identity.key.clone();
        let kept = NodeIdentity::read(&self.keyspace, key);
        match must("node-identity", kept)? {
            Some(identity) => self.identity = identity,
            None => {
                self.up = self.commit(vec![self.identity.write()])? == Commit::Durable;
                return Ok(());
            }
        }
        self.up = true;
        self.follow_figures(setting)
    }

    /// Ends the process.
    pub fn end(&mut self, how: End) {
        self.up = false;
        self.inbox.clear();
        self.durable.end(how);
    }

    /// Derives the totals again.
    pub fn follow_figures(&mut self, setting: &Setting) -> Checked<()> {
        self.batches.clear();
        if !self.has_totals {
            return Ok(());
        }
        if self.catalogue.province().is_none() || self.catalogue.templates().next().is_none() {
            return Ok(());
        }
        let mut figures = Figures::new(setting, &self.catalogue)?;
        figures.forgets = self.bug == Some(Bug::RollUpForgetsRival);
        for part in self.accepted()? {
            self.batches.insert(part.batch_id());
            figures.take(&part)?;
        }
        self.figures = Some(figures);
        Ok(())
    }

    /// Every record of the catalogue.
    pub fn records(&self) -> Checked<Vec<SignedRecord>> {
        let to = keys::after(keys::CATALOGUE);
        let found = self.keyspace.scan(&[keys::CATALOGUE], &to, usize::MAX);
        let read =
            |(_, value): &(Vec<u8>, Vec<u8>)| must("catalogue-record", SignedRecord::decode(value));
        must("scan", found)?.iter().map(read).collect()
    }

    /// Every accepted part, in order.
    pub fn accepted(&self) -> Checked<Vec<SignedPart>> {
        let page = LogReader(&self.keyspace).feed(&Follow::All, 0, None, usize::MAX);
        let entries = must("feed", page)?.entries;
        Ok(entries.into_iter().map(|(_, entry)| entry.part).collect())
    }

    /// Makes writes durable, then visible.
    pub fn commit(&mut self, writes: Vec<Write>) -> Checked<Commit> {
        let done = self.durable.commit(&writes)?;
        match done {
            Commit::Durable => self.keyspace.apply(writes),
            Commit::Full => self.cache.clear(),
            Commit::Unknown => {
                self.cache.clear();
                self.up = false;
            }
        }
        Ok(done)
    }

    /// Appends a record that the province's office made.
    pub fn append_record(&mut self, record: &SignedRecord) -> Checked<Commit> {
        let mut next = self.catalogue.clone();
        must("catalogue-applies", next.apply(record))?;
        let write = Write {
            key: keys::catalogue(next.last_number()),
            value: Some(record.encode()),
        };
        let done = self.commit(vec![write])?;
        if done == Commit::Durable {
            self.catalogue = next;
        }
        Ok(done)
    }

    /// Serves a group of requests at a moment of the node's clock; `fresh` is a new id for a node
    /// that finds itself rolled back.
    pub fn serve(
        &mut self,
        group: Vec<Envelope>,
        now: i64,
        fresh: NodeId,
        setting: &Setting,
    ) -> Checked<Served> {
        let mut served = Served::default();
        let (mut requests, mut replies) = (Vec::new(), Vec::new());
        for envelope in group {
            match Frame::decode(&envelope.bytes) {
                Ok(Frame::Request(request)) => {
                    requests.push((envelope, *request));
                    replies.push(None);
                }
                Ok(Frame::PackedRequest(packed)) => {
                    let session = self.session(&envelope, now);
                    let below = &self.keyspace;
                    let opened =
                        packed::open(below, &self.catalogue, &self.identity, &session, *packed);
                    let opened = must("node-opens", opened)?;
                    requests.push((envelope, opened.request));
                    replies.push(Some(opened.reply));
                }
                Ok(Frame::Response(_) | Frame::PackedResponse(_) | Frame::Problem(_)) | Err(_) => {
                    served.answers.push(problem(envelope, "bad-frame"));
                }
            }
        }
        for (_, request) in &requests {
            if !self.take_before(request, fresh, setting)? {
                return Ok(Served::default());
            }
        }
        let Some(verdicts) = self.accept(&requests, now)? else {
            if self.up {
                let refused = requests.into_iter().map(|(e, _)| problem(e, "no-room"));
                served.answers.extend(refused);
                return Ok(served);
            }
            return Ok(Served::default());
        };
        let all = requests.into_iter().zip(replies).zip(verdicts);
        for (((envelope, request), reply), verdicts) in all {
            self.answer(envelope, (request, reply), verdicts, now, &mut served)?;
        }
        Ok(served)
    }

    /// What comes before judging: a new id after a rollback, records given back. False: the node
    /// went down.
    fn take_before(
        &mut self,
        request: &Request,
        fresh: NodeId,
        setting: &Setting,
    ) -> Checked<bool> {
        let rolled_back = node::is_rolled_back(&self.keyspace, &self.identity, request);
        if must("rolled-back", rolled_back)? {
            let renewed = self.identity.renewed(fresh);
            if self.commit(vec![renewed.write()])? != Commit::Durable {
                return Ok(false);
            }
            self.identity = renewed;
        }
        let before = self.catalogue.last_number();
        for record in &request.records {
            let mut next = self.catalogue.clone();
            if next.apply(record).is_ok() && self.append_record(record)? != Commit::Durable {
                return Ok(false);
            }
        }
        if self.catalogue.last_number() != before {
            self.follow_figures(setting)?;
        }
        Ok(self.up)
    }

    /// Judges and commits the parts of all requests. None: nothing is kept.
    fn accept(
        &mut self,
        requests: &[(Envelope, Request)],
        now: i64,
    ) -> Checked<Option<Vec<Vec<Verdict>>>> {
        let mut all = Vec::with_capacity(requests.len());
        let acceptor = Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now);
        let mut acceptor = must("acceptor", acceptor)?;
        let mut group = Vec::new();
        for (_, request) in requests {
            let parts = node::verify(&self.catalogue, request.parts.clone());
            let mut verdicts = Vec::with_capacity(parts.len());
            for part in parts {
                let verdict = match (self.bug, &part) {
                    (Some(Bug::DedupeByBatch), Ok(part))
                        if self.batches.contains(&part.batch_id()) =>
                    {
                        Verdict::Duplicate { position: 1 }
                    }
                    (Some(Bug::GateWithoutPredecessors), Ok(part))
                        if forge::passes_without_predecessors(&self.keyspace, part)? =>
                    {
                        group.push(part.clone());
                        Verdict::Accepted { position: 1 }
                    }
                    (_, part) => {
                        let judged = node::accept(&mut acceptor, std::slice::from_ref(part));
                        let one = must("accept", judged)?.into_iter().next();
                        one.ok_or_else(|| Violation::new("accept", "no verdict"))?
                    }
                };
                if let (Some(Bug::DedupeByBatch), Ok(part)) = (self.bug, &part) {
                    self.batches.insert(part.batch_id());
                }
                verdicts.push(verdict);
            }
            all.push(verdicts);
        }
        let end = must("end", LogReader(&self.keyspace).end())?;
        let writes = acceptor.into_writes();
        if self.commit(writes)? != Commit::Durable {
            return Ok(None);
        }
        self.append_unjudged(group, now)?;
        let page = LogReader(&self.keyspace).feed(&Follow::All, end, None, usize::MAX);
        for (_, entry) in must("feed", page)?.entries {
            self.batches.insert(entry.part.batch_id());
            if let Some(figures) = &mut self.figures {
                figures.take(&entry.part)?;
            }
        }
        Ok(Some(all))
    }

    /// Judges parts from the node above, and what is to be written for them. `again` judges rights
    /// once more, which is a mistake.
    pub fn judge_relayed(
        &mut self,
        parts: Vec<SignedPart>,
        now: i64,
        again: bool,
    ) -> Checked<(Vec<Verdict>, Vec<Write>)> {
        let parts = node::verify(&self.catalogue, parts);
        let acceptor = Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now);
        let mut acceptor = must("acceptor", acceptor)?;
        let trust = match again {
            true => Trust::Judge,
            false => Trust::Relayed,
        };
        let verdicts = node::accept_as(&mut acceptor, &parts, trust);
        Ok((must("accept", verdicts)?, acceptor.into_writes()))
    }

    /// Sets a branch aside: it goes out of the log, and the log goes on under a new id, since positions of
    /// before name other parts now. What is derived is derived again. `keeps_id` is a mistake.
    pub fn set_aside(
        &mut self,
        mut writes: Vec<Write>,
        fresh: NodeId,
        keeps_id: bool,
    ) -> Checked<Commit> {
        let renewed = match keeps_id {
            true => self.identity.clone(),
            false => self.identity.renewed(fresh),
        };
        writes.push(renewed.write());
        let done = self.commit(writes)?;
        if done == Commit::Durable {
            self.identity = renewed;
            self.cache.clear();
            self.keyspace.clear_derived();
            must("rebuild", rebuild::rebuild(&mut self.keyspace))?;
        }
        Ok(done)
    }

    /// For the planted gate alone: parts that only their predecessors would have stopped.
    fn append_unjudged(&mut self, parts: Vec<VerifiedPart>, now: i64) -> Checked<()> {
        for part in parts {
            let position = must("end", LogReader(&self.keyspace).end())? + 1;
            let entry = sync_core::log::LogEntry {
                received_at: now,
                part: SignedPart::clone(&part),
            };
            let write = Write {
                key: keys::log(position),
                value: Some(entry.encode()),
            };
            self.commit(vec![write])?;
            self.cache.clear();
            self.keyspace.clear_derived();
            must("rebuild", rebuild::rebuild(&mut self.keyspace))?;
        }
        Ok(())
    }

    fn answer(
        &self,
        envelope: Envelope,
        (mut request, reply): (Request, Option<Reply>),
        verdicts: Vec<Verdict>,
        now: i64,
        served: &mut Served,
    ) -> Checked<()> {
        let session = self.session(&envelope, now);
        let skipped = self.bug == Some(Bug::PositionOffByOne) && self.skips(&request)?;
        if let (true, Some(known)) = (skipped, &mut request.known) {
            known.position += 1;
        }
        let answer = node::answer(
            &self.keyspace,
            &self.identity,
            &session,
            &request,
            node::Verdicts::on(&request, verdicts),
            now,
        );
        let mut response = must("answer", answer)?;
        if skipped && response.from > 0 {
            response.from -= 1;
        }
        let parts = request.parts.iter().map(SignedPart::id);
        served
            .promised
            .extend(parts.zip(response.answers.iter().cloned()));
        served.receipts.extend(response.receipt.clone());
        let frame = match reply {
            None => Frame::Response(Box::new(response)),
            Some(reply) => {
                let asked = (&request, reply);
                let below = &self.keyspace;
                must(
                    "node-packs",
                    packed::close(below, &self.catalogue, &session, asked, response),
                )?
            }
        };
        served.answers.push(Envelope {
            bytes: frame.encode(),
            ..envelope
        });
        Ok(())
    }

    fn session(&self, envelope: &Envelope, now: i64) -> Session {
        match self.catalogue.key(envelope.key) {
            Some(key) => Session::of(&self.catalogue, key.person, now),
            None => Session {
                person: PersonId([0; 8]),
                follow: Follow::These(BTreeSet::new()),
                due: BTreeSet::new(),
            },
        }
    }

    fn skips(&self, request: &Request) -> Checked<bool> {
        let end = must("end", LogReader(&self.keyspace).end())?;
        Ok(request
            .known
            .is_some_and(|known| known.position > 0 && known.position < end))
    }

    /// The parts it holds, accepted and held.
    pub fn parts(&self) -> Checked<BTreeSet<PartId>> {
        parts_in(&self.keyspace)
    }

    /// Which node it says it is.
    pub fn id(&self) -> NodeId {
        self.identity.node
    }
}

/// The parts of a keyspace, accepted and held.
pub fn parts_in(keyspace: &MemoryKeyspace) -> Checked<BTreeSet<PartId>> {
    let tag = keys::part(PartId([0; 32])).first().copied().unwrap_or(0);
    let found = must("scan", keyspace.scan(&[tag], &keys::after(tag), usize::MAX))?;
    let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
        let id = key.get(1..).and_then(|id| <[u8; 32]>::try_from(id).ok());
        id.map(PartId)
            .ok_or_else(|| Violation::new("part-key", "not a part id"))
    };
    found.iter().map(read).collect()
}

fn problem(envelope: Envelope, code: &str) -> Envelope {
    Envelope {
        bytes: Frame::Problem(code.to_owned()).encode(),
        ..envelope
    }
}
