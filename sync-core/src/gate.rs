//! The gate: our own decoder of Automerge changes, and everything it refuses before a change is kept.
//!
//! Bytes from outside never reach Automerge before they passed here. It works in two steps, and both
//! give the same answer on every node and in whatever order changes arrive:
//!
//! 1. [`decode`] looks at the bytes alone: an uncompressed change chunk in canonical form (encoding
//!    what was decoded gives the same bytes), within the limits, with only the operations that
//!    `docs/formats.md` section 3 allows.
//! 2. [`judge`] looks at the change and its causal past, asked for through [`History`]: the signer is
//!    the actor, dependencies are known, numbers continue exactly, and every object, predecessor and
//!    text element exists *in the past of this change* on the same object and key. What lies beside
//!    the past is not looked at, or the verdict would depend on what arrived first.
//!
//! A change that passed both can be applied, saved and loaded by Automerge without an error or a
//! panic; `tests/mutants/changes.rs` holds that still.

mod chunk;
mod column;
mod history;
mod judge;
mod shape;

pub(crate) use chunk::is_named;
pub use chunk::{encode, parse};
pub(crate) use history::merge;
pub use history::{Clock, History, KnownChange, MemoryHistory, Written};
pub use judge::{Judgement, Refusal, Touch, judge};
pub use shape::{Place, place};

pub(crate) use judge::judge_past;
pub(crate) use shape::sign_off_key;

use crate::identity::{ActorId, ChangeHash};

/// The name of one operation: its number and the actor that made it. Ordered as Automerge orders
/// them (number first), which is also the order of predecessors in a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpId {
    /// Number of the operation, from 1; larger than every operation its author had seen.
    pub counter: u64,
    /// Who made it.
    pub actor: ActorId,
}

/// Where in its object an operation works.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A key of a map.
    Map(String),
    /// Before the first element of a text.
    Head,
    /// At the element that this operation inserted; an insertion goes after it.
    Element(OpId),
}

/// What an operation does. Automerge knows more; everything else is refused while parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes a map: genesis only.
    MakeMap,
    /// Puts a value at a key, or with `insert` a new element into a text.
    Put,
    /// Deletes an element of a text.
    Delete,
    /// Makes a text: extensions only.
    MakeText,
}

/// A scalar in an operation. Automerge knows more; everything else is refused while parsing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: also the value of operations that have none.
    Null,
    /// The boolean false.
    False,
    /// A signed integer.
    Int(i64),
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One operation of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The object it works on; `None` is the root map.
    pub object: Option<OpId>,
    /// Where in the object.
    pub key: Key,
    /// True when it makes a new element of a text.
    pub insert: bool,
    /// What it does.
    pub action: Action,
    /// The value it puts.
    pub value: Value,
    /// The operations it replaces, ascending.
    pub pred: Vec<OpId>,
}

/// The content of a change, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeContent {
    /// Who made it.
    pub actor: ActorId,
    /// Its number in the actor's chain within this document, from 1.
    pub seq: u64,
    /// Number of its first operation.
    pub start_op: u64,
    /// When its first operation was typed: a claim, seconds since 1970 UTC.
    pub time: i64,
    /// The typing times of the later operations (see [`typed_times`]); empty is none.
    pub message: String,
    /// The heads its author saw, ascending.
    pub deps: Vec<ChangeHash>,
    /// The operations, numbered from `start_op`.
    pub ops: Vec<Op>,
}

impl ChangeContent {
    /// Number of the last operation. Decoded changes hold at least one.
    pub fn last_op(&self) -> u64 {
        (self.start_op + self.ops.len() as u64).saturating_sub(1)
    }

    /// The operations with their names.
    pub fn numbered(&self) -> impl Iterator<Item = (OpId, &Op)> {
        let actor = self.actor;
        (self.start_op..)
            .zip(&self.ops)
            .map(move |(counter, op)| (OpId { counter, actor }, op))
    }
}

/// A change that passed [`decode`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedChange {
    /// What it says.
    pub content: ChangeContent,
    /// SHA-256 as Automerge defines it.
    pub hash: ChangeHash,
    /// When each operation was typed: one claim per operation.
    pub typed_at: Vec<i64>,
}

/// Why bytes are no change that anybody may send. Nothing about the document is needed to tell, so
/// the answer is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The first four bytes are not those of a chunk.
    #[error("change does not begin with the chunk magic")]
    Magic,
    /// A document, compressed change, bundle or unknown chunk.
    #[error("chunk of type {0} is not an uncompressed change")]
    ChunkType(u8),
    /// The four bytes of the checksum are not those of the hash.
    #[error("checksum of the change is wrong")]
    Checksum,
    /// Cut short, left over, or a field that cannot be read.
    #[error("change is malformed in {0}")]
    Malformed(&'static str),
    /// Over a limit of `limits.rs`.
    #[error("change is over the limit of {0}")]
    Limit(&'static str),
    /// Readable, but not the one form that this content has.
    #[error("change is not in canonical form")]
    NotCanonical,
    /// An operation that no change from outside may hold.
    #[error("operation {index} is not allowed: {reason}")]
    Operation {
        /// Which operation of the change, from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The message is not a list of typing times.
    #[error("message of the change is not a list of typing times")]
    TypingTimes,
}

impl GateError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic => "change-magic",
            Self::ChunkType(_) => "change-chunk-type",
            Self::Checksum => "change-checksum",
            Self::Malformed(_) => "change-malformed",
            Self::Limit(_) => "change-limit",
            Self::NotCanonical => "change-not-canonical",
            Self::Operation { .. } => "change-operation",
            Self::TypingTimes => "change-typing-times",
        }
    }
}

/// Decodes a change from outside: structure, canonical form, limits and allowed operations.
///
/// # Errors
/// [`GateError`]; final, whatever the document holds.
pub fn decode(bytes: &[u8]) -> Result<DecodedChange, GateError> {
    let change = decode_kept(bytes)?;
    shape::check(&change.content)?;
    let (again, _) = encode(&change.content);
    if again != bytes {
        return Err(GateError::NotCanonical);
    }
    Ok(change)
}

/// Decodes a change that passed [`decode`] before it was kept: half the work. Never for bytes from
/// outside, whose form nobody has judged.
///
/// # Errors
/// [`GateError`], for bytes that are not what was kept.
pub fn decode_kept(bytes: &[u8]) -> Result<DecodedChange, GateError> {
    let (content, hash) = parse(bytes)?;
    let typed_at = typed_times(content.time, &content.message, content.ops.len())
        .ok_or(GateError::TypingTimes)?;
    Ok(DecodedChange {
        content,
        hash,
        typed_at,
    })
}

/// When each of `count` operations was typed: `time`, and then the message's differences, in decimal
/// separated by one space, trailing zeros left out. `None` when the message is anything else.
pub fn typed_times(time: i64, message: &str, count: usize) -> Option<Vec<i64>> {
    let mut times = Vec::with_capacity(count);
    let mut now = time;
    times.push(now);
    if !message.is_empty() {
        let mut last = 0;
        for word in message.split(' ') {
            last = canonical_integer(word)?;
            now = now.checked_add(last)?;
            times.push(now);
        }
        if last == 0 || times.len() > count {
            return None;
        }
    }
    times.resize(count, now);
    Some(times)
}

/// The message that says when each operation was typed, and the time of the first: the inverse of
/// [`typed_times`]. Differences beyond 64 bits are cut, which only absurd clocks can reach.
pub fn typing_message(times: &[i64]) -> (i64, String) {
    let Some(first) = times.first() else {
        return (0, String::new());
    };
    let differences: Vec<i64> = times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(before, after)| after.saturating_sub(*before))
        .collect();
    let kept = differences
        .iter()
        .rposition(|difference| *difference != 0)
        .map_or(0, |last| last + 1);
    let words: Vec<String> = differences.iter().take(kept).map(i64::to_string).collect();
    (*first, words.join(" "))
}

fn canonical_integer(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = !digits.starts_with('0') || word == "0";
    (plain && shortest)
        .then(|| word.parse::<i64>().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
