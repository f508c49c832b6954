use ed25519_dalek::SigningKey;

use super::*;
use crate::catalogue::{Body, Person, Record, SignedRecord, UnitRecord};
use crate::identity::GrantId;

const NOW: i64 = 1_760_000_000;
const UNITS: [(u8, Option<u8>); 5] = [
    (1, None),
    (2, Some(1)),
    (3, Some(1)),
    (4, Some(2)),
    (5, Some(2)),
];

/// A province 1 with areas 2 and 3, communes 4 and 5 in area 2, and one grant.
fn catalogue(role: Role, unit: Option<u8>, subtree: bool) -> Catalogue {
    let key = SigningKey::from_bytes(&[9; 32]);
    let mut catalogue = Catalogue::new();
    let mut bodies = vec![Body::Province {
        name: "T".into(),
        key: key.verifying_key(),
    }];
    bodies.extend(UNITS.map(|(unit, parent)| {
        Body::Unit(UnitRecord {
            unit: UnitId([unit; 8]),
            valid_from: "2025-07-01".into(),
            valid_to: None,
            code: unit.to_string(),
            name: unit.to_string(),
            parent: parent.map(|parent| UnitId([parent; 8])),
            kind: "unit".into(),
            groups: Vec::new(),
        })
    }));
    bodies.push(Body::Person(Person {
        person: PersonId([1; 8]),
        sign_in_name: "p".into(),
        display_name: "P".into(),
    }));
    bodies.push(Body::Grant(Grant {
        grant: GrantId([1; 8]),
        person: PersonId([1; 8]),
        role,
        unit: unit.map(|unit| UnitId([unit; 8])),
        subtree,
        until: 0,
    }));
    for body in bodies {
        let number = catalogue.last_number() + 1;
        let record = Record {
            number,
            previous: catalogue.last_hash(),
            at: NOW,
            body,
        };
        catalogue.apply(&SignedRecord::sign(&record, &key)).unwrap();
    }
    catalogue
}

fn touches() -> Vec<Touch> {
    let mut touches = vec![
        Touch::Cell("I.1".into()),
        Touch::Note("I.1".into()),
        Touch::Comment("I.1".into()),
        Touch::TemplateVersion,
        Touch::Narrative("mo-dau".into()),
        Touch::Attachment("00".into()),
    ];
    touches.extend((1..=6).map(Touch::SignOff));
    touches
}

/// Every role, every touch, every place: own unit, below, beside, above.
#[test]
fn a_role_writes_what_the_table_says_where_its_grant_holds_and_nothing_else() {
    let mut allowed = 0;
    for role in Role::ALL {
        for (at, subtree, holds) in [
            (Some(2), false, &[2][..]),
            (Some(2), true, &[2, 4, 5]),
            (None, false, &[1, 2, 3, 4, 5]),
        ] {
            let catalogue = catalogue(role, at, subtree);
            for (unit, _) in UNITS {
                for touch in touches() {
                    let partition = Partition {
                        unit: UnitId([unit; 8]),
                        compartment: Compartment::Reports,
                    };
                    let one = [touch.clone()];
                    let refused = first_refused(&catalogue, PersonId([1; 8]), partition, &one, NOW);
                    let expected = holds.contains(&unit)
                        && role_writes(role, subject(Compartment::Reports, &touch));
                    assert_eq!(
                        refused.is_none(),
                        expected,
                        "{role:?} {at:?} {unit} {touch:?}"
                    );
                    allowed += usize::from(expected);
                }
            }
        }
    }
    // 9 places; officer 7 touches, head 8, aggregator, reviewer and approver 2 each; a comment everybody.
    assert_eq!(
        allowed,
        9 * (7 + 8 + 2 + 2 + 2 + Role::ALL.len()),
        "the table allows something, and not everything"
    );
}

#[test]
fn one_touch_too_many_refuses_the_whole_part() {
    let catalogue = catalogue(Role::Officer, Some(2), false);
    let partition = Partition {
        unit: UnitId([2; 8]),
        compartment: Compartment::Reports,
    };
    let touches = [Touch::Cell("I.1".into()), Touch::SignOff(3)];
    let refused = first_refused(&catalogue, PersonId([1; 8]), partition, &touches, NOW);
    assert_eq!(refused, Some(&Touch::SignOff(3)));
}

#[test]
fn rows_are_added_by_whoever_fills_or_collects_where_their_grant_holds() {
    let row = [Touch::Cell("0123456789abcdef/label".into())];
    for role in Role::ALL {
        let adds = matches!(role, Role::Officer | Role::Head | Role::Aggregator);
        let catalogue = catalogue(role, Some(2), true);
        for (unit, _) in UNITS {
            let unit_id = UnitId([unit; 8]);
            let partition = Partition {
                unit: unit_id,
                compartment: Compartment::Forms,
            };
            let refused = first_refused(&catalogue, PersonId([1; 8]), partition, &row, NOW);
            let expected = adds && [2, 4, 5].contains(&unit);
            assert_eq!(refused.is_none(), expected, "{role:?} {unit}");
            assert_eq!(
                adds_rows(&catalogue, PersonId([1; 8]), unit_id, NOW),
                expected
            );
        }
    }
}

#[test]
fn where_the_rows_of_units_stand_nothing_else_is_written() {
    let row = Touch::Cell("0123456789abcdef/label".into());
    assert!(belong(Compartment::Forms, std::slice::from_ref(&row)));
    for other in touches() {
        let both = [row.clone(), other.clone()];
        assert!(!belong(Compartment::Forms, &both), "{other:?}");
        assert!(belong(Compartment::Reports, &both));
    }
}

#[test]
fn a_device_holds_what_its_person_may_read() {
    let catalogue = catalogue(Role::Aggregator, Some(2), true);
    let units = readable(&catalogue, PersonId([1; 8]), NOW).unwrap();
    let of = |compartment| {
        let all = units.iter().filter(|one| one.compartment == compartment);
        all.map(|one| one.unit.0[0]).collect::<Vec<_>>()
    };
    assert_eq!(of(Compartment::Reports), [2, 4, 5]);
    assert_eq!(
        of(Compartment::Forms),
        [1, 2, 4, 5],
        "the rows of the units above, and of none beside"
    );
    assert_eq!(units.len(), 7);
    assert!(
        readable(&catalogue, PersonId([9; 8]), NOW)
            .unwrap()
            .is_empty()
    );
    let whole = self::catalogue(Role::Auditor, None, false);
    assert_eq!(readable(&whole, PersonId([1; 8]), NOW), None);
}
