//! The two messages of an exchange and their bytes.

use crate::batch::{Attestation, ChainTip, Partition, SignedPart};
use crate::catalogue::SignedRecord;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ActorId, BatchId, NodeId, PartId, ProvinceId, labelled_hash};
use crate::limits;
use crate::log::{Fingerprint, Follow, HeldReason, Verdict};

use super::receipt::Receipt;
use super::repair::{Ask, Told};

/// The version of the protocol; the first byte of each message.
pub const VERSION: u8 = 1;

/// Where a device stands with a node it has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The node.
    pub node: NodeId,
    /// Digest of the set of partitions that the position counts for.
    pub follow: [u8; 8],
    /// The position it has everything up to.
    pub position: u64,
}

/// What a device sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The province it belongs to.
    pub province: ProvinceId,
    /// The chain it writes.
    pub actor: ActorId,
    /// The highest batch of its own chain that it holds; the node leaves these out of the answer.
    pub own_number: u64,
    /// The last catalogue record it holds.
    pub catalogue_number: u64,
    /// Where it stands with the node, if it has met one.
    pub known: Option<Known>,
    /// How many bytes of entries the answer may carry, and whose word for them is taken
    /// ([`Proof`](super::Proof)).
    pub bytes_max: u64,
    /// Catalogue records the node asked for: it was rolled back and lost them.
    pub records: Vec<SignedRecord>,
    /// Its new parts, in the order they were sealed.
    pub parts: Vec<SignedPart>,
    /// What it asks for to repair its set, to go on with its first contact, or of older years; travels
    /// beside a packed request only.
    pub repair: Option<Ask>,
}

/// What a node says of one part it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartAnswer {
    /// Durable and applied.
    Accepted,
    /// Durable, not applied: a person decides.
    Held(HeldReason),
    /// Not taken: send from this part number of the chain in that partition.
    Gap(u64),
    /// Not taken: it builds on what is not here yet.
    Waiting,
    /// Not taken, and never will be as it is.
    Refused(String),
}

impl From<Verdict> for PartAnswer {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accepted { .. } | Verdict::Duplicate { .. } => Self::Accepted,
            Verdict::Held { reason, .. } => Self::Held(reason),
            Verdict::Gap { expected } => Self::Gap(expected),
            Verdict::Waiting => Self::Waiting,
            Verdict::Refused { code } => Self::Refused(code.to_owned()),
        }
    }
}

/// What a node answers, and what it sends by itself to a live peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Who answers.
    pub node: NodeId,
    /// The last catalogue record the node holds.
    pub catalogue_last: u64,
    /// Records that the device lacks, ascending; perhaps not all.
    pub records: Vec<SignedRecord>,
    /// The set of partitions that the device follows, when it is not the one it named.
    pub follow: Option<Follow>,
    /// One answer for each part of the request, in order.
    pub answers: Vec<PartAnswer>,
    /// Which parts the answers are about ([`digest_of_parts`]); travels only if there are any.
    pub answers_to: [u8; 8],
    /// The highest batch of the device's chain that the node holds.
    pub chain: ChainTip,
    /// The node's signed word for it.
    pub receipt: Option<Receipt>,
    /// The position the entries begin after; not the device's own if the node did not know it.
    pub from: u64,
    /// Entries the device lacks: when the node received them, and the part.
    pub entries: Vec<(i64, SignedPart)>,
    /// The position after these entries.
    pub position: u64,
    /// More follow: ask again.
    pub more: bool,
    /// Fingerprint of everything the device follows, when nothing more follows.
    pub fingerprint: Option<Fingerprint>,
    /// What the device asked for to repair its set or of older years, or how far its first contact came;
    /// travels beside a packed answer only.
    pub repair: Option<Told>,
    /// The node's word for all entries, so that signatures can be left out; travels with a packed answer
    /// only.
    pub piece: Option<Attestation>,
}

impl Request {
    /// The highest position of the node's log that the device has something of.
    pub fn reach(&self) -> Option<u64> {
        let beyond = match &self.repair {
            Some(Ask::Rest(arrival)) => arrival.has.last(),
            Some(Ask::Symbols { .. } | Ask::Parts { .. } | Ask::Older(_)) | None => None,
        };
        self.known
            .map(|known| known.position.max(beyond.unwrap_or(0)))
    }
}

impl Response {
    /// The position that its parts come after, and the highest one that they may stand at.
    pub(super) fn span(&self) -> (u64, u64) {
        let beyond = match &self.repair {
            Some(Told::Older(told)) => return (told.after, told.through),
            Some(Told::Rest(arrival)) => arrival.has.last(),
            Some(Told::Symbols(_) | Told::Parts { .. } | Told::Settled(_)) | None => None,
        };
        (self.from, self.position.max(beyond.unwrap_or(0)))
    }
}

/// Names the parts of a request, so that an answer that comes late is not taken for another's.
pub fn digest_of_parts(parts: &[PartId]) -> [u8; 8] {
    let ids: Vec<&[u8]> = parts.iter().map(|part| part.0.as_slice()).collect();
    let [a, b, c, d, e, f, g, h, ..] = labelled_hash("answers", &ids);
    [a, b, c, d, e, f, g, h]
}

fn write_records(to: &mut Writer, records: &[SignedRecord]) {
    to.var(records.len() as u64);
    for record in records {
        to.bytes(&record.encode());
    }
}

fn read_records(from: &mut Reader<'_>) -> Result<Vec<SignedRecord>, DecodeError> {
    let count = from.count(limits::RECORDS_PER_MESSAGE_MAX, "records")?;
    (0..count)
        .map(|_| {
            let bytes = from.bytes(limits::CATALOGUE_RECORD_BYTES_MAX + 80, "record")?;
            SignedRecord::decode(bytes).map_err(|_| DecodeError::Undefined("record"))
        })
        .collect()
}

fn read_flag(from: &mut Reader<'_>, what: &'static str) -> Result<bool, DecodeError> {
    match from.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Undefined(what)),
    }
}

fn read_version(from: &mut Reader<'_>) -> Result<(), DecodeError> {
    if from.u8("version")? == VERSION {
        Ok(())
    } else {
        Err(DecodeError::Undefined("version"))
    }
}

fn read_part(from: &mut Reader<'_>) -> Result<SignedPart, DecodeError> {
    SignedPart::decode(from.bytes(limits::VOUCHED_PART_BYTES_MAX, "part")?)
}

impl Request {
    /// Bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(VERSION).raw(&self.province.0).raw(&self.actor.0);
        to.var(self.own_number).var(self.catalogue_number);
        write_known(&mut to, self.known.as_ref());
        to.var(self.bytes_max);
        write_records(&mut to, &self.records);
        to.var(self.parts.len() as u64);
        for part in &self.parts {
            to.bytes(&part.encode());
        }
        to.into_bytes()
    }

    /// Reads the message, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        read_version(&mut from)?;
        let province = ProvinceId(from.array("province")?);
        let actor = ActorId(from.array("actor")?);
        let own_number = from.var("own number")?;
        let catalogue_number = from.var("catalogue number")?;
        let known = read_known(&mut from)?;
        let bytes_max = from.var("bytes")?;
        let records = read_records(&mut from)?;
        let count = from.count(limits::PARTS_PER_MESSAGE_MAX, "parts")?;
        let parts = (0..count)
            .map(|_| read_part(&mut from))
            .collect::<Result<_, _>>()?;
        from.end("request")?;
        Ok(Self {
            province,
            actor,
            own_number,
            catalogue_number,
            known,
            bytes_max,
            records,
            parts,
            repair: None,
        })
    }
}

impl PartAnswer {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Accepted => to.u8(1),
            Self::Held(reason) => to.u8(2).u8(reason.tag()),
            Self::Gap(expected) => to.u8(3).var(*expected),
            Self::Waiting => to.u8(4),
            Self::Refused(code) => to.u8(5).text(code),
        };
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match from.u8("answer")? {
            1 => Self::Accepted,
            2 => Self::Held(HeldReason::from_tag(from.u8("reason")?)?),
            3 => Self::Gap(from.var("part number")?),
            4 => Self::Waiting,
            5 => Self::Refused(from.text(limits::CODE_BYTES_MAX, "code")?.to_owned()),
            _ => return Err(DecodeError::Undefined("answer")),
        })
    }
}

/// Appends where a device stands.
pub(crate) fn write_known(to: &mut Writer, known: Option<&Known>) {
    match known {
        None => to.u8(0),
        Some(known) => to
            .u8(1)
            .raw(&known.node.0)
            .raw(&known.follow)
            .var(known.position),
    };
}

/// Reads where a device stands.
pub(crate) fn read_known(from: &mut Reader<'_>) -> Result<Option<Known>, DecodeError> {
    Ok(match read_flag(from, "known node")? {
        false => None,
        true => Some(Known {
            node: NodeId(from.array("node")?),
            follow: from.array("follow")?,
            position: from.var("position")?,
        }),
    })
}

/// Appends a set of partitions, or that it is the one named before.
pub(crate) fn write_follow(to: &mut Writer, follow: Option<&Follow>) {
    match follow {
        None => {
            to.u8(0);
        }
        Some(Follow::All) => {
            to.u8(1);
        }
        Some(Follow::These(partitions)) => {
            to.u8(2).var(partitions.len() as u64);
            for partition in partitions {
                partition.write(to);
            }
        }
    }
}

/// Reads a set of partitions; none: the one named before.
pub(crate) fn read_follow(from: &mut Reader<'_>) -> Result<Option<Follow>, DecodeError> {
    Ok(match from.u8("follow")? {
        0 => None,
        1 => Some(Follow::All),
        2 => {
            let count = from.count(limits::PARTITIONS_PER_FEED_MAX, "partitions")?;
            let partitions = (0..count)
                .map(|_| Partition::read(from))
                .collect::<Result<Vec<_>, _>>()?;
            if !partitions.is_sorted_by(|a, b| a < b) {
                return Err(DecodeError::Undefined("order of partitions"));
            }
            Some(Follow::These(partitions.into_iter().collect()))
        }
        _ => return Err(DecodeError::Undefined("follow")),
    })
}

/// Bytes of a set of partitions, as a device keeps them.
pub(crate) fn encode_follow(follow: &Follow) -> Vec<u8> {
    let mut to = Writer::new();
    write_follow(&mut to, Some(follow));
    to.into_bytes()
}

/// Reads what [`encode_follow`] wrote.
pub(crate) fn decode_follow(bytes: &[u8]) -> Result<Option<Follow>, DecodeError> {
    let mut from = Reader::new(bytes);
    let follow = read_follow(&mut from)?;
    from.end("follow")?;
    Ok(follow)
}

impl Response {
    /// Bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::new();
        to.u8(VERSION).raw(&self.node.0).var(self.catalogue_last);
        write_records(&mut to, &self.records);
        write_follow(&mut to, self.follow.as_ref());
        to.var(self.answers.len() as u64);
        for answer in &self.answers {
            answer.write(&mut to);
        }
        if !self.answers.is_empty() {
            to.raw(&self.answers_to);
        }
        to.var(self.chain.number).raw(&self.chain.batch.0);
        match &self.receipt {
            None => {
                to.u8(0);
            }
            Some(receipt) => {
                to.u8(1);
                receipt.write(&mut to);
            }
        }
        to.var(self.from).var(self.entries.len() as u64);
        for (received_at, part) in &self.entries {
            to.svar(*received_at).bytes(&part.encode());
        }
        to.var(self.position).u8(self.more.into());
        match &self.fingerprint {
            None => {
                to.u8(0);
            }
            Some(fingerprint) => {
                to.u8(1);
                fingerprint.write(&mut to);
            }
        }
        to.into_bytes()
    }

    /// Reads the message, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        read_version(&mut from)?;
        let node = NodeId(from.array("node")?);
        let catalogue_last = from.var("catalogue number")?;
        let records = read_records(&mut from)?;
        let follow = read_follow(&mut from)?;
        let count = from.count(limits::PARTS_PER_MESSAGE_MAX, "answers")?;
        let answers = (0..count)
            .map(|_| PartAnswer::read(&mut from))
            .collect::<Result<Vec<_>, _>>()?;
        let answers_to = match answers.is_empty() {
            true => digest_of_parts(&[]),
            false => from.array("parts answered")?,
        };
        let number = from.var("chain number")?;
        let chain = ChainTip {
            number,
            batch: BatchId(from.array("chain")?),
        };
        let receipt = match read_flag(&mut from, "receipt")? {
            true => Some(Receipt::read(&mut from)?),
            false => None,
        };
        let begins = from.var("position")?;
        let count = from.count(bytes.len(), "entries")?;
        let entries = (0..count)
            .map(|_| Ok((from.svar("time of receipt")?, read_part(&mut from)?)))
            .collect::<Result<_, DecodeError>>()?;
        let position = from.var("position")?;
        let more = read_flag(&mut from, "more")?;
        let fingerprint = match read_flag(&mut from, "fingerprint")? {
            true => Some(Fingerprint::read(&mut from)?),
            false => None,
        };
        from.end("response")?;
        Ok(Self {
            node,
            catalogue_last,
            records,
            follow,
            answers,
            answers_to,
            chain,
            receipt,
            from: begins,
            entries,
            position,
            more,
            fingerprint,
            repair: None,
            piece: None,
        })
    }
}
