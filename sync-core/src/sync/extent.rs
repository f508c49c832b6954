//! How far back a device reaches: older years stay away until a person asks for them.
//!
//! A report belongs to the year that its period ends in. A device that leaves out older years holds
//! everything from one year on, and of the years before it some documents ([`Extent`]): those that were due
//! or returned, those that one part is about together with a report of a later year, those that somebody has
//! written in since, and those that its person had begun. **What it has of a document is always the whole
//! document.** So what it leaves out follows from the extent: the parts that are about documents of older years
//! alone, none of which it has, nor any that another part ties them to. A node that is told the extent finds
//! them in one reading of the feed (`census`), keeps nothing, and needs no positions for it: another
//! node, or this one under a new id, comes to the same rule.
//!
//! A position says as ever that everything up to it is here, but for that. Fingerprints are compared as ever
//! too: to what a device holds it adds the fingerprint of what it leaves out, which the node told it for this
//! extent ([`LeftOut`]). Nothing but an answer of a node changes the extent, and each such answer brings that
//! fingerprint, so a repair begins when something is missing or wrong and never because of what was left out.
//!
//! | what happens | what a device does |
//! |---|---|
//! | its first contact | says how many years back it wants; the node sends these, then says what is left out and from which year on everything is there ([`Settled`]) |
//! | an answer brings a part about a report that was left out | takes nothing of the answer, asks for what came before of that report, then for the answer once more |
//! | a person asks for older years | asks for them, in pieces; each moves a mark, so a cut costs one of them |
//! | the last piece has come | the new extent counts |
//! | it meets another node, or one again that it left with another extent, or fingerprints differ | compares by symbols of what the node holds within the extent, and is told what is outside it |
//! | somebody writes in a report that is left out between two such meetings | nothing: it stays left out until the next time |
//! | a node has too much to tell what is left out of it | the extent is given up, everything is read |
//! | it was rolled back, or nothing can be compared | the same |
//! | a person opens or writes a report that was left out | refused, with the year from which on everything is here |
//! | a file brings a part about one | the part is not taken: the file is to be read again once the years are here |
//!
//! A report that was begun here before the first contact and has a past at the node merges with it: what
//! the person wrote goes up like any work, and the past is asked for when the first contact ends. Two who begin
//! the same report begin the same document.

use std::collections::BTreeSet;

use crate::codec::{DecodeError, Reader, Writer};
use crate::document::Subject;
use crate::identity::{DocumentId, labelled_hash};
use crate::limits;
use crate::log::Fingerprint;
use crate::period::Period;

/// The year that decides whether a document is left out; none for one that never is.
pub fn year_of(subject: &Subject) -> Option<u16> {
    let period = subject.period.parse::<Period>().ok()?;
    Some(period.last_day().year())
}

/// What of a feed a device has: everything from a year on, and some older documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Documents of this year and later ones are all here. 0: all are.
    pub since: u16,
    /// Documents of the years before it that are here.
    pub also: BTreeSet<DocumentId>,
}

impl Extent {
    /// True for a document whose absence says nothing.
    pub fn leaves_out(&self, subject: &Subject) -> bool {
        year_of(subject).is_some_and(|year| year < self.since)
            && !self.also.contains(&subject.document_id())
    }

    /// Names it.
    pub(super) fn digest(&self) -> [u8; 8] {
        let mut to = Writer::new();
        self.write(&mut to);
        let [a, b, c, d, e, f, g, h, ..] = labelled_hash("extent", &[to.as_slice()]);
        [a, b, c, d, e, f, g, h]
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.var(self.since.into());
        write_documents(to, &self.also);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            since: read_year(from)?,
            also: read_documents(from)?,
        })
    }
}

fn read_year(from: &mut Reader<'_>) -> Result<u16, DecodeError> {
    let year = from.count(usize::from(u16::MAX), "year")?;
    u16::try_from(year).map_err(|_| DecodeError::Undefined("year"))
}

fn write_documents(to: &mut Writer, documents: &BTreeSet<DocumentId>) {
    to.var(documents.len() as u64);
    for document in documents {
        to.raw(&document.0);
    }
}

fn read_documents(from: &mut Reader<'_>) -> Result<BTreeSet<DocumentId>, DecodeError> {
    let count = from.count(limits::OLDER_DOCUMENTS_MAX, "documents of older years")?;
    let documents = (0..count)
        .map(|_| Ok(DocumentId(from.array("document")?)))
        .collect::<Result<Vec<_>, DecodeError>>()?;
    match documents.is_sorted_by(|a, b| a < b) {
        true => Ok(documents.into_iter().collect()),
        false => Err(DecodeError::Undefined("order of documents")),
    }
}

/// What is left out of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearLeftOut {
    /// The year.
    pub year: u16,
    /// How many documents.
    pub documents: u64,
    /// Bytes of their parts, as they would travel unpacked.
    pub bytes: u64,
}

/// What a device leaves out of a node's feed, as the node said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Of the parts.
    pub fingerprint: Fingerprint,
    /// The years, ascending; where they are too many the first stands for all before it too.
    pub years: Vec<YearLeftOut>,
}

impl LeftOut {
    pub(super) fn write(&self, to: &mut Writer) {
        self.fingerprint.write(to);
        to.var(self.years.len() as u64);
        for year in &self.years {
            to.var(year.year.into()).var(year.documents).var(year.bytes);
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let fingerprint = Fingerprint::read(from)?;
        let count = from.count(limits::YEARS_LEFT_OUT_MAX, "years")?;
        let years = (0..count)
            .map(|_| {
                Ok(YearLeftOut {
                    year: read_year(from)?,
                    documents: from.var("documents")?,
                    bytes: from.var("bytes")?,
                })
            })
            .collect::<Result<Vec<_>, DecodeError>>()?;
        match years.is_sorted_by(|a, b| a.year < b.year) {
            true => Ok(Self { fingerprint, years }),
            false => Err(DecodeError::Undefined("order of years")),
        }
    }
}

/// What a device asks for of what it left out: what another extent holds and its own does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Older {
    /// What it has.
    pub extent: Extent,
    /// What it is to have; holds everything of the other. The same: it only asks what is left out.
    pub wanted: Extent,
    /// The position up to which it has what it asks for.
    pub after: u64,
}

impl Older {
    /// Names what is asked for.
    pub(super) fn tag(&self) -> [u8; 8] {
        let both = [self.extent.digest(), self.wanted.digest()].concat();
        let [a, b, c, d, e, f, g, h, ..] = labelled_hash("older", &[&both]);
        [a, b, c, d, e, f, g, h]
    }

    pub(super) fn write(&self, to: &mut Writer) {
        self.extent.write(to);
        to.var(self.wanted.since.into());
        let more = self.wanted.also.difference(&self.extent.also);
        write_documents(to, &more.copied().collect());
        to.var(self.after);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let extent = Extent::read(from)?;
        let since = read_year(from)?;
        let also = read_documents(from)?;
        if since > extent.since || also.intersection(&extent.also).next().is_some() {
            return Err(DecodeError::Undefined("years asked for"));
        }
        let also = also.union(&extent.also).copied().collect();
        Ok(Self {
            extent,
            wanted: Extent { since, also },
            after: from.var("position")?,
        })
    }
}

/// What a node tells of what a device left out. The entries are of that, in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldOlder {
    /// Names what was asked for.
    pub tag: [u8; 8],
    /// The position the entries come after.
    pub after: u64,
    /// The position up to which the device then has what it asked for.
    pub through: u64,
    /// There is more of it.
    pub more: bool,
    /// What stays left out once all of it is there; none if the node has too much to tell.
    pub left: Option<LeftOut>,
}

impl ToldOlder {
    pub(super) fn write(&self, to: &mut Writer) {
        to.raw(&self.tag).var(self.after).var(self.through);
        to.u8(self.more.into());
        match &self.left {
            None => {
                to.u8(0);
            }
            Some(left) => left.write(to.u8(1)),
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tag = from.array("years asked for")?;
        let (after, through) = (from.var("position")?, from.var("position")?);
        let flag = |from: &mut Reader<'_>, what| match from.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Undefined(what)),
        };
        let more = flag(from, "more of older years")?;
        let left = match flag(from, "left out")? {
            true => Some(LeftOut::read(from)?),
            false => None,
        };
        Ok(Self {
            tag,
            after,
            through,
            more,
            left,
        })
    }
}

/// What a node says at the end of a first contact that left something out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Everything from this year on is there.
    pub since: u16,
    /// What is left out.
    pub left: LeftOut,
}

impl Settled {
    pub(super) fn write(&self, to: &mut Writer) {
        self.left.write(to.var(self.since.into()));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            since: read_year(from)?,
            left: LeftOut::read(from)?,
        })
    }
}
