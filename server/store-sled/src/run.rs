//! A run: keys with their stored values in order, in one file that is written once and then only read.
//!
//! Building an index puts millions of keys at once, which sled takes one by one, each with a page to
//! copy; a run takes them at the speed of the disk.
//!
//! ```text
//! blocks, one after the other   u32 CRC-32C of the rest; entries: bytes key, bytes stored value
//! filter                        lines of 64 bytes, the last four a CRC-32C: which keys are surely not here
//! pages                         u32 CRC-32C of the rest; fences, one for a block: bytes first key,
//!                               u64 offset, u32 length
//! foot                          bytes last key, u64 offset of the filter, u32 lines of it, u32 blocks,
//!                               u32 CRC-32C of filter and pages, u32 pages, for each a fence
//! end                           u32 length of the foot, u32 CRC-32C of the foot, "run2"
//! ```
//!
//! In memory is the foot, a few bytes for a megabyte of the file: what a node stores does not show in its
//! memory.

mod fence;
mod filter;
mod reading;

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::ReadError;
use sync_core::codec::{DecodeError, Reader, Writer};

use fence::{Fence, PAGE_FENCES, Page, at_or_before, before, page_of, read_page};
use filter::{Hash, LINE_BYTES, filter_of, may_hold};

pub(crate) use reading::{Cursor, RunRange};

/// Bytes after which a block ends: one read of a few pages for a key.
const BLOCK_BYTES: usize = 8 * 1024;
/// Bytes read at once when a run is opened.
const READ_BYTES: usize = 64 * 1024;
const END_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
const MAGIC: &[u8; 4] = b"run2";

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
    hashes: Vec<Hash>,
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
        self.hashes.push(Hash::of(key));
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
        let filter_at = self.offset;
        let filter = filter_of(&self.hashes);
        self.file.write_all(&filter)?;
        let mut offset = filter_at + filter.len() as u64;
        let mut checksum = crc32c::crc32c(&filter);
        let mut pages = Vec::new();
        for fences in self.fences.chunks(PAGE_FENCES) {
            let page = page_of(fences);
            self.file.write_all(&page)?;
            checksum = crc32c::crc32c_append(checksum, &page);
            let length = page.len() as u32;
            pages.extend(fences.first().map(|fence| Fence {
                first: fence.first.clone(),
                offset,
                length,
            }));
            offset += u64::from(length);
        }
        let foot = Foot {
            last: self.last,
            filter_at,
            lines: (filter.len() / LINE_BYTES) as u32,
            blocks: self.fences.len() as u32,
            before: checksum,
            pages,
        };
        let bytes = foot.bytes();
        let checksum = crc32c::crc32c(&bytes);
        self.file.write_all(&bytes)?;
        self.file.write_all(&(bytes.len() as u32).to_be_bytes())?;
        self.file.write_all(&checksum.to_be_bytes())?;
        self.file.write_all(MAGIC)?;
        self.file.flush()?;
        Ok(Run(Arc::new(Contents {
            file: File::open(&self.path)?,
            path: self.path,
            length: offset + bytes.len() as u64 + END_BYTES as u64,
            checksum,
            foot,
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
    foot: Foot,
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
        if crc32c::crc32c(&foot) != checksum {
            return Err(damaged(DecodeError::Undefined("checksum")));
        }
        let foot = Foot::read(&foot).map_err(damaged)?;
        if checksum_between(&file, foot.filter_at, foot_at)? != foot.before {
            return Err(damaged(DecodeError::Undefined("checksum")));
        }
        Ok(Self(Arc::new(Contents {
            file,
            path: path.to_owned(),
            length,
            checksum,
            foot,
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
        if key > self.0.foot.last.as_slice() || !self.may_hold(key)? {
            return Ok(None);
        }
        let mut page = None;
        let Some(block) = self.found_in(&mut page, |fences| at_or_before(fences, key))? else {
            return Ok(None);
        };
        let bytes = self.read(&mut page, block)?;
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
        RunRange::new(self.clone(), from, to)
    }

    /// A cursor at the first entry; none if there is no entry.
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, ReadError> {
        let mut cursor = Cursor::before(self.clone());
        Ok(cursor.advance()?.then_some(cursor))
    }

    /// The last entry with `from <= key < to`.
    pub(crate) fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Stored>, ReadError> {
        if self.0.foot.last.as_slice() < from {
            return Ok(None);
        }
        let mut page = None;
        // The block before the first that begins at `to` or behind it.
        let Some(block) = self.found_in(&mut page, |fences| before(fences, to))? else {
            return Ok(None);
        };
        let bytes = self.read(&mut page, block)?;
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

    /// False if a key is surely not here.
    fn may_hold(&self, key: &[u8]) -> Result<bool, ReadError> {
        let foot = &self.0.foot;
        if foot.lines == 0 {
            return Ok(false);
        }
        let hash = Hash::of(key);
        let mut line = [0; LINE_BYTES];
        let at = hash.line(foot.lines as usize) * LINE_BYTES;
        self.read_at(&mut line, foot.filter_at + at as u64)?;
        may_hold(&line, hash)
            .ok_or_else(|| self.failure("a line of the filter does not have its checksum"))
    }

    /// The block that `find` says, first among the pages, then in the page.
    fn found_in(
        &self,
        page: &mut Page,
        find: impl Fn(&[Fence]) -> Option<usize>,
    ) -> Result<Option<usize>, ReadError> {
        let Some(number) = find(&self.0.foot.pages) else {
            return Ok(None);
        };
        let found = find(self.page(page, number)?);
        Ok(found.map(|at| number * PAGE_FENCES + at))
    }

    /// The fences of a page; `page` holds the one that was read last.
    fn page<'a>(&self, page: &'a mut Page, number: usize) -> Result<&'a [Fence], ReadError> {
        let is_here = page.as_ref().is_some_and(|(here, _)| *here == number);
        if !is_here {
            let fence = self.0.foot.pages.get(number);
            let fence = fence.ok_or_else(|| self.failure("no such page"))?;
            let mut bytes = vec![0; fence.length as usize];
            self.read_at(&mut bytes, fence.offset)?;
            let fences = read_page(&bytes)
                .ok_or_else(|| self.failure("a page of fences does not have its checksum"))?;
            *page = Some((number, fences));
        }
        Ok(page.as_ref().map_or(&[], |(_, fences)| fences))
    }

    fn fence<'a>(&self, page: &'a mut Page, block: usize) -> Result<&'a Fence, ReadError> {
        let fences = self.page(page, block / PAGE_FENCES)?;
        let fence = fences.get(block % PAGE_FENCES);
        fence.ok_or_else(|| self.failure("no such block"))
    }

    fn blocks(&self) -> usize {
        self.0.foot.blocks as usize
    }

    fn read_at(&self, to: &mut [u8], offset: u64) -> Result<(), ReadError> {
        let read = self.0.file.read_exact_at(to, offset);
        read.map_err(|error| self.failure(&error.to_string()))
    }

    fn read(&self, page: &mut Page, block: usize) -> Result<Vec<u8>, ReadError> {
        let fence = self.fence(page, block)?;
        let mut bytes = vec![0; fence.length as usize];
        self.read_at(&mut bytes, fence.offset)?;
        let whole = bytes
            .split_first_chunk()
            .is_some_and(|(checksum, rest)| u32::from_be_bytes(*checksum) == crc32c::crc32c(rest));
        if !whole {
            return Err(self.failure("a block does not have its checksum"));
        }
        Ok(bytes)
    }

    fn entries_of(&self, page: &mut Page, block: usize) -> Result<Vec<Stored>, ReadError> {
        let bytes = self.read(page, block)?;
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

/// What of a run is in memory.
#[derive(Debug)]
struct Foot {
    last: Vec<u8>,
    filter_at: u64,
    lines: u32,
    blocks: u32,
    /// The checksum of filter and pages.
    before: u32,
    pages: Vec<Fence>,
}

impl Foot {
    fn bytes(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.bytes(&self.last).u64_be(self.filter_at);
        let count = self.pages.len() as u32;
        for number in [self.lines, self.blocks, self.before, count] {
            to.raw(&number.to_be_bytes());
        }
        for page in &self.pages {
            page.write(&mut to);
        }
        to.into_bytes()
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let last = reader.bytes(bytes.len(), "last key")?.to_vec();
        let filter_at = reader.u64_be("filter")?;
        let mut number = |what| Ok(u32::from_be_bytes(reader.array(what)?));
        let (lines, blocks) = (number("lines")?, number("blocks")?);
        let (before, count) = (number("checksum")?, number("pages")?);
        let pages = (0..count).map(|_| Fence::read(&mut reader));
        let foot = Self {
            last,
            filter_at,
            lines,
            blocks,
            before,
            pages: pages.collect::<Result<_, _>>()?,
        };
        reader.end("foot")?;
        Ok(foot)
    }
}

/// The checksum of a stretch of a file, read in small pieces.
fn checksum_between(file: &File, from: u64, to: u64) -> io::Result<u32> {
    let (mut at, mut checksum) = (from, 0);
    let mut bytes = vec![0; READ_BYTES];
    while at < to {
        let length = usize::try_from(to - at)
            .unwrap_or(usize::MAX)
            .min(READ_BYTES);
        let piece = bytes.get_mut(..length).unwrap_or_default();
        file.read_exact_at(piece, at)?;
        checksum = crc32c::crc32c_append(checksum, piece);
        at += length as u64;
    }
    Ok(checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Stored> {
        let key = |n: u32| [&[3], (n * 3).to_be_bytes().as_slice()].concat();
        // More blocks than a page has fences.
        (0..60_000)
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
        for (at, (key, value)) in all.iter().enumerate().step_by(7) {
            assert_eq!(run.get(key).unwrap().as_ref(), Some(value));
            let beside = [key.as_slice(), &[0]].concat();
            assert_eq!(run.get(&beside).unwrap(), None);
            let last = run.last(b"", &beside).unwrap();
            assert_eq!(last.as_ref(), Some(&all[at]));
            assert_eq!(run.last(b"", key).unwrap().as_ref(), all[..at].last());
            assert_eq!(run.last(key, key).unwrap(), None);
            if at % 997 == 0 {
                let page: Result<Vec<_>, _> = run.range(key, Some(&[4])).take(5).collect();
                assert_eq!(page.unwrap()[..], all[at..all.len().min(at + 5)]);
            }
        }
        let sure = (0..10_000u32).filter(|n| !run.may_hold(&n.to_be_bytes()).unwrap());
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
            .step_by(40_487)
            .chain(whole.len() - 60..whole.len())
        {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            let read =
                Run::open(&path).map(|run| run.range(b"", None).collect::<Result<Vec<_>, _>>());
            assert!(!matches!(read, Ok(Ok(_))), "byte {at}");
        }
        for length in (0..whole.len()).step_by(101_999) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Run::open(&path).is_err(), "cut at {length}");
        }
    }
}
