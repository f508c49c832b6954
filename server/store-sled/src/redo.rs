//! The redo file: derived writes of commits that sled holds in memory and a kill would take.
//!
//! Not truth and never synced: it bridges a kill, for which the page cache is enough. Truth writes
//! need no bridge, the journal has them. Entries one after the other:
//!
//! ```text
//! u32  length of the body
//! u32  CRC-32C of the body
//! body u64 number, one by one while the file lives
//!      u64 sequence, u32 checksum: the journal's last record at that time (of this commit, if it
//!          has truth writes), 0 and 0 if there is none
//!      the derived writes, encoded as a journal record's
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use journal::Place;
use store::record;
use store::{COMMIT_BYTES_MAX, Write};
use sync_core::codec::{DecodeError, Reader, Writer};

/// Derived writes and the record they belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedoEntry {
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) checksum: u32,
    pub(crate) writes: Vec<Write>,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Redo {
    file: File,
    length: u64,
    /// The number of the last entry.
    last: u64,
    /// Entries of the current group.
    group: Vec<u8>,
    group_last: u64,
}

impl Redo {
    /// Begins the file anew; numbers go on after `last`.
    pub(crate) fn create(path: &Path, last: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Self {
            file,
            length: 0,
            last,
            group: Vec::new(),
            group_last: last,
        })
    }

    /// Adds the derived writes of one commit to the group; returns their number.
    pub(crate) fn append(&mut self, last_record: Option<Place>, writes: &[&Write]) -> u64 {
        self.group_last += 1;
        let mut body = Writer::new();
        body.u64_be(self.group_last)
            .u64_be(last_record.map_or(0, |place| place.sequence))
            .raw(&last_record.map_or(0, |place| place.checksum).to_be_bytes())
            .raw(&record::encode(writes).bytes);
        let body = body.into_bytes();
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        self.group.extend_from_slice(&length.to_be_bytes());
        self.group
            .extend_from_slice(&crc32c::crc32c(&body).to_be_bytes());
        self.group.extend_from_slice(&body);
        self.group_last
    }

    /// Writes the group's entries. On failure nothing of them counts.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.group, self.length)
    }

    /// The group happened.
    pub(crate) fn keep(&mut self) {
        self.length += self.group.len() as u64;
        self.last = self.group_last;
        self.group.clear();
    }

    /// The group did not happen: its entries must not be found by a later opening.
    pub(crate) fn give_up(&mut self) -> io::Result<()> {
        self.group.clear();
        self.group_last = self.last;
        self.file.set_len(self.length)
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Empties the file: sled has handed everything to the system. A failure only leaves entries
    /// that are not applied again, since the mark is behind them.
    pub(crate) fn restart(&mut self) {
        if self.file.set_len(0).is_ok() {
            self.length = 0;
        }
    }
}

/// The entries of a file, up to the first that is not whole; none if there is no file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<RedoEntry>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut reader = Reader::new(&bytes);
    let mut entries = Vec::new();
    while let Ok(entry) = read_entry(&mut reader) {
        entries.push(entry);
    }
    Ok(entries)
}

fn read_entry(reader: &mut Reader<'_>) -> Result<RedoEntry, DecodeError> {
    let length = u32::from_be_bytes(reader.array("length")?) as usize;
    let checksum = u32::from_be_bytes(reader.array("checksum")?);
    // The head of an entry counts little against what a commit may have.
    if length > COMMIT_BYTES_MAX + 64 {
        return Err(DecodeError::Limit("length"));
    }
    let body = reader.raw(length, "body")?;
    if crc32c::crc32c(body) != checksum {
        return Err(DecodeError::Undefined("checksum"));
    }
    let mut body = Reader::new(body);
    let number = body.u64_be("number")?;
    let sequence = body.u64_be("sequence")?;
    let checksum = u32::from_be_bytes(body.array("checksum")?);
    let writes = record::decode(body.rest())?
        .into_iter()
        .map(|write| Write {
            key: write.key.to_vec(),
            value: write.value.map(<[u8]>::to_vec),
        })
        .collect();
    Ok(RedoEntry {
        number,
        sequence,
        checksum,
        writes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: u8) -> Write {
        Write {
            key: vec![0x80, key],
            value: Some(vec![key; 9]),
        }
    }

    #[test]
    fn entries_are_read_up_to_the_first_torn_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redo");
        assert_eq!(read(&path).unwrap(), []);
        let mut redo = Redo::create(&path, 7).unwrap();
        let place = Place {
            sequence: 3,
            segment: 1,
            offset: 0,
            length: 0,
            checksum: 9,
        };
        assert_eq!(redo.append(None, &[&write(1)]), 8);
        assert_eq!(redo.append(Some(place), &[&write(2), &write(3)]), 9);
        redo.write().unwrap();
        redo.keep();
        let whole = std::fs::read(&path).unwrap();
        let entries = read(&path).unwrap();
        assert_eq!(entries.len(), 2);
        let second = RedoEntry {
            number: 9,
            sequence: 3,
            checksum: 9,
            writes: vec![write(2), write(3)],
        };
        assert_eq!(entries[1], second);
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let found = read(&path).unwrap();
            assert_eq!(found[..], entries[..found.len()], "cut at {length}");
            assert!(found.len() < 2);
        }
    }

    #[test]
    fn a_group_given_up_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redo");
        let mut redo = Redo::create(&path, 0).unwrap();
        redo.append(None, &[&write(1)]);
        redo.write().unwrap();
        redo.keep();
        redo.append(None, &[&write(2)]);
        redo.write().unwrap();
        redo.give_up().unwrap();
        assert_eq!(redo.append(None, &[&write(3)]), 2);
        redo.write().unwrap();
        redo.keep();
        let keys: Vec<u8> = read(&path)
            .unwrap()
            .iter()
            .map(|e| e.writes[0].key[1])
            .collect();
        assert_eq!(keys, [1, 3]);
    }
}
