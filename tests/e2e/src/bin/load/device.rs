//! A device that is nothing but a key: enrolled, signed in, without a state of its own.
//!
//! What is measured shares its memory and its cores with what measures: thousands of whole devices would
//! need more of both than the server.

use anyhow::{Context, Result, ensure};
use e2e::peer::{device_session, post, random, text};
use e2e::{Administrator, Server};
use ed25519_dalek::SigningKey;
use serde_json::json;
use sync_core::batch::Sealer;
use sync_core::identity::{InstallationId, ProvinceId, UnitId};

/// Codes asked for by one request.
const CODES: usize = 500;

/// A device of an officer.
pub(crate) struct Light {
    pub(crate) sealer: Sealer,
    pub(crate) unit: UnitId,
    agent: ureq::Agent,
}

impl Light {
    /// Proves the key and gives an access token.
    pub(crate) fn sign_in(&self, url: &str) -> Result<String> {
        device_session(&self.agent, url, &self.sealer.key)
    }
}

/// One officer for each of so many communes, and so many devices for each: in the order of communes,
/// again and again.
pub(crate) fn devices(
    admin: &mut Administrator,
    running: &Server,
    communes: usize,
    each: usize,
) -> Result<Vec<Light>> {
    let url = running.url();
    let code_of = |commune: usize| format!("{commune:05}");
    let people = (0..communes).map(|commune| {
        let grants = json!([{ "role": "officer", "unit": code_of(commune), "subtree": false }]);
        json!({ "name": format!("p{commune}"), "display": "Cán bộ", "grants": grants })
    });
    let people: Vec<_> = people.collect();
    admin.post("/v1/people", &json!({ "people": people }))?;
    let wanted: Vec<usize> = (0..communes * each).map(|at| at % communes).collect();
    let agent = e2e::peer::agent();
    let mut devices = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(CODES) {
        let asked = some.iter().map(|commune| {
            json!({ "name": format!("p{commune}"), "unit_code": code_of(*commune), "label": "máy" })
        });
        let asked: Vec<_> = asked.collect();
        let made = admin.post("/v1/enrolments/bulk", &json!({ "enrolments": asked }))?;
        let made = made.get("enrolments").and_then(|made| made.as_array());
        for (commune, made) in some.iter().zip(made.context("no codes")?) {
            let key = SigningKey::from_bytes(&random());
            let public_key = data_encoding::HEXLOWER.encode(key.verifying_key().as_bytes());
            let body =
                json!({ "code": text(made, "code")?, "public_key": public_key, "label": "máy" });
            let redeem = format!("{url}/v1/enrolments/redeem");
            let (status, answer) = post(&agent, &redeem, None, &body)?;
            ensure!(status == 200, "redeem: {status} {answer}");
            let province: ProvinceId = text(&answer, "province")?.parse()?;
            let unit = admin
                .units
                .get(&code_of(*commune))
                .context("no such unit")?;
            devices.push(Light {
                sealer: Sealer {
                    province,
                    installation: InstallationId(random()),
                    key,
                },
                unit: *unit,
                agent: agent.clone(),
            });
        }
    }
    Ok(devices)
}
