//! A device that talks to a server: a key, a device state, a session.

use anyhow::{Context, Result, bail};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sync_core::batch::Sealer;
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::identity::{InstallationId, KeyId, NodeId, ProvinceId, UnitId, labelled_hash};
use sync_core::log::MemoryKeyspace;
use sync_core::sync::{Device, Frame, Received, Response};

use crate::{PERIOD, TEMPLATE, now_s};

/// A device with its key.
#[derive(Debug)]
pub struct Peer {
    /// Its whole state.
    pub device: Device,
    /// Its private key.
    pub key: SigningKey,
    token: Option<String>,
    agent: ureq::Agent,
}

/// Random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A test without random numbers has nothing to test.
    getrandom::fill(&mut bytes).unwrap_or_else(|_| std::process::abort());
    bytes
}

/// An agent that hands out problem answers instead of errors.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

/// Posts JSON and gives status and answer.
pub fn post(
    agent: &ureq::Agent,
    url: &str,
    token: Option<&str>,
    body: &Value,
) -> Result<(u16, Value)> {
    let mut request = agent.post(url);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.send_json(body)?;
    let status = response.status().as_u16();
    Ok((
        status,
        response.body_mut().read_json().unwrap_or(Value::Null),
    ))
}

/// Gets JSON.
pub fn get(agent: &ureq::Agent, url: &str, token: Option<&str>) -> Result<(u16, Value)> {
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call()?;
    let status = response.status().as_u16();
    Ok((
        status,
        response.body_mut().read_json().unwrap_or(Value::Null),
    ))
}

/// The text at a key of an answer.
pub fn text(answer: &Value, key: &str) -> Result<String> {
    let value = answer.get(key).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .with_context(|| format!("no {key} in {answer}"))
}

/// Proves a device's key to a server and gives an access token.
pub fn device_session(agent: &ureq::Agent, url: &str, key: &SigningKey) -> Result<String> {
    let key_id = KeyId::of(key.verifying_key().as_bytes());
    let body = json!({ "key_id": key_id.to_string() });
    let (status, answer) = post(agent, &format!("{url}/v1/device/challenge"), None, &body)?;
    if status != 200 {
        bail!("challenge: {status} {answer}");
    }
    let province: ProvinceId = text(&answer, "province")?.parse()?;
    let node: NodeId = text(&answer, "node")?.parse()?;
    let nonce = text(&answer, "nonce")?;
    let raw = data_encoding::HEXLOWER.decode(nonce.as_bytes())?;
    let statement = labelled_hash("device session", &[&province.0, &node.0, &raw]);
    let signature = key.sign(&statement).to_bytes();
    let body = json!({
        "key_id": key_id.to_string(),
        "nonce": nonce,
        "signature": data_encoding::HEXLOWER.encode(&signature),
    });
    let (status, answer) = post(agent, &format!("{url}/v1/device/session"), None, &body)?;
    if status != 200 {
        bail!("session: {status} {answer}");
    }
    text(&answer, "access_token")
}

impl Peer {
    /// Makes a key, redeems a code with it and reads the catalogue.
    pub fn enrol(url: &str, code: &str, password: Option<&str>) -> Result<Self> {
        let key = SigningKey::from_bytes(&random());
        let agent = agent();
        let public_key = data_encoding::HEXLOWER.encode(key.verifying_key().as_bytes());
        let body = json!({
            "code": code, "public_key": public_key, "label": "máy thử", "password": password,
        });
        let (status, answer) = post(&agent, &format!("{url}/v1/enrolments/redeem"), None, &body)?;
        if status != 200 {
            bail!("redeem: {status} {answer}");
        }
        let province: ProvinceId = text(&answer, "province")?.parse()?;
        let sealer = Sealer {
            province,
            installation: InstallationId(random()),
            key: key.clone(),
        };
        let (device, _) = Device::open(sealer, MemoryKeyspace::new())?;
        let mut peer = Self {
            device,
            key,
            token: None,
            agent,
        };
        peer.sync(url)?;
        Ok(peer)
    }

    /// The device again, from what it kept.
    pub fn reopen(&mut self) -> Result<()> {
        let truth = self.device.keyspace().clone();
        self.device = Device::open(self.device.sealer().clone(), truth)?.0;
        Ok(())
    }

    /// Proves the key and keeps the token.
    pub fn sign_in(&mut self, url: &str) -> Result<String> {
        let token = device_session(&self.agent, url, &self.key)?;
        self.token = Some(token.clone());
        Ok(token)
    }

    /// The token of the session, signing in if there is none.
    pub fn token(&mut self, url: &str) -> Result<String> {
        match &self.token {
            Some(token) => Ok(token.clone()),
            None => self.sign_in(url),
        }
    }

    /// Sends a frame and gives the answer's bytes with its status.
    pub fn post_frame(&mut self, url: &str, frame: &[u8]) -> Result<(u16, Vec<u8>)> {
        let token = self.token(url)?;
        let mut response = self
            .agent
            .post(format!("{url}/v1/sync"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/octet-stream")
            .send(frame)?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(16 << 20)
            .read_to_vec()?;
        Ok((status, body))
    }

    /// One exchange of what waits.
    pub fn exchange(&mut self, url: &str) -> Result<(Response, Received)> {
        let request = self.device.packed_request()?.encode();
        let (status, bytes) = self.post_frame(url, &request)?;
        if status == 401 {
            self.token = None;
        }
        let Ok(Frame::PackedResponse(response)) = Frame::decode(&bytes) else {
            bail!("sync: {status} {}", String::from_utf8_lossy(&bytes));
        };
        let response = self.device.open_response(*response)?;
        let received = self
            .device
            .receive(&response, now_s(), InstallationId(random()))?;
        Ok((response, received))
    }

    /// Seals and exchanges until nothing more is there on either side.
    pub fn sync(&mut self, url: &str) -> Result<Vec<Received>> {
        self.device.seal(now_s())?;
        let mut all = Vec::new();
        for _ in 0..1_000 {
            let (_, received) = self.exchange(url)?;
            let again = received.again;
            all.push(received);
            if !again {
                return Ok(all);
            }
        }
        bail!("an exchange that never ends")
    }

    /// The subject of a unit's report.
    pub fn report(unit: UnitId) -> Subject {
        Subject {
            kind: SubjectKind::Report,
            template: TEMPLATE.into(),
            unit,
            period: PERIOD.into(),
        }
    }

    /// Types numbers into cells of a unit's report.
    pub fn fill(&mut self, unit: UnitId, cells: &[(&str, i64)]) -> Result<()> {
        let edits: Vec<_> = cells
            .iter()
            .map(|(code, value)| {
                let value = CellValue::Number((*value).into());
                Edit {
                    entry: Entry::Cell {
                        code: (*code).to_owned(),
                        value,
                    },
                    typed_at: now_s(),
                }
            })
            .collect();
        self.device.edit(&Self::report(unit), &edits)?;
        Ok(())
    }

    /// Seals a batch of `changes` changes, each of one cell, in a unit's report.
    pub fn seal_changes(&mut self, unit: UnitId, changes: usize, from: i64) -> Result<()> {
        for index in 0..changes {
            let code = format!("I.{}", index + 1);
            self.fill(unit, &[(&code, from + index as i64)])?;
            self.device.seal(now_s())?;
        }
        Ok(())
    }
}
