//! Rows that units add to forms travel as everything does: to the units below, and past nobody's rights.

use super::*;
use crate::batch::{
    self, ChainTip, Compartment, Entry as PartEntry, NewPart, Partition, PartitionTip,
};
use crate::document::Document;
use crate::form::local::{LocalRowId, LocalRows, code};
use crate::form::{Kind, Template, local};
use crate::log::Verdict;

/// The rows of the form in this test.
const FORM: &str = r#"{"schema":1,"id":"bao-cao","version":1,"title":"T","period":"year","sections":[{"id":"i","title":"Một","indicators":[{"code":"1","label":"Một","kind":"integer"}]}]}"#;

/// Adds a row to the form for a unit on a device, and gives its code.
fn add(device: &mut Device, unit: u8, label: &str, random: u8) -> String {
    let template = Template::from_json(FORM.as_bytes()).unwrap();
    let subject = Subject::local_rows("bao-cao", UnitId([unit; 8]));
    let id = LocalRowId::new(NOW, [random; 4]);
    let draft = local::RowDraft {
        label: label.into(),
        label_en: String::new(),
        unit: "hộ".into(),
        kind: Kind::Integer,
        choices: Vec::new(),
        place: local::RowPlace {
            section: "i".into(),
            under: None,
        },
        help: String::new(),
    };
    let rows = rows(device, unit);
    let edits = local::add(&template, &rows, id, &draft, NOW).unwrap();
    device.edit(&subject, &edits).unwrap();
    code(subject.unit, id)
}

fn rows(device: &mut Device, unit: u8) -> LocalRows {
    let subject = Subject::local_rows("bao-cao", UnitId([unit; 8]));
    LocalRows::of(subject.unit, &device.with_draft(&subject).unwrap().cells())
}

fn labels(device: &mut Device, unit: u8) -> Vec<String> {
    let rows = rows(device, unit).rows;
    rows.into_iter().map(|row| row.label).collect()
}

#[test]
fn rows_of_an_area_reach_the_units_below_it_and_nobody_beside() {
    let mut node = Node::new();
    let mut aggregator = node.enrol(1, Role::Aggregator, 1, true);
    let mut below = node.enrol(2, Role::Officer, 2, false);
    let mut beside = node.enrol(3, Role::Officer, 3, false);
    add(&mut aggregator, 1, "của huyện", 1);
    let own = add(&mut below, 2, "của xã", 2);
    below.edit(&subject(2), &[cell(&own, 5)]).unwrap();
    for device in [&mut aggregator, &mut below, &mut beside] {
        assert_eq!(sync(&mut node, device), []);
    }
    assert_eq!(sync(&mut node, &mut aggregator), []);
    assert_eq!(labels(&mut below, 1), ["của huyện"]);
    assert_eq!(labels(&mut beside, 1), ["của huyện"]);
    assert_eq!(labels(&mut aggregator, 2), ["của xã"]);
    assert_eq!(labels(&mut beside, 2), [""; 0], "a commune's are its own");
    assert_eq!(values(&mut aggregator, 2)[&own], [number(5)]);
    assert_eq!(node.unread, 0, "what a device packs is rebuilt");
}

#[test]
fn two_who_add_rows_apart_both_keep_theirs() {
    let mut node = Node::new();
    let mut one = node.enrol(1, Role::Officer, 2, false);
    let mut other = node.enrol(2, Role::Head, 2, false);
    for device in [&mut one, &mut other] {
        sync(&mut node, device);
    }
    add(&mut one, 2, "hàng một", 1);
    add(&mut other, 2, "hàng hai", 2);
    for device in [&mut one, &mut other] {
        assert_eq!(sync(&mut node, device), []);
    }
    sync(&mut node, &mut one);
    assert_eq!(labels(&mut one, 2), ["hàng một", "hàng hai"]);
    assert_eq!(rows(&mut one, 2), rows(&mut other, 2));
}

#[test]
fn who_has_no_right_to_a_unit_adds_no_row_to_its_form() {
    let mut node = Node::new();
    let mut officer = node.enrol(1, Role::Officer, 2, false);
    let mut auditor = node.enrol(2, Role::Auditor, 2, false);
    let mut owner = node.enrol(3, Role::Officer, 2, false);
    // Rows of the area stand in the reports of everybody below it: an officer of one unit makes none.
    add(&mut officer, 1, "của huyện", 1);
    add(&mut auditor, 2, "của xã", 2);
    for device in [&mut officer, &mut auditor] {
        let notices = sync(&mut node, device);
        let not_allowed = HeldReason::NotAllowed;
        assert!(
            matches!(&notices[..], [Notice::Held { reason, .. }] if *reason == not_allowed),
            "{notices:?}"
        );
    }
    sync(&mut node, &mut owner);
    assert!(labels(&mut owner, 1).is_empty());
    assert!(labels(&mut owner, 2).is_empty());
}

/// What a node says of a part that a program of somebody's own sealed among the rows of a unit.
fn forged(node: &mut Node, officer: &Device, edit: Edit) -> Verdict {
    let subject = Subject::local_rows("bao-cao", UnitId([2; 8]));
    let mut document = Document::new(subject.clone()).unwrap();
    let change = document.write(officer.sealer().actor(), &[edit]).unwrap();
    let id = document.id();
    let new = NewPart {
        partition: Partition {
            unit: subject.unit,
            compartment: Compartment::Forms,
        },
        tip: PartitionTip::default(),
        entries: vec![
            PartEntry::Subject {
                document: id,
                subject: subject.encode(),
            },
            PartEntry::Change {
                document: id,
                hash: change.hash,
            },
        ],
        changes: vec![change.bytes],
    };
    let parts = batch::seal(officer.sealer(), ChainTip::default(), NOW, vec![new]).unwrap();
    let parts = node::verify(&node.catalogue, parts);
    let mut acceptor =
        Acceptor::new(&node.keyspace, &node.catalogue, &mut node.cache, NOW).unwrap();
    let verdicts = node::accept(&mut acceptor, &parts).unwrap();
    let writes = acceptor.into_writes();
    node.keyspace.apply(writes);
    verdicts.into_iter().next().unwrap()
}

#[test]
fn a_row_of_the_form_itself_is_locked() {
    let label = |code: &str| Edit {
        entry: Entry::Cell {
            code: code.into(),
            value: CellValue::Text("Khác".into()),
        },
        typed_at: NOW,
    };
    let note = Edit {
        entry: Entry::Note {
            code: "0123456789abcdef/label".into(),
            text: Some("x".into()),
        },
        typed_at: NOW,
    };
    // A row of the form, a field of one, and what belongs to reports.
    for edit in [label("1"), label("1/label"), note] {
        let mut node = Node::new();
        let officer = node.enrol(1, Role::Officer, 2, false);
        let verdict = forged(&mut node, &officer, edit.clone());
        let reason = HeldReason::LocalRow;
        assert_eq!(verdict, Verdict::Held { number: 1, reason }, "{edit:?}");
        assert!(
            LogReader(&node.keyspace).held(1).unwrap().is_some(),
            "kept for a person"
        );
    }
    let mut node = Node::new();
    let mut officer = node.enrol(1, Role::Officer, 2, false);
    let row = label("0123456789abcdef/label");
    assert!(matches!(
        forged(&mut node, &officer, row),
        Verdict::Accepted { .. }
    ));
    // A program of ours does not even seal it.
    let forms = Subject::local_rows("bao-cao", UnitId([2; 8]));
    officer.edit(&forms, &[label("1")]).unwrap();
    assert!(officer.seal(NOW).is_err());
}
