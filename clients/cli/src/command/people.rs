//! `dongbo people`, `dongbo person`: who works in the province.

use clap::{Args, Subcommand};
use dongbo::administration::{
    Administration, GrantRow, ImportError, PersonRow, read_people, role_named,
};
use dongbo::durable_file::FileError;
use dongbo::trouble::{Exit, Trouble};
use serde_json::{Value, json};

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum People {
    /// Import people from CSV: name,display,role,unit,subtree,until
    Import {
        /// The file
        file: std::path::PathBuf,
    },
    /// Everybody with grants and devices, from the server
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Add a person, or another grant of one
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Sign-in name
    #[arg(long)]
    name: String,
    /// Name
    #[arg(long)]
    display: String,
    /// officer, head, aggregator, department-owner, provincial-reviewer, approver, administrator, auditor
    #[arg(long)]
    role: Option<String>,
    /// Unit code; else the whole province
    #[arg(long)]
    unit: Option<String>,
    /// With everything below
    #[arg(long)]
    subtree: bool,
    /// End of the lease, seconds since 1970
    #[arg(long, default_value_t = 0)]
    until: i64,
}

impl People {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut session = context.session(None)?;
        match self {
            Self::Import { file } => {
                let bytes = std::fs::read(&file).map_err(FileError::at("read", &file))?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| ImportError::NotText(file.display().to_string()))?;
                add(&mut session, &read_people(&text)?)
            }
            Self::List => {
                let people = Administration(&mut session).people()?;
                let text = |person: &Value, field: &str| {
                    person
                        .get(field)
                        .and_then(Value::as_str)
                        .unwrap_or("")
                        .to_owned()
                };
                let mut said = Said::new(json!({ "items": people }));
                for person in &people {
                    said = said.plain(format!(
                        "{:<28} {}",
                        text(person, "name"),
                        text(person, "display")
                    ));
                    for grant in person
                        .get("grants")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                    {
                        said = said.plain(format!(
                            "    {}  {}  {}",
                            text(grant, "grant"),
                            text(grant, "role"),
                            text(grant, "unit")
                        ));
                    }
                    for device in person
                        .get("devices")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                    {
                        said = said.plain(format!(
                            "    {}  {}",
                            text(device, "key_id"),
                            text(device, "label")
                        ));
                    }
                }
                Ok(said)
            }
        }
    }
}

impl Person {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::Add(row) = self;
        let role = match row.role.as_deref() {
            None => None,
            Some(role) => Some(
                role_named(role)
                    .ok_or_else(|| Trouble::new("role-unknown", Exit::Usage).with("role", role))?,
            ),
        };
        let grant = role.map(|role| GrantRow {
            role,
            unit: row.unit,
            subtree: row.subtree,
            until: row.until,
        });
        let person = PersonRow {
            name: row.name,
            display: row.display,
            grants: grant.into_iter().collect(),
        };
        add(&mut context.session(None)?, &[person])
    }
}

fn add(session: &mut dongbo::road::session::DeviceSession, people: &[PersonRow]) -> Outcome {
    let added = Administration(session).add_people(people)?;
    let value = json!({"records_added": added.records_added, "people": added.people});
    Ok(Said::new(value).say(
        "cli-people",
        &[
            ("people", added.people.len().to_string()),
            ("records", added.records_added.to_string()),
        ],
    ))
}
