//! The figures of periods before, which those that are typed are held against and stand beside.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sync_core::cell::{CellValue, Rival};
use sync_core::document::{Entry, Subject};
use sync_core::form::Template;
use sync_core::identity::DocumentId;
use sync_core::number::Number;
use sync_core::period::Period;
use sync_core::report;
use sync_core::roll_up::RowCell;

use super::counts::follow;
use super::{Step, StepError, TabletState};
use crate::{json, view};

/// Periods that are shown beside a cell.
const SHOWN: usize = 2;

/// What stood in a report, and which state of it that was read from.
#[derive(Debug)]
pub(super) struct Earlier {
    document: DocumentId,
    stamp: [u8; 8],
    figures: Arc<BTreeMap<String, Number>>,
}

/// The report of the same form and unit for the period before. None for a period that has none.
fn before(subject: &Subject) -> Option<Subject> {
    let period: Period = subject.period.parse().ok()?;
    Some(Subject {
        period: period.previous()?.to_string(),
        ..subject.clone()
    })
}

impl TabletState {
    /// The figures of the period before a report's; none if they are not on this tablet. Read from the
    /// changes once, and again when there are more of them.
    pub(super) fn figures_before(
        &mut self,
        subject: &Subject,
    ) -> Result<Option<Arc<BTreeMap<String, Number>>>, StepError> {
        let Some(before) = before(subject) else {
            return Ok(None);
        };
        let document = before.document_id();
        let log = self.device.log();
        if log.document(document)?.is_none() {
            return Ok(None);
        }
        let stamp = log.stamp(document)?;
        if let Some(kept) = &self.earlier
            && kept.document == document
            && kept.stamp == stamp
        {
            return Ok(Some(Arc::clone(&kept.figures)));
        }
        let cells = follow(&log, document, &before)?.extract().cells;
        let figure = |(code, rivals): (String, Vec<_>)| match RowCell::of(&rivals) {
            RowCell::Number(number) => Some((code, number)),
            RowCell::NoOccurrence => Some((code, Number::ZERO)),
            RowCell::Untyped
            | RowCell::Empty
            | RowCell::Text(_)
            | RowCell::Computed(_)
            | RowCell::Conflict(_) => None,
        };
        let figures: BTreeMap<_, _> = cells.into_iter().filter_map(figure).collect();
        let figures = Arc::new(figures);
        self.earlier = Some(Earlier {
            document,
            stamp,
            figures: Arc::clone(&figures),
        });
        Ok(Some(figures))
    }

    /// What stands in a report that is on this tablet, with what is typed and not sealed; none if it is not here.
    fn cells_here(
        &mut self,
        subject: &Subject,
    ) -> Result<Option<BTreeMap<String, Vec<Rival>>>, StepError> {
        let document = subject.document_id();
        if self.device.draft(document).is_some() {
            return Ok(Some(self.device.with_draft(subject)?.cells()));
        }
        let log = self.device.log();
        if log.document(document)?.is_none() {
            return Ok(None);
        }
        Ok(Some(follow(&log, document, subject)?.extract().cells))
    }

    /// See [`crate::Tablet::earlier`].
    pub fn earlier(&mut self, subject: &str) -> Step {
        let subject = json::subject(subject)?;
        let template = self.template_of(&subject)?;
        let mut periods = Vec::with_capacity(SHOWN);
        let mut of = before(&subject);
        while let Some(one) = of.filter(|_| periods.len() < SHOWN) {
            let cells = self.cells_here(&one)?;
            periods.push(json!({
                "period": one.period, "here": cells.is_some(),
                "figures": cells.map(|cells| figures(&template, &cells)),
            }));
            of = before(&one);
        }
        Ok(json!(periods).to_string())
    }

    /// The entries that carry the figures of these rows forward from the period before.
    ///
    /// # Errors
    /// [`StepError::NothingEarlier`] for a row that has none there, or several.
    pub(super) fn carried(
        &mut self,
        subject: &Subject,
        template: &Template,
        codes: &[String],
    ) -> Result<BTreeMap<String, Entry>, StepError> {
        if codes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let cells = match before(subject) {
            Some(before) => self.cells_here(&before)?,
            None => None,
        };
        let cells = cells.unwrap_or_default();
        let carried = |code: &String| {
            let nothing = || StepError::NothingEarlier(code.clone());
            let row = template.row(code).ok_or_else(nothing)?;
            let value = match cells.get(code).map(Vec::as_slice) {
                Some([one]) if carries(&one.value) && !row.computed_only => one.value.clone(),
                _ => return Err(nothing()),
            };
            let code = code.clone();
            Ok((code.clone(), Entry::Carried { code, value }))
        };
        codes.iter().map(carried).collect()
    }
}

/// True for what can be carried into the next period: what somebody counted or wrote.
fn carries(value: &CellValue) -> bool {
    match value {
        CellValue::Number(_) | CellValue::Text(_) => true,
        CellValue::Empty | CellValue::NoOccurrence => false,
    }
}

/// By code what was typed, or what the formula gives where nothing was.
fn figures(template: &Template, cells: &BTreeMap<String, Vec<Rival>>) -> BTreeMap<String, Value> {
    let proposals = report::proposals(template, cells);
    let computed =
        proposals
            .iter()
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|(code, outcome)| {
                (
                    code.clone(),
                    json!({"computed": view::outcome_json(outcome)}),
                )
            });
    let mut figures: BTreeMap<String, Value> = computed.collect();
    for (code, rivals) in cells {
        if template.row(code).is_some_and(|row| row.computed_only) {
            continue;
        }
        let values = rivals.iter().map(|rival| view::value_json(&rival.value));
        let carries = matches!(rivals.as_slice(), [one] if carries(&one.value));
        figures.insert(
            code.clone(),
            json!({"values": values.collect::<Vec<_>>(), "carries": carries}),
        );
    }
    figures
}
