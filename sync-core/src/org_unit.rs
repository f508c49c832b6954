//! The org tree as it stood on a day: any number of tiers, several groupings beside them.
//!
//! A unit is its opaque id. Code, name, parent and kind are dated attributes, so there is one tree
//! per day; the records they come from are those of the catalogue. Units are kept in preorder: a
//! unit stands before everything below it, and what is below it is one unbroken range.

pub mod import;
pub mod search_key;

use crate::catalogue::{Catalogue, UnitRecord};
use crate::date::Date;
use crate::identity::UnitId;
use crate::limits;
use std::collections::BTreeMap;
use std::ops::Range;

pub use search_key::search_key;

/// The tree of all units that exist on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrgTree {
    nodes: Vec<Node>,
    by_unit: BTreeMap<UnitId, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    record: UnitRecord,
    parent: Option<usize>,
    /// One past the last node below this one.
    end: usize,
    /// 0 at the top.
    tier: usize,
}

/// Why records make no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// One unit with two records for the day.
    #[error("org unit {0} stands twice")]
    Duplicate(UnitId),
    /// The unit above does not exist on that day.
    #[error("org unit {unit} is under {parent}, which does not exist on that day")]
    UnknownParent {
        /// The unit.
        unit: UnitId,
        /// What it says is above it.
        parent: UnitId,
    },
    /// A unit that is above itself.
    #[error("org unit {0} is above itself")]
    Circle(UnitId),
    /// More tiers than any administration has.
    #[error("org unit {0} is deeper than {max} tiers", max = limits::UNIT_TIERS_MAX)]
    TooDeep(UnitId),
}

impl OrgTree {
    /// The tree on a day, from everything the catalogue knows.
    pub fn of_catalogue(catalogue: &Catalogue, day: Date) -> Result<Self, TreeError> {
        let day = day.to_string();
        let on_day = |records: &Vec<UnitRecord>| {
            let found = records.iter().rev().find(|record| record.holds_on(&day));
            found.cloned()
        };
        Self::new(catalogue.units().filter_map(|(_, records)| on_day(records)))
    }

    /// The tree of one record per unit. Siblings are in the order of their codes.
    pub fn new(records: impl IntoIterator<Item = UnitRecord>) -> Result<Self, TreeError> {
        let mut waiting: BTreeMap<UnitId, UnitRecord> = BTreeMap::new();
        for record in records {
            let unit = record.unit;
            if waiting.insert(unit, record).is_some() {
                return Err(TreeError::Duplicate(unit));
            }
        }
        let mut below: BTreeMap<Option<UnitId>, Vec<UnitId>> = BTreeMap::new();
        for (unit, record) in &waiting {
            if let Some(parent) = record.parent
                && !waiting.contains_key(&parent)
            {
                return Err(TreeError::UnknownParent {
                    unit: *unit,
                    parent,
                });
            }
            below.entry(record.parent).or_default().push(*unit);
        }
        for siblings in below.values_mut() {
            // The last one is taken first from the stack, hence the reversed order.
            siblings.sort_by(|a, b| {
                let code = |unit| waiting.get(unit).map(|record| &record.code);
                (code(b), b).cmp(&(code(a), a))
            });
        }
        let mut tree = Self::default();
        let tops = below.remove(&None).unwrap_or_default();
        let mut stack: Vec<(UnitId, Option<usize>)> = Vec::new();
        stack.extend(tops.into_iter().map(|unit| (unit, None)));
        while let Some((unit, parent)) = stack.pop() {
            let Some(record) = waiting.remove(&unit) else {
                continue;
            };
            let index = tree.push(record, parent)?;
            let children = below.remove(&Some(unit)).unwrap_or_default();
            stack.extend(children.into_iter().map(|child| (child, Some(index))));
        }
        // What no top leads to is on a circle or hangs below one.
        match waiting.keys().next() {
            Some(unit) => Err(TreeError::Circle(*unit)),
            None => {
                tree.close_ranges();
                Ok(tree)
            }
        }
    }

    fn push(&mut self, record: UnitRecord, parent: Option<usize>) -> Result<usize, TreeError> {
        let above = parent.and_then(|parent| self.nodes.get(parent));
        let tier = above.map_or(0, |above| above.tier + 1);
        if tier >= limits::UNIT_TIERS_MAX {
            return Err(TreeError::TooDeep(record.unit));
        }
        let index = self.nodes.len();
        self.by_unit.insert(record.unit, index);
        self.nodes.push(Node {
            record,
            parent,
            end: index + 1,
            tier,
        });
        Ok(index)
    }

    fn close_ranges(&mut self) {
        for index in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(index) else {
                continue;
            };
            let (parent, end) = (node.parent, node.end);
            if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
                parent.end = parent.end.max(end);
            }
        }
    }

    /// How many units there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True without any unit.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every unit, each before those below it.
    pub fn units(&self) -> impl Iterator<Item = &UnitRecord> {
        self.nodes.iter().map(|node| &node.record)
    }

    /// The attributes of a unit on that day.
    pub fn unit(&self, unit: UnitId) -> Option<&UnitRecord> {
        self.record_at(self.index(unit)?)
    }

    /// The place of a unit in the order of [`OrgTree::units`].
    pub fn index(&self, unit: UnitId) -> Option<usize> {
        self.by_unit.get(&unit).copied()
    }

    /// The unit at a place.
    pub fn record_at(&self, index: usize) -> Option<&UnitRecord> {
        self.nodes.get(index).map(|node| &node.record)
    }

    /// The place of the unit above the one at a place.
    pub fn parent_index(&self, index: usize) -> Option<usize> {
        self.nodes.get(index)?.parent
    }

    /// The places of a unit and of everything below it.
    pub fn subtree_range(&self, index: usize) -> Range<usize> {
        match self.nodes.get(index) {
            Some(node) => index..node.end,
            None => 0..0,
        }
    }

    /// The places directly below a place.
    pub fn child_indexes(&self, index: usize) -> impl Iterator<Item = usize> {
        let mut range = self.subtree_range(index);
        range.next();
        std::iter::from_fn(move || {
            let child = range.next()?;
            range.start = self.subtree_range(child).end;
            Some(child)
        })
    }

    /// Units with nothing above them.
    pub fn tops(&self) -> impl Iterator<Item = &UnitRecord> {
        let tops = self.nodes.iter().filter(|node| node.parent.is_none());
        tops.map(|node| &node.record)
    }

    /// The units directly below a unit, by code.
    pub fn children(&self, unit: UnitId) -> impl Iterator<Item = &UnitRecord> {
        let index = self.index(unit).unwrap_or(usize::MAX);
        self.child_indexes(index)
            .filter_map(|child| self.record_at(child))
    }

    /// The units above a unit, nearest first.
    pub fn ancestors(&self, unit: UnitId) -> impl Iterator<Item = &UnitRecord> {
        let mut at = self.index(unit);
        std::iter::from_fn(move || {
            at = self.parent_index(at?);
            self.record_at(at?)
        })
    }

    /// From the top down to the unit itself; empty for an unknown unit.
    pub fn path(&self, unit: UnitId) -> Vec<&UnitRecord> {
        let mut path: Vec<_> = self.ancestors(unit).collect();
        path.reverse();
        path.extend(self.unit(unit));
        path
    }

    /// A unit and everything below it.
    pub fn subtree(&self, unit: UnitId) -> impl Iterator<Item = &UnitRecord> {
        let range = self.index(unit).map(|index| self.subtree_range(index));
        range
            .into_iter()
            .flatten()
            .filter_map(|index| self.record_at(index))
    }

    /// True when `unit` is `above` or below it.
    pub fn is_within(&self, unit: UnitId, above: UnitId) -> bool {
        match (self.index(unit), self.index(above)) {
            (Some(unit), Some(above)) => self.subtree_range(above).contains(&unit),
            (Some(_) | None, Some(_) | None) => false,
        }
    }

    /// Units of a kind: those a duty names.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a UnitRecord> {
        self.units().filter(move |record| record.kind == kind)
    }

    /// Units in a group of a grouping, wherever they stand in the tree.
    pub fn in_group<'a>(
        &'a self,
        grouping: &'a str,
        group: &'a str,
    ) -> impl Iterator<Item = &'a UnitRecord> {
        let is_in = move |record: &&UnitRecord| {
            let mut groups = record.groups.iter();
            groups.any(|(of, name)| of == grouping && name == group)
        };
        self.units().filter(is_in)
    }

    /// Units whose name or code holds the words of `query`, tones and đ folded.
    pub fn search<'a>(&'a self, query: &str) -> impl Iterator<Item = &'a UnitRecord> {
        let wanted = search_key(query);
        self.units().filter(move |record| {
            search_key(&record.name).contains(&wanted) || search_key(&record.code) == wanted
        })
    }
}

#[cfg(test)]
mod tests;
