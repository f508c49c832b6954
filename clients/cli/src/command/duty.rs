//! `dongbo duty`: who owes which report by when.

use clap::{Args, Subcommand};
use dongbo::administration::Administration;
use serde_json::json;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Duty {
    /// Every unit of a kind owes a report
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Template id
    #[arg(long)]
    template: String,
    /// Kind of unit
    #[arg(long, default_value = "commune")]
    unit_kind: String,
    /// Period
    #[arg(long)]
    period: String,
    /// Last day, yyyy-mm-dd
    #[arg(long)]
    due: String,
}

impl Duty {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Add(add) = self;
        let mut session = context.session(None)?;
        let mut administration = Administration(&mut session);
        let added =
            administration.add_duty(&add.template, &add.unit_kind, &add.period, &add.due)?;
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
