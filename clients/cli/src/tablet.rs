//! A device folder in use: the device of the core, with every step durable before it is reported.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use journal::files::RealFiles;
use journal::folder::{FolderLock, LockError};
use journal::{AppendError, Journal, Options, ReadError, SyncError, commit};
use sync_core::batch::Sealer;
use sync_core::bundle::{Contents, Destination, Opened, Span, Written};
use sync_core::catalogue::SignedRecord;
use sync_core::codec::DecodeError;
use sync_core::document::{Document, Edit, Subject};
use sync_core::identity::{DocumentId, InstallationId};
use sync_core::log::{MemoryKeyspace, Write, keys};
use sync_core::sync::{
    Device, DeviceError, Frame, PackedResponse, Received, Request, Response, Scope, Taken,
};

use crate::folder::{DeviceCard, DeviceFolder, FolderError};
use crate::sealed_key::{KeyError, random};

/// Why a step on a tablet failed. What was saved before is safe; of the step itself nothing remains,
/// unless the error says that it is uncertain.
#[derive(Debug, thiserror::Error)]
pub enum TabletError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Another process has it open.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Open(#[from] journal::OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record of the journal is none of ours.
    #[error("a record of the device's journal cannot be read: {0}")]
    Record(#[from] DecodeError),
    /// No room: nothing of the step remains.
    #[error("the device is full: {0}")]
    Full(String),
    /// It is unknown whether the step is saved; the device must be opened again.
    #[error("it is unknown whether the device saved it: {0}")]
    Uncertain(String),
    /// More at once than one record holds.
    #[error("the step is too large to be saved at once: {0}")]
    TooLarge(String),
    /// The core refused the step.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] KeyError),
}

impl From<AppendError> for TabletError {
    fn from(error: AppendError) -> Self {
        let text = error.to_string();
        match error {
            AppendError::Full(_) => Self::Full(text),
            AppendError::Empty | AppendError::TooLarge { .. } => Self::TooLarge(text),
            AppendError::Fatal(_) | AppendError::ReadOnly => Self::Uncertain(text),
        }
    }
}

impl From<SyncError> for TabletError {
    fn from(error: SyncError) -> Self {
        let text = error.to_string();
        match error {
            SyncError::Full(_) => Self::Full(text),
            SyncError::Fatal(_) | SyncError::ReadOnly => Self::Uncertain(text),
        }
    }
}

/// A device in use. Dropping it without [`Tablet::close`] is what a power cut is: nothing that was
/// reported as saved is lost.
#[derive(Debug)]
pub struct Tablet {
    folder: DeviceFolder,
    card: DeviceCard,
    key: SigningKey,
    journal: Journal,
    device: Device,
}

impl Tablet {
    /// Opens the device in a folder.
    pub fn open(folder: &DeviceFolder, pin: Option<&str>) -> Result<Self, TabletError> {
        let card = folder.card()?;
        let key = folder.key(&card, pin)?;
        let lock = Arc::new(FolderLock::take(folder.path())?);
        let journal_path = folder.journal();
        let files = RealFiles::owned(&journal_path, lock).map_err(|source| {
            FolderError::File(crate::durable_file::FileError::at("create", &journal_path)(
                source,
            ))
        })?;
        let (journal, _) = Journal::open(Arc::new(files), Options::new(random()?))?;
        let (device, writes) = open_device(&card, &key, &journal)?;
        let mut tablet = Self {
            folder: folder.clone(),
            card,
            key,
            journal,
            device,
        };
        tablet.keep(&writes)?;
        Ok(tablet)
    }

    /// Who the device is.
    pub fn card(&self) -> &DeviceCard {
        &self.card
    }
    /// Its folder.
    pub fn folder(&self) -> &DeviceFolder {
        &self.folder
    }
    /// Its key, for proving itself to a server.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
    /// The device of the core, to look at.
    pub fn device(&self) -> &Device {
        &self.device
    }
    /// Bytes of its journal.
    pub fn journal_bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Adds edits to the draft of a document: durable on return, sealed and sent later.
    pub fn edit(&mut self, subject: &Subject, edits: &[Edit]) -> Result<(), TabletError> {
        self.step(|device| Ok((device.edit(subject, edits)?, ())))
    }

    /// Seals every draft. `now` is this device's clock, a claim.
    pub fn seal(&mut self, now: i64) -> Result<(), TabletError> {
        self.step(|device| Ok((device.seal(now)?, ())))
    }

    /// Takes catalogue records from elsewhere than an exchange.
    pub fn take_records(&mut self, records: &[SignedRecord]) -> Result<(), TabletError> {
        self.step(|device| Ok((device.take_records(records)?, ())))
    }

    /// The next request to the node.
    pub fn request(&mut self) -> Result<Request, TabletError> {
        Ok(self.device.request()?)
    }

    /// The next request to the node, packed.
    pub fn packed_request(&mut self) -> Result<Frame, TabletError> {
        Ok(self.device.packed_request()?)
    }

    /// The next request to the node, packed, within today's limit; none when there is no room for anything.
    pub fn packed_request_within(
        &mut self,
        now: i64,
        anyway: bool,
    ) -> Result<Option<Frame>, TabletError> {
        Ok(self.device.packed_request_within(now, anyway)?)
    }

    /// Seals what goes with the next request: every draft, or what today's limit has room for.
    pub fn seal_within(&mut self, now: i64, anyway: bool) -> Result<(), TabletError> {
        self.step(|device| Ok((device.seal_within(now, anyway)?, ())))
    }

    /// Limits a day to so many bytes, or no longer: durable on return.
    pub fn set_budget(&mut self, per_day: Option<u64>) -> Result<(), TabletError> {
        self.step(|device| Ok((device.set_budget(per_day), ())))
    }

    /// How many years back a first contact is to reach, none: all; and if it is over, from which year on
    /// everything is to be here, 0 for all. Durable on return.
    pub fn want_years(&mut self, back: Option<u8>, since: u16) -> Result<(), TabletError> {
        self.step(|device| {
            let mut writes = device.set_years_back(back);
            writes.extend(device.ask_for_years(since));
            Ok((writes, ()))
        })
    }

    /// Counts what travelled: durable on return.
    pub fn spend(&mut self, bytes: u64, delivered: bool, now: i64) -> Result<(), TabletError> {
        self.step(|device| Ok((device.spend(bytes, 1, delivered, now), ())))
    }

    /// An answer with its entries, for [`Tablet::receive`].
    pub fn open_response(&mut self, packed: PackedResponse) -> Result<Response, TabletError> {
        Ok(self.device.open_response(packed)?)
    }

    /// Takes an answer: durable on return.
    pub fn receive(&mut self, response: &Response, now: i64) -> Result<Received, TabletError> {
        let fresh = InstallationId(random()?);
        self.step(|device| {
            let mut received = device.receive(response, now, fresh)?;
            Ok((std::mem::take(&mut received.writes), received))
        })
    }

    /// A bundle of what waits or of everything; its number is durable on return.
    pub fn write_bundle(
        &mut self,
        scope: Scope,
        with_catalogue: bool,
        to: Destination,
        now: i64,
    ) -> Result<Written, TabletError> {
        self.step(|device| {
            let (written, writes) = device.write_bundle(scope, with_catalogue, to, now)?;
            Ok((writes, written))
        })
    }

    /// A bundle that brings a node's answer; its number is durable on return.
    pub fn write_answer(
        &mut self,
        contents: Contents,
        span: Span,
        to: Destination,
        now: i64,
    ) -> Result<Written, TabletError> {
        self.step(|device| {
            let (written, writes) = device.write_answer(contents, span, to, now)?;
            Ok((writes, written))
        })
    }

    /// Takes what a bundle brings: durable on return.
    pub fn take_bundle(&mut self, opened: &Opened, now: i64) -> Result<Taken, TabletError> {
        self.step(|device| {
            let mut taken = device.take_bundle(opened, now)?;
            Ok((std::mem::take(&mut taken.writes), taken))
        })
    }

    /// A document with the draft on top.
    pub fn document(&mut self, subject: &Subject) -> Result<Document, TabletError> {
        Ok(self.device.with_draft(subject)?)
    }

    /// A document as accepted and sealed.
    pub fn sealed_document(&mut self, subject: &Subject) -> Result<&Document, TabletError> {
        Ok(self.device.load(subject)?)
    }

    /// The subject of a document on the device.
    pub fn subject(&self, document: DocumentId) -> Result<Option<Subject>, TabletError> {
        Ok(self.device.subjects()?.remove(&document))
    }

    /// Ends the use in order.
    pub fn close(self) -> Result<(), TabletError> {
        Ok(self.journal.close()?)
    }

    /// One step of the device: its writes are durable on return. If anything fails, the device is
    /// as it was when it was last durable.
    fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Device) -> Result<(Vec<Write>, T), DeviceError>,
    ) -> Result<T, TabletError> {
        let outcome = step(&mut self.device).map_err(TabletError::from);
        let kept = outcome.and_then(|(writes, value)| self.keep(&writes).map(|()| value));
        if kept.is_err() {
            let (device, _) = open_device(&self.card, &self.key, &self.journal)?;
            self.device = device;
        }
        kept
    }

    fn keep(&mut self, writes: &[Write]) -> Result<(), TabletError> {
        let truth: Vec<_> = writes
            .iter()
            .filter(|write| is_truth(&write.key))
            .map(|write| (write.key.as_slice(), write.value.as_deref()))
            .collect();
        if truth.is_empty() {
            return Ok(());
        }
        self.journal.append(&commit::encode(&truth).bytes)?;
        Ok(self.journal.sync()?)
    }
}

fn is_truth(key: &[u8]) -> bool {
    key.first().is_some_and(|tag| *tag < keys::DERIVED_FROM)
}

fn open_device(
    card: &DeviceCard,
    key: &SigningKey,
    journal: &Journal,
) -> Result<(Device, Vec<Write>), TabletError> {
    let sealer = Sealer {
        province: card.province,
        installation: InstallationId(random()?),
        key: key.clone(),
    };
    Ok(Device::open(sealer, truth_of(journal)?)?)
}

/// Everything a journal of a device or of a node holds.
pub fn truth_of(journal: &Journal) -> Result<MemoryKeyspace, TabletError> {
    let mut keyspace = MemoryKeyspace::new();
    journal.replay::<TabletError>(None, |_, body| {
        let writes = commit::decode(body)?;
        keyspace.apply(writes.into_iter().map(|write| Write {
            key: write.key.to_vec(),
            value: write.value.map(<[u8]>::to_vec),
        }));
        Ok(())
    })?;
    Ok(keyspace)
}
