//! `dongbo export`: everything signed and every document, in one file.

use std::path::PathBuf;

use clap::Args;
use dongbo::durable_file;
use dongbo::evidence::Evidence;
use dongbo::{lookup, view};
use serde_json::{Value, json};

use super::{Context, Outcome, Said};

/// Writes catalogue, signed parts and documents of this device to a JSON file.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        let evidence = Evidence::of_keyspace(tablet.device().keyspace())?;
        let subjects = tablet.device().subjects();
        let subjects = subjects.map_err(dongbo::TabletError::from)?;
        let mut documents = Vec::new();
        for (id, subject) in subjects {
            let cells = tablet.sealed_document(&subject)?.cells();
            let cells = cells.into_iter().map(|(code, rivals)| {
                let values = rivals.iter().map(|rival| view::value_json(&rival.value));
                (code, Value::Array(values.collect()))
            });
            documents.push(json!({
                "document": id, "template": subject.template, "period": subject.period,
                "unit": subject.unit,
                "unit_name": lookup::unit_name(tablet.device().catalogue(), subject.unit),
                "cells": Value::Object(cells.collect()),
            }));
        }
        let counts = [
            evidence.records.len(),
            evidence.entries.len(),
            documents.len(),
        ];
        let export = evidence.to_export(tablet.card().province, documents);
        let mut text = export.to_string();
        text.push('\n');
        durable_file::write(&self.out, text.as_bytes())?;
        let [records, parts, documents] = counts;
        let value = json!({
            "file": self.out, "records": records, "parts": parts, "documents": documents,
            "bytes": text.len(),
        });
        Ok(Said::new(value).say(
            "cli-exported",
            &[
                ("file", self.out.display().to_string()),
                ("records", records.to_string()),
                ("parts", parts.to_string()),
                ("documents", documents.to_string()),
            ],
        ))
    }
}
