use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn append(catalogue: &mut Catalogue, body: Body) -> Result<SignedRecord, ApplyError> {
    let record = Record {
        number: catalogue.last_number() + 1,
        previous: catalogue.last_hash(),
        at: 1_760_000_000,
        body,
    };
    let signed = SignedRecord::sign(&record, &key());
    catalogue.apply(&signed)?;
    Ok(signed)
}

fn province() -> Body {
    Body::Province {
        name: "Tỉnh Thái Nguyên".into(),
        key: key().verifying_key(),
    }
}

fn unit(id: u8, parent: Option<u8>) -> Body {
    Body::Unit(UnitRecord {
        unit: UnitId([id; 8]),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: format!("{id:05}"),
        name: format!("Xã {id}"),
        parent: parent.map(|parent| UnitId([parent; 8])),
        kind: "commune".into(),
        groups: vec![("area".into(), "Khu vực Định Hóa".into())],
    })
}

fn person(id: u8) -> Body {
    Body::Person(Person {
        person: PersonId([id; 8]),
        sign_in_name: format!("p{id}"),
        display_name: "Nông Thị Hạnh".into(),
    })
}

#[test]
fn records_add_up_in_order_and_no_other_way() {
    let mut catalogue = Catalogue::new();
    let first = append(&mut catalogue, province()).unwrap();
    append(&mut catalogue, unit(1, None)).unwrap();
    append(&mut catalogue, unit(2, Some(1))).unwrap();
    append(&mut catalogue, person(5)).unwrap();
    assert_eq!(
        catalogue.apply(&first),
        Err(ApplyError::Number {
            expected: 5,
            found: 1
        }),
        "a record counts once"
    );
    assert!(matches!(
        append(&mut catalogue, unit(3, Some(77))),
        Err(ApplyError::Unknown {
            number: 5,
            what: "a parent unit"
        })
    ));
    assert!(matches!(
        append(&mut catalogue, province()),
        Err(ApplyError::Province(5))
    ));
    assert!(catalogue.is_within(UnitId([2; 8]), UnitId([1; 8]), "2025-12-31"));
    assert!(!catalogue.is_within(UnitId([1; 8]), UnitId([2; 8]), "2025-12-31"));
    assert!(catalogue.unit_on(UnitId([2; 8]), "2025-06-30").is_none());
}

#[test]
fn another_key_a_changed_byte_and_a_fork_are_refused() {
    let mut catalogue = Catalogue::new();
    append(&mut catalogue, province()).unwrap();
    let record = Record {
        number: 2,
        previous: catalogue.last_hash(),
        at: 0,
        body: person(1),
    };
    let foreign = SignedRecord::sign(&record, &SigningKey::from_bytes(&[8; 32]));
    assert_eq!(
        catalogue.apply(&foreign),
        Err(RecordError::Signature.into())
    );
    let fork = SignedRecord::sign(
        &Record {
            previous: [1; 32],
            ..record.clone()
        },
        &key(),
    );
    assert_eq!(catalogue.apply(&fork), Err(ApplyError::Fork(2)));
    let good = SignedRecord::sign(&record, &key()).encode();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let refused = SignedRecord::decode(&bad)
            .map_err(ApplyError::from)
            .and_then(|signed| catalogue.clone().apply(&signed));
        assert!(refused.is_err(), "byte {at}");
    }
}

#[test]
fn an_ended_grant_and_an_ended_lease_give_nothing() {
    let mut catalogue = Catalogue::new();
    append(&mut catalogue, province()).unwrap();
    append(&mut catalogue, person(5)).unwrap();
    for (id, until) in [(1, 0), (2, 1_000)] {
        let grant = Grant {
            grant: GrantId([id; 8]),
            person: PersonId([5; 8]),
            role: Role::Officer,
            unit: None,
            subtree: true,
            until,
        };
        append(&mut catalogue, Body::Grant(grant)).unwrap();
    }
    assert_eq!(catalogue.grants_of(PersonId([5; 8]), 999).count(), 2);
    assert_eq!(catalogue.grants_of(PersonId([5; 8]), 1_000).count(), 1);
    append(&mut catalogue, Body::GrantEnded(GrantId([1; 8]))).unwrap();
    assert_eq!(catalogue.grants_of(PersonId([5; 8]), 1_000).count(), 0);
}

proptest! {
    #[test]
    fn any_record_round_trips(id: [u8; 8], name in ".{0,40}", number: u64, at: i64, until: i64) {
        let bodies = [
            unit(id[0].max(1), Some(3)),
            Body::Template { id: "bao-cao".into(), version: 2, content: name.clone().into_bytes() },
            Body::Person(Person {
                person: PersonId(id),
                sign_in_name: name.clone(),
                display_name: name.clone(),
            }),
            Body::Grant(Grant {
                grant: GrantId(id),
                person: PersonId(id),
                role: Role::Head,
                unit: (id != [0; 8]).then_some(UnitId(id)),
                subtree: id[0] % 2 == 0,
                until,
            }),
            Body::DeviceKeyEnded {
                key: KeyId([id[1]; 16]),
                accepted: vec![(InstallationId(id), number)],
            },
            Body::Duty(Duty {
                duty: DutyId(id),
                template: "a".into(),
                unit_kind: name.clone(),
                period: "2025".into(),
                among: Among::All,
                rule: String::new(),
                due: "2025-12-20".into(),
            }),
            Body::TemplateRetired { id: "bao-cao".into(), reason: name.clone() },
            Body::Rehearsal { label: name },
        ];
        for body in bodies {
            let record = Record { number, previous: [id[0]; 32], at, body };
            let signed = SignedRecord::sign(&record, &key());
            let read = SignedRecord::decode(&signed.encode()).unwrap();
            prop_assert_eq!(read.verify(&key().verifying_key()).unwrap(), record);
        }
    }
}
