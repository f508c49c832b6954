//! Lists reporting duties, each with how many units owe it and which of them owe otherwise.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::{Among, Catalogue, Duty, Terms};
use sync_core::form::Template;
use sync_core::identity::{DutyId, UnitId};
use sync_core::org_unit::OrgTree;
use sync_core::period::Period;

use crate::app::SharedApp;
use crate::extract::{Asked, SignedIn};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;

/// A duty.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Duty")]
pub(crate) struct DutyLine {
    #[schemars(with = "Hex<8>")]
    duty: DutyId,
    template: String,
    /// The title of the template's newest version.
    title: String,
    unit_kind: String,
    /// Only those of a group of a grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    grouping: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Only those at or below a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    within: Option<UnitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_name: Option<String>,
    period: String,
    /// How the last day was found; none: it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    due: String,
    /// Units that owe it, those that were let off not counted.
    units: usize,
    exceptions: Vec<ExceptionLine>,
}

/// A unit that owes otherwise.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExceptionLine {
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    unit_name: String,
    terms: TermsName,
    /// Its own last day, if that was put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    reason: String,
}

/// How a unit owes a report otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TermsName {
    /// By another day.
    Extended,
    /// Not at all.
    Exempt,
}

/// `GET /v1/duties`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Page<DutyLine>>, Problem> {
    let after: Option<DutyId> = page
        .after
        .as_deref()
        .map(|cursor| cursor.parse())
        .transpose()
        .map_err(|_| Problem::new(ProblemCode::CursorBad))?;
    let catalogue = app.registry.current();
    let duties = catalogue
        .duties()
        .filter(|duty| after.is_none_or(|after| duty.duty > after));
    let lines: Vec<DutyLine> = duties
        .take(page.limit().saturating_add(1))
        .map(|duty| line(&catalogue, duty))
        .collect::<Result<_, Problem>>()?;
    Ok(Json(Page::take(lines.into_iter(), page.limit(), |line| {
        line.duty.to_string()
    })))
}

/// What a form is called; its id, should it not be readable.
fn title(catalogue: &Catalogue, template: &str) -> String {
    let newest = catalogue.newest_template(template);
    let form = newest.and_then(|newest| Template::from_json(&newest.content).ok());
    form.as_ref().map_or(template, Template::title).to_owned()
}

/// What is said of a duty.
pub(crate) fn line(catalogue: &Catalogue, duty: &Duty) -> Result<DutyLine, Problem> {
    let period: Period = duty
        .period
        .parse()
        .map_err(|_| Problem::new(ProblemCode::PeriodBad).with("period", &duty.period))?;
    let last = period.last_day();
    let tree = OrgTree::of_catalogue(catalogue, last).map_err(|error| Problem::internal(&error))?;
    let name = |unit: UnitId| {
        let record = tree.unit(unit);
        let record = record.or_else(|| catalogue.unit(unit)?.last());
        record.map(|record| record.name.clone()).unwrap_or_default()
    };
    let (group, within) = match &duty.among {
        Among::All => (None, None),
        Among::Group(grouping, group) => (Some((grouping.clone(), group.clone())), None),
        Among::Within(unit) => (None, Some(*unit)),
    };
    let (grouping, group) = group.unzip();
    let exceptions = catalogue.exceptions(duty.duty).filter_map(|exception| {
        let (terms, due) = match &exception.terms {
            Terms::AsOthers => return None,
            Terms::Extended(day) => (TermsName::Extended, Some(day.clone())),
            Terms::Exempt => (TermsName::Exempt, None),
        };
        Some(ExceptionLine {
            unit: exception.unit,
            unit_name: name(exception.unit),
            terms,
            due,
            reason: exception.reason.clone(),
        })
    });
    Ok(DutyLine {
        duty: duty.duty,
        template: duty.template.clone(),
        title: title(catalogue, &duty.template),
        unit_kind: duty.unit_kind.clone(),
        grouping,
        group,
        within,
        within_name: within.map(name),
        period: duty.period.clone(),
        rule: Some(duty.rule.clone()).filter(|rule| !rule.is_empty()),
        due: duty.due.clone(),
        units: catalogue
            .owed(duty, &tree)
            .filter(|owed| !owed.is_exempt())
            .count(),
        exceptions: exceptions.collect(),
    })
}
