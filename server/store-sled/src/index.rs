//! sled behind the few operations the store needs, with its keys and the mark.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use journal::Place;
use store::{DERIVED_FROM, ReadError, Write};
use sync_core::codec::{DecodeError, Reader, Writer};

use crate::value;

const OWN: u8 = 0;
const OF_STORE: u8 = 1;
const JOURNAL_KEY: [u8; 2] = [OWN, b'j'];
const MARK_KEY: [u8; 2] = [OWN, b'm'];
const DERIVED_KEY: [u8; 2] = [OWN, b'd'];

/// How often, and how long between, opening is tried while an earlier sled of this process still
/// lets go of its files.
const LOCK_TRIES_MAX: u32 = 200;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// How far the journal and the redo file have been applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) place: Option<Place>,
    pub(crate) redo: u64,
}

impl Mark {
    fn encode(self) -> Vec<u8> {
        let none = Place {
            sequence: 0,
            segment: 0,
            offset: 0,
            length: 0,
            checksum: 0,
        };
        let place = self.place.unwrap_or(none);
        Writer::new()
            .u64_be(place.sequence)
            .u64_be(place.segment)
            .u64_be(place.offset)
            .raw(&place.length.to_be_bytes())
            .raw(&place.checksum.to_be_bytes())
            .u64_be(self.redo)
            .as_slice()
            .to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let place = Place {
            sequence: reader.u64_be("mark")?,
            segment: reader.u64_be("mark")?,
            offset: reader.u64_be("mark")?,
            length: u32::from_be_bytes(reader.array("mark")?),
            checksum: u32::from_be_bytes(reader.array("mark")?),
        };
        let redo = reader.u64_be("mark")?;
        reader.end("mark")?;
        Ok(Self {
            place: (place.sequence > 0).then_some(place),
            redo,
        })
    }
}

/// Writes that reach sled as a whole.
#[derive(Debug, Default)]
pub(crate) struct IndexBatch(sled::Batch);

impl IndexBatch {
    /// A value in the form `value` gives it, or none to remove the key.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.0.insert(own(key), value),
            None => self.0.remove(own(key)),
        }
    }
}

/// An open index.
#[derive(Debug)]
pub(crate) struct Index {
    sled: sled::Db,
}

/// The key as it stands in sled.
fn own(key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + 1);
    bytes.push(OF_STORE);
    bytes.extend_from_slice(key);
    bytes
}

fn unread(error: &sled::Error) -> ReadError {
    ReadError {
        step: "read",
        object: "index".to_owned(),
        reason: error.to_string(),
    }
}

impl Index {
    /// Opens sled in a folder. Any panic of sled over what it finds there is an error like others.
    pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, String> {
        remove_unfinished_snapshots(folder).map_err(|error| error.to_string())?;
        let mut tries = 0;
        loop {
            let config = sled::Config::new()
                .path(folder)
                .cache_capacity(cache_bytes)
                .mode(sled::Mode::HighThroughput)
                .flush_every_ms(None);
            let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
            match opened {
                Ok(Ok(sled)) => return Ok(Self { sled }),
                Ok(Err(error)) => {
                    let text = error.to_string();
                    tries += 1;
                    if !text.contains("could not acquire lock") || tries > LOCK_TRIES_MAX {
                        return Err(text);
                    }
                }
                Err(_) => return Err("sled cannot read its files".to_owned()),
            }
            thread::sleep(LOCK_WAIT);
        }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, ReadError> {
        self.sled.get(own(key)).map_err(|error| unread(&error))
    }

    pub(crate) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, sled::IVec)>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.sled
            .range(own(from)..own(to))
            .take(limit)
            .map(entry)
            .collect()
    }

    pub(crate) fn last(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<(Vec<u8>, sled::IVec)>, ReadError> {
        if from >= to {
            return Ok(None);
        }
        self.sled
            .range(own(from)..own(to))
            .next_back()
            .map(entry)
            .transpose()
    }

    /// Applies a batch together with the mark.
    pub(crate) fn apply(&self, batch: IndexBatch, mark: Mark) -> Result<(), sled::Error> {
        let IndexBatch(mut batch) = batch;
        batch.insert(&MARK_KEY, mark.encode());
        self.sled.apply_batch(batch)
    }

    /// Writes one derived key by itself: faster than batches, in any number.
    pub(crate) fn put(&self, write: &Write) -> Result<(), sled::Error> {
        self.put_bytes(&write.key, write.value.as_deref().map(value::inline))
    }

    /// Writes one key by itself, in the form `value` gives it.
    pub(crate) fn put_bytes(&self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), sled::Error> {
        match value {
            Some(value) => self.sled.insert(own(key), value)?,
            None => self.sled.remove(own(key))?,
        };
        Ok(())
    }

    /// Writes the mark by itself, behind what was put before.
    pub(crate) fn set_mark(&self, mark: Mark) -> Result<(), sled::Error> {
        self.sled.insert(MARK_KEY, mark.encode())?;
        Ok(())
    }

    /// The mark; none if it is missing or unreadable.
    pub(crate) fn mark(&self) -> Option<Mark> {
        Mark::decode(&self.sled.get(MARK_KEY).ok()??).ok()
    }

    pub(crate) fn belongs_to(&self, journal: [u8; 16]) -> bool {
        matches!(self.sled.get(JOURNAL_KEY), Ok(Some(id)) if *id == journal)
    }

    pub(crate) fn set_journal(&self, journal: [u8; 16]) -> Result<(), sled::Error> {
        self.sled.insert(JOURNAL_KEY, &journal)?;
        Ok(())
    }

    pub(crate) fn derived_complete(&self) -> Result<bool, ReadError> {
        self.sled
            .contains_key(DERIVED_KEY)
            .map_err(|error| unread(&error))
    }

    pub(crate) fn set_derived_complete(&self, complete: bool) -> Result<(), sled::Error> {
        if complete {
            self.sled.insert(DERIVED_KEY, &[])?;
        } else {
            self.sled.remove(DERIVED_KEY)?;
        }
        Ok(())
    }

    pub(crate) fn has_derived(&self) -> Result<bool, ReadError> {
        Ok(self
            .sled
            .range(own(&[DERIVED_FROM])..)
            .next()
            .map(entry)
            .transpose()?
            .is_some())
    }

    /// Removes all derived keys, a batch at a time.
    pub(crate) fn remove_derived(&self, batch_bytes: usize) -> Result<(), sled::Error> {
        loop {
            let mut batch = sled::Batch::default();
            let mut bytes = 0;
            for key in self.sled.range(own(&[DERIVED_FROM])..).keys() {
                let key = key?;
                bytes += key.len();
                batch.remove(key);
                if bytes > batch_bytes {
                    break;
                }
            }
            if bytes == 0 {
                return Ok(());
            }
            self.sled.apply_batch(batch)?;
        }
    }

    /// Hands everything to the operating system: it outlives the process, not the machine.
    pub(crate) fn flush(&self) -> Result<(), sled::Error> {
        self.sled.flush().map(|_| ())
    }

    pub(crate) fn bytes(&self) -> Result<u64, ReadError> {
        self.sled.size_on_disk().map_err(|error| unread(&error))
    }
}

fn entry(
    found: Result<(sled::IVec, sled::IVec), sled::Error>,
) -> Result<(Vec<u8>, sled::IVec), ReadError> {
    let (key, value) = found.map_err(|error| unread(&error))?;
    Ok((key.get(1..).unwrap_or_default().to_vec(), value))
}

/// A kill while sled starts can leave such files, over which it then refuses to open.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_round_trip() {
        let place = Place {
            sequence: 1,
            segment: 2,
            offset: 3,
            length: 4,
            checksum: 5,
        };
        for place in [None, Some(place)] {
            let mark = Mark { place, redo: 6 };
            assert_eq!(Mark::decode(&mark.encode()), Ok(mark));
        }
        assert!(Mark::decode(&[0; 39]).is_err());
        assert!(Mark::decode(&[0; 41]).is_err());
    }
}
