//! The second step of the gate: a decoded change against the past it names.

use std::collections::BTreeSet;

use super::history::merge;
use super::shape::sign_off_key;
use super::{Action, Clock, DecodedChange, History, Key, Op, OpId, Place, Value, Written, place};
use crate::document::margin::MarginKey;
use crate::document::root::Table;
use crate::document::sign_off::SignOff;
use crate::identity::{ActorId, ChangeHash, KeyId};

/// One thing that a change writes: what rights are asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// The cell of this indicator code.
    Cell(String),
    /// The note at this indicator code, its source or a reason: the key in the map of notes.
    Note(String),
    /// A comment at this indicator code.
    Comment(String),
    /// The template version.
    TemplateVersion,
    /// The text of this section.
    Narrative(String),
    /// A sign-off with this statement (section 7 of `docs/formats.md`).
    SignOff(u8),
    /// Metadata of the attachment with this blob hash in hexadecimal.
    Attachment(String),
}

/// What becomes of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It may be kept; it writes these, ascending.
    Passed(Vec<Touch>),
    /// It is already here, byte for byte.
    Duplicate,
    /// It waits: these dependencies are not here yet. Nothing else was looked at.
    Missing(Vec<ChangeHash>),
    /// It can never be kept.
    Refused(Refusal),
}

/// Why a change can never be kept beside the past it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The actor is not the chain of the signer.
    #[error("change of actor {0} is not signed by that actor")]
    Actor(ActorId),
    /// The first operation number is not one more than the largest among the dependencies.
    #[error("change starts at operation {found} where {expected} is next")]
    StartOp {
        /// One more than the largest number among the dependencies.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// Its past does not hold all earlier changes of its own chain.
    #[error("change has sequence {found} where {expected} is next in its past")]
    Sequence {
        /// One more than the actor's last in the past of this change.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// Another change of this actor has the same number: a device restored from a copy, or a forger.
    /// Both, with their signatures, are the evidence.
    #[error("actor has two changes of one number, the other one is {0}")]
    Equivocation(ChangeHash),
    /// An operation names an object, element or predecessor that its past does not hold.
    #[error("operation {0} names an operation that is not in its past")]
    NotInPast(usize),
    /// An operation names a predecessor or element of another object or key.
    #[error("operation {0} names an operation on something else")]
    OtherTarget(usize),
    /// A sign-off stands under the key of somebody else.
    #[error("operation {0} writes a sign-off of another key")]
    SignOffKey(usize),
    /// A comment stands under the key of somebody else.
    #[error("operation {0} writes a comment of another key")]
    CommentKey(usize),
}

impl Refusal {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Actor(_) => "change-actor",
            Self::StartOp { .. } => "change-start-op",
            Self::Sequence { .. } => "change-sequence",
            Self::Equivocation(_) => "change-equivocation",
            Self::NotInPast(_) => "change-not-in-past",
            Self::OtherTarget(_) => "change-other-target",
            Self::SignOffKey(_) => "change-sign-off-key",
            Self::CommentKey(_) => "change-comment-key",
        }
    }
}

/// Judges a change signed by `key`, whose chain is `signer`, against the document's history.
///
/// A sign-off or a comment is written once because it has no predecessors: a second one under the same key hides
/// nothing, both are read. Whether one stands there already is not asked, as the answer would depend
/// on the order of arrival when one key works on two installations.
///
/// # Errors
/// Only those of the history; then nothing is known about the change.
pub fn judge<H: History + ?Sized>(
    change: &DecodedChange,
    signer: ActorId,
    key: KeyId,
    history: &H,
) -> Result<Judgement, H::Error> {
    if change.content.actor != signer {
        return Ok(Judgement::Refused(Refusal::Actor(change.content.actor)));
    }
    for (index, op) in change.content.ops.iter().enumerate() {
        if is_sign_off_of_another(op, key) {
            return Ok(Judgement::Refused(Refusal::SignOffKey(index)));
        }
        if is_comment_of_another(op, key) {
            return Ok(Judgement::Refused(Refusal::CommentKey(index)));
        }
    }
    judge_past(change, history)
}

fn is_comment_of_another(op: &Op, key: KeyId) -> bool {
    match (op.object.and_then(place), &op.key) {
        (Some(Place::Table(Table::Notes)), Key::Map(at)) => {
            matches!(MarginKey::of(at), Some((_, MarginKey::Comment(id, _))) if id != key)
        }
        (_, _) => false,
    }
}

fn is_sign_off_of_another(op: &Op, key: KeyId) -> bool {
    match (op.object.and_then(place), &op.key) {
        (Some(Place::Table(Table::SignOffs)), Key::Map(at)) => {
            sign_off_key(at).is_none_or(|(id, _)| id != key)
        }
        (_, _) => false,
    }
}

/// [`judge`] without the signer: for changes whose signature somebody else has checked.
pub(crate) fn judge_past<H: History + ?Sized>(
    change: &DecodedChange,
    history: &H,
) -> Result<Judgement, H::Error> {
    let content = &change.content;
    if history.at_sequence(content.actor, content.seq)? == Some(change.hash) {
        return Ok(Judgement::Duplicate);
    }
    let mut clock = Clock::new();
    let mut last_op = 0;
    let mut missing = Vec::new();
    for dep in &content.deps {
        match history.change(dep)? {
            None => missing.push(*dep),
            Some(known) => {
                merge(&mut clock, &known.clock);
                last_op = last_op.max(known.last_op);
            }
        }
    }
    if !missing.is_empty() {
        return Ok(Judgement::Missing(missing));
    }
    if content.start_op != last_op + 1 {
        return Ok(Judgement::Refused(Refusal::StartOp {
            expected: last_op + 1,
            found: content.start_op,
        }));
    }
    let expected = clock.get(&content.actor).copied().unwrap_or(0) + 1;
    if content.seq != expected {
        return Ok(Judgement::Refused(Refusal::Sequence {
            expected,
            found: content.seq,
        }));
    }
    if let Some(other) = history.at_sequence(content.actor, content.seq)? {
        return Ok(Judgement::Refused(Refusal::Equivocation(other)));
    }
    let past = Past {
        change,
        clock,
        history,
    };
    let mut touches = BTreeSet::new();
    for (index, op) in content.ops.iter().enumerate() {
        match past.judge_op(index, op)? {
            Ok(touch) => touches.insert(touch),
            Err(refusal) => return Ok(Judgement::Refused(refusal)),
        };
    }
    Ok(Judgement::Passed(touches.into_iter().collect()))
}

/// The past of one change: what its dependencies hold, and its own operations so far.
struct Past<'a, H: ?Sized> {
    change: &'a DecodedChange,
    clock: Clock,
    history: &'a H,
}

impl<H: History + ?Sized> Past<'_, H> {
    fn judge_op(&self, index: usize, op: &Op) -> Result<Result<Touch, Refusal>, H::Error> {
        let touch = match self.touch(op)? {
            Some(touch) => touch,
            None => return Ok(Err(Refusal::NotInPast(index))),
        };
        for pred in &op.pred {
            match self.find(index, *pred)? {
                None => return Ok(Err(Refusal::NotInPast(index))),
                Some(written) if !is_replaceable(op, *pred, &written) => {
                    return Ok(Err(Refusal::OtherTarget(index)));
                }
                Some(_) => {}
            }
        }
        if let (true, Key::Element(element)) = (op.insert, &op.key) {
            match self.find(index, *element)? {
                None => return Ok(Err(Refusal::NotInPast(index))),
                Some(written) if !written.insert || written.object != op.object => {
                    return Ok(Err(Refusal::OtherTarget(index)));
                }
                Some(_) => {}
            }
        }
        Ok(Ok(touch))
    }

    /// What the operation writes; `None` when its object is not in the past. The shape was checked,
    /// so the only object that can be missing is a text.
    fn touch(&self, op: &Op) -> Result<Option<Touch>, H::Error> {
        let key = || match &op.key {
            Key::Map(key) => key.clone(),
            Key::Head | Key::Element(_) => String::new(),
        };
        Ok(match op.object.and_then(place) {
            Some(Place::Table(Table::Cells)) => Some(Touch::Cell(key())),
            Some(Place::Table(Table::Notes)) => Some(match MarginKey::of(&key()) {
                Some((code, MarginKey::Comment(..))) => Touch::Comment(code.to_owned()),
                Some((_, MarginKey::Note | MarginKey::Source | MarginKey::Reason(_))) | None => {
                    Touch::Note(key())
                }
            }),
            Some(Place::Table(Table::Meta)) => Some(Touch::TemplateVersion),
            Some(Place::Table(Table::SignOffs)) => match &op.value {
                Value::Bytes(bytes) => SignOff::decode(bytes)
                    .ok()
                    .map(|sign_off| Touch::SignOff(sign_off.statement.byte())),
                Value::Null | Value::False | Value::Int(_) | Value::Text(_) => None,
            },
            Some(Place::Table(Table::Attachments)) => Some(Touch::Attachment(key())),
            Some(Place::Text(actor)) if self.clock.contains_key(&actor) => {
                self.history.section(actor)?.map(Touch::Narrative)
            }
            Some(Place::Text(_) | Place::Table(Table::Narrative)) | None => None,
        })
    }

    /// The operation of this name, if the past of operation `before` of this change holds it.
    fn find(&self, before: usize, id: OpId) -> Result<Option<Written>, H::Error> {
        let content = &self.change.content;
        if id.actor == content.actor && id.counter >= content.start_op {
            let op = usize::try_from(id.counter - content.start_op)
                .ok()
                .filter(|index| *index < before)
                .and_then(|index| content.ops.get(index));
            return Ok(op.map(|op| Written {
                seq: content.seq,
                object: op.object,
                key: op.key.clone(),
                insert: op.insert,
                action: op.action,
            }));
        }
        let Some(last) = self.clock.get(&id.actor) else {
            return Ok(None);
        };
        let written = self.history.operation(id)?;
        Ok(written.filter(|written| written.seq <= *last))
    }
}

/// True when `op` may replace what the operation `id` wrote.
fn is_replaceable(op: &Op, id: OpId, written: &Written) -> bool {
    let same_place = match &op.key {
        Key::Map(_) => !written.insert && written.key == op.key,
        Key::Element(element) => written.insert && *element == id,
        Key::Head => false,
    };
    same_place && written.object == op.object && written.action == Action::Put
}
