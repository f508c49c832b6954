//! The plan that ships with the product, printed into workbooks and documents as offices lay them out, and
//! read back; plans of other shapes; files that are no plans.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the lint knows tests by their attribute and misses the functions beside them; scores are printed"
)]

mod bad_input;
mod excel;
mod invented;
mod real_plan;
mod word;

use excel::Layout;
use real_plan::Expected;
use sync_core::plan::printed::{Agency, Asked, Directory, PlanRow, Proposal, propose};
use word::Pages;

pub(crate) fn directory() -> Directory {
    let text = sync_core::catalogue_files::text("org/thai-nguyen-2022.json").expect("it ships");
    Directory::read(text, None).expect("units")
}

pub(crate) fn read(bytes: &[u8], directory: &Directory) -> Proposal {
    let parts = workbook::plan_parts(bytes).expect("a file");
    let asked = Asked {
        file_name: "ke hoach".to_owned(),
        ..Asked::default()
    };
    propose(&parts, directory, &asked).expect("a plan")
}

/// Each row of each part is told of exactly once, and each row of the plan comes from one.
pub(crate) fn assert_nothing_is_dropped(bytes: &[u8], proposal: &Proposal) {
    for part in workbook::plan_parts(bytes).expect("a file") {
        let sheet = part.sheet;
        for row in 1..=sheet.last_row().map_or(0, |row| row + 1) {
            let told = proposal.lines.iter().filter(|line| {
                line.sheet == sheet.name() && (line.row..=line.through).contains(&row)
            });
            assert_eq!(told.count(), 1, "{} row {row}", sheet.name());
        }
    }
    for at in 0..proposal.rows.len() {
        let begins = proposal
            .lines
            .iter()
            .filter(|line| line.became == sync_core::plan::printed::Became::Row(at));
        assert_eq!(begins.count(), 1, "row {at}");
    }
}

fn names(agencies: &[Agency]) -> Vec<String> {
    agencies.iter().map(|agency| agency.name.clone()).collect()
}

/// A row in the fields of the transcription.
fn fields(row: &PlanRow) -> Vec<(&'static str, String)> {
    vec![
        ("code", row.code.clone()),
        ("stt", row.stt.clone().unwrap_or_default()),
        ("title", row.title.clone()),
        ("requirement", format!("{:?}", row.requirement)),
        ("deadline_text", format!("{:?}", row.deadline_text)),
        (
            "deadline",
            format!("{:?}", row.deadline.map(|day| day.to_string())),
        ),
        ("recurring", row.recurring.to_string()),
        ("lead", format!("{:?}", names(&row.lead))),
        ("coordinating", format!("{:?}", names(&row.coordinating))),
        ("parent", format!("{:?}", row.parent)),
        ("is_group", row.is_group.to_string()),
        ("section", row.section.clone().unwrap_or_default()),
    ]
}

fn wanted(row: &Expected) -> Vec<(&'static str, String)> {
    vec![
        ("code", row.code.clone()),
        ("stt", row.stt.clone()),
        ("title", row.title.clone()),
        ("requirement", format!("{:?}", row.requirement)),
        ("deadline_text", format!("{:?}", row.deadline_text)),
        ("deadline", format!("{:?}", row.deadline)),
        ("recurring", row.recurring.to_string()),
        ("lead", format!("{:?}", row.lead)),
        ("coordinating", format!("{:?}", row.coordinating)),
        ("parent", format!("{:?}", row.parent)),
        ("is_group", row.is_group.to_string()),
        ("section", row.section.clone()),
    ]
}

/// Differences by field; how many of the proposals are right, and of what is there were found, is printed.
fn differences(name: &str, proposal: &Proposal, expected: &[Expected]) -> usize {
    let mut wrong = 0;
    for (row, expected) in proposal.rows.iter().zip(expected) {
        for ((field, got), (_, there)) in fields(row).into_iter().zip(wanted(expected)) {
            if got != there {
                println!(
                    "  {name} {} {field}:\n    {got}\n    {there}",
                    expected.code
                );
                wrong += 1;
            }
        }
    }
    let pairs = || proposal.rows.iter().zip(expected);
    let sets = [
        (
            "lead",
            pairs()
                .map(|(row, there)| (names(&row.lead), there.lead.clone()))
                .collect::<Vec<_>>(),
        ),
        (
            "coordinating",
            pairs()
                .map(|(row, there)| (names(&row.coordinating), there.coordinating.clone()))
                .collect(),
        ),
        (
            "deadline",
            pairs()
                .map(|(row, there)| {
                    (
                        row.deadline.iter().map(ToString::to_string).collect(),
                        there.deadline.iter().cloned().collect(),
                    )
                })
                .collect(),
        ),
        (
            "parent",
            pairs()
                .map(|(row, there)| {
                    (
                        row.parent.iter().cloned().collect(),
                        there.parent.iter().cloned().collect(),
                    )
                })
                .collect(),
        ),
    ];
    for (field, set) in sets {
        let found: usize = set.iter().map(|(got, _)| got.len()).sum();
        let there: usize = set.iter().map(|(_, there)| there.len()).sum();
        let right: usize = set
            .iter()
            .map(|(got, there)| got.iter().filter(|one| there.contains(one)).count())
            .sum();
        println!(
            "{name:<24} {field:<13} precision {:.3} recall {:.3} ({right} of {there})",
            right as f64 / found.max(1) as f64,
            right as f64 / there.max(1) as f64
        );
    }
    if proposal.rows.len() != expected.len() {
        println!(
            "  {name}: {} rows instead of {}",
            proposal.rows.len(),
            expected.len()
        );
        wrong += 1;
    }
    wrong
}

#[test]
fn printed_in_any_layout_of_a_workbook_the_plan_comes_back() {
    let (plan, directory) = (real_plan::read(), directory());
    let mut wrong = 0;
    for layout in Layout::ALL {
        let bytes = excel::print(&plan, layout);
        let proposal = read(&bytes, &directory);
        wrong += differences(&format!("xlsx {layout:?}"), &proposal, &plan.rows);
        assert_nothing_is_dropped(&bytes, &proposal);
        assert_eq!(proposal.year, Some(2022));
        let titles: Vec<&str> = proposal
            .sections
            .iter()
            .map(|section| section.title.as_str())
            .collect();
        let there: Vec<&str> = plan
            .sections
            .iter()
            .map(|(_, title)| title.as_str())
            .collect();
        assert_eq!(titles, there, "{layout:?}");
    }
    assert_eq!(wrong, 0);
}

#[test]
fn printed_in_any_layout_of_a_document_the_plan_comes_back() {
    let (plan, directory) = (real_plan::read(), directory());
    let mut wrong = 0;
    for pages in Pages::ALL {
        let bytes = word::print(&plan, pages);
        let proposal = read(&bytes, &directory);
        wrong += differences(&format!("docx {pages:?}"), &proposal, &plan.rows);
        assert_nothing_is_dropped(&bytes, &proposal);
        assert_eq!(proposal.year, Some(2022));
        let titles: Vec<&str> = proposal
            .sections
            .iter()
            .map(|section| section.title.as_str())
            .collect();
        let there: Vec<&str> = plan
            .sections
            .iter()
            .map(|(_, title)| title.as_str())
            .collect();
        assert_eq!(titles, there, "{pages:?}");
    }
    assert_eq!(wrong, 0);
}
