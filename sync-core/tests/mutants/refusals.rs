//! What the gate refuses and why, one by one: each would hurt the engine or somebody else's work.

use sync_core::cell::CellValue;
use sync_core::document::{
    Capacity, Comment, Document, Edit, Entry, MarginKey, NewChange, SignOff, Statement, Table,
    extension_change, genesis_change,
};
use sync_core::gate::{
    Action, ChangeContent, DecodedChange, GateError, Judgement, Key, Op, OpId, Refusal, Touch,
    Value, decode, encode, judge,
};

use crate::change_mutation::{body_of, seal};
use crate::changes::{actor, key, subject};

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
    let comment = |of, number: u64| Key::Map(MarginKey::Comment(key(of), number).key("1"));
    content.ops[0].object = Some(Table::Notes.object());
    content.ops[0].value = Value::Bytes(Comment::Said("ký thay".to_owned()).encode());
    content.ops[0].key = comment(0, 1);
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Refused(Refusal::CommentKey(0))
    );
    content.ops[0].key = comment(1, 1);
    assert_eq!(
        judged(&document, 1, &content),
        Judgement::Passed(vec![Touch::Comment("1".to_owned())])
    );
}

/// MarginKey a cell stand a note, a source, reasons and comments, each under its key and of its kind, and nothing else.
#[test]
fn beside_a_cell_stands_what_has_a_place_there_and_nothing_else() {
    let (_, _, second) = two_changes();
    let shaped = |at: &str, value: &Value, pred: Vec<OpId>| {
        let mut content = second.content.clone();
        content.ops = vec![Op {
            object: Some(Table::Notes.object()),
            key: Key::Map(at.to_owned()),
            insert: false,
            action: Action::Put,
            value: value.clone(),
            pred,
        }];
        decode(&encode(&content).0).map(|_| ())
    };
    let words = Value::Text("sổ".to_owned());
    let said = Value::Bytes(Comment::Said("sao?".to_owned()).encode());
    let comment = MarginKey::Comment(key(1), 1).key("1");
    let written = [
        (MarginKey::Source.key("1"), &words),
        (MarginKey::Source.key("1"), &Value::Null),
        (MarginKey::Reason("outlier").key("1"), &words),
        (comment.clone(), &said),
    ];
    for (at, value) in &written {
        assert_eq!(shaped(at, value, Vec::new()), Ok(()), "{at:?}");
    }
    let refused = [
        (MarginKey::Source.key("1"), &said),
        (MarginKey::Source.key("1"), &Value::False),
        (MarginKey::Source.key(""), &words),
        (MarginKey::Reason("Outlier").key("1"), &words),
        (MarginKey::Reason("").key("1"), &words),
        (comment.clone(), &words),
        (comment.clone(), &Value::Null),
        (comment.clone(), &Value::Bytes(vec![1, 3, 0])),
        (MarginKey::Comment(key(1), 0).key("1"), &said),
        ("1\u{1f}other".to_owned(), &words),
        ("1\u{1f}".to_owned(), &words),
    ];
    for (at, value) in &refused {
        let result = shaped(at, value, Vec::new());
        let operation = matches!(result, Err(GateError::Operation { index: 0, .. }));
        assert!(operation, "{at:?} {value:?}: {result:?}");
    }
    // Written once: it replaces nothing, and nothing replaces it.
    let pred = OpId {
        counter: 11,
        actor: actor(0),
    };
    assert!(shaped(&comment, &said, vec![pred]).is_err());
    let mut twice = second.content.clone();
    let op = Op {
        object: Some(Table::Notes.object()),
        key: Key::Map(comment),
        insert: false,
        action: Action::Put,
        value: said,
        pred: Vec::new(),
    };
    twice.ops = vec![op.clone(), op];
    assert!(matches!(
        decode(&encode(&twice).0),
        Err(GateError::Operation { index: 1, .. })
    ));
    // A code stands at the key of a cell, and a key is never longer than a code, its place and its author.
    let mut content = second.content.clone();
    content.ops[0].key = Key::Map(MarginKey::Source.key("1"));
    assert!(decode(&encode(&content).0).is_err());
    let long = "a".repeat(200);
    assert_eq!(
        shaped(&long, &words, Vec::new()),
        Err(GateError::Limit("key"))
    );
    assert!(shaped(&"a".repeat(65), &words, Vec::new()).is_err());
}
