//! What a choice between rivals would do, before it is made; and the desks of who works here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};
use sync_core::access;
use sync_core::cell::{CellValue, Rival};
use sync_core::date::Date;
use sync_core::document::Entry;
use sync_core::form::{Aggregation, Template};
use sync_core::identity::{ActorId, ChangeHash, UnitId};
use sync_core::number::{Number, Range};
use sync_core::period::Period;
use sync_core::report;
use sync_core::roll_up::{if_settled, settled_amount};

use super::typed::entry_of;
use super::{Step, StepError, TabletState};
use crate::json::{self, Typed};
use crate::view;

/// A total above, as the server says it is.
#[derive(Debug, Deserialize)]
struct TotalText {
    low: String,
    high: String,
}

impl TotalText {
    fn range(&self) -> Result<Range, StepError> {
        let number = |text: &str| {
            Number::from_canonical(text)
                .map_err(|_| StepError::Argument("no canonical number".to_owned()))
        };
        Ok(Range::between(number(&self.low)?, number(&self.high)?))
    }
}

impl TabletState {
    /// See [`crate::Tablet::effect`].
    pub fn effect(&mut self, subject: &str, code: &str, choices: &str, totals: &str) -> Step {
        let subject = json::subject(subject)?;
        let typed: Vec<Typed> = json::parse(choices)?;
        let totals: Vec<TotalText> = json::parse(totals)?;
        let template = self.template_of(&subject)?;
        let row = template
            .row_index(code)
            .ok_or_else(|| StepError::Unknown(code.to_owned()))?;
        let mut chosen = Vec::with_capacity(typed.len());
        for one in &typed {
            if let Entry::Cell { value, .. } = entry_of(&template, one)? {
                chosen.push(value);
            }
        }
        let tree = self.tree_on(period_end(&subject.period)?)?;
        let above: Vec<Value> = tree
            .ancestors(subject.unit)
            .map(|unit| json!({"unit": unit.unit, "name": unit.name}))
            .collect();
        let cells = self.device.with_draft(&subject)?.cells();
        let contested = cells.get(code).map(Vec::as_slice).unwrap_or_default();
        let adds_up = template.aggregation(row) == Aggregation::Sum;
        let totals: Vec<Value> = match adds_up {
            false => Vec::new(),
            true => totals
                .iter()
                .map(|total| {
                    let total = total.range()?;
                    let settled = |value| if_settled(total, contested, value);
                    Ok(json!(
                        chosen.iter().map(settled).map(shown).collect::<Vec<_>>()
                    ))
                })
                .collect::<Result<_, StepError>>()?,
        };
        Ok(json!({
            "rows": changed_rows(&template, &cells, code, &chosen),
            "adds_up": adds_up,
            "difference": difference(&chosen).filter(|_| adds_up),
            "above": above,
            "totals": totals,
        })
        .to_string())
    }

    /// See [`crate::Tablet::desks`].
    pub fn desks(&mut self, now: i64) -> Step {
        let today = Date::of_timestamp(now);
        let tree = self.tree_on(today)?;
        let catalogue = self.device.catalogue();
        let person = self.own_person();
        let grants = person
            .into_iter()
            .flat_map(|id| catalogue.grants_of(id, now));
        let mut writes = false;
        let mut places: Vec<UnitId> = Vec::new();
        for grant in grants {
            writes |= access::role_writes(grant.role, access::Subject::Content);
            let units: Vec<UnitId> = match grant.unit {
                None => tree.tops().map(|top| top.unit).collect(),
                Some(unit) if grant.subtree => vec![unit],
                Some(_) => Vec::new(),
            };
            for unit in units {
                if tree.children(unit).next().is_some() && !places.contains(&unit) {
                    places.push(unit);
                }
            }
        }
        let places: Vec<Value> = places
            .iter()
            .filter_map(|unit| tree.unit(*unit))
            .map(|unit| json!({"unit": unit.unit, "code": unit.code, "name": unit.name, "kind": unit.kind}))
            .collect();
        // The report that is due last stands first: most work is on it.
        let duties: BTreeSet<(String, String, String)> = catalogue
            .duties()
            .map(|duty| (duty.due.clone(), duty.template.clone(), duty.period.clone()))
            .collect();
        let mut reports = Vec::with_capacity(duties.len());
        for (due, template, period) in duties.into_iter().rev() {
            let title = self.newest_template(&template)?.title().to_owned();
            reports.push(json!({
                "template": template, "period": period, "title": title, "due": due,
            }));
        }
        Ok(json!({"writes": writes, "places": places, "reports": reports}).to_string())
    }
}

fn period_end(period: &str) -> Result<Date, StepError> {
    let period: Period = period
        .parse()
        .map_err(|_| StepError::Argument(format!("{period} is no period")))?;
    Ok(period.last_day())
}

/// What the first two choices differ by in every total that adds the row up.
fn difference(chosen: &[CellValue]) -> Option<String> {
    let [first, second, ..] = chosen else {
        return None;
    };
    let difference = settled_amount(second).checked_sub(settled_amount(first));
    Some(difference.ok()?.canonical())
}

fn shown(range: Option<Range>) -> Value {
    range.map_or(Value::Null, view::range_json)
}

/// Rows of the report that come out differently: code, label, and the outcome of each choice.
fn changed_rows(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    code: &str,
    chosen: &[CellValue],
) -> Vec<Value> {
    let outcomes: Vec<_> = chosen
        .iter()
        .map(|value| {
            let mut cells = cells.clone();
            let settled = Rival {
                value: value.clone(),
                actor: ActorId([0; 16]),
                claimed_at: 0,
                change: ChangeHash([0; 32]),
            };
            cells.insert(code.to_owned(), vec![settled]);
            report::proposals(template, &cells)
        })
        .collect();
    let rows = template.rows().iter().filter(|row| row.code != code);
    rows.filter_map(|row| {
        let all: Vec<_> = outcomes.iter().map(|of| of.get(&row.code)).collect();
        let first = all.first()?;
        if all.iter().all(|outcome| outcome == first) {
            return None;
        }
        let shown: Vec<Value> = all
            .into_iter()
            .map(|outcome| outcome.map_or(Value::Null, view::outcome_json))
            .collect();
        Some(json!({
            "code": row.code, "stt": row.stt, "label": row.label, "kind": row.kind.name(),
            "outcomes": shown,
        }))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_choices_differ_by_what_they_add() {
        let number = |value: i64| CellValue::Number(value.into());
        assert_eq!(
            difference(&[number(7_412), number(7_421)]).as_deref(),
            Some("9")
        );
        assert_eq!(
            difference(&[number(5), CellValue::Empty]).as_deref(),
            Some("-5")
        );
        assert_eq!(difference(&[number(5)]), None);
    }
}
