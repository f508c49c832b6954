//! Mutated changes against the gate: no panic, and nothing that passes is bad for Automerge.
//!
//! A seeded scenario of honest work by three people is written once. Each mutant takes one of its
//! changes, damages it (its operations, its numbers and references, or its bytes with the checksum
//! repaired) and offers it to the gate in the state of the moment the change was made. What passes
//! must apply, save, load, read the same as our own reading, and decode as we decoded it: otherwise
//! it is an escape.
//!
//! `DONGBO_SEED` chooses the seed; `DONGBO_MUTANTS` the number.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key as TheirKey, ObjectId, OpId as TheirOpId, OpType};
use automerge::{Automerge, ObjType, ReadDoc, ScalarValue};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use sync_core::cell::CellValue;
use sync_core::document::value::cell_from_value;
use sync_core::document::{
    Capacity, Document, Edit, Entry, NewChange, SignOff, Statement, Subject, SubjectKind, Table,
    WriteError, extension_change, genesis_change,
};
use sync_core::gate::{
    Action, ChangeContent, DecodedChange, GateError, Judgement, Key, Op, OpId, Refusal, Value,
    decode, encode, judge,
};
use sync_core::identity::{ActorId, ChangeHash, InstallationId, KeyId, UnitId};

const PEOPLE: usize = 3;
const CODES: [&str; 4] = ["1", "1.1", "2", "ý"];
const SECTIONS: [&str; 2] = ["chung", "kien-nghi"];

fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".to_owned(),
        unit: UnitId([1, 2, 3, 4, 5, 6, 7, 8]),
        period: "2022".to_owned(),
    }
}

fn key(person: usize) -> KeyId {
    KeyId::of(&[person as u8; 32])
}

fn actor(person: usize) -> ActorId {
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
    let entry = match rng.random_range(0..12u8) {
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

/// Everything a mutant may refer to, whether or not it is in the past of the change.
struct Pool {
    ids: Vec<OpId>,
    hashes: Vec<ChangeHash>,
    ops: Vec<Op>,
}

impl Pool {
    fn new(moments: &[Moment]) -> Self {
        let mut pool = Self {
            ids: Table::ALL.into_iter().map(Table::object).collect(),
            hashes: vec![genesis_change(&subject()).hash],
            ops: genesis_change(&subject()).content.ops,
        };
        for section in SECTIONS {
            let extension = extension_change(&subject(), section).expect("a section");
            pool.ids.push(extension.text());
            pool.hashes.push(extension.built.hash);
        }
        for moment in moments {
            pool.hashes.push(moment.change.hash);
            for (id, op) in moment.decoded.content.numbered() {
                pool.ids.push(id);
                pool.ops.push(op.clone());
            }
        }
        pool
    }

    fn id(&self, rng: &mut ChaCha8Rng) -> OpId {
        let mut id = self.ids[rng.random_range(0..self.ids.len())];
        match rng.random_range(0..12u8) {
            0 => id.counter += 1,
            1 => id.counter = rng.random_range(1..40),
            2 => id.actor = actor(rng.random_range(0..PEOPLE)),
            3 => id.actor = ActorId([9; 16]),
            _ => {}
        }
        id
    }
}

fn random_value(rng: &mut ChaCha8Rng) -> Value {
    match rng.random_range(0..8u8) {
        0 => Value::Null,
        1 => Value::False,
        2 => Value::Int(rng.random()),
        3 => Value::Text(String::new()),
        4 => Value::Text("=1.5".to_owned()),
        5 => Value::Text("'a".to_owned()),
        6 => Value::Text("ab".to_owned()),
        _ => Value::Bytes(vec![1, 3, 0, 0, 0]),
    }
}

fn mutate_op(rng: &mut ChaCha8Rng, pool: &Pool, op: &mut Op) {
    match rng.random_range(0..13u8) {
        0 => op.object = Some(pool.id(rng)),
        1 => op.object = rng.random_bool(0.5).then(|| pool.id(rng)),
        2 => op.key = Key::Map(CODES[rng.random_range(0..CODES.len())].to_owned()),
        3 => op.key = Key::Element(pool.id(rng)),
        4 => {
            op.key = match rng.random_range(0..4u8) {
                0 => Key::Head,
                1 => Key::Map(String::new()),
                2 => Key::Map("x".repeat(rng.random_range(60..70))),
                _ => Key::Map("template_version".to_owned()),
            }
        }
        5 => op.insert = !op.insert,
        6 => {
            let actions = [
                Action::MakeMap,
                Action::Put,
                Action::Delete,
                Action::MakeText,
            ];
            op.action = actions[rng.random_range(0..actions.len())];
        }
        7 => op.value = random_value(rng),
        8 => op.pred.clear(),
        9 => op.pred = vec![pool.id(rng)],
        10 => {
            op.pred.push(pool.id(rng));
            if rng.random_bool(0.7) {
                op.pred.sort_unstable();
            }
        }
        11 => {
            if let Some(first) = op.pred.first().copied() {
                op.pred.push(first);
            }
        }
        _ => *op = pool.ops[rng.random_range(0..pool.ops.len())].clone(),
    }
}

fn mutate_content(rng: &mut ChaCha8Rng, pool: &Pool, content: &mut ChangeContent) {
    match rng.random_range(0..16u8) {
        0 => content.actor = actor(rng.random_range(0..PEOPLE)),
        1 => content.seq = content.seq.wrapping_add_signed(rng.random_range(-1..2)),
        2 => {
            content.start_op = content
                .start_op
                .wrapping_add_signed(rng.random_range(-1..3))
        }
        3 => {
            let extremes = [0, 1, 10, 11, 1 << 30, u64::from(u32::MAX), u64::MAX];
            content.start_op = extremes[rng.random_range(0..extremes.len())];
        }
        4 => content.time = rng.random(),
        5 => {
            let messages = [
                "",
                "0",
                "1",
                "1 0",
                "5 5 5 5 5 5 5 5 5",
                "x",
                "-1 1",
                "0 0 1",
            ];
            content.message = messages[rng.random_range(0..messages.len())].to_owned();
        }
        6 => {
            content.deps.pop();
        }
        7 => {
            content
                .deps
                .push(pool.hashes[rng.random_range(0..pool.hashes.len())]);
            if rng.random_bool(0.8) {
                content.deps.sort_unstable();
                content.deps.dedup();
            }
        }
        8 => content.deps = vec![pool.hashes[rng.random_range(0..pool.hashes.len())]],
        9 if content.ops.len() > 1 => {
            let at = rng.random_range(0..content.ops.len());
            content.ops.remove(at);
        }
        10 => {
            let op = pool.ops[rng.random_range(0..pool.ops.len())].clone();
            content.ops.push(op);
        }
        11 if content.ops.len() > 1 => {
            let at = rng.random_range(1..content.ops.len());
            content.ops.swap(at - 1, at);
        }
        _ => {
            let at = rng.random_range(0..content.ops.len());
            mutate_op(rng, pool, &mut content.ops[at]);
        }
    }
}

/// Writes length and checksum anew around a body.
fn seal(body: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    let mut rest = body.len();
    while rest >= 0x80 {
        length.push((rest as u8) | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(&length);
    hasher.update(body);
    let hash = hasher.finalize();
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83];
    bytes.extend(&hash[..4]);
    bytes.push(1);
    bytes.extend(length);
    bytes.extend(body);
    bytes
}

fn body_of(bytes: &[u8]) -> &[u8] {
    let length = bytes[9..]
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("a length");
    &bytes[9 + length + 1..]
}

fn mutate_bytes(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut body = body_of(bytes).to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..body.len());
        match rng.random_range(0..6u8) {
            0 => body[at] ^= 1 << rng.random_range(0..8),
            1 => body[at] = rng.random(),
            2 => body[at] = body[at].wrapping_add(1),
            3 => {
                body.remove(at);
            }
            4 => body.insert(at, rng.random()),
            _ => body.truncate(at.max(1)),
        }
        if body.is_empty() {
            body.push(0);
        }
    }
    if rng.random_range(0..20u8) == 0 {
        // Without repair: header, checksum and length themselves.
        let mut raw = bytes.to_vec();
        let at = rng.random_range(0..raw.len());
        raw[at] ^= 1 << rng.random_range(0..8);
        return raw;
    }
    seal(&body)
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

/// The values of every cell as Automerge reads them.
fn their_cells(doc: &Automerge) -> BTreeMap<String, BTreeSet<CellValue>> {
    let (_, cells) = doc
        .get(automerge::ROOT, "cells")
        .expect("reads")
        .expect("cells");
    let read = |value: &automerge::Value<'_>| {
        let scalar = value.as_scalar().expect("a cell holds a scalar");
        cell_from_value(&our_value(scalar)).expect("a cell")
    };
    doc.keys(&cells)
        .map(|code| {
            let all = doc.get_all(&cells, &code).expect("reads");
            (code, all.iter().map(|(value, _)| read(value)).collect())
        })
        .collect()
}

fn our_value(scalar: &ScalarValue) -> Value {
    match scalar {
        ScalarValue::Null => Value::Null,
        ScalarValue::Boolean(false) => Value::False,
        ScalarValue::Int(integer) => Value::Int(*integer),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Bytes(bytes) => Value::Bytes(bytes.clone()),
        ScalarValue::Boolean(true)
        | ScalarValue::Uint(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => panic!("{scalar:?} passed the gate"),
    }
}

fn our_id(id: &TheirOpId) -> OpId {
    OpId {
        counter: id.0,
        actor: ActorId(id.1.to_bytes().try_into().expect("an actor of 16 bytes")),
    }
}

/// Automerge's decoding in our words.
fn their_content(bytes: &[u8]) -> (ChangeContent, ChangeHash) {
    let change = automerge::Change::try_from(bytes).expect("what passes parses");
    let expanded = change.decode();
    let ops = expanded
        .operations
        .iter()
        .map(|op| {
            let (action, value) = match &op.action {
                OpType::Put(value) => (Action::Put, our_value(value)),
                OpType::Delete => (Action::Delete, Value::Null),
                OpType::Make(ObjType::Map) => (Action::MakeMap, Value::Null),
                OpType::Make(ObjType::Text) => (Action::MakeText, Value::Null),
                OpType::Make(ObjType::List | ObjType::Table)
                | OpType::Increment(_)
                | OpType::MarkBegin(_)
                | OpType::MarkEnd(_) => panic!("{:?} passed the gate", op.action),
            };
            Op {
                object: match &op.obj {
                    ObjectId::Id(id) => Some(our_id(id)),
                    ObjectId::Root => None,
                },
                key: match &op.key {
                    TheirKey::Map(key) => Key::Map(key.to_string()),
                    TheirKey::Seq(ElementId::Head) => Key::Head,
                    TheirKey::Seq(ElementId::Id(id)) => Key::Element(our_id(id)),
                },
                insert: op.insert,
                action,
                value,
                pred: op.pred.iter().map(our_id).collect(),
            }
        })
        .collect();
    let content = ChangeContent {
        actor: our_id(&TheirOpId(1, expanded.actor_id.clone())).actor,
        seq: expanded.seq,
        start_op: expanded.start_op.get(),
        time: expanded.time,
        message: expanded.message.clone().unwrap_or_default(),
        deps: expanded.deps.iter().map(|dep| ChangeHash(dep.0)).collect(),
        ops,
    };
    (content, ChangeHash(change.hash().0))
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
    let loaded = Automerge::load(&document.save()).expect("what passes saves and loads");
    let heads: Vec<ChangeHash> = loaded
        .get_heads()
        .iter()
        .map(|head| ChangeHash(head.0))
        .collect();
    assert_eq!(heads, document.heads());
    let ours: BTreeMap<String, BTreeSet<CellValue>> = document
        .cells()
        .into_iter()
        .map(|(code, rivals)| (code, rivals.into_iter().map(|one| one.value).collect()))
        .collect();
    assert_eq!(ours, their_cells(&loaded));
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

#[expect(
    clippy::disallowed_methods,
    reason = "the seed of a test run comes from outside"
)]
fn number_from(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => default,
    }
}

#[test]
fn no_mutant_escapes() {
    let seed = number_from("DONGBO_SEED", 2026);
    let mutants = number_from("DONGBO_MUTANTS", 200_000);
    println!("DONGBO_SEED={seed} DONGBO_MUTANTS={mutants}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    let scenarios = 40;
    for _ in 0..scenarios {
        let moments = scenario(&mut rng, 12);
        let pool = Pool::new(&moments);
        let mut left = mutants / scenarios;
        while left > 0 {
            let moment = &moments[rng.random_range(0..moments.len())];
            let bytes = mutant(&mut rng, &pool, moment);
            if bytes != moment.change.bytes {
                *outcomes.entry(offer(moment, &bytes)).or_default() += 1;
                left -= 1;
            }
        }
    }
    let total: u64 = outcomes.values().sum();
    println!("{total} mutants: {outcomes:#?}");
    let passed = outcomes["passed"];
    assert!(
        passed > total / 50,
        "hardly anything passes: the test looks at too little"
    );
    assert!(outcomes.len() >= 14, "some refusals were never met");
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

/// One change each of two people, the second having received the first.
fn two_changes() -> (Document, DecodedChange, DecodedChange) {
    let mut document = Document::new(subject()).expect("a new document");
    let cell = |code: &str, number: i64| Edit {
        entry: Entry::Cell {
            code: code.to_owned(),
            value: CellValue::Number(number.into()),
        },
        typed_at: 1,
    };
    let first = document
        .write(actor(0), &[cell("1", 5), cell("2", 6)])
        .expect("writes");
    let before = document.clone();
    let second = document.write(actor(1), &[cell("1", 7)]).expect("writes");
    let decoded = |change: &NewChange| decode(&change.bytes).expect("decodes");
    (before, decoded(&first), decoded(&second))
}

fn judged(document: &Document, person: usize, content: &ChangeContent) -> Judgement {
    let change = decode(&encode(content).0).expect("the bytes are in order");
    let Ok(judgement) = judge(&change, actor(person), key(person), document.history());
    judgement
}

/// Automerge accepts a put of one cell whose predecessor is an operation on another cell: it empties
/// the other cell, and the next file it saves cannot be loaded. The gate looks the predecessor up.
#[test]
fn a_predecessor_of_another_cell_is_refused() {
    let (document, first, second) = two_changes();
    let mut content = second.content.clone();
    content.ops[0].pred = vec![OpId {
        counter: first.content.start_op + 1,
        actor: actor(0),
    }];
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::OtherTarget(0))
    );
    assert!(matches!(
        judged(&document, 1, &second.content),
        Judgement::Passed(_)
    ));
}

/// Automerge panics when it applies an operation on an object that it does not have.
#[test]
fn an_unknown_object_is_refused() {
    let (document, _, second) = two_changes();
    let mut content = second.content.clone();
    content.ops[0].pred.clear();
    content.ops[0].object = Some(OpId {
        counter: 7,
        actor: Table::Cells.object().actor,
    });
    let operation = |result| matches!(result, Err(GateError::Operation { index: 0, .. }));
    assert!(operation(decode(&encode(&content).0)));
    content.ops[0].object = None;
    assert!(operation(decode(&encode(&content).0)));
    // A text that nobody declared.
    content.ops[0] = Op {
        object: Some(
            extension_change(&subject(), "chung")
                .expect("a section")
                .text(),
        ),
        key: Key::Head,
        insert: true,
        action: Action::Put,
        value: Value::Text("a".to_owned()),
        pred: Vec::new(),
    };
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::NotInPast(0))
    );
    // Declared, but the change does not depend on the extension: elsewhere it might be applied first.
    let mut declared = document.clone();
    let extension = extension_change(&subject(), "chung").expect("a section");
    declared.declare(&extension).expect("declares");
    assert_eq!(
        judged(&declared, 1, &content),
        Judgement::Refused(Refusal::NotInPast(0))
    );
    content.deps.push(extension.built.hash);
    content.deps.sort_unstable();
    assert!(matches!(
        judged(&declared, 1, &content),
        Judgement::Passed(_)
    ));
}

/// A predecessor that is known here but not in the past of the change would be refused by a node
/// that has not received it yet, so it is refused everywhere.
#[test]
fn a_predecessor_beside_the_past_is_refused() {
    let (_, first, second) = two_changes();
    let mut document = Document::new(subject()).expect("a new document");
    document
        .apply([encode(&first.content).0.as_slice()])
        .expect("applies");
    let mut content = second.content.clone();
    content.deps = vec![genesis_change(&subject()).hash];
    content.start_op = 11;
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::NotInPast(0))
    );
    content.ops[0].pred.clear();
    assert!(matches!(
        judged(&document, 1, &content),
        Judgement::Passed(_)
    ));
}

/// A change of 61 bytes with the largest operation number makes every later local edit panic.
#[test]
fn an_operation_number_near_the_end_is_refused() {
    let (document, _, second) = two_changes();
    let mut content = second.content.clone();
    for start_op in [u64::from(u32::MAX), u64::MAX, 1 << 31] {
        content.start_op = start_op;
        assert_eq!(
            decode(&encode(&content).0),
            Err(GateError::Limit("operation number"))
        );
    }
    content.start_op = 1_000;
    assert!(matches!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::StartOp { .. })
    ));
}

/// A compressed chunk of one megabyte can ask for gigabytes; documents and bundles hold other
/// people's changes. Only the plain change chunk comes in.
#[test]
fn other_chunks_are_refused() {
    let mut document = Document::new(subject()).expect("a new document");
    let text = Entry::NarrativeText {
        section: "chung".to_owned(),
        text: "x".repeat(400),
    };
    let edit = Edit {
        entry: text,
        typed_at: 1,
    };
    let change = document.write(actor(0), &[edit]).expect("writes");
    let mut theirs = automerge::Change::try_from(change.bytes.as_slice()).expect("parses");
    let compressed = theirs.bytes().into_owned();
    assert_eq!(
        compressed[8], 2,
        "the change is long enough to be compressed"
    );
    assert_eq!(decode(&compressed), Err(GateError::ChunkType(2)));
    assert_eq!(decode(&document.save()), Err(GateError::ChunkType(0)));
    assert_eq!(decode(b""), Err(GateError::Magic));
    assert_eq!(decode(&vec![0; 200_000]), Err(GateError::Limit("bytes")));
    let two = [change.bytes.as_slice(), &change.bytes].concat();
    assert_eq!(decode(&two), Err(GateError::Malformed("envelope")));
    // Extra bytes behind the columns, which Automerge would keep as an author.
    let mut body = body_of(&change.bytes).to_vec();
    body.push(0);
    assert_eq!(decode(&seal(&body)), Err(GateError::Malformed("columns")));
}

/// Two changes of one actor with one number split a document for good; a tablet restored from a
/// backup is enough to make them.
#[test]
fn a_second_change_of_one_number_is_named_as_evidence() {
    let (document, first, _) = two_changes();
    let mut content = first.content.clone();
    content.time += 1;
    assert_eq!(
        judged(&document, 0, &content),
        Judgement::Refused(Refusal::Equivocation(first.hash))
    );
    assert_eq!(judged(&document, 0, &first.content), Judgement::Duplicate);
    content.seq = 3;
    let expected = Refusal::Sequence {
        expected: 1,
        found: 3,
    };
    assert_eq!(judged(&document, 0, &content), Judgement::Refused(expected));
}

/// Another person's sign-off, and another person's chain.
#[test]
fn nobody_writes_under_the_name_of_another() {
    let (document, _, second) = two_changes();
    assert_eq!(
        judged(&document, 2, &second.content),
        Judgement::Refused(Refusal::Actor(actor(1)))
    );
    let mut content = second.content.clone();
    content.ops[0] = Op {
        object: Some(Table::SignOffs.object()),
        key: Key::Map(format!("{}/1", key(0))),
        insert: false,
        action: Action::Put,
        value: Value::Bytes(
            SignOff {
                statement: Statement::Approved,
                capacity: Capacity::Own,
                heads: content.deps.clone(),
                reason: String::new(),
            }
            .encode(),
        ),
        pred: Vec::new(),
    };
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::SignOffKey(0))
    );
    content.ops[0].key = Key::Map(format!("{}/1", key(1)));
    assert!(matches!(
        judged(&document, 1, &content),
        Judgement::Passed(_)
    ));
}
