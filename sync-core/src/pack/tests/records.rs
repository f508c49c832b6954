//! Catalogue records: what goes in comes out after the same record, and nothing after another one.

use ed25519_dalek::SigningKey;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::catalogue::{Among, Body, Duty, Grant, Person, Record, Role, SignedRecord, UnitRecord};
use crate::codec::Writer;
use crate::identity::{DutyId, GrantId, InstallationId, KeyId, PersonId, UnitId};
use crate::pack::{Tip, pack_records, unpack_records};

const NONE: Tip = (0, [0; 32]);

fn unit() -> impl Strategy<Value = UnitId> {
    (0..4u8).prop_map(|id| UnitId([id + 1; 8]))
}

fn person() -> impl Strategy<Value = PersonId> {
    (0..4u8).prop_map(|id| PersonId([id; 8]))
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zăâđêôơư 0-9]{1,12}"]
}

fn unit_record() -> impl Strategy<Value = Body> {
    let groups = vec((word(), word()), 0..3);
    let days = (word(), option::of("2[0-9]{3}"));
    (
        unit(),
        days,
        word(),
        word(),
        option::of(unit()),
        word(),
        groups,
    )
        .prop_map(
            |(unit, (valid_from, valid_to), code, name, parent, kind, groups)| {
                Body::Unit(UnitRecord {
                    unit,
                    valid_from,
                    valid_to,
                    code,
                    name,
                    parent,
                    kind,
                    groups,
                })
            },
        )
}

fn grant() -> impl Strategy<Value = Body> {
    let rest = (option::of(unit()), any::<bool>(), any::<i64>());
    (any::<[u8; 8]>(), person(), 0..8usize, rest).prop_map(
        |(grant, person, role, (unit, subtree, until))| {
            Body::Grant(Grant {
                grant: GrantId(grant),
                person,
                role: Role::ALL[role],
                unit,
                subtree,
                until,
            })
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => unit_record(),
        2 => (person(), word(), word()).prop_map(|(person, sign_in_name, display_name)| {
            Body::Person(Person { person, sign_in_name, display_name })
        }),
        2 => grant(),
        2 => (any::<[u8; 32]>(), person(), unit(), word()).prop_map(
            |(public_key, person, unit, label)| Body::DeviceKey { public_key, person, unit, label }
        ),
        1 => (word(), any::<u32>(), vec(any::<u8>(), 0..300)).prop_map(
            |(id, version, content)| Body::Template { id, version, content }
        ),
        1 => (any::<[u8; 8]>(), word(), word(), word(), word()).prop_map(
            |(duty, template, unit_kind, period, due)| {
                Body::Duty(Duty {
                    duty: DutyId(duty),
                    template,
                    unit_kind,
                    among: Among::All,
                    period,
                    rule: String::new(),
                    due,
                })
            }
        ),
        1 => any::<[u8; 8]>().prop_map(|grant| Body::GrantEnded(GrantId(grant))),
        1 => (any::<[u8; 16]>(), vec((any::<[u8; 8]>(), any::<u64>()), 0..3)).prop_map(
            |(key, accepted)| {
                let accepted = accepted.into_iter();
                let accepted = accepted.map(|(id, last)| (InstallationId(id), last)).collect();
                Body::DeviceKeyEnded { key: KeyId(key), accepted }
            }
        ),
        1 => word().prop_map(|label| Body::Rehearsal { label }),
    ]
}

/// A chain after a record, with times as they come.
fn chain((number, hash): Tip, bodies: &[(Body, i64)]) -> Vec<SignedRecord> {
    let key = SigningKey::from_bytes(&[9; 32]);
    let mut tip = (number, hash);
    let mut records = Vec::new();
    for (body, at) in bodies {
        let record = Record {
            number: tip.0 + 1,
            previous: tip.1,
            at: *at,
            body: body.clone(),
        };
        let signed = SignedRecord::sign(&record, &key);
        tip = (record.number, signed.hash());
        records.push(signed);
    }
    records
}

proptest! {
    #[test]
    fn records_come_out_as_they_went_in(
        bodies in vec((body(), any::<i64>()), 1..40),
        number in 0..5_000u64,
        hash in any::<[u8; 32]>(),
    ) {
        let records = chain((number, hash), &bodies);
        let packed = pack_records(&records).unwrap();
        prop_assert_eq!(unpack_records((number, hash), &packed), Some(records.clone()));
        let mut other = hash;
        other[0] ^= 1;
        for tip in [(number, other), (number + 1, hash)] {
            // A record that is told as it is stands on nothing.
            let rebuilt = unpack_records(tip, &packed);
            prop_assert!(rebuilt.is_none_or(|rebuilt| rebuilt == records));
        }
    }

    #[test]
    fn records_that_do_not_follow_come_out_too(
        first in vec((body(), any::<i64>()), 1..5),
        second in vec((body(), any::<i64>()), 1..5),
    ) {
        let mut records = chain(NONE, &first);
        records.extend(chain((77, [7; 32]), &second));
        let packed = pack_records(&records).unwrap();
        prop_assert_eq!(unpack_records(NONE, &packed), Some(records));
    }

    #[test]
    fn what_is_changed_on_the_way_gives_the_same_records_or_none(
        bodies in vec((body(), any::<i64>()), 1..6),
        flips in vec((any::<prop::sample::Index>(), 0..8u8), 1..3),
    ) {
        let records = chain(NONE, &bodies);
        let mut packed = pack_records(&records).unwrap();
        for (at, bit) in flips {
            let at = at.index(packed.len());
            packed[at] ^= 1 << bit;
        }
        if let Some(rebuilt) = unpack_records(NONE, &packed) {
            // The digest covers everything but signatures.
            let hashes = |records: &[SignedRecord]| -> Vec<_> {
                records.iter().map(SignedRecord::hash).collect()
            };
            prop_assert_eq!(hashes(&rebuilt), hashes(&records));
        }
    }
}

#[test]
fn another_record_before_gives_nothing() {
    let unit = |id| UnitRecord {
        unit: UnitId([id; 8]),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: id.to_string(),
        name: "Xã".into(),
        parent: None,
        kind: "commune".into(),
        groups: Vec::new(),
    };
    let bodies = [1, 2, 3].map(|id| (Body::Unit(unit(id)), 5));
    let packed = pack_records(&chain((4, [4; 32]), &bodies)).unwrap();
    assert!(unpack_records((4, [4; 32]), &packed).is_some());
    assert_eq!(unpack_records((4, [5; 32]), &packed), None);
    assert_eq!(unpack_records((5, [4; 32]), &packed), None);
}

#[test]
fn a_record_that_this_version_cannot_read_travels_as_it_is() {
    let mut records = chain(
        NONE,
        &[(
            Body::Rehearsal {
                label: "Thử".into(),
            },
            5,
        )],
    );
    let mut unknown = Writer::new();
    unknown
        .u8(1)
        .var(2)
        .raw(&records[0].hash())
        .svar(6)
        .u8(200)
        .bytes(b"later");
    records.push(SignedRecord::of(unknown.into_bytes(), [3; 64]));
    let packed = pack_records(&records).unwrap();
    assert_eq!(unpack_records(NONE, &packed), Some(records));
}
