//! Sessions: by the key of the device, or by a password.

use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use serde::Deserialize;
use serde_json::json;
use sync_core::identity::{KeyId, NodeId, PersonId, ProvinceId, labelled_hash};
use sync_core::sync::carried::Carried;
use sync_core::sync::packed::Packing;
use sync_core::sync::{Frame, PackedResponse, Request, Response};

use super::carry::carry;
use super::{Refusal, Road, RoadError};
use crate::exchange::Link;
use crate::folder::DeviceCard;
use crate::tablet::Tablet;

/// Seconds before its end at which a token is not used any more.
const TOKEN_MARGIN_S: u64 = 30;

/// A token and until when it is used.
#[derive(Debug, Clone)]
pub struct Token {
    /// The access token.
    pub access: String,
    /// Stands for it where frames go: a tenth of its length, with every request of a slow link.
    pub link: Option<String>,
    /// Exchanged for the next one, for sessions by password.
    pub refresh: Option<String>,
    /// Who it stands for.
    pub person: PersonId,
    until: Instant,
}

impl Token {
    /// True while it can be used.
    pub fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    link_token: Option<String>,
    expires_in_s: u64,
    refresh_token: Option<String>,
    person: PersonId,
}

impl From<Answer> for Token {
    fn from(answer: Answer) -> Self {
        let lasts = answer.expires_in_s.saturating_sub(TOKEN_MARGIN_S);
        Self {
            access: answer.access_token,
            link: answer.link_token,
            refresh: answer.refresh_token,
            person: answer.person,
            until: Instant::now() + Duration::from_secs(lasts),
        }
    }
}

/// Opens a session by name and password.
pub fn by_password(road: &Road, name: &str, password: &str) -> Result<Token, RoadError> {
    let answer: Answer = road.post(
        "/v1/session",
        None,
        &json!({"name": name, "password": password}),
    )?;
    Ok(answer.into())
}

/// Opens a session by proving the device's key.
pub fn by_key(road: &Road, province: ProvinceId, key: &SigningKey) -> Result<Token, RoadError> {
    #[derive(Deserialize)]
    struct Challenge {
        province: ProvinceId,
        node: NodeId,
        nonce: String,
    }
    let key_id = KeyId::of(key.verifying_key().as_bytes());
    let challenge: Challenge =
        road.post("/v1/device/challenge", None, &json!({"key_id": key_id}))?;
    if challenge.province != province {
        return Err(RoadError::OtherProvince(road.server().to_owned()));
    }
    let nonce = HEXLOWER
        .decode(challenge.nonce.as_bytes())
        .map_err(|_| road.garbled("a challenge without hexadecimal digits".to_owned()))?;
    let statement = labelled_hash("device session", &[&province.0, &challenge.node.0, &nonce]);
    let signature = HEXLOWER.encode(&key.sign(&statement).to_bytes());
    let answer: Answer = road.post(
        "/v1/device/session",
        None,
        &json!({"key_id": key_id, "nonce": challenge.nonce, "signature": signature}),
    )?;
    Ok(answer.into())
}

/// The session of a device with one server: opened when it is needed, and again when it is over.
#[derive(Debug)]
pub struct DeviceSession {
    road: Road,
    province: ProvinceId,
    key: SigningKey,
    token: Option<Token>,
    /// An exchange that a cut link left in the middle.
    under_way: Option<Carried>,
}

impl DeviceSession {
    /// A session that is not open yet.
    pub fn new(road: Road, card: &DeviceCard, key: &SigningKey) -> Self {
        Self::of(road, card.province, key)
    }

    /// The same of any key that the catalogue knows.
    pub fn of(road: Road, province: ProvinceId, key: &SigningKey) -> Self {
        Self {
            road,
            province,
            key: key.clone(),
            token: None,
            under_way: None,
        }
    }

    /// The way it takes.
    pub fn road(&self) -> &Road {
        &self.road
    }

    /// A token that can be used now.
    pub fn token(&mut self) -> Result<Token, RoadError> {
        if let Some(token) = self.token.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let token = by_key(&self.road, self.province, &self.key)?;
        self.token = Some(token.clone());
        Ok(token)
    }

    /// Does something with a token; once more with a new one if the server says it is over.
    pub fn with_token<T>(
        &mut self,
        mut act: impl FnMut(&Road, &str) -> Result<T, RoadError>,
    ) -> Result<T, RoadError> {
        self.with_session(|road, token| act(road, &token.access))
    }

    fn with_session<T>(
        &mut self,
        mut act: impl FnMut(&Road, &Token) -> Result<T, RoadError>,
    ) -> Result<T, RoadError> {
        let token = self.token()?;
        match act(&self.road, &token) {
            Err(RoadError::Refused(refusal)) if is_over(&refusal) => {
                self.token = None;
                let token = self.token()?;
                act(&self.road, &token)
            }
            other => other,
        }
    }

    /// Brings a frame to the node and its answer back; what a cut left is gone on with.
    fn carry(&mut self, frame: Vec<u8>) -> Result<Vec<u8>, RoadError> {
        let mut carried = match self.under_way.take() {
            Some(carried) if carried.is(&frame) => carried,
            Some(_) | None => Carried::new(frame),
        };
        let answer = self.with_session(|road, token| {
            carry(
                &mut carried,
                road,
                token.link.as_ref().unwrap_or(&token.access),
            )
        });
        if answer.is_err() {
            self.under_way = Some(carried);
        }
        answer
    }
}

fn is_over(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "token-expired" | "sign-in-required")
}

impl Link for DeviceSession {
    fn give_back(&mut self, tablet: &Tablet) -> Result<bool, RoadError> {
        #[derive(Deserialize)]
        struct Held {
            last: u64,
        }
        let mut last = None;
        loop {
            let records = match last {
                None => Vec::new(),
                Some(after) => tablet.device().records_after(after).unwrap_or_default(),
            };
            if records.is_empty() && last.is_some() {
                return Ok(true);
            }
            let records: Vec<String> = records
                .iter()
                .map(|record| BASE64.encode(&record.encode()))
                .collect();
            let held: Held =
                self.road
                    .post("/v1/catalogue", None, &json!({ "records": records }))?;
            if last.is_some_and(|last| held.last <= last) {
                // It does not take them: its catalogue went another way.
                return Ok(false);
            }
            last = Some(held.last);
        }
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, RoadError> {
        let frame = Frame::Request(Box::new(request.clone())).encode();
        let answer = self.carry(frame)?;
        response_of(&self.road, &answer).map(|packed| packed.response)
    }

    fn exchange_packed(&mut self, frame: &Frame) -> Result<Option<PackedResponse>, RoadError> {
        let answer = self.carry(frame.encode())?;
        response_of(&self.road, &answer).map(Some)
    }
}

/// The response in the bytes of a frame.
pub(super) fn response_of(road: &Road, bytes: &[u8]) -> Result<PackedResponse, RoadError> {
    match Frame::decode(bytes) {
        Ok(Frame::PackedResponse(packed)) => Ok(*packed),
        Ok(Frame::Response(response)) => Ok(PackedResponse {
            takes_vouched: false,
            response: *response,
            unread: false,
            records: None,
            entries: Packing::Plain,
        }),
        Ok(Frame::Problem(code)) => Err(RoadError::Refused(Box::new(Refusal {
            status: 200,
            retry: matches!(
                code.as_str(),
                "not-ready" | "draining" | "changed-meanwhile"
            ),
            code,
            happened: "unknown".to_owned(),
            message_vi: String::new(),
            message_en: String::new(),
        }))),
        Ok(Frame::Request(_) | Frame::PackedRequest(_)) => {
            Err(road.garbled("a request for an answer".to_owned()))
        }
        Err(error) => Err(road.garbled(error.to_string())),
    }
}
