//! The files beside the journal and sled: the format file and the index's state file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The version of the folder's layout that this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// The journal's folder inside the store's.
pub const JOURNAL_FOLDER: &str = "journal";

/// The index's folder inside the store's.
pub const INDEX_FOLDER: &str = "index";

pub(crate) const SLED_FOLDER: &str = "sled";
pub(crate) const REDO_FILE: &str = "redo";
pub(crate) const TRUTH_RUN_FILE: &str = "truth";
pub(crate) const DERIVED_RUN_FILE: &str = "derived";
pub(crate) const GATHERING_FOLDER: &str = "gathering";
const STATE_FILE: &str = "state";
const FORMAT_FILE: &str = "format";
const FORMAT_WORDS: &str = "dongbo store ";
/// Changes with anything that makes an older index useless, sled's version included.
const STATE_WORDS: &str = "dongbo index 3";
/// What the state file says of an index that could not be read.
const DAMAGED: &str = "damaged";

/// What the format file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Absent,
    Version(u32),
    Unreadable,
}

/// Names the current boot; none if the system does not tell.
pub(crate) fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

pub(crate) fn read_format(folder: &Path) -> io::Result<Format> {
    let text = match fs::read(folder.join(FORMAT_FILE)) {
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Format::Absent),
        Err(error) => return Err(error),
    };
    // Later versions keep the first line.
    let first = text.lines().next().unwrap_or_default();
    let version = first
        .strip_prefix(FORMAT_WORDS)
        .and_then(|number| number.parse().ok());
    Ok(version.map_or(Format::Unreadable, Format::Version))
}

pub(crate) fn write_format(folder: &Path) -> io::Result<()> {
    write_durably(&folder.join(FORMAT_FILE), |_| {
        format!("{FORMAT_WORDS}{FORMAT_VERSION}\n")
    })
}

/// Why an index cannot be taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    Absent,
    Undefined,
    Journal,
    Copied,
    Boot,
    Damaged,
}

/// Reads the state file: whether the index may be trusted.
pub(crate) fn judge(folder: &Path, journal: [u8; 16], boot: Option<&str>) -> Result<(), Distrust> {
    let path = folder.join(INDEX_FOLDER).join(STATE_FILE);
    let text = fs::read_to_string(&path).map_err(|_| Distrust::Absent)?;
    let inode = fs::metadata(&path).map_err(|_| Distrust::Absent)?.ino();
    let lines: Vec<&str> = text.lines().collect();
    let [STATE_WORDS, of_journal, of_inode, stopped] = lines.as_slice() else {
        return Err(Distrust::Undefined);
    };
    if *of_journal != journal_line(journal) {
        return Err(Distrust::Journal);
    }
    match *stopped {
        "closed" => Ok(()),
        DAMAGED => Err(Distrust::Damaged),
        open if boot.is_none_or(|boot| open != open_line(boot)) => Err(Distrust::Boot),
        _ if *of_inode != inode_line(inode) => Err(Distrust::Copied),
        _ => Ok(()),
    }
}

/// Says, before sled is touched, that the index is open in this boot.
pub(crate) fn mark_open(folder: &Path, journal: [u8; 16], boot: Option<&str>) -> io::Result<()> {
    write_state(
        folder,
        journal,
        &boot.map_or_else(|| "open".to_owned(), open_line),
    )
}

/// Syncs the files of the index and says that it was closed.
pub(crate) fn mark_closed(folder: &Path, journal: [u8; 16]) -> io::Result<()> {
    sync_all(&folder.join(INDEX_FOLDER))?;
    write_state(folder, journal, "closed")
}

/// Says that the index must be built again; a failure leaves that to what the next opening finds.
pub(crate) fn distrust(folder: &Path) {
    if let Err(error) = fs::remove_file(folder.join(INDEX_FOLDER).join(STATE_FILE)) {
        tracing::warn!(%error, "the state of a failed index could not be removed");
    }
}

/// Says that the index could not be read, and must be built again.
pub(crate) fn mark_damaged(folder: &Path, journal: [u8; 16]) {
    if write_state(folder, journal, DAMAGED).is_err() {
        distrust(folder);
    }
}

fn journal_line(journal: [u8; 16]) -> String {
    let hex: String = journal.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("journal {hex}")
}

fn inode_line(inode: u64) -> String {
    format!("inode {inode}")
}

fn open_line(boot: &str) -> String {
    format!("open in boot {boot}")
}

fn write_state(folder: &Path, journal: [u8; 16], stopped: &str) -> io::Result<()> {
    let path = folder.join(INDEX_FOLDER).join(STATE_FILE);
    write_durably(&path, |inode| {
        format!(
            "{STATE_WORDS}\n{}\n{}\n{stopped}\n",
            journal_line(journal),
            inode_line(inode)
        )
    })
}

/// Replaces a file so that after a crash it is the old or the new one. The text may name the inode.
fn write_durably(path: &Path, text: impl FnOnce(u64) -> String) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    let inode = file.metadata()?.ino();
    file.write_all(text(inode).as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
