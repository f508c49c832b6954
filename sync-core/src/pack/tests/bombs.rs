//! Bombs: few bits that say much are refused while they are read, not when memory is full of them.

use super::world::{NOW, World, sealed, subject};
use crate::batch::{Entry, SignedPart};
use crate::cell::CellValue;
use crate::document::{Edit, Table};
use crate::gate::{self, Action, Key, Op, Value};
use crate::identity::ChangeHash;
use crate::limits;
use crate::pack::batch::Exchange;
use crate::pack::budget::Budget;
use crate::pack::coder::{Encoder, Pipe};
use crate::pack::{Ground, Own, Shared, Signatures, Timed, Trouble, digest, try_pack, try_unpack};

/// Changes of a bomb.
const CHANGES: usize = 16;

/// A part of one document, signed by nobody, with these changes.
fn part_of(world: &World, changes: Vec<(ChangeHash, Vec<u8>)>) -> Timed {
    let edit = Edit {
        entry: crate::document::Entry::Cell {
            code: "a".into(),
            value: CellValue::Empty,
        },
        typed_at: NOW,
    };
    let work = [(subject("bao-cao", 0, "2026"), vec![edit])];
    let honest = sealed(&mut world.device(0), &work, NOW);
    let mut part = honest[0].part().clone();
    let document = part.entries[0].document();
    part.entries.truncate(1);
    for (hash, _) in &changes {
        part.entries.push(Entry::Change {
            document,
            hash: *hash,
        });
    }
    let changes = changes.into_iter().map(|(_, bytes)| bytes).collect();
    let header = honest[0].header();
    let bomb = SignedPart::new(
        header,
        *honest[0].signature().unwrap(),
        0,
        Vec::new(),
        part,
        changes,
    );
    (NOW, bomb)
}

/// Packs without looking at how much it becomes: what no side does.
fn carelessly(ground: &Ground<'_>, parts: &[Timed]) -> Vec<u8> {
    let mut pipe = Encoder::new();
    *pipe.budget() = Budget::ENDLESS;
    let own = Own::of(ground, parts).unwrap();
    let mut exchange = Exchange::new(pipe, (ground, Signatures::Carried), Some(own));
    // A part beyond the limits of the form cannot be finished, but its bits are told by then.
    let _ = exchange.parts(Some(parts));
    let mut bytes = digest(parts).to_vec();
    bytes.extend(exchange.into_pipe().into_bytes());
    bytes
}

fn check(changes: Vec<(ChangeHash, Vec<u8>)>, refused_for: &'static str) {
    let world = World::new(1, 1, &["bao-cao"]);
    let ground = Ground {
        keyspace: &world.keyspace,
        names: world.catalogue.names(),
        shared: Shared::Nothing,
    };
    let parts = [part_of(&world, changes)];
    let bytes = carelessly(&ground, &parts);
    assert!(bytes.len() < 8_000, "no bomb: {} bytes", bytes.len());
    assert_eq!(
        try_unpack(&ground, &bytes, Signatures::Carried),
        Err(Trouble::Limit(refused_for))
    );
    assert!(matches!(
        try_pack(&ground, &parts, Signatures::Carried),
        Err(Trouble::Limit(_))
    ));
}

#[test]
fn letters_are_counted_as_they_are_told() {
    let bytes = vec![0; limits::CHANGE_BYTES_MAX];
    check(
        vec![(ChangeHash([7; 32]), bytes); CHANGES],
        "letters unpacked",
    );
}

/// A put of nothing, again and again, is a hundred bytes as a change and some bits as a packing.
#[test]
fn operations_are_counted_as_they_are_told() {
    let world = World::new(1, 1, &["bao-cao"]);
    let edit = Edit {
        entry: crate::document::Entry::Cell {
            code: "a".into(),
            value: CellValue::Empty,
        },
        typed_at: NOW,
    };
    let work = [(subject("bao-cao", 0, "2026"), vec![edit])];
    let honest = sealed(&mut world.device(0), &work, NOW);
    let mut content = gate::decode(&honest[0].changes()[0]).unwrap().content;
    content.ops = vec![
        Op {
            object: Some(Table::Cells.object()),
            key: Key::Map("a".into()),
            insert: false,
            action: Action::Put,
            value: Value::Null,
            pred: Vec::new(),
        };
        limits::OPERATIONS_PER_CHANGE_MAX
    ];
    let (bytes, hash) = gate::encode(&content);
    gate::decode(&bytes).expect("the gate lets it through");
    check(vec![(hash, bytes); CHANGES], "operations of a packing");
}
