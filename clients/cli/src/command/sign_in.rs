//! `dongbo sign-in`: tries a name and password, as a browser would.

use clap::Args;
use dongbo::road::session::by_password;
use serde_json::json;

use super::{Context, Outcome, Said};

/// Tries a name and password. Devices themselves prove their key and need none.
#[derive(Debug, Args)]
pub(super) struct SignIn {
    /// Address of the server; else that of the device
    #[arg(long)]
    server: Option<String>,
    /// The sign-in name
    #[arg(long)]
    name: String,
    /// The password
    #[arg(long, env = "DONGBO_PASSWORD", hide_env_values = true)]
    password: String,
}

impl SignIn {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let server = match self.server {
            Some(server) => server,
            None => context.folder()?.card()?.server,
        };
        let token = by_password(&context.road(&server)?, &self.name, &self.password)?;
        let value = json!({
            "person": token.person, "access_token": token.access, "refresh_token": token.refresh,
        });
        Ok(Said::new(value).say("cli-signed-in", &[("name", self.name), ("server", server)]))
    }
}
