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
use sync_core::form::{Kind, Template};
use sync_core::identity::{ActorId, ChangeHash, UnitId};
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
    println!("communes {communes}, rows {rows}, median of {ROUNDS}");
    println!("totals from extracted cells   {from_cells:.2} ms");
    println!("totals from sorted reports    {from_sorted:.2} ms");
    println!("one changed report            {one_change:.4} ms");
    println!("table of the top              {one_table:.3} ms");
}
