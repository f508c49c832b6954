//! The figures a node keeps: each report followed change by change, each total walked up once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sync_core::batch::{Entry, SignedPart};
use sync_core::cell::Rival;
use sync_core::date::Date;
use sync_core::document::{Extract, ExtractState, Subject, extension_change};
use sync_core::form::Template;
use sync_core::gate;
use sync_core::identity::{DocumentId, UnitId};
use sync_core::org_unit::OrgTree;
use sync_core::roll_up::{Report, RollUp, Submission};

use crate::setting::{START, Setting, TEMPLATE};
use crate::violation::{Checked, Violation, must};
use sync_core::catalogue::Catalogue;

/// Reports and totals, by period.
#[derive(Debug, Clone)]
pub struct Figures {
    template: Arc<Template>,
    tree: Arc<OrgTree>,
    due: BTreeSet<UnitId>,
    states: BTreeMap<DocumentId, ExtractState>,
    /// Extensions that a document has: each is taken once.
    declared: BTreeSet<(DocumentId, String)>,
    totals: BTreeMap<String, RollUp>,
    /// A mistake for the test: a rival is left out on the incremental way.
    pub forgets: bool,
}

impl Figures {
    /// Figures nobody has reported to yet, by a catalogue.
    pub fn new(setting: &Setting, catalogue: &Catalogue) -> Checked<Self> {
        let newest = catalogue
            .newest_template(TEMPLATE)
            .ok_or_else(|| Violation::new("template", "the catalogue has none"))?;
        let template = must("template", Template::from_json(&newest.content))?;
        let tree = OrgTree::of_catalogue(catalogue, Date::of_timestamp(START));
        Ok(Self {
            template: Arc::new(template),
            tree: Arc::new(must("org-tree", tree)?),
            due: setting.reporting().into_iter().collect(),
            states: BTreeMap::new(),
            declared: BTreeSet::new(),
            totals: BTreeMap::new(),
            forgets: false,
        })
    }

    /// Takes an accepted part, in the order of the log.
    pub fn take(&mut self, part: &SignedPart) -> Checked<()> {
        let mut changed = BTreeSet::new();
        for (entry, bytes) in part.entries() {
            let document = entry.document();
            match (entry, bytes) {
                (Entry::Subject { subject, .. }, _) => {
                    let subject = must("subject", Subject::decode(subject))?;
                    self.states
                        .entry(document)
                        .or_insert_with(|| ExtractState::new(subject));
                }
                (Entry::Extension { name, .. }, _) => {
                    let new = self.declared.insert((document, name.clone()));
                    if let (true, Some(state)) = (new, self.states.get_mut(&document)) {
                        let subject = state.extract().subject;
                        if let Some(extension) = extension_change(&subject, name) {
                            state.declare(&extension);
                        }
                    }
                }
                (Entry::Change { .. }, Some(bytes)) => {
                    let change = must("gate-accepted", gate::decode(bytes))?;
                    let state = self.states.get_mut(&document);
                    state
                        .ok_or_else(|| Violation::new("subject", "a change of no document"))?
                        .apply(&change);
                    changed.insert(document);
                }
                (Entry::Change { .. }, None) => {}
            }
        }
        for document in changed {
            self.walk(document)?;
        }
        Ok(())
    }

    fn walk(&mut self, document: DocumentId) -> Checked<()> {
        let Some(mut extract) = self.states.get(&document).map(ExtractState::extract) else {
            return Ok(());
        };
        if self.forgets {
            for rivals in extract.cells.values_mut().filter(|rivals| rivals.len() > 1) {
                rivals.pop();
            }
        }
        let (template, tree, due) = (&self.template, &self.tree, &self.due);
        let fresh = || RollUp::new(Arc::clone(template), Arc::clone(tree), due);
        let totals = self
            .totals
            .entry(extract.subject.period.clone())
            .or_insert_with(fresh);
        let set = totals.set_report(
            extract.subject.unit,
            Some(submission(&extract.cells, &extract)),
        );
        must("roll-up-takes", set)
    }

    /// The totals of every period.
    pub fn totals(&self) -> &BTreeMap<String, RollUp> {
        &self.totals
    }

    /// The extract of a document.
    pub fn extract(&self, document: DocumentId) -> Option<Extract> {
        self.states.get(&document).map(ExtractState::extract)
    }

    /// The totals from nothing, from cells read elsewhere.
    pub fn from_nothing(
        &self,
        reports: &[(Extract, BTreeMap<String, Vec<Rival>>)],
    ) -> Checked<BTreeMap<String, RollUp>> {
        let periods: BTreeSet<&String> = reports.iter().map(|(e, _)| &e.subject.period).collect();
        periods
            .into_iter()
            .map(|period| {
                let of = reports.iter().filter(|(e, _)| e.subject.period == *period);
                let of = of.map(|(e, cells)| {
                    (
                        e.subject.unit,
                        Report::new(&self.template, submission(cells, e)),
                    )
                });
                let (template, tree) = (Arc::clone(&self.template), Arc::clone(&self.tree));
                let totals = RollUp::of_reports(template, tree, &self.due, of);
                Ok((period.clone(), must("roll-up-takes", totals)?))
            })
            .collect()
    }
}

fn submission<'a>(cells: &'a BTreeMap<String, Vec<Rival>>, extract: &Extract) -> Submission<'a> {
    Submission {
        cells,
        template_version: extract.template_version.unwrap_or(1),
        late: false,
    }
}
