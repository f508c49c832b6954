//! Documents against Automerge as the oracle: random work on three replicas, delivered in any order.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, ReadDoc, ScalarValue};
use proptest::prelude::*;

use super::*;
use crate::gate::{ChangeContent, Key, MemoryHistory, judge};
use crate::identity::{InstallationId, UnitId, labelled_id};

const CODES: [&str; 3] = ["1", "1.1", "2"];
const SECTIONS: [&str; 2] = ["chung", "kien-nghi"];

fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".to_owned(),
        unit: UnitId([1, 2, 3, 4, 5, 6, 7, 8]),
        period: "2022".to_owned(),
    }
}

fn key(person: u8) -> KeyId {
    KeyId::of(&[person; 32])
}

fn actor(person: u8) -> ActorId {
    ActorId::of(key(person), InstallationId([1; 8]))
}

fn cell(code: &str, value: CellValue, typed_at: i64) -> Edit {
    let code = code.to_owned();
    Edit {
        entry: Entry::Cell { code, value },
        typed_at,
    }
}

fn number(value: i64) -> CellValue {
    CellValue::Number(value.into())
}

/// One step of the work on three replicas, one person each.
#[derive(Debug, Clone)]
enum Step {
    /// The person at the replica types and seals.
    Type(usize, Vec<Edit>),
    /// The second replica receives everything that the first holds.
    Deliver(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let code = || proptest::sample::select(&CODES[..]).prop_map(str::to_owned);
    let section = || proptest::sample::select(&SECTIONS[..]).prop_map(str::to_owned);
    let value = prop_oneof![
        Just(CellValue::Empty),
        Just(CellValue::NoOccurrence),
        (-3i64..3).prop_map(number),
        Just(number(i64::MAX)),
        Just(CellValue::Number("99.65".parse().expect("a number"))),
        "[a=']{0,2}".prop_map(CellValue::Text),
    ];
    let sign_off = (1u8..7, any::<[u8; 32]>()).prop_map(|(statement, head)| SignOff {
        statement: Statement::of(statement).expect("a statement"),
        capacity: Capacity::Own,
        heads: vec![ChangeHash(head)],
        reason: String::new(),
    });
    let entry = prop_oneof![
        6 => (code(), value).prop_map(|(code, value)| Entry::Cell { code, value }),
        1 => (code(), proptest::option::of("[a-c]{0,3}"))
            .prop_map(|(code, text)| Entry::Note { code, text }),
        1 => (code(), (-3i64..3).prop_map(number))
            .prop_map(|(code, value)| Entry::Carried { code, value }),
        1 => (code(), proptest::option::of("[a-c]{0,3}"))
            .prop_map(|(code, text)| Entry::Source { code, text }),
        1 => (code(), proptest::option::of("[a-c]{0,3}"))
            .prop_map(|(code, text)| Entry::Reason { code, rule: "outlier".to_owned(), text }),
        1 => (code(), comment())
            .prop_map(|(code, comment)| Entry::Comment { code, key: key(0), comment }),
        1 => (1u32..4).prop_map(Entry::TemplateVersion),
        2 => (section(), "[a-cế]{0,6}")
            .prop_map(|(section, text)| Entry::NarrativeText { section, text }),
        1 => sign_off.prop_map(|sign_off| Entry::SignOff { key: key(0), sign_off }),
        1 => (0u8..2, proptest::option::of(Just("{\"name\":\"a\"}".to_owned())))
            .prop_map(|(blob, metadata)| Entry::Attachment { blob: [blob; 32], metadata }),
    ];
    (entry, -2i64..100).prop_map(|(entry, typed_at)| Edit { entry, typed_at })
}

fn comment() -> impl Strategy<Value = Comment> {
    prop_oneof![
        "[a-c]{1,3}".prop_map(Comment::Said),
        Just(Comment::Resolved(BTreeMap::from([(key(0), 1)]))),
        Just(Comment::Reopened),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0usize..3, proptest::collection::vec(edit(), 1..6))
            .prop_map(|(replica, edits)| Step::Type(replica, edits)),
        1 => (0usize..3, 0usize..3).prop_map(|(from, to)| Step::Deliver(from, to)),
    ]
}

struct Work {
    replicas: Vec<Document>,
    /// Every change with the replica that made it, in the order they were made.
    changes: Vec<(usize, NewChange)>,
}

impl Work {
    fn run(steps: &[Step]) -> Self {
        let new = || Document::new(subject()).expect("a new document");
        let mut work = Self {
            replicas: (0..3).map(|_| new()).collect(),
            changes: Vec::new(),
        };
        for step in steps {
            work.step(step);
        }
        work
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Type(replica, edits) => {
                let edits: Vec<Edit> = edits.iter().map(|edit| owned(edit, *replica)).collect();
                match self.replicas[*replica].write(actor(*replica as u8), &edits) {
                    Ok(change) => self.changes.push((*replica, change)),
                    Err(WriteError::Nothing) => {}
                    Err(error) => panic!("honest work is refused: {error:?}"),
                }
            }
            Step::Deliver(from, to) => {
                let source = self.replicas[*from].clone();
                let known = |change: &NewChange| source.history.get(&change.hash).is_some();
                let bytes: Vec<&[u8]> = self
                    .changes
                    .iter()
                    .filter(|(_, change)| known(change))
                    .map(|(_, change)| change.bytes.as_slice())
                    .collect();
                for section in source.sections() {
                    let extension = extension_change(&subject(), &section).expect("a section");
                    self.replicas[*to]
                        .declare(&extension)
                        .expect("an extension");
                }
                self.replicas[*to]
                    .apply(bytes)
                    .expect("honest changes apply");
            }
        }
    }

    fn converge(&mut self) {
        for (from, to) in [(0, 1), (1, 2), (2, 0), (0, 1)] {
            self.step(&Step::Deliver(from, to));
        }
    }
}

/// Sign-offs and comments are signed with the key of the person at the replica.
fn owned(edit: &Edit, replica: usize) -> Edit {
    let mut edit = edit.clone();
    if let Entry::SignOff { key: id, .. } | Entry::Comment { key: id, .. } = &mut edit.entry {
        *id = key(replica as u8);
    }
    edit
}

fn scalar(value: &automerge::Value<'_>) -> CellValue {
    let scalar = match value {
        automerge::Value::Scalar(scalar) => scalar.as_ref(),
        automerge::Value::Object(_) => panic!("an object in cells"),
    };
    let ours = match scalar {
        ScalarValue::Null => Value::Null,
        ScalarValue::Boolean(false) => Value::False,
        ScalarValue::Int(integer) => Value::Int(*integer),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Boolean(true)
        | ScalarValue::Bytes(_)
        | ScalarValue::Uint(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => panic!("no cell holds {scalar:?}"),
    };
    value::cell_from_value(&ours).expect("a cell")
}

/// The values of every cell as Automerge sees them, at heads.
fn automerge_cells(doc: &Automerge, heads: &[ChangeHash]) -> BTreeMap<String, BTreeSet<CellValue>> {
    let heads: Vec<_> = heads
        .iter()
        .map(|head| automerge::ChangeHash(head.0))
        .collect();
    let (_, cells) = doc
        .get(automerge::ROOT, "cells")
        .expect("reads")
        .expect("cells");
    doc.keys_at(&cells, &heads)
        .map(|code| {
            let all = doc.get_all_at(&cells, &code, &heads).expect("reads");
            (code, all.iter().map(|(value, _)| scalar(value)).collect())
        })
        .collect()
}

fn our_cells(document: &Document, heads: &[ChangeHash]) -> BTreeMap<String, BTreeSet<CellValue>> {
    document
        .cells_at(heads)
        .into_iter()
        .map(|(code, rivals)| (code, rivals.into_iter().map(|one| one.value).collect()))
        .collect()
}

fn check_against_automerge(work: &Work) {
    let document = &work.replicas[0];
    let loaded = Automerge::load(&document.save()).expect("a saved document loads");
    let heads = document.heads();
    let theirs: Vec<ChangeHash> = loaded
        .get_heads()
        .iter()
        .map(|head| ChangeHash(head.0))
        .collect();
    assert_eq!(theirs, heads);
    assert_eq!(
        our_cells(document, &heads),
        automerge_cells(&loaded, &heads)
    );
    for section in document.sections() {
        let text = text::text_object(&loaded, &section).expect("a text");
        assert_eq!(loaded.text(text).ok(), document.narrative(&section));
    }
    for (_, change) in &work.changes {
        // Loading forgets the bytes and writes them again from the operations, so this holds our
        // encoder to Automerge's.
        let hash = automerge::ChangeHash(change.hash.0);
        let theirs = loaded.get_change_by_hash(&hash).expect("our change");
        assert_eq!(theirs.raw_bytes(), change.bytes);
        let at = [change.hash];
        assert_eq!(our_cells(document, &at), automerge_cells(&loaded, &at));
    }
}

/// The gate lets every honest change through, and what it says it touches is what was typed.
fn check_gate(work: &Work) {
    let mut history = MemoryHistory::new(&subject());
    for section in work.replicas[0].sections() {
        history.declare(&extension_change(&subject(), &section).expect("a section"));
    }
    for (replica, new) in &work.changes {
        let change = decode(&new.bytes).expect("an honest change decodes");
        let (signer, key) = (actor(*replica as u8), key(*replica as u8));
        let Ok(judgement) = judge(&change, signer, key, &history);
        assert!(matches!(judgement, Judgement::Passed(_)), "{judgement:?}");
        assert_eq!((change.content.seq, change.hash), (new.seq, new.hash));
        history.insert(change.clone());
        let Ok(again) = judge(&change, signer, key, &history);
        assert_eq!(again, Judgement::Duplicate);
    }
}

fn check_extract(work: &Work, order: &[usize]) {
    let document = &work.replicas[0];
    let mut state = ExtractState::new(subject());
    for section in document.sections() {
        state.declare(&extension_change(&subject(), &section).expect("a section"));
    }
    let mut waiting: Vec<DecodedChangeOf> = work
        .changes
        .iter()
        .map(|(_, change)| decode(&change.bytes).expect("decodes"))
        .collect();
    let mut turn = order.iter().cycle();
    let mut known: BTreeSet<ChangeHash> = work.changes.iter().map(|(_, one)| one.hash).collect();
    while !waiting.is_empty() {
        let start = turn.next().copied().unwrap_or(0) % waiting.len();
        let next = (0..waiting.len())
            .map(|step| (start + step) % waiting.len())
            .find(|at| {
                !waiting[*at]
                    .content
                    .deps
                    .iter()
                    .any(|dep| known.contains(dep))
            })
            .expect("changes are in causal order");
        let change = waiting.remove(next);
        known.remove(&change.hash);
        state.apply(&change);
    }
    let extract = state.extract();
    assert_eq!(extract, document.extract());
    assert_eq!(state.encode_extract(), extract.encode());
    assert_eq!(Extract::decode(&extract.encode()), Ok(extract));
}

type DecodedChangeOf = crate::gate::DecodedChange;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn replicas_agree_with_each_other_and_with_automerge(
        steps in proptest::collection::vec(step(), 1..16),
        order in proptest::collection::vec(any::<usize>(), 1..5),
    ) {
        let mut work = Work::run(&steps);
        work.converge();
        let read = |document: &Document| {
            let texts: Vec<_> = SECTIONS.iter().map(|name| document.narrative(name)).collect();
            let history: Vec<_> = CODES.iter().map(|code| document.cell_history(code)).collect();
            (document.extract(), (document.margins(), document.carried().join(" ")), texts, history, document.sign_offs())
        };
        for replica in &work.replicas[1..] {
            prop_assert_eq!(read(replica), read(&work.replicas[0]));
        }
        check_gate(&work);
        check_against_automerge(&work);
        check_extract(&work, &order);
    }

    #[test]
    fn an_abandoned_chain_is_said_again(
        steps in proptest::collection::vec(step(), 1..12),
        kept in 0usize..12,
    ) {
        let mut work = Work::run(&steps);
        work.converge();
        let own: Vec<_> = work.changes.iter().filter(|(replica, _)| *replica == 0).collect();
        let kept = kept.min(own.len());
        let mut document = Document::new(subject()).expect("a new document");
        for section in work.replicas[0].sections() {
            document.declare(&extension_change(&subject(), &section).expect("a section")).expect("declares");
        }
        // Only what does not build on the forked changes is still there.
        let mut lost: BTreeSet<ChangeHash> = BTreeSet::new();
        let mut forked = Vec::new();
        for (replica, change) in &work.changes {
            let decoded = decode(&change.bytes).expect("decodes");
            let own_late = *replica == 0 && change.seq > kept as u64;
            let builds = decoded.content.deps.iter().any(|dep| lost.contains(dep));
            if own_late && !builds_on_others(&decoded.content, &lost, &forked) {
                lost.insert(change.hash);
                forked.push(decoded);
            } else if own_late || builds {
                lost.insert(change.hash);
            } else {
                document.apply([change.bytes.as_slice()]).expect("applies");
            }
        }
        let made = document.reauthor(&forked, actor(7)).expect("says them again");
        prop_assert_eq!(made.len(), forked.len());
        let by_old: BTreeMap<_, _> = forked.iter().zip(&made).map(|(old, new)| (old.hash, new.hash)).collect();
        for (old, new) in forked.iter().zip(&made) {
            let again = decode(&new.bytes).expect("decodes");
            prop_assert_eq!(again.typed_at, old.typed_at.clone());
            let original = &work.replicas[0];
            let values = |all: BTreeMap<String, Vec<Rival>>| -> BTreeMap<String, Vec<CellValue>> {
                all.into_iter().map(|(code, rivals)| (code, rivals.into_iter().map(|one| one.value).collect())).collect()
            };
            prop_assert_eq!(
                values(document.cells_at(&[by_old[&old.hash]])),
                values(original.cells_at(&[old.hash]))
            );
            for section in SECTIONS {
                prop_assert_eq!(
                    document.narrative_at(section, &[new.hash]),
                    original.narrative_at(section, &[old.hash])
                );
            }
        }
    }

    #[test]
    fn changes_apply_in_any_order(
        steps in proptest::collection::vec(step(), 1..12),
        order in any::<prop::sample::Index>(),
    ) {
        let mut work = Work::run(&steps);
        work.converge();
        let mut bytes: Vec<&[u8]> = work.changes.iter().map(|(_, change)| change.bytes.as_slice()).collect();
        if !bytes.is_empty() {
            let turn = order.index(bytes.len());
            bytes.rotate_left(turn);
            bytes.reverse();
        }
        let sections = work.replicas[0].sections();
        let loaded = Document::load(subject(), sections.iter().map(String::as_str), bytes).expect("loads");
        prop_assert_eq!(loaded.extract(), work.replicas[0].extract());
        prop_assert_eq!(loaded.narrative(SECTIONS[0]), work.replicas[0].narrative(SECTIONS[0]));
    }
}

/// True when the change depends on a lost change that is not among the forked ones.
fn builds_on_others(
    content: &ChangeContent,
    lost: &BTreeSet<ChangeHash>,
    forked: &[DecodedChangeOf],
) -> bool {
    content
        .deps
        .iter()
        .any(|dep| lost.contains(dep) && !forked.iter().any(|change| change.hash == *dep))
}

#[test]
fn genesis_and_extension_are_what_automerge_makes() {
    assert_eq!(root::GENESIS_ACTOR.0, labelled_id("genesis actor", &[b""]));
    let genesis = genesis_change(&subject());
    let extension = extension_change(&subject(), "chung").expect("a section");

    let mut theirs = Automerge::new().with_actor(root::GENESIS_ACTOR.0.as_slice().into());
    let mut transaction = theirs.transaction();
    use automerge::transaction::Transactable;
    let mut meta = None;
    for table in Table::ALL {
        let made = transaction
            .put_object(automerge::ROOT, table.name(), automerge::ObjType::Map)
            .expect("puts");
        if table == Table::Meta {
            meta = Some(made);
        }
    }
    let meta = meta.expect("meta");
    transaction.put(&meta, "period", "2022").expect("puts");
    transaction.put(&meta, "subject_kind", 1).expect("puts");
    transaction
        .put(&meta, "template", "bao-cao-cchc-2022")
        .expect("puts");
    transaction
        .put(&meta, "unit", "0102030405060708")
        .expect("puts");
    transaction.commit_with(automerge::transaction::CommitOptions::default().with_time(0));
    let made = theirs.get_last_local_change().expect("a change");
    assert_eq!(made.raw_bytes(), genesis.bytes);

    let mut theirs = theirs.with_actor(root::extension_actor("chung").0.as_slice().into());
    let mut transaction = theirs.transaction();
    let (_, narrative) = transaction
        .get(automerge::ROOT, "narrative")
        .expect("reads")
        .expect("there");
    transaction
        .put_object(narrative, "chung", automerge::ObjType::Text)
        .expect("puts");
    transaction.commit_with(automerge::transaction::CommitOptions::default().with_time(0));
    let made = theirs.get_last_local_change().expect("a change");
    assert_eq!(made.raw_bytes(), extension.built.bytes);
}

/// These bytes are below every document ever made. They must never change.
#[test]
fn genesis_and_extension_are_golden() {
    let genesis = genesis_change(&subject());
    let extension = extension_change(&subject(), "chung").expect("a section");
    let hexadecimal = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    assert_eq!(
        subject().document_id().to_string(),
        "b25103232f783ec6aa2c77e309877a8d"
    );
    assert_eq!(
        hexadecimal(&subject().encode()),
        "011162616f2d63616f2d636368632d3230323201020304050607080432303232"
    );
    assert_eq!(
        hexadecimal(&genesis.bytes),
        concat!(
            "856f4a8383b1efa601ba0100101f61cb9e7b93ed3630e7424d5cc61cf701010000000801040204155434",
            "0142045609572670020006040000060403760b6174746163686d656e74730563656c6c73046d65746109",
            "6e6172726174697665056e6f746573097369676e5f6f66667306706572696f640c7375626a6563745f6b",
            "696e640874656d706c61746504756e69740a0600040106007c461496028602323032320162616f2d6361",
            "6f2d636368632d32303232303130323033303430353036303730380a00"
        )
    );
    assert_eq!(
        genesis.hash.to_string(),
        "83b1efa6d77bb080014b7047c23a7ecaf4f17f0a357806daafcbe780069e0b08"
    );
    assert_eq!(
        hexadecimal(&extension.built.bytes),
        concat!(
            "856f4a83b7f0722d01690183b1efa6d77bb080014b7047c23a7ecaf4f17f0a357806daafcbe780069e0b",
            "08106f661bae3311270f72749dd3721cc03b010b000001101f61cb9e7b93ed3630e7424d5cc61cf70701",
            "020202150734014202560270027f017f047f056368756e67017f047f007f00"
        )
    );
    assert_eq!(
        extension.built.hash.to_string(),
        "b7f0722dc2c51f12a7eb4299e400de67423674c92c005da02479f2a66df5d304"
    );
}

#[test]
fn different_values_are_rivals_and_equal_ones_are_not() {
    let mut one = Document::new(subject()).expect("new");
    let mut two = one.clone();
    let first = one
        .write(
            actor(1),
            &[cell("1", number(5), 20), cell("2", number(7), 21)],
        )
        .expect("writes");
    let second = two
        .write(
            actor(2),
            &[cell("1", number(5), 10), cell("2", number(8), 11)],
        )
        .expect("writes");
    one.apply([second.bytes.as_slice()]).expect("applies");
    two.apply([first.bytes.as_slice()]).expect("applies");
    assert_eq!(one.cells(), two.cells());
    let cells = one.cells();
    assert_eq!(cells["1"].len(), 1);
    assert_eq!(
        (cells["1"][0].claimed_at, cells["1"][0].actor),
        (10, actor(2))
    );
    let values: Vec<_> = cells["2"].iter().map(|one| one.value.clone()).collect();
    assert_eq!(values, [number(7), number(8)]);

    let picked = one
        .write(actor(1), &[cell("2", number(8), 30)])
        .expect("writes");
    assert_eq!(one.cells()["2"].len(), 1);
    assert_eq!(one.cell_history("2").len(), 3);
    assert_eq!(one.cells_at(&two.heads()), two.cells());
    assert_eq!(
        decode(&picked.bytes).expect("decodes").content.ops[0]
            .pred
            .len(),
        2
    );
}

#[test]
fn emptying_is_a_value_and_a_value_typed_again_is_kept() {
    let mut document = Document::new(subject()).expect("new");
    for (value, typed_at) in [(number(5), 1), (number(5), 2), (CellValue::Empty, 3)] {
        document
            .write(actor(1), &[cell("1", value, typed_at)])
            .expect("writes");
    }
    let history: Vec<_> = document
        .cell_history("1")
        .iter()
        .map(|one| (one.value.clone(), one.claimed_at))
        .collect();
    assert_eq!(
        history,
        [(number(5), 1), (number(5), 2), (CellValue::Empty, 3)]
    );
    assert_eq!(document.cells()["1"][0].value, CellValue::Empty);
}

#[test]
fn changed_since_looks_at_cells_notes_and_narrative_only() {
    let mut document = Document::new(subject()).expect("new");
    document
        .write(actor(1), &[cell("1", number(5), 1)])
        .expect("writes");
    let signed = document.heads();
    let sign_off = SignOff {
        statement: Statement::Signed,
        capacity: Capacity::Own,
        heads: signed.clone(),
        reason: String::new(),
    };
    let entry = Entry::SignOff {
        key: key(1),
        sign_off,
    };
    for number in 1..3 {
        document
            .write(
                actor(1),
                &[Edit {
                    entry: entry.clone(),
                    typed_at: 2,
                }],
            )
            .expect("writes");
        assert_eq!(
            document.sign_offs().last().map(|one| one.number),
            Some(number)
        );
    }
    document
        .write(actor(1), &[cell("1", number(5), 3)])
        .expect("writes");
    assert!(!document.changed_since(&signed));
    let text = Entry::NarrativeText {
        section: "chung".to_owned(),
        text: "Tình hình".to_owned(),
    };
    let text = Edit {
        entry: text,
        typed_at: 4,
    };
    let change = document
        .write(actor(1), std::slice::from_ref(&text))
        .expect("writes");
    assert_eq!(change.sections, ["chung"]);
    assert!(document.changed_since(&signed));
    assert_eq!(document.write(actor(1), &[text]), Err(WriteError::Nothing));
}

#[test]
fn too_much_at_once_is_refused_and_nothing_is_written() {
    let mut document = Document::new(subject()).expect("new");
    let heads = document.heads();
    let many: Vec<Edit> = (0..9_000)
        .map(|index| cell(&index.to_string(), number(1), 1))
        .collect();
    assert_eq!(
        document.write(actor(1), &many),
        Err(WriteError::Gate(GateError::Limit("operations")))
    );
    let long = [cell("1", CellValue::Text("x".repeat(20_000)), 1)];
    assert_eq!(
        document.write(actor(1), &long),
        Err(WriteError::Gate(GateError::Limit("value")))
    );
    let bad = [cell("a\nb", number(1), 1)];
    assert!(matches!(
        document.write(actor(1), &bad),
        Err(WriteError::Gate(GateError::Operation { .. }))
    ));
    assert_eq!(document.heads(), heads);
    assert!(document.write(actor(1), &many[..2_000]).is_ok());
}

#[test]
fn missing_dependencies_are_named() {
    let mut one = Document::new(subject()).expect("new");
    let first = one
        .write(actor(1), &[cell("1", number(1), 1)])
        .expect("writes");
    let second = one
        .write(actor(1), &[cell("1", number(2), 2)])
        .expect("writes");
    let mut two = Document::new(subject()).expect("new");
    assert_eq!(
        two.apply([second.bytes.as_slice()]),
        Err(ApplyError::Missing(vec![first.hash]))
    );
    let both = [second.bytes.as_slice(), first.bytes.as_slice()];
    assert_eq!(two.apply(both), Ok(vec![first.hash, second.hash]));
    assert_eq!(two.apply(both), Ok(Vec::new()));
}

#[test]
fn keys_of_operations_are_those_of_the_schema() {
    let genesis = genesis_change(&subject());
    let names: Vec<_> = genesis.content.ops[..6]
        .iter()
        .map(|op| op.key.clone())
        .collect();
    let ours: Vec<_> = Table::ALL
        .iter()
        .map(|table| Key::Map(table.name().to_owned()))
        .collect();
    assert_eq!(names, ours);
}

/// Predecessors of one number stand in the order of their actors, which a new name turns round.
#[test]
fn an_abandoned_choice_between_rivals_is_said_again() {
    let mut people: Vec<u8> = vec![1, 2, 3];
    people.sort_by_key(|person| actor(*person));
    let [old, other, new] = people[..] else {
        panic!("three people")
    };
    let mut document = Document::new(subject()).expect("new");
    let mut beside = document.clone();
    let forked = document
        .write(actor(old), &[cell("1", number(5), 1)])
        .expect("writes");
    let rival = beside
        .write(actor(other), &[cell("1", number(6), 1)])
        .expect("writes");
    document.apply([rival.bytes.as_slice()]).expect("applies");
    let choice = document
        .write(actor(old), &[cell("1", number(6), 2)])
        .expect("writes");
    let decoded = [&forked, &choice].map(|change| decode(&change.bytes).expect("decodes"));
    assert_eq!(decoded[1].content.ops[0].pred.len(), 2);
    let made = beside
        .reauthor(&decoded, actor(new))
        .expect("says them again");
    assert_eq!(made.len(), 2);
    assert_eq!(beside.cells()["1"].len(), 1);
}

fn carried(code: &str, value: i64) -> Edit {
    Edit {
        entry: Entry::Carried {
            code: code.to_owned(),
            value: number(value),
        },
        typed_at: 1,
    }
}

/// What was carried forward is marked until somebody types it; typed beside it, it is theirs, on every replica.
#[test]
fn a_carried_value_is_marked_until_somebody_says_it() {
    let mut document = Document::new(subject()).expect("new");
    document
        .write(actor(1), &[carried("1", 5), carried("2", 6)])
        .expect("writes");
    assert_eq!(document.carried(), ["1", "2"]);
    assert_eq!(document.cells()["1"][0].value, number(5));
    let mut other = document.clone();
    let typed = other
        .write(actor(2), &[cell("1", number(5), 2)])
        .expect("writes");
    assert_eq!(other.carried(), ["2"]);
    // The same, carried again by somebody who did not know: the word of the one who typed it counts.
    let again = document
        .write(actor(1), &[carried("1", 5)])
        .expect("writes");
    document.apply([typed.bytes.as_slice()]).expect("applies");
    other.apply([again.bytes.as_slice()]).expect("applies");
    for replica in [&document, &other] {
        assert_eq!(replica.carried(), ["2"]);
        assert_eq!(
            replica.cells()["1"].len(),
            1,
            "equal values are no conflict"
        );
    }
    let empty = Edit {
        entry: Entry::Carried {
            code: "1".to_owned(),
            value: CellValue::Empty,
        },
        typed_at: 1,
    };
    assert_eq!(
        document.write(actor(1), &[empty]),
        Err(WriteError::NothingToCarry)
    );
}

fn said(person: u8, text: &str) -> Edit {
    Edit {
        entry: Entry::Comment {
            code: "1".to_owned(),
            key: key(person),
            comment: Comment::Said(text.to_owned()),
        },
        typed_at: 1,
    }
}

/// Comments of two people who were apart are one set; a resolution beside one does not hide it; none of it is a
/// change of what was signed, and no other reader mistakes it for a note.
#[test]
fn comments_merge_as_a_set_and_are_no_content() {
    let mut document = Document::new(subject()).expect("new");
    document
        .write(actor(1), &[cell("1", number(5), 1), said(1, "sao tăng?")])
        .expect("writes");
    let signed = document.heads();
    let mut other = document.clone();
    let resolution = document.thread("1").resolution().expect("something");
    let resolve = Edit {
        entry: Entry::Comment {
            code: "1".to_owned(),
            key: key(1),
            comment: resolution,
        },
        typed_at: 2,
    };
    let resolved = document.write(actor(1), &[resolve]).expect("writes");
    assert!(!document.thread("1").is_open());
    let beside = other
        .write(actor(2), &[said(2, "đang hỏi"), said(2, "đã rõ")])
        .expect("writes");
    document.apply([beside.bytes.as_slice()]).expect("applies");
    other.apply([resolved.bytes.as_slice()]).expect("applies");
    assert_eq!(document.margins(), other.margins());
    let thread = document.thread("1");
    let numbers: Vec<_> = thread
        .comments
        .iter()
        .map(|one| (one.key, one.number))
        .collect();
    assert_eq!(thread.comments.len(), 4);
    for wanted in [(key(1), 1), (key(1), 2), (key(2), 1), (key(2), 2)] {
        assert!(numbers.contains(&wanted));
    }
    assert!(
        thread.is_open(),
        "what came beside the resolution was not read"
    );
    assert!(!document.changed_since(&signed));
    assert!(document.notes().is_empty());
    let source = Entry::Source {
        code: "1".to_owned(),
        text: Some("sổ theo dõi".to_owned()),
    };
    let source = Edit {
        entry: source,
        typed_at: 3,
    };
    document.write(actor(2), &[source]).expect("writes");
    assert!(document.changed_since(&signed));
    assert!(document.notes().is_empty());
}
