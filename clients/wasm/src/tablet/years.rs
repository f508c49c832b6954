//! Older years: what of them is left out of this device, and asking for it.

use serde_json::{Value, json};
use sync_core::limits;
use sync_core::log::Write;
use sync_core::sync::Device;

use super::{Step, StepError, TabletState};

/// A new device takes what is due or was returned, this year and the two before.
pub(super) fn leave_out(device: &mut Device) -> Result<Vec<Write>, StepError> {
    Ok(match device.may_leave_years_out()? {
        true => device.set_years_back(Some(limits::YEARS_BACK)),
        false => Vec::new(),
    })
}

impl TabletState {
    /// See [`crate::Tablet::years`].
    pub fn years(&self) -> Step {
        let years = self.device.years();
        let left: Vec<Value> = years
            .left
            .iter()
            .map(|of| json!({"year": of.year, "documents": of.documents, "bytes": of.bytes}))
            .collect();
        Ok(json!({"since": years.since, "left": left, "under_way": years.under_way}).to_string())
    }

    /// See [`crate::Tablet::ask_for_years`].
    pub fn ask_for_years(&mut self, since: u16) {
        let writes = self.device.ask_for_years(since);
        self.writes.extend(writes);
    }
}
