//! `dongbo enrol`: a one-time code makes this folder a device.

use clap::Args;
use dongbo::enrolment::{Enrolling, enrol};
use dongbo::{Patience, Tablet, now_s, synchronise};
use serde_json::json;

use super::{Context, Outcome, Said};

/// Makes this folder a device of a province. Interrupted, the same command goes on.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// Address of the server
    #[arg(long)]
    server: String,
    /// The one-time code
    #[arg(long)]
    code: String,
    /// What the device is called
    #[arg(long)]
    label: Option<String>,
    /// A first password for signing in with a browser
    #[arg(long, env = "DONGBO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The sign-in name expected; another person's code is refused afterwards
    #[arg(long)]
    name: Option<String>,
    /// Do not read the catalogue now
    #[arg(long)]
    no_sync: bool,
}

impl Enrol {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let folder = context.folder()?;
        let road = context.road(&self.server)?;
        let enrolling = Enrolling {
            code: &self.code,
            label: self.label.as_deref(),
            password: self.password.as_deref(),
            pin: context.pin(),
        };
        let card = enrol(&folder, &road, &enrolling)?;
        if self.name.as_ref().is_some_and(|name| *name != card.name) {
            let trouble =
                dongbo::trouble::Trouble::new("other-person", dongbo::trouble::Exit::Refused);
            return Err(trouble.with("name", &card.name));
        }
        let mut said = Said::new(json!({
            "person": card.person, "name": card.name, "display": card.display,
            "province": card.province, "province_name": card.province_name,
            "rehearsal": card.rehearsal, "unit": card.unit, "key_id": card.key_id,
            "folder": folder.path(), "sealed": context.pin().is_some(),
        }));
        said = said.say(
            "cli-enrolled",
            &[
                ("display", card.display.clone()),
                ("name", card.name.clone()),
                ("province", card.province_name.clone()),
                ("folder", folder.path().display().to_string()),
            ],
        );
        if let Some(rehearsal) = &card.rehearsal {
            said = said.say("cli-rehearsal", &[("label", rehearsal.clone())]);
        }
        if context.pin().is_none() {
            said = said.say("cli-no-pin", &[]);
        }
        if !self.no_sync {
            let mut tablet = Tablet::open(&folder, context.pin())?;
            let mut session = context.session_of(&tablet, None)?;
            let report = synchronise(&mut tablet, &mut session, Patience::PERSON, &now_s)?;
            tablet.close()?;
            if report.stopped_by.is_some() {
                said = said.say("cli-catalogue-later", &[]);
            }
        }
        Ok(said)
    }
}
