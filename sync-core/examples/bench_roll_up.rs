//! Measures the roll-up of a whole country: 3,321 communes of 146 rows. Run it in release mode.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a measuring program prints, reads the clock, and stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync_core::catalogue::UnitRecord;
use sync_core::catalogue_files;
use sync_core::cell::{CellValue, Rival};
use sync_core::document::{Document, Edit, Entry, Extract, ExtractState, Subject, SubjectKind};
use sync_core::form::{Kind, Template};
use sync_core::gate::decode;
use sync_core::identity::{ActorId, ChangeHash, InstallationId, KeyId, UnitId};
use sync_core::number::Number;
use sync_core::org_unit::OrgTree;
use sync_core::org_unit::import::import_table;
use sync_core::roll_up::{Report, RollUp, Submission};

const ROUNDS: usize = 21;

type Cells = BTreeMap<String, Vec<Rival>>;

fn country() -> OrgTree {
    let table = include_str!("../catalogue/org/viet-nam-2025.csv");
    let day = "2025-07-01".parse().expect("a day");
    let units = import_table(table, day).expect("a table of units");
    let codes: BTreeMap<&str, u64> = (1..)
        .zip(&units)
        .map(|(n, u)| (u.code.as_str(), n))
        .collect();
    let id = |code: &str| codes.get(code).map(|number| UnitId(number.to_be_bytes()));
    let country = UnitRecord {
        unit: UnitId([0; 8]),
        valid_from: day.to_string(),
        valid_to: None,
        code: "vn".into(),
        name: "Việt Nam".into(),
        parent: None,
        kind: "country".into(),
        groups: Vec::new(),
    };
    let record = |unit: &sync_core::org_unit::import::ImportedUnit| UnitRecord {
        unit: id(&unit.code).expect("its own code"),
        valid_from: day.to_string(),
        valid_to: None,
        code: unit.code.clone(),
        name: unit.name.clone(),
        parent: unit.parent_code.as_deref().map_or(Some(country.unit), id),
        kind: unit.kind.clone(),
        groups: Vec::new(),
    };
    let records: Vec<UnitRecord> = units.iter().map(record).collect();
    OrgTree::new(std::iter::once(country).chain(records)).expect("a tree")
}

/// Every row filled, but for what formulas give; some decimals, one conflict in fifty communes.
fn filled(template: &Template, commune: usize) -> Cells {
    let mut cells = Cells::new();
    for (row, indicator) in template.rows().iter().enumerate() {
        let digits = (commune * 31 + row * 17) % 900;
        let digits = i128::try_from(digits).expect("small");
        let scale = match indicator.kind {
            Kind::Percent => 1,
            Kind::MoneyMillionVnd => 2,
            Kind::Integer | Kind::Decimal | Kind::Choice | Kind::Text | Kind::Heading => 0,
        };
        let digits = if indicator.kind == Kind::Choice {
            digits % 2
        } else {
            digits
        };
        let rival = |extra: i128| Rival {
            value: CellValue::Number(Number::from_parts(digits + extra, scale).expect("small")),
            actor: ActorId([7; 16]),
            claimed_at: 1_700_000_000,
            change: ChangeHash([9; 32]),
        };
        let mut rivals = vec![rival(0)];
        if row == 5 && commune.is_multiple_of(50) {
            rivals.push(rival(3));
        }
        cells.insert(indicator.code.clone(), rivals);
    }
    cells
}

fn submission(cells: &Cells) -> Submission<'_> {
    Submission {
        cells,
        template_version: 1,
        late: false,
    }
}

fn median(mut measure: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure()).collect();
    times.sort();
    times.get(ROUNDS / 2).expect("rounds").as_secs_f64() * 1e3
}

fn main() {
    let form = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    let template = Arc::new(Template::import(form, 1).expect("a form"));
    let tree = Arc::new(country());
    let due: BTreeSet<UnitId> = tree.of_kind("commune").map(|unit| unit.unit).collect();
    let top = tree.tops().next().expect("a top").unit;
    let reports: Vec<(UnitId, Cells)> = due
        .iter()
        .enumerate()
        .map(|(n, unit)| (*unit, filled(&template, n)))
        .collect();
    let roll_up_of_cells = || {
        let submissions = reports
            .iter()
            .map(|(unit, cells)| (*unit, submission(cells)));
        RollUp::of_submissions(template.clone(), tree.clone(), &due, submissions).expect("due")
    };
    let from_cells = median(|| {
        let start = Instant::now();
        let table = roll_up_of_cells().table(top);
        let time = start.elapsed();
        assert!(table.is_some());
        time
    });
    let from_sorted = median(|| {
        let sort =
            |(unit, cells): &(UnitId, Cells)| (*unit, Report::new(&template, submission(cells)));
        let sorted: Vec<(UnitId, Report)> = reports.iter().map(sort).collect();
        let start = Instant::now();
        let roll_up =
            RollUp::of_reports(template.clone(), tree.clone(), &due, sorted).expect("due");
        let table = roll_up.table(top);
        let time = start.elapsed();
        assert!(table.is_some());
        time
    });
    let mut roll_up = roll_up_of_cells();
    let (unit, cells) = reports.first().expect("reports");
    let one_change = median(|| {
        let start = Instant::now();
        roll_up
            .set_report(*unit, Some(submission(cells)))
            .expect("due");
        start.elapsed()
    });
    let one_table = median(|| {
        let start = Instant::now();
        let table = roll_up.table(top);
        let time = start.elapsed();
        assert!(table.is_some());
        time
    });
    let (communes, rows) = (due.len(), template.rows().len());
    let from_documents = totals_from_documents_ms(&template, &tree, &due, top);
    println!(
        "{{\"totals_communes\": {communes}, \"totals_rows\": {rows}, \
         \"totals_3321_communes_from_string_maps_ms\": {from_cells:.2}, \
         \"totals_3321_communes_from_extracted_cells_ms\": {from_sorted:.2}, \
         \"totals_3321_communes_from_documents_ms\": {from_documents:.0}, \
         \"totals_one_changed_report_ms\": {one_change:.4}, \
         \"totals_table_of_the_top_ms\": {one_table:.3}}}"
    );
}

/// Every report as thirty changes, decoded and followed from nothing on two threads, then added up.
fn totals_from_documents_ms(
    template: &Arc<Template>,
    tree: &Arc<OrgTree>,
    due: &BTreeSet<UnitId>,
    top: UnitId,
) -> f64 {
    let units: Vec<UnitId> = due.iter().copied().collect();
    let (left, right) = units.split_at(units.len() / 2);
    let made = |units: &[UnitId]| -> Vec<(Subject, Vec<Vec<u8>>)> {
        units
            .iter()
            .map(|unit| thirty_changes(template, *unit))
            .collect()
    };
    let documents = std::thread::scope(|scope| {
        let other = scope.spawn(|| made(right));
        [made(left), other.join().expect("made")]
    });
    let follow = |documents: &[(Subject, Vec<Vec<u8>>)]| -> Vec<Extract> {
        let followed = documents.iter().map(|(subject, changes)| {
            let mut state = ExtractState::new(subject.clone());
            for change in changes {
                state.apply(&decode(change).expect("decodes"));
            }
            state.extract()
        });
        followed.collect()
    };
    let start = Instant::now();
    let extracts = std::thread::scope(|scope| {
        let [left, right] = &documents;
        let other = scope.spawn(|| follow(right));
        [follow(left), other.join().expect("followed")].concat()
    });
    let submissions = extracts.iter().map(|extract| {
        let cells = &extract.cells;
        (
            extract.subject.unit,
            Submission {
                cells,
                template_version: 1,
                late: false,
            },
        )
    });
    let table = RollUp::of_submissions(template.clone(), tree.clone(), due, submissions)
        .expect("due")
        .table(top);
    let spent = start.elapsed();
    assert!(table.is_some());
    spent.as_secs_f64() * 1e3
}

/// A report filled in thirty changes of five cells.
fn thirty_changes(template: &Template, unit: UnitId) -> (Subject, Vec<Vec<u8>>) {
    let subject = Subject {
        kind: SubjectKind::Report,
        template: template.id().to_owned(),
        unit,
        period: "2025".to_owned(),
    };
    let mut document = Document::new(subject.clone()).expect("a document");
    let mut rows = template.rows().iter().cycle();
    let actor = ActorId::of(KeyId([1; 16]), InstallationId([1; 8]));
    let changes = (0..30).map(|turn| {
        let edits: Vec<Edit> = rows
            .by_ref()
            .take(5)
            .map(|row| Edit {
                entry: Entry::Cell {
                    code: row.code.clone(),
                    value: CellValue::Number((turn * 7 + 1).into()),
                },
                typed_at: 1_760_000_000 + turn,
            })
            .collect();
        document.write(actor, &edits).expect("writes").bytes
    });
    (subject, changes.collect())
}
