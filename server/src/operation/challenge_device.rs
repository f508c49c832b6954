//! Gives a device the challenge it has to sign. Keys that do not exist get one too.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::identity::{KeyId, NodeId, ProvinceId};

use crate::app::SharedApp;
use crate::entropy::random;
use crate::extract::Body;
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;

/// Which key will sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ChallengeRequest")]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[schemars(with = "Hex<16>")]
    key_id: KeyId,
}

/// What to sign: `H("device session", province ‖ node ‖ nonce)`, the nonce as raw bytes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Challenge")]
pub struct Answer {
    #[schemars(with = "Hex<16>")]
    province: ProvinceId,
    #[schemars(with = "Hex<16>")]
    node: NodeId,
    nonce: String,
    expires_in_s: i64,
}

/// `POST /v1/device/challenge`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let catalogue = app.registry.current();
    let province = catalogue
        .province()
        .ok_or_else(|| Problem::new(ProblemCode::NotReady))?;
    Ok(Json(Answer {
        province: province.id,
        node: app.identity().node,
        nonce: app
            .tokens
            .challenge(request.key_id, random()?, app.clock.now_s()),
        expires_in_s: limits::CHALLENGE_S,
    }))
}
