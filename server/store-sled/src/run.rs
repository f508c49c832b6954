//! A run: keys with their stored values in order, in one file that is written once and then only read.
//!
//! Building an index puts millions of keys at once, which sled takes one by one, each with a page to
//! copy; a run takes them at the speed of the disk, and needs a few bytes of memory for a block of it.
//!
//! ```text
//! blocks, one after the other   u32 CRC-32C of the rest; entries: bytes key, bytes stored value
//! fences, one for a block       bytes first key, u64 offset, u32 length
//! filter                        u8 each: bits that say which keys are surely not here
//! foot                          bytes last key, u32 fences, u64 offset of the fences, u32 length of the
//!                               filter
//! end                           u32 length of the foot, u32 CRC-32C of fences, filter and foot, "run1"
//! ```

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::ReadError;
use sync_core::codec::{DecodeError, Reader, Writer};

/// Bytes after which a block ends: one read of a few pages for a key.
const BLOCK_BYTES: usize = 8 * 1024;
/// Bits of the filter for a key, and how many of them it sets: one wrong guess in a hundred.
const FILTER_BITS_PER_KEY: usize = 10;
const FILTER_PROBES: u32 = 6;
const END_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
const MAGIC: &[u8; 4] = b"run1";

/// A key and its stored value; an empty one says that the key was removed.
pub(crate) type Stored = (Vec<u8>, Vec<u8>);

/// Writes a run. Keys must come in ascending order, each once.
#[derive(Debug)]
pub(crate) struct RunWriter {
    path: PathBuf,
    file: BufWriter<File>,
    block: Writer,
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    offset: u64,
    fences: Vec<Fence>,
    hashes: Vec<u32>,
}

#[derive(Debug)]
struct Fence {
    first: Box<[u8]>,
    offset: u64,
    length: u32,
}

impl RunWriter {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 18, File::create(path)?),
            block: Writer::new(),
            first: None,
            last: Vec::new(),
            offset: 0,
            fences: Vec::new(),
            hashes: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        debug_assert!(self.hashes.is_empty() || self.last.as_slice() < key);
        if self.first.is_none() {
            self.first = Some(key.to_vec());
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        self.hashes.push(hash(key));
        self.block.bytes(key).bytes(value);
        if self.block.as_slice().len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        let Some(first) = self.first.take() else {
            return Ok(());
        };
        let next = Writer::with_capacity(2 * BLOCK_BYTES);
        let block = std::mem::replace(&mut self.block, next).into_bytes();
        self.file.write_all(&crc32c::crc32c(&block).to_be_bytes())?;
        self.file.write_all(&block)?;
        let length = block.len() as u32 + 4;
        self.fences.push(Fence {
            first: first.into(),
            offset: self.offset,
            length,
        });
        self.offset += u64::from(length);
        Ok(())
    }

    /// Ends the file. It is handed to the system, not synced.
    pub(crate) fn finish(mut self) -> io::Result<Run> {
        self.end_block()?;
        let mut tail = Writer::new();
        for fence in &self.fences {
            tail.bytes(&fence.first)
                .u64_be(fence.offset)
                .raw(&fence.length.to_be_bytes());
        }
        let filter = filter_of(&self.hashes);
        tail.raw(&filter);
        let before = tail.as_slice().len();
        tail.bytes(&self.last)
            .raw(&(self.fences.len() as u32).to_be_bytes())
            .u64_be(self.offset)
            .raw(&(filter.len() as u32).to_be_bytes());
        let tail = tail.into_bytes();
        self.file.write_all(&tail)?;
        let foot = (tail.len() - before) as u32;
        let checksum = crc32c::crc32c(&tail);
        self.file.write_all(&foot.to_be_bytes())?;
        self.file.write_all(&checksum.to_be_bytes())?;
        self.file.write_all(MAGIC)?;
        self.file.flush()?;
        let length = self.offset + tail.len() as u64 + END_BYTES as u64;
        Ok(Run(Arc::new(Contents {
            file: File::open(&self.path)?,
            path: self.path,
            length,
            checksum,
            fences: self.fences,
            filter,
            last: self.last,
        })))
    }
}

/// A run, open for reading. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Run(Arc<Contents>);

#[derive(Debug)]
struct Contents {
    file: File,
    path: PathBuf,
    length: u64,
    checksum: u32,
    fences: Vec<Fence>,
    filter: Vec<u8>,
    last: Vec<u8>,
}

impl Run {
    /// Opens a run. Anything that is not exactly as it was written is an error.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let damaged = |_: DecodeError| io::Error::other("the end of a run is damaged");
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let end_at = length
            .checked_sub(END_BYTES as u64)
            .ok_or_else(|| damaged(DecodeError::Truncated("run")))?;
        let mut end = [0; END_BYTES];
        file.read_exact_at(&mut end, end_at)?;
        let mut reader = Reader::new(&end);
        let foot_bytes = u32::from_be_bytes(reader.array("foot").map_err(damaged)?);
        let checksum = u32::from_be_bytes(reader.array("checksum").map_err(damaged)?);
        if reader.rest() != MAGIC {
            return Err(damaged(DecodeError::Undefined("run")));
        }
        let foot_at = end_at
            .checked_sub(foot_bytes.into())
            .ok_or_else(|| damaged(DecodeError::Truncated("foot")))?;
        let mut foot = vec![0; foot_bytes as usize];
        file.read_exact_at(&mut foot, foot_at)?;
        let foot = Foot::read(&foot).map_err(damaged)?;
        let tail_bytes = end_at
            .checked_sub(foot.fences_at)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(|| damaged(DecodeError::Truncated("fences")))?;
        let mut tail = vec![0; tail_bytes];
        file.read_exact_at(&mut tail, foot.fences_at)?;
        if crc32c::crc32c(&tail) != checksum {
            return Err(damaged(DecodeError::Undefined("checksum")));
        }
        let mut reader = Reader::new(&tail);
        let fences = (0..foot.fences)
            .map(|_| Fence::read(&mut reader))
            .collect::<Result<_, _>>()
            .map_err(damaged)?;
        let filter = reader.raw(foot.filter_bytes, "filter").map_err(damaged)?;
        Ok(Self(Arc::new(Contents {
            file,
            path: path.to_owned(),
            length,
            checksum,
            fences,
            filter: filter.to_vec(),
            last: foot.last,
        })))
    }

    /// Names the contents: another run has another checksum.
    pub(crate) fn checksum(&self) -> u32 {
        self.0.checksum
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.length
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        if key > self.0.last.as_slice() || !may_hold(&self.0.filter, hash(key)) {
            return Ok(None);
        }
        let Some(block) = self.block_of(key) else {
            return Ok(None);
        };
        let bytes = self.read(block)?;
        let mut reader = Reader::new(bytes.get(4..).unwrap_or_default());
        while !reader.is_empty() {
            let (found, value) = self.entry(&mut reader)?;
            match found.cmp(key) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(Some(value.to_vec())),
                Ordering::Greater => break,
            }
        }
        Ok(None)
    }

    /// Entries with `from <= key`, and `key < to` if it is given, ascending.
    pub(crate) fn range(&self, from: &[u8], to: Option<&[u8]>) -> RunRange {
        RunRange {
            run: self.clone(),
            from: from.to_vec(),
            to: to.map(<[u8]>::to_vec),
            next_block: self.block_of(from).unwrap_or(0),
            entries: Vec::new().into_iter(),
        }
    }

    /// A cursor at the first entry; none if there is no entry.
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, ReadError> {
        let mut cursor = Cursor {
            run: self.clone(),
            next_block: 0,
            block: Vec::new(),
            key: 0..0,
            value: 0..0,
        };
        Ok(cursor.advance()?.then_some(cursor))
    }

    /// The last entry with `from <= key < to`.
    pub(crate) fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Stored>, ReadError> {
        if self.0.last.as_slice() < from {
            return Ok(None);
        }
        // The block before the first that begins at `to` or behind it.
        let after = self.0.fences.partition_point(|fence| *fence.first < *to);
        let Some(block) = after.checked_sub(1) else {
            return Ok(None);
        };
        let bytes = self.read(block)?;
        let mut reader = Reader::new(bytes.get(4..).unwrap_or_default());
        let mut found = None;
        while !reader.is_empty() {
            let (key, value) = self.entry(&mut reader)?;
            if key >= to {
                break;
            }
            found = Some((key, value));
        }
        let found = found.filter(|(key, _)| *key >= from);
        Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    /// The block in which a key is if it is here; none if it is before all.
    fn block_of(&self, key: &[u8]) -> Option<usize> {
        self.0
            .fences
            .partition_point(|fence| *fence.first <= *key)
            .checked_sub(1)
    }

    fn read(&self, block: usize) -> Result<Vec<u8>, ReadError> {
        let fence = self
            .0
            .fences
            .get(block)
            .ok_or_else(|| self.failure("no such block"))?;
        let mut bytes = vec![0; fence.length as usize];
        self.0
            .file
            .read_exact_at(&mut bytes, fence.offset)
            .map_err(|error| self.failure(&error.to_string()))?;
        let whole = bytes
            .split_first_chunk()
            .is_some_and(|(checksum, rest)| u32::from_be_bytes(*checksum) == crc32c::crc32c(rest));
        if !whole {
            return Err(self.failure("a block does not have its checksum"));
        }
        Ok(bytes)
    }

    fn entries_of(&self, block: usize) -> Result<Vec<Stored>, ReadError> {
        let bytes = self.read(block)?;
        let mut reader = Reader::new(bytes.get(4..).unwrap_or_default());
        let mut entries = Vec::new();
        while !reader.is_empty() {
            let (key, value) = self.entry(&mut reader)?;
            entries.push((key.to_vec(), value.to_vec()));
        }
        Ok(entries)
    }

    fn entry<'a>(&self, reader: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), ReadError> {
        let mut read = || {
            Ok((
                reader.bytes(usize::MAX, "key")?,
                reader.bytes(usize::MAX, "value")?,
            ))
        };
        read().map_err(|error: DecodeError| self.failure(&error.to_string()))
    }

    fn failure(&self, reason: &str) -> ReadError {
        ReadError {
            step: "read",
            object: self.0.path.display().to_string(),
            reason: reason.to_owned(),
        }
    }
}

/// A range of a run, a block in memory.
#[derive(Debug)]
pub(crate) struct RunRange {
    run: Run,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    next_block: usize,
    entries: std::vec::IntoIter<Stored>,
}

impl Iterator for RunRange {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            for (key, value) in self.entries.by_ref() {
                if self.to.as_ref().is_some_and(|to| key >= *to) {
                    self.next_block = usize::MAX;
                    return None;
                }
                if key >= self.from {
                    return Some(Ok((key, value)));
                }
            }
            let fence = self.run.0.fences.get(self.next_block)?;
            if self.to.as_ref().is_some_and(|to| *fence.first >= **to) {
                return None;
            }
            match self.run.entries_of(self.next_block) {
                Ok(entries) => self.entries = entries.into_iter(),
                Err(error) => {
                    self.next_block = usize::MAX;
                    return Some(Err(error));
                }
            }
            self.next_block += 1;
        }
    }
}

/// A place in a run, which begins at its first entry.
#[derive(Debug)]
pub(crate) struct Cursor {
    run: Run,
    next_block: usize,
    block: Vec<u8>,
    key: Range<usize>,
    value: Range<usize>,
}

impl Cursor {
    /// The key of the entry.
    pub(crate) fn key(&self) -> &[u8] {
        self.block.get(self.key.clone()).unwrap_or_default()
    }

    /// Its stored value.
    pub(crate) fn value(&self) -> &[u8] {
        self.block.get(self.value.clone()).unwrap_or_default()
    }

    /// Goes to the next entry; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        if self.value.end >= self.block.len() {
            if self.next_block >= self.run.0.fences.len() {
                return Ok(false);
            }
            self.block = self.run.read(self.next_block)?;
            self.next_block += 1;
            self.value = CHECKSUM_BYTES..CHECKSUM_BYTES;
        }
        let rest = self.block.get(self.value.end..).unwrap_or_default();
        let mut reader = Reader::new(rest);
        let mut next = |what| {
            let found = reader.bytes(usize::MAX, what).map(<[u8]>::len);
            let found = found.map_err(|error| self.run.failure(&error.to_string()))?;
            let end = self.block.len() - reader.rest().len();
            Ok::<_, ReadError>(end - found..end)
        };
        (self.key, self.value) = (next("key")?, next("value")?);
        Ok(true)
    }
}

struct Foot {
    last: Vec<u8>,
    fences: u32,
    fences_at: u64,
    filter_bytes: usize,
}

impl Foot {
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let foot = Self {
            last: reader.bytes(bytes.len(), "last key")?.to_vec(),
            fences: u32::from_be_bytes(reader.array("fences")?),
            fences_at: reader.u64_be("offset")?,
            filter_bytes: u32::from_be_bytes(reader.array("filter")?) as usize,
        };
        reader.end("foot")?;
        Ok(foot)
    }
}

impl Fence {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            first: reader.bytes(usize::MAX, "first key")?.into(),
            offset: reader.u64_be("offset")?,
            length: u32::from_be_bytes(reader.array("length")?),
        })
    }
}

fn hash(key: &[u8]) -> u32 {
    crc32c::crc32c(key)
}

/// The bits that a key sets in a filter of so many.
fn probes(hash: u32, bits: u32) -> impl Iterator<Item = u32> {
    let step = hash.rotate_left(16).wrapping_mul(0x9e37_79b1) | 1;
    (0..FILTER_PROBES).map(move |n| hash.wrapping_add(step.wrapping_mul(n)) % bits.max(1))
}

fn filter_of(hashes: &[u32]) -> Vec<u8> {
    let bytes = (hashes.len() * FILTER_BITS_PER_KEY).div_ceil(8);
    // Beyond that a filter guesses wrong more often; it is never wrong about what is here.
    let mut filter = vec![0u8; bytes.min(u32::MAX as usize / 8)];
    let bits = (filter.len() * 8) as u32;
    for hash in hashes {
        for bit in probes(*hash, bits) {
            if let Some(byte) = filter.get_mut(bit as usize / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    filter
}

fn may_hold(filter: &[u8], hash: u32) -> bool {
    let bits = (filter.len() * 8) as u32;
    probes(hash, bits).all(|bit| {
        filter
            .get(bit as usize / 8)
            .is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Stored> {
        let key = |n: u32| [&[3], (n * 3).to_be_bytes().as_slice()].concat();
        (0..2_000)
            .map(|n| (key(n), vec![n as u8; n as usize % 40]))
            .collect()
    }

    fn written(path: &Path) -> Run {
        let mut writer = RunWriter::create(path).unwrap();
        for (key, value) in entries() {
            writer.push(&key, &value).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_run_holds_what_was_written_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let made = written(&path);
        let run = Run::open(&path).unwrap();
        assert_eq!(
            (run.checksum(), run.bytes()),
            (made.checksum(), made.bytes())
        );
        let all = entries();
        let read: Result<Vec<_>, _> = run.range(b"", None).collect();
        assert_eq!(read.unwrap(), all);
        for (at, (key, value)) in all.iter().enumerate() {
            assert_eq!(run.get(key).unwrap().as_ref(), Some(value));
            let beside = [key.as_slice(), &[0]].concat();
            assert_eq!(run.get(&beside).unwrap(), None);
            let last = run.last(b"", &beside).unwrap();
            assert_eq!(last.as_ref(), Some(&all[at]));
            assert_eq!(run.last(b"", key).unwrap().as_ref(), all[..at].last());
            assert_eq!(run.last(key, key).unwrap(), None);
            if at % 97 == 0 {
                let page: Result<Vec<_>, _> = run.range(key, Some(&[4])).take(5).collect();
                assert_eq!(page.unwrap()[..], all[at..all.len().min(at + 5)]);
            }
        }
        let sure = (0..10_000u32).filter(|n| !may_hold(&run.0.filter, hash(&n.to_be_bytes())));
        assert!(sure.count() > 9_500, "the filter guesses too often");
    }

    #[test]
    fn an_empty_run_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        RunWriter::create(&path).unwrap().finish().unwrap();
        let run = Run::open(&path).unwrap();
        assert_eq!(run.get(b"").unwrap(), None);
        assert_eq!(run.last(b"", b"\xff").unwrap(), None);
        assert_eq!(run.range(b"", Some(b"\xff")).count(), 0);
    }

    /// Every damaged byte is found: in the tail when it is opened, in a block when it is read.
    #[test]
    fn damage_is_an_error_and_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len())
            .step_by(487)
            .chain(whole.len() - 60..whole.len())
        {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            let read =
                Run::open(&path).map(|run| run.range(b"", None).collect::<Result<Vec<_>, _>>());
            assert!(!matches!(read, Ok(Ok(_))), "byte {at}");
        }
        for length in (0..whole.len()).step_by(1_999) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Run::open(&path).is_err(), "cut at {length}");
        }
    }
}
