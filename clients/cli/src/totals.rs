//! Totals of what a device holds, with no server in the world.

use std::collections::BTreeSet;
use std::sync::Arc;

use sync_core::document::Subject;
use sync_core::form::Template;
use sync_core::identity::UnitId;
use sync_core::period::Period;
use sync_core::roll_up::{RollUp, Submission};

use crate::lookup::{self, LookupError};
use crate::tablet::{Tablet, TabletError};

/// Why there are no totals.
#[derive(Debug, thiserror::Error)]
pub enum TotalsError {
    /// Template, period or tree.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The device cannot be read.
    #[error(transparent)]
    Tablet(#[from] TabletError),
    /// Nobody owes such a report.
    #[error("no unit owes a report of {template} for {period}")]
    NoDuty {
        /// The template.
        template: String,
        /// The period.
        period: String,
    },
}

/// The figures of one template and period, kept up report by report.
#[derive(Debug)]
pub struct DeviceTotals {
    template_id: String,
    period: Period,
    roll_up: RollUp,
}

impl DeviceTotals {
    /// Adds up what the device holds.
    pub fn new(tablet: &mut Tablet, template: &str, period: &str) -> Result<Self, TotalsError> {
        let period = lookup::period(period)?;
        let written = period.to_string();
        let subjects = tablet.device().subjects().map_err(TabletError::from)?;
        let mut reported = BTreeSet::new();
        for subject in subjects.values() {
            if subject.template == template
                && subject.period == written
                && !tablet.document(subject)?.cells().is_empty()
            {
                reported.insert(subject.unit);
            }
        }
        let catalogue = tablet.device().catalogue();
        let form = lookup::template(catalogue, template)?;
        let tree = lookup::tree_on(catalogue, period.last_day())?;
        let duties = catalogue
            .duties()
            .filter(|duty| duty.template == template && duty.period == written);
        // Who was let off is missing nowhere, and counts if it reports all the same.
        let due: BTreeSet<UnitId> = duties
            .flat_map(|duty| catalogue.owed(duty, &tree))
            .map(|owed| (owed.unit.unit, owed.is_exempt()))
            .filter(|(unit, is_exempt)| !is_exempt || reported.contains(unit))
            .map(|(unit, _)| unit)
            .collect();
        if due.is_empty() {
            return Err(TotalsError::NoDuty {
                template: template.to_owned(),
                period: written,
            });
        }
        let roll_up = RollUp::new(Arc::new(form), Arc::new(tree), &due);
        let mut totals = Self {
            template_id: template.to_owned(),
            period,
            roll_up,
        };
        for subject in subjects.values() {
            totals.take(tablet, subject)?;
        }
        Ok(totals)
    }

    /// Takes a report as it stands on the device, with its draft. Others are left alone.
    pub fn take(&mut self, tablet: &mut Tablet, subject: &Subject) -> Result<(), TotalsError> {
        if subject.template != self.template_id || subject.period != self.period.to_string() {
            return Ok(());
        }
        let document = tablet.document(subject)?;
        let cells = document.cells();
        let newest = self.roll_up.template().version();
        let submission = (!cells.is_empty()).then(|| Submission {
            cells: &cells,
            template_version: document.template_version().unwrap_or(newest),
            late: false,
        });
        // A unit that owes no report is no part of the totals; that is no fault.
        let _ = self.roll_up.set_report(subject.unit, submission);
        Ok(())
    }

    /// The figures.
    pub fn roll_up(&self) -> &RollUp {
        &self.roll_up
    }

    /// The template.
    pub fn template(&self) -> &Template {
        self.roll_up.template()
    }

    /// The first unit with nothing above it: the province.
    pub fn top(&self) -> Option<UnitId> {
        self.roll_up.tree().tops().next().map(|record| record.unit)
    }
}
