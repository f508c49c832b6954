//! Measures all findings of a whole country: 3,321 reports of 146 rows. Run it in release mode.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a measuring program prints, reads the clock, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use sync_core::catalogue_files;
use sync_core::cell::{CellValue, Rival};
use sync_core::form::{Kind, Template};
use sync_core::identity::{ActorId, ChangeHash};
use sync_core::number::Number;
use sync_core::report::review::{Beside, Checks, Peers, review};

const COMMUNES: usize = 3_321;
const ROUNDS: usize = 9;

type Cells = BTreeMap<String, Vec<Rival>>;

/// Every row filled, formulas too: most are contradicted, which costs more than a report in order.
fn filled(template: &Template, commune: usize) -> Cells {
    let cell = |(row, indicator): (usize, &sync_core::form::Indicator)| {
        let digits = i64::try_from((commune * 31 + row * 17) % 900).expect("small");
        let digits = match indicator.kind {
            Kind::Choice => digits % 2,
            Kind::Integer
            | Kind::Decimal
            | Kind::Percent
            | Kind::MoneyMillionVnd
            | Kind::Text
            | Kind::Heading => digits,
        };
        let rival = Rival {
            value: CellValue::Number(Number::from(digits)),
            actor: ActorId([7; 16]),
            claimed_at: 1_700_000_000,
            change: ChangeHash([9; 32]),
        };
        (indicator.code.clone(), vec![rival])
    };
    template.rows().iter().enumerate().map(cell).collect()
}

fn figures(cells: &Cells) -> BTreeMap<String, Number> {
    let figure = |(code, rivals): (&String, &Vec<Rival>)| match rivals.as_slice() {
        [
            Rival {
                value: CellValue::Number(number),
                ..
            },
        ] => Some((code.clone(), *number)),
        _ => None,
    };
    cells.iter().filter_map(figure).collect()
}

fn main() {
    let form = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    let template = Template::import(form, 1).expect("a form");
    let reports: Vec<Cells> = (0..COMMUNES).map(|one| filled(&template, one)).collect();
    let notes: BTreeMap<String, String> = template
        .rows()
        .iter()
        .map(|row| (row.code.clone(), "Số liệu đến ngày 30/11".to_owned()))
        .collect();
    let earlier: BTreeMap<String, Number> = template
        .rows()
        .iter()
        .map(|row| (row.code.clone(), Number::from(40)))
        .collect();
    // The figures of all of them, as the roll-up has them at hand.
    let figures: Vec<BTreeMap<String, Number>> = reports.iter().map(figures).collect();
    let mut found = 0;
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let checks = Checks::of(&template);
            let peers = Peers::of(&figures);
            let beside = Beside {
                narrative: None,
                notes: Some(&notes),
                earlier: Some(&earlier),
                peers: Some(&peers),
            };
            found = reports
                .iter()
                .map(|cells| review(&template, &checks, cells, &beside).len())
                .sum();
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |place: usize| times.get(place).expect("rounds").as_secs_f64() * 1e3;
    println!(
        "{{\"findings_reports\": {COMMUNES}, \"findings_rows\": {}, \"findings_found\": {found}, \
         \"findings_3321_reports_ms\": {:.1}, \"findings_3321_reports_slowest_ms\": {:.1}}}",
        template.rows().len(),
        at(ROUNDS / 2),
        at(ROUNDS - 1),
    );
}
