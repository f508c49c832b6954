//! Mutated changes against the gate: no panic, and nothing that passes is bad for Automerge.
//!
//! A seeded scenario of honest work by three people is written once. Each mutant takes one of its
//! changes, damages it (its operations, its numbers and references, or its bytes with the checksum
//! repaired) and offers it to the gate in the state of the moment the change was made. What passes
//! must apply, save, load, read the same as our own reading, and decode as we decoded it: otherwise
//! it is an escape.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::cell::CellValue;
use sync_core::document::{
    Capacity, Comment, Document, Edit, Entry, NewChange, SignOff, Statement, Subject, SubjectKind,
    WriteError, extension_change,
};
use sync_core::gate::{DecodedChange, Judgement, decode, encode, judge};
use sync_core::identity::{ActorId, ChangeHash, InstallationId, KeyId, UnitId};

use crate::Outcomes;
use crate::change_mutation::{CODES, Pool, SECTIONS, mutate_bytes, mutate_content};
use crate::reading::{check_saved, their_content};

const PEOPLE: usize = 3;

pub(crate) fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".to_owned(),
        unit: UnitId([1, 2, 3, 4, 5, 6, 7, 8]),
        period: "2022".to_owned(),
    }
}

pub(crate) fn key(person: usize) -> KeyId {
    KeyId::of(&[person as u8; 32])
}

pub(crate) fn actor(person: usize) -> ActorId {
    ActorId::of(key(person), InstallationId([1; 8]))
}

/// The document at the moment a change was made, and the change.
struct Moment {
    document: Document,
    person: usize,
    change: NewChange,
    decoded: DecodedChange,
}

fn typed(rng: &mut ChaCha8Rng, person: usize) -> Edit {
    let code = CODES[rng.random_range(0..CODES.len())].to_owned();
    let section = SECTIONS[rng.random_range(0..SECTIONS.len())].to_owned();
    let entry = match rng.random_range(0..16u8) {
        0..6 => Entry::Cell {
            code,
            value: match rng.random_range(0..5u8) {
                0 => CellValue::Empty,
                1 => CellValue::NoOccurrence,
                2 => CellValue::Number("99.65".parse().expect("a number")),
                3 => CellValue::Text("không".to_owned()),
                _ => CellValue::Number(rng.random_range(-5i64..2_000).into()),
            },
        },
        6 => Entry::Note {
            code,
            text: rng.random_bool(0.5).then(|| "ghi chú".to_owned()),
        },
        7 => Entry::TemplateVersion(rng.random_range(1..4)),
        8..10 => Entry::NarrativeText {
            section,
            text: "Tình hình cải cách"
                .chars()
                .take(rng.random_range(0..18))
                .collect(),
        },
        10 => Entry::SignOff {
            key: key(person),
            sign_off: SignOff {
                statement: Statement::Signed,
                capacity: Capacity::Own,
                heads: vec![ChangeHash([7; 32])],
                reason: String::new(),
            },
        },
        11 => Entry::Carried {
            code,
            value: CellValue::Number("99.65".parse().expect("a number")),
        },
        12 => Entry::Source {
            code,
            text: rng.random_bool(0.5).then(|| "sổ theo dõi".to_owned()),
        },
        13 => Entry::Reason {
            code,
            rule: "outlier".to_owned(),
            text: rng.random_bool(0.5).then(|| "mới nhận thêm".to_owned()),
        },
        14 => Entry::Comment {
            code,
            key: key(person),
            comment: match rng.random_bool(0.5) {
                true => Comment::Said("xem lại".to_owned()),
                false => Comment::Reopened,
            },
        },
        _ => Entry::Attachment {
            blob: [rng.random_range(0..2); 32],
            metadata: rng.random_bool(0.5).then(|| "{}".to_owned()),
        },
    };
    Edit {
        entry,
        typed_at: rng.random_range(1_000..1_100),
    }
}

/// Honest work of three people who exchange what they have now and then.
fn scenario(rng: &mut ChaCha8Rng, changes: usize) -> Vec<Moment> {
    let mut replicas: Vec<Document> = (0..PEOPLE)
        .map(|_| Document::new(subject()).expect("a new document"))
        .collect();
    let mut moments: Vec<Moment> = Vec::new();
    while moments.len() < changes {
        let person = rng.random_range(0..PEOPLE);
        if rng.random_bool(0.4) {
            for section in SECTIONS {
                let extension = extension_change(&subject(), section).expect("a section");
                replicas[person].declare(&extension).expect("declares");
            }
            let all = moments.iter().map(|moment| moment.change.bytes.as_slice());
            replicas[person].apply(all).expect("honest changes apply");
        }
        let edits: Vec<Edit> = (0..rng.random_range(1..5))
            .map(|_| typed(rng, person))
            .collect();
        let document = replicas[person].clone();
        let Ok(change) = replicas[person].write(actor(person), &edits) else {
            continue;
        };
        let mut document = document;
        for section in replicas[person].sections() {
            let extension = extension_change(&subject(), &section).expect("a section");
            document.declare(&extension).expect("declares");
        }
        let decoded = decode(&change.bytes).expect("an honest change decodes");
        moments.push(Moment {
            document,
            person,
            change,
            decoded,
        });
    }
    moments
}

fn mutant(rng: &mut ChaCha8Rng, pool: &Pool, moment: &Moment) -> Vec<u8> {
    if rng.random_bool(0.25) {
        return mutate_bytes(rng, &moment.change.bytes);
    }
    let mut content = moment.decoded.content.clone();
    for _ in 0..[1, 1, 1, 2, 3][rng.random_range(0..5usize)] {
        if !content.ops.is_empty() {
            mutate_content(rng, pool, &mut content);
        }
    }
    encode(&content).0
}

/// Applies, saves, loads and reads what passed: nothing of it may fail or differ.
fn check_passed(moment: &Moment, bytes: &[u8], change: &DecodedChange) {
    let (content, hash) = their_content(bytes);
    assert_eq!(
        content, change.content,
        "Automerge decodes the change otherwise"
    );
    assert_eq!(hash, change.hash);
    let mut document = moment.document.clone();
    document.apply([bytes]).expect("what passes applies");
    check_saved(&document);
    // One in eight: the work that follows.
    if hash.0[0] % 8 == 0 {
        let entry = Entry::NarrativeText {
            section: SECTIONS[0].to_owned(),
            text: "x".to_owned(),
        };
        let written = document.write(actor(5), &[Edit { entry, typed_at: 1 }]);
        assert!(
            matches!(written, Ok(_) | Err(WriteError::Nothing)),
            "work does not go on: {written:?}"
        );
    }
}

#[test]
fn no_mutant_escapes() {
    let (mut rng, mutants) = crate::start("changes", 70);
    let mut outcomes = Outcomes::default();
    let scenarios = 40;
    for _ in 0..scenarios {
        let moments = scenario(&mut rng, 12);
        let actors = (0..PEOPLE).map(actor).collect();
        let changes = moments.iter().map(|moment| &moment.decoded);
        let pool = Pool::new(&subject(), actors, changes);
        let mut left = mutants / scenarios;
        while left > 0 {
            let moment = &moments[rng.random_range(0..moments.len())];
            let bytes = mutant(&mut rng, &pool, moment);
            if bytes != moment.change.bytes {
                outcomes.count(offer(moment, &bytes));
                left -= 1;
            }
        }
    }
    let (total, passed) = (outcomes.total(), outcomes.of("passed"));
    println!("{total} mutants of changes: {:#?}", outcomes.0);
    assert!(
        passed > total / 50,
        "hardly anything passes: the test looks at too little"
    );
    assert!(outcomes.0.len() >= 14, "some refusals were never met");
}

/// What the gate says; what passes is checked.
fn offer(moment: &Moment, bytes: &[u8]) -> &'static str {
    let change = match decode(bytes) {
        Ok(change) => change,
        Err(error) => return error.code(),
    };
    // The attacker signs as whoever the change says, if that is one of the three.
    let signer = (0..PEOPLE)
        .find(|person| actor(*person) == change.content.actor)
        .unwrap_or(moment.person);
    let Ok(judgement) = judge(
        &change,
        actor(signer),
        key(signer),
        moment.document.history(),
    );
    match judgement {
        Judgement::Passed(_) => {
            check_passed(moment, bytes, &change);
            "passed"
        }
        Judgement::Duplicate => "duplicate",
        Judgement::Missing(_) => "missing",
        Judgement::Refused(refusal) => refusal.code(),
    }
}
