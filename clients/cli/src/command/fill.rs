//! `dongbo fill`: a report from a file, saved on the device.

use std::io::Read;

use clap::Args;
use dongbo::durable_file::FileError;
use dongbo::{local_rows, lookup, now_s, typed};
use serde_json::json;
use sync_core::document::{Edit, Entry};

use super::{Context, Outcome, Said};
use dongbo::trouble::{Exit, Trouble};

/// Fills a report from a file: durable on the device when it returns; `sync` sends it.
#[derive(Debug, Args)]
pub(super) struct Fill {
    /// Template id
    #[arg(long)]
    template: String,
    /// Unit: code, id or a part of its name
    #[arg(long)]
    unit: String,
    /// Period: 2025, 2025-Q1, 2025-M9, …
    #[arg(long)]
    period: String,
    /// JSON {"code": "1.893"} or CSV code,value; - reads from standard input
    #[arg(long)]
    file: String,
    /// Seal it now instead of at the next sync
    #[arg(long)]
    seal: bool,
}

impl Fill {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let text = read_input(&self.file)?;
        let mut tablet = context.tablet()?;
        let catalogue = tablet.device().catalogue();
        let subject = lookup::subject(catalogue, &self.template, &self.unit, &self.period)?;
        let template = local_rows::filled(&mut tablet, &subject)?;
        let mut edits = typed::read(&template, &text, now_s())?;
        let cells = edits.len();
        let standing = tablet.document(&subject)?.template_version();
        if standing != Some(template.version()) && cells > 0 {
            edits.insert(
                0,
                Edit {
                    entry: Entry::TemplateVersion(template.version()),
                    typed_at: now_s(),
                },
            );
        }
        if cells > 0 {
            tablet.edit(&subject, &edits)?;
            if self.seal {
                tablet.seal(now_s())?;
            }
        }
        let unit = lookup::unit_name(tablet.device().catalogue(), subject.unit);
        tablet.close()?;
        let value = json!({
            "document": subject.document_id(), "unit": subject.unit, "cells": cells,
            "saved": true, "sealed": self.seal,
        });
        Ok(Said::new(value).say(
            "cli-saved",
            &[
                ("cells", cells.to_string()),
                ("unit", unit),
                ("period", subject.period),
            ],
        ))
    }
}

fn read_input(file: &str) -> Result<String, Trouble> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(FileError::at("read", "-".as_ref()))?;
        return Ok(text);
    }
    let path = std::path::Path::new(file);
    let bytes = std::fs::read(path).map_err(FileError::at("read", path))?;
    String::from_utf8(bytes)
        .map_err(|error| Trouble::new("file-not-text", Exit::Input).with("reason", error))
}
