//! Changes the password of the person who asks, who knows the old one.

use axum::extract::State;
use axum::response::NoContent;
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Condition, Write};

use crate::app::{SharedApp, blocking};
use crate::extract::{Body, SignedIn};
use crate::kept::account::{self, Account};
use crate::problem::{Problem, ProblemCode};

/// The old password (left out by who has none yet) and the new one.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PasswordChange")]
#[serde(deny_unknown_fields)]
pub struct Request {
    old: Option<String>,
    new: String,
}

/// `POST /v1/password`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    Body(request): Body<Request>,
) -> Result<NoContent, Problem> {
    app.only_at_province()?;
    let person = identity.person;
    let attempts_of = person.to_string();
    app.passwords.attempt(&attempts_of, app.clock.now_s())?;
    let turn = app.passwords.turn().await?;
    blocking(&app, move |app| {
        let kept = app.store.get(&account::key(person))?;
        let account = kept.as_deref().map(Account::decode).transpose()?;
        let right = match (&account, &request.old) {
            (None, _) => true,
            (Some(account), Some(old)) => turn.verify(old, Some(account))?,
            (Some(_), None) => false,
        };
        if !right {
            return Err(Problem::new(ProblemCode::SignInFailed));
        }
        app.passwords.succeeded(&attempts_of);
        let account = turn.hash(&request.new)?;
        app.store.commit(Commit {
            conditions: vec![Condition {
                key: account::key(person),
                expected: kept,
            }],
            writes: vec![Write {
                key: account::key(person),
                value: Some(account.encode()),
            }],
        })?;
        Ok(())
    })
    .await?;
    Ok(NoContent)
}
