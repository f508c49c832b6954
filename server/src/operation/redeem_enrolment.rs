//! Turns a one-time code and a public key into a device key of the catalogue.
//!
//! A code works once even if two race: the commit is conditional on the code still being unused. The
//! key that used it may ask again after a lost answer.

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Condition, Write};
use sync_core::catalogue::{Body as RecordBody, Catalogue, NodeRecord};
use sync_core::identity::{KeyId, NodeId, PersonId, ProvinceId, UnitId};

use crate::app::{App, SharedApp, blocking};
use crate::extract::Body;
use crate::kept::account::{self, Account};
use crate::kept::enrolment::{self, Enrolment};
use crate::operation::sign_in::account_of;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::Hex;
use crate::wire::{EnrolmentCode, Label, PublicKey};

/// The code, the device's new key, what the device is called, and a first password.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Redemption")]
#[serde(deny_unknown_fields)]
pub struct Request {
    code: String,
    public_key: PublicKey,
    label: Option<Label>,
    password: Option<String>,
}

/// What a device needs to know from now on.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Redeemed")]
pub struct Answer {
    #[schemars(with = "Hex<16>")]
    province: ProvinceId,
    province_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal: Option<String>,
    catalogue_public_key: String,
    #[schemars(with = "Hex<16>")]
    node: NodeId,
    #[schemars(with = "Hex<8>")]
    person: PersonId,
    name: String,
    display: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    #[schemars(with = "Hex<16>")]
    key_id: KeyId,
    has_password: bool,
}

/// `POST /v1/enrolments/redeem`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    app.only_at_province()?;
    let code =
        EnrolmentCode::read(&request.code).ok_or_else(|| Problem::new(ProblemCode::CodeUnknown))?;
    let public_key = request.public_key.0;
    // The code is judged before a password is hashed, so that guessing costs the server nothing.
    let wants_password = {
        let code = code.clone();
        blocking(&app, move |app| {
            let (_, enrolment) = open_enrolment(app, &code, &public_key)?;
            Ok(enrolment.used_by.is_none() && account_of(app, enrolment.person)?.is_none())
        })
        .await?
    };
    let turn = match &request.password {
        Some(_) if wants_password => Some(app.passwords.turn().await?),
        Some(_) | None => None,
    };
    blocking(&app, move |app| {
        let account = match (&turn, &request.password) {
            (Some(turn), Some(password)) => Some(turn.hash(password)?),
            (Some(_) | None, _) => None,
        };
        redeem(app, &code, public_key, request.label, account)
    })
    .await
    .map(Json)
}

/// The kept state of a code that this key may use, or used before.
fn open_enrolment(
    app: &App,
    code: &EnrolmentCode,
    public_key: &[u8; 32],
) -> Result<(Vec<u8>, Enrolment), Problem> {
    let kept = app
        .store
        .get(&enrolment::key(code.as_str()))?
        .ok_or_else(|| Problem::new(ProblemCode::CodeUnknown))?;
    let enrolment = Enrolment::decode(&kept)?;
    match &enrolment.used_by {
        Some(used_by) if used_by == public_key => Ok((kept, enrolment)),
        Some(_) => Err(Problem::new(ProblemCode::CodeUsed)),
        None if app.clock.now_s() >= enrolment.expires_at => {
            Err(Problem::new(ProblemCode::CodeExpired))
        }
        None => Ok((kept, enrolment)),
    }
}

fn redeem(
    app: &App,
    code: &EnrolmentCode,
    public_key: [u8; 32],
    label: Option<Label>,
    account: Option<Account>,
) -> Result<Answer, Problem> {
    let key_id = KeyId::of(&public_key);
    let enrolment = app.registry.append(app.clock.now_s(), |catalogue| {
        let (before, mut enrolment) = open_enrolment(app, code, &public_key)?;
        if enrolment.used_by.is_some() {
            return Ok(Draft::nothing(enrolment));
        }
        if catalogue.key(key_id).is_some() {
            return Err(Problem::new(ProblemCode::PublicKeyTaken));
        }
        let label = label.map_or_else(|| enrolment.label.clone(), Label::into_string);
        let record = RecordBody::DeviceKey {
            public_key,
            person: enrolment.person,
            unit: enrolment.unit,
            label,
        };
        enrolment.used_by = Some(public_key);
        let node = enrolment.node.clone().map(|address| {
            RecordBody::Node(NodeRecord {
                public_key,
                unit: enrolment.unit,
                label: enrolment.label.clone(),
                address,
            })
        });
        let records = [record].into_iter().chain(node).collect();
        let mut draft = Draft::records(records, enrolment.clone());
        let key = enrolment::key(code.as_str());
        draft.beside.conditions.push(Condition {
            key: key.clone(),
            expected: Some(before),
        });
        draft.beside.writes.push(Write {
            key,
            value: Some(enrolment.encode()),
        });
        if let Some(account) = account {
            let key = account::key(enrolment.person);
            draft.beside.conditions.push(Condition {
                key: key.clone(),
                expected: None,
            });
            draft.beside.writes.push(Write {
                key,
                value: Some(account.encode()),
            });
        }
        tracing::info!(person = %enrolment.person, key = %key_id, "a device is enrolled");
        Ok(draft)
    })?;
    answer(app, &app.registry.current(), &enrolment, key_id)
}

fn answer(
    app: &App,
    catalogue: &Catalogue,
    enrolment: &Enrolment,
    key_id: KeyId,
) -> Result<Answer, Problem> {
    let province = catalogue
        .province()
        .ok_or_else(|| Problem::new(ProblemCode::NotReady))?;
    let person = catalogue
        .person(enrolment.person)
        .ok_or_else(|| Problem::new(ProblemCode::PersonUnknown).with("person", enrolment.person))?;
    Ok(Answer {
        province: province.id,
        province_name: province.name.clone(),
        rehearsal: catalogue.rehearsal().map(str::to_owned),
        catalogue_public_key: HEXLOWER.encode(province.key.as_bytes()),
        node: app.identity().node,
        person: enrolment.person,
        name: person.sign_in_name.clone(),
        display: person.display_name.clone(),
        unit: Some(enrolment.unit).filter(|unit| *unit != UnitId([0; 8])),
        key_id,
        has_password: account_of(app, enrolment.person)?.is_some(),
    })
}
