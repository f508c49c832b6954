//! Undo as an algebra: back and forth comes to the same, and what others typed is never touched.

use proptest::prelude::*;

use super::*;
use crate::cell::CellValue;
use crate::document::{Edit, Subject, SubjectKind};
use crate::identity::{InstallationId, KeyId, UnitId};

const CODES: [&str; 3] = ["1", "1.1", "2"];

fn actor(person: u8) -> ActorId {
    ActorId::of(KeyId::of(&[person; 32]), InstallationId([1; 8]))
}

fn document() -> Document {
    let subject = Subject {
        kind: SubjectKind::Report,
        template: "bao-cao".to_owned(),
        unit: UnitId([1; 8]),
        period: "2025".to_owned(),
    };
    Document::new(subject).expect("a document")
}

fn cell(code: &str, value: i64) -> Entry {
    Entry::Cell {
        code: code.to_owned(),
        value: CellValue::Number(value.into()),
    }
}

fn say(document: &mut Document, person: u8, entries: &[Entry]) {
    let edit = |entry: &Entry| Edit {
        entry: entry.clone(),
        typed_at: 0,
    };
    let edits: Vec<Edit> = entries.iter().map(edit).collect();
    if !edits.is_empty() {
        document.write(actor(person), &edits).expect("written");
    }
}

/// A tablet of the first person: its document, and what is kept of its steps.
struct Tablet {
    document: Document,
    rows: BTreeMap<u64, Vec<u8>>,
}

impl Tablet {
    fn new() -> Self {
        Self {
            document: document(),
            rows: BTreeMap::new(),
        }
    }

    /// The steps as they would be read after the app was closed.
    fn history(&self) -> UndoHistory {
        UndoHistory::read(self.rows.iter().map(|(step, row)| (*step, row.as_slice())))
    }

    fn keep(&mut self, rows: StepRows) {
        for (step, row) in rows {
            match row {
                Some(row) => self.rows.insert(step, row),
                None => self.rows.remove(&step),
            };
        }
    }

    fn types(&mut self, entries: &[Entry]) {
        let replaced = Replaced::by(&self.document, entries);
        let rows = self.history().typed(replaced);
        say(&mut self.document, 1, entries);
        self.keep(rows);
    }

    fn turn(&mut self, back: bool) -> Option<Turned> {
        let mut history = self.history();
        let own = |chain: &ActorId| *chain == actor(1);
        let (turned, rows) = match back {
            true => history.undo(history.back()?.step, &self.document, &own),
            false => history.redo(history.forth()?.step, &self.document, &own),
        };
        say(&mut self.document, 1, &turned.entries);
        self.keep(rows);
        assert_eq!(history, self.history(), "what is kept says the same");
        Some(turned)
    }

    fn values(&self) -> Vec<(String, Vec<CellValue>)> {
        let cells = self.document.cells().into_iter();
        let values = |rivals: Vec<crate::cell::Rival>| rivals.into_iter().map(|one| one.value);
        cells
            .map(|(code, rivals)| (code, values(rivals).collect()))
            .filter(|(_, values): &(_, Vec<_>)| values != &[CellValue::Empty])
            .collect()
    }
}

#[test]
fn a_step_is_taken_back_whole_and_done_again() {
    let mut tablet = Tablet::new();
    tablet.types(&[cell("1", 5)]);
    tablet.types(&[cell("1", 6), cell("2", 7)]);
    assert_eq!(tablet.history().back().map(|step| step.values), Some(2));
    let turned = tablet.turn(true).expect("offered");
    assert_eq!(turned.entries.len(), 2);
    assert_eq!(
        tablet.values(),
        [("1".to_owned(), vec![CellValue::Number(5.into())])]
    );
    tablet.turn(false).expect("offered");
    tablet.turn(true).expect("offered");
    // Something new is typed: there is nothing to do again any more.
    tablet.types(&[cell("1.1", 1)]);
    assert_eq!(tablet.history().forth(), None);
    assert_eq!(tablet.turn(false), None);
}

#[test]
fn what_somebody_else_typed_over_it_stays_and_is_told() {
    let mut tablet = Tablet::new();
    tablet.types(&[cell("1", 5), cell("2", 6)]);
    say(&mut tablet.document, 2, &[cell("1", 9)]);
    let turned = tablet.turn(true).expect("offered");
    assert_eq!(turned.kept, [cell("1", 5)]);
    let nine = vec![CellValue::Number(9.into())];
    assert_eq!(tablet.values(), [("1".to_owned(), nine.clone())]);
    // Only what was taken back is done again.
    let turned = tablet.turn(false).expect("offered");
    assert_eq!((turned.entries.len(), turned.kept.len()), (1, 0));
    // The same value, said by somebody else, is theirs too.
    say(&mut tablet.document, 2, &[cell("2", 6)]);
    let turned = tablet.turn(true).expect("offered");
    assert_eq!(turned.kept, [cell("2", 6)]);
    assert_eq!(tablet.history().back(), None, "nothing of it is left");
}

#[test]
fn rivals_are_neither_made_nor_settled_by_it() {
    let mut tablet = Tablet::new();
    let mut other = tablet.document.clone();
    say(&mut other, 2, &[cell("1", 9)]);
    tablet.types(&[cell("1", 5)]);
    let theirs: Vec<Vec<u8>> = vec![
        other
            .write(
                actor(2),
                &[Edit {
                    entry: cell("2", 1),
                    typed_at: 0,
                }],
            )
            .expect("written")
            .bytes,
    ];
    // The first change of the other replica is among those that the second names.
    assert!(
        tablet
            .document
            .apply(theirs.iter().map(Vec::as_slice))
            .is_err()
    );
    let mut first = document();
    let change = first
        .write(
            actor(2),
            &[Edit {
                entry: cell("1", 9),
                typed_at: 0,
            }],
        )
        .expect("written");
    tablet
        .document
        .apply([change.bytes.as_slice()])
        .expect("applied");
    let turned = tablet.turn(true).expect("offered");
    assert_eq!((turned.entries.len(), turned.kept.len()), (0, 1));
    // A choice between rivals is no step.
    tablet.types(&[cell("1", 9)]);
    assert_eq!(tablet.history().back(), None);
}

#[test]
fn asked_twice_it_is_done_once() {
    let mut tablet = Tablet::new();
    tablet.types(&[cell("1", 5)]);
    tablet.types(&[cell("1", 6)]);
    let mut history = tablet.history();
    let step = history.back().expect("offered").step;
    let own = |chain: &ActorId| *chain == actor(1);
    let (turned, _) = history.undo(step, &tablet.document, &own);
    assert_eq!(turned.entries, [cell("1", 5)]);
    let (again, rows) = history.undo(step, &tablet.document, &own);
    assert_eq!((again, rows), (Turned::default(), Vec::new()));
}

#[test]
fn the_oldest_steps_are_forgotten() {
    let mut tablet = Tablet::new();
    for value in 0..limits::UNDO_STEPS_MAX as i64 + 5 {
        tablet.types(&[cell("1", value)]);
    }
    assert_eq!(tablet.rows.len(), limits::UNDO_STEPS_MAX);
    let mut turns = 0;
    while tablet.turn(true).is_some() {
        turns += 1;
    }
    assert_eq!(turns, limits::UNDO_STEPS_MAX);
    assert_eq!(
        tablet.values(),
        [("1".to_owned(), vec![CellValue::Number(4.into())])]
    );
}

#[test]
fn a_damaged_row_costs_its_step_alone() {
    let mut tablet = Tablet::new();
    tablet.types(&[cell("1", 5)]);
    tablet.types(&[cell("2", 6)]);
    let row = tablet.rows.get_mut(&2).expect("kept");
    row.truncate(3);
    assert_eq!(tablet.history().back().map(|step| step.step), Some(1));
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one =
        (proptest::sample::select(&CODES[..]), 0i64..4).prop_map(|(code, value)| cell(code, value));
    proptest::collection::vec(one, 1..4)
}

proptest! {
    /// All the way back is the beginning, all the way forth the end, whatever was typed and wherever one stops.
    #[test]
    fn back_and_forth_comes_to_the_same(steps in proptest::collection::vec(entries(), 1..8), stop in 0usize..8) {
        let mut tablet = Tablet::new();
        let mut stood = vec![tablet.values()];
        for step in &steps {
            let before = tablet.values();
            tablet.types(step);
            if tablet.values() != before {
                stood.push(tablet.values());
            }
        }
        for _ in 0..stop {
            tablet.turn(true);
        }
        while tablet.turn(false).is_some() {}
        prop_assert_eq!(&tablet.values(), stood.last().expect("one"));
        while tablet.turn(true).is_some() {}
        prop_assert_eq!(tablet.values(), vec![]);
        while tablet.turn(false).is_some() {}
        prop_assert_eq!(&tablet.values(), stood.last().expect("one"));
    }

    /// Whatever is taken back and done again in between, what another person typed last stands.
    #[test]
    fn anothers_last_word_stands(
        steps in proptest::collection::vec((entries(), any::<bool>()), 1..10),
        turns in proptest::collection::vec(any::<bool>(), 0..20),
    ) {
        let mut tablet = Tablet::new();
        let mut theirs = BTreeMap::new();
        for (entries, own) in &steps {
            match own {
                true => tablet.types(entries),
                false => say(&mut tablet.document, 2, entries),
            }
            for entry in entries {
                if let Entry::Cell { code, value } = entry {
                    match own {
                        true => theirs.remove(code),
                        false => theirs.insert(code.clone(), value.clone()),
                    };
                }
            }
        }
        for back in turns {
            tablet.turn(back);
        }
        let cells = tablet.document.cells();
        for (code, value) in theirs {
            prop_assert_eq!(&cells[&code][0].value, &value);
        }
    }
}
