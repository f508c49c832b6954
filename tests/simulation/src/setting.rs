//! The province of a run: units, form, and the office that keeps its catalogue.

use ed25519_dalek::SigningKey;
use sync_core::catalogue::{Body, Catalogue, Record, SignedRecord, UnitRecord};
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::{ProvinceId, UnitId};

use crate::dice::Dice;
use crate::knobs::Knobs;

/// The first moment of a run, seconds since 1970.
pub const START: i64 = 1_790_000_000;

/// Ten years in seconds.
pub const TEN_YEARS: i64 = 315_576_000;

/// The form everybody fills.
pub const TEMPLATE: &str = "bao-cao";

/// Where the units stand and what is reported.
#[derive(Debug)]
pub struct Setting {
    /// Signs the catalogue.
    pub key: SigningKey,
    /// The province itself, the top unit.
    pub top: UnitId,
    /// Units of the middle tier.
    pub areas: Vec<UnitId>,
    /// Units of the last tier with the area above each.
    pub communes: Vec<(UnitId, UnitId)>,
    /// Every report that anybody fills.
    pub subjects: Vec<Subject>,
    /// Rows of the form.
    pub codes: Vec<String>,
}

impl Setting {
    /// Draws a province.
    pub fn draw(knobs: &Knobs, dice: &mut Dice) -> Self {
        let top = UnitId(dice.bytes());
        let areas: Vec<UnitId> = (0..knobs.areas).map(|_| UnitId(dice.bytes())).collect();
        let communes: Vec<(UnitId, UnitId)> = (0..knobs.communes)
            .map(|number| {
                let above = areas.get(number % areas.len().max(1)).copied();
                (UnitId(dice.bytes()), above.unwrap_or(top))
            })
            .collect();
        let periods = (0..knobs.periods).map(|number| (2025 + number).to_string());
        let subjects = periods
            .flat_map(|period| {
                let of = |(unit, _): &(UnitId, UnitId)| Subject {
                    kind: SubjectKind::Report,
                    template: TEMPLATE.to_owned(),
                    unit: *unit,
                    period: period.clone(),
                };
                communes.iter().map(of).collect::<Vec<_>>()
            })
            .collect();
        Self {
            key: SigningKey::from_bytes(&dice.bytes()),
            top,
            areas,
            communes,
            subjects,
            codes: (1..=knobs.codes)
                .map(|number| format!("I.{number}"))
                .collect(),
        }
    }

    /// The province's id.
    pub fn province(&self) -> ProvinceId {
        ProvinceId::of(self.key.verifying_key().as_bytes())
    }

    /// Units that report.
    pub fn reporting(&self) -> Vec<UnitId> {
        self.communes.iter().map(|(unit, _)| *unit).collect()
    }

    /// Signs the next record.
    pub fn sign(&self, catalogue: &Catalogue, at: i64, body: Body) -> SignedRecord {
        let record = Record {
            number: catalogue.last_number() + 1,
            previous: catalogue.last_hash(),
            at,
            body,
        };
        SignedRecord::sign(&record, &self.key)
    }

    /// What the catalogue begins with.
    pub fn first_records(&self, node_key: &SigningKey) -> Vec<Body> {
        let mut bodies = vec![Body::Province {
            name: "Tỉnh thử".to_owned(),
            key: self.key.verifying_key(),
        }];
        let mut unit = |unit: UnitId, parent: Option<UnitId>, kind: &str, code: usize| {
            bodies.push(Body::Unit(UnitRecord {
                unit,
                valid_from: "2015-07-01".to_owned(),
                valid_to: None,
                code: code.to_string(),
                name: format!("Đơn vị {code}"),
                parent,
                kind: kind.to_owned(),
                groups: Vec::new(),
            }));
        };
        unit(self.top, None, "province", 1);
        for (number, area) in self.areas.iter().enumerate() {
            unit(*area, Some(self.top), "area", 10 + number);
        }
        for (number, (commune, area)) in self.communes.iter().enumerate() {
            unit(*commune, Some(*area), "commune", 100 + number);
        }
        bodies.push(self.template(1));
        bodies.push(Body::NodeKey {
            public_key: *node_key.verifying_key().as_bytes(),
            label: "tỉnh".to_owned(),
        });
        bodies
    }

    /// A version of the form. The first row is the sum of the others.
    pub fn template(&self, version: u32) -> Body {
        let parts: Vec<String> = self
            .codes
            .iter()
            .skip(1)
            .map(|c| format!("[{c}]"))
            .collect();
        let rows: Vec<String> = self
            .codes
            .iter()
            .enumerate()
            .map(|(row, code)| {
                let formula = match row {
                    0 => format!(r#","formula":"{}""#, parts.join(" + ")),
                    _ => String::new(),
                };
                format!(r#"{{"code":"{code}","label":"Dòng {code}","kind":"integer"{formula}}}"#)
            })
            .collect();
        let content = format!(
            r#"{{"schema":1,"id":"{TEMPLATE}","version":{version},"title":"Báo cáo","period":"year","sections":[{{"id":"s","title":"S","indicators":[{}]}}]}}"#,
            rows.join(",")
        );
        Body::Template {
            id: TEMPLATE.to_owned(),
            version,
            content: content.into_bytes(),
        }
    }
}
