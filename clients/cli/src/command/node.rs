//! `dongbo node`: the edge servers of areas.

use clap::{Args, Subcommand};
use dongbo::administration::Administration;
use serde_json::Value;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Node {
    /// Administrator: make a code by which a server becomes the edge of an area; it is shown once
    Add(Add),
    /// Let an edge exchange with the province now
    Sync(At),
    /// How an edge stands with the province
    Status(At),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Code of the unit that it serves, with all below it
    #[arg(long)]
    unit: String,
    /// What the edge is called
    #[arg(long)]
    label: String,
    /// Where tablets reach it: https://…
    #[arg(long)]
    address: String,
}

#[derive(Debug, Args)]
pub(super) struct At {
    /// Address of the edge
    #[arg(long)]
    url: String,
}

impl Node {
    pub(super) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Add(add) => {
                let mut session = context.session(None)?;
                let made =
                    Administration(&mut session).add_node(&add.unit, &add.label, &add.address)?;
                let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default();
                let arguments = [
                    ("name", text("name").to_owned()),
                    ("code", text("code").to_owned()),
                ];
                Ok(Said::new(made.clone()).say("cli-node-added", &arguments))
            }
            Self::Sync(at) => {
                let mut session = context.session(Some(&at.url))?;
                let state = Administration(&mut session).sync_upstream()?;
                Ok(said(state))
            }
            Self::Status(at) => {
                let mut session = context.session(Some(&at.url))?;
                let state = Administration(&mut session).upstream()?;
                Ok(said(state))
            }
        }
    }
}

fn said(state: Value) -> Said {
    let id = match state.get("in_step").and_then(Value::as_bool) {
        Some(true) => "cli-node-in-step",
        Some(false) | None => "cli-node-behind",
    };
    let text = |name: &str| match state.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "–".to_owned(),
        Some(other) => other.to_string(),
    };
    let arguments = [
        ("upstream", text("upstream")),
        ("sent", text("sent")),
        ("taken", text("taken")),
        ("error", text("last_error")),
    ];
    Said::new(state).say(id, &arguments)
}
