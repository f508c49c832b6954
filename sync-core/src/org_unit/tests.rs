//! The tree: walks agree with each other, circles are refused, the shipped files become trees.

use super::import::*;
use super::*;
use crate::catalogue_files;
use proptest::prelude::*;

fn unit_id(number: usize) -> UnitId {
    UnitId((number as u64).to_be_bytes())
}

pub(crate) fn record(number: usize, parent: Option<usize>, code: &str, kind: &str) -> UnitRecord {
    UnitRecord {
        unit: unit_id(number),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: code.into(),
        name: format!("Xã {code}"),
        parent: parent.map(unit_id),
        kind: kind.into(),
        groups: Vec::new(),
    }
}

/// The tree of imported units; ids are positions in the list.
pub(crate) fn tree_of(units: &[ImportedUnit]) -> OrgTree {
    let position = |code: &String| units.iter().position(|unit| unit.code == *code);
    let records = units.iter().enumerate().map(|(number, unit)| UnitRecord {
        unit: unit_id(number),
        valid_from: unit.valid_from.to_string(),
        valid_to: None,
        code: unit.code.clone(),
        name: unit.name.clone(),
        parent: unit.parent_code.as_ref().and_then(position).map(unit_id),
        kind: unit.kind.clone(),
        groups: unit.groups.clone(),
    });
    OrgTree::new(records).expect("a tree")
}

proptest! {
    #[test]
    fn walks_agree(parents in proptest::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let records = parents.iter().enumerate().map(|(number, parent)| {
            // Tiers are limited, so the parent is among the first units.
            let parent = (number > 0).then(|| parent.index(number.min(6)));
            record(number, parent, &format!("{:02}", 99 - number), "commune")
        });
        let tree = OrgTree::new(records).expect("parents come first, so no circle");
        prop_assert_eq!(tree.len(), parents.len());
        for unit in tree.units() {
            let path = tree.path(unit.unit);
            prop_assert_eq!(path.last().map(|last| last.unit), Some(unit.unit));
            for pair in path.windows(2) {
                prop_assert_eq!(pair[1].parent, Some(pair[0].unit));
                prop_assert!(tree.children(pair[0].unit).any(|child| child.unit == pair[1].unit));
            }
            let below: Vec<_> = tree.subtree(unit.unit).map(|below| below.unit).collect();
            for other in tree.units() {
                let is_within = tree.path(other.unit).iter().any(|step| step.unit == unit.unit);
                prop_assert_eq!(below.contains(&other.unit), is_within);
                prop_assert_eq!(tree.is_within(other.unit, unit.unit), is_within);
            }
            let codes: Vec<_> = tree.children(unit.unit).map(|child| &child.code).collect();
            prop_assert!(codes.is_sorted());
        }
    }
}

#[test]
fn what_is_no_tree_is_refused() {
    let refused = |records: Vec<UnitRecord>| OrgTree::new(records).expect_err("no tree");
    let circle = vec![
        record(0, None, "a", "province"),
        record(1, Some(2), "b", "area"),
        record(2, Some(1), "c", "commune"),
    ];
    assert_eq!(refused(circle), TreeError::Circle(unit_id(1)));
    let own_parent = vec![record(1, Some(1), "b", "area")];
    assert_eq!(refused(own_parent), TreeError::Circle(unit_id(1)));
    let twice = vec![record(1, None, "b", "area"), record(1, None, "b", "area")];
    assert_eq!(refused(twice), TreeError::Duplicate(unit_id(1)));
    let orphan = vec![record(1, Some(9), "b", "area")];
    let expected = TreeError::UnknownParent {
        unit: unit_id(1),
        parent: unit_id(9),
    };
    assert_eq!(refused(orphan), expected);
    let chain = (0..40).map(|n: usize| record(n, n.checked_sub(1), "x", "area"));
    assert!(matches!(refused(chain.collect()), TreeError::TooDeep(_)));
}

#[test]
fn the_province_of_2025_is_read() {
    let text = catalogue_files::text("org/thai-nguyen-2025.json").expect("it ships");
    let units = import_province(text).expect("it is a file of units");
    let tree = tree_of(&units);
    assert_eq!(tree.of_kind("commune").count(), 92);
    assert_eq!(tree.of_kind("area").count(), 17);
    assert_eq!(tree.tops().count(), 1);
    assert_eq!(tree.in_group("subtype", "ward").count(), 15);
    let found: Vec<_> = tree
        .search("dinh hoa")
        .map(|unit| unit.code.as_str())
        .collect();
    assert!(found.contains(&"khu-vuc-dinh-hoa"), "{found:?}");
    let path = tree.path(tree.of_kind("commune").next().expect("one").unit);
    let kinds: Vec<_> = path.iter().map(|unit| unit.kind.as_str()).collect();
    assert_eq!(kinds, ["province", "area", "commune"]);
}

#[test]
fn the_tree_of_2022_is_read_with_its_departments() {
    let text = catalogue_files::text("org/thai-nguyen-2022.json").expect("it ships");
    let tree = tree_of(&import_tree(text).expect("it is a tree"));
    assert_eq!(tree.len(), 61);
    assert_eq!(tree.of_kind("district").count(), 9);
    assert_eq!(tree.in_group("named", "Các sở, ban, ngành").count(), 20);
    let day = "2025-07-01".parse().expect("a day");
    let departments = import_departments(text, "19", day).expect("a tree");
    assert_eq!(departments.len(), 21);
    assert!(
        departments
            .iter()
            .all(|unit| unit.parent_code.as_deref() == Some("19"))
    );
}

#[test]
fn import_errors_name_the_place() {
    let text = catalogue_files::text("org/thai-nguyen-2025.json").expect("it ships");
    let wrong = text.replacen("\"code\": \"01843\"", "\"code\": \"01840\"", 1);
    let error = import_province(&wrong).expect_err("a repeated code");
    assert_eq!(
        error.to_string(),
        "units file: units[1] repeats the code `01840`"
    );
    let wrong = text.replacen("2025-07-01", "2025-7-1", 1);
    let error = import_province(&wrong).expect_err("no day");
    assert!(error.to_string().contains("province.valid_from"), "{error}");
    let day = "2025-07-01".parse().expect("a day");
    let error = import_table("head\n01,Hà Nội,province,\n02,A,commune,03\n", day);
    assert_eq!(
        error.expect_err("no such parent").to_string(),
        "units file: line 3 is under `03`, which no unit before it has as its code"
    );
}
