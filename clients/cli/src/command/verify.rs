//! `dongbo verify`: signed history checked with nobody in reach.

use std::path::PathBuf;

use clap::Args;
use dongbo::evidence::Evidence;
use dongbo::trouble::{Exit, Trouble};
use dongbo::verify::{Verified, verify};
use serde_json::{Value, json};

use super::{Context, Outcome, Said};

/// Where history is read from; nothing given: this device.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// A journal folder, or the folder of a server or device that has one
    #[arg(long, conflicts_with = "export")]
    journal: Option<PathBuf>,
    /// A file of `dongbo export`
    #[arg(long)]
    export: Option<PathBuf>,
}

impl Source {
    pub(super) fn read(&self, context: &Context) -> Result<Evidence, Trouble> {
        Ok(match (&self.journal, &self.export) {
            (_, Some(file)) => Evidence::of_export(file)?,
            (Some(folder), None) => Evidence::of_journal(folder)?,
            (None, None) => Evidence::of_journal(context.folder()?.path())?,
        })
    }
}

/// Checks signatures, chains, gate and fingerprints; prints what is wrong.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    source: Source,
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let verified = verify(&self.source.read(context)?)?;
        let wrong: Vec<Value> = verified
            .wrong
            .iter()
            .map(|wrong| {
                json!({"place": wrong.place, "number": wrong.number, "code": wrong.code,
                       "detail": wrong.detail})
            })
            .collect();
        let mut value = fingerprints_json(&verified);
        if let Some(object) = value.as_object_mut() {
            object.insert("wrong".to_owned(), Value::Array(wrong));
            object.insert("vouched".to_owned(), verified.vouched.into());
        }
        let mut said = Said::new(value);
        for wrong in &verified.wrong {
            said = said.plain(format!(
                "! {} {}: {} {}",
                wrong.place, wrong.number, wrong.code, wrong.detail
            ));
        }
        said = said.say(
            "cli-verified",
            &[
                ("records", verified.records.to_string()),
                ("parts", verified.parts.to_string()),
                ("held", verified.held.to_string()),
                ("wrong", verified.wrong.len().to_string()),
            ],
        );
        if verified.vouched > 0 {
            let vouched = verified.vouched.to_string();
            said = said.say("cli-verified-vouched", &[("vouched", vouched)]);
        }
        said = said.say(
            "cli-fingerprint",
            &[("print", verified.fingerprint.to_string())],
        );
        Ok(match verified.wrong.is_empty() {
            true => said,
            false => said.exit(Exit::Differs),
        })
    }
}

/// Counts and fingerprints for machines.
pub(super) fn fingerprints_json(verified: &Verified) -> Value {
    let partitions: Vec<Value> = verified
        .partitions
        .iter()
        .map(|(partition, print)| {
            json!({"unit": partition.unit, "compartment": format!("{:?}", partition.compartment).to_lowercase(),
                   "fingerprint": print.to_string()})
        })
        .collect();
    json!({
        "records": verified.records, "parts": verified.parts, "held": verified.held,
        "fingerprint": verified.fingerprint.to_string(), "partitions": partitions,
    })
}
