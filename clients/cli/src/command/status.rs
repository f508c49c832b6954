//! `dongbo status`: what a badge would show.

use clap::Args;
use serde_json::json;

use super::{Context, Outcome, Said};

/// What waits, what is held, what is here.
#[derive(Debug, Args)]
pub(super) struct Status {}

impl Status {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let tablet = context.tablet()?;
        let status = tablet
            .device()
            .status()
            .map_err(dongbo::TabletError::from)?;
        let card = tablet.card();
        let value = json!({
            "name": card.name, "display": card.display, "province": card.province_name,
            "rehearsal": card.rehearsal, "server": card.server, "key_id": card.key_id,
            "installation": tablet.device().sealer().installation,
            "draft_edits": status.draft_edits, "waiting_parts": status.waiting_parts,
            "waiting_bytes": status.waiting_bytes, "held_parts": status.held_parts,
            "documents": status.documents, "catalogue": status.catalogue_number,
            "journal_bytes": tablet.journal_bytes(),
            "sealed_key": tablet.folder().is_sealed()?,
        });
        let mut said = Said::new(value).say(
            "cli-status-who",
            &[
                ("display", card.display.clone()),
                ("name", card.name.clone()),
                ("province", card.province_name.clone()),
                ("server", card.server.clone()),
            ],
        );
        if let Some(label) = &card.rehearsal {
            said = said.say("cli-rehearsal", &[("label", label.clone())]);
        }
        said = said.say(
            "cli-status",
            &[
                ("drafts", status.draft_edits.to_string()),
                ("waiting", status.waiting_parts.to_string()),
                ("bytes", status.waiting_bytes.to_string()),
                ("documents", status.documents.to_string()),
                ("catalogue", status.catalogue_number.to_string()),
            ],
        );
        if status.held_parts > 0 {
            said = said.say("cli-held", &[("held", status.held_parts.to_string())]);
        }
        if !tablet.folder().is_sealed()? {
            said = said.say("cli-no-pin", &[]);
        }
        Ok(said)
    }
}
