//! A tablet: the real device state machine over the real journal, and its shell's duties.
//!
//! What a step wants written is durable before anything is sent or anybody is told "saved"; if it
//! cannot be, the device is dropped and opened again from what is.

use ed25519_dalek::SigningKey;
use journal::simulated::Image;
use std::collections::BTreeSet;
use sync_core::batch::Sealer;
use sync_core::identity::{InstallationId, KeyId, PartId, PersonId, ProvinceId};
use sync_core::log::{LogReader, MemoryKeyspace, Write};
use sync_core::sync::Device;

use crate::durable::{Commit, Durable, End};
use crate::ledger::{Ledger, edit_of};
use crate::node::parts_in;
use crate::violation::{Checked, must};

/// A tablet.
#[derive(Debug)]
pub struct Tablet {
    /// Whose it is.
    pub person: PersonId,
    /// Its key.
    pub key: SigningKey,
    /// The key's id.
    pub key_id: KeyId,
    /// Its folder.
    pub durable: Durable,
    /// The state machine, while the process runs.
    pub device: Option<Device>,
    /// The node it talks to: an edge, or the province.
    pub at: Option<usize>,
    /// The exchange under way.
    pub exchange: Option<u64>,
    /// A copy somebody took of the folder.
    pub copy: Option<Image>,
    /// A copy was put in place of its folder: it may be using numbers again without knowing it.
    pub copied_back: bool,
    /// How far its clock is off, in seconds.
    pub clock_offset: i64,
    /// It wants to ask again.
    pub again: bool,
    province: ProvinceId,
    installation: InstallationId,
}

impl Tablet {
    /// A tablet on an empty folder.
    pub fn new(
        province: ProvinceId,
        person: PersonId,
        key: SigningKey,
        installation: InstallationId,
        durable: Durable,
    ) -> Self {
        Self {
            person,
            key_id: KeyId::of(key.verifying_key().as_bytes()),
            key,
            durable,
            device: None,
            at: None,
            exchange: None,
            copy: None,
            copied_back: false,
            clock_offset: 0,
            again: false,
            province,
            installation,
        }
    }

    /// Starts the process on what the folder holds.
    pub fn start(&mut self) -> Checked<()> {
        let truth = self.durable.open()?;
        self.open(truth)
    }

    fn open(&mut self, truth: MemoryKeyspace) -> Checked<()> {
        self.exchange = None;
        let sealer = Sealer {
            province: self.province,
            installation: self.installation,
            key: self.key.clone(),
        };
        let (device, writes) = must("device-opens", Device::open(sealer, truth))?;
        let kept = writes.is_empty() || self.durable.commit(&writes)? == Commit::Durable;
        self.device = kept.then_some(device);
        Ok(())
    }

    /// Ends the process.
    pub fn end(&mut self, how: End) {
        self.device = None;
        self.exchange = None;
        self.durable.end(how);
    }

    /// Makes writes durable that the device has already taken. False: they are not, and the device
    /// is what it was before, or gone.
    pub fn save(&mut self, writes: &[Write], ledger: &mut Ledger) -> Checked<bool> {
        match self.durable.commit(writes)? {
            Commit::Durable => {
                ledger.learn(self.key_id, writes)?;
                Ok(true)
            }
            Commit::Full => {
                let truth = self.durable.read()?;
                self.device = None;
                self.open(truth)?;
                Ok(false)
            }
            Commit::Unknown => {
                self.device = None;
                self.exchange = None;
                // Whether these parts exist is known after the next start; nobody was told so.
                ledger.learn(self.key_id, writes)?;
                Ok(false)
            }
        }
    }

    /// The parts in its log and its quarantine.
    pub fn parts(&self) -> Checked<BTreeSet<PartId>> {
        match &self.device {
            Some(device) => parts_in(device.keyspace()),
            None => Ok(BTreeSet::new()),
        }
    }

    /// The parts in its log, which it could give to a node.
    pub fn accepted_parts(&self) -> Checked<BTreeSet<PartId>> {
        let Some(device) = &self.device else {
            return Ok(BTreeSet::new());
        };
        let page =
            LogReader(device.keyspace()).feed(&sync_core::log::Follow::All, 0, None, usize::MAX);
        let entries = must("feed", page)?.entries;
        Ok(entries.iter().map(|(_, entry)| entry.part.id()).collect())
    }

    /// The edits in its drafts.
    pub fn drafted(&self) -> BTreeSet<u32> {
        let Some(device) = &self.device else {
            return BTreeSet::new();
        };
        let subjects = device.subjects().unwrap_or_default();
        subjects
            .keys()
            .filter_map(|document| device.draft(*document))
            .flat_map(|draft| draft.edits.iter().map(|edit| edit_of(edit.typed_at)))
            .collect()
    }
}
