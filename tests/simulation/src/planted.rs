//! What a planted mistake does on a tablet.

use sync_core::document::{Edit, Subject};
use sync_core::log::{HeldReason, MemoryKeyspace, Write};
use sync_core::sync::{Device, PartAnswer, Response};

use crate::tablet::Tablet;
use crate::violation::{Checked, must};

/// A draft that was not sealed (`docs/formats.md` section 11).
const DRAFT: u8 = 0x22;

impl Tablet {
    /// Takes the drafts of documents that an answer is about out of the device, so that they are
    /// put back after it was applied: they will be sealed on heads their author never saw.
    pub fn take_drafts_away(&mut self, response: &Response) -> Checked<Vec<(Subject, Vec<Edit>)>> {
        let Some(device) = &self.device else {
            return Ok(Vec::new());
        };
        let about = response
            .entries
            .iter()
            .flat_map(|(_, part)| &part.part().entries);
        let mut taken = Vec::new();
        let mut truth: MemoryKeyspace = device.keyspace().clone();
        for document in about.map(sync_core::batch::Entry::document) {
            let key = [&[DRAFT], document.0.as_slice()].concat();
            if let Some(draft) = device.draft(document)
                && !taken.iter().any(|(subject, _)| *subject == draft.subject)
            {
                taken.push((draft.subject.clone(), draft.edits.clone()));
                truth.apply([Write { key, value: None }]);
            }
        }
        if !taken.is_empty() {
            let sealer = device.sealer().clone();
            let (device, _) = must("device-opens", Device::open(sealer, truth))?;
            self.device = Some(device);
        }
        Ok(taken)
    }

    /// Hides from the device that the node knows its numbers as something else.
    pub fn hide_the_fork(&self, response: &mut Response) -> Checked<()> {
        let Some(device) = &self.device else {
            return Ok(());
        };
        response.chain = must("chain", device.log().chain(device.sealer().actor()))?;
        for answer in &mut response.answers {
            if *answer == PartAnswer::Held(HeldReason::Equivocation) {
                *answer = PartAnswer::Accepted;
            }
        }
        Ok(())
    }
}
