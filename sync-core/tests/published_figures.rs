//! The published figures of a province, tried on: what is wrong in print comes out as findings, and
//! shared out over its communes the additive figures come back exactly.
#![expect(
    clippy::expect_used,
    reason = "the lint knows tests by their attribute and misses the functions beside them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use sync_core::catalogue::UnitRecord;
use sync_core::cell::{CellValue, Rival};
use sync_core::form::published::read_figures;
use sync_core::form::{Aggregation, Template};
use sync_core::identity::{ActorId, ChangeHash, UnitId};
use sync_core::number::{Number, Range};
use sync_core::org_unit::OrgTree;
use sync_core::org_unit::import::import_province;
use sync_core::roll_up::{FigureValue, RollUp, Submission};
use sync_core::{apportion, catalogue_files, report};

type Cells = BTreeMap<String, Vec<Rival>>;

fn form() -> Arc<Template> {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    Arc::new(Template::import(text, 1).expect("a form"))
}

fn published() -> BTreeMap<String, Number> {
    let name = "figures/bao-cao-cchc-2022-thai-nguyen.json";
    let text = catalogue_files::text(name).expect("it ships");
    let figures = read_figures(text).expect("figures");
    assert_eq!(figures.len(), 128);
    let value = |(code, figure): (String, sync_core::form::published::PublishedFigure)| {
        Some((code, figure.value?))
    };
    figures.into_iter().filter_map(value).collect()
}

fn rival(number: Number) -> Rival {
    Rival {
        value: CellValue::Number(number),
        actor: ActorId([1; 16]),
        claimed_at: 0,
        change: ChangeHash([1; 32]),
    }
}

fn cells(figures: &BTreeMap<String, Number>) -> Cells {
    let cell = |(code, number): (&String, &Number)| (code.clone(), vec![rival(*number)]);
    figures.iter().map(cell).collect()
}

fn number(text: &str) -> Number {
    text.parse().expect("canonical in the test")
}

fn province() -> Arc<OrgTree> {
    let text = catalogue_files::text("org/thai-nguyen-2025.json").expect("it ships");
    let units = import_province(text).expect("units");
    let id = |code: &String| {
        let position = units.iter().position(|unit| unit.code == *code)?;
        Some(UnitId((position as u64).to_be_bytes()))
    };
    let record = |unit: &sync_core::org_unit::import::ImportedUnit| UnitRecord {
        unit: id(&unit.code).expect("its own code"),
        valid_from: unit.valid_from.to_string(),
        valid_to: None,
        code: unit.code.clone(),
        name: unit.name.clone(),
        parent: unit.parent_code.as_ref().and_then(id),
        kind: unit.kind.clone(),
        groups: unit.groups.clone(),
    };
    Arc::new(OrgTree::new(units.iter().map(record)).expect("a tree"))
}

/// Every rule that fires on the report as it was printed, against the arithmetic of the print.
#[test]
fn what_is_wrong_in_print_is_found() {
    let findings = report::findings(&form(), &cells(&published()));
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.code.as_str(), f.rule.code()))
        .collect();
    assert_eq!(
        found,
        [
            // 7 %, the very number of bodies inspected.
            ("I.4.2", "percent_repeats_count"),
            // 0 % of none.
            ("II.2.2", "formula_unresolved"),
            // 208,301 of 209,049 is 99.64 %, not 99.65.
            ("III.3.1", "formula_differs"),
            // 175 over three empty bands.
            ("VI.2.4", "total_over_empty_parts"),
            // 564 of 564, 1,194 of 1,194, 1,013 of 1,758, 381,829 of 946,181, 584 of 887.
            ("VII.6.1", "formula_differs"),
            ("VII.6.2", "formula_differs"),
            ("VII.6.3", "formula_differs"),
            ("VII.6.4", "formula_differs"),
            ("VII.6.5", "formula_differs"),
        ]
    );
    let proposals = report::proposals(&form(), &cells(&published()));
    for (code, rounded) in [
        ("III.3.1", "99.64"),
        ("VI.1", "87.17"),
        ("VI.2.1", "806"),
        ("VII.6.1", "100"),
        ("VII.6.2", "100"),
        ("VII.6.3", "57.62"),
        ("VII.6.4", "40.35"),
        ("VII.6.5", "65.84"),
    ] {
        let value = proposals[code]
            .expect("all parts are printed")
            .single()
            .expect("one value");
        assert_eq!(value.rounded(2), number(rounded), "{code}");
    }
}

/// Ninety-two communes share the printed figures; their total is the print, and where the print
/// contradicts itself the recomputed ratio says so.
#[test]
fn shared_out_and_added_up_the_print_comes_back() {
    let (form, tree, published) = (form(), province(), published());
    let communes: Vec<UnitId> = tree.of_kind("commune").map(|unit| unit.unit).collect();
    assert_eq!(communes.len(), 92);
    let weights: Vec<Number> = (0..92_i64)
        .map(|n| Number::from(if n % 11 == 3 { 0 } else { 1 + n * 37 % 101 }))
        .collect();
    let shares = apportion::apportion_form(&form, &published, &weights).expect("weights");
    let reports: Vec<Cells> = shares.iter().map(cells).collect();
    for cells in &reports {
        let contradicted = |finding: &report::Finding| finding.rule.code() == "formula_differs";
        assert!(!report::findings(&form, cells).iter().any(contradicted));
    }
    let due: BTreeSet<UnitId> = communes.iter().copied().collect();
    let top = tree.tops().next().expect("a province").unit;
    let mut roll_up = RollUp::new(form.clone(), tree.clone(), &due);
    let submission = |cells| Submission {
        cells,
        template_version: 1,
        late: false,
    };
    for (unit, cells) in communes.iter().zip(&reports).skip(3) {
        roll_up
            .set_report(*unit, Some(submission(cells)))
            .expect("due");
    }
    assert_eq!(roll_up.coverage(top).expect("the top").missing(), 3);
    let findings = roll_up.findings_against(top, &published).expect("the top");
    assert!(
        findings
            .iter()
            .any(|f| f.rule.code() == "sum_differs" && f.provisional)
    );

    // Two communes typed two values for one cell each: a range, nothing picked.
    let mut contested = reports.clone();
    for (commune, code) in [(10, "I.1"), (20, "VII.6.4.2")] {
        let rivals = contested[commune].get_mut(code).expect("shared out");
        rivals.push(rival(number("5000")));
    }
    for (unit, cells) in communes.iter().zip(&contested) {
        roll_up
            .set_report(*unit, Some(submission(cells)))
            .expect("due");
    }
    let coverage = roll_up.coverage(top).expect("the top");
    assert_eq!((coverage.missing(), coverage.in_conflict), (0, 2));
    let online = roll_up.figure(top, "VII.6.4.2").expect("a row");
    assert!(online.is_provisional());
    let range = online.value.range().expect("a sum");
    assert!(range.contains(published["VII.6.4.2"]) && range.single().is_none());
    assert!(
        roll_up
            .figure(top, "VII.6.4")
            .expect("a row")
            .is_provisional()
    );

    // Settled, every additive figure is the print.
    for (unit, cells) in communes.iter().zip(&reports) {
        roll_up
            .set_report(*unit, Some(submission(cells)))
            .expect("due");
    }
    assert!(roll_up.coverage(top).expect("the top").is_complete());
    let table = roll_up.table(top).expect("the top");
    let mut additive = 0;
    for (row, figure) in table.figures.iter().enumerate() {
        let code = &form.rows()[row].code;
        if form.aggregation(row) == Aggregation::Sum
            && let Some(value) = published.get(code)
        {
            assert_eq!(
                figure.value,
                FigureValue::Sum(Range::from(*value)),
                "{code}"
            );
            additive += 1;
        }
    }
    assert_eq!(additive, 86);
    let findings = roll_up.findings_against(top, &published).expect("the top");
    let wrong: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule.code() != "nothing_reported")
        .map(|finding| (finding.code.as_str(), finding.rule.code()))
        .collect();
    assert_eq!(
        wrong,
        [
            ("II.2.2", "unresolved"),
            ("III.3.1", "recomputed_differs"),
            ("VII.6.1", "recomputed_differs"),
            ("VII.6.2", "recomputed_differs"),
            ("VII.6.3", "recomputed_differs"),
            ("VII.6.4", "recomputed_differs"),
            ("VII.6.5", "recomputed_differs"),
        ]
    );
    // What was not shared out is not reported: percentages without parts, and choices.
    for finding in findings
        .iter()
        .filter(|f| f.rule.code() == "nothing_reported")
    {
        let row = form.row_index(&finding.code).expect("a row");
        assert_ne!(form.aggregation(row), Aggregation::Sum, "{}", finding.code);
    }
}
