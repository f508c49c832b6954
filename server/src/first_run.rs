//! The life of a server before it has a province: one page, and one request that founds it.
//!
//! Whoever may read the folder may found the province, so the administrator's code is kept there until
//! then: a server that was stopped in between shows the same code again.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::SharedStore;
use sync_core::identity::{NodeId, ProvinceId};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::entropy::random;
use crate::extract::Body;
use crate::limits;
use crate::operation::found_province::{FoundError, Founder, found_by};
use crate::operation::report_health;
use crate::password::Passwords;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::secrets::{Secrets, SecretsError, read_code, write_code};
use crate::token::same;
use crate::web_app;
use crate::wire::{EnrolmentCode, Label, SignInName};

/// Attempts at the code are counted under this name, which nobody signs in by.
const ATTEMPTS: &str = "first run";

/// What a server without a province has.
#[derive(Debug)]
pub struct FirstRun {
    store: SharedStore,
    secrets: Secrets,
    clock: Clock,
    code: EnrolmentCode,
    folder: PathBuf,
    passwords: Passwords,
    founded: watch::Sender<bool>,
}

/// The administrator's code, the province, its first administrator, and their password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Founding")]
pub(crate) struct Request {
    code: String,
    province: Label,
    /// Marks the province as a rehearsal for ever; every page shows this text.
    rehearsal: Option<Label>,
    name: SignInName,
    display: Label,
    password: String,
}

/// What was founded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Founded")]
pub(crate) struct Answer {
    #[schemars(with = "Hex<16>")]
    province: ProvinceId,
    #[schemars(with = "Hex<16>")]
    node: NodeId,
}

/// The code of a folder that waits for its province: a new one for an empty folder, none for a folder
/// that holds anything else.
pub fn awaited(folder: &Path) -> Result<Option<EnrolmentCode>, SecretsError> {
    if let Some(code) = read_code(folder)? {
        return Ok(Some(code));
    }
    let empty = match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !empty {
        return Ok(None);
    }
    let code = EnrolmentCode::of(random()?);
    write_code(folder, &code)?;
    Ok(Some(code))
}

impl FirstRun {
    /// A server that waits for its province.
    pub fn new(
        store: SharedStore,
        secrets: Secrets,
        clock: Clock,
        code: EnrolmentCode,
        folder: &Path,
    ) -> Self {
        Self {
            store,
            secrets,
            clock,
            code,
            folder: folder.to_owned(),
            passwords: Passwords::default(),
            founded: watch::Sender::new(false),
        }
    }

    /// Serves the first-run page until the province is founded (true) or `stop` comes (false).
    pub async fn serve<L>(
        self,
        listener: L,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<bool>
    where
        L: Listener,
        L::Addr: fmt::Debug,
    {
        let mut founded = self.founded.subscribe();
        let (ending, mut end) = watch::channel(false);
        let until = async move {
            tokio::select! {
                () = stop => {}
                // The sender lives in the router, which ends after this.
                _ = founded.wait_for(|founded| *founded) => {}
            }
            ending.send_replace(true);
        };
        let told = self.founded.subscribe();
        let serving = axum::serve(listener, router(Arc::new(self)))
            .with_graceful_shutdown(until)
            .into_future();
        let deadline = async {
            let _ = end.wait_for(|end| *end).await;
            tokio::time::sleep(Duration::from_secs(limits::FIRST_RUN_DRAIN_S)).await;
        };
        tokio::select! {
            served = serving => served?,
            // A request that is never sent to its end would be waited for as long.
            () = deadline => {}
        }
        Ok(*told.borrow())
    }
}

fn router(first_run: Arc<FirstRun>) -> Router {
    let none_yet = async || Problem::new(ProblemCode::NotFounded);
    Router::new()
        .route("/", get(web_app::respond_page))
        .route("/health", get(report_health::respond_alive))
        .route("/v1/province", post(respond))
        .route("/v1/{*rest}", axum::routing::any(none_yet))
        .route("/ready", get(none_yet))
        .fallback(web_app::respond_file)
        .layer(DefaultBodyLimit::max(limits::SMALL_BODY_BYTES_MAX))
        .with_state(first_run)
}

/// `POST /v1/province`
async fn respond(
    State(first_run): State<Arc<FirstRun>>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let now = first_run.clock.now_s();
    first_run.passwords.attempt(ATTEMPTS, now)?;
    let typed = EnrolmentCode::read(&request.code);
    let right = typed.is_some_and(|typed| {
        same(
            typed.as_str().as_bytes(),
            first_run.code.as_str().as_bytes(),
        )
    });
    if !right {
        tracing::warn!("a wrong code was given to found the province");
        return Err(Problem::new(ProblemCode::CodeUnknown));
    }
    first_run.passwords.succeeded(ATTEMPTS);
    let turn = first_run.passwords.turn().await?;
    tokio::task::spawn_blocking(move || {
        let founder = Founder {
            name: request.name,
            display: request.display,
            account: turn.hash(&request.password)?,
        };
        first_run.found((request.province, request.rehearsal), &founder)
    })
    .await
    .map_err(|error| Problem::internal(&error))?
    .map(Json)
}

/// `POST /v1/province` where there is one already: an answer that was lost is not given twice.
pub(crate) async fn respond_founded(_: Body<Request>) -> Result<Json<Answer>, Problem> {
    Err(Problem::new(ProblemCode::AlreadyFounded))
}

impl FirstRun {
    fn found(&self, names: (Label, Option<Label>), founder: &Founder) -> Result<Answer, Problem> {
        let founded = found_by(&self.store, &self.secrets, &self.clock, names, founder);
        let (province, node) = founded.map_err(|error| match error {
            FoundError::AlreadyFounded(_) => Problem::new(ProblemCode::AlreadyFounded),
            FoundError::Commit(error) => error.into(),
            FoundError::Registry(_)
            | FoundError::Entropy(_)
            | FoundError::Name(_)
            | FoundError::NoKey
            | FoundError::Refused(_) => Problem::internal(&error),
        })?;
        forget(&self.folder);
        tracing::info!(%province, "the province is founded");
        self.founded.send_replace(true);
        Ok(Answer { province, node })
    }
}

/// Removes the code: the province is there. If that fails, the next start does it.
pub fn forget(folder: &Path) {
    let path = crate::secrets::code_path(folder);
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!(%error, "{} could not be removed: {error}", path.display());
    }
}
