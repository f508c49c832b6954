//! A tablet behind the boundary: the device of the core, and the views of it that the page asks for.

mod budget;
mod by_file;
mod comments;
mod counts;
mod earlier;
mod lists;
mod local_rows;
mod narrative;
mod nodes;
mod settling;
mod suspect;
mod templates;
mod trial;
mod typed;
mod undo;
mod unsent;
mod versions;
mod years;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sync_core::batch::{Entry as PartEntry, Sealer, SignedPart};
use sync_core::catalogue::{Catalogue, SignedRecord};
use sync_core::document::{Document, Subject};
use sync_core::form::Template;
use sync_core::form::local::LocalRowError;
use sync_core::identity::{
    ActorId, ChangeHash, InstallationId, KeyId, NodeId, PartId, PersonId, ProvinceId, UnitId,
    labelled_hash,
};
use sync_core::log::{KeyspaceError, MemoryKeyspace, Write};
use sync_core::report::review::Checks;
use sync_core::sync::packed::Packing;
use sync_core::sync::{Device, DeviceError, Frame, Notice, OutboxState, PackedResponse};

use crate::json;
use crate::packed;
use crate::view::{self, Origins};

pub(crate) use suspect::brings;
pub(crate) use trial::trial;
pub(crate) use unsent::recovery_of;

/// What came of a step of the page: JSON text.
pub type Step = Result<String, StepError>;

/// Why a call came to nothing. Of the step itself nothing remains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A call came back while another was under way.
    #[error("another call is under way")]
    Busy,
    /// An argument is not what it should be: a fault of the page.
    #[error("{0}")]
    Argument(String),
    /// What was durable cannot be read.
    #[error("what this tablet keeps cannot be read: {0}")]
    Damaged(String),
    /// The core refused.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// What was typed is no value of its row.
    #[error("{0}")]
    Typed(String),
    /// More words than one part of a report takes.
    #[error(
        "a part of a report takes at most {} characters",
        sync_core::limits::NARRATIVE_CHARACTERS_MAX
    )]
    WordsTooMany,
    /// This person may not add rows to forms for that unit.
    #[error("this person adds no rows to forms there")]
    RowsNotAllowed,
    /// A row of a unit that cannot be added or changed so.
    #[error(transparent)]
    LocalRow(#[from] LocalRowError),
    /// There is nothing to be carried forward into this row.
    #[error("{0} has no single figure in the period before")]
    NothingEarlier(String),
    /// A frame that is none.
    #[error("the answer cannot be read: {0}")]
    Frame(String),
    /// The node could not do what was asked.
    #[error("the node says {0}")]
    Problem(String),
    /// Nothing here by that name.
    #[error("{0} is not in the catalogue held here")]
    Unknown(String),
}

impl StepError {
    /// The machine code, also the end of its message's name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "tablet-busy",
            Self::Argument(_) => "tablet-argument",
            Self::Damaged(_) => "tablet-damaged",
            Self::Device(DeviceError::Bundle(error)) => error.code(),
            Self::Device(DeviceError::LeftOut { .. }) => "tablet-years-left-out",
            Self::Device(_) => "tablet-device",
            Self::Typed(_) => "tablet-typed",
            Self::WordsTooMany => "tablet-words-too-many",
            Self::RowsNotAllowed => "tablet-rows-not-allowed",
            Self::LocalRow(LocalRowError::Locked(_)) => "tablet-row-locked",
            Self::LocalRow(LocalRowError::Unknown(_)) => "tablet-row-unknown",
            Self::LocalRow(LocalRowError::LabelMissing) => "tablet-row-label-missing",
            Self::LocalRow(LocalRowError::TextTooLong) => "tablet-row-text-too-long",
            Self::LocalRow(LocalRowError::Heading | LocalRowError::Template(_)) => {
                "tablet-row-choices"
            }
            Self::LocalRow(LocalRowError::Place(_)) => "tablet-row-place",
            Self::LocalRow(LocalRowError::TooMany) => "tablet-row-too-many",
            Self::NothingEarlier(_) => "tablet-nothing-earlier",
            Self::Frame(_) => "tablet-frame",
            Self::Problem(_) => "tablet-problem",
            Self::Unknown(_) => "tablet-unknown",
        }
    }
}

impl From<KeyspaceError> for StepError {
    fn from(error: KeyspaceError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The state behind a [`crate::Tablet`].
#[derive(Debug)]
pub struct TabletState {
    device: Device,
    /// Of steps since they were last taken.
    writes: Vec<Write>,
    /// Read once: a template version never changes.
    templates: BTreeMap<(String, u32), Arc<Template>>,
    /// What the templates that somebody fills say about their rows.
    checks: BTreeMap<(String, u32), Arc<Checks>>,
    /// What units added to forms, by form and unit.
    local_rows: BTreeMap<(String, UnitId), local_rows::Read>,
    /// Forms with those rows, the one made last first.
    filled: Vec<local_rows::Filled>,
    /// The figures of the period before the one that is looked at, and of which state they are.
    earlier: Option<earlier::Earlier>,
    /// The key of each chain in the log, up to a position.
    authors: BTreeMap<ActorId, KeyId>,
    authors_through: u64,
    /// The rows of the outbox were given since the start.
    outgoing_told: bool,
    /// How far each report is.
    counts: counts::Counts,
    /// What an edge has and the province may lack.
    at_edge: nodes::AtEdge,
    /// What can be taken back.
    undo: undo::Histories,
}

impl TabletState {
    /// See [`crate::Tablet::open`].
    pub fn open(
        province: &str,
        installation: &[u8],
        seed: &[u8],
        truth: &[u8],
        read_again: bool,
    ) -> Result<Self, StepError> {
        let argument = |what: &str| StepError::Argument(format!("no {what}"));
        let province: ProvinceId = province.parse().map_err(|_| argument("province"))?;
        let installation = installation
            .try_into()
            .map_err(|_| argument("installation id"))?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| argument("secret key"))?;
        let damaged = |error: sync_core::codec::DecodeError| StepError::Damaged(error.to_string());
        let mut kept = MemoryKeyspace::new();
        let mut rows = packed::unpack(truth).map_err(damaged)?;
        let counts = counts::Counts::taken_from(&mut rows);
        let undo = undo::Histories::taken_from(&mut rows);
        kept.apply(rows);
        let forgotten = read_again.then(Self::forget_place);
        kept.apply(forgotten.iter().cloned());
        let sealer = Sealer {
            province,
            installation: InstallationId(installation),
            key: SigningKey::from_bytes(&seed),
        };
        let (mut device, mut writes) = Device::open(sealer, kept)?;
        writes.extend(forgotten);
        writes.extend(years::leave_out(&mut device)?);
        Ok(Self {
            device,
            writes,
            templates: BTreeMap::new(),
            checks: BTreeMap::new(),
            local_rows: BTreeMap::new(),
            filled: Vec::new(),
            earlier: None,
            authors: BTreeMap::new(),
            authors_through: 0,
            outgoing_told: false,
            counts,
            at_edge: nodes::AtEdge::default(),
            undo,
        })
    }

    /// See [`crate::Tablet::take_writes`].
    pub fn take_writes(&mut self) -> Vec<u8> {
        packed::pack(&std::mem::take(&mut self.writes))
    }

    /// See [`crate::Tablet::take_records`].
    pub fn take_records(&mut self, records: &str) -> Result<(), StepError> {
        let texts: Vec<String> = json::parse(records)?;
        let record = |text: &String| {
            let bytes = BASE64.decode(text.as_bytes()).ok();
            bytes
                .and_then(|bytes| SignedRecord::decode(&bytes).ok())
                .ok_or_else(|| StepError::Argument("no signed record".to_owned()))
        };
        let records = texts.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let writes = self.device.take_records(&records)?;
        self.writes.extend(writes);
        Ok(())
    }

    /// See [`crate::Tablet::records_after`].
    pub fn records_after(&mut self, number: u64) -> Step {
        let records = self.device.records_after(number)?;
        let texts: Vec<String> = records
            .iter()
            .map(|record| BASE64.encode(&record.encode()))
            .collect();
        Ok(json!(texts).to_string())
    }

    /// See [`crate::Tablet::public_key`].
    pub fn public_key(&self) -> String {
        HEXLOWER.encode(self.device.sealer().key.verifying_key().as_bytes())
    }

    /// See [`crate::Tablet::sign_challenge`].
    pub fn sign_challenge(&self, province: &str, node: &str, nonce: &str) -> Step {
        let sealer = self.device.sealer();
        let argument = |what: &str| StepError::Argument(format!("no {what}"));
        let named: ProvinceId = province.parse().map_err(|_| argument("province"))?;
        if named != sealer.province {
            return Err(DeviceError::OtherProvince.into());
        }
        let node: NodeId = node.parse().map_err(|_| argument("node"))?;
        let nonce = HEXLOWER
            .decode(nonce.as_bytes())
            .map_err(|_| argument("nonce"))?;
        let statement = labelled_hash("device session", &[&named.0, &node.0, &nonce]);
        Ok(HEXLOWER.encode(&sealer.key.sign(&statement).to_bytes()))
    }

    /// See [`crate::Tablet::edit`].
    pub fn edit(&mut self, subject: &str, edits: &str, now: i64) -> Step {
        let subject = json::subject(subject)?;
        let edits = self.typed_edits(&subject, edits, now)?;
        let before = self.device.with_draft(&subject)?;
        let (writes, document) = self.device.edited(&subject, &edits)?;
        self.writes.extend(writes);
        self.typed_step(&before, &edits);
        self.rows_of(&subject, &document)
    }

    /// See [`crate::Tablet::preview`].
    pub fn preview(&mut self, subject: &str, edits: &str, now: i64) -> Step {
        let subject = json::subject(subject)?;
        let edits = self.typed_edits(&subject, edits, now)?;
        let document = self.device.with_edits(&subject, &edits)?;
        self.rows_of(&subject, &document)
    }

    /// See [`crate::Tablet::seal`].
    pub fn seal(&mut self, now: i64) -> Result<(), StepError> {
        let writes = self.device.seal(now)?;
        self.writes.extend(writes);
        Ok(())
    }

    /// See [`crate::Tablet::request`].
    pub fn request(
        &mut self,
        carefully: bool,
        now: i64,
        anyway: bool,
    ) -> Result<Vec<u8>, StepError> {
        let Some(mut request) = self.device.request_within(now, anyway)? else {
            return Ok(Vec::new());
        };
        if carefully {
            // One entry an answer: a node sends one at least.
            request.bytes_max = 1;
        }
        Ok(self.device.pack_request(request)?.encode())
    }

    /// See [`crate::Tablet::unpacked`].
    pub fn unpacked(&mut self, frame: &[u8]) -> Result<Vec<u8>, StepError> {
        match Frame::decode(frame) {
            Ok(Frame::PackedResponse(packed)) => {
                let takes_vouched = packed.takes_vouched;
                let unpacked = PackedResponse {
                    takes_vouched,
                    response: self.device.open_response(*packed)?,
                    unread: false,
                    records: None,
                    entries: Packing::Plain,
                };
                Ok(Frame::PackedResponse(Box::new(unpacked)).encode())
            }
            Ok(
                Frame::Response(_)
                | Frame::Problem(_)
                | Frame::Request(_)
                | Frame::PackedRequest(_),
            )
            | Err(_) => Ok(frame.to_vec()),
        }
    }

    /// See [`crate::Tablet::receive`].
    pub fn receive(&mut self, frame: &[u8], now: i64, fresh: &[u8], without: &str) -> Step {
        let fresh = fresh
            .try_into()
            .map_err(|_| StepError::Argument("no installation id".to_owned()))?;
        let without: BTreeSet<PartId> = json::parse(without)?;
        let mut response = suspect::response(frame)?;
        suspect::leave_out(&mut response, &without);
        #[cfg(feature = "planted-panic")]
        suspect::planted(&response);
        let received = self.device.receive(&response, now, InstallationId(fresh))?;
        let is_new = !received.writes.is_empty();
        self.writes.extend(received.writes);
        if is_new {
            self.read_at_edge()?;
        }
        let notices: Vec<Value> = received.notices.iter().map(notice_json).collect();
        Ok(json!({
            "again": received.again, "acknowledged": received.acknowledged,
            "documents": received.documents, "notices": notices, "node": response.node,
        })
        .to_string())
    }

    /// See [`crate::Tablet::status`].
    pub fn status(&mut self) -> Step {
        let status = self.device.status()?;
        Ok(json!({
            "draft_edits": status.draft_edits, "waiting_parts": status.waiting_parts,
            "waiting_bytes": status.waiting_bytes, "held_parts": status.held_parts,
            "documents": status.documents, "catalogue": status.catalogue_number,
            "installation": self.device.sealer().installation, "edge_only": self.at_edge.edits(),
        })
        .to_string())
    }

    /// See [`crate::Tablet::person`].
    pub fn person(&mut self, now: i64) -> Step {
        let catalogue = self.device.catalogue();
        let person = self.own_person().and_then(|id| catalogue.person(id));
        let grants: Vec<Value> = person
            .into_iter()
            .flat_map(|person| catalogue.grants_of(person.person, now))
            .map(|grant| {
                json!({"role": grant.role, "unit": grant.unit, "subtree": grant.subtree,
                "unit_name": grant.unit.map(|unit| unit_name(catalogue, unit))})
            })
            .collect();
        Ok(json!({
            "name": person.map(|person| &person.display_name),
            "sign_in_name": person.map(|person| &person.sign_in_name),
            "grants": grants,
            "province": catalogue.province().map(|province| &province.name),
            "rehearsal": catalogue.rehearsal(),
        })
        .to_string())
    }

    /// See [`crate::Tablet::form`].
    pub fn form(&mut self, template: &str, version: Option<u32>, of: Option<&str>) -> Step {
        let filled = self.asked_form(template, version, of)?;
        let catalogue = self.device.catalogue();
        let name = |unit| unit_name(catalogue, unit);
        Ok(view::form(&filled.template, &filled.mark, &name).to_string())
    }

    /// See [`crate::Tablet::report`].
    pub fn report(&mut self, subject: &str) -> Step {
        let subject = json::subject(subject)?;
        self.rows(&subject)
    }

    /// See [`crate::Tablet::history`].
    pub fn history(&mut self, subject: &str, code: &str) -> Step {
        let subject = json::subject(subject)?;
        let values = self.device.with_draft(&subject)?.cell_history(code);
        let kept = self.origins(&subject)?;
        let origins = kept.of(&self.device, &self.authors);
        let values: Vec<Value> = values
            .iter()
            .map(|rival| view::rival_json(rival, &origins))
            .collect();
        Ok(json!(values).to_string())
    }

    fn rows(&mut self, subject: &Subject) -> Step {
        let document = self.device.with_draft(subject)?;
        self.rows_of(subject, &document)
    }

    fn rows_of(&mut self, subject: &Subject, document: &Document) -> Step {
        let local_rows::Filled {
            template,
            checks,
            mark,
            ..
        } = self.filled_by(subject)?;
        let cells = document.cells();
        let beside = view::Around {
            margins: document.margins(),
            carried: document.carried().into_iter().collect(),
        };
        let newest = self.newest_template(&subject.template)?.version();
        let without_row = self.without_row(subject, &template, &cells);
        let earlier = self.figures_before(subject)?;
        let kept = self.origins(subject)?;
        let origins = kept.of(&self.device, &self.authors);
        let narrative = narrative::texts(document);
        let looking = view::Looking {
            template: &template,
            checks: &checks,
            narrative: &narrative,
            earlier: earlier.as_deref(),
        };
        let view::Rows { rows, blocking } = view::rows(&looking, &cells, &beside, &origins);
        Ok(json!({
            "document": document.id(), "heads": document.heads(),
            "template_version": template.version(), "newest_version": newest,
            "local": mark, "without_row": without_row, "rows": rows, "blocking": blocking,
            "undo": self.undo.offered(document.id()), "narrative": narrative::standing(&template, &narrative),
        })
        .to_string())
    }

    fn origins(&mut self, subject: &Subject) -> Result<Kept, StepError> {
        self.read_authors()?;
        let id = subject.document_id();
        let mut kept = Kept {
            at_edge: self.at_edge.of(id),
            ..Kept::default()
        };
        for (part, state) in self.device.outbox() {
            let Some(part) = self.device.part(*part)? else {
                continue;
            };
            let to = match state {
                OutboxState::Waiting => &mut kept.waiting,
                OutboxState::Held(_) => &mut kept.held,
            };
            to.extend(changes_of(&part, id));
        }
        if let Some(index) = self.device.log().document(id)? {
            kept.sealed
                .extend(index.changes().iter().map(|change| change.hash));
        }
        Ok(kept)
    }

    fn read_authors(&mut self) -> Result<(), StepError> {
        let end = self.device.log().end()?;
        for position in self.authors_through + 1..=end {
            if let Some(entry) = self.device.log().entry(position)? {
                let header = entry.part.header();
                self.authors.insert(entry.part.actor(), header.key);
            }
        }
        self.authors_through = end;
        let sealer = self.device.sealer();
        let own = KeyId::of(sealer.key.verifying_key().as_bytes());
        self.authors.insert(sealer.actor(), own);
        Ok(())
    }

    fn own_person(&self) -> Option<PersonId> {
        let key = KeyId::of(self.device.sealer().key.verifying_key().as_bytes());
        Some(self.device.catalogue().key(key)?.person)
    }
}

/// How far the changes of a report have got.
#[derive(Debug, Default)]
struct Kept {
    waiting: BTreeSet<ChangeHash>,
    held: BTreeSet<ChangeHash>,
    at_edge: BTreeSet<ChangeHash>,
    sealed: BTreeSet<ChangeHash>,
}

impl Kept {
    fn of<'a>(&'a self, device: &'a Device, authors: &'a BTreeMap<ActorId, KeyId>) -> Origins<'a> {
        Origins {
            catalogue: device.catalogue(),
            keys: authors,
            own: device.sealer().actor(),
            waiting: &self.waiting,
            held: &self.held,
            at_edge: &self.at_edge,
            sealed: &self.sealed,
        }
    }
}

fn changes_of(
    part: &SignedPart,
    document: sync_core::identity::DocumentId,
) -> impl Iterator<Item = ChangeHash> {
    part.part()
        .entries
        .iter()
        .filter_map(move |entry| match entry {
            PartEntry::Change { document: of, hash } if *of == document => Some(*hash),
            PartEntry::Change { .. } | PartEntry::Subject { .. } | PartEntry::Extension { .. } => {
                None
            }
        })
}

fn unit_name(catalogue: &Catalogue, unit: UnitId) -> String {
    let records = catalogue.unit(unit).and_then(<[_]>::last);
    records.map_or_else(|| unit.to_string(), |record| record.name.clone())
}

fn notice_json(notice: &Notice) -> Value {
    let (code, part) = match notice {
        Notice::Held { part, reason } => (reason.code(), part.to_string()),
        Notice::Refused { part, code } | Notice::EntryNotTaken { part, code } => {
            (code.as_str(), part.to_string())
        }
        Notice::PieceRefused { .. } => ("piece-refused", String::new()),
        Notice::NodeChanged => ("node-changed", String::new()),
        Notice::NewInstallation => ("new-installation", String::new()),
        Notice::FingerprintMismatch => ("fingerprint-mismatch", String::new()),
        Notice::CatalogueForked { number } => ("catalogue-forked", number.to_string()),
    };
    json!({"code": code, "part": part})
}
