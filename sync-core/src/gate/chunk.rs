//! The change chunk: its bytes to operations and back, as Automerge lays them out.
//!
//! ```text
//! 85 6f 4a 83 | first four bytes of the hash | 01 | length | body
//! hash = SHA-256 over 01, length, body
//! body = dependencies, actor, sequence, start_op, time (signed), message, other actors,
//!        column list (specification, length), the columns one after the other
//! ```
//!
//! Parsing is lenient where leniency is harmless: [`super::decode`] compares a re-encoding, so only
//! the one canonical form survives. Nothing is allocated in proportion to a number that was merely
//! claimed.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::column::{
    Booleans, Differences, Runs, read_signed, read_unsigned, write_booleans, write_differences,
    write_runs, write_signed, write_unsigned,
};
use super::{Action, ChangeContent, GateError, Key, Op, OpId, Value};
use crate::codec::Reader;
use crate::identity::{ActorId, ChangeHash};
use crate::limits;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_TYPE_CHANGE: u8 = 1;

/// Predecessors of an operation, or dependencies of a change, that are given room at once: one is the
/// rule, and a claimed number is only believed so far.
const USUAL_PREDECESSORS: usize = 4;

/// Column specifications: column id in the upper bits, kind of column in the lower three.
mod specification {
    pub(super) const OBJECT_ACTOR: u64 = 1;
    pub(super) const OBJECT_COUNTER: u64 = 2;
    pub(super) const KEY_ACTOR: u64 = 17;
    pub(super) const KEY_COUNTER: u64 = 19;
    pub(super) const KEY_STRING: u64 = 21;
    pub(super) const INSERT: u64 = 52;
    pub(super) const ACTION: u64 = 66;
    pub(super) const VALUE_KIND: u64 = 86;
    pub(super) const VALUE: u64 = 87;
    pub(super) const PRED_COUNT: u64 = 112;
    pub(super) const PRED_ACTOR: u64 = 113;
    pub(super) const PRED_COUNTER: u64 = 115;
}

/// Kinds of value, the lower four bits of a value's description; the upper bits are its length.
mod kind {
    pub(super) const NULL: u64 = 0;
    pub(super) const FALSE: u64 = 1;
    pub(super) const INT: u64 = 4;
    pub(super) const TEXT: u64 = 6;
    pub(super) const BYTES: u64 = 7;
}

/// Reads a change chunk and computes its hash. Neither the canonical form nor the operations are
/// judged: see [`super::decode`] for what may come from outside.
///
/// # Errors
/// [`GateError`], apart from its operation, canonical and typing-time cases.
pub fn parse(bytes: &[u8]) -> Result<(ChangeContent, ChangeHash), GateError> {
    let (body, hash) = open(bytes)?;
    let mut from = Reader::new(body);
    let deps = read_dependencies(&mut from)?;
    let actor = read_actor(&mut from)?;
    let seq = read_unsigned(&mut from, "sequence")?;
    let start_op = read_unsigned(&mut from, "start_op")?;
    let time = read_signed(&mut from, "time")?;
    let message = from
        .text(limits::MESSAGE_BYTES_MAX, "message")
        .map_err(|_| GateError::Malformed("message"))?
        .to_owned();
    let mut actors = vec![actor];
    let others = read_count(&mut from, limits::ACTORS_PER_CHANGE_MAX, "other actors")?;
    for _ in 0..others {
        actors.push(read_actor(&mut from)?);
    }
    let ops = Columns::read(&mut from)?.operations(&actors)?;
    let last = start_op.checked_add(ops.len() as u64);
    if start_op == 0 || seq == 0 {
        return Err(GateError::Malformed("numbers"));
    }
    if last.is_none_or(|last| last > limits::OPERATION_NUMBER_MAX) {
        return Err(GateError::Limit("operation number"));
    }
    let content = ChangeContent {
        actor,
        seq,
        start_op,
        time,
        message,
        deps,
        ops,
    };
    Ok((content, hash))
}

/// Checks the envelope and gives the body and the hash.
fn open(bytes: &[u8]) -> Result<(&[u8], ChangeHash), GateError> {
    if bytes.len() > limits::CHANGE_BYTES_MAX {
        return Err(GateError::Limit("bytes"));
    }
    let mut from = Reader::new(bytes);
    let envelope = |_| GateError::Malformed("envelope");
    let magic: [u8; 4] = from.array("magic").map_err(|_| GateError::Magic)?;
    if magic != MAGIC {
        return Err(GateError::Magic);
    }
    let checksum: [u8; 4] = from.array("checksum").map_err(envelope)?;
    let chunk_type = from.u8("chunk type").map_err(envelope)?;
    if chunk_type != CHUNK_TYPE_CHANGE {
        return Err(GateError::ChunkType(chunk_type));
    }
    let length = from.var("length").map_err(envelope)?;
    let body = from.rest();
    if body.len() as u64 != length {
        return Err(GateError::Malformed("envelope"));
    }
    let hash = hash_of(body);
    if !hash.0.starts_with(&checksum) {
        return Err(GateError::Checksum);
    }
    Ok((body, hash))
}

/// True if these are the bytes that a change hash names: every byte of a chunk is covered.
pub(crate) fn is_named(hash: &ChangeHash, bytes: &[u8]) -> bool {
    let checksum = hash.0.first_chunk::<4>();
    let mut from = Reader::new(bytes);
    from.array("magic") == Ok(MAGIC)
        && from.array("checksum").ok().as_ref() == checksum
        && hash.0 == <[u8; 32]>::from(Sha256::digest(from.rest()))
}

fn hash_of(body: &[u8]) -> ChangeHash {
    let mut front = vec![CHUNK_TYPE_CHANGE];
    write_unsigned(&mut front, body.len() as u64);
    let mut hasher = Sha256::new();
    hasher.update(&front);
    hasher.update(body);
    ChangeHash(hasher.finalize().into())
}

fn read_count(from: &mut Reader<'_>, max: usize, what: &'static str) -> Result<usize, GateError> {
    let count = read_unsigned(from, what)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= max)
        .ok_or(GateError::Limit(what))
}

fn read_dependencies(from: &mut Reader<'_>) -> Result<Vec<ChangeHash>, GateError> {
    let count = read_count(from, limits::DEPENDENCIES_MAX, "dependencies")?;
    let mut deps = Vec::with_capacity(count.min(USUAL_PREDECESSORS));
    for _ in 0..count {
        let dep = from.array("dependency");
        deps.push(ChangeHash(
            dep.map_err(|_| GateError::Malformed("dependencies"))?,
        ));
    }
    Ok(deps)
}

fn read_actor(from: &mut Reader<'_>) -> Result<ActorId, GateError> {
    if read_unsigned(from, "actor")? != ActorId::BYTES as u64 {
        return Err(GateError::Malformed("actor"));
    }
    from.array("actor")
        .map(ActorId)
        .map_err(|_| GateError::Malformed("actor"))
}

/// The bytes of each column; one that is left out is empty.
#[derive(Default)]
struct Columns<'a> {
    object_actor: &'a [u8],
    object_counter: &'a [u8],
    key_actor: &'a [u8],
    key_counter: &'a [u8],
    key_string: &'a [u8],
    insert: &'a [u8],
    action: &'a [u8],
    value_kind: &'a [u8],
    value: &'a [u8],
    pred_count: &'a [u8],
    pred_actor: &'a [u8],
    pred_counter: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Reads the column list and the columns; nothing may be left over.
    fn read(from: &mut Reader<'a>) -> Result<Self, GateError> {
        let malformed = GateError::Malformed("columns");
        let count = read_count(from, 12, "columns")?;
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            let specification = read_unsigned(from, "columns")?;
            let length = usize::try_from(read_unsigned(from, "columns")?).map_err(|_| malformed)?;
            list.push((specification, length));
        }
        if !list.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(malformed);
        }
        let mut columns = Self::default();
        for (specification, length) in list {
            let bytes = from.raw(length, "columns").map_err(|_| malformed)?;
            *columns.slot(specification)? = bytes;
        }
        from.end("columns").map_err(|_| malformed)?;
        Ok(columns)
    }

    fn slot(&mut self, specification: u64) -> Result<&mut &'a [u8], GateError> {
        Ok(match specification {
            specification::OBJECT_ACTOR => &mut self.object_actor,
            specification::OBJECT_COUNTER => &mut self.object_counter,
            specification::KEY_ACTOR => &mut self.key_actor,
            specification::KEY_COUNTER => &mut self.key_counter,
            specification::KEY_STRING => &mut self.key_string,
            specification::INSERT => &mut self.insert,
            specification::ACTION => &mut self.action,
            specification::VALUE_KIND => &mut self.value_kind,
            specification::VALUE => &mut self.value,
            specification::PRED_COUNT => &mut self.pred_count,
            specification::PRED_ACTOR => &mut self.pred_actor,
            specification::PRED_COUNTER => &mut self.pred_counter,
            _ => return Err(GateError::Malformed("column specification")),
        })
    }

    fn operations(&self, actors: &[ActorId]) -> Result<Vec<Op>, GateError> {
        let mut rows = Rows::new(self, actors);
        let mut ops = Vec::new();
        while !rows.action.done() {
            if ops.len() == limits::OPERATIONS_PER_CHANGE_MAX {
                return Err(GateError::Limit("operations"));
            }
            ops.push(rows.next()?);
        }
        rows.end()?;
        Ok(ops)
    }
}

/// Reads all columns row by row.
struct Rows<'a, 'b> {
    actors: &'b [ActorId],
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Differences<'a>,
    key_string: Runs<'a, &'a str>,
    insert: Booleans<'a>,
    action: Runs<'a, u64>,
    value_kind: Runs<'a, u64>,
    value: Reader<'a>,
    pred_count: Runs<'a, u64>,
    pred_actor: Runs<'a, u64>,
    pred_counter: Differences<'a>,
    pred_left: usize,
}

impl<'a, 'b> Rows<'a, 'b> {
    fn new(columns: &Columns<'a>, actors: &'b [ActorId]) -> Self {
        Self {
            actors,
            object_actor: Runs::new(columns.object_actor, "object actor"),
            object_counter: Runs::new(columns.object_counter, "object counter"),
            key_actor: Runs::new(columns.key_actor, "key actor"),
            key_counter: Differences::new(columns.key_counter, "key counter"),
            key_string: Runs::new(columns.key_string, "key"),
            insert: Booleans::new(columns.insert, "insert"),
            action: Runs::new(columns.action, "action"),
            value_kind: Runs::new(columns.value_kind, "value kind"),
            value: Reader::new(columns.value),
            pred_count: Runs::new(columns.pred_count, "predecessor count"),
            pred_actor: Runs::new(columns.pred_actor, "predecessor actor"),
            pred_counter: Differences::new(columns.pred_counter, "predecessor counter"),
            pred_left: limits::PREDECESSORS_PER_CHANGE_MAX,
        }
    }

    fn next(&mut self) -> Result<Op, GateError> {
        let action = match self.action.required()? {
            0 => Action::MakeMap,
            1 => Action::Put,
            3 => Action::Delete,
            4 => Action::MakeText,
            _ => return Err(GateError::Malformed("action")),
        };
        Ok(Op {
            object: self.object()?,
            key: self.key()?,
            insert: self.insert.next()?,
            action,
            value: self.value()?,
            pred: self.pred()?,
        })
    }

    fn object(&mut self) -> Result<Option<OpId>, GateError> {
        match (self.object_actor.next()?, self.object_counter.next()?) {
            (None, None) => Ok(None),
            (Some(actor), Some(counter)) => self.op_id(actor, counter).map(Some),
            (Some(_), None) | (None, Some(_)) => Err(GateError::Malformed("object")),
        }
    }

    fn key(&mut self) -> Result<Key, GateError> {
        let malformed = GateError::Malformed("key");
        let actor = self.key_actor.next()?;
        let counter = self.key_counter.next()?;
        let string = self.key_string.next()?;
        match (actor, counter, string) {
            (None, None, Some(string)) if string.len() > limits::KEY_BYTES_MAX => {
                Err(GateError::Limit("key"))
            }
            (None, None, Some(string)) => Ok(Key::Map(string.to_owned())),
            (None, Some(0), None) => Ok(Key::Head),
            (Some(actor), Some(counter), None) => {
                let counter = u64::try_from(counter).map_err(|_| malformed)?;
                self.op_id(actor, counter).map(Key::Element)
            }
            (_, _, _) => Err(malformed),
        }
    }

    fn value(&mut self) -> Result<Value, GateError> {
        let malformed = GateError::Malformed("value");
        let description = self.value_kind.required()?;
        let length = usize::try_from(description >> 4).map_err(|_| malformed)?;
        let bytes = self.value.raw(length, "value").map_err(|_| malformed)?;
        if length > limits::TEXT_BYTES_MAX {
            return Err(GateError::Limit("value"));
        }
        match description & 0b1111 {
            kind::NULL if length == 0 => Ok(Value::Null),
            kind::FALSE if length == 0 => Ok(Value::False),
            kind::INT => {
                let mut from = Reader::new(bytes);
                let value = read_signed(&mut from, "value")?;
                from.end("value").map_err(|_| malformed)?;
                Ok(Value::Int(value))
            }
            kind::TEXT => std::str::from_utf8(bytes)
                .map(|text| Value::Text(text.to_owned()))
                .map_err(|_| malformed),
            kind::BYTES => Ok(Value::Bytes(bytes.to_vec())),
            _ => Err(GateError::Malformed("value kind")),
        }
    }

    fn pred(&mut self) -> Result<Vec<OpId>, GateError> {
        let count = usize::try_from(self.pred_count.required()?)
            .ok()
            .filter(|count| *count <= self.pred_left)
            .ok_or(GateError::Limit("predecessors"))?;
        self.pred_left -= count;
        let mut pred = Vec::with_capacity(count.min(USUAL_PREDECESSORS));
        for _ in 0..count {
            let actor = self.pred_actor.required()?;
            let counter = self
                .pred_counter
                .next()?
                .and_then(|counter| u64::try_from(counter).ok())
                .ok_or(GateError::Malformed("predecessor counter"))?;
            pred.push(self.op_id(actor, counter)?);
        }
        Ok(pred)
    }

    fn op_id(&self, actor: u64, counter: u64) -> Result<OpId, GateError> {
        let actor = usize::try_from(actor)
            .ok()
            .and_then(|index| self.actors.get(index))
            .ok_or(GateError::Malformed("actor index"))?;
        if counter == 0 || counter > limits::OPERATION_NUMBER_MAX {
            return Err(GateError::Malformed("operation id"));
        }
        Ok(OpId {
            counter,
            actor: *actor,
        })
    }

    /// Refuses rows beyond the last operation.
    fn end(&self) -> Result<(), GateError> {
        let done = self.object_actor.done()
            && self.object_counter.done()
            && self.key_actor.done()
            && self.key_counter.done()
            && self.key_string.done()
            && self.insert.done()
            && self.value_kind.done()
            && self.value.is_empty()
            && self.pred_count.done()
            && self.pred_actor.done()
            && self.pred_counter.done();
        if done {
            Ok(())
        } else {
            Err(GateError::Malformed("column lengths"))
        }
    }
}

/// The canonical bytes of a change and its hash: exactly what Automerge writes for this content.
pub fn encode(content: &ChangeContent) -> (Vec<u8>, ChangeHash) {
    let others = other_actors(content);
    let mut body = Vec::with_capacity(256);
    write_unsigned(&mut body, content.deps.len() as u64);
    for dep in &content.deps {
        body.extend_from_slice(&dep.0);
    }
    write_actor(&mut body, &content.actor);
    write_unsigned(&mut body, content.seq);
    write_unsigned(&mut body, content.start_op);
    write_signed(&mut body, content.time);
    write_unsigned(&mut body, content.message.len() as u64);
    body.extend_from_slice(content.message.as_bytes());
    write_unsigned(&mut body, others.len() as u64);
    for actor in &others {
        write_actor(&mut body, actor);
    }
    write_columns(&mut body, content, &others);

    let hash = hash_of(&body);
    let mut bytes = Vec::with_capacity(body.len() + 16);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend(hash.0.iter().take(4));
    bytes.push(CHUNK_TYPE_CHANGE);
    write_unsigned(&mut bytes, body.len() as u64);
    bytes.extend_from_slice(&body);
    (bytes, hash)
}

fn write_actor(out: &mut Vec<u8>, actor: &ActorId) {
    write_unsigned(out, ActorId::BYTES as u64);
    out.extend_from_slice(&actor.0);
}

/// Every actor but the author that an operation names, ascending.
fn other_actors(content: &ChangeContent) -> Vec<ActorId> {
    let mut actors = BTreeSet::new();
    let mut see = |id: &OpId| {
        if id.actor != content.actor {
            actors.insert(id.actor);
        }
    };
    for op in &content.ops {
        op.object.iter().for_each(&mut see);
        if let Key::Element(id) = &op.key {
            see(id);
        }
        op.pred.iter().for_each(&mut see);
    }
    actors.into_iter().collect()
}

fn write_columns(body: &mut Vec<u8>, content: &ChangeContent, others: &[ActorId]) {
    let index = |actor: &ActorId| match others.binary_search(actor) {
        Ok(at) => at as u64 + 1,
        // The only actor that is not among the others is the author.
        Err(_) => 0,
    };
    let mut list = Vec::with_capacity(12);
    let mut data = Vec::with_capacity(256);
    let mut end = |specification: u64, data: &mut Vec<u8>, start: usize| {
        if data.len() > start {
            list.push((specification, data.len() - start));
        }
        data.len()
    };
    let ops = &content.ops;
    let objects = || ops.iter().map(|op| op.object.as_ref());
    let elements = || {
        ops.iter().map(|op| match &op.key {
            Key::Element(id) => Some(id),
            Key::Map(_) | Key::Head => None,
        })
    };
    let preds = || ops.iter().flat_map(|op| &op.pred);

    write_runs(
        &mut data,
        &rows(objects().map(|id| id.map(|id| index(&id.actor)))),
    );
    let at = end(specification::OBJECT_ACTOR, &mut data, 0);
    write_runs(
        &mut data,
        &rows(objects().map(|id| id.map(|id| id.counter))),
    );
    let at = end(specification::OBJECT_COUNTER, &mut data, at);
    write_runs(
        &mut data,
        &rows(elements().map(|id| id.map(|id| index(&id.actor)))),
    );
    let at = end(specification::KEY_ACTOR, &mut data, at);
    write_differences(&mut data, &rows(ops.iter().map(|op| key_counter(&op.key))));
    let at = end(specification::KEY_COUNTER, &mut data, at);
    write_runs(&mut data, &rows(ops.iter().map(|op| key_string(&op.key))));
    let at = end(specification::KEY_STRING, &mut data, at);
    let inserts: Vec<bool> = ops.iter().map(|op| op.insert).collect();
    write_booleans(&mut data, &inserts);
    let at = end(specification::INSERT, &mut data, at);
    write_runs(
        &mut data,
        &rows(ops.iter().map(|op| Some(action_number(op.action)))),
    );
    let at = end(specification::ACTION, &mut data, at);
    let mut raw = Vec::new();
    let kinds = rows(ops.iter().map(|op| Some(write_value(&mut raw, &op.value))));
    write_runs(&mut data, &kinds);
    let at = end(specification::VALUE_KIND, &mut data, at);
    data.extend_from_slice(&raw);
    let at = end(specification::VALUE, &mut data, at);
    write_runs(
        &mut data,
        &rows(ops.iter().map(|op| Some(op.pred.len() as u64))),
    );
    let at = end(specification::PRED_COUNT, &mut data, at);
    write_runs(&mut data, &rows(preds().map(|id| Some(index(&id.actor)))));
    let at = end(specification::PRED_ACTOR, &mut data, at);
    write_differences(&mut data, &rows(preds().map(|id| Some(id.counter as i64))));
    end(specification::PRED_COUNTER, &mut data, at);

    write_unsigned(body, list.len() as u64);
    for (specification, length) in list {
        write_unsigned(body, specification);
        write_unsigned(body, length as u64);
    }
    body.extend_from_slice(&data);
}

fn rows<T>(items: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    items.collect()
}

fn key_counter(key: &Key) -> Option<i64> {
    match key {
        Key::Map(_) => None,
        Key::Head => Some(0),
        Key::Element(id) => Some(id.counter as i64),
    }
}

fn key_string(key: &Key) -> Option<&str> {
    match key {
        Key::Map(string) => Some(string),
        Key::Head | Key::Element(_) => None,
    }
}

fn action_number(action: Action) -> u64 {
    match action {
        Action::MakeMap => 0,
        Action::Put => 1,
        Action::Delete => 3,
        Action::MakeText => 4,
    }
}

/// Appends the value's bytes and gives its description.
fn write_value(raw: &mut Vec<u8>, value: &Value) -> u64 {
    let start = raw.len();
    let kind = match value {
        Value::Null => kind::NULL,
        Value::False => kind::FALSE,
        Value::Int(value) => {
            write_signed(raw, *value);
            kind::INT
        }
        Value::Text(text) => {
            raw.extend_from_slice(text.as_bytes());
            kind::TEXT
        }
        Value::Bytes(bytes) => {
            raw.extend_from_slice(bytes);
            kind::BYTES
        }
    };
    (((raw.len() - start) as u64) << 4) | kind
}
