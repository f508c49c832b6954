//! The figures of a unit over everything below it: with what they stand on and what contradicts them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::cell::CellValue;
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::UnitId;
use sync_core::number::Number;
use sync_core::period::Period;
use sync_core::roll_up::RollUp;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Asked, FigureReader};
use crate::operation::figures::{CoverageLine, FigureLine, FindingLine, UnitLine};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::totals::RollUpKey;

/// Which figures: template, period, and a unit by id or code (left out: the top of the tree).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "RollUpAsked")]
pub(crate) struct Request {
    template: String,
    period: String,
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    unit_code: Option<String>,
}

/// Figures, at a position of this node's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "RollUp")]
pub(crate) struct Figures {
    pub(crate) template: String,
    pub(crate) template_version: u32,
    pub(crate) title: String,
    pub(crate) period: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_day: Option<String>,
    pub(crate) unit: UnitLine,
    pub(crate) position: u64,
    pub(crate) coverage: CoverageLine,
    pub(crate) figures: Vec<FigureLine>,
    pub(crate) findings: Vec<FindingLine>,
}

impl Request {
    /// The roll-up asked for.
    pub(crate) fn key(&self) -> Result<RollUpKey, Problem> {
        let period: Period = self
            .period
            .parse()
            .map_err(|_| Problem::new(ProblemCode::PeriodBad).with("period", &self.period))?;
        Ok(RollUpKey {
            template: self.template.clone(),
            period,
        })
    }

    /// The unit asked for, in the tree of a roll-up.
    pub(crate) fn unit_in(&self, roll_up: &RollUp) -> Result<UnitLine, Problem> {
        let tree = roll_up.tree();
        let record = match (&self.unit, &self.unit_code) {
            (Some(unit), _) => tree.unit(*unit),
            (None, Some(code)) => tree.units().find(|record| record.code == *code),
            (None, None) => tree.tops().next(),
        };
        record.map(UnitLine::from).ok_or_else(|| {
            let asked = self.unit.map(|unit| unit.to_string());
            let asked = asked.or_else(|| self.unit_code.clone());
            Problem::new(ProblemCode::UnitUnknown).with("unit", asked.unwrap_or_default())
        })
    }
}

/// `GET /v1/roll-ups`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    reader: FigureReader,
    Asked(request): Asked<Request>,
) -> Result<Json<Figures>, Problem> {
    blocking(&app, move |app| read(app, &reader, &request))
        .await
        .map(Json)
}

/// The figures as they are now, if this reader may see them.
pub(crate) fn read(
    app: &App,
    reader: &FigureReader,
    request: &Request,
) -> Result<Figures, Problem> {
    read_with(app, reader, request, |_, _| ()).map(|(figures, ())| figures)
}

/// The figures, and what else is to be seen at the same moment.
pub(crate) fn read_with<T>(
    app: &App,
    reader: &FigureReader,
    request: &Request,
    also: impl FnOnce(&RollUp, UnitId) -> T,
) -> Result<(Figures, T), Problem> {
    let key = request.key()?;
    let totals = &app.running()?.totals;
    // Read before the figures: they may be newer than the position says, never older.
    let position = *totals.subscribe().borrow();
    let unit = totals.look(&key, |roll_up, _| request.unit_in(roll_up))??;
    reader.check(app, unit.unit)?;
    let stated = stated(app, &key, unit.unit)?;
    totals.look(&key, |roll_up, due_day| {
        let table = roll_up
            .table(unit.unit)
            .ok_or_else(|| Problem::new(ProblemCode::ChangedMeanwhile))?;
        let template = roll_up.template();
        let findings = roll_up
            .findings_against(unit.unit, &stated)
            .unwrap_or_default();
        let also = also(roll_up, unit.unit);
        let figures = Figures {
            template: template.id().to_owned(),
            template_version: template.version(),
            title: template.title().to_owned(),
            period: key.period.to_string(),
            due_day: due_day.map(|day| day.to_string()),
            unit,
            position,
            coverage: table.coverage.into(),
            figures: template
                .rows()
                .iter()
                .zip(&table.figures)
                .map(|(row, figure)| FigureLine::new(row, figure))
                .collect(),
            findings: findings.iter().map(FindingLine::from).collect(),
        };
        Ok((figures, also))
    })?
}

/// What the unit itself states in its own report: held against what the reports below come to.
fn stated(app: &App, key: &RollUpKey, unit: UnitId) -> Result<BTreeMap<String, Number>, Problem> {
    let subject = Subject {
        kind: SubjectKind::Report,
        template: key.template.clone(),
        unit,
        period: key.period.to_string(),
    };
    let report = app.running()?.totals.report(subject.document_id())?;
    let cells = report.iter().flat_map(|report| &report.extract.cells);
    Ok(cells
        .filter_map(|(code, rivals)| match rivals.as_slice() {
            [only] => match &only.value {
                CellValue::Number(number) => Some((code.clone(), *number)),
                CellValue::NoOccurrence => Some((code.clone(), Number::ZERO)),
                CellValue::Empty | CellValue::Text(_) => None,
            },
            _ => None,
        })
        .collect())
}
