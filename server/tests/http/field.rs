//! A province at work: units, template, duty, and tablets that talk to the server.

use dongbo_server::operation::sign_in_device::statement;
use serde_json::{Value, json};
use std::net::TcpStream;
use sync_core::batch::Sealer;
use sync_core::catalogue_files;
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::form::{Aggregation, Kind, Template};
use sync_core::identity::{InstallationId, UnitId};
use sync_core::log::MemoryKeyspace;
use sync_core::sync::{self, Frame, Notice, Received, Request};
use tungstenite::stream::MaybeTlsStream;

use crate::served::{Device, START_S, Served};

pub(crate) const PERIOD: &str = "2025";

/// A served province with communes `c1`, `c2`, … under one area, each owing the yearly report.
pub(crate) struct Field {
    pub(crate) served: Served,
    pub(crate) admin: String,
    pub(crate) template: Template,
    units: Value,
}

/// A tablet with its session.
pub(crate) struct Tablet {
    pub(crate) device: sync::Device,
    pub(crate) token: String,
    pub(crate) unit: UnitId,
}

impl Field {
    pub(crate) fn new(communes: usize) -> Self {
        let served = Served::new();
        let admin = served.administrator();
        let mut units = vec![
            json!({ "code": "19", "name": "Tỉnh Thái Nguyên", "kind": "province",
                    "valid_from": "2025-07-01" }),
            json!({ "code": "kv", "name": "Khu vực Bắc Kạn", "kind": "area",
                    "parent_code": "19", "valid_from": "2025-07-01" }),
        ];
        for commune in 1..=communes {
            units.push(
                json!({ "code": format!("c{commune}"), "name": format!("Xã {commune}"),
                "kind": "commune", "parent_code": "kv", "valid_from": "2025-07-01" }),
            );
        }
        let imported = served.done("/v1/org/import", Some(&admin), &json!({ "units": units }));
        let (_, text) = catalogue_files::forms().next().unwrap();
        let template = Template::import(text, 1).unwrap();
        let (status, answer) =
            served.post_bytes("/v1/templates", Some(&admin), &template.to_json());
        assert_eq!(status, 200, "{answer}");
        let duty = json!({ "template": template.id(), "unit_kind": "commune", "period": PERIOD,
                           "due": "2025-12-31" });
        served.done("/v1/duties", Some(&admin), &json!({ "duties": [duty] }));
        Self {
            units: imported["units"].clone(),
            served,
            admin,
            template,
        }
    }

    pub(crate) fn unit(&self, code: &str) -> UnitId {
        self.units[code].as_str().unwrap().parse().unwrap()
    }

    /// A code of the form whose figures add up.
    pub(crate) fn sum_code(&self) -> String {
        let rows = self.template.rows().iter().enumerate();
        let mut sums = rows.filter(|(at, row)| {
            row.kind == Kind::Integer
                && row.formula.is_none()
                && !row.cumulative
                && self.template.aggregation(*at) == Aggregation::Sum
        });
        sums.next().unwrap().1.code.clone()
    }

    /// Enrols a person with a role in a unit and gives them a tablet that has synchronised once.
    pub(crate) fn tablet(&self, seed: u8, role: &str, unit: &str, subtree: bool) -> Tablet {
        let name = format!("p{seed}");
        let grant = json!({ "role": role, "unit": unit, "subtree": subtree });
        let person = json!({ "name": name, "display": format!("Người {seed}"), "grants": [grant] });
        self.served.done(
            "/v1/people",
            Some(&self.admin),
            &json!({ "people": [person] }),
        );
        let code = self.served.done(
            "/v1/enrolments",
            Some(&self.admin),
            &json!({ "name": name, "unit_code": unit, "label": format!("bảng {seed}") }),
        );
        let key = Device::new(seed);
        self.served
            .redeem(code["code"].as_str().unwrap(), &key, None);
        let token = self.served.device_session(&key);
        let sealer = Sealer {
            province: self.served.founded.province,
            installation: InstallationId([seed; 8]),
            key: key.key.clone(),
        };
        let (device, _) = sync::Device::open(sealer, MemoryKeyspace::new()).unwrap();
        let mut tablet = Tablet {
            device,
            token,
            unit: self.unit(unit),
        };
        self.sync(&mut tablet);
        assert!(tablet.device.catalogue().last_number() > 0);
        tablet
    }

    pub(crate) fn subject(&self, unit: UnitId) -> Subject {
        Subject {
            kind: SubjectKind::Report,
            template: self.template.id().to_owned(),
            unit,
            period: PERIOD.to_owned(),
        }
    }

    /// Types a number into the report of the tablet's unit.
    pub(crate) fn fill(&self, tablet: &mut Tablet, code: &str, value: i64) {
        let entry = Entry::Cell {
            code: code.to_owned(),
            value: CellValue::Number(value.into()),
        };
        let edit = Edit {
            entry,
            typed_at: START_S,
        };
        let subject = self.subject(tablet.unit);
        tablet.device.edit(&subject, &[edit]).unwrap();
        tablet.device.seal(START_S).unwrap();
    }

    /// A frame there and its answer back, over POST.
    fn carry(&self, tablet: &Tablet, frame: &Frame) -> Frame {
        let mut answer = ureq::post(format!("{}/v1/sync", self.served.url))
            .header("authorization", format!("Bearer {}", tablet.token))
            .header("content-type", "application/octet-stream")
            .send(&frame.encode())
            .unwrap();
        let bytes = answer.body_mut().read_to_vec().unwrap();
        Frame::decode(&bytes).unwrap()
    }

    /// One exchange over POST, as it is.
    pub(crate) fn exchange(&self, tablet: &Tablet, request: Request) -> sync::Response {
        match self.carry(tablet, &Frame::Request(Box::new(request))) {
            Frame::Response(response) => *response,
            Frame::Request(_)
            | Frame::Problem(_)
            | Frame::PackedRequest(_)
            | Frame::PackedResponse(_) => panic!("no plain response"),
        }
    }

    pub(crate) fn take(tablet: &mut Tablet, response: &sync::Response) -> Received {
        let fresh = InstallationId([0xee; 8]);
        tablet.device.receive(response, START_S, fresh).unwrap()
    }

    /// Exchanges until there is nothing more to say.
    pub(crate) fn sync(&self, tablet: &mut Tablet) -> Vec<Notice> {
        let mut notices = Vec::new();
        for _ in 0..20 {
            let frame = tablet.device.packed_request().unwrap();
            let Frame::PackedResponse(packed) = self.carry(tablet, &frame) else {
                panic!("no packed response")
            };
            let response = tablet.device.open_response(*packed).unwrap();
            let received = Self::take(tablet, &response);
            notices.extend(received.notices);
            if !received.again {
                return notices;
            }
        }
        panic!("an exchange that never ends: {notices:?}");
    }

    /// The provincial figure of a row: low, high, and the coverage.
    pub(crate) fn figure(&self, code: &str) -> (String, String, Value) {
        let path = format!(
            "/v1/roll-ups?template={}&period={PERIOD}",
            self.template.id()
        );
        let (status, answer) = self.served.get(&path, Some(&self.admin));
        assert_eq!(status, 200, "{answer}");
        let row = answer["figures"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["code"] == code)
            .unwrap()
            .clone();
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("low"), text("high"), answer["coverage"].clone())
    }

    /// Asks until figures follow what was acknowledged; they come a moment after.
    pub(crate) fn figure_at(&self, code: &str, low: &str, high: &str) -> Value {
        let started = std::time::Instant::now();
        loop {
            let (found_low, found_high, coverage) = self.figure(code);
            if (found_low.as_str(), found_high.as_str()) == (low, high) {
                return coverage;
            }
            assert!(
                started.elapsed().as_secs() < 10,
                "{found_low}–{found_high} is not {low}–{high}"
            );
            std::thread::yield_now();
        }
    }
}

/// The statement type is part of what devices sign; named here so that a change to it is noticed.
#[test]
fn the_statement_binds_province_node_and_nonce() {
    let of = |province: u8, node: u8, nonce: &[u8]| {
        statement(
            sync_core::identity::ProvinceId([province; 16]),
            sync_core::identity::NodeId([node; 16]),
            nonce,
        )
    };
    let all = [
        of(1, 2, b"n"),
        of(2, 2, b"n"),
        of(1, 3, b"n"),
        of(1, 2, b"m"),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all.iter().skip(at + 1).all(|other| other != one));
    }
}

/// Lets a test fail that waits for what never comes.
pub(crate) fn patient(socket: &tungstenite::WebSocket<MaybeTlsStream<TcpStream>>) {
    let MaybeTlsStream::Plain(stream) = socket.get_ref() else {
        panic!("a plain connection")
    };
    let patience = std::time::Duration::from_secs(30);
    stream.set_read_timeout(Some(patience)).unwrap();
}
