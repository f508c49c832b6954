//! Who has reported, who has not, who is late, who is in conflict; and how far, section by section.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::identity::UnitId;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Asked, FigureReader};
use crate::operation::due_units::{DueState, DueUnit, SectionLine, due_units, sections};
use crate::operation::figures::{CoverageLine, UnitLine};
use crate::operation::read_roll_up::Request as RollUpRequest;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};

/// Which coverage, only one state if wanted, and the page.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CoverageAsked")]
pub(crate) struct Request {
    #[serde(flatten)]
    of: RollUpRequest,
    state: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// Coverage of a unit and the units at or below it that owe a report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CoveragePage")]
pub(crate) struct Answer {
    unit: UnitLine,
    coverage: CoverageLine,
    sections: Vec<SectionLine>,
    #[serde(flatten)]
    units: Page<DueUnit>,
}

/// `GET /v1/coverage`
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
    let malformed =
        |detail: &str| Problem::new(ProblemCode::RequestMalformed).with("detail", detail);
    // A flattened query has no numbers, only text.
    let limit = request
        .limit
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| malformed("limit is no number"))?;
    let page = PageQuery { after: None, limit };
    let wanted = match request.state.as_deref() {
        None => None,
        Some("missing") => Some(DueState::Missing),
        Some("reported") => Some(DueState::Reported),
        Some("late") => Some(DueState::Late),
        Some("in_conflict") => Some(DueState::InConflict),
        Some(_) => return Err(malformed("state is missing, reported, late or in_conflict")),
    };
    let totals = &app.running()?.totals;
    let key = request.of.key()?;
    let (unit, coverage, sections, units) = totals.look(&key, |roll_up, _| {
        let unit = request.of.unit_in(roll_up)?;
        let coverage = roll_up.coverage(unit.unit).unwrap_or_default();
        let units = due_units(roll_up, &key, unit.unit);
        Ok::<_, Problem>((unit, coverage, sections(roll_up), units))
    })??;
    reader.check(app, unit.unit)?;
    let mut lines = units
        .into_iter()
        .filter(|line| wanted.is_none_or(|wanted| wanted == line.state));
    if let Some(cursor) = &request.after {
        let after: UnitId = cursor
            .parse()
            .map_err(|_| Problem::new(ProblemCode::CursorBad))?;
        lines
            .by_ref()
            .find(|line| line.unit.unit == after)
            .ok_or_else(|| Problem::new(ProblemCode::CursorBad))?;
    }
    Ok(Answer {
        unit,
        coverage: coverage.into(),
        sections,
        units: Page::take(lines, page.limit(), |line| line.unit.unit.to_string()),
    })
}
