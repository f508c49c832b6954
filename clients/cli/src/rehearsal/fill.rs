//! Filling reports with nobody in reach: drafts, then one sealed batch on the device.

use std::sync::{Mutex, PoisonError};

use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject};

use super::{Audience, Options, Plan, PlannedDevice, RehearsalError, Stage};
use crate::lookup;
use crate::now_s;
use crate::tablet::Tablet;

/// Seconds a person takes for one cell, as the devices claim.
const SECONDS_PER_CELL: i64 = 9;

/// Fills and seals the reports of devices that have not. Nothing is sent.
pub(super) fn fill_offline(
    options: &Options,
    plan: &Plan,
    devices: &[&PlannedDevice],
    audience: &dyn Audience,
) -> Result<usize, RehearsalError> {
    let state = Mutex::new((0, 0));
    super::homecoming::in_parallel(options.threads, devices.to_vec(), |device| {
        let mut tablet = Tablet::open(&options.folder(device), None)?;
        let fills = fill(options, plan, device, &mut tablet)?;
        tablet.close()?;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        state.1 += usize::from(fills);
        audience.progress(Stage::Filling, state.0, devices.len());
        Ok(())
    })?;
    let (_, filled) = *state.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(filled)
}

/// The subject of a device's report.
pub(super) fn subject(
    options: &Options,
    plan: &Plan,
    device: &PlannedDevice,
    tablet: &Tablet,
) -> Result<Subject, RehearsalError> {
    let unit = device.unit_code.as_deref().unwrap_or_default();
    let catalogue = tablet.device().catalogue();
    Ok(lookup::subject(
        catalogue,
        plan.template.id(),
        unit,
        &options.period,
    )?)
}

/// Fills the report of one device, unless it wrote in it before. True if it did.
pub(super) fn fill(
    options: &Options,
    plan: &Plan,
    device: &PlannedDevice,
    tablet: &mut Tablet,
) -> Result<bool, RehearsalError> {
    let subject = subject(options, plan, device, tablet)?;
    let actor = tablet.device().sealer().actor();
    let is_drafted = tablet.device().draft(subject.document_id()).is_some();
    let has_sealed = tablet.device().log().chain(actor);
    let has_sealed = has_sealed.map_err(sync_core::sync::DeviceError::from);
    let has_sealed = has_sealed.map_err(crate::tablet::TabletError::from)?.number > 0;
    if !has_sealed {
        if !is_drafted {
            tablet.edit(&subject, &edits(plan, &device.cells))?;
        }
        tablet.seal(now_s())?;
    }
    Ok(!has_sealed)
}

/// Cells in the order of the form, each typed a little after the one before.
pub(super) fn edits(
    plan: &Plan,
    cells: &std::collections::BTreeMap<String, CellValue>,
) -> Vec<Edit> {
    let started = now_s().saturating_sub(SECONDS_PER_CELL * (cells.len() as i64 + 1));
    let version = Edit {
        entry: Entry::TemplateVersion(plan.template.version()),
        typed_at: started,
    };
    let rows = plan.template.rows().iter();
    let filled = rows.filter_map(|row| Some((row.code.clone(), cells.get(&row.code)?.clone())));
    let cell = |(index, (code, value)): (usize, (String, CellValue))| Edit {
        entry: Entry::Cell { code, value },
        typed_at: started + SECONDS_PER_CELL * (index as i64 + 1),
    };
    std::iter::once(version)
        .chain(filled.enumerate().map(cell))
        .collect()
}
