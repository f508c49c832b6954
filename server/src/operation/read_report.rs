//! One report: what stands in each cell, who typed it, when they say, and when this node received it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::batch::SignedPart;
use sync_core::catalogue::Catalogue;
use sync_core::cell::Rival;
use sync_core::document::{Document, SubjectKind};
use sync_core::identity::{ActorId, ChangeHash, DocumentId, KeyId, PersonId, UnitId};
use sync_core::log::{DocumentIndex, LogReader};

use crate::app::{App, SharedApp, blocking};
use crate::exchange::session;
use crate::extract::{At, SignedIn};
use crate::keyspace::StoreKeyspace;
use crate::operation::figures::Value;
use crate::page::Page;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::token::Identity;

/// A report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub(crate) struct Answer {
    #[schemars(with = "Hex<16>")]
    document: DocumentId,
    template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_version: Option<u32>,
    period: String,
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    #[schemars(with = "Vec<Hex<32>>")]
    heads: Vec<ChangeHash>,
    first_received_at: i64,
    last_received_at: i64,
    cells: Vec<CellLine>,
}

/// A cell; two or more rivals are an open conflict.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CellLine {
    code: String,
    conflict: bool,
    rivals: Vec<RivalLine>,
}

/// A value with where it came from.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RivalLine {
    value: Value,
    #[schemars(with = "Hex<16>")]
    actor: ActorId,
    #[schemars(with = "Hex<32>")]
    change: ChangeHash,
    /// When the device says it was typed, seconds since 1970 UTC.
    claimed_at: i64,
    /// When this node received it.
    received_at: i64,
    #[serde(flatten)]
    author: Author,
}

/// Whose key signed it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Author {
    #[schemars(with = "Hex<16>")]
    key_id: KeyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    person: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// `GET /v1/reports/{document}`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    At(document): At<DocumentId>,
) -> Result<Json<Answer>, Problem> {
    blocking(&app, move |app| read(app, identity, document))
        .await
        .map(Json)
}

/// `GET /v1/reports/{document}/cells/{code}/history`: every value ever typed, oldest first.
pub(crate) async fn respond_history(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    At((document, code)): At<(DocumentId, String)>,
) -> Result<Json<Page<RivalLine>>, Problem> {
    blocking(&app, move |app| history(app, identity, document, &code))
        .await
        .map(Json)
}

fn unknown(document: DocumentId) -> Problem {
    Problem::new(ProblemCode::ReportUnknown).with("document", document)
}

/// The index of a document this person may read.
fn readable(app: &App, identity: Identity, document: DocumentId) -> Result<DocumentIndex, Problem> {
    let below = StoreKeyspace(&*app.store);
    let index = LogReader(&below)
        .document(document)?
        .ok_or_else(|| unknown(document))?;
    let is_report = index.subject().kind == SubjectKind::Report;
    if is_report && session(app, identity).follow.contains(index.partition()) {
        Ok(index)
    } else {
        // What may not be seen is not there.
        Err(unknown(document))
    }
}

fn read(app: &App, identity: Identity, document: DocumentId) -> Result<Answer, Problem> {
    let index = readable(app, identity, document)?;
    let report = app
        .running()?
        .totals
        .report(document)?
        .ok_or_else(|| unknown(document))?;
    let extract = &report.extract;
    let mut origins = Origins::new(app, &index);
    let mut cells = Vec::with_capacity(extract.cells.len());
    for (code, rivals) in &extract.cells {
        cells.push(CellLine {
            code: code.clone(),
            conflict: rivals.len() > 1,
            rivals: rivals
                .iter()
                .map(|rival| origins.line(rival))
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(Answer {
        document,
        template: extract.subject.template.clone(),
        template_version: extract.template_version,
        period: extract.subject.period.clone(),
        unit: extract.subject.unit,
        heads: extract.heads.clone(),
        first_received_at: report.first_received_at,
        last_received_at: report.last_received_at,
        cells,
    })
}

fn history(
    app: &App,
    identity: Identity,
    document: DocumentId,
    code: &str,
) -> Result<Page<RivalLine>, Problem> {
    let index = readable(app, identity, document)?;
    let below = StoreKeyspace(&*app.store);
    let changes = LogReader(&below).changes(&index)?;
    let loaded = Document::load(
        index.subject().clone(),
        index.extensions().iter().map(String::as_str),
        changes.iter().map(|(_, bytes)| bytes.as_slice()),
    )
    .map_err(|error| Problem::internal(&error))?;
    let typed = loaded.cell_history(code);
    if typed.is_empty() {
        return Err(Problem::new(ProblemCode::CellUnknown).with("cell", code));
    }
    let mut origins = Origins::new(app, &index);
    Ok(Page {
        items: typed
            .iter()
            .map(|rival| origins.line(rival))
            .collect::<Result<_, _>>()?,
        next: None,
    })
}

/// Where the changes of a document came from; each log entry is read once.
struct Origins<'a> {
    app: &'a App,
    catalogue: std::sync::Arc<Catalogue>,
    index: &'a DocumentIndex,
    known: BTreeMap<u64, (i64, Author)>,
}

impl<'a> Origins<'a> {
    fn new(app: &'a App, index: &'a DocumentIndex) -> Self {
        Self {
            app,
            catalogue: app.registry.current(),
            index,
            known: BTreeMap::new(),
        }
    }

    fn line(&mut self, rival: &Rival) -> Result<RivalLine, Problem> {
        let damaged =
            || Problem::internal(&"a cell names a change that its document does not have");
        let position = self
            .index
            .change(&rival.change)
            .ok_or_else(damaged)?
            .position;
        let (received_at, author) = match self.known.get(&position) {
            Some(known) => known.clone(),
            None => {
                let below = StoreKeyspace(&*self.app.store);
                let entry = LogReader(&below).entry(position)?.ok_or_else(damaged)?;
                let origin = (entry.received_at, self.author(&entry.part));
                self.known.insert(position, origin.clone());
                origin
            }
        };
        Ok(RivalLine {
            value: (&rival.value).into(),
            actor: rival.actor,
            change: rival.change,
            claimed_at: rival.claimed_at,
            received_at,
            author,
        })
    }

    fn author(&self, part: &SignedPart) -> Author {
        let key_id = part.header().key;
        let device = self.catalogue.key(key_id);
        let person = device.and_then(|device| self.catalogue.person(device.person));
        Author {
            key_id,
            person: device.map(|device| device.person),
            person_name: person.map(|person| person.display_name.clone()),
            device: device.map(|device| device.label.clone()),
        }
    }
}
