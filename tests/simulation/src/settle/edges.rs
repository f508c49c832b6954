//! What edges have to agree on with the province in the end.

use std::collections::BTreeSet;

use sync_core::identity::PartId;
use sync_core::log::{Follow, LogReader};
use sync_core::sync::Session;

use super::ROUNDS_MAX;
use crate::invariants::{is_honest_reason, reason_at_node};
use crate::violation::{Checked, Violation, must};
use crate::world::World;

/// Rounds that each edge between tablets and province may add.
const ROUNDS_PER_EDGE: usize = 3;

/// Rounds until everybody must agree.
pub(super) fn rounds_max(world: &World) -> usize {
    ROUNDS_MAX + ROUNDS_PER_EDGE * world.edges.len()
}

/// Some tablets go home to the province, the others stay with their edge.
pub(super) fn come_home(world: &mut World) -> Checked<()> {
    if world.hops.roaming == 0 {
        return Ok(());
    }
    for tablet in 0..world.tablets.len() {
        if world.chance.one_in(2) {
            world.roam(tablet, None)?;
        }
    }
    Ok(())
}

/// Parts that an edge holds and a restored province lost: neither a position nor a fingerprint tells of
/// them, so they come back when their author comes by.
pub(super) fn told_by_their_authors_alone(world: &World) -> Checked<BTreeSet<PartId>> {
    let mut parts = BTreeSet::new();
    if world.ledger.node_restores == 0 {
        return Ok(parts);
    }
    for edge in &world.edges {
        let all = edge.node.parts()?;
        let accepted = accepted(&edge.node.keyspace, &Follow::All)?;
        parts.extend(all.difference(&accepted).copied());
    }
    for tablet in world.tablets.iter().filter(|tablet| tablet.at.is_none()) {
        for part in tablet.accepted_parts()? {
            let known = world.ledger.parts.get(&part);
            let device = tablet.device.as_ref();
            if known.map(|known| known.actor) == device.map(|device| device.sealer().actor()) {
                parts.remove(&part);
            }
        }
    }
    Ok(parts)
}

fn accepted(keyspace: &dyn sync_core::log::Keyspace, follow: &Follow) -> Checked<BTreeSet<PartId>> {
    let mut parts = BTreeSet::new();
    let read = LogReader(keyspace).each_part(follow, u64::MAX, &mut |_, part| {
        parts.insert(part);
    });
    must("parts", read)?;
    Ok(parts)
}

/// An edge has accepted whatever the province has of what it follows, and nothing else but what the
/// province holds for a person to decide.
pub(super) fn edge_agrees(world: &mut World, number: usize) -> Checked<()> {
    let person = world.edge(number)?.person;
    let follow = Session::of(&world.node.catalogue, person, world.now).follow;
    let there = accepted(&world.node.keyspace, &follow)?;
    let edge = &world.edge(number)?.node;
    let here = accepted(&edge.keyspace, &follow)?;
    let everything = accepted(&edge.keyspace, &Follow::All)?;
    if let Some(part) = there.difference(&here).next() {
        return Err(Violation::new(
            "fingerprints-agree",
            format!("edge {number} has not taken part {part} of the province"),
        ));
    }
    let all_there = accepted(&world.node.keyspace, &Follow::All)?;
    for part in everything.difference(&all_there) {
        match reason_at_node(world, *part)? {
            Some(Some(reason)) if is_honest_reason(reason) => {}
            other => {
                return Err(Violation::new(
                    "fingerprints-agree",
                    format!("edge {number} has part {part}, of which the province says {other:?}"),
                ));
            }
        }
    }
    Ok(())
}
