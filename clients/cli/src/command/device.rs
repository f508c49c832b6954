//! `dongbo device`: ending a device key.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use dongbo::administration::Administration;
use dongbo::trouble::{Exit, Trouble};
use dongbo::{Patience, now_s, synchronise};
use serde_json::json;
use sync_core::identity::{InstallationId, KeyId};

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// End a device key: what it sealed beyond the frontier is held from now on
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct End {
    /// The key
    key: KeyId,
    /// Work that still counts: INSTALLATION:NUMBER, the last batch; else all that is here after a sync
    #[arg(long = "accept", value_parser = read_frontier)]
    accepted: Vec<(InstallationId, u64)>,
    /// Nothing of it counts
    #[arg(long, conflicts_with = "accepted")]
    accept_nothing: bool,
}

fn read_frontier(text: &str) -> Result<(InstallationId, u64), String> {
    let (installation, number) = text.split_once(':').ok_or("INSTALLATION:NUMBER")?;
    let installation = installation.parse().map_err(|_| "no installation id")?;
    Ok((installation, number.parse().map_err(|_| "no batch number")?))
}

impl Device {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::End(end) = self;
        let mut tablet = context.tablet()?;
        let mut session = context.session_of(&tablet, None)?;
        let accepted: BTreeMap<InstallationId, u64> = if end.accept_nothing {
            BTreeMap::new()
        } else if end.accepted.is_empty() {
            // The frontier is what the node has now, not what was here yesterday.
            let report = synchronise(&mut tablet, &mut session, Patience::PERSON, &now_s)?;
            if let Some(error) = report.stopped_by {
                return Err(error.into());
            }
            if tablet.device().catalogue().key(end.key).is_none() {
                return Err(Trouble::new("key-unknown", Exit::Input).with("key", end.key));
            }
            tablet.device().log().last_batches_of(end.key)?
        } else {
            end.accepted.into_iter().collect()
        };
        let ended = Administration(&mut session).end_device(end.key, &accepted)?;
        let count = accepted.len().to_string();
        Ok(
            Said::new(json!({"ended": ended, "accepted": accepted.iter().map(
            |(installation, number)| json!({"installation": installation, "number": number})
        ).collect::<Vec<_>>()}))
            .say(
                "cli-device-ended",
                &[("key", end.key.to_string()), ("count", count)],
            ),
        )
    }
}
