//! `dongbo grant`: ending what a person may do.

use clap::Subcommand;
use dongbo::administration::Administration;
use serde_json::json;
use sync_core::identity::GrantId;

use super::{Context, Outcome, Said};

#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    /// End a grant; its id is in `dongbo people list`
    End {
        /// The grant
        grant: GrantId,
    },
}

impl Grant {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let Self::End { grant } = self;
        let ended = Administration(&mut context.session(None)?).end_grant(grant)?;
        Ok(Said::new(json!({ "ended": ended }))
            .say("cli-grant-ended", &[("grant", grant.to_string())]))
    }
}
