//! Lists people with their grants and devices, for administrators.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::Role;
use sync_core::identity::{GrantId, KeyId, PersonId, UnitId};

use crate::app::SharedApp;
use crate::extract::{Administrator, Asked};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Hex, RoleName};

/// One person.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PersonLine {
    #[schemars(with = "Hex<8>")]
    person: PersonId,
    name: String,
    display: String,
    grants: Vec<GrantLine>,
    devices: Vec<DeviceLine>,
}

/// One grant in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GrantLine {
    #[schemars(with = "Hex<8>")]
    grant: GrantId,
    #[schemars(with = "RoleName")]
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    subtree: bool,
    until: i64,
}

/// One device key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeviceLine {
    #[schemars(with = "Hex<16>")]
    key_id: KeyId,
    label: String,
    ended: bool,
}

/// `GET /v1/people`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(_): Administrator,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Page<PersonLine>>, Problem> {
    let after = page
        .after
        .as_deref()
        .map(str::parse::<PersonId>)
        .transpose()
        .map_err(|_| Problem::new(ProblemCode::CursorBad))?;
    let now = app.clock.now_s();
    let catalogue = app.registry.current();
    let mut page = Page::take(
        catalogue
            .people()
            .filter(|person| after.is_none_or(|after| person.person > after))
            .map(|person| PersonLine {
                person: person.person,
                name: person.sign_in_name.clone(),
                display: person.display_name.clone(),
                grants: catalogue
                    .grants_of(person.person, now)
                    .map(|grant| GrantLine {
                        grant: grant.grant,
                        role: grant.role,
                        unit: grant.unit,
                        subtree: grant.subtree,
                        until: grant.until,
                    })
                    .collect(),
                devices: Vec::new(),
            }),
        page.limit(),
        |line| line.person.to_string(),
    );
    for (key_id, device) in catalogue.keys() {
        // The lines of a page are in the order of their ids.
        let at = page
            .items
            .binary_search_by(|line| line.person.cmp(&device.person));
        if let Some(line) = at.ok().and_then(|at| page.items.get_mut(at)) {
            line.devices.push(DeviceLine {
                key_id: *key_id,
                label: device.label.clone(),
                ended: device.ended.is_some(),
            });
        }
    }
    Ok(Json(page))
}
