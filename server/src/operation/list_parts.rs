//! Opens one figure: what it comes to in each unit right below, and in the unit's own report.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::form::Template;
use sync_core::identity::{DocumentId, UnitId};
use sync_core::roll_up::RollUp;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Asked, FigureReader};
use crate::operation::due_units::document;
use crate::operation::figures::{CoverageLine, FigureLine, RangeText, UnitLine};
use crate::operation::read_roll_up::Request as RollUpRequest;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::totals::RollUpKey;

/// Which figure, by the code of its row, and the page.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PartsAsked")]
pub(crate) struct Request {
    #[serde(flatten)]
    of: RollUpRequest,
    code: String,
    after: Option<String>,
    limit: Option<String>,
}

/// A figure and its parts, in the order of the tree.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PartsPage")]
pub(crate) struct Answer {
    unit: UnitLine,
    position: u64,
    coverage: CoverageLine,
    figure: FigureLine,
    /// The report that the unit owes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
    #[serde(flatten)]
    parts: Page<Part>,
}

/// A report in which the row is typed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OwnFigure")]
pub(crate) struct Own {
    #[schemars(with = "Hex<16>")]
    document: DocumentId,
    /// What it adds to the figure, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<RangeText>,
}

/// A unit right below.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PartFigure")]
pub(crate) struct Part {
    unit: UnitLine,
    coverage: CoverageLine,
    figure: FigureLine,
    /// Its own report, if it has sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<16>>")]
    document: Option<DocumentId>,
}

/// `GET /v1/roll-ups/parts`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    reader: FigureReader,
    Asked(request): Asked<Request>,
) -> Result<Json<Answer>, Problem> {
    blocking(&app, move |app| read(app, &reader, &request))
        .await
        .map(Json)
}

fn read(app: &App, reader: &FigureReader, request: &Request) -> Result<Answer, Problem> {
    let limit = request.limit.as_deref().map(str::parse).transpose();
    let limit = limit.map_err(|_| {
        // A flattened query has no numbers, only text.
        Problem::new(ProblemCode::RequestMalformed).with("detail", "limit is no number")
    })?;
    let limit = PageQuery { after: None, limit }.limit();
    let key = request.of.key()?;
    let totals = &app.running()?.totals;
    // Read before the figures: they may be newer than the position says, never older.
    let position = *totals.subscribe().borrow();
    let unit = totals.look(&key, |roll_up, _| request.of.unit_in(roll_up))??;
    reader.check(app, unit.unit)?;
    totals.look(&key, |roll_up, _| {
        let line = |unit| line(roll_up, roll_up.template(), unit, &request.code);
        let (coverage, figure) = line(unit.unit)?;
        let parts: Vec<Part> = roll_up
            .tree()
            .children(unit.unit)
            .map(|record| {
                let (coverage, figure) = line(record.unit)?;
                let sent = roll_up.report(record.unit);
                Ok(Part {
                    unit: record.into(),
                    coverage,
                    figure,
                    document: sent.map(|_| document(&key, record.unit)),
                })
            })
            .collect::<Result<_, Problem>>()?;
        let mut parts = parts.into_iter();
        if let Some(cursor) = &request.after {
            let bad = || Problem::new(ProblemCode::CursorBad);
            let after: UnitId = cursor.parse().map_err(|_| bad())?;
            let found = parts.find(|part| part.unit.unit == after);
            found.ok_or_else(bad)?;
        }
        Ok(Answer {
            own: own(roll_up, &key, unit.unit, &request.code),
            unit,
            position,
            coverage,
            figure,
            parts: Page::take(parts, limit, |part| part.unit.unit.to_string()),
        })
    })?
}

fn line(
    roll_up: &RollUp,
    template: &Template,
    unit: UnitId,
    code: &str,
) -> Result<(CoverageLine, FigureLine), Problem> {
    let unknown = || Problem::new(ProblemCode::CellUnknown).with("cell", code);
    let row = template.row(code).ok_or_else(unknown)?;
    let figure = roll_up.figure(unit, code).ok_or_else(unknown)?;
    let coverage = roll_up.coverage(unit).unwrap_or_default();
    Ok((coverage.into(), FigureLine::new(row, &figure)))
}

fn own(roll_up: &RollUp, key: &RollUpKey, unit: UnitId, code: &str) -> Option<Own> {
    let report = roll_up.report(unit)?;
    let row = roll_up.template().row_index(code)?;
    let amount = report.cells.row(row).and_then(|cell| cell.amount());
    Some(Own {
        document: document(key, unit),
        amount: amount.map(RangeText::from),
    })
}
