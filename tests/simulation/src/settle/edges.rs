//! What edges have to agree on with the province in the end.

use std::collections::BTreeSet;

use sync_core::batch::SignedPart;
use sync_core::identity::PartId;
use sync_core::log::staging::PartPlace;
use sync_core::log::{Follow, Keyspace, KeyspaceError, LogReader};
use sync_core::sync::{OutboxState, Session};

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

/// A first contact at one edge was broken off, and its chain lost: what came of it another edge cannot take,
/// since neither has what comes before it. Nobody but the province can tell; a tablet with such parts comes by.
pub(super) fn who_lacks_a_past_comes_by(world: &mut World) -> Checked<()> {
    for number in 0..world.tablets.len() {
        if world.tablet(number)?.at.is_some() && lacks_a_past(world, number)? {
            world
                .trace
                .say(format_args!("  tablet {number} comes by the province"));
            world.roam(number, None)?;
        }
    }
    Ok(())
}

/// True if a part waits on a tablet and what comes before it, there and at its node, is in neither.
fn lacks_a_past(world: &World, number: usize) -> Checked<bool> {
    let tablet = world.tablets.get(number);
    let Some((device, at)) = tablet.and_then(|tablet| Some((tablet.device.as_ref()?, tablet.at)))
    else {
        return Ok(false);
    };
    let there = &world.node_in(at)?.keyspace;
    for (part, state) in device.outbox() {
        let waits = *state == OutboxState::Waiting;
        let Some(waiting) = must("part", device.part(*part))?.filter(|_| waits) else {
            continue;
        };
        for before in world.ledger.parts.keys() {
            let known = must("part", part_at(&world.node.keyspace, *before))?;
            let is_before = known.is_some_and(|known| {
                known.actor() == waiting.actor() && known.part_hash() == waiting.part().previous
            });
            let is_here = must("part", device.log().part(*before))?.is_some();
            let is_there = must("part", LogReader(there).part(*before))?.is_some();
            if is_before && !is_here && !is_there {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn part_at(keyspace: &dyn Keyspace, part: PartId) -> Result<Option<SignedPart>, KeyspaceError> {
    let reader = LogReader(keyspace);
    Ok(match reader.part(part)? {
        None => None,
        Some(PartPlace::Accepted(position)) => reader.entry(position)?.map(|entry| entry.part),
        Some(PartPlace::Held(number)) => reader.held(number)?.map(|held| held.part),
    })
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

fn accepted(keyspace: &dyn Keyspace, follow: &Follow) -> Checked<BTreeSet<PartId>> {
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
