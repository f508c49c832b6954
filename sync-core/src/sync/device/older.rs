//! Older years at a device: what it leaves out, asking for it, and what must not slip in meanwhile
//! ([`extent`](crate::sync::extent) says how it goes).
//!
//! Durable are what the person wants of a first contact, the extent, and what is being asked for with the
//! mark up to which it came; how much is left out of a node's feed stands with the node.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::receive::Received;
use super::repair::Mode;
use super::{Device, DeviceError, Peer};
use crate::batch::{Entry, SignedPart};
use crate::codec::{DecodeError, Reader, Writer};
use crate::document::Subject;
use crate::identity::DocumentId;
use crate::limits;
use crate::log::staging::PartPlace;
use crate::log::{Fingerprint, Keyspace, KeyspaceError, MemoryKeyspace, Write};
use crate::sync::extent::{Extent, LeftOut, Older, Settled, ToldOlder, YearLeftOut, year_of};
use crate::sync::message::Response;
use crate::sync::packed::leave_entries;
use crate::sync::repair::Told;

const TAG: u8 = 0x2b;

/// What is kept about older years.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// How many years back the first contact is to reach; none: nobody said, which is all.
    wish: Option<Wish>,
    /// What is here; none: everything.
    pub(super) extent: Option<Extent>,
    /// What is being asked for beyond it.
    aim: Option<Aim>,
}

/// What somebody said about a first contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    All,
    YearsBack(u8),
}

/// What is being asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Aim {
    wanted: Extent,
    after: u64,
}

/// What a node said is left out of its feed, and of which extent it said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftThere {
    extent: [u8; 8],
    left: LeftOut,
}

impl LeftThere {
    pub(super) fn of(extent: &Extent, left: LeftOut) -> Self {
        let extent = extent.digest();
        Self { extent, left }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        self.left.write(to.raw(&self.extent));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            extent: from.array("extent")?,
            left: LeftOut::read(from)?,
        })
    }
}

/// How a device stands with older years, for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct YearsStanding {
    /// Everything from this year on is here; none: everything is, or nothing was sent yet.
    pub since: Option<u16>,
    /// What is left out of each year before, as the node last said.
    pub left: Vec<YearLeftOut>,
    /// Some of it is asked for and has not all come.
    pub under_way: bool,
}

impl Reach {
    pub(super) fn read(keyspace: &MemoryKeyspace) -> Result<Self, KeyspaceError> {
        match keyspace.get(&[TAG])? {
            None => Ok(Self::default()),
            Some(bytes) => Self::decode(&bytes).map_err(|_| KeyspaceError::Damaged("years")),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let wish = match from.u8("years back")? {
            0 => None,
            1 => Some(Wish::YearsBack(from.u8("years back")?)),
            2 => Some(Wish::All),
            _ => return Err(DecodeError::Undefined("years back")),
        };
        let kind = from.u8("extent")?;
        let extent = match kind {
            0 => None,
            1 | 2 => Some(Extent::read(&mut from)?),
            _ => return Err(DecodeError::Undefined("extent")),
        };
        let aim = match kind {
            2 => Some(Aim {
                wanted: Extent::read(&mut from)?,
                after: from.var("position")?,
            }),
            _ => None,
        };
        from.end("years")?;
        Ok(Self { wish, extent, aim })
    }

    fn write(&self) -> Write {
        let mut to = Writer::new();
        match self.wish {
            None => to.u8(0),
            Some(Wish::YearsBack(years)) => to.u8(1).u8(years),
            Some(Wish::All) => to.u8(2),
        };
        match (&self.extent, &self.aim) {
            (None, _) => {
                to.u8(0);
            }
            (Some(extent), None) => extent.write(to.u8(1)),
            (Some(extent), Some(aim)) => {
                extent.write(to.u8(2));
                aim.wanted.write(&mut to);
                to.var(aim.after);
            }
        }
        Write {
            key: vec![TAG],
            value: (*self != Self::default()).then(|| to.into_bytes()),
        }
    }
}

/// Documents of some parts, with what they are about as far as the parts or the log say it.
type Touched = BTreeMap<DocumentId, Option<Subject>>;

impl Device {
    /// How many years back beside this one the first contact is to reach; none: all. Nothing once that is
    /// over.
    pub fn set_years_back(&mut self, years: Option<u8>) -> Vec<Write> {
        let mut writes = Vec::new();
        if self.is_before_its_first_contact_ends() {
            let wish = Some(years.map_or(Wish::All, Wish::YearsBack));
            let reach = self.reach.clone();
            self.set_reach(Reach { wish, ..reach }, &mut writes);
        }
        writes
    }

    fn is_before_its_first_contact_ends(&self) -> bool {
        match self.peer.as_ref().map(|peer| peer.mode) {
            None | Some(Mode::Arriving) => self.reach.extent.is_none(),
            Some(Mode::Following | Mode::Reading | Mode::Repairing(_)) => false,
        }
    }

    /// True before a node was met and before anybody said how many years back that is to reach.
    pub fn may_leave_years_out(&self) -> Result<bool, DeviceError> {
        let is_new = self.peer.is_none() && self.reach == Reach::default();
        Ok(is_new && !self.holds_shared_parts()?)
    }

    /// Asks for everything from a year on, 0 for all; exchanges bring it. Nothing where it is here.
    pub fn ask_for_years(&mut self, since: u16) -> Vec<Write> {
        let mut writes = Vec::new();
        if let Some(extent) = self.reach.extent.clone() {
            let aim = self.reach.aim.as_ref().map(|aim| &aim.wanted);
            let mut wanted = aim.unwrap_or(&extent).clone();
            if since < wanted.since {
                wanted.since = since;
                self.aim_at(wanted, &mut writes);
            }
        }
        writes
    }

    /// How it stands with older years.
    pub fn years(&self) -> YearsStanding {
        let Some(extent) = &self.reach.extent else {
            return YearsStanding::default();
        };
        let left = self.peer.as_ref().and_then(|peer| peer.left.as_ref());
        let aim = self.reach.aim.as_ref();
        YearsStanding {
            since: Some(extent.since),
            left: left.map_or(Vec::new(), |there| there.left.years.clone()),
            under_way: aim.is_some_and(|aim| aim.wanted.since < extent.since),
        }
    }

    /// The year from which on everything is here, if this document is older and not here.
    pub fn left_out(&self, subject: &Subject) -> Option<u16> {
        let extent = self.reach.extent.as_ref();
        let extent = extent.filter(|extent| extent.leaves_out(subject));
        extent.map(|extent| extent.since)
    }

    pub(super) fn set_reach(&mut self, reach: Reach, to: &mut Vec<Write>) {
        if self.reach != reach {
            let write = reach.write();
            self.reach = reach;
            self.take(vec![write], to);
        }
    }

    fn aim_at(&mut self, mut wanted: Extent, to: &mut Vec<Write>) {
        if wanted.also.len() > limits::OLDER_DOCUMENTS_MAX {
            let extent = self.reach.extent.as_ref();
            wanted.also = extent.map_or_else(BTreeSet::new, |extent| extent.also.clone());
            wanted.since = 0;
        }
        let reach = Reach {
            aim: Some(Aim { wanted, after: 0 }),
            ..self.reach.clone()
        };
        self.set_reach(reach, to);
    }

    /// Another node's positions are not those of the mark.
    pub(super) fn aim_anew(&mut self, to: &mut Vec<Write>) {
        let aim = self.reach.aim.clone();
        let aim = aim.map(|aim| Aim { after: 0, ..aim });
        let reach = self.reach.clone();
        self.set_reach(Reach { aim, ..reach }, to);
    }

    /// Leaves nothing out any more; everything is about to be read.
    pub(super) fn give_up_extent(&mut self, to: &mut Vec<Write>) {
        self.set_reach(Reach::default(), to);
    }

    /// How many years back the next answer of a first contact is to reach.
    pub(super) fn years_wanted(&self) -> Option<u8> {
        match self.reach.wish {
            Some(Wish::YearsBack(years)) => Some(years),
            Some(Wish::All) | None => None,
        }
    }

    /// The fingerprint of what is left out of a node's feed; none while the node has not said it of the
    /// extent as it is.
    pub(super) fn left_of(&self, peer: &Peer) -> Option<Fingerprint> {
        let Some(extent) = &self.reach.extent else {
            return Some(Fingerprint::default());
        };
        let there = peer.left.as_ref();
        let there = there.filter(|there| there.extent == extent.digest());
        there.map(|there| there.left.fingerprint)
    }

    /// True for a node whose positions were counted within another extent than is here now: years that came
    /// from elsewhere meanwhile may have had more to them there.
    pub(super) fn counts_otherwise(&self, peer: &Peer) -> bool {
        let now = self.reach.extent.as_ref().map(Extent::digest);
        let then = peer.left.as_ref().map(|there| there.extent);
        match peer.mode {
            Mode::Following | Mode::Reading => now != then,
            Mode::Arriving | Mode::Repairing(_) => false,
        }
    }

    /// What to ask for of older years, or about them.
    pub(super) fn older_asked(&self) -> Option<Older> {
        let (peer, extent) = (self.peer.as_ref()?, self.reach.extent.as_ref()?);
        match peer.mode {
            Mode::Following | Mode::Reading => {}
            Mode::Arriving | Mode::Repairing(_) => return None,
        }
        match &self.reach.aim {
            Some(aim) => Some(Older {
                extent: extent.clone(),
                wanted: aim.wanted.clone(),
                after: aim.after,
            }),
            None if self.left_of(peer).is_none() => Some(Older {
                extent: extent.clone(),
                wanted: extent.clone(),
                after: 0,
            }),
            None => None,
        }
    }

    /// True if a node tells what was asked for.
    pub(super) fn is_asked(&self, told: &ToldOlder) -> bool {
        let asked = self.older_asked();
        asked.is_some_and(|asked| asked.tag() == told.tag && asked.after == told.after)
    }

    /// The answer without its entries if some are about documents that are left out: what came before of
    /// these is asked for, and then the answer once more.
    pub(super) fn without_older<'a>(
        &mut self,
        response: Cow<'a, Response>,
        received: &mut Received,
    ) -> Result<Cow<'a, Response>, DeviceError> {
        let mode = self.peer.as_ref().map(|peer| peer.mode);
        let (Some(extent), Some(Mode::Following | Mode::Reading)) =
            (self.reach.extent.clone(), mode)
        else {
            return Ok(response);
        };
        if let Some(Told::Older(_) | Told::Parts { .. }) = response.repair {
            return Ok(response);
        }
        let parts = response.entries.iter().map(|(_, part)| part);
        let touched = self.touches_left_out(parts)?;
        if touched.is_empty() {
            return Ok(response);
        }
        let aim = self.reach.aim.as_ref().map(|aim| &aim.wanted);
        let mut wanted = aim.unwrap_or(&extent).clone();
        wanted.also.extend(touched);
        self.aim_at(wanted, &mut received.writes);
        let mut without = response.into_owned();
        leave_entries(&mut without);
        Ok(Cow::Owned(without))
    }

    /// The documents of parts not held here that are left out, or may be.
    pub(super) fn touches_left_out<'a>(
        &self,
        parts: impl Iterator<Item = &'a SignedPart>,
    ) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let Some(extent) = &self.reach.extent else {
            return Ok(BTreeSet::new());
        };
        let mut touched = Touched::new();
        for part in parts {
            if self.log().part(part.id())?.is_some() {
                continue;
            }
            for entry in &part.part().entries {
                let about = touched.entry(entry.document()).or_default();
                if let Entry::Subject { subject, .. } = entry {
                    *about = Subject::decode(subject).ok().or_else(|| about.take());
                }
            }
        }
        let mut left_out = BTreeSet::new();
        for (document, said) in touched {
            let subject = match self.log().subject(document)? {
                Some(subject) => Some(subject),
                None => said,
            };
            // What nothing here says anything about came before, and was left out.
            let is_left_out = match subject {
                Some(subject) => extent.leaves_out(&subject),
                None => !extent.also.contains(&document),
            };
            if is_left_out {
                left_out.insert(document);
            }
        }
        Ok(left_out)
    }

    /// A first contact ends and leaves something out.
    pub(super) fn settle(
        &mut self,
        told: &Settled,
        peer: &mut Peer,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        let before = self.reach.extent.as_ref().map_or(0, |extent| extent.since);
        let since = told.since.max(before);
        let (mut whole, begun) = self.older_here(since)?;
        // Too many to be told apart: all the others are asked for as well.
        let too_many = whole.len() > limits::OLDER_DOCUMENTS_MAX;
        if too_many {
            whole.clear();
        }
        let extent = Extent { since, also: whole };
        // Which older documents it had sent, the node saw by itself: there it is asked once more.
        let knows = extent.also.is_empty();
        peer.left = knows.then(|| LeftThere::of(&extent, told.left.clone()));
        let mut wanted = extent.clone();
        wanted.also.extend(begun);
        if too_many {
            wanted.since = 0;
        }
        let is_more = wanted != extent;
        let reach = Reach {
            wish: None,
            extent: Some(extent),
            aim: None,
        };
        self.set_reach(reach, to);
        if is_more {
            self.aim_at(wanted, to);
        }
        Ok(())
    }

    /// The first contact is over and left nothing out.
    pub(super) fn wish_came_true(&mut self, to: &mut Vec<Write>) {
        let wish = None;
        let reach = self.reach.clone();
        self.set_reach(Reach { wish, ..reach }, to);
    }

    /// Older documents that are here whole, and those of which only what waits is here.
    fn older_here(
        &self,
        since: u16,
    ) -> Result<(BTreeSet<DocumentId>, BTreeSet<DocumentId>), DeviceError> {
        let is_older = |subject: &Subject| year_of(subject).is_some_and(|year| year < since);
        let mut waits = BTreeSet::new();
        for part in self.outbox.keys() {
            if let Some(PartPlace::Accepted(position)) = self.log().part(*part)? {
                waits.insert(position);
            }
        }
        let (mut whole, mut begun) = (BTreeSet::new(), BTreeSet::new());
        for document in self.log().documents(None, usize::MAX)? {
            if !self
                .log()
                .subject(document)?
                .is_some_and(|subject| is_older(&subject))
            {
                continue;
            }
            let index = self.log().document(document)?;
            let index = index.ok_or(KeyspaceError::Damaged("document"))?;
            let mut changes = index.changes().iter();
            match changes.all(|change| waits.contains(&change.position)) {
                true => begun.insert(document),
                false => whole.insert(document),
            };
        }
        let drafts = self.drafts.iter();
        let drafts = drafts.filter(|(_, draft)| is_older(&draft.subject));
        begun.extend(drafts.map(|(document, _)| *document));
        begun.retain(|document| !whole.contains(document));
        Ok((whole, begun))
    }

    /// A piece of older years was taken, or it was told what is left out.
    pub(super) fn older_came(
        &mut self,
        told: &ToldOlder,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        let (Some(asked), Some(mut peer)) = (self.older_asked(), self.peer.clone()) else {
            return Ok(());
        };
        let Some(left) = &told.left else {
            // More than a node can tell apart.
            self.read_everything(peer, &mut received.writes);
            return Ok(());
        };
        if told.more {
            let aim = Some(Aim {
                wanted: asked.wanted,
                after: told.through,
            });
            let reach = self.reach.clone();
            self.set_reach(Reach { aim, ..reach }, &mut received.writes);
            return Ok(());
        }
        self.reached(asked.wanted, left.clone(), &mut peer, &mut received.writes)?;
        self.set_peer(peer, &mut received.writes);
        Ok(())
    }

    /// Everything within an extent is here, and a node said what is not.
    pub(super) fn reached(
        &mut self,
        mut extent: Extent,
        left: LeftOut,
        peer: &mut Peer,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        if extent.since == 0 || (left.years.is_empty() && !self.remembers_nodes()) {
            // Nothing is: whatever comes from now on is nothing that was left out.
            peer.left = None;
            self.give_up_extent(to);
            return Ok(());
        }
        // Those that another part tied to what was asked for came along.
        let (whole, _) = self.older_here(extent.since)?;
        extent.also.extend(whole);
        let mut subjects = BTreeMap::new();
        for document in &extent.also {
            subjects.insert(*document, self.log().subject(*document)?);
        }
        extent.also.retain(|document| {
            let subject = subjects.get(document).and_then(Option::as_ref);
            let year = subject.and_then(year_of);
            year.is_none_or(|year| year < extent.since)
        });
        if extent.also.len() > limits::OLDER_DOCUMENTS_MAX {
            self.aim_at(extent, to);
            return Ok(());
        }
        peer.left = Some(LeftThere::of(&extent, left));
        let reach = Reach {
            wish: None,
            extent: Some(extent),
            aim: None,
        };
        self.set_reach(reach, to);
        Ok(())
    }

    /// What an extent holds was repaired, and the node said what is not in it.
    pub(super) fn repaired_within(
        &mut self,
        left: LeftOut,
        peer: &mut Peer,
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        match (self.reach.extent.clone(), &self.reach.aim) {
            (None, _) => Ok(()),
            // What of it came already is no document that is here whole.
            (Some(extent), Some(_)) => {
                peer.left = Some(LeftThere::of(&extent, left));
                Ok(())
            }
            (Some(extent), None) => self.reached(extent, left, peer, to),
        }
    }
}
