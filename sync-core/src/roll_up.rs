//! Figures up the org tree for one template, one period and the units that owe a report.
//!
//! Amounts add up; what a formula relates is computed again from what was added, never averaged; a
//! percentage without its parts is shown as lowest, highest and count; choices are counted; words
//! are listed. An open conflict makes every figure above it a range, and nothing is picked. Every
//! figure says how many reports it stands on.
//!
//! A node above others keeps totals that can be added to and taken from exactly, so one changed
//! report costs one walk to the top, and the result is the one computed from nothing.

mod comparison;
mod contributions;
pub mod figure;
mod filling;
mod over_periods;
pub mod report_cells;
mod settling;
mod table;
mod total;

use crate::cell::Rival;
use crate::form::Template;
use crate::identity::UnitId;
use crate::org_unit::OrgTree;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use total::NodeTotals;

pub use comparison::{TotalFinding, TotalRule};
pub use contributions::Contribution;
pub use figure::{Coverage, Figure, FigureValue, Table};
pub use filling::Filling;
pub use over_periods::over_periods;
pub use report_cells::{ReportCells, RowCell};
pub use settling::{if_settled, settled_amount};

/// One report as it stands, on its way into a roll-up.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// What stands in each cell; two or more different values are an open conflict.
    pub cells: &'a BTreeMap<String, Vec<Rival>>,
    /// The template version it was filled by.
    pub template_version: u32,
    /// It came after its due date.
    pub late: bool,
}

/// A report already sorted into the rows of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its cells.
    pub cells: ReportCells,
    /// The template version it was filled by.
    pub template_version: u32,
    /// It came after its due date.
    pub late: bool,
}

impl Report {
    /// Sorts a submission into rows.
    pub fn new(template: &Template, submission: Submission<'_>) -> Self {
        Self {
            cells: ReportCells::new(template, submission.cells),
            template_version: submission.template_version,
            late: submission.late,
        }
    }
}

/// Why a report was not taken into a roll-up. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetReportError {
    /// The tree of that day has no such unit.
    #[error("org unit {0} is not in the tree")]
    UnknownUnit(UnitId),
    /// The unit owes no report: what it wrote is no part of the totals.
    #[error("org unit {0} owes no report")]
    NotDue(UnitId),
}

/// The figures of one template and period over one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollUp {
    template: Arc<Template>,
    tree: Arc<OrgTree>,
    /// By place in the tree.
    due: Vec<bool>,
    reports: Vec<Option<Report>>,
    totals: Vec<NodeTotals>,
}

impl RollUp {
    /// A roll-up nobody has reported to. Due units that are not in the tree are left out.
    pub fn new(template: Arc<Template>, tree: Arc<OrgTree>, due: &BTreeSet<UnitId>) -> Self {
        let owes: Vec<bool> = tree.units().map(|unit| due.contains(&unit.unit)).collect();
        let mut totals: Vec<NodeTotals> = (0..tree.len())
            .map(|index| NodeTotals::new(tree.subtree_range(index).len() > 1, &template))
            .collect();
        for index in (0..tree.len()).rev() {
            let own = u32::from(owes.get(index).copied().unwrap_or(false));
            if let Some(node) = totals.get_mut(index) {
                node.coverage.due += own;
                let below = node.coverage.due;
                let parent = tree.parent_index(index);
                if let Some(parent) = parent.and_then(|parent| totals.get_mut(parent)) {
                    parent.coverage.due += below;
                }
            }
        }
        Self {
            reports: vec![None; tree.len()],
            due: owes,
            totals,
            template,
            tree,
        }
    }

    /// A roll-up from nothing: every report sorted in, every node added up once.
    pub fn of_submissions<'a>(
        template: Arc<Template>,
        tree: Arc<OrgTree>,
        due: &BTreeSet<UnitId>,
        submissions: impl IntoIterator<Item = (UnitId, Submission<'a>)>,
    ) -> Result<Self, SetReportError> {
        let sort = Arc::clone(&template);
        let reports = submissions.into_iter();
        let reports = reports.map(|(unit, submission)| (unit, Report::new(&sort, submission)));
        Self::of_reports(template, tree, due, reports)
    }

    /// A roll-up from nothing of reports already sorted into the rows of this template.
    pub fn of_reports(
        template: Arc<Template>,
        tree: Arc<OrgTree>,
        due: &BTreeSet<UnitId>,
        reports: impl IntoIterator<Item = (UnitId, Report)>,
    ) -> Result<Self, SetReportError> {
        let mut roll_up = Self::new(template, tree, due);
        for (unit, report) in reports {
            let index = roll_up.place_of_due(unit)?;
            if let Some(place) = roll_up.reports.get_mut(index) {
                *place = Some(report);
            }
        }
        roll_up.add_up_everything();
        Ok(roll_up)
    }

    /// Adds every node's children and its own report into it, from the bottom.
    fn add_up_everything(&mut self) {
        for index in (0..self.tree.len()).rev() {
            let report = self.reports.get(index).and_then(Option::as_ref);
            let parent = self.tree.parent_index(index);
            // Parents stand before their children, so the split always separates the two.
            let (before, from) = self.totals.split_at_mut(index);
            let Some(node) = from.first_mut() else {
                continue;
            };
            if let Some(report) = report {
                node.add_report(&self.template, report);
            }
            if let Some(parent) = parent.and_then(|parent| before.get_mut(parent)) {
                match report {
                    Some(report) if !node.has_rows() => parent.add_report(&self.template, report),
                    Some(_) | None => parent.add_node(node),
                }
            }
        }
    }

    fn place_of_due(&self, unit: UnitId) -> Result<usize, SetReportError> {
        let index = self.tree.index(unit);
        let index = index.ok_or(SetReportError::UnknownUnit(unit))?;
        match self.due.get(index) {
            Some(true) => Ok(index),
            Some(false) | None => Err(SetReportError::NotDue(unit)),
        }
    }

    /// Puts the report of a unit in place of the one it had; `None` takes it out. One walk to the
    /// top.
    pub fn set_report(
        &mut self,
        unit: UnitId,
        submission: Option<Submission<'_>>,
    ) -> Result<(), SetReportError> {
        let index = self.place_of_due(unit)?;
        let new = submission.map(|submission| Report::new(&self.template, submission));
        let Some(place) = self.reports.get_mut(index) else {
            return Err(SetReportError::UnknownUnit(unit));
        };
        let old = std::mem::replace(place, new);
        let new = place.as_ref();
        let mut at = Some(index);
        while let Some(here) = at {
            if let Some(node) = self.totals.get_mut(here) {
                if let Some(old) = &old {
                    node.take_report(&self.template, old);
                }
                if let Some(new) = new {
                    node.add_report(&self.template, new);
                }
            }
            at = self.tree.parent_index(here);
        }
        Ok(())
    }

    /// The template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The tree.
    pub fn tree(&self) -> &OrgTree {
        &self.tree
    }

    /// The report of a unit, if it has one here.
    pub fn report(&self, unit: UnitId) -> Option<&Report> {
        self.reports.get(self.tree.index(unit)?)?.as_ref()
    }

    /// Units at or below `unit` that owe a report and have none, in the order of the tree.
    pub fn missing(&self, unit: UnitId) -> Vec<UnitId> {
        self.due_units(unit, |report| report.is_none())
    }

    /// Units at or below `unit` whose report came late.
    pub fn late(&self, unit: UnitId) -> Vec<UnitId> {
        self.due_units(unit, |report| report.is_some_and(|report| report.late))
    }

    /// Units at or below `unit` whose report holds an open conflict.
    pub fn in_conflict(&self, unit: UnitId) -> Vec<UnitId> {
        let contested = |report: &Report| report.cells.conflicts() > 0;
        self.due_units(unit, |report| report.is_some_and(contested))
    }

    fn due_units(&self, unit: UnitId, wanted: impl Fn(Option<&Report>) -> bool) -> Vec<UnitId> {
        let range = self.tree.index(unit).map(|at| self.tree.subtree_range(at));
        let is_wanted = |index: &usize| {
            let report = self.reports.get(*index).and_then(Option::as_ref);
            self.due.get(*index) == Some(&true) && wanted(report)
        };
        let places = range.into_iter().flatten().filter(is_wanted);
        places
            .filter_map(|index| self.tree.record_at(index))
            .map(|record| record.unit)
            .collect()
    }
}

#[cfg(test)]
mod tests;
