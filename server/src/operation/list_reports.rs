//! Lists the reports a person may read.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::batch::{Compartment, Partition};
use sync_core::date::Date;
use sync_core::document::SubjectKind;
use sync_core::identity::{DocumentId, UnitId};

use crate::app::{App, SharedApp, blocking};
use crate::exchange::session;
use crate::extract::{Asked, SignedIn};
use crate::kept::derived_report::{self, DerivedReport};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::token::Identity;

/// Reports looked through for one page; a page may be short and still have a next one.
const LOOKED_THROUGH_MAX: usize = 4_096;

/// Only these, if said: of a template, a period, a unit and what is below it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ReportsAsked")]
pub(crate) struct Request {
    template: Option<String>,
    period: Option<String>,
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    #[schemars(with = "Option<Hex<16>>")]
    after: Option<DocumentId>,
    limit: Option<usize>,
}

/// One report.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReportLine {
    #[schemars(with = "Hex<16>")]
    document: DocumentId,
    template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_version: Option<u32>,
    period: String,
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    unit_name: String,
    cells: usize,
    conflicts: usize,
    first_received_at: i64,
    last_received_at: i64,
}

/// `GET /v1/reports`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    Asked(request): Asked<Request>,
) -> Result<Json<Page<ReportLine>>, Problem> {
    blocking(&app, move |app| list(app, identity, &request))
        .await
        .map(Json)
}

fn list(app: &App, identity: Identity, request: &Request) -> Result<Page<ReportLine>, Problem> {
    let (mut from, to) = derived_report::range();
    if let Some(after) = request.after {
        from = [derived_report::key(after).as_slice(), &[0]].concat();
    }
    let found = app.store.scan(&from, &to, LOOKED_THROUGH_MAX)?;
    let looked_through_all = found.len() < LOOKED_THROUGH_MAX;
    let catalogue = app.registry.current();
    let today = Date::of_timestamp(app.clock.now_s()).to_string();
    let follow = session(app, identity);
    let totals = &app.running()?.totals;
    let limit = PageQuery {
        after: None,
        limit: request.limit,
    }
    .limit();
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let mut last = None;
    for (_, value) in found {
        if page.items.len() >= limit {
            page.next = last;
            return Ok(page);
        }
        let kept = DerivedReport::decode(&value)?;
        let document = kept.extract.document;
        last = Some(document.to_string());
        let report = totals
            .report(document)?
            .ok_or_else(|| Problem::new(ProblemCode::ChangedMeanwhile))?;
        let subject = &report.extract.subject;
        let wanted = subject.kind == SubjectKind::Report
            && request
                .template
                .as_ref()
                .is_none_or(|id| *id == subject.template)
            && request
                .period
                .as_ref()
                .is_none_or(|period| *period == subject.period)
            && request
                .unit
                .is_none_or(|unit| catalogue.is_within(subject.unit, unit, &today));
        let partition = Partition {
            unit: subject.unit,
            compartment: Compartment::Reports,
        };
        if wanted && follow.follow.contains(partition) {
            let name = catalogue
                .unit(subject.unit)
                .and_then(|records| records.last());
            page.items.push(ReportLine {
                document,
                template: subject.template.clone(),
                template_version: report.extract.template_version,
                period: subject.period.clone(),
                unit: subject.unit,
                unit_name: name.map(|record| record.name.clone()).unwrap_or_default(),
                cells: report.extract.cells.len(),
                conflicts: report
                    .extract
                    .cells
                    .values()
                    .filter(|rivals| rivals.len() > 1)
                    .count(),
                first_received_at: report.first_received_at,
                last_received_at: report.last_received_at,
            });
        }
    }
    if !looked_through_all {
        page.next = last;
    }
    Ok(page)
}
