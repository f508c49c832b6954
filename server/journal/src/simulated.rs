//! A folder in memory that fails as disks do, from a seed: for tests and simulation.
//!
//! What a process sees and what a disk holds are kept apart. A sync moves sectors from the one to the
//! other; a power cut takes a random part of what was not synced. Every mutating operation is counted,
//! so that a test can stop the world at each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::files::{FileEntry, Files};

/// Bytes that a disk writes as a whole.
pub const SECTOR_BYTES: usize = 512;

/// One failure of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails with an I/O error. A failed sync forgets a random part of what it should
    /// have made durable, and a later sync does not notice; a failed write leaves a random part.
    Fails,
    /// The disk is full; a write leaves a random part.
    NoSpace,
}

/// Everything a folder holds: what the next process would see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image(BTreeMap<String, Vec<u8>>);

impl Image {
    /// The files by name.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.0
    }

    /// The files by name, to be damaged.
    pub fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.0
    }
}

/// The folder. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct SimulatedFiles {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<String, SimulatedFile>,
    random: u64,
    operations: u64,
    syncs: u64,
    faults: BTreeMap<u64, Fault>,
    stop_at: Option<u64>,
    capacity_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct SimulatedFile {
    /// What processes see.
    seen: Vec<u8>,
    /// What the disk holds for certain.
    held: Vec<u8>,
    /// Sectors of `seen` that a sync will move to `held`.
    dirty: BTreeSet<usize>,
    /// The name is on the disk.
    named: bool,
}

impl SimulatedFiles {
    /// An empty folder; all its chances follow from the seed.
    pub fn new(seed: u64) -> Self {
        let disk = Disk {
            random: seed,
            ..Disk::default()
        };
        Self {
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Mutating operations so far: create, write, truncate, sync, sync of the folder.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Syncs of files that succeeded so far.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Lets the mutating operation with this number (the first is 1) fail.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.lock().faults.insert(operation, fault);
    }

    /// Lets the next mutating operation fail.
    pub fn fail_next(&self, fault: Fault) {
        let mut disk = self.lock();
        let next = disk.operations + 1;
        disk.faults.insert(next, fault);
    }

    /// Stops the machine at the mutating operation with this number: it happens in part, and everything
    /// after it fails until [`SimulatedFiles::power_cut`].
    pub fn stop_at(&self, operation: u64) {
        self.lock().stop_at = Some(operation);
    }

    /// Sets how many bytes all files together may have; none: no limit.
    pub fn set_capacity_bytes(&self, capacity: Option<u64>) {
        self.lock().capacity_bytes = capacity;
    }

    /// The power fails and comes back: of what was not synced a random part is left. Pending faults
    /// are forgotten.
    pub fn power_cut(&self) {
        let mut disk = self.lock();
        disk.stop_at = None;
        disk.faults.clear();
        let mut random = disk.random;
        disk.files.retain(|_, file| {
            if !file.named && chance(&mut random, 2) {
                return false;
            }
            file.lose_power(&mut random);
            true
        });
        disk.random = random;
    }

    /// The process is killed and the machine lives on: nothing is lost. Pending faults are forgotten.
    pub fn kill(&self) {
        let mut disk = self.lock();
        disk.stop_at = None;
        disk.faults.clear();
    }

    /// A copy of the folder as processes see it.
    pub fn image(&self) -> Image {
        let disk = self.lock();
        Image(
            disk.files
                .iter()
                .map(|(name, file)| (name.clone(), file.seen.clone()))
                .collect(),
        )
    }

    /// Replaces the folder by a copy, durably: a restart from an older folder, or a damaged one.
    pub fn restore(&self, image: &Image) {
        self.lock().files = image
            .0
            .iter()
            .map(|(name, bytes)| {
                let file = SimulatedFile {
                    seen: bytes.clone(),
                    held: bytes.clone(),
                    dirty: BTreeSet::new(),
                    named: true,
                };
                (name.clone(), file)
            })
            .collect();
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a mutating operation goes.
enum Course {
    Well,
    Failing(io::Error),
}

impl Disk {
    fn begin(&mut self) -> Course {
        self.operations += 1;
        let number = self.operations;
        if self.stop_at.is_some_and(|stop| number >= stop) {
            return Course::Failing(io::Error::other("the machine has stopped"));
        }
        match self.faults.remove(&number) {
            Some(Fault::Fails) => Course::Failing(io::Error::other("simulated I/O error")),
            Some(Fault::NoSpace) => Course::Failing(io::ErrorKind::StorageFull.into()),
            None => Course::Well,
        }
    }

    /// True once the machine has stopped: then nothing reaches the disk any more.
    fn stopped(&self) -> bool {
        self.stop_at.is_some_and(|stop| self.operations > stop)
    }

    fn file(&mut self, name: &str) -> io::Result<&mut SimulatedFile> {
        self.files
            .get_mut(name)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The byte up to which a write that ends at `end` fits the disk.
    fn room(&self, name: &str, end: usize) -> usize {
        let Some(capacity) = self.capacity_bytes else {
            return usize::MAX;
        };
        let used: usize = self.files.values().map(|file| file.seen.len()).sum();
        let own = self.files.get(name).map_or(0, |file| file.seen.len());
        let free = usize::try_from(capacity)
            .unwrap_or(usize::MAX)
            .saturating_sub(used);
        (own + free).min(end)
    }
}

impl SimulatedFile {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        for (to, from) in self.seen.iter_mut().skip(offset).zip(bytes) {
            *to = *from;
        }
        if !bytes.is_empty() {
            self.dirty
                .extend(offset / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES);
        }
    }

    /// Moves the sectors to the disk that `keep` says.
    fn settle(&mut self, mut keep: impl FnMut() -> bool) {
        for sector in std::mem::take(&mut self.dirty) {
            if keep() {
                let start = sector * SECTOR_BYTES;
                let end = (start + SECTOR_BYTES).min(self.seen.len());
                if self.held.len() < end {
                    self.held.resize(end, 0);
                }
                let from = self.seen.iter().skip(start);
                for (to, from) in self.held.iter_mut().take(end).skip(start).zip(from) {
                    *to = *from;
                }
            }
        }
    }

    fn lose_power(&mut self, random: &mut u64) {
        let reached = self.seen.len();
        match draw(random) % 4 {
            0 => self.dirty.clear(),
            1 => self.settle(|| true),
            2 => {
                // A prefix, which may end inside a sector.
                let before = self.held.len();
                let mut left = below(random, self.dirty.len() + 1);
                self.settle(|| {
                    left = left.saturating_sub(1);
                    left > 0
                });
                let grown = self.held.len().saturating_sub(before);
                let cut = below(random, grown.min(SECTOR_BYTES) + 1);
                self.held.truncate(self.held.len() - cut);
            }
            _ => {
                self.settle(|| chance(random, 2));
                // The file's length may be on the disk before its bytes.
                if self.held.len() < reached && chance(random, 2) {
                    self.held.resize(reached, 0);
                }
            }
        }
        self.seen = self.held.clone();
        self.named = true;
    }
}

impl Files for SimulatedFiles {
    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let disk = self.lock();
        let entry = |(name, file): (&String, &SimulatedFile)| FileEntry {
            name: name.clone(),
            length: file.seen.len() as u64,
        };
        Ok(disk.files.iter().map(entry).collect())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut disk = self.lock();
        if let Course::Failing(error) = disk.begin() {
            return Err(error);
        }
        if disk.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.files.insert(name.to_owned(), SimulatedFile::default());
        Ok(())
    }

    fn read_at(&self, name: &str, offset: u64, to: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.lock();
        let file = disk.file(name)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = file.seen.get(offset..).unwrap_or_default();
        for (to, from) in to.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(rest.len().min(to.len()))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.lock();
        let course = disk.begin();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let fitting = disk.room(name, offset + bytes.len()).saturating_sub(offset);
        let mut part = bytes.len();
        let mut outcome = Ok(());
        if let Course::Failing(error) = course {
            part = if disk.stopped() {
                0
            } else {
                below(&mut disk.random, bytes.len() + 1)
            };
            outcome = Err(error);
        } else if fitting < bytes.len() {
            part = fitting;
            outcome = Err(io::ErrorKind::StorageFull.into());
        }
        disk.file(name)?
            .write(offset, bytes.get(..part).unwrap_or_default());
        outcome
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let mut disk = self.lock();
        if let Course::Failing(error) = disk.begin() {
            return Err(error);
        }
        let file = disk.file(name)?;
        file.settle(|| true);
        file.seen
            .truncate(usize::try_from(length).unwrap_or(usize::MAX));
        file.held
            .truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let course = disk.begin();
        let stopped = disk.stopped();
        let mut random = disk.random;
        let file = disk.file(name)?;
        let outcome = match course {
            Course::Well => {
                file.settle(|| true);
                Ok(())
            }
            Course::Failing(error) => {
                if !stopped {
                    file.settle(|| chance(&mut random, 2));
                }
                Err(error)
            }
        };
        disk.random = random;
        if outcome.is_ok() {
            disk.syncs += 1;
        }
        outcome
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.lock();
        if let Course::Failing(error) = disk.begin() {
            return Err(error);
        }
        for file in disk.files.values_mut() {
            file.named = true;
        }
        Ok(())
    }
}

/// SplitMix64: a whole sequence from one number.
fn draw(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *random;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn below(random: &mut u64, bound: usize) -> usize {
    usize::try_from(draw(random) % (bound.max(1) as u64)).unwrap_or(0)
}

fn chance(random: &mut u64, one_in: u64) -> bool {
    draw(random).is_multiple_of(one_in)
}
