//! Forms that ship with the product, printed into workbooks as offices lay them out, and read back:
//! every row comes back, and what was concluded is scored against the transcription.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "the lint knows tests by their attribute and misses the functions beside them; scores are printed"
)]

mod bad_input;
mod other_fields;
mod printing;

use printing::{Layout, print};
use sync_core::catalogue_files;
use sync_core::form::printed::{Asked, Proposal, propose};
use sync_core::form::{Indicator, Kind, Template};

pub(crate) fn read(bytes: &[u8]) -> Proposal {
    let sheets = workbook::read(bytes).expect("a workbook");
    let asked = Asked {
        file_name: "bieu mau".to_owned(),
        ..Asked::default()
    };
    propose(&sheets, &asked).expect("a form")
}

fn form(name: &str) -> Template {
    let text = catalogue_files::text(&format!("forms/{name}.json")).expect("it ships");
    Template::import(text, 1).expect("a form")
}

/// How many of what is there were found, and how many of what was found are there.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Score {
    right: usize,
    found: usize,
    there: usize,
}

impl Score {
    fn count<T: PartialEq>(&mut self, found: Option<T>, there: Option<T>) {
        self.found += usize::from(found.is_some());
        self.there += usize::from(there.is_some());
        self.right += usize::from(found.is_some() && found == there);
    }

    pub(crate) fn precision(self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }

    pub(crate) fn recall(self) -> f64 {
        self.right as f64 / self.there.max(1) as f64
    }
}

pub(crate) struct Scores {
    pub(crate) code: Score,
    pub(crate) kind: Score,
    pub(crate) parent: Score,
    pub(crate) formula: Score,
    pub(crate) choices: Score,
}

/// Rows in order against rows in order; every difference is printed.
pub(crate) fn score(name: &str, found: &[Indicator], there: &[Indicator]) -> Scores {
    let mut scores = Scores {
        code: Score::default(),
        kind: Score::default(),
        parent: Score::default(),
        formula: Score::default(),
        choices: Score::default(),
    };
    for (row, wanted) in found.iter().zip(there) {
        let formula = |row: &Indicator| row.formula.as_ref().map(ToString::to_string);
        let choices = |row: &Indicator| (!row.choices.is_empty()).then(|| row.choices.clone());
        scores.code.count(Some(&row.code), Some(&wanted.code));
        scores.kind.count(Some(row.kind), Some(wanted.kind));
        scores
            .parent
            .count(row.parent.as_ref(), wanted.parent.as_ref());
        scores.formula.count(formula(row), formula(wanted));
        scores.choices.count(choices(row), choices(wanted));
        for (what, a, b) in [
            ("label", row.label.clone(), wanted.label.clone()),
            ("code", row.code.clone(), wanted.code.clone()),
            (
                "kind",
                row.kind.name().to_owned(),
                wanted.kind.name().to_owned(),
            ),
            (
                "parent",
                format!("{:?}", row.parent),
                format!("{:?}", wanted.parent),
            ),
            (
                "formula",
                format!("{:?}", formula(row)),
                format!("{:?}", formula(wanted)),
            ),
            (
                "choices",
                format!("{:?}", choices(row)),
                format!("{:?}", choices(wanted)),
            ),
        ] {
            if a != b {
                println!("  {name} {} {what}: {a} instead of {b}", wanted.code);
            }
        }
    }
    for (what, of) in [
        ("code", scores.code),
        ("kind", scores.kind),
        ("parent", scores.parent),
        ("formula", scores.formula),
        ("choices", scores.choices),
    ] {
        println!(
            "{name:<34} {what:<8} precision {:.3} recall {:.3} ({} of {})",
            of.precision(),
            of.recall(),
            of.right,
            of.there
        );
    }
    scores
}

/// Each row of each sheet is a row of the template or a line with its reason.
pub(crate) fn assert_nothing_is_dropped(bytes: &[u8], proposal: &Proposal) {
    for sheet in workbook::read(bytes).expect("a workbook") {
        let last = sheet.last_row().map_or(0, |row| row + 1);
        for row in 1..=last {
            let is_row = proposal
                .rows
                .iter()
                .filter(|of| of.place.sheet == sheet.name() && of.place.row == row)
                .count();
            let lines = proposal.skipped.iter().filter(|line| {
                line.sheet == sheet.name() && (line.row..=line.through).contains(&row)
            });
            assert_eq!(is_row + lines.count(), 1, "{} row {row}", sheet.name());
        }
    }
}

#[test]
fn printed_in_any_layout_a_form_comes_back() {
    let mut formulas = Score::default();
    for name in ["bao-cao-cchc-2022", "phu-luc-2-cap-huyen"] {
        let form = form(name);
        for layout in Layout::ALL {
            let bytes = print(&form, layout);
            let proposal = read(&bytes);
            let title = format!("{name} {layout:?}");
            assert_nothing_is_dropped(&bytes, &proposal);
            let labels =
                |rows: &[Indicator]| rows.iter().map(|row| row.label.clone()).collect::<Vec<_>>();
            assert_eq!(
                labels(proposal.template.rows()),
                labels(form.rows()),
                "{title}"
            );
            let scores = score(&title, proposal.template.rows(), form.rows());
            assert!(scores.code.recall() >= 0.99, "{title}");
            assert!(
                scores.parent.recall() >= 0.98 && scores.parent.precision() >= 0.98,
                "{title}"
            );
            assert!(scores.kind.recall() >= 0.97, "{title}");
            assert!(
                scores.choices.recall() >= 0.99 && scores.choices.precision() >= 0.99,
                "{title}"
            );
            assert!(
                scores.formula.precision() >= 0.9 && scores.formula.recall() >= 0.85,
                "{title}"
            );
            formulas.right += scores.formula.right;
            formulas.found += scores.formula.found;
            formulas.there += scores.formula.there;
            let money = proposal
                .template
                .rows()
                .iter()
                .filter(|row| row.kind == Kind::MoneyMillionVnd);
            assert_eq!(money.count(), 2, "{title}");
        }
    }
    println!(
        "all formulas: precision {:.3} recall {:.3}",
        formulas.precision(),
        formulas.recall()
    );
}

#[test]
fn a_proposal_is_the_canonical_text_of_a_template() {
    let proposal = read(&print(&form("bao-cao-cchc-2022"), Layout::Plain));
    let text = proposal.template.to_json();
    assert_eq!(
        Template::from_json(&text).expect("canonical"),
        proposal.template
    );
    assert_eq!(proposal.rows.len(), 146);
    assert!(proposal.rows.iter().all(|row| !row.reasons.is_empty()));
}
