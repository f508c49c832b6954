//! A key whose two branches came to two nodes before these spoke: the province's stands, and whatever
//! was typed on the other one is said again.

use super::elsewhere::{all, second};
use super::triangle::{Edge, field};
use super::*;
use crate::batch::SignedPart;
use crate::log::staging::PartPlace;
use crate::log::{Losing, Trust, Verdict};

fn note(code: &str, text: &str) -> Edit {
    Edit {
        entry: Entry::Note {
            code: code.into(),
            text: Some(text.into()),
        },
        typed_at: NOW,
    }
}

fn words(position: usize, insert: &str) -> Edit {
    Edit {
        entry: Entry::Narrative {
            section: "i".into(),
            position,
            delete: 0,
            insert: insert.into(),
        },
        typed_at: NOW,
    }
}

/// The province has accepted I.1 = 6 of hanh, who was copied back; the edge has accepted I.1 = 7 under the
/// same number, and tuan, who is at the edge, has built on it.
struct Forked {
    province: Node,
    edge: Edge,
    hanh: Device,
    tuan: Device,
}

fn forked(built: &[Edit]) -> Forked {
    let (mut province, mut edge, mut devices) = field();
    devices.truncate(2);
    let (mut tuan, mut hanh) = (devices.pop().unwrap(), devices.pop().unwrap());
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut province, &mut hanh);
    assert_eq!(edge.round(&mut province), Standing::InStep);
    sync(&mut edge.node, &mut tuan);
    let backup = hanh.keyspace().clone();
    hanh.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    sync(&mut province, &mut hanh);
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), backup).unwrap();
    hanh.edit(&subject(2), &[cell("I.1", 7)]).unwrap();
    sync(&mut edge.node, &mut hanh);
    sync(&mut edge.node, &mut tuan);
    assert_eq!(values(&mut tuan, 2)["I.1"], [number(7)]);
    tuan.edit(&subject(2), built).unwrap();
    sync(&mut edge.node, &mut tuan);
    sync(&mut edge.node, &mut hanh);
    Forked {
        province,
        edge,
        hanh,
        tuan,
    }
}

impl Forked {
    /// Everybody synchronises until nothing moves.
    fn settle(&mut self) {
        for _ in 0..4 {
            self.edge.round(&mut self.province);
            sync(&mut self.edge.node, &mut self.tuan);
            sync(&mut self.edge.node, &mut self.hanh);
        }
        assert_eq!(self.edge.round(&mut self.province), Standing::InStep);
        let everything = all(&self.province);
        assert_eq!(all(&self.edge.node), everything);
        for device in [&self.hanh, &self.tuan] {
            let log = device.log().fingerprint(&Follow::All).unwrap();
            assert_eq!(log, everything);
            assert!(device.outbox().is_empty(), "{:?}", device.outbox());
        }
        assert_eq!(self.edge.uplink.place().unwrap().differences(), 0);
    }
}

#[test]
fn an_edge_gives_way_to_the_branch_that_the_province_accepted() {
    let mut forked = forked(&[cell("I.2", 9)]);
    forked.settle();
    assert_eq!(forked.edge.gave_way, 1);
    let expected = BTreeMap::from([
        ("I.1".to_owned(), vec![number(6), number(7)]),
        ("I.2".to_owned(), vec![number(9)]),
    ]);
    assert_eq!(values(&mut forked.hanh, 2), expected);
    assert_eq!(values(&mut forked.tuan, 2), expected);
}

/// The losing branch and what was built on it stay where a person can look at them, on both nodes.
#[test]
fn what_lost_is_held_on_both_nodes() {
    let mut forked = forked(&[cell("I.2", 9)]);
    forked.settle();
    for node in [&forked.province, &forked.edge.node] {
        let reader = LogReader(&node.keyspace);
        let reasons: Vec<HeldReason> = (1..=reader.held_end().unwrap())
            .map(|number| reader.held(number).unwrap().unwrap())
            .filter(|held| matches!(reader.part(held.part.id()), Ok(Some(PartPlace::Held(_)))))
            .map(|held| held.reason)
            .collect();
        assert_eq!(
            reasons,
            [HeldReason::Equivocation, HeldReason::WaitsForHeld]
        );
    }
}

#[test]
fn notes_and_words_built_on_what_lost_are_said_again() {
    let mut forked = forked(&[
        note("I.1", "đã đếm lại"),
        words(0, "Đã họp."),
        cell("I.1", 8),
    ]);
    forked
        .tuan
        .edit(&subject(2), &[words(7, " Xong.")])
        .unwrap();
    sync(&mut forked.edge.node, &mut forked.tuan);
    forked.settle();
    for device in [&mut forked.hanh, &mut forked.tuan] {
        let document = device.load(&subject(2)).unwrap();
        assert_eq!(document.narrative("i").as_deref(), Some("Đã họp. Xong."));
        let note = &document.notes()["I.1"][0].value;
        assert_eq!(*note, CellValue::Text("đã đếm lại".into()));
        // Tuấn had seen 7 and replaced it, and never saw 6.
        let found = values(device, 2);
        assert!(
            found["I.1"].contains(&number(6)) && found["I.1"].contains(&number(8)),
            "{found:?}"
        );
    }
}

/// What somebody else says too may be set aside in its turn: it is no conflict to say it as well.
#[test]
fn a_value_that_another_says_as_well_is_said_again() {
    let mut forked = forked(&[cell("I.2", 9)]);
    // Somebody at the province types the same.
    let mut mai = forked.province.enrol(8, Role::Officer, 1, true);
    mai.edit(&subject(2), &[cell("I.2", 9)]).unwrap();
    sync(&mut forked.province, &mut mai);
    forked.settle();
    assert_eq!(values(&mut forked.tuan, 2)["I.2"], [number(9)]);
    let history = forked.tuan.load(&subject(2)).unwrap().cell_history("I.2");
    assert_eq!(history.len(), 2, "{history:?}");
}

/// Who talks to both nodes before they have spoken follows whichever answers; in the end all hold one.
#[test]
fn a_tablet_that_goes_to_and_fro_says_its_work_once() {
    let mut forked = forked(&[cell("I.2", 9), words(0, "Đã họp.")]);
    for _ in 0..2 {
        sync(&mut forked.province, &mut forked.tuan);
        sync(&mut forked.edge.node, &mut forked.tuan);
    }
    sync(&mut forked.province, &mut forked.hanh);
    sync(&mut forked.edge.node, &mut forked.hanh);
    forked.settle();
    let document = forked.tuan.load(&subject(2)).unwrap();
    assert_eq!(document.narrative("i").as_deref(), Some("Đã họp."));
    assert_eq!(values(&mut forked.tuan, 2)["I.2"], [number(9)]);
}

/// What was typed and not yet sealed when the branch goes is work on it as well.
#[test]
fn a_draft_on_what_lost_is_said_again() {
    let mut forked = forked(&[cell("I.2", 9)]);
    forked.tuan.edit(&subject(2), &[cell("I.3", 3)]).unwrap();
    forked.edge.round(&mut forked.province);
    forked.settle();
    assert_eq!(values(&mut forked.hanh, 2)["I.3"], [number(3)]);
}

/// A report of the same commune beside `subject(2)`: no change of one is a change of the other.
fn beside() -> Subject {
    Subject {
        period: "2024".into(),
        ..subject(2)
    }
}

/// The two branches of a key that was copied after its first batch: of two batches and of three, of reports
/// of one commune and of another.
fn two_branches() -> (Node, SignedPart, Vec<SignedPart>, Vec<SignedPart>) {
    let mut node = Node::new();
    let mut device = node.enrol(3, Role::Officer, 1, true);
    device.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    device.seal(NOW).unwrap();
    let copy = device.keyspace().clone();
    let part = |device: &Device, position| device.log().entry(position).unwrap().unwrap().part;
    let first = part(&device, 1);
    let branch = |value, subjects: &[Subject]| {
        let (mut device, _) = Device::open(device.sealer().clone(), copy.clone()).unwrap();
        for subject in subjects {
            device.edit(subject, &[cell("I.2", value)]).unwrap();
            device.seal(NOW).unwrap();
        }
        let last = subjects.len() as u64 + 1;
        (2..=last).map(|at| part(&device, at)).collect()
    };
    let standing = branch(6, &[subject(3), subject(2)]);
    let losing = branch(7, &[beside(), subject(3), beside()]);
    (node, first, standing, losing)
}

impl Node {
    fn judges(&mut self, part: &SignedPart, trust: Trust) -> Verdict {
        let parts = node::verify(&self.catalogue, vec![part.clone()]);
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, NOW).unwrap();
        let verdict = acceptor.accept(parts[0].as_ref().unwrap(), trust).unwrap();
        let writes = acceptor.into_writes();
        self.keyspace.apply(writes);
        verdict
    }
}

fn is_evidence(verdict: &Verdict) -> bool {
    let reason = HeldReason::Equivocation;
    matches!(verdict, Verdict::Held { reason: held, .. } if *held == reason)
}

/// What was derived step by step is what follows from the truth alone.
fn derives_the_same(node: &mut Node) {
    let kept = node.keyspace.clone();
    node.keyspace.clear_derived();
    crate::log::rebuild::rebuild(&mut node.keyspace).unwrap();
    assert!(node.keyspace == kept, "something else is derived");
}

/// Without a batch that stands under the number before, only the evidence tells.
#[test]
fn what_follows_on_what_was_set_aside_is_evidence() {
    let (mut node, first, _, losing) = two_branches();
    for part in [&first, &losing[0]] {
        node.judges(part, Trust::Judge);
    }
    let mut lost = Losing::default();
    lost.is_held_above(LogReader(&node.keyspace), losing[0].id())
        .unwrap();
    let aside = lost.set_aside(&node.keyspace).unwrap();
    assert_eq!(aside.parts.len(), 1);
    node.keyspace.apply(aside.writes);
    node.keyspace.clear_derived();
    crate::log::rebuild::rebuild(&mut node.keyspace).unwrap();
    node.cache.clear();
    let verdict = node.judges(&losing[1], Trust::Judge);
    assert!(is_evidence(&verdict), "{verdict:?}");
    derives_the_same(&mut node);
}

/// Of the branch that lost, a node has batch 2 as evidence and never hears of batch 3, which is of a commune
/// that nobody there may read: batch 4 names the part of batch 2 as the one before it in its own commune.
#[test]
fn what_follows_on_evidence_in_its_commune_is_evidence() {
    let (mut node, first, standing, losing) = two_branches();
    for part in [&first, &standing[0]] {
        node.judges(part, Trust::Judge);
    }
    let verdict = node.judges(&losing[0], Trust::Judge);
    assert!(is_evidence(&verdict), "{verdict:?}");
    let verdict = node.judges(&losing[2], Trust::Judge);
    assert!(is_evidence(&verdict), "{verdict:?}");
    derives_the_same(&mut node);
}

/// A tablet that was copied back comes to an edge that is new to it and has more of its chain. It goes on
/// under a new installation, and what colleagues gave the province comes along before anything is compared.
#[test]
fn who_finds_its_chain_ahead_at_a_node_that_is_new_brings_what_that_lacks() {
    let mut province = Node::new();
    let mut hanh = province.enrol(1, Role::Officer, 1, true);
    let mut tuan = province.enrol(2, Role::Officer, 1, true);
    let mut edge = second(&province, 9);
    for device in [&mut hanh, &mut tuan] {
        device.take_records(&province.records()).unwrap();
    }
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut province, &mut hanh);
    let copy = hanh.keyspace().clone();
    hanh.edit(&subject(2), &[cell("I.1", 7)]).unwrap();
    sync(&mut edge, &mut hanh);
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), copy).unwrap();
    tuan.edit(&subject(3), &[cell("I.1", 8)]).unwrap();
    sync(&mut province, &mut tuan);
    sync(&mut province, &mut hanh);
    let notices = sync(&mut edge, &mut hanh);
    assert!(notices.contains(&Notice::NewInstallation), "{notices:?}");
    assert!(
        !notices.contains(&Notice::FingerprintMismatch),
        "{notices:?}"
    );
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(7)]);
    let there = LogReader(&edge.keyspace).document(subject(3).document_id());
    assert!(there.unwrap().is_some(), "what tuan gave the province");
}

/// Tuấn was shown the branch that stands at the province, and the link broke before what he had set aside
/// went up. The edge, where the other branch stands, accepts it: it stands here again, too.
#[test]
fn what_was_set_aside_and_is_accepted_elsewhere_stands_again() {
    let mut forked = forked(&[cell("I.2", 9)]);
    forked.tuan.edit(&subject(2), &[cell("I.3", 3)]).unwrap();
    forked.tuan.seal(NOW).unwrap();
    for _ in 0..10 {
        if forked.tuan.log().held_end().unwrap() > 0 {
            break;
        }
        exchange(&mut forked.province, &mut forked.tuan, Link::Good).unwrap();
    }
    assert!(forked.tuan.log().held_end().unwrap() > 0);
    let notices = sync(&mut forked.edge.node, &mut forked.tuan);
    assert!(
        !notices.contains(&Notice::FingerprintMismatch),
        "{notices:?}"
    );
    let found = values(&mut forked.tuan, 2);
    assert_eq!(found["I.1"], [number(7)]);
    assert_eq!(found["I.3"], [number(3)]);
    forked.settle();
    assert_eq!(values(&mut forked.hanh, 2)["I.3"], [number(3)]);
}

/// An author whose device never comes back: what lost can be read where it is held.
#[test]
fn without_its_author_what_lost_can_be_read() {
    let mut forked = forked(&[cell("I.2", 9)]);
    forked.edge.round(&mut forked.province);
    let reader = LogReader(&forked.province.keyspace);
    let held = reader.held(2).unwrap().unwrap();
    let change = crate::gate::decode(&held.part.changes()[0]).unwrap();
    assert_eq!(change.content.ops[0].value, crate::gate::Value::Int(9));
    assert_eq!(all(&forked.edge.node), all(&forked.province));
}
