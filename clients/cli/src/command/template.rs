//! `dongbo template`: form templates, from transcribed forms or from workbooks.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dongbo::administration::{self, Administration, ImportError};
use dongbo::trouble::{Exit, Trouble};
use dongbo::{durable_file, proposal};
use serde_json::json;
use sync_core::form::Template as Form;
use sync_core::form::printed::{self, Asked, Proposal, Skip};
use sync_core::period::PeriodKind;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Template {
    /// Import a transcribed form, or read the template that a workbook (.xlsx) proposes
    Import(Import),
}

/// A transcribed form goes to the server as a template version. A workbook becomes a template file
/// that a person looks through; with --dry-run it is only shown. Neither needs a server for that.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file, or a built-in name such as bao-cao-cchc-2022
    source: String,
    /// Its version
    #[arg(long, default_value_t = 1)]
    version: u32,
    /// Show what a workbook proposes and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the template file of a workbook goes; else beside it, as .json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The template's id; else the workbook's name
    #[arg(long)]
    id: Option<String>,
    /// The template's title; else the form's own
    #[arg(long)]
    title: Option<String>,
    /// The kind of period; else what the title says
    #[arg(long, value_parser = period_kind)]
    period: Option<PeriodKind>,
}

fn period_kind(name: &str) -> Result<PeriodKind, String> {
    let kinds = "one of month, quarter, half, nine_months, year, programme";
    PeriodKind::from_name(name).ok_or_else(|| kinds.to_owned())
}

impl Template {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Import(import) = self;
        if import.dry_run || is_workbook(&import.source) {
            return import.propose(context);
        }
        let text = administration::text_of("forms", &import.source)?;
        let form = Form::import(&text, import.version).map_err(ImportError::from)?;
        let mut session = context.session(None)?;
        let added = Administration(&mut session).import_template(&form)?;
        let value = json!({
            "id": added.id, "version": added.version, "added": added.added,
            "rows": form.rows().len(),
        });
        Ok(Said::new(value).say(
            "cli-template",
            &[
                ("template", added.id),
                ("version", added.version.to_string()),
                ("rows", form.rows().len().to_string()),
            ],
        ))
    }
}

fn is_workbook(source: &str) -> bool {
    let ending = Path::new(source)
        .extension()
        .and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["xlsx", "xlsm", "xls", "xlsb", "ods"].contains(&ending.to_lowercase().as_str())
    })
}

impl Import {
    fn propose(self, context: &Context) -> Outcome {
        let path = Path::new(&self.source);
        let bytes = durable_file::read(path)?;
        let bytes = bytes.ok_or_else(|| {
            Trouble::new("workbook-missing", Exit::Input).with("path", path.display())
        })?;
        let sheets = workbook::read(&bytes)?;
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let asked = Asked {
            id: self.id,
            version: Some(self.version),
            title: self.title,
            period: self.period,
            file_name: stem.unwrap_or_default(),
        };
        let proposal = printed::propose(&sheets, &asked)?;
        let mut value = proposal::to_json(&proposal);
        let mut said = Said::new(json!(null));
        if self.dry_run {
            said = listed(said, context, &proposal);
        } else {
            let out = self.out.unwrap_or_else(|| path.with_extension("json"));
            durable_file::write(&out, &proposal.template.to_json())?;
            said = said.say(
                "cli-template-written",
                &[
                    ("template", proposal.template.id().to_owned()),
                    ("rows", proposal.rows.len().to_string()),
                    ("path", out.display().to_string()),
                ],
            );
            if let Some(object) = value.as_object_mut() {
                object.insert("written".to_owned(), json!(out.display().to_string()));
            }
        }
        said.value = value;
        Ok(said)
    }
}

/// The proposal for a person: every row with what was concluded, then every line that is none.
fn listed(mut said: Said, context: &Context, proposal: &Proposal) -> Said {
    let language = context.language();
    let template = &proposal.template;
    said = said.plain(format!(
        "{} · {} · {}",
        template.id(),
        template.title(),
        template.period().name()
    ));
    for (row, proposed) in template.rows().iter().zip(&proposal.rows) {
        let mut line = format!(
            "{}\t{}\t[{}] {}",
            row.code,
            row.label,
            row.kind.name(),
            row.unit
        );
        if let Some(formula) = &row.formula {
            line.push_str(&format!("\t= {formula}"));
        }
        said = said.plain(format!("{line}\t({})", proposed.place));
        for reason in &proposed.reasons {
            let text = proposal::reason_text(language, reason);
            said = said.plain(format!(
                "\t{} ({}): {text}",
                reason.topic.name(),
                reason.confidence.name()
            ));
        }
    }
    said = said.say(
        "cli-template-not-rows",
        &[
            ("rows", proposal.rows.len().to_string()),
            ("lines", proposal.skipped.len().to_string()),
        ],
    );
    for line in proposal
        .skipped
        .iter()
        .filter(|line| line.why != Skip::Blank)
    {
        let why = proposal::skip_text(language, line.why);
        said = said.plain(format!("{}!{}\t{why}\t{}", line.sheet, line.row, line.text));
    }
    said
}
