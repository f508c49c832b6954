//! `dongbo plan`: plans of tasks, from workbooks and text documents.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dongbo::administration::text_of;
use dongbo::durable_file;
use dongbo::plan_proposal::{self, became_text, code_of, reason_text};
use dongbo::trouble::{Exit, Trouble};
use serde_json::json;
use sync_core::date::Date;
use sync_core::plan::printed::{
    Agency, Asked, Became, Confidence, Directory, Matched, PlanRow, Proposal, propose,
};

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Plan {
    /// Read the plan that a workbook (.xlsx) or a document (.docx) proposes; needs no server
    Import(Import),
}

/// The proposal is looked through by a person: nothing is sent anywhere. With --dry-run it is only shown,
/// with --out it is written to a file.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The plan: .xlsx or .docx
    file: PathBuf,
    /// The units: a file (JSON or CSV), or a built-in name such as thai-nguyen-2022
    #[arg(long, value_name = "FILE")]
    org: String,
    /// Show what the plan proposes and write nothing
    #[arg(long, required_unless_present = "out")]
    dry_run: bool,
    /// Write the proposal to this file, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    out: Option<PathBuf>,
    /// The year of deadlines that name none; else what the title says
    #[arg(long, value_parser = clap::value_parser!(u16).range(1990..=2100))]
    year: Option<u16>,
    /// Only units that exist on this day, yyyy-mm-dd; else all of the file
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
}

impl Plan {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Import(import) = self;
        import.run(context)
    }
}

impl Import {
    fn run(self, context: &Context) -> Outcome {
        let path: &Path = &self.file;
        let bytes = durable_file::read(path)?;
        let bytes = bytes.ok_or_else(|| {
            Trouble::new("plan-missing", Exit::Input).with("path", path.display())
        })?;
        let org = text_of("org", &self.org)?;
        let directory = Directory::read(&org, self.on).map_err(plan_proposal::units_trouble)?;
        let parts = workbook::plan_parts(&bytes)?;
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let asked = Asked {
            year: self.year,
            file_name: stem.unwrap_or_default(),
        };
        let proposal = propose(&parts, &directory, &asked)?;
        let value = plan_proposal::to_json(&proposal);
        let counts = counts(&proposal);
        let mut said = Said::new(json!(null));
        if let Some(out) = &self.out {
            let text = serde_json::to_vec_pretty(&value).unwrap_or_default();
            durable_file::write(out, &text)?;
            let mut arguments = counts;
            arguments.push(("path", out.display().to_string()));
            said = said.say("cli-plan-written", &arguments);
        } else {
            said = listed(said, context, &proposal, &directory).say("cli-plan-counted", &counts);
        }
        said.value = value;
        Ok(said)
    }
}

fn counts(proposal: &Proposal) -> Vec<(&'static str, String)> {
    let tasks = proposal.rows.iter().filter(|row| !row.is_group).count();
    let agencies = || {
        proposal
            .rows
            .iter()
            .flat_map(|row| row.lead.iter().chain(&row.coordinating))
    };
    let asks = agencies().filter(|agency| agency.asks()).count();
    let unsure = proposal
        .rows
        .iter()
        .filter(|row| row.confidence == Confidence::Low)
        .count();
    vec![
        ("rows", proposal.rows.len().to_string()),
        ("tasks", tasks.to_string()),
        ("headings", (proposal.rows.len() - tasks).to_string()),
        ("sections", proposal.sections.len().to_string()),
        ("asks", asks.to_string()),
        ("unsure", unsure.to_string()),
    ]
}

/// The proposal for a person: the plan by sections, what to look at, and every line that is no row.
fn listed(mut said: Said, context: &Context, proposal: &Proposal, directory: &Directory) -> Said {
    let language = context.language();
    said = said.plain(proposal.title.clone().unwrap_or_default());
    let mut section = None;
    for row in &proposal.rows {
        if row.section != section {
            section.clone_from(&row.section);
            let of = proposal
                .sections
                .iter()
                .find(|of| Some(&of.id) == section.as_ref());
            said = said.plain(of.map_or(String::new(), |of| format!("\n{}. {}", of.id, of.title)));
        }
        said = said.plain(row_text(row, directory));
        let reasons = row.reasons.iter().chain(
            row.lead
                .iter()
                .chain(&row.coordinating)
                .map(|agency| &agency.reason),
        );
        for reason in reasons.filter(|reason| reason.confidence < Confidence::High) {
            let text = reason_text(language, reason);
            said = said.plain(format!(
                "\t{} ({}): {text}",
                reason.topic.name(),
                reason.confidence.name()
            ));
        }
    }
    said = said.plain(String::new());
    for group in &proposal.groups {
        let count = group.units.len().to_string();
        let arguments = [("name", group.name.clone()), ("count", count)];
        said = said.say("cli-plan-group", &arguments);
    }
    said = said.plain(String::new()).say("cli-plan-not-rows", &[]);
    for line in &proposal.lines {
        if matches!(line.became, Became::Row(_) | Became::Blank) {
            continue;
        }
        let why = became_text(language, line.became, code_of(proposal, line.became));
        said = said.plain(format!(
            "{}!{}\t{why}\t{}",
            line.sheet,
            line.row,
            line.text.replace('\n', " ")
        ));
    }
    said.plain(String::new())
}

fn row_text(row: &PlanRow, directory: &Directory) -> String {
    let mut text = format!("{}\t{}", row.code, row.title.replace('\n', " "));
    if row.is_group {
        return text;
    }
    if let Some(requirement) = &row.requirement {
        text.push_str(&format!("\n\t= {}", requirement.replace('\n', " ")));
    }
    let printed = row.deadline_text.as_deref().unwrap_or("-");
    let day = row.deadline.map_or("-".to_owned(), |day| day.to_string());
    text.push_str(&format!("\n\t{day} ({printed})"));
    for (mark, agencies) in [(">", &row.lead), ("+", &row.coordinating)] {
        if !agencies.is_empty() {
            let names: Vec<String> = agencies
                .iter()
                .map(|agency| agency_text(agency, directory))
                .collect();
            text.push_str(&format!("\n\t{mark} {}", names.join("; ")));
        }
    }
    text
}

fn agency_text(agency: &Agency, directory: &Directory) -> String {
    let limited = agency
        .scope
        .as_ref()
        .map(|scope| format!(" [{scope}]"))
        .unwrap_or_default();
    match &agency.matched {
        Matched::Unit(code) => {
            let known = directory.units().iter().any(|unit| unit.code == *code);
            format!("{}{limited}{}", agency.name, if known { "" } else { "?" })
        }
        Matched::Group(name) => format!("*{name}{limited}"),
        Matched::Nothing => format!("?{}{limited}", agency.name),
    }
}
