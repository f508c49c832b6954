//! The administrator: makes a province ready for work over the ordinary routes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sync_core::catalogue_files;
use sync_core::form::Template;
use sync_core::identity::UnitId;

use crate::peer::{Peer, get, post, text};
use crate::{PERIOD, TEMPLATE};

/// An administrator with an enrolled device.
#[derive(Debug)]
pub struct Administrator {
    /// The device.
    pub peer: Peer,
    url: String,
    agent: ureq::Agent,
    /// Units by code.
    pub units: BTreeMap<String, UnitId>,
}

impl Administrator {
    /// Redeems the first code.
    pub fn enrol(url: &str, code: &str) -> Result<Self> {
        let peer = Peer::enrol(url, code, Some("mật khẩu quản trị 2025"))?;
        let (agent, units) = (crate::peer::agent(), BTreeMap::new());
        Ok(Self {
            peer,
            url: url.to_owned(),
            agent,
            units,
        })
    }

    /// The server moved: another port after a restart.
    pub fn moved(&mut self, url: &str) {
        self.url = url.to_owned();
    }

    /// Posts JSON as the administrator; anything but 200 is an error.
    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let token = self.peer.token(&self.url)?;
        let (status, answer) = post(
            &self.agent,
            &format!("{}{path}", self.url),
            Some(&token),
            body,
        )?;
        if status != 200 {
            bail!("{path}: {status} {answer}");
        }
        Ok(answer)
    }

    /// Gets JSON as the administrator.
    pub fn get(&mut self, path: &str) -> Result<Value> {
        let token = self.peer.token(&self.url)?;
        let (status, answer) = get(&self.agent, &format!("{}{path}", self.url), Some(&token))?;
        if status != 200 {
            bail!("{path}: {status} {answer}");
        }
        Ok(answer)
    }

    /// A province over one area over `communes` communes, with the yearly report due from each.
    pub fn found(&mut self, communes: usize) -> Result<()> {
        let unit = |code: &str, parent: Option<&str>, kind: &str| {
            json!({
                "code": code, "name": format!("Đơn vị {code}"), "parent_code": parent,
                "kind": kind, "valid_from": "2025-07-01", "groups": {},
            })
        };
        let mut units = vec![
            unit("19", None, "province"),
            unit("19-a", Some("19"), "area"),
        ];
        for commune in 0..communes {
            units.push(unit(&format!("{commune:05}"), Some("19-a"), "commune"));
        }
        let answer = self.post("/v1/org/import", &json!({ "units": units }))?;
        if let Some(units) = answer.get("units").and_then(Value::as_object) {
            for (code, id) in units {
                self.units
                    .insert(code.clone(), serde_json::from_value(id.clone())?);
            }
        }
        self.import_template()?;
        let duty = json!({
            "template": TEMPLATE, "unit_kind": "commune", "period": PERIOD, "due": "2025-12-20",
        });
        self.post("/v1/duties", &json!({ "duties": [duty] }))?;
        Ok(())
    }

    fn import_template(&mut self) -> Result<()> {
        let text = catalogue_files::text(&format!("forms/{TEMPLATE}.json"));
        let template = Template::import(text.context("no such form")?, 1)?;
        let token = self.peer.token(&self.url)?;
        let mut response = self
            .agent
            .post(format!("{}/v1/templates", self.url))
            .header("Authorization", format!("Bearer {token}"))
            .send(&template.to_json()[..])?;
        if response.status().as_u16() != 200 {
            bail!("template: {}", response.body_mut().read_to_string()?);
        }
        Ok(())
    }

    /// A person with one grant and one device.
    pub fn person(&mut self, name: &str, role: &str, unit: &str, subtree: bool) -> Result<Peer> {
        let code = self.code(name, role, unit, subtree)?;
        Peer::enrol(&self.url, &code, None)
    }

    /// A person with one grant, and a code to enrol a device with.
    pub fn code(&mut self, name: &str, role: &str, unit: &str, subtree: bool) -> Result<String> {
        let grants = json!([{ "role": role, "unit": unit, "subtree": subtree }]);
        let people = json!({ "people": [{ "name": name, "display": name, "grants": grants }] });
        self.post("/v1/people", &people)?;
        let body = json!({ "name": name, "unit_code": unit, "label": "máy thử" });
        let answer = self.post("/v1/enrolments", &body)?;
        text(&answer, "code")
    }
}
