//! A device: everything one person has on one installation, and the steps of its synchronising.
//!
//! Every method that changes something hands back the [`Write`]s of the change; the device itself has
//! already taken them. The shell makes the truth among them durable before it sends a request or says
//! "saved"; if it cannot, it drops the device and opens it again from what is durable.
//!
//! Typing adds to a [`Draft`]; [`Device::seal`] turns drafts into one batch on the heads the person
//! saw. Received entries are applied after the drafts of their documents were sealed.

mod budget;
mod bundle;
mod elsewhere;
mod give_way;
mod older;
mod peer;
mod receive;
mod records;
mod repair;
mod request;
mod reset;
mod seal;

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::message::{Response, digest_of_parts};
use crate::batch::{SealError, Sealer, SignedPart};
use crate::bundle::BundleError;
use crate::catalogue::{ApplyError as CatalogueError, Catalogue, SignedRecord};
use crate::document::{ApplyError, Document, Edit, Subject, WriteError};
use crate::identity::{DocumentId, InstallationId, PartId};
use crate::log::{
    Cache, Fingerprint, Follow, HeldReason, Keyspace, KeyspaceError, LogReader, MemoryKeyspace,
    Write, keys, rebuild,
};

pub use budget::Cost;
pub use bundle::{Scope, Sequence, Taken};
pub use older::YearsStanding;
pub use receive::{Notice, Received};

use peer::{PEER, Peer, peer_write, read_peer};
use repair::Repair;

/// Why a step failed. What was durable before still is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// What the device keeps cannot be read.
    #[error(transparent)]
    Keyspace(#[from] KeyspaceError),
    /// A catalogue record cannot follow.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The catalogue is of another province than the device was enrolled in.
    #[error("the catalogue is of another province")]
    OtherProvince,
    /// What was typed cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A document cannot take what was received.
    #[error("document {document}: {error}")]
    Document {
        /// The document.
        document: DocumentId,
        /// Why.
        error: ApplyError,
    },
    /// The batch could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The device's own log did not take its own part.
    #[error("the own log does not take an own part: {0}")]
    OwnPart(String),
    /// The unit of a subject is not known here, or its template.
    #[error("{0} is not in the catalogue held here")]
    Unknown(&'static str),
    /// The document is of an older year and was left out of this device.
    #[error("what is before {since} is not on this device: ask for the older years first")]
    LeftOut {
        /// Everything from this year on is here.
        since: u16,
    },
    /// A bundle cannot be written or is not for here.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// What became of a part of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    /// Not acknowledged yet.
    Waiting,
    /// The node keeps it, a person there decides.
    Held(HeldReason),
}

/// What a badge shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceStatus {
    /// Edits typed and not sealed.
    pub draft_edits: usize,
    /// Parts no node has acknowledged.
    pub waiting_parts: usize,
    /// Their bytes, as they would travel unpacked.
    pub waiting_bytes: usize,
    /// Parts that a person at the node has to decide about.
    pub held_parts: usize,
    /// Documents on the device.
    pub documents: usize,
    /// Last catalogue record.
    pub catalogue_number: u64,
}

const STATE: u8 = 0x20;
const DRAFT: u8 = 0x22;

/// A device.
#[derive(Debug)]
pub struct Device {
    sealer: Sealer,
    keyspace: MemoryKeyspace,
    catalogue: Catalogue,
    cache: Cache,
    documents: BTreeMap<DocumentId, Document>,
    drafts: BTreeMap<DocumentId, Draft>,
    outbox: BTreeMap<PartId, OutboxState>,
    peer: Option<Peer>,
    /// Nodes met before that one.
    elsewhere: elsewhere::Elsewhere,
    /// Parts of the request under way, in order.
    in_flight: Vec<PartId>,
    /// How messages go between this device and its node.
    manner: super::packed::Manner,
    /// Catalogue records that the node lost.
    giving_back: records::GivingBack,
    /// Changes set aside while an answer is taken.
    forked: reset::Forked,
    /// How far a repair came that is under way.
    repair: Option<Repair>,
    /// What of older years is here.
    reach: older::Reach,
    /// How much may travel in a day.
    budget: super::budget::Budget,
    /// The request that it shaped, until it is answered.
    begun: budget::Begun,
    /// Parts that the node held were offered once more, since its fingerprint differed.
    asked_about_held: bool,
    /// Parts set aside that the node was offered, since others build on them.
    gave_past: BTreeSet<PartId>,
}

impl Device {
    /// A device from what it kept. The installation id in `sealer` counts for a new device only;
    /// an older one goes on under the id it kept.
    pub fn open(
        mut sealer: Sealer,
        truth: MemoryKeyspace,
    ) -> Result<(Self, Vec<Write>), DeviceError> {
        let mut keyspace = truth;
        keyspace.clear_derived();
        rebuild::rebuild(&mut keyspace)?;
        let mut writes = Vec::new();
        match keyspace.get(&[STATE])? {
            Some(bytes) => {
                let id = bytes
                    .try_into()
                    .map_err(|_| KeyspaceError::Damaged("device state"))?;
                sealer.installation = InstallationId(id);
            }
            None => writes.push(state_write(sealer.installation)),
        }
        if keyspace.get(&[PEER])?.is_none() {
            // Made to forget its node, the device is made to forget all of them.
            writes.extend(elsewhere::forgotten(&keyspace)?);
        }
        keyspace.apply(writes.clone());
        let catalogue = read_catalogue(&keyspace)?;
        let mut device = Self {
            sealer,
            catalogue,
            cache: Cache::default(),
            documents: BTreeMap::new(),
            drafts: BTreeMap::new(),
            outbox: BTreeMap::new(),
            peer: read_peer(&keyspace)?,
            elsewhere: elsewhere::Elsewhere::read(&keyspace)?,
            in_flight: Vec::new(),
            manner: super::packed::Manner::default(),
            giving_back: records::GivingBack::default(),
            forked: reset::Forked::default(),
            repair: None,
            reach: older::Reach::read(&keyspace)?,
            budget: budget::read(&keyspace)?,
            begun: budget::Begun::default(),
            asked_about_held: false,
            gave_past: BTreeSet::new(),
            keyspace,
        };
        device.read_drafts()?;
        device.read_outbox()?;
        Ok((device, writes))
    }

    fn read_drafts(&mut self) -> Result<(), DeviceError> {
        for (_, value) in self.keyspace.scan(&[DRAFT], &[DRAFT + 1], usize::MAX)? {
            let draft = Draft::decode(&value).map_err(|_| KeyspaceError::Damaged("draft"))?;
            self.drafts.insert(draft.subject.document_id(), draft);
        }
        Ok(())
    }

    fn read_outbox(&mut self) -> Result<(), DeviceError> {
        for (key, value) in self
            .keyspace
            .scan(&[keys::OUTBOX], &[keys::OUTBOX + 1], usize::MAX)?
        {
            let part = key.get(1..).and_then(|id| id.try_into().ok()).map(PartId);
            let part = part.ok_or(KeyspaceError::Damaged("outbox"))?;
            let state = match value.first() {
                Some(0) => OutboxState::Waiting,
                Some(tag) => OutboxState::Held(
                    HeldReason::from_tag(*tag).map_err(|_| KeyspaceError::Damaged("outbox"))?,
                ),
                None => return Err(KeyspaceError::Damaged("outbox").into()),
            };
            self.outbox.insert(part, state);
        }
        Ok(())
    }

    /// Applies writes to the device's own keyspace and notes them for the shell.
    fn take(&mut self, writes: Vec<Write>, to: &mut Vec<Write>) {
        self.keyspace.apply(writes.iter().cloned());
        to.extend(writes);
    }

    fn set_outbox(&mut self, part: PartId, state: Option<OutboxState>, to: &mut Vec<Write>) {
        match state {
            Some(state) => self.outbox.insert(part, state),
            None => self.outbox.remove(&part),
        };
        let value = state.map(|state| match state {
            OutboxState::Waiting => vec![0],
            OutboxState::Held(reason) => vec![reason.tag()],
        });
        self.take(
            vec![Write {
                key: keys::outbox(part),
                value,
            }],
            to,
        );
    }

    fn set_draft(&mut self, document: DocumentId, draft: Option<Draft>, to: &mut Vec<Write>) {
        let key = [&[DRAFT], document.0.as_slice()].concat();
        let value = draft.as_ref().map(Draft::encode);
        match draft {
            Some(draft) => self.drafts.insert(document, draft),
            None => self.drafts.remove(&document),
        };
        self.take(vec![Write { key, value }], to);
    }

    fn set_peer(&mut self, peer: Peer, to: &mut Vec<Write>) {
        let peer = peer.kept();
        let write = peer_write(&peer);
        self.peer = Some(peer);
        self.take(vec![write], to);
    }

    /// Who seals here.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }
    /// The catalogue held here.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
    /// The log held here.
    pub fn log(&self) -> LogReader<'_> {
        LogReader(&self.keyspace)
    }
    /// Everything kept, derived keys included.
    pub fn keyspace(&self) -> &MemoryKeyspace {
        &self.keyspace
    }
    /// The unsealed edits of a document.
    pub fn draft(&self, document: DocumentId) -> Option<&Draft> {
        self.drafts.get(&document)
    }
    /// Parts that no node has acknowledged as applied, with what is known of them.
    pub fn outbox(&self) -> &BTreeMap<PartId, OutboxState> {
        &self.outbox
    }

    pub(super) fn manner(&self) -> super::packed::Manner {
        self.manner
    }
    pub(super) fn set_manner(&mut self, manner: super::packed::Manner) {
        self.manner = manner;
    }
    /// True while its position does not say what the device has.
    pub(super) fn is_out_of_step(&self) -> bool {
        self.peer
            .as_ref()
            .is_some_and(|peer| !peer.mode.is_in_step() || !peer.arrival.has.is_empty())
            || self.older_asked().is_some()
    }

    /// The parts of the last request that this answer says are in the node's log.
    pub(super) fn accepted_by(&self, response: &Response) -> BTreeSet<PartId> {
        if response.answers.len() != self.in_flight.len()
            || response.answers_to != digest_of_parts(&self.in_flight)
        {
            return BTreeSet::new();
        }
        let pairs = self.in_flight.iter().zip(&response.answers);
        let accepted = pairs.filter(|(_, answer)| super::packed::is_accepted(answer));
        accepted.map(|(part, _)| *part).collect()
    }

    /// Adds one edit to the draft of a document.
    ///
    /// The effect is tried on a copy first, so that what is saved can be sealed.
    pub fn edit(&mut self, subject: &Subject, edits: &[Edit]) -> Result<Vec<Write>, DeviceError> {
        self.edited(subject, edits).map(|(writes, _)| writes)
    }

    /// The same, and the document with its draft as it is then.
    pub fn edited(
        &mut self,
        subject: &Subject,
        edits: &[Edit],
    ) -> Result<(Vec<Write>, Document), DeviceError> {
        if self.catalogue.newest_template(&subject.template).is_none() {
            return Err(DeviceError::Unknown("the template"));
        }
        if self.catalogue.unit(subject.unit).is_none() {
            return Err(DeviceError::Unknown("the unit"));
        }
        if let Some(since) = self.left_out(subject) {
            return Err(DeviceError::LeftOut { since });
        }
        let document = self.with_edits(subject, edits)?;
        let draft = self.draft_with(subject, edits);
        let mut writes = Vec::new();
        self.set_draft(document.id(), Some(draft), &mut writes);
        Ok((writes, document))
    }

    /// The document with what is accepted and sealed, and with the draft on top.
    pub fn with_draft(&mut self, subject: &Subject) -> Result<Document, DeviceError> {
        self.with_edits(subject, &[])
    }

    /// The same with these edits on top of the draft: what they would come to, and nothing is kept.
    pub fn with_edits(
        &mut self,
        subject: &Subject,
        edits: &[Edit],
    ) -> Result<Document, DeviceError> {
        let actor = self.sealer.actor();
        let drafted = self.draft_with(subject, edits);
        let mut document = self.load(subject)?.clone();
        if drafted.edits.is_empty() {
            return Ok(document);
        }
        match document.write(actor, &drafted.edits) {
            Ok(_) | Err(WriteError::Nothing) => Ok(document),
            Err(error) => Err(error.into()),
        }
    }

    /// The draft of a document as it would be after these edits.
    fn draft_with(&self, subject: &Subject, edits: &[Edit]) -> Draft {
        let mut draft = match self.drafts.get(&subject.document_id()) {
            Some(draft) => draft.clone(),
            None => Draft {
                subject: subject.clone(),
                edits: Vec::new(),
            },
        };
        draft.extend(edits);
        draft
    }

    /// The document as accepted and sealed.
    pub fn load(&mut self, subject: &Subject) -> Result<&mut Document, DeviceError> {
        let id = subject.document_id();
        if !self.documents.contains_key(&id) {
            let document = self.load_from_log(subject)?;
            self.documents.insert(id, document);
        }
        self.documents
            .get_mut(&id)
            .ok_or(KeyspaceError::Damaged("document").into())
    }

    fn load_from_log(&self, subject: &Subject) -> Result<Document, DeviceError> {
        let id = subject.document_id();
        let reader = self.log();
        let error = |error| DeviceError::Document {
            document: id,
            error,
        };
        match reader.document(id)? {
            None => Document::new(subject.clone()).map_err(error),
            Some(index) => {
                let changes = reader.changes(&index)?;
                let sections = index.extensions().iter().map(String::as_str);
                let changes = changes.iter().map(|(_, bytes)| bytes.as_slice());
                Document::load(subject.clone(), sections, changes).map_err(error)
            }
        }
    }

    /// The subjects of the documents on this device, drafts included, by document id.
    pub fn subjects(&self) -> Result<BTreeMap<DocumentId, Subject>, DeviceError> {
        let reader = self.log();
        let mut subjects = BTreeMap::new();
        for id in reader.documents(None, usize::MAX)? {
            if let Some(subject) = reader.subject(id)? {
                subjects.insert(id, subject);
            }
        }
        for (id, draft) in &self.drafts {
            subjects.insert(*id, draft.subject.clone());
        }
        Ok(subjects)
    }

    /// How many documents are on this device, drafts included.
    fn document_count(&self) -> Result<usize, DeviceError> {
        let mut ids: BTreeSet<_> = self.drafts.keys().copied().collect();
        ids.extend(self.log().documents(None, usize::MAX)?);
        Ok(ids.len())
    }

    /// What waits, what is held. Asked with every step: it reads no document.
    pub fn status(&self) -> Result<DeviceStatus, DeviceError> {
        let mut status = DeviceStatus {
            draft_edits: self.drafts.values().map(|draft| draft.edits.len()).sum(),
            documents: self.document_count()?,
            catalogue_number: self.catalogue.last_number(),
            ..DeviceStatus::default()
        };
        for (part, state) in &self.outbox {
            match state {
                OutboxState::Waiting => {
                    status.waiting_parts += 1;
                    status.waiting_bytes += self.part(*part)?.map_or(0, |part| part.encode().len());
                }
                OutboxState::Held(_) => status.held_parts += 1,
            }
        }
        Ok(status)
    }

    /// A part in the device's log, by its id.
    pub fn part(&self, part: PartId) -> Result<Option<SignedPart>, DeviceError> {
        use crate::log::staging::PartPlace;
        let reader = self.log();
        Ok(match reader.part(part)? {
            Some(PartPlace::Accepted(position)) => reader.entry(position)?.map(|e| e.part),
            Some(PartPlace::Held(number)) => reader.held(number)?.map(|e| e.part),
            None => None,
        })
    }

    /// Takes parts of others into the log, without a node.
    #[cfg(test)]
    pub(crate) fn take_for_test(&mut self, parts: &[SignedPart], now: i64) {
        use crate::log::{Acceptor, Trust, Verdict};
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now).unwrap();
        for part in parts {
            let key = self.catalogue.key(part.header().key).unwrap();
            let verified = part.clone().verify(&key.public_key).unwrap();
            let verdict = acceptor.accept(&verified, Trust::Relayed).unwrap();
            assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
        }
        let writes = acceptor.into_writes();
        self.take(writes, &mut Vec::new());
        self.documents.clear();
    }

    /// The fingerprint of what the device's log holds of what it follows, and of its outbox.
    fn fingerprints(&self, follow: &Follow) -> Result<(Fingerprint, Fingerprint), DeviceError> {
        use crate::log::staging::PartPlace;
        let (reader, mut outbox) = (self.log(), Fingerprint::default());
        for part in self.outbox.keys() {
            let Some(PartPlace::Accepted(position)) = reader.part(*part)? else {
                continue;
            };
            let entry = reader.entry(position)?;
            if entry.is_some_and(|entry| follow.contains(entry.part.part().partition)) {
                outbox = outbox.plus(Fingerprint::of(*part));
            }
        }
        Ok((self.log().fingerprint(follow)?, outbox))
    }
}

fn state_write(installation: InstallationId) -> Write {
    Write {
        key: vec![STATE],
        value: Some(installation.0.to_vec()),
    }
}

fn read_catalogue(keyspace: &MemoryKeyspace) -> Result<Catalogue, DeviceError> {
    let mut catalogue = Catalogue::new();
    let to = keys::after(keys::CATALOGUE);
    for (_, value) in keyspace.scan(&[keys::CATALOGUE], &to, usize::MAX)? {
        let record = SignedRecord::decode(&value).map_err(CatalogueError::from)?;
        catalogue.apply_kept(&record)?;
    }
    Ok(catalogue)
}
