//! Repair between a device and a node: what rides along with a request and its answer while the two
//! find out what they differ in (`crate::repair`), and what a node does about it.
//!
//! A repair takes two exchanges. In the first the device asks for symbols of everything the node holds
//! of what it follows, up to a position; more of them follow if they do not do. In the second it asks
//! for the parts it lacks by their short ids, together with everything after that position, and offers
//! what the node lacks as it offers any work. A node keeps nothing between the two: all it needs is in
//! the request, and a log does not change before its end.
//!
//! What a device does at each step is the table in `device/repair.rs`.

use std::collections::BTreeSet;

use super::node::{NodeIdentity, Session};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::PartId;
use crate::limits;
use crate::log::{FeedPage, Keyspace, KeyspaceError, LogEntry, LogReader};
use crate::repair::{RepairKey, ShortId, Stretch, Symbol, next_symbols};
use crate::repair::{read_symbols, write_symbols};

use super::arrival::{self, Arrival};
use super::census::{self, Census};
use super::extent::{Extent, LeftOut, Older, Settled, ToldOlder};
use super::message::Request;
use super::proof::Proof;

/// The kind of what goes beside a message of a first contact.
const REST: u8 = 3;
/// Of older years.
const OLDER: u8 = 4;
/// Symbols within an extent.
const WITHIN: u8 = 5;
/// At the end of a first contact that left something out.
const SETTLED: u8 = 6;

/// What a device asks for with its request. The answer to symbols brings no entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Symbols of what the node holds.
    Symbols {
        /// The key of this repair.
        key: RepairKey,
        /// How many parts the device holds.
        size: u64,
        /// How many symbols it has.
        from: u64,
        /// The position that they are about; 0 with none.
        through: u64,
        /// Symbols of what is within this alone; none: of everything.
        extent: Option<Extent>,
    },
    /// Parts the device lacks, up to the position that its request names.
    Parts {
        /// The key of this repair.
        key: RepairKey,
        /// Their short ids, ascending.
        ids: Vec<ShortId>,
    },
    /// No repair: the rest of a first contact.
    Rest(Arrival),
    /// No repair: of older years what was left out.
    Older(Older),
}

/// What a node tells with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Symbols of what it holds.
    Symbols(Symbols),
    /// The entries begin with parts that were asked for by their short ids.
    Parts {
        /// Names the key.
        tag: [u8; 8],
    },
    /// No repair: the entries are of a first contact, and the device has so much after them.
    Rest(Arrival),
    /// No repair: the entries are of what was left out of older years.
    Older(ToldOlder),
    /// No repair: a first contact ends with these entries and leaves something out.
    Settled(Settled),
}

/// Symbols of what a node holds of what a device follows, up to a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// Names the key.
    pub tag: [u8; 8],
    /// The position.
    pub through: u64,
    /// How many parts they are of.
    pub size: u64,
    /// The place of the first one: 0 if the node has to begin anew.
    pub from: u64,
    /// The symbols; none if the sets are too unlike, or these would be too many.
    pub symbols: Vec<Symbol>,
    /// What is left out of them, if the device named an extent.
    pub left: Option<LeftOut>,
}

impl Ask {
    pub(super) fn write(&self, to: &mut Writer) {
        match self {
            Self::Symbols {
                key,
                size,
                from,
                through,
                extent,
            } => {
                match extent {
                    None => to.u8(1),
                    Some(extent) => {
                        extent.write(to.u8(WITHIN));
                        &mut *to
                    }
                }
                .raw(&key.0);
                to.var(*size).var(*from).var(*through);
            }
            Self::Parts { key, ids } => {
                to.u8(2).raw(&key.0).var(ids.len() as u64);
                for id in ids {
                    to.raw(&id.0.to_be_bytes());
                }
            }
            Self::Rest(arrival) => arrival.write(to.u8(REST)),
            Self::Older(older) => older.write(to.u8(OLDER)),
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = from.u8("repair")?;
        match kind {
            REST => return Ok(Self::Rest(Arrival::read(from)?)),
            OLDER => return Ok(Self::Older(Older::read(from)?)),
            _ => {}
        }
        let extent = match kind {
            WITHIN => Some(Extent::read(from)?),
            _ => None,
        };
        let key = RepairKey(from.array("key of a repair")?);
        match kind {
            1 | WITHIN => Ok(Self::Symbols {
                key,
                size: from.var("size of a set")?,
                from: from.var("count of symbols")?,
                through: from.var("position")?,
                extent,
            }),
            2 => {
                let count = from.count(limits::REPAIR_IDS_PER_REQUEST_MAX, "short ids")?;
                let ids = (0..count)
                    .map(|_| Ok(ShortId(from.u64_be("short id")?)))
                    .collect::<Result<Vec<_>, DecodeError>>()?;
                if !ids.is_sorted_by(|a, b| a < b) {
                    return Err(DecodeError::Undefined("order of short ids"));
                }
                Ok(Self::Parts { key, ids })
            }
            _ => Err(DecodeError::Undefined("repair")),
        }
    }
}

impl Told {
    pub(super) fn write(&self, to: &mut Writer) {
        match self {
            Self::Symbols(told) => {
                match &told.left {
                    None => to.u8(1),
                    Some(left) => {
                        left.write(to.u8(WITHIN));
                        &mut *to
                    }
                }
                .raw(&told.tag);
                to.var(told.through).var(told.size).var(told.from);
                let from = usize::try_from(told.from).unwrap_or(usize::MAX);
                write_symbols(to, &told.symbols, from, told.size);
            }
            Self::Parts { tag } => {
                to.u8(2).raw(tag);
            }
            Self::Rest(arrival) => arrival.write(to.u8(REST)),
            Self::Older(told) => told.write(to.u8(OLDER)),
            Self::Settled(told) => told.write(to.u8(SETTLED)),
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = from.u8("repair")?;
        match kind {
            REST => return Ok(Self::Rest(Arrival::read(from)?)),
            OLDER => return Ok(Self::Older(ToldOlder::read(from)?)),
            SETTLED => return Ok(Self::Settled(Settled::read(from)?)),
            _ => {}
        }
        let left = match kind {
            WITHIN => Some(LeftOut::read(from)?),
            _ => None,
        };
        let tag = from.array("key of a repair")?;
        match kind {
            1 | WITHIN => {
                let through = from.var("position")?;
                let size = from.var("size of a set")?;
                let begins = from.count(limits::REPAIR_SYMBOLS_MAX, "place of a symbol")?;
                let symbols = read_symbols(from, begins, size)?;
                Ok(Self::Symbols(Symbols {
                    tag,
                    through,
                    size,
                    from: begins as u64,
                    symbols,
                    left,
                }))
            }
            2 => Ok(Self::Parts { tag }),
            _ => Err(DecodeError::Undefined("repair")),
        }
    }
}

/// At a node: the symbols that a request asks for.
pub(super) fn tell_symbols(
    keyspace: &dyn Keyspace,
    identity: &NodeIdentity,
    session: &Session,
    request: &Request,
) -> Result<Option<Told>, KeyspaceError> {
    let Some(Ask::Symbols {
        key,
        size,
        from,
        through,
        extent,
    }) = &request.repair
    else {
        return Ok(None);
    };
    let (key, size, from, through) = (*key, *size, *from, *through);
    let reader = LogReader(keyspace);
    let end = reader.end()?;
    let goes_on = request.known.is_some_and(|known| {
        known.node == identity.node && known.follow == session.follow.digest()
    });
    let told = usize::try_from(from).unwrap_or(usize::MAX);
    let goes_on = goes_on && told <= limits::REPAIR_SYMBOLS_MAX && through <= end;
    // A log that is not the one of before is compared from the start.
    let (told, through) = match goes_on && told > 0 {
        true => (told, through),
        false => (0, end),
    };
    let (mut about, mut left) = (reader.fingerprint(&session.follow)?.count(), None);
    let mut outside = BTreeSet::new();
    let mut tells = true;
    if let Some(extent) = extent {
        match Census::read(reader, session, through)? {
            Some(census) => {
                outside = census.left_out(extent);
                about = about.saturating_sub(outside.len() as u64);
                left = Some(census.tell(&outside));
            }
            None => tells = false,
        }
    }
    let next = match tells && crate::repair::is_worth_comparing(size, about) {
        true => next_symbols(told, size, about),
        false => 0,
    };
    let mut stretch = Stretch::new(key, told, told.saturating_add(next));
    let mut members = 0;
    if next > 0 {
        reader.each_part(&session.follow, through, &mut |position, part| {
            if !outside.contains(&position) {
                members += 1;
                stretch.add(key.short(part));
            }
        })?;
    }
    Ok(Some(Told::Symbols(Symbols {
        tag: key.tag(),
        through,
        size: members,
        from: told as u64,
        symbols: stretch.into_symbols(),
        left,
    })))
}

/// Entries that a request asks for.
struct Asked {
    entries: Vec<(u64, LogEntry)>,
    bytes: usize,
    /// These are all that are here.
    all: bool,
}

/// At a node: entries by their short ids, which ascend, up to a position, about as many as fit.
fn entries_of(
    reader: LogReader<'_>,
    session: &Session,
    through: u64,
    (key, ids): (RepairKey, &[ShortId]),
    bytes_max: usize,
) -> Result<Asked, KeyspaceError> {
    let mut positions = Vec::with_capacity(ids.len());
    reader.each_part(&session.follow, through, &mut |position, part| {
        if ids.binary_search(&key.short(part)).is_ok() {
            positions.push(position);
        }
    })?;
    // What a part builds on has come before it.
    positions.sort_unstable();
    let mut asked = Asked {
        entries: Vec::new(),
        bytes: 0,
        all: true,
    };
    for position in positions {
        let entry = reader.entry(position)?;
        let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
        let length = entry.part.encode().len();
        if asked.bytes > 0 && asked.bytes + length > bytes_max {
            asked.all = false;
            break;
        }
        asked.bytes += length;
        asked.entries.push((position, entry));
    }
    Ok(asked)
}

/// At a node: the page that begins with the parts a request asks for, if it does, and goes on with the
/// feed after the position it names.
pub(super) fn page_of(
    reader: LogReader<'_>,
    session: &Session,
    (request, brought): (&Request, &[PartId]),
    known: Option<u64>,
    (bytes_max, now): (usize, i64),
) -> Result<(FeedPage, Option<Told>), KeyspaceError> {
    let own = known.map(|_| (request.actor, request.own_number));
    let from = known.unwrap_or(0);
    // What the request itself brought comes after the position, and is no news.
    let brought: BTreeSet<PartId> = brought.iter().copied().collect();
    let is_news = |part: PartId| !brought.contains(&part);
    let useful_first = Proof::of(request.bytes_max) == Proof::NodeUsefulFirst;
    let repairs = matches!(
        request.repair,
        Some(Ask::Symbols { .. } | Ask::Parts { .. } | Ask::Older(_))
    );
    if useful_first && !repairs {
        let asked = (request, &brought);
        let page = arrival::page(reader, session, asked, known, (bytes_max, now))?;
        if let Some(page) = page {
            return Ok(page);
        }
    }
    if let Some(Ask::Older(older)) = &request.repair {
        let Some(position) = known else {
            // It counts from another place; it will ask by the one that is told now.
            let page = FeedPage {
                entries: Vec::new(),
                position: from,
                more: true,
            };
            return Ok((page, None));
        };
        let (page, told) = census::page(reader, session, own, (older, position), bytes_max)?;
        return Ok((page, Some(told)));
    }
    let (Some(Ask::Parts { key, ids }), Some(_)) = (&request.repair, known) else {
        let mut page = reader.feed(&session.follow, from, own, bytes_max)?;
        page.entries.retain(|(_, entry)| is_news(entry.part.id()));
        return Ok((page, None));
    };
    let told = Some(Told::Parts { tag: key.tag() });
    let mut asked = entries_of(reader, session, from, (*key, ids), bytes_max)?;
    let mut page = FeedPage {
        entries: Vec::new(),
        position: from,
        more: true,
    };
    if asked.all && asked.bytes < bytes_max {
        page = reader.feed(&session.follow, from, own, bytes_max - asked.bytes)?;
    }
    page.entries.retain(|(_, entry)| is_news(entry.part.id()));
    asked.entries.append(&mut page.entries);
    page.entries = asked.entries;
    Ok((page, told))
}
