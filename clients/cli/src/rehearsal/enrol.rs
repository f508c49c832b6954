//! The administrator's part: units, template, duty, people; then every device gets its key.

use std::sync::Mutex;
use std::sync::PoisonError;

use sync_core::catalogue::Duty;

use super::plan::COMMUNE_KIND;
use super::{Audience, DUE_IF_NEW, Options, Plan, PlannedDevice, RehearsalError, Stage};

use crate::administration::{Administration, DutyAsked, EnrolmentCode};
use crate::enrolment::{self, Enrolling};
use crate::exchange::{Patience, synchronise};
use crate::now_s;
use crate::road::Road;
use crate::tablet::Tablet;

/// Codes asked for at once: they are good for ten minutes.
const CODES_AT_ONCE: usize = 100;

/// Sends the lists; those that are there add nothing.
pub(super) fn administer(
    options: &Options,
    plan: &Plan,
    admin: &mut Tablet,
    audience: &dyn Audience,
) -> Result<(), RehearsalError> {
    let mut session = options.session(admin)?;
    let report = synchronise(admin, &mut session, Patience::PERSON, &now_s)?;
    if let Some(error) = report.stopped_by {
        return Err(error.into());
    }
    let mut administration = Administration(&mut session);
    audience.progress(Stage::Administration, 0, 4);
    administration.import_units(&plan.units)?;
    audience.progress(Stage::Administration, 1, 4);
    administration.import_template(&plan.template)?;
    audience.progress(Stage::Administration, 2, 4);
    let template = plan.template.id();
    let is_there = |duty: &Duty| {
        duty.template == template && duty.unit_kind == COMMUNE_KIND && duty.period == options.period
    };
    let has_duty = admin.device().catalogue().duties().any(is_there);
    let due = match &options.due {
        None if has_duty => None,
        None => Some(DUE_IF_NEW),
        Some(due) => Some(due.as_str()),
    };
    if let Some(due) = due {
        let duty = DutyAsked {
            template: template.to_owned(),
            unit_kind: COMMUNE_KIND.to_owned(),
            period: options.period.clone(),
            due: Some(due.to_owned()),
            ..DutyAsked::default()
        };
        administration.add_duties(&[duty], false)?;
    }
    audience.progress(Stage::Administration, 3, 4);
    let people: Vec<_> = plan.devices.iter().map(PlannedDevice::person).collect();
    administration.add_people(&people)?;
    audience.progress(Stage::Administration, 4, 4);
    Ok(())
}

/// Enrols the devices that are not, and lets each read the catalogue once.
pub(super) fn enrol_missing(
    options: &Options,
    plan: &Plan,
    admin: &Tablet,
    audience: &dyn Audience,
) -> Result<usize, RehearsalError> {
    let mut missing = Vec::new();
    for device in &plan.devices {
        if options.folder(device).card_if_enrolled()?.is_none() {
            missing.push(device);
        }
    }
    let mut session = options.session(admin)?;
    let done = Mutex::new(0);
    for devices in missing.chunks(CODES_AT_ONCE) {
        let rows: Vec<_> = devices.iter().map(|device| device.enrolment()).collect();
        let codes = Administration(&mut session).new_enrolments(&rows)?;
        let work: Vec<(&PlannedDevice, EnrolmentCode)> =
            devices.iter().copied().zip(codes).collect();
        super::homecoming::in_parallel(options.threads, work, |(device, code)| {
            enrol_one(options, device, &code.code)?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            audience.progress(Stage::Enrolment, *done, missing.len());
            Ok(())
        })?;
    }
    Ok(missing.len())
}

fn enrol_one(options: &Options, device: &PlannedDevice, code: &str) -> Result<(), RehearsalError> {
    let folder = options.folder(device);
    let road = Road::new(&options.server)?;
    let enrolling = Enrolling {
        code,
        label: None,
        password: device.has_password.then_some(options.password.as_str()),
        pin: None,
    };
    enrolment::enrol(&folder, &road, &enrolling)?;
    let mut tablet = Tablet::open(&folder, None)?;
    let mut link = options.session(&tablet)?;
    let report = synchronise(&mut tablet, &mut link, Patience::PERSON, &now_s)?;
    if let Some(error) = report.stopped_by {
        return Err(error.into());
    }
    Ok(tablet.close()?)
}
