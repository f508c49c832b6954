//! Roll-up: incremental is from nothing, nothing is averaged, conflicts stay ranges.

use super::*;
use crate::catalogue::UnitRecord;
use crate::cell::CellValue;
use crate::form::formula::Unresolved;
use crate::identity::{ActorId, ChangeHash};
use crate::number::{Number, Range};
use crate::period::Period;
use proptest::prelude::*;

type Cells = BTreeMap<String, Vec<Rival>>;

fn unit_id(number: usize) -> UnitId {
    UnitId((number as u64).to_be_bytes())
}

fn rival(value: CellValue) -> Rival {
    Rival {
        value,
        actor: ActorId([0; 16]),
        claimed_at: 0,
        change: ChangeHash([0; 32]),
    }
}

fn number(text: &str) -> Number {
    Number::from_canonical(text).expect("canonical in the test")
}

/// Cells from text: `5`, `-` for empty on purpose, `0!` for no occurrence, `'words`, `5|7` for
/// rivals.
fn cells(typed: &[(&str, &str)]) -> Cells {
    let value = |text: &str| match text {
        "-" => CellValue::Empty,
        "0!" => CellValue::NoOccurrence,
        text => match text.strip_prefix('\'') {
            Some(words) => CellValue::Text(words.to_owned()),
            None => CellValue::Number(number(text)),
        },
    };
    let rivals = |text: &str| text.split('|').map(|one| rival(value(one))).collect();
    let cell = |(code, text): &(&str, &str)| ((*code).to_owned(), rivals(text));
    typed.iter().map(cell).collect()
}

fn submission(cells: &Cells) -> Submission<'_> {
    Submission {
        cells,
        template_version: 1,
        late: false,
    }
}

/// One row of every kind of figure.
fn template() -> Arc<Template> {
    let json = r#"{"schema":1,"id":"t","version":1,"title":"T","period":"year","sections":[{"id":"s","title":"S","indicators":[{"code":"all","label":"Tổng","kind":"integer","formula":"[done] + [open]"},{"code":"done","label":"Xong","kind":"integer","parent":"all"},{"code":"open","label":"Chưa","kind":"integer","parent":"all"},{"code":"rate","label":"Tỷ lệ","kind":"percent","formula":"100 * [done] / [all]"},{"code":"twice","label":"Gấp đôi","kind":"decimal","formula":"2 * [rate]"},{"code":"loose","label":"Rời","kind":"percent"},{"code":"money","label":"Tiền","kind":"money_million_vnd","cumulative":true},{"code":"way","label":"Cách","kind":"choice","choices":[{"value":0,"label":"a"},{"value":1,"label":"b"}]},{"code":"words","label":"Lời","kind":"text"}]}]}"#;
    Arc::new(Template::from_json(json.as_bytes()).expect("a template"))
}

/// A tree from parents by number; unit 0 is the top.
fn tree(parents: &[usize]) -> Arc<OrgTree> {
    let record = |number: usize, parent: Option<usize>| UnitRecord {
        unit: unit_id(number),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: format!("{number:04}"),
        name: format!("Xã {number}"),
        parent: parent.map(unit_id),
        kind: "commune".into(),
        groups: Vec::new(),
    };
    let below = parents
        .iter()
        .enumerate()
        .map(|(index, parent)| record(index + 1, Some(*parent)));
    let records = std::iter::once(record(0, None)).chain(below);
    Arc::new(OrgTree::new(records).expect("a tree"))
}

fn due(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<UnitId> {
    numbers.into_iter().map(unit_id).collect()
}

/// The top's table over three communes in two areas with these reports.
fn top_of(reports: [&[(&str, &str)]; 3]) -> Table {
    let all: Vec<Cells> = reports.iter().map(|typed| cells(typed)).collect();
    let submissions = all
        .iter()
        .enumerate()
        .map(|(n, cells)| (unit_id(n + 3), submission(cells)));
    let roll_up =
        RollUp::of_submissions(template(), tree(&[0, 0, 1, 1, 2]), &due(3..6), submissions);
    let table = roll_up.expect("all are due").table(unit_id(0));
    table.expect("the top is in the tree")
}

fn figure<'a>(table: &'a Table, code: &str) -> &'a Figure {
    &table.figures[template().row_index(code).expect("a row")]
}

fn range(low: &str, high: &str) -> Range {
    Range::between(number(low), number(high))
}

#[test]
fn ratios_come_from_summed_parts_and_are_never_averaged() {
    let table = top_of([
        &[("done", "1"), ("open", "0"), ("rate", "100")],
        &[("done", "0"), ("open", "9"), ("rate", "0")],
        &[("done", "0!"), ("open", "-"), ("loose", "7")],
    ]);
    assert_eq!(
        figure(&table, "done").value,
        FigureValue::Sum(range("1", "1"))
    );
    assert_eq!(figure(&table, "done").counted, 3);
    assert_eq!(figure(&table, "done").no_occurrence, 1);
    // Emptied on purpose is not zero: two counted.
    assert_eq!(figure(&table, "open").counted, 2);
    // Nobody typed the total; the formula gave it where both parts were there.
    assert_eq!(
        figure(&table, "all").value,
        FigureValue::Sum(range("10", "10"))
    );
    assert_eq!(figure(&table, "all").counted, 2);
    assert_eq!(
        figure(&table, "rate").value,
        FigureValue::Recomputed(range("10", "10"))
    );
    assert_eq!(
        figure(&table, "twice").value,
        FigureValue::Recomputed(range("20", "20"))
    );
    assert_eq!(
        figure(&table, "loose").value,
        FigureValue::Spread(range("7", "7"))
    );
    assert!(table.coverage.is_complete());
}

#[test]
fn a_conflict_makes_ranges_all_the_way_up() {
    let table = top_of([
        &[("done", "5|7|-"), ("open", "5"), ("loose", "3|9")],
        &[("done", "5"), ("open", "10"), ("loose", "5")],
        &[("words", "'a|'b"), ("done", "4|4"), ("open", "0")],
    ]);
    // Settled on empty the first report would add nothing.
    assert_eq!(
        figure(&table, "done").value,
        FigureValue::Sum(range("9", "16"))
    );
    assert!(figure(&table, "done").is_provisional());
    assert_eq!(
        figure(&table, "open").value,
        FigureValue::Sum(range("15", "15"))
    );
    assert!(!figure(&table, "open").is_provisional());
    assert_eq!(
        figure(&table, "all").value,
        FigureValue::Sum(range("24", "31"))
    );
    assert_eq!(
        figure(&table, "loose").value,
        FigureValue::Spread(range("3", "9"))
    );
    assert!(figure(&table, "rate").is_provisional());
    let rate = figure(&table, "rate").value.range().expect("a range");
    // Whatever is settled: 9 of 24, 14 of 29, 16 of 31.
    for (done, all) in [(9, 24), (14, 29), (16, 31)] {
        let settled = Number::from(100 * done)
            .checked_div(Number::from(all))
            .expect("small");
        assert!(rate.contains(settled), "{settled} not in {rate:?}");
    }
    assert_eq!(table.coverage.in_conflict, 2);
    assert!(!table.coverage.is_complete());
}

#[test]
fn choices_are_counted_and_words_are_listed() {
    let table = top_of([
        &[("way", "1"), ("words", "'một"), ("done", "'năm")],
        &[("way", "1"), ("words", "12")],
        &[("way", "7")],
    ]);
    let way = figure(&table, "way");
    assert_eq!(
        way.value,
        FigureValue::Choices(BTreeMap::from([(number("1"), 2)]))
    );
    assert_eq!((way.counted, way.unusable), (2, 1));
    let expected = FigureValue::Texts {
        listed: vec![(unit_id(3), "một".into()), (unit_id(4), "12".into())],
        more: 0,
    };
    assert_eq!(figure(&table, "words").value, expected);
    assert_eq!(figure(&table, "done").value, FigureValue::Nothing);
    assert_eq!(figure(&table, "done").unusable, 1);
    assert_eq!(figure(&table, "rate").value, FigureValue::Nothing);
}

#[test]
fn what_cannot_be_computed_says_why() {
    let table = top_of([&[("done", "0"), ("open", "0")], &[], &[]]);
    let rate = &figure(&table, "rate").value;
    assert_eq!(*rate, FigureValue::Unresolved(Unresolved::DivisionByZero));
    let table = top_of([&[("done", "0|1"), ("open", "0")], &[], &[]]);
    let rate = &figure(&table, "rate").value;
    assert_eq!(*rate, FigureValue::Unresolved(Unresolved::Unbounded));
    let large = "9999999999999999999999999999";
    let table = top_of([&[("done", large)], &[("done", large)], &[]]);
    let done = &figure(&table, "done").value;
    assert_eq!(*done, FigureValue::Unresolved(Unresolved::TooManyDigits));
}

#[test]
fn coverage_and_drill_down_lead_to_the_units() {
    let (first, second) = (cells(&[("done", "5")]), cells(&[("done", "1|2")]));
    let mut roll_up = RollUp::new(template(), tree(&[0, 0, 1, 1, 2]), &due(3..6));
    roll_up
        .set_report(unit_id(3), Some(submission(&first)))
        .expect("due");
    let late = Submission {
        late: true,
        template_version: 2,
        ..submission(&second)
    };
    roll_up.set_report(unit_id(4), Some(late)).expect("due");
    let top = unit_id(0);
    let expected = Coverage {
        due: 3,
        reported: 2,
        late: 1,
        in_conflict: 1,
        other_version: 1,
    };
    assert_eq!(roll_up.coverage(top), Some(expected));
    assert_eq!(roll_up.missing(top), [unit_id(5)]);
    assert_eq!(roll_up.late(top), [unit_id(4)]);
    assert_eq!(roll_up.in_conflict(top), [unit_id(4)]);
    let parts = roll_up.contributions(top, "done").expect("known");
    let ranges: Vec<_> = parts
        .iter()
        .map(|part| part.figure.as_ref().map(|f| &f.value))
        .collect();
    let area = FigureValue::Sum(range("6", "7"));
    assert_eq!(ranges, [Some(&area), Some(&FigureValue::Nothing)]);
    let communes = roll_up.contributions(unit_id(1), "done").expect("known");
    assert_eq!(communes[0].cell, Some(RowCell::Number(number("5"))));
    assert!(matches!(&communes[1].cell, Some(RowCell::Conflict(rivals)) if rivals.len() == 2));
    let refused = roll_up.set_report(unit_id(1), None);
    assert_eq!(refused, Err(SetReportError::NotDue(unit_id(1))));
    let refused = roll_up.set_report(unit_id(99), None);
    assert_eq!(refused, Err(SetReportError::UnknownUnit(unit_id(99))));
}

#[test]
fn stated_figures_are_held_against_the_roll_up() {
    let stated = |typed: &[(&str, &str)]| -> BTreeMap<String, Number> {
        typed
            .iter()
            .map(|(code, text)| ((*code).to_owned(), number(text)))
            .collect()
    };
    let reports = [
        cells(&[("done", "2"), ("open", "1"), ("loose", "40"), ("way", "1")]),
        cells(&[("done", "1"), ("open", "2"), ("loose", "60")]),
    ];
    let submissions = reports
        .iter()
        .enumerate()
        .map(|(n, cells)| (unit_id(n + 1), submission(cells)));
    let roll_up = RollUp::of_submissions(template(), tree(&[0, 0]), &due(1..3), submissions);
    let roll_up = roll_up.expect("all are due");
    let right = stated(&[("done", "3"), ("rate", "50"), ("loose", "55"), ("way", "1")]);
    assert_eq!(roll_up.findings_against(unit_id(0), &right), Some(vec![]));
    let wrong = stated(&[
        ("done", "4"),
        ("rate", "50.6"),
        ("loose", "7"),
        ("money", "1"),
        ("x", "1"),
    ]);
    let findings = roll_up
        .findings_against(unit_id(0), &wrong)
        .expect("known unit");
    let rules: Vec<_> = findings
        .iter()
        .map(|f| (f.code.as_str(), f.rule.code()))
        .collect();
    assert_eq!(
        rules,
        [
            ("done", "sum_differs"),
            ("rate", "recomputed_differs"),
            ("loose", "outside_spread"),
            ("money", "nothing_reported"),
            ("x", "unknown_code"),
        ]
    );
}

#[test]
fn over_periods_flows_add_up_and_cumulative_takes_the_latest() {
    let quarter = |number: u8| Period::of_quarter(2022, number).expect("a quarter");
    let first = top_of([&[("done", "1"), ("open", "1"), ("money", "10.5")], &[], &[]]);
    let second = top_of([&[("done", "5"), ("open", "0"), ("money", "12")], &[], &[]]);
    let third = top_of([&[("done", "0"), ("open", "1")], &[], &[]]);
    let tables = [
        (quarter(3), &third),
        (quarter(1), &first),
        (quarter(2), &second),
    ];
    let year = over_periods(&template(), &tables);
    assert_eq!(
        figure(&year, "done").value,
        FigureValue::Sum(range("6", "6"))
    );
    // Nobody reported it in the third quarter: the latest that is known.
    assert_eq!(
        figure(&year, "money").value,
        FigureValue::Sum(range("12", "12"))
    );
    assert_eq!(
        figure(&year, "rate").value,
        FigureValue::Recomputed(range("75", "75"))
    );
    assert_eq!(year.coverage.due, 9);
}

/// What may be typed into any row.
fn any_value() -> impl Strategy<Value = CellValue> {
    prop_oneof![
        6 => (-50_i128..1_000, 0_u32..3).prop_map(|(digits, scale)| {
            CellValue::Number(Number::from_parts(digits, scale).expect("small"))
        }),
        1 => Just(CellValue::Empty),
        1 => Just(CellValue::NoOccurrence),
        1 => "[a-z]{1,3}".prop_map(CellValue::Text),
    ]
}

fn any_cells() -> impl Strategy<Value = Cells> {
    let codes = [
        "all", "done", "open", "rate", "loose", "money", "way", "words", "unknown",
    ];
    let rivals = prop_oneof![
        4 => proptest::collection::vec(any_value(), 1),
        1 => proptest::collection::vec(any_value(), 2..4),
    ];
    let cell = (proptest::sample::select(codes.to_vec()), rivals);
    proptest::collection::vec(cell, 0..10).prop_map(|typed| {
        let rivals = |values: Vec<CellValue>| values.into_iter().map(rival).collect();
        typed
            .into_iter()
            .map(|(code, values)| (code.to_owned(), rivals(values)))
            .collect()
    })
}

proptest! {
    /// Whatever is put in, replaced and taken out, in whatever tree: the totals are those of the
    /// reports that are there in the end, at every unit.
    #[test]
    fn incremental_is_from_nothing(
        parents in proptest::collection::vec(any::<prop::sample::Index>(), 1..12),
        owes in proptest::collection::vec(any::<bool>(), 13),
        steps in proptest::collection::vec(
            (any::<prop::sample::Index>(), proptest::option::weighted(0.8, any_cells()), any::<bool>()),
            0..24,
        ),
    ) {
        let parents: Vec<usize> =
            parents.iter().enumerate().map(|(number, parent)| parent.index(number + 1)).collect();
        let tree = tree(&parents);
        let due = due((0..=parents.len()).filter(|number| owes[*number]));
        let mut held: BTreeMap<UnitId, (Cells, bool)> = BTreeMap::new();
        let mut incremental = RollUp::new(template(), tree.clone(), &due);
        for (who, cells, late) in steps {
            let unit = unit_id(who.index(parents.len() + 1));
            let put = cells.as_ref().map(|cells| Submission { late, ..submission(cells) });
            let taken = incremental.set_report(unit, put);
            prop_assert_eq!(taken.is_ok(), due.contains(&unit));
            match cells {
                Some(cells) if taken.is_ok() => { held.insert(unit, (cells, late)); }
                Some(_) | None => { held.remove(&unit); }
            }
        }
        let submissions = held.iter().map(|(unit, (cells, late))| {
            (*unit, Submission { late: *late, ..submission(cells) })
        });
        let from_nothing = RollUp::of_submissions(template(), tree.clone(), &due, submissions);
        let from_nothing = from_nothing.expect("all are due");
        prop_assert_eq!(&incremental, &from_nothing);
        for unit in tree.units() {
            let table = incremental.table(unit.unit).expect("in the tree");
            let again = from_nothing.table(unit.unit).expect("in the tree");
            prop_assert_eq!(&table, &again);
            for (row, figure) in template().rows().iter().zip(&table.figures) {
                let alone = incremental.figure(unit.unit, &row.code);
                prop_assert_eq!(alone.as_ref(), Some(figure), "{}", row.code);
            }
        }
    }

    /// A figure is the sum of what opening it shows.
    #[test]
    fn contributions_add_up(reports in proptest::collection::vec(any_cells(), 6)) {
        let tree = tree(&[0, 0, 1, 1, 2]);
        let all = due(0..6);
        let submissions =
            reports.iter().enumerate().map(|(n, cells)| (unit_id(n), submission(cells)));
        let roll_up = RollUp::of_submissions(template(), tree.clone(), &all, submissions);
        let roll_up = roll_up.expect("all are due");
        for unit in tree.units() {
            for code in ["done", "money", "all"] {
                let whole = roll_up.figure(unit.unit, code).expect("known");
                let parts = roll_up.contributions(unit.unit, code).expect("known");
                let amounts = parts.iter().filter_map(|part| match (&part.figure, &part.cell) {
                    (Some(figure), _) => figure.value.range(),
                    (None, Some(cell)) => cell.amount(),
                    (None, None) => None,
                });
                let sum = amounts.reduce(|a, b| a.checked_add(b).expect("small"));
                prop_assert_eq!(whole.value.range(), sum, "{} {}", unit.code, code);
            }
        }
    }
}
