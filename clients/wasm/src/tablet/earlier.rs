//! The figures of the period before, which those that are typed are held against.

use std::collections::BTreeMap;
use std::sync::Arc;

use sync_core::document::Subject;
use sync_core::identity::DocumentId;
use sync_core::number::Number;
use sync_core::period::Period;
use sync_core::roll_up::RowCell;

use super::counts::follow;
use super::{StepError, TabletState};

/// Figures by code, and which state of which report they were read from.
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
}
