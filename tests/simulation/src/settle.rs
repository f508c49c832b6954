//! The second phase: faults off. Everybody comes to agree within a bound, and what they agree on is
//! what was typed.

mod edges;

use std::collections::{BTreeMap, BTreeSet};

use sync_core::cell::CellValue;
use sync_core::document::{Document, Subject};
use sync_core::identity::{ChangeHash, DocumentId, PartId};
use sync_core::log::aside::is_fork;
use sync_core::log::{Fingerprint, Follow, HeldReason, LogReader, MemoryKeyspace, rebuild};
use sync_core::sync::{OutboxState, Session};

use crate::durable::End;
use crate::forge::document_in;
use crate::invariants::{is_honest_reason, reason_at_node, saved_is_findable};
use crate::operations::Place;
use crate::violation::{Checked, Violation, must};
use crate::world::World;
use crate::years::left_out;

/// Rounds in which everybody synchronises once, until nothing moves any more.
pub const ROUNDS_MAX: usize = 8;

/// Exchanges of one tablet in one round.
const EXCHANGES_MAX: usize = 200;

/// Faults end, everybody synchronises, everything is compared. The rounds it took.
pub fn settle(world: &mut World) -> Checked<usize> {
    faults_off(world)?;
    let rounds = converge(world)?;
    agreed(world)?;
    // At last everybody asks for everything.
    let mut asked = false;
    for tablet in 0..world.tablets.len() {
        asked |= world.ask_for_years(tablet, 0)?;
    }
    if !asked {
        return Ok(rounds);
    }
    let more = converge(world)?;
    for (number, tablet) in world.tablets.iter().enumerate() {
        let years = tablet.device.as_ref().map(|device| device.years());
        if years.is_none_or(|years| years.since.is_some()) {
            return Err(Violation::new(
                "years-come",
                format!("tablet {number} asked for all years and leaves some out"),
            ));
        }
    }
    agreed(world)?;
    Ok(rounds + more)
}

/// What everybody has is what everybody is to have.
fn agreed(world: &mut World) -> Checked<()> {
    saved_is_findable(world)?;
    promises_came_back(world)?;
    let documents = documents_at(world, None)?;
    for tablet in 0..world.tablets.len() {
        let at = world.tablet(tablet)?.at;
        let documents = documents_at(world, at)?;
        tablet_agrees(world, tablet, &documents)?;
    }
    for edge in 0..world.edges.len() {
        edges::edge_agrees(world, edge)?;
        derived_is_rebuilt("edge", &world.edge(edge)?.node.keyspace)?;
    }
    derived_is_rebuilt("node", &world.node.keyspace)?;
    totals_agree(world, &documents)?;
    saved_is_judged(world)?;
    nothing_is_overwritten_unseen(world, &documents)
}

fn faults_off(world: &mut World) -> Checked<()> {
    world.trace.say(format_args!("faults off"));
    world.node.durable.set_room(None);
    world.node.clock_offset = 0;
    world.end(Place::Node, End::PowerCut)?;
    for edge in 0..world.edges.len() {
        let node = &mut world.edge(edge)?.node;
        node.durable.set_room(None);
        node.clock_offset = 0;
        world.end(Place::Edge(edge), End::PowerCut)?;
    }
    for tablet in 0..world.tablets.len() {
        world.tablet(tablet)?.durable.set_room(None);
        world.end(Place::Tablet(tablet), End::PowerCut)?;
        world.start(Place::Tablet(tablet))?;
    }
    world.start(Place::Node)?;
    for edge in 0..world.edges.len() {
        world.start(Place::Edge(edge))?;
    }
    // What was delayed arrives at last.
    let late = std::mem::take(&mut world.link.to_node);
    for envelope in late {
        let node = world.node_at(envelope.to)?;
        node.inbox.push(envelope);
    }
    world.serve(None, usize::MAX)?;
    for edge in 0..world.edges.len() {
        world.serve(Some(edge), usize::MAX)?;
    }
    world.link.to_tablets.clear();
    edges::come_home(world)
}

fn converge(world: &mut World) -> Checked<usize> {
    for round in 1..=edges::rounds_max(world) {
        let before = everything(world)?;
        let mut asked = 0;
        for side in 0..world.sides.len() {
            if world
                .sides
                .get(side)
                .is_some_and(|side| !side.hostile && !side.waiting.is_empty())
            {
                world.push_side(side)?;
                world.node.inbox.append(&mut world.link.to_node);
                world.serve(None, usize::MAX)?;
                for envelope in std::mem::take(&mut world.link.to_tablets) {
                    world.arrive(&envelope)?;
                }
            }
        }
        for tablet in 0..world.tablets.len() {
            world.seal(tablet)?;
            let mut exchanges = 1;
            while world.exchange(tablet)? {
                exchanges += 1;
                if exchanges > EXCHANGES_MAX {
                    return Err(Violation::new(
                        "converges",
                        format!("tablet {tablet} never stops asking"),
                    ));
                }
            }
            asked += exchanges;
        }
        for edge in 0..world.edges.len() {
            asked += world.round(edge)?;
        }
        let after = everything(world)?;
        world.trace.say(format_args!(
            "round {round}: {asked} exchanges, {} parts",
            world.node.parts()?.len()
        ));
        let askers = world.tablets.len() + world.edges.len();
        if before == after && asked == askers && is_sent(world) {
            return Ok(round);
        }
        if before == after {
            edges::who_lacks_a_past_comes_by(world)?;
        }
    }
    Err(Violation::new(
        "converges",
        format!(
            "something still moves or waits after {} rounds{}",
            edges::rounds_max(world),
            what_waits(world)?
        ),
    ))
}

/// What every node holds, and how far its catalogue reaches.
fn everything(world: &World) -> Checked<Vec<(BTreeSet<PartId>, u64)>> {
    let edges = world.edges.iter().map(|edge| &edge.node);
    let nodes = std::iter::once(&world.node).chain(edges);
    nodes
        .map(|node| Ok((node.parts()?, node.catalogue.last_number())))
        .collect()
}

/// Nothing waits anywhere: acknowledged, or held at the node with a reason.
fn is_sent(world: &World) -> bool {
    let sent = world.tablets.iter().all(|tablet| {
        tablet.device.as_ref().is_some_and(|device| {
            let outbox = device.outbox();
            !outbox.values().any(|state| *state == OutboxState::Waiting)
        })
    });
    let is_done = |side: &crate::forge::Side| side.hostile || side.waiting.is_empty();
    sent && world.sides.iter().all(is_done)
}

/// What waits on tablets, and where it and what comes before it are.
fn what_waits(world: &World) -> Checked<String> {
    let mut said = String::new();
    for (number, tablet) in world.tablets.iter().enumerate() {
        let Some(device) = &tablet.device else {
            continue;
        };
        let waits = device.outbox().iter();
        for (part, _) in waits.filter(|(_, state)| **state == OutboxState::Waiting) {
            said.push_str(&format!("\n  tablet {number} at {:?}: {part}", tablet.at));
            let Some(signed) = must("part", device.part(*part))? else {
                continue;
            };
            let (header, place) = (signed.header(), signed.part());
            said.push_str(&format!(
                ", {} of {}, {} in {:?}, after {:?}",
                header.number,
                signed.actor(),
                place.number,
                place.partition,
                header.previous
            ));
            for (other, known) in &world.ledger.parts {
                if known.actor == signed.actor() && known.number < header.number {
                    let here = must("place", device.log().part(*other))?;
                    let there = must(
                        "place",
                        LogReader(&world.node_in(tablet.at)?.keyspace).part(*other),
                    )?;
                    said.push_str(&format!(
                        "\n    {} {other}: {here:?}, at its node {there:?}",
                        known.number
                    ));
                }
            }
        }
    }
    Ok(said)
}

/// Everything that was acknowledged and not lost with every copy of it is at the node.
fn promises_came_back(world: &World) -> Checked<()> {
    let mut held = world.node.parts()?;
    held.extend(edges::told_by_their_authors_alone(world)?);
    let at_edges = world.edges.iter().flat_map(|edge| &edge.promised);
    let mut promised = world.ledger.promised.iter().chain(at_edges);
    match promised.find(|part| !held.contains(part)) {
        None => Ok(()),
        Some(part) => Err(Violation::new(
            "acknowledged-comes-back",
            format!("part {part} was acknowledged, is on a tablet and not at the node"),
        )),
    }
}

/// The documents of a node by subject.
fn documents_at(
    world: &mut World,
    at: Option<usize>,
) -> Checked<BTreeMap<DocumentId, (Subject, Document)>> {
    let mut documents = BTreeMap::new();
    for subject in world.setting.subjects.clone() {
        let document = document_in(&world.node_at(at)?.keyspace, &subject)?;
        documents.insert(subject.document_id(), (subject, document));
    }
    Ok(documents)
}

fn changes_in(keyspace: &MemoryKeyspace, document: DocumentId) -> Checked<BTreeSet<ChangeHash>> {
    let index = must("document", LogReader(keyspace).document(document))?;
    let changes = index.iter().flat_map(|index| index.changes());
    Ok(changes.map(|change| change.hash).collect())
}

fn tablet_agrees(
    world: &mut World,
    number: usize,
    documents: &BTreeMap<DocumentId, (Subject, Document)>,
) -> Checked<()> {
    let person = world.tablet(number)?.person;
    let at = world.tablet(number)?.at;
    let now = world.now;
    let node = world.node_at(at)?;
    let follow = Session::of(&node.catalogue, person, now).follow;
    let theirs = must(
        "fingerprint",
        LogReader(&node.keyspace).fingerprint(&follow),
    )?;
    let mut changes_there = BTreeMap::new();
    for id in documents.keys() {
        changes_there.insert(*id, changes_in(&node.keyspace, *id)?);
    }
    let left = match world.tablets.get(number).and_then(|t| t.device.as_ref()) {
        Some(device) => left_out(device, world.node_in(at)?, &follow)?,
        None => Fingerprint::default(),
    };
    let Some(device) = world
        .tablets
        .get_mut(number)
        .and_then(|t| t.device.as_mut())
    else {
        return Err(Violation::new("tablet-starts", format!("tablet {number}")));
    };
    let mut outbox = Fingerprint::default();
    let mut unapplied: BTreeSet<ChangeHash> = BTreeSet::new();
    for part in device.outbox().keys() {
        let Some(signed) = must("part", device.part(*part))? else {
            return Err(Violation::new("outbox-has-parts", format!("{part}")));
        };
        for entry in &signed.part().entries {
            if let sync_core::batch::Entry::Change { hash, .. } = entry {
                unapplied.insert(*hash);
            }
        }
        if follow.contains(signed.part().partition) {
            outbox = outbox.plus(Fingerprint::of(*part));
        }
    }
    let ours = must("fingerprint", device.log().fingerprint(&follow))?;
    if theirs.plus(outbox) != ours.plus(left) {
        return Err(Violation::new(
            "fingerprints-agree",
            format!(
                "tablet {number}: node {theirs} and outbox {outbox}, tablet {ours}, left out {left}"
            ),
        ));
    }
    for (id, (subject, document)) in documents {
        let is_left_out = device.left_out(subject).is_some()
            && must("subject", device.log().subject(*id))?.is_none();
        if !follows(&follow, subject) || is_left_out {
            continue;
        }
        let at_node = changes_there.remove(id).unwrap_or_default();
        let here = changes_in(device.keyspace(), *id)?;
        let applied: BTreeSet<_> = here.difference(&unapplied).copied().collect();
        if !at_node.is_subset(&here) || !applied.is_subset(&at_node) {
            return Err(Violation::new(
                "documents-agree",
                format!("tablet {number}: document {id} has other changes"),
            ));
        }
        if at_node == here {
            let own = must("device-loads", device.load(subject))?;
            if own.cells() != document.cells()
                || own.margins() != document.margins()
                || own.narrative("s") != document.narrative("s")
            {
                return Err(Violation::new(
                    "documents-agree",
                    format!("tablet {number}: document {id} reads differently"),
                ));
            }
        }
    }
    derived_is_rebuilt("tablet", device.keyspace())
}

fn follows(follow: &Follow, subject: &Subject) -> bool {
    follow.contains(sync_core::batch::Partition {
        unit: subject.unit,
        compartment: sync_core::batch::Compartment::Reports,
    })
}

fn derived_is_rebuilt(whose: &str, keyspace: &MemoryKeyspace) -> Checked<()> {
    let mut again = keyspace.clone();
    again.clear_derived();
    must("rebuild", rebuild::rebuild(&mut again))?;
    if again == *keyspace {
        return Ok(());
    }
    let before: BTreeMap<_, _> = keyspace.iter().collect();
    let after: BTreeMap<_, _> = again.iter().collect();
    let differs = |(key, value): &(&&[u8], &&[u8])| after.get(*key) != Some(*value);
    let key = before.iter().find(differs).map(|(key, _)| key.to_vec());
    let new = after.keys().find(|key| !before.contains_key(**key));
    Err(Violation::new(
        "derived-is-rebuilt",
        format!("{whose}: {key:02x?} differs, {new:02x?} is new"),
    ))
}

/// Totals kept up one report at a time equal those from nothing, from extracts and from documents.
fn totals_agree(
    world: &World,
    documents: &BTreeMap<DocumentId, (Subject, Document)>,
) -> Checked<()> {
    let Some(figures) = &world.node.figures else {
        return Err(Violation::new("totals", "there are none"));
    };
    let mut fresh = crate::figures::Figures::new(&world.setting, &world.node.catalogue)?;
    for part in world.node.accepted()? {
        fresh.take(&part)?;
    }
    let (mut extracts, mut loaded) = (Vec::new(), Vec::new());
    for (id, (_, document)) in documents {
        if let Some(extract) = fresh.extract(*id) {
            if extract != document.extract() {
                return Err(Violation::new(
                    "extract-is-document",
                    format!("document {id} reads differently than its extract"),
                ));
            }
            let cells = document.cells();
            extracts.push((extract.clone(), extract.cells.clone()));
            loaded.push((extract, cells));
        }
    }
    let kept = figures.totals();
    for (how, totals) in [
        ("extracts", figures.from_nothing(&extracts)?),
        ("documents", figures.from_nothing(&loaded)?),
    ] {
        for (period, totals) in &totals {
            let (top, ours) = (world.setting.top, kept.get(period));
            let table = ours.and_then(|ours| ours.table(top));
            if ours != Some(totals) || table != totals.table(top) {
                return Err(Violation::new(
                    "totals-are-recomputed",
                    format!("period {period}: kept totals differ from those of {how}"),
                ));
            }
        }
    }
    Ok(())
}

/// Where the parts with an edit are.
fn whereabouts(world: &World, edit: u32) -> Checked<String> {
    let mut said = String::new();
    for (part, _) in world
        .ledger
        .parts
        .iter()
        .filter(|(_, known)| known.edits.contains(&edit))
    {
        let there = reason_at_node(world, *part)?;
        let mut tablets = Vec::new();
        for (number, tablet) in world.tablets.iter().enumerate() {
            let accepted = tablet.accepted_parts()?.contains(part);
            if tablet.parts()?.contains(part) {
                tablets.push((number, accepted));
            }
        }
        said.push_str(&format!(
            "\n  part {part}: node {there:?}, tablets with it in the log {tablets:?}"
        ));
    }
    Ok(said)
}

/// True for reasons that come of what was accepted before, and not of the part itself.
fn is_for_a_fork(reason: HeldReason) -> bool {
    is_fork(reason) || reason == HeldReason::WaitsForHeld
}

/// What was saved is accepted, or held for a reason that is no program's mistake. What was set aside is said
/// again.
fn saved_is_judged(world: &World) -> Checked<()> {
    let mut judged: BTreeSet<u32> = BTreeSet::new();
    for (part, known) in &world.ledger.parts {
        let fine = match reason_at_node(world, *part)? {
            None => false,
            Some(None) => true,
            Some(Some(reason)) if world.ledger.aside.contains(part) => {
                is_honest_reason(reason) && !is_for_a_fork(reason)
            }
            Some(Some(reason)) => is_honest_reason(reason),
        };
        if fine {
            judged.extend(known.edits.iter().copied());
        }
    }
    // Held where a person can see it, and its author's tablet was put back to before it.
    let mut with_their_authors = BTreeMap::new();
    for (number, tablet) in world.tablets.iter().enumerate() {
        with_their_authors.insert(number, world.ledger.edits_in(&tablet.parts()?));
    }
    let held = world.node.parts()?;
    let held = world.ledger.edits_in(&held);
    let is_left_alone = |edit: &u32, typed: &crate::ledger::Typed| {
        let has = with_their_authors.get(&typed.tablet);
        held.contains(edit) && has.is_some_and(|has| !has.contains(edit))
    };
    let lost = world.ledger.typed.iter().find(|(edit, typed)| {
        let is_excused = typed.forgotten || typed.evidence || is_left_alone(edit, typed);
        typed.saved && !is_excused && !judged.contains(edit)
    });
    match lost {
        None => Ok(()),
        Some((edit, typed)) => Err(Violation::new(
            "saved-is-judged",
            format!(
                "edit {edit} is neither accepted nor held for its own sake: {typed:?}, {}",
                whereabouts(world, *edit)?
            ),
        )),
    }
}

/// A value is replaced only by those who saw it: all others stand side by side.
fn nothing_is_overwritten_unseen(
    world: &World,
    documents: &BTreeMap<DocumentId, (Subject, Document)>,
) -> Checked<()> {
    // How often each was sealed, and what was accepted.
    let mut sealed: BTreeMap<u32, usize> = BTreeMap::new();
    let mut times: BTreeSet<u32> = BTreeSet::new();
    let accepted: BTreeSet<PartId> = world
        .node
        .accepted()?
        .iter()
        .map(|part| part.id())
        .collect();
    for (part, known) in &world.ledger.parts {
        for edit in &known.edits {
            *sealed.entry(*edit).or_default() += 1;
        }
        if accepted.contains(part) {
            times.extend(known.edits.iter().copied());
        }
    }
    let mut cells: BTreeMap<(DocumentId, &str), Vec<u32>> = BTreeMap::new();
    for (edit, typed) in &world.ledger.typed {
        if let (true, Some((code, _))) = (times.contains(edit), &typed.cell) {
            cells.entry((typed.document, code)).or_default().push(*edit);
        }
    }
    for ((document, code), edits) in cells {
        let known: Vec<_> = edits
            .iter()
            .filter_map(|edit| Some((edit, world.ledger.typed.get(edit)?)))
            .collect();
        let replaced: BTreeSet<u32> = known
            .iter()
            .flat_map(|(_, typed)| typed.seen.iter().copied())
            .collect();
        let standing: BTreeSet<&CellValue> = known
            .iter()
            .filter(|(edit, _)| !replaced.contains(edit))
            .filter_map(|(_, typed)| typed.cell.as_ref().map(|(_, value)| value))
            .collect();
        let Some((_, document)) = documents.get(&document) else {
            continue;
        };
        let rivals = document.cells().remove(code).unwrap_or_default();
        let found: BTreeSet<&CellValue> = rivals.iter().map(|rival| &rival.value).collect();
        // Work said again after a rollback may stand beside what replaced it: seen, and no loss.
        let said_again = edits.iter().any(|edit| sealed.get(edit) != Some(&1));
        if !(found == standing || said_again && standing.is_subset(&found)) {
            return Err(Violation::new(
                "nothing-is-overwritten-unseen",
                format!(
                    "cell {code} of {}: {found:?} stand, {standing:?} should",
                    document.id()
                ),
            ));
        }
    }
    Ok(())
}
