//! The end of the story: the silent communes report, and conflicts are settled by a person's choice.

use std::collections::BTreeMap;

use sync_core::cell::CellValue;

use super::{
    Audience, Options, Plan, PlannedDevice, Played, RehearsalError, Role, Stage, fill, homecoming,
};
use crate::exchange::{Patience, synchronise};
use crate::now_s;
use crate::road::session::DeviceSession;
use crate::tablet::Tablet;

/// Brings the silent communes in and settles the rivals; what is settled stays as it is.
pub fn settle(
    options: &Options,
    plan: &Plan,
    audience: &dyn Audience,
    played: &mut Played,
) -> Result<(), RehearsalError> {
    let home = super::watch::keys_at_home(options, plan)?;
    let mut silent: Vec<&PlannedDevice> = Vec::new();
    for device in plan
        .devices
        .iter()
        .filter(|device| device.role == Role::Silent)
    {
        if !home.contains(&options.folder(device).card()?.key_id) {
            silent.push(device);
        }
    }
    let steps = silent.len() + plan.settlements.len();
    played.filled += fill::fill_offline(options, plan, &silent, audience)?;
    homecoming::return_all(options, plan, &silent, audience, played)?;
    played.settled += silent.len();
    for (done, (folder, cells)) in plan.settlements.iter().enumerate() {
        audience.progress(Stage::Settling, silent.len() + done, steps);
        let device = plan
            .device(folder)
            .ok_or_else(|| RehearsalError::Missing(folder.clone()))?;
        if settle_one(options, plan, device, cells)? {
            played.settled += 1;
        }
    }
    audience.progress(Stage::Settling, steps, steps);
    Ok(())
}

fn settle_one(
    options: &Options,
    plan: &Plan,
    device: &PlannedDevice,
    cells: &BTreeMap<String, CellValue>,
) -> Result<bool, RehearsalError> {
    let mut tablet = Tablet::open(&options.folder(device), None)?;
    let mut session = options.session(&tablet)?;
    let exchange =
        |tablet: &mut Tablet, session: &mut DeviceSession| -> Result<(), RehearsalError> {
            let report = synchronise(tablet, session, Patience::PERSON, &now_s)?;
            report.stopped_by.map_or(Ok(()), |error| Err(error.into()))
        };
    exchange(&mut tablet, &mut session)?;
    let subject = fill::subject(options, plan, device, &tablet)?;
    let standing = tablet.sealed_document(&subject)?.cells();
    let open: BTreeMap<String, CellValue> = cells
        .iter()
        .filter(|(code, _)| standing.get(*code).is_some_and(|rivals| rivals.len() > 1))
        .map(|(code, value)| (code.clone(), value.clone()))
        .collect();
    if !open.is_empty() {
        let edits: Vec<_> = fill::edits(plan, &open).into_iter().skip(1).collect();
        tablet.edit(&subject, &edits)?;
        exchange(&mut tablet, &mut session)?;
    }
    tablet.close()?;
    Ok(!open.is_empty())
}
