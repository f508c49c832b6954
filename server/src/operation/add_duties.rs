//! Takes in reporting duties; the same list again adds nothing. A row may stand for each part of a
//! period (every month of a year), and says its last day or the rule that finds it; what the rows come
//! to can be seen before anything is signed.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::calendar::{Calendar, DueRule};
use sync_core::catalogue::{Among, Body as RecordBody, Catalogue, Duty};
use sync_core::date::Date;
use sync_core::identity::{DutyId, UnitId};
use sync_core::period::{Period, PeriodKind};

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, Body};
use crate::limits;
use crate::operation::list_duties::{DutyLine, line};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::Hex;
use crate::wire::{Day, Label};

/// The list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DutyList")]
#[serde(deny_unknown_fields)]
pub struct Request {
    duties: Vec<DutyRow>,
    /// Only say what the rows come to.
    #[serde(default)]
    preview: bool,
}

/// Units of a kind owe the report of a template for a period by a day.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyRow {
    template: String,
    unit_kind: Label,
    /// Only those of this group of a grouping; both or none.
    grouping: Option<Label>,
    group: Option<Label>,
    /// Only those at or below this unit.
    #[schemars(with = "Option<Hex<8>>")]
    within: Option<UnitId>,
    period: String,
    /// One duty for each part of the period: `month`, `quarter`, `half`.
    each: Option<String>,
    /// The last day; this or a rule.
    due: Option<Day>,
    /// How the last day is found: `end+6d`, `end+5wd`, `end-3wd`.
    rule: Option<String>,
}

/// What was added.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DutiesAdded")]
pub struct Answer {
    added: usize,
    unchanged: usize,
    /// Every duty that the rows come to.
    duties: Vec<DutyAdded>,
}

/// What a row came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DutyAdded {
    #[serde(flatten)]
    duty: DutyLine,
    change: Change,
    /// The day it was due before, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
}

/// What became of a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Nobody owed it before.
    New,
    /// It was due on another day.
    Moved,
    /// It was there.
    Unchanged,
}

/// `POST /v1/duties`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let preview = request.preview;
    let answer = blocking(&app, move |app| add(app, &request)).await?;
    if !preview {
        tracing::info!(%administrator, added = answer.added, "reporting duties added");
    }
    Ok(Json(answer))
}

fn add(app: &App, request: &Request) -> Result<Answer, Problem> {
    if request.duties.len() > limits::IMPORT_ROWS_MAX {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    app.registry.append(app.clock.now_s(), |catalogue| {
        let (bodies, answer) = draft(catalogue, &request.duties)?;
        Ok(match request.preview {
            true => Draft::nothing(answer),
            false => Draft::records(bodies, answer),
        })
    })
}

fn draft(catalogue: &Catalogue, rows: &[DutyRow]) -> Result<(Vec<RecordBody>, Answer), Problem> {
    let calendar = catalogue.calendar();
    let mut drafted: Vec<Duty> = Vec::new();
    let mut answer = Answer {
        added: 0,
        unchanged: 0,
        duties: Vec::new(),
    };
    for row in rows {
        for duty in row.duties(catalogue, &calendar)? {
            let alike = |other: &&Duty| {
                other.template == duty.template
                    && other.unit_kind == duty.unit_kind
                    && other.among == duty.among
                    && other.period == duty.period
            };
            // The same duty with another day replaces the old day: it keeps its id.
            let known = drafted.iter().rev().find(alike);
            let known = known.or_else(|| catalogue.duties().find(alike)).cloned();
            let (change, was) = match &known {
                Some(known) if known.due == duty.due && known.rule == duty.rule => {
                    (Change::Unchanged, None)
                }
                Some(known) => (Change::Moved, Some(known.due.clone())),
                None => (Change::New, None),
            };
            let duty = Duty {
                duty: match known {
                    Some(known) => known.duty,
                    None => DutyId(random()?),
                },
                ..duty
            };
            let said = line(catalogue, &duty)?;
            answer.duties.push(DutyAdded {
                duty: said,
                change,
                was,
            });
            match change {
                Change::Unchanged => answer.unchanged += 1,
                Change::New | Change::Moved => {
                    answer.added += 1;
                    drafted.push(duty);
                }
            }
            if answer.duties.len() > limits::IMPORT_ROWS_MAX {
                return Err(Problem::new(ProblemCode::TooLarge));
            }
        }
    }
    let bodies = drafted.into_iter().map(RecordBody::Duty).collect();
    Ok((bodies, answer))
}

impl DutyRow {
    /// The duties it stands for; their ids are still to be given.
    fn duties(&self, catalogue: &Catalogue, calendar: &Calendar) -> Result<Vec<Duty>, Problem> {
        if catalogue.newest_template(&self.template).is_none() {
            return Err(Problem::new(ProblemCode::TemplateUnknown).with("template", &self.template));
        }
        if let Some(reason) = catalogue.template_retired(&self.template) {
            return Err(Problem::new(ProblemCode::TemplateRetired)
                .with("template", &self.template)
                .with("reason", reason));
        }
        let among = self.among(catalogue)?;
        let rule = self.rule()?;
        self.periods()?
            .into_iter()
            .map(|period| {
                let due = rule.last_day(period, calendar).map_err(|unknown| {
                    Problem::new(ProblemCode::CalendarYearUnknown).with("year", unknown.0)
                })?;
                Ok(Duty {
                    duty: DutyId([0; 8]),
                    template: self.template.clone(),
                    unit_kind: self.unit_kind.as_str().to_owned(),
                    among: among.clone(),
                    period: period.to_string(),
                    rule: match rule {
                        DueRule::On(_) => String::new(),
                        DueRule::Days(_) | DueRule::WorkingDays(_) => rule.to_string(),
                    },
                    due: due.to_string(),
                })
            })
            .collect()
    }

    fn among(&self, catalogue: &Catalogue) -> Result<Among, Problem> {
        let malformed = |detail| Problem::new(ProblemCode::RequestMalformed).with("detail", detail);
        match (&self.grouping, &self.group, self.within) {
            (None, None, None) => Ok(Among::All),
            (Some(grouping), Some(group), None) => Ok(Among::Group(
                grouping.as_str().to_owned(),
                group.as_str().to_owned(),
            )),
            (None, None, Some(unit)) if catalogue.unit(unit).is_some() => Ok(Among::Within(unit)),
            (None, None, Some(unit)) => {
                Err(Problem::new(ProblemCode::UnitUnknown).with("unit", unit))
            }
            _ => Err(malformed(
                "a grouping with its group, or a unit, or neither",
            )),
        }
    }

    fn rule(&self) -> Result<DueRule, Problem> {
        let bad = |rule: &str| Problem::new(ProblemCode::DueBad).with("due", rule);
        match (&self.due, &self.rule) {
            (Some(day), None) => {
                let day: Result<Date, _> = day.as_str().parse();
                day.map(DueRule::On).map_err(|_| bad(""))
            }
            (None, Some(rule)) => rule.parse().map_err(|_| bad(rule)),
            (Some(_), Some(_)) | (None, None) => Err(Problem::new(ProblemCode::RequestMalformed)
                .with("detail", "a last day or a rule, and not both")),
        }
    }

    fn periods(&self) -> Result<Vec<Period>, Problem> {
        let bad = || Problem::new(ProblemCode::PeriodBad).with("period", &self.period);
        let period: Period = self.period.parse().map_err(|_| bad())?;
        let Some(each) = &self.each else {
            return Ok(vec![period]);
        };
        let kind = PeriodKind::from_name(each).ok_or_else(bad)?;
        let parts = period.parts(kind);
        match parts.is_empty() {
            true => Err(bad()),
            false => Ok(parts),
        }
    }
}
