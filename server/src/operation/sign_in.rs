//! Signs a person in by password.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Condition, Write};
use sync_core::identity::PersonId;

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::Body;
use crate::kept::account::{self, Account};
use crate::kept::refresh_family::{self, RefreshFamily};
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::token::{Identity, RefreshToken};
use crate::wire::SignInName;

/// A name and a password.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SignIn")]
#[serde(deny_unknown_fields)]
pub struct Request {
    name: SignInName,
    password: String,
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Session {
    /// Proves the person for a quarter of an hour.
    pub access_token: String,
    /// Stands for it at `/v1/sync`, for a device: short, since it goes with every exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_token: Option<String>,
    /// Seconds until it does not.
    pub expires_in_s: i64,
    /// Exchanged for the next session before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in.
    #[schemars(with = "Hex<8>")]
    pub person: PersonId,
}

/// `POST /v1/session`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Session>, Problem> {
    app.only_at_province()?;
    app.passwords
        .attempt(request.name.as_str(), app.clock.now_s())?;
    let turn = app.passwords.turn().await?;
    let session = blocking(&app, move |app| {
        let person = app
            .registry
            .current()
            .person_by_name(request.name.as_str())
            .map(|person| person.person);
        let account = match person {
            Some(person) => account_of(app, person)?,
            None => None,
        };
        let right = turn.verify(&request.password, account.as_ref())?;
        match person {
            Some(person) if right => {
                app.passwords.succeeded(request.name.as_str());
                open_family(app, person)
            }
            Some(_) | None => Err(Problem::new(ProblemCode::SignInFailed)),
        }
    })
    .await?;
    Ok(Json(session))
}

/// The password of a person, if they have one.
pub(crate) fn account_of(app: &App, person: PersonId) -> Result<Option<Account>, Problem> {
    Ok(app
        .store
        .get(&account::key(person))?
        .map(|kept| Account::decode(&kept))
        .transpose()?)
}

/// Opens a family of refresh tokens and gives its first session.
fn open_family(app: &App, person: PersonId) -> Result<Session, Problem> {
    let now = app.clock.now_s();
    let family: [u8; 16] = random()?;
    let state = RefreshFamily {
        person,
        key: None,
        made_at: now,
        expires_at: now.saturating_add(limits::REFRESH_FAMILY_S),
        generation: 1,
        ended: false,
    };
    app.store.commit(Commit {
        conditions: vec![Condition {
            key: refresh_family::key(&family),
            expected: None,
        }],
        writes: vec![Write {
            key: refresh_family::key(&family),
            value: Some(state.encode()),
        }],
    })?;
    session(app, family, &state)
}

/// The session that the newest token of a family stands for.
pub(crate) fn session(
    app: &App,
    family: [u8; 16],
    state: &RefreshFamily,
) -> Result<Session, Problem> {
    let identity = Identity {
        person: state.person,
        key: state.key,
    };
    Ok(Session {
        access_token: app.tokens.access(identity, app.clock.now_s())?,
        expires_in_s: limits::ACCESS_TOKEN_S,
        link_token: None,
        refresh_token: Some(app.tokens.refresh(RefreshToken {
            family,
            generation: state.generation,
        })),
        person: state.person,
    })
}
