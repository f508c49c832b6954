//! `dongbo org`: units of the province.

use clap::{Args, Subcommand};
use dongbo::administration::{self, Administration};
use serde_json::json;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Org {
    /// Import units; the same list again adds nothing
    Import(Import),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file (JSON or CSV), or a built-in name such as thai-nguyen-2025
    source: String,
    /// Departments of this tree (file or built-in name) stand under the province
    #[arg(long)]
    departments: Option<String>,
}

impl Org {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Import(import) = self;
        let mut units =
            administration::read_units(&administration::text_of("org", &import.source)?)?;
        if let (Some(wanted), Some(province)) = (&import.departments, units.first().cloned()) {
            let text = administration::text_of("org", wanted)?;
            units.extend(administration::read_departments(&text, &province)?);
        }
        let mut session = context.session(None)?;
        let added = Administration(&mut session).import_units(&units)?;
        let value = json!({"added": added.added, "unchanged": added.unchanged});
        Ok(Said::new(value).say(
            "cli-imported",
            &[
                ("added", added.added.to_string()),
                ("unchanged", added.unchanged.to_string()),
            ],
        ))
    }
}
