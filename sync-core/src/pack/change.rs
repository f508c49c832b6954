//! Changes of an exchange: from what both sides hold and what is told, the very bytes again.

use super::batch::Exchange;
use super::coder::Pipe;
use super::ground::{KnownDocument, Puts};
use super::model::Symbol;
use super::op::{At, shape, shape_of, tag};
use super::strings::{bytes, letters};
use super::{Own, Trouble};
use crate::document::root::{GENESIS_LAST_OP, extension_actor};
use crate::document::{Capacity, SignOff, Statement, Table};
use crate::gate::{
    self, Action, ChangeContent, DecodedChange, Key, Op, OpId, Place, Value, place, typing_message,
};
use crate::identity::{ActorId, ChangeHash, DocumentId};
use crate::limits;

/// Bytes of the hash of a change.
const HASH_BYTES: usize = 32;

/// Kinds of value.
mod kind {
    pub(super) const NULL: u64 = 0;
    pub(super) const FALSE: u64 = 1;
    pub(super) const INTEGER: u64 = 2;
    pub(super) const TEXT: u64 = 3;
    pub(super) const BYTES: u64 = 4;
}

/// Where a dependency is found.
mod found {
    pub(super) const CANDIDATE: u64 = 0;
    pub(super) const GENESIS: u64 = 1;
    pub(super) const EXTENSION: u64 = 2;
    pub(super) const NOWHERE: u64 = 3;
}

impl<P: Pipe> Exchange<'_, P> {
    /// Carries a symbol of so many bits, expected by what it is about.
    fn symbol(
        &mut self,
        what: (&'static str, u64),
        bits: u32,
        given: Option<u64>,
    ) -> Result<u64, Trouble> {
        let model = self.ops.symbols.entry(what);
        let model = model.or_insert_with(|| Symbol::new(bits));
        model.code(&mut self.pipe, given.unwrap_or_default())
    }

    /// Carries a change and its hash.
    pub(super) fn change(
        &mut self,
        document: DocumentId,
        chain: ActorId,
        given: Option<(&[u8], ChangeHash)>,
    ) -> Result<(Vec<u8>, ChangeHash), Trouble> {
        let bytes = given.map(|(bytes, _)| bytes);
        let plan = match self.documents.contains_key(&document) {
            true => bytes.and_then(|bytes| plan(self.own.as_ref(), bytes)),
            false => None,
        };
        let (bytes, computed) = if self.flag("change taken apart", plan.is_some())? {
            let held = self.documents.remove(&document);
            let mut held = held.ok_or(Trouble::Malformed("document"))?;
            let content = self.content(&mut held, chain, plan.as_ref())?;
            let (bytes, hash) = gate::encode(&content);
            self.pipe.budget().keep("changes unpacked", bytes.len())?;
            if bytes.len() > limits::CHANGE_BYTES_MAX {
                return Err(Trouble::Limit("bytes of a change"));
            }
            held.push(&content, hash);
            self.documents.insert(document, held);
            (bytes, Some(hash))
        } else {
            let bytes = self.raw(limits::CHANGE_BYTES_MAX, bytes)?;
            let decoded = gate::decode(&bytes).ok();
            if let (Some(decoded), Some(held)) = (&decoded, self.documents.get_mut(&document)) {
                held.push(&decoded.content, decoded.hash);
            }
            (bytes, decoded.map(|decoded| decoded.hash))
        };
        let hash = given.map(|(_, hash)| hash);
        let follows = self.flag("hash follows", computed.is_some() && computed == hash)?;
        let hash = match (follows, computed) {
            (true, Some(computed)) => computed,
            (true, None) => return Err(Trouble::Malformed("change")),
            (false, _) => ChangeHash(self.pipe.array(hash.as_ref().map(|hash| &hash.0))?),
        };
        Ok((bytes, hash))
    }

    fn content(
        &mut self,
        held: &mut KnownDocument,
        chain: ActorId,
        given: Option<&DecodedChange>,
    ) -> Result<ChangeContent, Trouble> {
        let content = given.map(|change| &change.content);
        let is_own = self.flag("actor", content.is_some_and(|one| one.actor == chain))?;
        let actor = match is_own {
            true => chain,
            false => ActorId(self.pipe.array(content.map(|content| &content.actor.0))?),
        };
        let deps = self.dependencies(held, content.map(|content| content.deps.as_slice()))?;
        self.signing.clone_from(&deps);
        let last = deps.iter().map(|dep| held.last_op(dep)).max();
        let expected = last.unwrap_or_default() + 1;
        let start_op = self.differs("start op", expected, content.map(|one| one.start_op))?;
        if !(1..=limits::OPERATION_NUMBER_MAX).contains(&start_op) {
            return Err(Trouble::Limit("operation number"));
        }
        let expected = held.last_sequence(actor).saturating_add(1);
        let seq = self.differs("sequence", expected, content.map(|one| one.seq))?;
        let count = content.map(|content| content.ops.len());
        let count = self.count("operations", limits::OPERATIONS_PER_CHANGE_MAX, count)?;
        self.pipe.budget().operate(count)?;
        let mut at = At::new(actor, start_op);
        let mut times = Vec::new();
        for index in 0..count {
            let key = at.key.clone();
            let op = content.and_then(|content| content.ops.get(index));
            self.op(held, &mut at, op)?;
            let time = given.and_then(|change| change.typed_at.get(index));
            let what = match (index, at.shape, at.key == key) {
                (0, _, _) => "typed first",
                (_, shape::AFTER | shape::INSERT | shape::DELETE, _) => "typed in a text",
                (_, _, true) => "typed at the same key",
                (_, _, false) => "typed",
            };
            let before = self.last_time as u64;
            self.last_time = self.differs(what, before, time.map(|time| *time as u64))? as i64;
            times.push(self.last_time);
        }
        let (time, message) = typing_message(&times);
        Ok(ChangeContent {
            actor,
            seq,
            start_op,
            time,
            message,
            deps,
            ops: at.ops,
        })
    }

    fn dependencies(
        &mut self,
        held: &KnownDocument,
        given: Option<&[ChangeHash]>,
    ) -> Result<Vec<ChangeHash>, Trouble> {
        let heads = || held.heads.iter().copied();
        let as_expected = given.is_some_and(|given| heads().eq(given.iter().copied()));
        if self.flag("on all heads", as_expected)? {
            return Ok(heads().collect());
        }
        let count = self.count(
            "dependencies",
            limits::DEPENDENCIES_MAX,
            given.map(<[_]>::len),
        )?;
        let mut deps = Vec::new();
        for index in 0..count {
            let dep = given.and_then(|given| given.get(index));
            self.pipe.budget().keep("hashes unpacked", HASH_BYTES)?;
            deps.push(self.dependency(held, dep)?);
        }
        Ok(deps)
    }

    fn dependency(
        &mut self,
        held: &KnownDocument,
        given: Option<&ChangeHash>,
    ) -> Result<ChangeHash, Trouble> {
        let rank = given.and_then(|dep| held.rank_of(dep));
        let section = given.and_then(|dep| held.extensions.get(dep));
        let where_to = match (rank, section, given) {
            (Some(_), _, _) => found::CANDIDATE,
            (None, Some(_), _) => found::EXTENSION,
            (None, None, Some(dep)) if *dep == held.genesis => found::GENESIS,
            (None, None, _) => found::NOWHERE,
        };
        Ok(match self.symbol(("dependency", 0), 2, Some(where_to))? {
            found::CANDIDATE => {
                let rank = self.number("dependency", rank.map(|rank| rank as u64))?;
                let rank = usize::try_from(rank).ok();
                let candidate = rank.and_then(|rank| held.ranked(rank));
                candidate.ok_or(Trouble::Missing("dependency"))?.hash
            }
            found::GENESIS => held.genesis,
            found::EXTENSION => {
                let name = self.section(section.map(String::as_str))?;
                let extension = crate::document::extension_change(held.subject(), &name);
                let extension = extension.ok_or(Trouble::Malformed("section"))?;
                extension.built.hash
            }
            _ => ChangeHash(self.pipe.array(given.map(|dep| &dep.0))?),
        })
    }

    /// Carries the next operation of a change.
    fn op(
        &mut self,
        held: &mut KnownDocument,
        at: &mut At,
        given: Option<&Op>,
    ) -> Result<(), Trouble> {
        let replaced = match given {
            Some(op) => self.replaced(held, at, op)?,
            None => None,
        };
        let form = given.map(|op| shape_of(op, at, replaced.is_some()));
        let form = self.symbol(("shape", at.shape * 8 + tag(at.table)), 3, form)?;
        at.shape = form;
        let op = match form {
            shape::REPLACE => self.replace(held, at, given, replaced)?,
            shape::WRITE => self.put(at, given, Vec::new())?,
            shape::SETTLE => {
                let pred = given.map(|op| op.pred.as_slice());
                let most = limits::DEPENDENCIES_MAX;
                let count = self.count("predecessors", most, pred.map(<[_]>::len))?;
                self.pipe.budget().operate(count)?;
                let mut all = Vec::new();
                for index in 0..count {
                    let pred = pred.and_then(|pred| pred.get(index));
                    all.push(self.reference(held, at, pred.copied())?);
                }
                self.put(at, given, all)?
            }
            shape::AFTER | shape::INSERT | shape::DELETE => {
                self.in_text(held, at, (form, given))?
            }
            _ => return Err(Trouble::Malformed("shape of an operation")),
        };
        if let (Some(Place::Table(table)), Key::Map(key)) = (op.object.and_then(place), &op.key) {
            at.own.push(table, key, at.next().counter);
            (at.table, at.key) = (Some(table), Some(key.clone()));
        }
        at.ops.push(op);
        Ok(())
    }

    /// The rank and place of the one operation that this one replaces, if both sides can find it: rank
    /// 0 is the change itself.
    fn replaced(
        &self,
        held: &mut KnownDocument,
        at: &At,
        op: &Op,
    ) -> Result<Option<(usize, usize)>, Trouble> {
        let (Some(Place::Table(table)), Key::Map(key), [pred]) =
            (op.object.and_then(place), &op.key, op.pred.as_slice())
        else {
            return Ok(None);
        };
        let rank = match pred.actor == at.actor && pred.counter >= at.start_op {
            true => 0,
            false => match held.rank_of_holder(*pred) {
                Some(rank) => rank + 1,
                None => return Ok(None),
            },
        };
        let puts = match rank.checked_sub(1) {
            None => Some(&at.own),
            Some(rank) => held.puts(rank, self.ground)?,
        };
        let found = puts.and_then(|puts| Some((puts, puts.place(pred.counter)?)));
        Ok(found.and_then(|(puts, place)| {
            let same = puts.at(table, place) == Some((key.as_str(), pred.counter));
            same.then_some((rank, place))
        }))
    }

    fn replace(
        &mut self,
        held: &mut KnownDocument,
        at: &mut At,
        given: Option<&Op>,
        replaced: Option<(usize, usize)>,
    ) -> Result<Op, Trouble> {
        let rank = self.number("holder", replaced.map(|(rank, _)| rank as u64))?;
        let rank = usize::try_from(rank).map_err(|_| Trouble::Missing("change"))?;
        let actor = match rank.checked_sub(1) {
            None => at.actor,
            Some(rank) => {
                let holder = held.ranked(rank).ok_or(Trouble::Missing("change"))?;
                holder.actor
            }
        };
        let table = self.table(at, given)?;
        let puts = match rank.checked_sub(1) {
            None => Some(&at.own),
            Some(rank) => held.puts(rank, self.ground)?,
        };
        let puts: &Puts = puts.ok_or(Trouble::Missing("change"))?;
        let place = replaced.map(|(_, place)| place);
        let place = self.place(at, table, puts.count(table), place)?;
        let (key, counter) = puts.at(table, place).ok_or(Trouble::Missing("operation"))?;
        let (key, pred) = (key.to_owned(), OpId { counter, actor });
        at.place = place;
        let value = self.value(table, given.map(|op| &op.value))?;
        Ok(put(table, key, value, vec![pred]))
    }

    /// Carries which of the operations on a table in one change: usually the one after the last, or
    /// the one beside it in another table.
    fn place(
        &mut self,
        at: &At,
        table: Table,
        count: usize,
        given: Option<usize>,
    ) -> Result<usize, Trouble> {
        const SAME: u64 = 0;
        const NEXT: u64 = 1;
        const ANY: u64 = 2;
        let how = given.map(|given| match given {
            given if given == at.place => SAME,
            given if given == at.place + 1 => NEXT,
            _ => ANY,
        });
        let about = tag(at.table) * 8 + tag(Some(table));
        let place = match self.symbol(("place", about), 2, how)? {
            SAME => at.place,
            NEXT => at.place + 1,
            ANY => {
                let model = self.ops.places.entry(Some(table)).or_default();
                model.code(&mut self.pipe, count, given.unwrap_or_default())?
            }
            _ => return Err(Trouble::Malformed("place")),
        };
        Ok(place)
    }

    fn table(&mut self, at: &At, given: Option<&Op>) -> Result<Table, Trouble> {
        let table = given.and_then(|op| op.object).and_then(place);
        let number = match table {
            Some(Place::Table(table)) => Some(tag(Some(table))),
            Some(Place::Text(_)) | None => None,
        };
        let number = self.symbol(("table", tag(at.table)), 3, number)?;
        Table::of_operation(number).ok_or(Trouble::Malformed("table"))
    }

    /// Carries a put whose key is told.
    fn put(&mut self, at: &At, given: Option<&Op>, pred: Vec<OpId>) -> Result<Op, Trouble> {
        let table = self.table(at, given)?;
        let key = match given.map(|op| &op.key) {
            Some(Key::Map(key)) => Some(key.as_str()),
            Some(Key::Head | Key::Element(_)) | None => None,
        };
        let about = tag(at.table) * 8 + tag(Some(table));
        let limit = (limits::KEY_BYTES_MAX, about as usize);
        let key = self.ops.codes.code(&mut self.pipe, limit, key)?;
        let value = self.value(table, given.map(|op| &op.value))?;
        Ok(put(table, key, value, pred))
    }

    /// Carries the name of an operation.
    fn reference(
        &mut self,
        held: &KnownDocument,
        at: &mut At,
        given: Option<OpId>,
    ) -> Result<OpId, Trouble> {
        let is_own = |id: &OpId| id.actor == at.actor && id.counter >= at.start_op;
        let rank = given.and_then(|id| match is_own(&id) {
            true => Some(0),
            false => held.rank_of_holder(id).map(|rank| rank + 1),
        });
        let actor = match self.flag("reference here", rank.is_some())? {
            true => {
                let rank = self.number("reference rank", rank.map(|rank| rank as u64))?;
                let rank = usize::try_from(rank).map_err(|_| Trouble::Missing("change"))?;
                match rank.checked_sub(1) {
                    None => (at.actor, at.start_op),
                    Some(rank) => {
                        let holder = held.ranked(rank).ok_or(Trouble::Missing("change"))?;
                        (holder.actor, holder.start_op)
                    }
                }
            }
            false => {
                let given = given.as_ref().map(|id| &id.actor.0);
                (ActorId(self.pipe.array(given)?), 1)
            }
        };
        let (actor, start) = actor;
        let expected = match at.named {
            Some(last) if last.actor == actor && last.counter >= start => last.counter + 1,
            Some(_) | None => start,
        };
        let counter = self.differs("reference", expected, given.map(|id| id.counter))?;
        if !(1..=limits::OPERATION_NUMBER_MAX).contains(&counter) {
            return Err(Trouble::Malformed("reference"));
        }
        let id = OpId { counter, actor };
        at.named = Some(id);
        Ok(id)
    }

    fn in_text(
        &mut self,
        held: &KnownDocument,
        at: &mut At,
        (form, given): (u64, Option<&Op>),
    ) -> Result<Op, Trouble> {
        let given_object = given.and_then(|op| op.object);
        let last = at.section.as_ref().map(|(_, object)| *object);
        let same = self.flag("same text", last.is_some() && last == given_object)?;
        if !same {
            let sections = self.own.as_ref().map(|own| &own.sections);
            let name = given_object.and_then(|object| sections?.get(&object.actor).cloned());
            let name = self.section(name.as_deref())?;
            let object = OpId {
                counter: GENESIS_LAST_OP + 1,
                actor: extension_actor(&name),
            };
            at.section = Some((name, object));
        }
        let section = at.section.as_ref().map(|(_, object)| *object);
        let object = section.ok_or(Trouble::Malformed("text"))?;
        let element = given.and_then(|op| match &op.key {
            Key::Element(id) => Some(*id),
            Key::Head | Key::Map(_) => None,
        });
        if form == shape::DELETE {
            let element = self.reference(held, at, element)?;
            return Ok(Op {
                object: Some(object),
                key: Key::Element(element),
                insert: false,
                action: Action::Delete,
                value: Value::Null,
                pred: vec![element],
            });
        }
        let key = if form == shape::AFTER {
            let before = at.inserted(object).ok_or(Trouble::Malformed("insertion"))?;
            Key::Element(before)
        } else if self.flag("at the front", given.is_some_and(|op| op.key == Key::Head))? {
            Key::Head
        } else {
            Key::Element(self.reference(held, at, element)?)
        };
        let text = given.and_then(|op| text_of(&op.value));
        let (length, model) = self.ops.texts.entry(None).or_default();
        let max = limits::TEXT_BYTES_MAX;
        let text = bytes(
            &mut self.pipe,
            (length, model),
            max,
            text.map(str::as_bytes),
        )?;
        let text = String::from_utf8(text).map_err(|_| Trouble::Malformed("text"))?;
        Ok(Op {
            object: Some(object),
            key,
            insert: true,
            action: Action::Put,
            value: Value::Text(text),
            pred: Vec::new(),
        })
    }

    fn value(&mut self, table: Table, given: Option<&Value>) -> Result<Value, Trouble> {
        let last = self.ops.kinds.get(&table).copied().unwrap_or(7);
        let about = tag(Some(table)) * 8 + last;
        let form = self.symbol(("value", about), 3, given.map(kind_of))?;
        self.ops.kinds.insert(table, form);
        Ok(match form {
            kind::NULL => Value::Null,
            kind::FALSE => Value::False,
            kind::INTEGER => {
                let integer = match given {
                    Some(Value::Int(integer)) => *integer,
                    Some(Value::Null | Value::False | Value::Text(_) | Value::Bytes(_)) | None => 0,
                };
                let model = self.ops.integers.entry(table).or_default();
                Value::Int(model.signed(&mut self.pipe, integer)?)
            }
            kind::TEXT => {
                let (length, model) = self.ops.texts.entry(Some(table)).or_default();
                let text = given.and_then(text_of);
                let max = limits::TEXT_BYTES_MAX;
                Value::Text(letters(&mut self.pipe, (length, model), max, text)?)
            }
            kind::BYTES => {
                let bytes = match given {
                    Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
                    Some(Value::Null | Value::False | Value::Text(_) | Value::Int(_)) | None => {
                        None
                    }
                };
                Value::Bytes(self.bytes_value(bytes)?)
            }
            _ => return Err(Trouble::Malformed("value")),
        })
    }

    /// Carries bytes that are usually a sign-off.
    fn bytes_value(&mut self, given: Option<&[u8]>) -> Result<Vec<u8>, Trouble> {
        let sign_off = given.and_then(|bytes| {
            let read = SignOff::decode(bytes).ok()?;
            (read.encode() == bytes).then_some(read)
        });
        if !self.flag("sign-off", sign_off.is_some())? {
            return self.raw(limits::TEXT_BYTES_MAX, given);
        }
        let statement = sign_off.as_ref().map(|one| one.statement.byte().into());
        let statement = self.symbol(("statement", 0), 3, statement)?;
        let capacity = sign_off.as_ref().map(|one| one.capacity.byte().into());
        let capacity = self.symbol(("capacity", 0), 2, capacity)?;
        let heads = sign_off.as_ref().map(|one| one.heads.as_slice());
        let on_deps = heads.is_some_and(|heads| self.signing.as_slice() == heads);
        let heads = match self.flag("signs what it saw", on_deps)? {
            true => self.signing.clone(),
            false => {
                let most = limits::DEPENDENCIES_MAX;
                let count = self.count("heads", most, heads.map(<[_]>::len))?;
                let mut all = Vec::new();
                for index in 0..count {
                    self.pipe.budget().keep("hashes unpacked", HASH_BYTES)?;
                    let head = heads.and_then(|heads| heads.get(index));
                    all.push(ChangeHash(self.pipe.array(head.map(|head| &head.0))?));
                }
                all
            }
        };
        let reason = sign_off.as_ref().map(|one| one.reason.as_str());
        let reason = self.words(limits::REASON_BYTES_MAX, reason)?;
        let malformed = Trouble::Malformed("sign-off");
        let statement = u8::try_from(statement).ok().and_then(Statement::of);
        let capacity = u8::try_from(capacity).ok().and_then(Capacity::of);
        Ok(SignOff {
            statement: statement.ok_or(malformed.clone())?,
            capacity: capacity.ok_or(malformed)?,
            heads,
            reason,
        }
        .encode())
    }
}

fn put(table: Table, key: String, value: Value, pred: Vec<OpId>) -> Op {
    Op {
        object: Some(table.object()),
        key: Key::Map(key),
        insert: false,
        action: Action::Put,
        value,
        pred,
    }
}

/// A change that can be told operation by operation: one that the gate lets through, in texts whose
/// names are known.
fn plan(own: Option<&Own>, bytes: &[u8]) -> Option<DecodedChange> {
    let change = gate::decode(bytes).ok()?;
    let told = |op: &Op| {
        op.pred.len() <= limits::DEPENDENCIES_MAX
            && match op.object.and_then(place) {
                Some(Place::Table(_)) => true,
                Some(Place::Text(actor)) => {
                    own.is_some_and(|own| own.sections.contains_key(&actor))
                }
                None => false,
            }
    };
    let all = change.content.deps.len() <= limits::DEPENDENCIES_MAX
        && change.content.ops.iter().all(told);
    all.then_some(change)
}

fn kind_of(value: &Value) -> u64 {
    match value {
        Value::Null => kind::NULL,
        Value::False => kind::FALSE,
        Value::Int(_) => kind::INTEGER,
        Value::Text(_) => kind::TEXT,
        Value::Bytes(_) => kind::BYTES,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::False | Value::Int(_) | Value::Bytes(_) => None,
    }
}
