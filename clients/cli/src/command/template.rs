//! `dongbo template`: form templates of the province.

use clap::{Args, Subcommand};
use dongbo::administration::{self, Administration, ImportError};
use serde_json::json;
use sync_core::form::Template as Form;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Template {
    /// Import a transcribed form as a template version
    Import(Import),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file, or a built-in name such as bao-cao-cchc-2022
    source: String,
    /// Its version
    #[arg(long, default_value_t = 1)]
    version: u32,
}

impl Template {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Import(import) = self;
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
