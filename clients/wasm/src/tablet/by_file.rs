//! Work that travels as a file, where there is no network.

use serde_json::json;
use sync_core::bundle::{BundleError, Damage, Destination, Lack, open};
use sync_core::sync::{DeviceError, Scope, Sequence};

use super::{Step, StepError, TabletState, notice_json};

impl From<BundleError> for StepError {
    fn from(error: BundleError) -> Self {
        Self::Device(DeviceError::from(error))
    }
}

impl TabletState {
    /// See [`crate::Tablet::write_bundle`].
    pub fn write_bundle(&mut self, now: i64) -> Result<Vec<u8>, StepError> {
        let whom = Destination::Anyone;
        let (written, writes) = self.device.write_bundle(Scope::Waiting, false, whom, now)?;
        self.writes.extend(writes);
        Ok(written.bytes)
    }

    /// See [`crate::Tablet::take_bundle`]. A file that was copied in part gives what is whole of it.
    pub fn take_bundle(&mut self, bytes: &[u8], now: i64) -> Step {
        let opened = open(bytes, Damage::Refuse)?;
        let taken = self.device.take_bundle(&opened, now)?;
        self.writes.extend(taken.writes);
        self.read_at_edge()?;
        let lacks = opened
            .lacking()
            .filter(|(_, lack, _)| matches!(lack, Lack::Missing));
        let notices: Vec<_> = taken.notices.iter().map(notice_json).collect();
        Ok(json!({
            "accepted": taken.accepted, "known": taken.known, "records": taken.records,
            "acknowledged": taken.acknowledged, "not_followed": taken.not_followed,
            "waiting": taken.waiting.len(), "lacking": lacks.count(),
            "forked": taken.sequence == Sequence::Forked,
            "own_chain_differs": taken.own_chain_differs,
            "documents": taken.documents, "notices": notices,
        })
        .to_string())
    }
}
