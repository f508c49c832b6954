//! Signs a person in by the key on their device: no password.

use axum::Json;
use axum::extract::State;
use ed25519_dalek::{Signature, VerifyingKey};
use schemars::JsonSchema;
use serde::Deserialize;
use sync_core::identity::{KeyId, NodeId, ProvinceId, labelled_hash};

use crate::app::{App, SharedApp, blocking};
use crate::extract::Body;
use crate::limits;
use crate::operation::sign_in::Session;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::token::Identity;
use crate::wire::SignatureHex;

/// The challenge and its signature.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DeviceSignIn")]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[schemars(with = "Hex<16>")]
    key_id: KeyId,
    nonce: String,
    signature: SignatureHex,
}

/// What a device signs to open a session; `nonce` as raw bytes.
pub fn statement(province: ProvinceId, node: NodeId, nonce: &[u8]) -> [u8; 32] {
    labelled_hash("device session", &[&province.0, &node.0, nonce])
}

/// `POST /v1/device/session`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Session>, Problem> {
    blocking(&app, move |app| sign_in(app, &request))
        .await
        .map(Json)
}

fn sign_in(app: &App, request: &Request) -> Result<Session, Problem> {
    let now = app.clock.now_s();
    let nonce = app
        .tokens
        .verify_challenge(request.key_id, &request.nonce, now)
        .ok_or_else(|| Problem::new(ProblemCode::ChallengeInvalid))?;
    let catalogue = app.registry.current();
    let province = catalogue
        .province()
        .ok_or_else(|| Problem::new(ProblemCode::NotReady))?;
    let device = catalogue
        .key(request.key_id)
        .ok_or_else(|| Problem::new(ProblemCode::DeviceKeyUnknown).with("key", request.key_id))?;
    let signed = VerifyingKey::from_bytes(&device.public_key).is_ok_and(|key| {
        key.verify_strict(
            &statement(province.id, app.identity().node, &nonce),
            &Signature::from_bytes(&request.signature.0),
        )
        .is_ok()
    });
    if !signed {
        return Err(Problem::new(ProblemCode::SignatureWrong));
    }
    if device.ended.is_some() {
        return Err(Problem::new(ProblemCode::DeviceKeyEnded).with("key", request.key_id));
    }
    let identity = Identity {
        person: device.person,
        key: Some(request.key_id),
    };
    Ok(Session {
        access_token: app.tokens.access(identity, now)?,
        link_token: Some(app.tokens.link(request.key_id, now)),
        expires_in_s: limits::ACCESS_TOKEN_S,
        refresh_token: None,
        person: device.person,
    })
}
