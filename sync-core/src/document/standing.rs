//! What stands at a key: the operations that no later one has replaced, and the rivals they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{CellValue, Rival};
use crate::gate::{Clock, DecodedChange, Key, OpId, Place, Value, place};
use crate::identity::ChangeHash;

use super::root::Table;

/// One operation that put a value at a key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) id: OpId,
    /// Sequence number of the change that holds it.
    pub(super) seq: u64,
    pub(super) value: Value,
    pub(super) pred: Vec<OpId>,
    pub(super) typed_at: i64,
    pub(super) change: ChangeHash,
}

impl Put {
    /// As a rival with this value.
    pub(super) fn rival(&self, value: CellValue) -> Rival {
        Rival {
            value,
            actor: self.id.actor,
            claimed_at: self.typed_at,
            change: self.change,
        }
    }
}

/// A put as its change has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewPut<'a> {
    pub(super) id: OpId,
    seq: u64,
    pub(super) value: &'a Value,
    pub(super) pred: &'a [OpId],
    typed_at: i64,
    change: ChangeHash,
}

impl NewPut<'_> {
    /// As a rival with this value.
    pub(super) fn rival(&self, value: CellValue) -> Rival {
        Rival {
            value,
            actor: self.id.actor,
            claimed_at: self.typed_at,
            change: self.change,
        }
    }

    fn kept(&self) -> Put {
        Put {
            id: self.id,
            seq: self.seq,
            value: self.value.clone(),
            pred: self.pred.to_vec(),
            typed_at: self.typed_at,
            change: self.change,
        }
    }
}

/// The puts of a change on maps, with table and key.
pub(super) fn puts(change: &DecodedChange) -> impl Iterator<Item = (Table, &str, NewPut<'_>)> {
    let content = &change.content;
    content
        .numbered()
        .zip(&change.typed_at)
        .filter_map(
            |((id, op), typed_at)| match (op.object.and_then(place), &op.key) {
                (Some(Place::Table(table)), Key::Map(key)) => Some((
                    table,
                    key.as_str(),
                    NewPut {
                        id,
                        seq: content.seq,
                        value: &op.value,
                        pred: &op.pred,
                        typed_at: *typed_at,
                        change: change.hash,
                    },
                )),
                (_, _) => None,
            },
        )
}

/// Every put that was ever made, by table and key, in the order of operation names: a later one
/// never stands before one it had seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Puts {
    by_key: BTreeMap<Table, BTreeMap<String, Vec<Put>>>,
}

impl Puts {
    pub(super) fn insert(&mut self, change: &DecodedChange) {
        for (table, key, put) in puts(change) {
            let all = self
                .by_key
                .entry(table)
                .or_default()
                .entry(key.to_owned())
                .or_default();
            let at = all.partition_point(|other| other.id < put.id);
            all.insert(at, put.kept());
        }
    }

    pub(super) fn all(&self, table: Table, key: &str) -> &[Put] {
        self.by_key
            .get(&table)
            .and_then(|keys| keys.get(key))
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn keys(&self, table: Table) -> impl Iterator<Item = (&str, &[Put])> {
        self.by_key
            .get(&table)
            .into_iter()
            .flatten()
            .map(|(key, puts)| (key.as_str(), puts.as_slice()))
    }
}

/// The puts that stand in the version with this past: those in it that no other one in it replaced.
pub(super) fn standing_at<'a>(puts: &'a [Put], clock: &Clock) -> Vec<&'a Put> {
    let within = |put: &&Put| {
        clock
            .get(&put.id.actor)
            .is_some_and(|last| put.seq <= *last)
    };
    let seen: Vec<&Put> = puts.iter().filter(within).collect();
    let replaced: BTreeSet<&OpId> = seen.iter().flat_map(|put| &put.pred).collect();
    seen.into_iter()
        .filter(|put| !replaced.contains(&put.id))
        .collect()
}

/// Rivals, ascending by value. Equal values are no conflict: of those the one claimed earliest
/// stands for all (the smaller actor, then the smaller change, where claims are equal), so that the
/// answer depends on what is known and not on the order it came in.
pub(super) fn rivals(all: impl IntoIterator<Item = Rival>) -> Vec<Rival> {
    let mut all: Vec<Rival> = all.into_iter().collect();
    all.sort_by(|one, other| {
        let rank = |rival: &Rival| (rival.claimed_at, rival.actor, rival.change);
        (&one.value, rank(one)).cmp(&(&other.value, rank(other)))
    });
    all.dedup_by(|later, first| later.value == first.value);
    all
}
