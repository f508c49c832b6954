//! How much may travel in a day.

use serde_json::json;

use super::{Step, StepError, TabletState};

impl TabletState {
    /// See [`crate::Tablet::budget`].
    pub fn budget(&self, now: i64) -> Step {
        let standing = self.device.budget(now);
        Ok(json!({
            "per_day": standing.per_day, "spent": standing.spent, "left": standing.left,
        })
        .to_string())
    }

    /// See [`crate::Tablet::set_budget`].
    pub fn set_budget(&mut self, per_day: Option<u64>) {
        let writes = self.device.set_budget(per_day);
        self.writes.extend(writes);
    }

    /// See [`crate::Tablet::spend`].
    pub fn spend(&mut self, bytes: u64, connections: u64, delivered: bool, now: i64) {
        let writes = self.device.spend(bytes, connections, delivered, now);
        self.writes.extend(writes);
    }

    /// See [`crate::Tablet::seal_within`].
    pub fn seal_within(&mut self, now: i64, anyway: bool) -> Result<(), StepError> {
        let writes = self.device.seal_within(now, anyway)?;
        self.writes.extend(writes);
        Ok(())
    }
}
