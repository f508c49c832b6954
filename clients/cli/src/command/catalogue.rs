//! `dongbo catalogue`: the signed records of a province, out of a device or journal, into a device.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use dongbo::durable_file;
use dongbo::evidence::Evidence;
use serde_json::json;
use sync_core::identity::ProvinceId;

use super::verify::Source;
use super::{Context, Outcome, Said};
use dongbo::trouble::{Exit, Trouble};

#[derive(Debug, Subcommand)]
pub(super) enum Catalogue {
    /// Write the signed records to a file: an export without parts
    Export(Export),
    /// Take the signed records of a file into this device, without a server
    Import {
        /// A file of `catalogue export` or `export`
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    source: Source,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

impl Catalogue {
    pub(super) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Export(export) => {
                let records = export.source.read(context)?.records;
                let evidence = Evidence {
                    records,
                    ..Evidence::default()
                };
                let province = province_of(&evidence)?;
                let mut text = evidence.to_export(province, Vec::new()).to_string();
                text.push('\n');
                durable_file::write(&export.out, text.as_bytes())?;
                let records = evidence.records.len();
                let value = json!({"file": export.out, "records": records, "province": province});
                Ok(Said::new(value).say(
                    "cli-exported",
                    &[
                        ("file", export.out.display().to_string()),
                        ("records", records.to_string()),
                        ("parts", "0".to_owned()),
                        ("documents", "0".to_owned()),
                    ],
                ))
            }
            Self::Import { file } => {
                let evidence = Evidence::of_export(&file)?;
                let mut tablet = context.tablet()?;
                tablet.take_records(&evidence.records)?;
                let last = tablet.device().catalogue().last_number();
                tablet.close()?;
                Ok(Said::new(json!({ "catalogue": last }))
                    .say("cli-catalogue", &[("last", last.to_string())]))
            }
        }
    }
}

fn province_of(evidence: &Evidence) -> Result<ProvinceId, Trouble> {
    let mut catalogue = sync_core::catalogue::Catalogue::new();
    let wrong = |reason: &dyn std::fmt::Display| {
        Trouble::new("history-unreadable", Exit::Input).with("reason", reason)
    };
    for record in &evidence.records {
        catalogue.apply(record).map_err(|error| wrong(&error))?;
    }
    let province = catalogue.province().ok_or_else(|| wrong(&"no catalogue"))?;
    Ok(province.id)
}
