//! The province of the day: five forms, 500 units, 200 people with a device each, and the base.
//!
//! Everything is made over the ordinary routes. The people of the workload are people of the province:
//! what is theirs is signed by their own key. Two of them have a device folder: the tablet and the other
//! client; the others are devices in this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use dongbo::enrolment::{Enrolling, enrol};
use dongbo::{DeviceFolder, Road};
use e2e::paper::{About, Page, Typed, TypedValue};
use e2e::peer::{post, random, text};
use e2e::workload::{CellEdit, Paper, Workload, key};
use e2e::{Administrator, Server, server};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sync_core::batch::Sealer;
use sync_core::form::Template;
use sync_core::identity::{InstallationId, PartId, ProvinceId, UnitId};
use sync_core::log::{Keyspace, MemoryKeyspace, Write};
use sync_core::sync::{Device, Frame, PartAnswer};

/// The code of the unit above all others.
const PROVINCE: &str = "19";

/// Keys of catalogue records in what a device keeps (`docs/formats.md` section 11).
const CATALOGUE: u8 = 0x02;

/// A province at rest.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its server's folder.
    pub(crate) server: PathBuf,
    /// An enrolled tablet that has exchanged nothing.
    pub(crate) tablet: PathBuf,
    /// The device of the other person, as empty.
    pub(crate) other: PathBuf,
    abouts: Vec<About>,
}

impl Field {
    /// Makes it under `folder`, with every document of the workload on the server.
    pub(crate) fn found(folder: &Path, day: &Workload) -> Result<Self> {
        let server_folder = folder.join("server");
        let code = server::init(&server_folder)?;
        let running = Server::start(&server_folder)?;
        let url = running.url();
        let mut admin = Administrator::enrol(&url, &code)?;
        let units = import(&mut admin, &url, day)?;
        let codes = people(&mut admin, day)?;
        let (tablet, other) = (folder.join("tablet"), folder.join("other"));
        let by_tablet = author(&day.tablet_edits)?;
        let by_other = author(&day.server_edits)?;
        for (at, name) in [(&tablet, by_tablet), (&other, by_other)] {
            // What they wrote before is signed by another device of theirs.
            let body = json!({ "name": name, "label": "máy" });
            let answer = admin.post("/v1/enrolments", &body)?;
            let enrolling = Enrolling {
                code: &text(&answer, "code")?,
                ..Enrolling::default()
            };
            enrol(&DeviceFolder::new(at), &Road::new(&url)?, &enrolling)?;
        }
        let mut field = Self {
            server: server_folder,
            tablet,
            other,
            abouts: Vec::new(),
        };
        for paper in &day.docs {
            let unit = units.get(&paper.meta.org_unit).context("no such unit")?;
            field.abouts.push(about(paper, *unit));
        }
        field.write_base(&mut admin, &url, day, &codes)?;
        running.stop()?;
        Ok(field)
    }

    /// Which report a document of the workload is.
    pub(crate) fn about(&self, doc: usize) -> Result<&About> {
        self.abouts.get(doc).context("no such document")
    }

    /// Edits as pages, in the order of the edits; with a status, it is typed last.
    pub(crate) fn pages(&self, edits: &[CellEdit], status: Option<&str>) -> Result<Vec<Page>> {
        let mut pages: Vec<Page> = Vec::new();
        for edits in edits.chunk_by(|a, b| a.doc == b.doc) {
            let Some(last) = edits.last() else { continue };
            let mut typed: Vec<Typed> = edits
                .iter()
                .map(|edit| typed(&edit.key, &edit.cell, true))
                .collect();
            typed.extend(status.map(|status| typed_status(status, last.cell.at)));
            let about = self.about(last.doc)?.clone();
            pages.push(Page { about, typed });
        }
        Ok(pages)
    }

    /// Each document sealed by its author and sent, in the order in which they were written.
    fn write_base(
        &self,
        admin: &mut Administrator,
        url: &str,
        day: &Workload,
        codes: &BTreeMap<String, String>,
    ) -> Result<()> {
        let mut authors: BTreeMap<&str, Author> = BTreeMap::new();
        for paper in &day.docs {
            let by = paper.cells.first().context("no cells")?.by.as_str();
            if !authors.contains_key(by) {
                let code = codes.get(by).context("a person without a code")?;
                authors.insert(by, Author::enrol(url, code)?);
            }
        }
        admin.peer.sync(url)?;
        let known = admin.peer.device.keyspace();
        let records = known.scan(&[CATALOGUE], &[CATALOGUE + 1], usize::MAX)?;
        for (doc, paper) in day.docs.iter().enumerate() {
            let by = paper.cells.first().context("no cells")?.by.as_str();
            let author = authors.get_mut(by).context("no such author")?;
            let part = author.seal(&records, self.about(doc)?, paper)?;
            let token = admin.peer.token(url)?;
            author.send(url, &token, part)?;
        }
        Ok(())
    }
}

fn about(paper: &Paper, unit: UnitId) -> About {
    let (year, month) = paper.meta.period.split_at(4);
    About {
        template: paper.meta.form.to_lowercase(),
        unit,
        period: format!("{year}-{month}"),
    }
}

fn author(edits: &[CellEdit]) -> Result<&str> {
    let first = edits.first().context("no edits")?;
    Ok(&first.cell.by)
}

fn typed(code: &str, cell: &e2e::workload::Cell, always_a_note: bool) -> Typed {
    Typed {
        code: code.to_owned(),
        value: TypedValue::Number(cell.value.into()),
        note: (always_a_note || !cell.note.is_empty()).then(|| cell.note.clone()),
        at: cell.at,
    }
}

fn typed_status(status: &str, at: i64) -> Typed {
    Typed {
        code: "status".to_owned(),
        value: TypedValue::Text(status.to_owned()),
        note: None,
        at,
    }
}

/// Forms and units; gives the units by code.
fn import(
    admin: &mut Administrator,
    url: &str,
    day: &Workload,
) -> Result<BTreeMap<String, UnitId>> {
    let unit = |code: &str, parent: Option<&str>, kind: &str| {
        json!({
            "code": code, "name": code, "parent_code": parent, "kind": kind,
            "valid_from": "2025-07-01", "groups": {},
        })
    };
    let mut units = vec![unit(PROVINCE, None, "province")];
    for paper in &day.docs {
        units.push(unit(&paper.meta.org_unit, Some(PROVINCE), "commune"));
    }
    let answer = admin.post("/v1/org/import", &json!({ "units": units }))?;
    let units = answer.get("units").cloned().context("no units")?;
    let mut forms: Vec<&str> = day
        .docs
        .iter()
        .map(|paper| paper.meta.form.as_str())
        .collect();
    forms.sort_unstable();
    forms.dedup();
    for form in forms {
        let token = admin.peer.token(url)?;
        let template = Template::import(&form_text(form).to_string(), 1)?;
        let mut response = ureq::post(format!("{url}/v1/templates"))
            .header("Authorization", format!("Bearer {token}"))
            .send(&template.to_json()[..])?;
        ensure!(
            response.status().is_success(),
            "{}",
            response.body_mut().read_to_string()?
        );
    }
    Ok(serde_json::from_value(units)?)
}

/// A form of 60 numbers and a status.
fn form_text(form: &str) -> Value {
    let row = |code: &str, kind: &str| json!({ "code": code, "label_vi": code, "kind": kind });
    let mut rows: Vec<Value> = (0..60).map(|cell| row(&key(cell), "integer")).collect();
    rows.push(row("status", "text"));
    json!({
        "id": form.to_lowercase(), "title_vi": form, "period_type": "month",
        "sections": [{ "id": "I", "title_vi": form, "indicators": rows }],
    })
}

/// Everybody who types something, with the right to; gives an enrolment code each.
fn people(admin: &mut Administrator, day: &Workload) -> Result<BTreeMap<String, String>> {
    let names = day.people();
    let grants = json!([{ "role": "officer", "subtree": true }]);
    let people: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "display": name, "grants": grants }))
        .collect();
    admin.post("/v1/people", &json!({ "people": people }))?;
    let wanted: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "label": "máy" }))
        .collect();
    let answer = admin.post("/v1/enrolments/bulk", &json!({ "enrolments": wanted }))?;
    let made = answer.get("enrolments").and_then(Value::as_array);
    let made = made.context("no codes")?;
    let codes = names.iter().zip(made).map(|(name, made)| {
        let code = text(made, "code")?;
        Ok(((*name).to_owned(), code))
    });
    codes.collect()
}

/// Somebody who wrote documents of the base.
#[derive(Debug)]
struct Author {
    sealer: Sealer,
    device: Option<Device>,
    sent: Vec<PartId>,
}

impl Author {
    fn enrol(url: &str, code: &str) -> Result<Self> {
        let key = SigningKey::from_bytes(&random());
        let public_key = data_encoding::HEXLOWER.encode(key.verifying_key().as_bytes());
        let body = json!({ "code": code, "public_key": public_key });
        let agent = e2e::peer::agent();
        let (status, answer) = post(&agent, &format!("{url}/v1/enrolments/redeem"), None, &body)?;
        ensure!(status == 200, "redeem: {status} {answer}");
        let province: ProvinceId = text(&answer, "province")?.parse()?;
        let sealer = Sealer {
            province,
            installation: InstallationId(random()),
            key,
        };
        Ok(Self {
            sealer,
            device: None,
            sent: Vec::new(),
        })
    }

    fn seal(
        &mut self,
        records: &[(Vec<u8>, Vec<u8>)],
        about: &About,
        paper: &Paper,
    ) -> Result<sync_core::batch::SignedPart> {
        if self.device.is_none() {
            let mut keyspace = MemoryKeyspace::new();
            keyspace.apply(records.iter().map(|(key, value)| Write {
                key: key.clone(),
                value: Some(value.clone()),
            }));
            self.device = Some(Device::open(self.sealer.clone(), keyspace)?.0);
        }
        let device = self.device.as_mut().context("no device")?;
        let last = paper.cells.last().context("no cells")?;
        let cells = paper.cells.iter().enumerate();
        let mut all: Vec<Typed> = cells
            .map(|(at, cell)| typed(&key(at), cell, false))
            .collect();
        all.push(typed_status(paper.meta.status, last.at));
        let edits: Vec<_> = all.iter().flat_map(Typed::edits).collect();
        device.edit(&about.subject(), &edits)?;
        device.seal(last.at)?;
        let new = device
            .outbox()
            .keys()
            .find(|part| !self.sent.contains(part));
        let new = *new.context("nothing was sealed")?;
        self.sent.push(new);
        device.part(new)?.context("a part that is not there")
    }

    /// Sends a part over another session: a road proves nothing, the signature does.
    fn send(&self, url: &str, token: &str, part: sync_core::batch::SignedPart) -> Result<()> {
        let request = sync_core::sync::Request {
            province: self.sealer.province,
            actor: self.sealer.actor(),
            own_number: 0,
            catalogue_number: u64::MAX >> 1,
            known: None,
            bytes_max: 0,
            records: Vec::new(),
            parts: vec![part],
            repair: None,
        };
        let frame = Frame::Request(Box::new(request)).encode();
        let mut response = ureq::post(format!("{url}/v1/sync"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/octet-stream")
            .send(&frame[..])?;
        let bytes = response.body_mut().read_to_vec()?;
        match Frame::decode(&bytes)? {
            Frame::Response(response) if response.answers == [PartAnswer::Accepted] => Ok(()),
            other @ (Frame::Request(_)
            | Frame::Response(_)
            | Frame::PackedRequest(_)
            | Frame::PackedResponse(_)
            | Frame::Problem(_)) => {
                bail!("a document of the base was not accepted: {other:?}")
            }
        }
    }
}
