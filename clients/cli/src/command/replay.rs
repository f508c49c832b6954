//! `dongbo replay`: signed history into a server, by the road every device takes.

use clap::Args;
use dongbo::replay::replay;
use dongbo::trouble::Exit;
use serde_json::json;

use super::verify::Source;
use super::{Context, Outcome, Said};

/// Sends every signed part of a journal or an export to a server. Safe to repeat.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    source: Source,
    /// The server; else that of the device
    #[arg(long)]
    server: Option<String>,
    /// Give the server the catalogue records it lacks first
    #[arg(long)]
    with_catalogue: bool,
}

impl Replay {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let evidence = self.source.read(context)?;
        let mut tablet = context.tablet()?;
        let mut session = context.session_of(&tablet, self.server.as_deref())?;
        let replayed = replay(&evidence, &mut tablet, &mut session, self.with_catalogue)?;
        let refused: Vec<_> = replayed
            .refused
            .iter()
            .map(|(part, code)| json!({"part": part, "code": code}))
            .collect();
        let server = replayed.server_fingerprint.map(|print| print.to_string());
        let value = json!({
            "records": replayed.records, "accepted": replayed.accepted, "held": replayed.held,
            "refused": refused, "fingerprint": replayed.fingerprint.to_string(),
            "server_fingerprint": server,
        });
        let said = Said::new(value).say(
            "cli-replayed",
            &[
                ("records", replayed.records.to_string()),
                ("accepted", replayed.accepted.to_string()),
                ("held", replayed.held.values().sum::<usize>().to_string()),
                ("refused", replayed.refused.len().to_string()),
            ],
        );
        let said = said
            .say(
                "cli-fingerprint",
                &[("print", replayed.fingerprint.to_string())],
            )
            .say(
                "cli-fingerprint-server",
                &[("print", server.unwrap_or_default())],
            );
        Ok(match replayed.refused.is_empty() {
            true => said,
            false => said.exit(Exit::Differs),
        })
    }
}
