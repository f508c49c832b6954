//! What stands in the log: accepted parts and held ones, with the time this node received them.

use crate::batch::SignedPart;
use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

/// An accepted part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When this node received it, by its own clock, seconds since 1970 UTC.
    pub received_at: i64,
    /// The part.
    pub part: SignedPart,
}

impl LogEntry {
    /// Bytes of the value.
    pub fn encode(&self) -> Vec<u8> {
        Self::encode_of(self.received_at, &self.part)
    }
    /// Bytes of the value of a part received at a time.
    pub fn encode_of(received_at: i64, part: &SignedPart) -> Vec<u8> {
        let part = part.encode();
        let mut writer = Writer::with_capacity(part.len() + 16);
        writer.svar(received_at).bytes(&part);
        writer.into_bytes()
    }
    /// Reads the value.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let received_at = reader.svar("time of receipt")?;
        let part = SignedPart::decode(reader.bytes(limits::VOUCHED_PART_BYTES_MAX, "part")?)?;
        reader.end("log entry")?;
        Ok(Self { received_at, part })
    }
}

/// Why a part is kept but not applied. A person decides; its author is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldReason {
    /// The chain has another part under the same number: a device restored from a backup, or a
    /// copied key. Held as evidence beside the chain; never moves it on.
    Equivocation,
    /// The device key was ended and this is beyond what was accepted of it.
    KeyEnded,
    /// The person may not write what this writes.
    NotAllowed,
    /// The template is in no catalogue record.
    UnknownTemplate,
    /// A subject is missing, malformed, or is not the document's.
    Subject,
    /// A change is malformed or does what no change may.
    Gate,
    /// It builds on changes that are held.
    WaitsForHeld,
    /// The document has another change of this actor under the same sequence number.
    SequenceReused,
    /// It writes something else than rows of its unit where those stand: a row of the form itself is locked.
    LocalRow,
}

impl HeldReason {
    /// Every reason, in the order of the numbers in the format.
    pub const ALL: [Self; 9] = [
        Self::Equivocation,
        Self::KeyEnded,
        Self::NotAllowed,
        Self::UnknownTemplate,
        Self::Subject,
        Self::Gate,
        Self::WaitsForHeld,
        Self::SequenceReused,
        Self::LocalRow,
    ];
    /// The number in the format.
    pub fn tag(self) -> u8 {
        match self {
            Self::Equivocation => 1,
            Self::KeyEnded => 2,
            Self::NotAllowed => 3,
            Self::UnknownTemplate => 4,
            Self::Subject => 5,
            Self::Gate => 6,
            Self::WaitsForHeld => 7,
            Self::SequenceReused => 8,
            Self::LocalRow => 9,
        }
    }
    /// The reason of a number.
    pub fn from_tag(tag: u8) -> Result<Self, DecodeError> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.tag() == tag)
            .ok_or(DecodeError::Undefined("reason of holding"))
    }
    /// A stable code for machines and message catalogues.
    pub fn code(self) -> &'static str {
        match self {
            Self::Equivocation => "held-equivocation",
            Self::KeyEnded => "held-key-ended",
            Self::NotAllowed => "held-not-allowed",
            Self::UnknownTemplate => "held-unknown-template",
            Self::Subject => "held-subject",
            Self::Gate => "held-gate",
            Self::WaitsForHeld => "held-waits-for-held",
            Self::SequenceReused => "held-sequence-reused",
            Self::LocalRow => "held-local-row",
        }
    }
}

/// A held part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldEntry {
    /// When this node received it.
    pub received_at: i64,
    /// Why it is held.
    pub reason: HeldReason,
    /// The part.
    pub part: SignedPart,
}

impl HeldEntry {
    /// Bytes of the value.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .svar(self.received_at)
            .u8(self.reason.tag())
            .bytes(&self.part.encode());
        writer.into_bytes()
    }
    /// Reads the value.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let received_at = reader.svar("time of receipt")?;
        let reason = HeldReason::from_tag(reader.u8("reason")?)?;
        let part = SignedPart::decode(reader.bytes(limits::VOUCHED_PART_BYTES_MAX, "part")?)?;
        reader.end("held entry")?;
        Ok(Self {
            received_at,
            reason,
            part,
        })
    }
}
