//! `dongbo enrolment`: one-time codes by which devices are enrolled.

use clap::{Args, Subcommand};
use dongbo::administration::{Administration, EnrolmentRow};
use dongbo::trouble::{Exit, Trouble};
use serde_json::json;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Enrolment {
    /// Make a code; tell it to the person, it is shown once
    New(New),
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// Sign-in name of the person
    #[arg(long)]
    person: String,
    /// Unit code; else the whole province
    #[arg(long)]
    unit: Option<String>,
    /// What the device is called
    #[arg(long, default_value = "Máy tính bảng")]
    label: String,
}

impl Enrolment {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::New(new) = self;
        let row = EnrolmentRow {
            name: new.person,
            unit_code: new.unit,
            label: new.label,
        };
        let mut session = context.session(None)?;
        let codes = Administration(&mut session).new_enrolments(&[row])?;
        let code = codes
            .into_iter()
            .next()
            .ok_or_else(|| Trouble::new("answer-garbled", Exit::Refused))?;
        let minutes = (code.expires_in_s / 60).to_string();
        let value = json!({
            "person": code.person, "name": code.name, "code": code.code,
            "expires_in_s": code.expires_in_s,
        });
        Ok(Said::new(value).say(
            "cli-enrolment",
            &[
                ("name", code.name),
                ("code", code.code),
                ("minutes", minutes),
            ],
        ))
    }
}
