//! Where else than at the province this tablet may exchange, and what an edge alone has acknowledged.
//!
//! The page exchanges with the province's own address or with an edge's. Which node is the province's it
//! tells after each exchange there ([`TabletState::province_is`]); from then on what only an edge is
//! known to have is told apart from what the province has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sync_core::batch::Entry as PartEntry;
use sync_core::date::Date;
use sync_core::gate;
use sync_core::identity::{ChangeHash, DocumentId, NodeId};

use super::{Step, StepError, TabletState};

/// What the province has not confirmed to this tablet though some edge has it.
#[derive(Debug, Default)]
pub(super) struct AtEdge {
    province: Option<NodeId>,
    changes: BTreeMap<DocumentId, BTreeSet<ChangeHash>>,
    /// Edits typed in them; none while it cannot be known.
    edits: Option<usize>,
}

impl AtEdge {
    /// The changes of a document.
    pub(super) fn of(&self, document: DocumentId) -> BTreeSet<ChangeHash> {
        self.changes.get(&document).cloned().unwrap_or_default()
    }

    pub(super) fn edits(&self) -> Option<usize> {
        self.edits
    }
}

impl TabletState {
    /// See [`crate::Tablet::nodes`].
    pub fn nodes(&self, now: i64) -> Step {
        let catalogue = self.device.catalogue();
        let today = Date::of_timestamp(now).to_string();
        let units: Vec<_> = self
            .own_person()
            .into_iter()
            .flat_map(|person| catalogue.grants_of(person, now))
            .filter_map(|grant| grant.unit)
            .collect();
        let mut by_address = BTreeMap::new();
        for node in catalogue.nodes_in_use() {
            let serves = |unit| catalogue.is_within(unit, node.unit, &today);
            if units.iter().copied().any(serves) {
                by_address.insert(node.address.as_str(), node.label.as_str());
            }
        }
        let nodes: Vec<Value> = by_address
            .into_iter()
            .map(|(address, label)| json!({"address": address, "label": label}))
            .collect();
        Ok(json!(nodes).to_string())
    }

    /// See [`crate::Tablet::province_is`].
    pub fn province_is(&mut self, node: &str) -> Result<(), StepError> {
        let node = node
            .parse()
            .map_err(|_| StepError::Argument("no node".to_owned()))?;
        self.at_edge.province = Some(node);
        self.read_at_edge()
    }

    /// Finds out anew what an edge alone has: after everything that an exchange brought.
    pub(super) fn read_at_edge(&mut self) -> Result<(), StepError> {
        let Some(province) = self.at_edge.province else {
            return Ok(());
        };
        let parts = self.device.unconfirmed_by(province)?;
        let mut changes: BTreeMap<DocumentId, BTreeSet<ChangeHash>> = BTreeMap::new();
        let mut edits = 0;
        for part in parts.iter().flatten() {
            let Some(part) = self.device.part(*part)? else {
                continue;
            };
            for (entry, bytes) in part.entries() {
                let (PartEntry::Change { document, hash }, Some(bytes)) = (entry, bytes) else {
                    continue;
                };
                edits += gate::decode(bytes).map_or(0, |change| change.typed_at.len());
                changes.entry(*document).or_default().insert(*hash);
            }
        }
        self.at_edge.changes = changes;
        self.at_edge.edits = parts.map(|_| edits);
        Ok(())
    }
}
