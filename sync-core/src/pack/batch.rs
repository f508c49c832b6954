//! Batches of an exchange: headers, parts, entries; what follows from chains and trees is not told.

use std::collections::BTreeMap;

use super::coder::Pipe;
use super::ground::{Ground, KnownDocument};
use super::group::{Rebuilt, group_of};
use super::model::{Bit, Number, Symbol};
use super::op::Ops;
use super::strings::{Strings, bytes, letters};
use super::text::Text;
use super::{Own, Signatures, Timed, Trouble};
use crate::batch::part::part_hash;
use crate::batch::{Compartment, Entry, Header, Part, Partition, SignedPart};
use crate::document::{Subject, SubjectKind};
use crate::identity::{
    ActorId, BatchId, ChangeHash, DocumentId, InstallationId, KeyId, ProvinceId, UnitId,
};
use crate::limits;

/// Bytes of an entry that names a change.
const ENTRY_BYTES: usize = 49;

/// Models of everything but the content of changes.
#[derive(Debug, Default)]
pub(super) struct Models {
    parts: Number,
    flags: BTreeMap<&'static str, Bit>,
    numbers: BTreeMap<&'static str, Number>,
    templates: Strings,
    periods: Strings,
    sections: Strings,
    kinds: BTreeMap<u8, Symbol>,
    length: Number,
    raw: Text,
}

/// The state of one packing, on either side.
pub(super) struct Exchange<'a, P> {
    pub(super) pipe: P,
    pub(super) ground: &'a Ground<'a>,
    pub(super) signatures: Signatures,
    pub(super) own: Option<Own>,
    pub(super) ops: Box<Ops>,
    pub(super) documents: BTreeMap<DocumentId, KnownDocument>,
    /// The last time that anything was typed or sealed at.
    pub(super) last_time: i64,
    /// The dependencies of the change under way: what a sign-off in it usually is about.
    pub(super) signing: Vec<ChangeHash>,
    models: Box<Models>,
    chains: Vec<(KeyId, InstallationId)>,
    pub(super) batches: BTreeMap<ActorId, (u64, BatchId)>,
    tips: BTreeMap<(ActorId, Partition), (u64, [u8; 32])>,
    pub(super) hashes: Vec<[u8; 32]>,
    last_unit: Option<UnitId>,
    last_received_at: i64,
}

impl<'a, P: Pipe> Exchange<'a, P> {
    pub(super) fn new(
        pipe: P,
        (ground, signatures): (&'a Ground<'a>, Signatures),
        own: Option<Own>,
    ) -> Self {
        Self {
            pipe,
            ground,
            signatures,
            own,
            ops: Box::default(),
            documents: BTreeMap::new(),
            last_time: 0,
            signing: Vec::new(),
            models: Box::default(),
            chains: Vec::new(),
            batches: BTreeMap::new(),
            tips: BTreeMap::new(),
            hashes: Vec::new(),
            last_unit: None,
            last_received_at: 0,
        }
    }

    pub(super) fn into_pipe(self) -> P {
        self.pipe
    }

    /// Carries a yes or no that is usually the same.
    pub(super) fn flag(&mut self, what: &'static str, given: bool) -> Result<bool, Trouble> {
        let model = self.models.flags.entry(what).or_default();
        model.code(&mut self.pipe, given)
    }

    /// Carries a number.
    pub(super) fn number(
        &mut self,
        what: &'static str,
        given: Option<u64>,
    ) -> Result<u64, Trouble> {
        let model = self.models.numbers.entry(what).or_default();
        model.code(&mut self.pipe, given.unwrap_or_default())
    }

    /// Carries the difference to an expected number.
    pub(super) fn differs(
        &mut self,
        what: &'static str,
        expected: u64,
        given: Option<u64>,
    ) -> Result<u64, Trouble> {
        let given = given.map_or(0, |given| given.wrapping_sub(expected) as i64);
        let model = self.models.numbers.entry(what).or_default();
        let difference = model.signed(&mut self.pipe, given)?;
        Ok(expected.wrapping_add(difference as u64))
    }

    /// Carries a count of at most `max`.
    pub(super) fn count(
        &mut self,
        what: &'static str,
        max: usize,
        given: Option<usize>,
    ) -> Result<usize, Trouble> {
        let count = self.number(what, given.map(|count| count as u64))?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= max)
            .ok_or(Trouble::Limit(what))
    }

    /// Carries the parts of the exchange, in order.
    pub(super) fn parts(&mut self, given: Option<&[Timed]>) -> Result<Vec<Timed>, Trouble> {
        let count = given.map_or(0, <[Timed]>::len) as u64;
        let count = self.models.parts.code(&mut self.pipe, count)?;
        if count > limits::PARTS_PER_PACKING_MAX as u64 {
            return Err(Trouble::Limit("parts of a packing"));
        }
        let mut parts: Vec<Timed> = Vec::new();
        while (parts.len() as u64) < count {
            let rest = given.and_then(|given| given.get(parts.len()..));
            let group = rest.map(|rest| group_of(rest, self.signatures));
            let rebuilt = self.group(group)?;
            parts.extend(rebuilt);
        }
        if parts.len() as u64 == count {
            Ok(parts)
        } else {
            Err(Trouble::Malformed("parts of a packing"))
        }
    }

    pub(super) fn header(&mut self, given: Option<&Header>) -> Result<Header, Trouble> {
        let (key, installation) =
            self.chain(given.map(|header| (header.key, header.installation)))?;
        let actor = ActorId::of(key, installation);
        let next = self
            .batches
            .get(&actor)
            .map_or(1, |(last, _)| last.saturating_add(1));
        let what = match next {
            1 => "batch number",
            _ => "next batch number",
        };
        let number = self.differs(what, next, given.map(|header| header.number))?;
        let previous = self.previous(actor, number, given.map(|header| header.previous))?;
        let time = self.last_time as u64;
        let sealed_at = given.map(|header| header.sealed_at as u64);
        let sealed_at = self.differs("sealed at", time, sealed_at)? as i64;
        self.last_time = sealed_at;
        let parts = given.map(|header| header.parts as usize);
        let parts = self.count("parts of a batch", limits::PARTS_PER_BATCH_MAX, parts)?;
        let ours = self.ground.names.province;
        let is_ours = self.flag("province", given.map(|header| header.province) == ours)?;
        let province = match (is_ours, ours) {
            (true, Some(ours)) => ours,
            (true, None) => return Err(Trouble::Missing("province")),
            (false, _) => ProvinceId(self.pipe.array(given.map(|header| &header.province.0))?),
        };
        Ok(Header {
            province,
            key,
            installation,
            number,
            previous,
            sealed_at,
            parts: parts as u32,
            root: given.map_or([0; 32], |header| header.root),
        })
    }

    fn chain(
        &mut self,
        given: Option<(KeyId, InstallationId)>,
    ) -> Result<(KeyId, InstallationId), Trouble> {
        let back = |chain| self.chains.iter().rev().position(|seen| *seen == chain);
        let back = given.and_then(back);
        let is_seen = self.flag("chain seen", back.is_some())?;
        if is_seen {
            let back = self.number("chain", back.map(|back| back as u64))?;
            let chain = usize::try_from(back)
                .ok()
                .and_then(|back| self.chains.iter().rev().nth(back));
            return chain.copied().ok_or(Trouble::Malformed("chain"));
        }
        let place = given.and_then(|(key, _)| self.ground.names.keys.place(key));
        let key = match self.flag("key named", place.is_some())? {
            true => {
                let place = self.number("key", place.map(|place| place as u64))?;
                let key = usize::try_from(place).ok();
                let key = key.and_then(|place| self.ground.names.keys.at(place));
                key.ok_or(Trouble::Missing("device key"))?
            }
            false => KeyId(self.pipe.array(given.as_ref().map(|(key, _)| &key.0))?),
        };
        let installation = given.as_ref().map(|(_, installation)| &installation.0);
        let chain = (key, InstallationId(self.pipe.array(installation)?));
        self.chains.push(chain);
        Ok(chain)
    }

    /// The batch before a batch.
    fn previous(
        &mut self,
        actor: ActorId,
        number: u64,
        given: Option<BatchId>,
    ) -> Result<BatchId, Trouble> {
        let before = number.wrapping_sub(1);
        let reads = self.own.is_none();
        let known = match self.batches.get(&actor) {
            _ if before == 0 => Some(BatchId([0; 32])),
            Some((last, batch)) if *last == before => Some(*batch),
            Some(_) | None => self.ground.batch(actor, before, reads)?,
        };
        let is_known = self.flag("batch before", known.is_some() && known == given)?;
        match (is_known, known) {
            (true, Some(known)) => Ok(known),
            (true, None) => Err(Trouble::Missing("batch")),
            (false, _) => {
                let given = given.as_ref().map(|batch| &batch.0);
                Ok(BatchId(self.pipe.array(given)?))
            }
        }
    }

    pub(super) fn part(
        &mut self,
        header: &Header,
        given: Option<&Timed>,
        index: u32,
        siblings: Vec<[u8; 32]>,
    ) -> Result<Rebuilt, Trouble> {
        let actor = header.actor();
        let before = self.last_received_at as u64;
        let received_at = given.map(|(at, _)| *at as u64);
        let received_at = self.differs("received at", before, received_at)? as i64;
        self.last_received_at = received_at;
        let signed = given.map(|(_, part)| part);
        let part = signed.map(SignedPart::part);
        let unit = self.unit(part.map(|part| part.partition.unit))?;
        let tag = part.map_or(0, |part| part.partition.compartment.tag());
        let tag = self.number("compartment", Some(tag.into()))?;
        let compartment = u8::try_from(tag).map(Compartment::from_tag);
        let Ok(Ok(compartment)) = compartment else {
            return Err(Trouble::Malformed("compartment"));
        };
        let partition = Partition { unit, compartment };
        let (number, previous) = self.place_of_part(header, partition, part)?;
        let count = part.map(|part| part.entries.len());
        let count = self.count("entries", limits::ENTRIES_PER_PART_MAX, count)?;
        let mut given = signed.into_iter().flat_map(SignedPart::entries);
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for _ in 0..count {
            self.pipe.budget().keep("entries unpacked", ENTRY_BYTES)?;
            let last = entries.last().cloned();
            let (entry, change) = self.entry(actor, partition, last.as_ref(), given.next())?;
            entries.push(entry);
            changes.extend(change);
        }
        let part = Part {
            partition,
            number,
            previous,
            entries,
        };
        let hash = part_hash(&part.encode());
        self.tips.insert((actor, partition), (number, hash));
        Ok(Rebuilt {
            index,
            siblings,
            part,
            changes,
            received_at,
        })
    }

    /// The number of a part in its partition, and the hash of the part before it.
    fn place_of_part(
        &mut self,
        header: &Header,
        partition: Partition,
        given: Option<&Part>,
    ) -> Result<(u64, [u8; 32]), Trouble> {
        let actor = header.actor();
        let tip = self.tips.get(&(actor, partition)).copied();
        let (what, expected) = match tip {
            Some((number, _)) => ("next part number", number.saturating_add(1)),
            None => ("part number", 1),
        };
        let number = self.differs(what, expected, given.map(|part| part.number))?;
        let before = number.wrapping_sub(1);
        let here = match tip {
            _ if before == 0 => Some([0; 32]),
            Some((last, hash)) if last == before => Some(hash),
            Some(_) | None => None,
        };
        let is_known = match (here, given) {
            (Some(here), given) => given.is_some_and(|part| part.previous == here),
            // Who follows a partition has all of a chain's parts there, up to some number.
            (None, given) => given.is_some() && self.ground.is_any(),
        };
        let previous = match (self.flag("part before", is_known)?, here, given) {
            (true, Some(here), _) => here,
            (true, None, Some(given)) => given.previous,
            (true, None, None) => {
                let place = (header.number, before);
                let found = self.ground.part_before(actor, partition, place)?;
                found.ok_or(Trouble::Missing("part"))?
            }
            (false, _, given) => self.pipe.array(given.map(|part| &part.previous))?,
        };
        Ok((number, previous))
    }

    fn unit(&mut self, given: Option<UnitId>) -> Result<UnitId, Trouble> {
        let units = &self.ground.names.units;
        let is_same = self.flag("same unit", given.is_some() && given == self.last_unit)?;
        let unit = match (is_same, self.last_unit) {
            (true, Some(last)) => last,
            (true, None) => return Err(Trouble::Malformed("unit")),
            (false, _) => {
                let place = given.and_then(|unit| units.place(unit));
                match self.flag("unit named", place.is_some())? {
                    true => {
                        let place = self.number("unit", place.map(|place| place as u64))?;
                        let place = usize::try_from(place).ok();
                        let unit = place.and_then(|place| units.at(place));
                        unit.ok_or(Trouble::Missing("unit"))?
                    }
                    false => UnitId(self.pipe.array(given.as_ref().map(|unit| &unit.0))?),
                }
            }
        };
        self.last_unit = Some(unit);
        Ok(unit)
    }

    /// Carries an entry of a part, with its change if it is one.
    fn entry(
        &mut self,
        actor: ActorId,
        partition: Partition,
        last: Option<&Entry>,
        given: Option<(&Entry, Option<&[u8]>)>,
    ) -> Result<(Entry, Option<Vec<u8>>), Trouble> {
        let (entry, bytes) = match given {
            Some((entry, bytes)) => (Some(entry), bytes),
            None => (None, None),
        };
        let kind = kind_of(entry);
        let model = self.models.kinds.entry(kind_of(last));
        let model = model.or_insert_with(|| Symbol::new(2));
        let kind = model.code(&mut self.pipe, kind.into())?;
        let given = entry.map(Entry::document);
        let last = last.map(Entry::document);
        let same = self.flag("same document", given.is_some() && given == last)?;
        let document = match (same, last) {
            (true, Some(last)) => last,
            (true, None) => return Err(Trouble::Malformed("document")),
            (false, _) => self.document(partition, given)?,
        };
        match kind {
            1 => {
                let subject = self.subject_entry(document, entry)?;
                Ok((Entry::Subject { document, subject }, None))
            }
            2 => {
                let name = match entry {
                    Some(Entry::Extension { name, .. }) => Some(name.as_str()),
                    Some(Entry::Subject { .. } | Entry::Change { .. }) | None => None,
                };
                let name = self.section(name)?;
                if let Some(held) = self.documents.get_mut(&document) {
                    held.declare(&name);
                }
                Ok((Entry::Extension { document, name }, None))
            }
            3 => {
                let hash = match entry {
                    Some(Entry::Change { hash, .. }) => Some(*hash),
                    Some(Entry::Subject { .. } | Entry::Extension { .. }) | None => None,
                };
                let (bytes, hash) = self.change(document, actor, bytes.zip(hash))?;
                Ok((Entry::Change { document, hash }, Some(bytes)))
            }
            _ => Err(Trouble::Malformed("kind of entry")),
        }
    }

    /// Carries the name of a section.
    pub(super) fn section(&mut self, given: Option<&str>) -> Result<String, Trouble> {
        let limit = (limits::CODE_BYTES_MAX, 0);
        self.models.sections.code(&mut self.pipe, limit, given)
    }

    /// Carries which document, by its subject where that is known.
    fn document(
        &mut self,
        partition: Partition,
        given: Option<DocumentId>,
    ) -> Result<DocumentId, Trouble> {
        let known = |own: &Own| given.and_then(|document| own.subjects.get(&document).cloned());
        let subject = self.own.as_ref().and_then(known);
        if !self.flag("subject known", subject.is_some())? {
            return Ok(DocumentId(self.pipe.array(given.as_ref().map(|id| &id.0))?));
        }
        let template = subject.as_ref().map(|subject| subject.template.as_str());
        let limit = (limits::CODE_BYTES_MAX, 0);
        let template = self
            .models
            .templates
            .code(&mut self.pipe, limit, template)?;
        let period = subject.as_ref().map(|subject| subject.period.as_str());
        let limit = (limits::PERIOD_BYTES_MAX, 0);
        let period = self.models.periods.code(&mut self.pipe, limit, period)?;
        let unit = subject.as_ref().map(|subject| subject.unit);
        let unit = match self.flag("unit of partition", unit == Some(partition.unit))? {
            true => partition.unit,
            false => UnitId(self.pipe.array(unit.as_ref().map(|unit| &unit.0))?),
        };
        let subject = Subject {
            // What has no period is of the one kind that has none.
            kind: SubjectKind::of_period(&period),
            template,
            unit,
            period,
        };
        let document = subject.document_id();
        if !self.documents.contains_key(&document) {
            let held = KnownDocument::new(subject, self.ground)?;
            self.documents.insert(document, held);
        }
        Ok(document)
    }

    fn subject_entry(
        &mut self,
        document: DocumentId,
        entry: Option<&Entry>,
    ) -> Result<Vec<u8>, Trouble> {
        let given = match entry {
            Some(Entry::Subject { subject, .. }) => Some(subject),
            Some(Entry::Extension { .. } | Entry::Change { .. }) | None => None,
        };
        let held = self.documents.get(&document);
        let known = held.map(|held| held.subject().encode());
        let is_known = self.flag("subject", known.is_some() && known.as_ref() == given)?;
        match (is_known, known) {
            (true, Some(known)) => Ok(known),
            (true, None) => Err(Trouble::Malformed("subject")),
            (false, _) => self.raw(limits::SUBJECT_BYTES_MAX, given.map(Vec::as_slice)),
        }
    }

    /// Carries bytes as they are.
    pub(super) fn raw(&mut self, max: usize, given: Option<&[u8]>) -> Result<Vec<u8>, Trouble> {
        let models = &mut *self.models;
        bytes(
            &mut self.pipe,
            (&mut models.length, &mut models.raw),
            max,
            given,
        )
    }

    /// Carries a short text that is seldom there.
    pub(super) fn words(&mut self, max: usize, given: Option<&str>) -> Result<String, Trouble> {
        let models = &mut *self.models;
        letters(
            &mut self.pipe,
            (&mut models.length, &mut models.raw),
            max,
            given,
        )
    }
}

fn kind_of(entry: Option<&Entry>) -> u8 {
    match entry {
        None => 0,
        Some(Entry::Subject { .. }) => 1,
        Some(Entry::Extension { .. }) => 2,
        Some(Entry::Change { .. }) => 3,
    }
}
