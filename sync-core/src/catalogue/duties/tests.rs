//! Duties of a group, exceptions of single units, a province's own holidays.

use ed25519_dalek::SigningKey;

use super::*;
use crate::catalogue::{ApplyError, Body, Record, SignedRecord};
use crate::period::Period;

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

fn unit(id: u8, parent: Option<u8>, group: &str) -> Body {
    Body::Unit(UnitRecord {
        unit: UnitId([id; 8]),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: format!("{id:05}"),
        name: format!("Xã {id}"),
        parent: parent.map(|parent| UnitId([parent; 8])),
        kind: if parent.is_none() {
            "province"
        } else {
            "commune"
        }
        .into(),
        groups: vec![("area".into(), group.into())],
    })
}

/// A province with communes 2 and 3 in the north, 4 in the south, and 5 below 4.
fn province() -> Catalogue {
    let mut catalogue = Catalogue::new();
    let province = Body::Province {
        name: "Tỉnh Thái Nguyên".into(),
        key: key().verifying_key(),
    };
    append(&mut catalogue, province).unwrap();
    for body in [
        unit(1, None, "all"),
        unit(2, Some(1), "north"),
        unit(3, Some(1), "north"),
        unit(4, Some(1), "south"),
        unit(5, Some(4), "south"),
    ] {
        append(&mut catalogue, body).unwrap();
    }
    catalogue
}

fn duty(id: u8, among: Among, rule: &str) -> Duty {
    Duty {
        duty: DutyId([id; 8]),
        template: "bao-cao".into(),
        unit_kind: "commune".into(),
        among,
        period: "2025".into(),
        rule: rule.into(),
        due: "2025-12-20".into(),
    }
}

fn exception(duty: u8, unit: u8, terms: Terms) -> Body {
    Body::DutyException(DutyException {
        duty: DutyId([duty; 8]),
        unit: UnitId([unit; 8]),
        terms,
        reason: "lũ cuốn mất máy".into(),
    })
}

/// The units that owe a duty, each with its last day.
fn owed(catalogue: &Catalogue, id: u8) -> Vec<(u8, Option<String>)> {
    let day = "2025-12-31".parse().unwrap();
    let tree = OrgTree::of_catalogue(catalogue, day).unwrap();
    let duty = catalogue.duty(DutyId([id; 8])).unwrap();
    catalogue
        .owed(duty, &tree)
        .map(|owed| (owed.unit.unit.0[0], owed.due().map(str::to_owned)))
        .collect()
}

#[test]
fn a_duty_is_owed_by_those_it_names() {
    let mut catalogue = province();
    for (id, among) in [
        (1, Among::All),
        (2, Among::Group("area".into(), "north".into())),
        (3, Among::Within(UnitId([4; 8]))),
        (4, Among::Group("area".into(), "west".into())),
    ] {
        append(&mut catalogue, Body::Duty(duty(id, among, "end-8wd"))).unwrap();
    }
    let units = |id| -> Vec<u8> { owed(&catalogue, id).iter().map(|(unit, _)| *unit).collect() };
    assert_eq!(units(1), [2, 3, 4, 5]);
    assert_eq!(units(2), [2, 3]);
    assert_eq!(units(3), [4, 5]);
    assert_eq!(units(4), [0; 0]);
    let nowhere = duty(5, Among::Within(UnitId([77; 8])), "");
    assert_eq!(
        append(&mut catalogue, Body::Duty(nowhere)),
        Err(ApplyError::Unknown {
            number: 11,
            what: "a unit"
        })
    );
}

#[test]
fn one_unit_owes_otherwise_until_it_owes_as_others_again() {
    let mut catalogue = province();
    append(&mut catalogue, Body::Duty(duty(1, Among::All, ""))).unwrap();
    let later = Terms::Extended("2026-01-10".into());
    append(&mut catalogue, exception(1, 2, later)).unwrap();
    append(&mut catalogue, exception(1, 3, Terms::Exempt)).unwrap();
    let plain = Some("2025-12-20".to_owned());
    let expected = [
        (2, Some("2026-01-10".to_owned())),
        (3, None),
        (4, plain.clone()),
        (5, plain.clone()),
    ];
    assert_eq!(owed(&catalogue, 1), expected);
    append(&mut catalogue, exception(1, 2, Terms::AsOthers)).unwrap();
    assert_eq!(owed(&catalogue, 1)[0], (2, plain));
    assert_eq!(catalogue.exceptions(DutyId([1; 8])).count(), 1);

    for (id, unit, what) in [(7, 2, "a duty"), (1, 77, "a unit")] {
        let told = append(&mut catalogue, exception(id, unit, Terms::Exempt));
        let number = catalogue.last_number() + 1;
        assert_eq!(told, Err(ApplyError::Unknown { number, what }));
    }
    append(&mut catalogue, Body::DutyEnded(DutyId([1; 8]))).unwrap();
    assert_eq!(catalogue.duties().count(), 0);
    assert_eq!(catalogue.exceptions(DutyId([1; 8])).count(), 0);
    assert!(append(&mut catalogue, Body::DutyEnded(DutyId([1; 8]))).is_err());
}

#[test]
fn own_holidays_stand_above_those_of_the_program() {
    let mut catalogue = province();
    let rule: crate::calendar::DueRule = "end+5wd".parse().unwrap();
    let period: Period = "2026".parse().unwrap();
    let last_day = |catalogue: &Catalogue| rule.last_day(period, &catalogue.calendar());
    assert!(last_day(&catalogue).is_err(), "nothing is known of 2027");
    let first = Holidays::of_table("2027-01-01 off Tết Dương lịch\n2027-01-04 off nghỉ\n").unwrap();
    append(&mut catalogue, Body::Holidays(first)).unwrap();
    assert_eq!(last_day(&catalogue).unwrap().to_string(), "2027-01-11");
    let corrected = Holidays::of_table("2027-01-04 on Không nghỉ nữa").unwrap();
    append(&mut catalogue, Body::Holidays(corrected)).unwrap();
    assert_eq!(last_day(&catalogue).unwrap().to_string(), "2027-01-08");
    assert_eq!(catalogue.own_days().count(), 2);
    assert!(Holidays::of_table("2027-01-01 closed").is_err());
    let long = "# \n".repeat(limits::HOLIDAY_TABLE_BYTES_MAX);
    assert_eq!(Holidays::of_table(&long), Err(TableError::Long));
}

/// Every beginning that is not the whole.
fn halves(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..bytes.len()).filter_map(|end| bytes.get(..end))
}

#[test]
fn every_body_comes_back_and_half_a_body_never() {
    let mut catalogue = province();
    let holidays = Holidays::of_table("2027-01-01 off Tết Dương lịch").unwrap();
    for body in [
        Body::Duty(duty(1, Among::All, "")),
        Body::Duty(duty(2, Among::All, "end+5wd")),
        Body::Duty(duty(3, Among::Within(UnitId([4; 8])), "")),
        Body::Duty(duty(
            4,
            Among::Group("area".into(), "north".into()),
            "end+6d",
        )),
        exception(1, 2, Terms::Extended("2026-01-10".into())),
        exception(1, 3, Terms::Exempt),
        exception(1, 3, Terms::AsOthers),
        Body::Holidays(holidays),
        Body::DutyEnded(DutyId([1; 8])),
    ] {
        let signed = append(&mut catalogue, body.clone()).unwrap();
        let again = SignedRecord::decode(&signed.encode()).unwrap();
        assert_eq!(again.verify(&key().verifying_key()).unwrap().body, body);
        let packed = crate::pack::pack_records(std::slice::from_ref(&signed)).unwrap();
        let tip = (catalogue.last_number() - 1, [0; 32]);
        let record = again.unverified().unwrap();
        let rebuilt = crate::pack::unpack_records((tip.0, record.previous), &packed);
        assert_eq!(rebuilt, Some(vec![signed]));
        let mut writer = Writer::new();
        if let Body::Duty(duty) = &body
            && !duty.is_plain()
        {
            duty.write(&mut writer);
            for half in halves(&writer.into_bytes()) {
                assert!(Duty::read_narrower(&mut Reader::new(half)).is_err());
            }
        } else if let Body::DutyException(exception) = &body {
            exception.write(&mut writer);
            for half in halves(&writer.into_bytes()) {
                assert!(DutyException::read(&mut Reader::new(half)).is_err());
            }
        }
    }
    // Written the longer way, a duty that says no more than a plain one is none.
    let mut writer = Writer::new();
    duty(1, Among::All, "").write(&mut writer);
    writer.text("").text("").raw(&NO_UNIT.0).text("");
    let bytes = writer.into_bytes();
    assert!(Duty::read_narrower(&mut Reader::new(&bytes)).is_err());
}
