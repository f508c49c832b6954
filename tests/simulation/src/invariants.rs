//! Promises that hold at every moment, whatever fails.

use std::collections::BTreeSet;

use sync_core::identity::PartId;
use sync_core::log::{Follow, HeldReason, LogReader};
use sync_core::sync::{Notice, Receipt};

use crate::operations::Place;
use crate::violation::{Checked, Violation, must};
use crate::world::{World, is_alarm};

/// Reasons for which honest work may be held: a person decides, nothing was done wrong by a program.
pub fn is_honest_reason(reason: HeldReason) -> bool {
    match reason {
        HeldReason::KeyEnded | HeldReason::NotAllowed | HeldReason::WaitsForHeld => true,
        HeldReason::Equivocation
        | HeldReason::UnknownTemplate
        | HeldReason::Subject
        | HeldReason::Gate
        | HeldReason::SequenceReused
        | HeldReason::LocalRow => false,
    }
}

/// What the node promised to keep, it keeps.
pub fn promises_hold(world: &World) -> Checked<()> {
    if !world.node.up {
        return Ok(());
    }
    let held = world.node.parts()?;
    let ledger = &world.ledger;
    match ledger
        .promised
        .iter()
        .find(|part| !held.contains(part) && !ledger.awaited.contains(part))
    {
        None => Ok(()),
        Some(part) => Err(Violation::new(
            "acknowledged-is-kept",
            format!("part {part} was acknowledged and is gone"),
        )),
    }
}

/// What an edge promised to keep, it keeps.
pub fn promises_hold_at(world: &World, number: usize) -> Checked<()> {
    let Some(edge) = world.edges.get(number).filter(|edge| edge.node.up) else {
        return Ok(());
    };
    let held = edge.node.parts()?;
    let is_gone = |part: &&PartId| !held.contains(part) && !edge.awaited.contains(part);
    match edge.promised.iter().find(is_gone) {
        None => Ok(()),
        Some(part) => Err(Violation::new(
            "acknowledged-is-kept",
            format!("part {part} was acknowledged by edge {number} and is gone"),
        )),
    }
}

/// No hostile part is ever accepted.
pub fn no_hostile_part(world: &World, part: PartId) -> Checked<()> {
    match world.ledger.parts.get(&part) {
        Some(known) if !known.honest => Err(Violation::new(
            "hostile-is-held",
            format!("hostile part {part} was accepted"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// A receipt says that the node holds a chain up to a batch: then it does.
pub fn receipt_is_true(world: &mut World, at: Option<usize>, receipt: &Receipt) -> Checked<()> {
    if !receipt.is_signed_by(world.node.catalogue.node_keys()) {
        return Err(Violation::new("receipt-is-signed", format!("{receipt:?}")));
    }
    let held = world.node_at(at)?.parts()?;
    let devices = world
        .tablets
        .iter()
        .filter_map(|tablet| tablet.device.as_ref());
    for device in devices.filter(|device| device.sealer().actor() == receipt.actor) {
        let page = device.log().feed(&Follow::All, 0, None, usize::MAX);
        let entries = must("feed", page)?.entries;
        let own: Vec<_> = entries
            .iter()
            .map(|(_, entry)| &entry.part)
            .filter(|part| part.actor() == receipt.actor)
            .collect();
        let same = own
            .iter()
            .any(|part| part.header().number == receipt.number && part.batch_id() == receipt.batch);
        let missing = own
            .iter()
            .find(|part| part.header().number <= receipt.number && !held.contains(&part.id()));
        if let (true, Some(part)) = (same, missing) {
            return Err(Violation::new(
                "receipt-is-true",
                format!(
                    "receipt for batch {} while part {} of batch {} is not held",
                    receipt.number,
                    part.id(),
                    part.header().number
                ),
            ));
        }
    }
    Ok(())
}

/// What a tablet is told by the way fits what happened.
pub fn notices_are_in_order(world: &World, tablet: usize, notices: &[Notice]) -> Checked<()> {
    for notice in notices {
        let excused = world.ledger.node_restores > 0;
        if is_alarm(notice) && !excused {
            return Err(Violation::new(
                "no-false-alarm",
                format!("tablet {tablet}: {notice:?}"),
            ));
        }
        if let Notice::Held { part, reason } = notice
            && !is_honest_reason(*reason)
            && *reason != HeldReason::Equivocation
        {
            return Err(Violation::new(
                "honest-is-not-held",
                format!("tablet {tablet}: part {part} is held: {reason:?}"),
            ));
        }
    }
    Ok(())
}

/// Every edit that exists anywhere: in a draft, a log, a quarantine, or waiting to be sent.
pub fn edits_everywhere(world: &mut World) -> Checked<BTreeSet<u32>> {
    world.start(Place::Node)?;
    for tablet in 0..world.tablets.len() {
        world.start(Place::Tablet(tablet))?;
    }
    for edge in 0..world.edges.len() {
        world.start(Place::Edge(edge))?;
    }
    let mut parts = world.node.parts()?;
    for edge in &world.edges {
        parts.extend(edge.node.parts()?);
    }
    let mut edits = BTreeSet::new();
    for tablet in &world.tablets {
        parts.extend(tablet.parts()?);
        edits.extend(tablet.drafted());
    }
    for side in &world.sides {
        parts.extend(side.waiting.iter().map(sync_core::batch::SignedPart::id));
    }
    edits.extend(world.ledger.edits_in(&parts));
    Ok(edits)
}

/// What a person was told is saved can be found.
pub fn saved_is_findable(world: &mut World) -> Checked<()> {
    let found = edits_everywhere(world)?;
    let down = world.tablets.iter().any(|tablet| tablet.device.is_none())
        || world.edges.iter().any(|edge| !edge.node.up)
        || !world.node.up;
    if down {
        return Ok(());
    }
    let lost = world
        .ledger
        .typed
        .iter()
        .find(|(edit, typed)| typed.saved && !typed.forgotten && !found.contains(edit));
    match lost {
        None => Ok(()),
        Some((edit, typed)) => Err(Violation::new(
            "saved-is-findable",
            format!(
                "edit {edit} of tablet {} is nowhere: {typed:?}",
                typed.tablet
            ),
        )),
    }
}

/// The parts that a log holds, with the reason for those that are held.
pub fn reason_at_node(world: &World, part: PartId) -> Checked<Option<Option<HeldReason>>> {
    use sync_core::log::staging::PartPlace;
    let reader = LogReader(&world.node.keyspace);
    Ok(match must("part", reader.part(part))? {
        None => None,
        Some(PartPlace::Accepted(_)) => Some(None),
        Some(PartPlace::Held(number)) => {
            must("held", reader.held(number))?.map(|held| Some(held.reason))
        }
    })
}
