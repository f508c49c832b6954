//! The change index of one document: what must be known of its changes to judge the next one.
//!
//! About a hundred bytes a change, kept in chunks so that a new change rewrites one of them. It is
//! no document: no values, no Automerge.

use std::collections::BTreeMap;
use std::slice;

use super::{KeyspaceError, Write, keys};
use crate::batch::Partition;
use crate::codec::{DecodeError, Reader, Writer};
use crate::document::{Extension, Subject, extension_change};
use crate::gate::{
    Clock, DecodedChange, History, KnownChange, MemoryHistory, OpId, Written, merge,
};
use crate::identity::{ActorId, ChangeHash, DocumentId};
use crate::limits;

/// Changes in one chunk of the index: a new change writes its chunk again, so that a long chunk costs
/// every acceptance, and a short one costs a key for every few changes.
const CHUNK: usize = 16;

/// Bytes of a change in a chunk, about: its hash, small numbers, a clock of few actors.
const CHANGE_BYTES: usize = 56;

/// What is kept of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedChange {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its chain.
    pub actor: ActorId,
    /// Number in the actor's chain in this document.
    pub seq: u64,
    /// Number of its first operation.
    pub start_op: u64,
    /// How many operations it has.
    pub ops: u64,
    /// Position of the part that carries it.
    pub position: u64,
    /// Which of the part's changes it is, from 0.
    pub ordinal: u32,
    /// Its past, itself included.
    pub clock: Clock,
}

impl IndexedChange {
    fn last_op(&self) -> u64 {
        (self.start_op + self.ops).saturating_sub(1)
    }
}

/// The index of a document.
#[derive(Debug, Clone)]
pub struct DocumentIndex {
    document: DocumentId,
    subject: Subject,
    partition: Partition,
    extensions: Vec<String>,
    root: MemoryHistory,
    changes: Vec<IndexedChange>,
    by_hash: BTreeMap<ChangeHash, usize>,
    chains: BTreeMap<ActorId, Vec<usize>>,
    stored: usize,
    head_dirty: bool,
}

impl DocumentIndex {
    /// The index of a document that nobody changed yet.
    pub fn new(subject: Subject, partition: Partition) -> Self {
        Self {
            document: subject.document_id(),
            root: MemoryHistory::new(&subject),
            subject,
            partition,
            extensions: Vec::new(),
            changes: Vec::new(),
            by_hash: BTreeMap::new(),
            chains: BTreeMap::new(),
            stored: 0,
            head_dirty: true,
        }
    }

    /// The document.
    pub fn document(&self) -> DocumentId {
        self.document
    }
    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
    /// The partition it is in.
    pub fn partition(&self) -> Partition {
        self.partition
    }
    /// Names of the texts declared so far.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
    /// Its changes in the order of acceptance.
    pub fn changes(&self) -> &[IndexedChange] {
        &self.changes
    }
    /// A change by its hash.
    pub fn change(&self, hash: &ChangeHash) -> Option<&IndexedChange> {
        self.changes.get(*self.by_hash.get(hash)?)
    }

    /// Declares a text. Names were checked by [`extension_change`].
    pub fn declare(&mut self, extension: &Extension) {
        if self.root.declare(extension) {
            self.extensions.push(extension.name.clone());
            self.head_dirty = true;
        }
    }

    /// Adds a change that passed the gate against this index.
    pub fn insert(&mut self, change: &DecodedChange, position: u64, ordinal: u32) {
        let content = &change.content;
        let mut clock = Clock::new();
        for dep in &content.deps {
            match self.change(dep) {
                // The one dependency of most changes.
                Some(known) if clock.is_empty() => clock = known.clock.clone(),
                Some(known) => merge(&mut clock, &known.clock),
                None => merge(&mut clock, &self.root.clock_at(slice::from_ref(dep))),
            }
        }
        clock.insert(content.actor, content.seq);
        self.push(IndexedChange {
            hash: change.hash,
            actor: content.actor,
            seq: content.seq,
            start_op: content.start_op,
            ops: content.ops.len() as u64,
            position,
            ordinal,
            clock,
        });
    }

    fn push(&mut self, change: IndexedChange) {
        let at = self.changes.len();
        self.by_hash.insert(change.hash, at);
        let chain = self.chains.entry(change.actor).or_default();
        // Kept by start_op: parts of one chain come in order, so this is an append.
        let place = chain.partition_point(|index| {
            self.changes
                .get(*index)
                .is_some_and(|other| other.start_op < change.start_op)
        });
        chain.insert(place, at);
        self.changes.push(change);
    }

    /// The change that holds an operation.
    pub fn holder(&self, id: OpId) -> Option<&IndexedChange> {
        let chain = self.chains.get(&id.actor)?;
        let after = chain.partition_point(|index| {
            self.changes
                .get(*index)
                .is_some_and(|change| change.start_op <= id.counter)
        });
        let change = self.changes.get(*chain.get(after.checked_sub(1)?)?)?;
        (id.counter <= change.last_op()).then_some(change)
    }

    /// The writes that store what was added since the last call.
    pub fn flush(&mut self, to: &mut Vec<Write>) {
        if self.head_dirty {
            to.push(Write {
                key: keys::document(self.document),
                value: Some(self.encode_head()),
            });
            self.head_dirty = false;
        }
        if self.stored == self.changes.len() {
            return;
        }
        let first = self.stored / CHUNK;
        for (number, chunk) in self.changes.chunks(CHUNK).enumerate().skip(first) {
            let key = keys::document_chunk(self.document, number as u32);
            to.push(Write {
                key,
                value: Some(encode_chunk(chunk)),
            });
        }
        self.stored = self.changes.len();
    }

    /// What a document has from its beginning: a change leaves it as it is.
    fn encode_head(&self) -> Vec<u8> {
        let mut head = Writer::new();
        head.bytes(&self.subject.encode());
        self.partition.write(&mut head);
        head.var(self.extensions.len() as u64);
        for name in &self.extensions {
            head.text(name);
        }
        head.into_bytes()
    }

    /// What a document is about, from its head alone.
    pub(super) fn subject_in(head: &[u8]) -> Result<Subject, KeyspaceError> {
        let (subject, _, _) =
            read_head(head).map_err(|_| KeyspaceError::Damaged("document index"))?;
        Ok(subject)
    }

    /// Reads an index from its head and its chunks.
    pub(super) fn read(head: &[u8], chunks: &[Vec<u8>]) -> Result<Self, KeyspaceError> {
        let damaged = |_| KeyspaceError::Damaged("document index");
        let (subject, partition, extensions) = read_head(head).map_err(damaged)?;
        let mut index = Self::new(subject, partition);
        for name in extensions {
            let extension = extension_change(&index.subject, &name)
                .ok_or(KeyspaceError::Damaged("document index"))?;
            index.declare(&extension);
        }
        for (number, chunk) in chunks.iter().enumerate() {
            // Only the last one has room.
            if index.changes.len() != number * CHUNK {
                return Err(KeyspaceError::Damaged("document index"));
            }
            for change in decode_chunk(chunk).map_err(damaged)? {
                index.push(change);
            }
        }
        index.stored = index.changes.len();
        index.head_dirty = false;
        Ok(index)
    }
}

type Head = (Subject, Partition, Vec<String>);

fn read_head(bytes: &[u8]) -> Result<Head, DecodeError> {
    let mut reader = Reader::new(bytes);
    let subject = Subject::decode(reader.bytes(limits::SUBJECT_BYTES_MAX, "subject")?)
        .map_err(|_| DecodeError::Undefined("subject"))?;
    let partition = Partition::read(&mut reader)?;
    let names = reader.count(bytes.len(), "extensions")?;
    let names = (0..names)
        .map(|_| Ok(reader.text(limits::CODE_BYTES_MAX, "extension")?.to_owned()))
        .collect::<Result<_, DecodeError>>()?;
    reader.end("document index")?;
    Ok((subject, partition, names))
}

fn encode_chunk(changes: &[IndexedChange]) -> Vec<u8> {
    let mut actors: Vec<ActorId> = Vec::new();
    for change in changes {
        for actor in [&change.actor].into_iter().chain(change.clock.keys()) {
            if !actors.contains(actor) {
                actors.push(*actor);
            }
        }
    }
    let number = |actor: &ActorId| {
        let at = actors.iter().position(|known| known == actor);
        at.unwrap_or_default() as u64
    };
    let bytes = actors.len() * ActorId::BYTES + changes.len() * CHANGE_BYTES;
    let mut chunk = Writer::with_capacity(bytes);
    chunk.var(actors.len() as u64);
    for actor in &actors {
        chunk.raw(&actor.0);
    }
    chunk.var(changes.len() as u64);
    for change in changes {
        chunk
            .raw(&change.hash.0)
            .var(number(&change.actor))
            .var(change.seq)
            .var(change.start_op);
        chunk
            .var(change.ops)
            .var(change.position)
            .var(u64::from(change.ordinal));
        chunk.var(change.clock.len() as u64);
        for (actor, seq) in &change.clock {
            chunk.var(number(actor)).var(*seq);
        }
    }
    chunk.into_bytes()
}

fn decode_chunk(bytes: &[u8]) -> Result<Vec<IndexedChange>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(bytes.len(), "actors")?;
    let actors = (0..count)
        .map(|_| Ok(ActorId(reader.array("actor")?)))
        .collect::<Result<Vec<_>, DecodeError>>()?;
    let actor = |reader: &mut Reader<'_>| {
        let at = reader.var("actor")?;
        let at = usize::try_from(at).map_err(|_| DecodeError::Limit("actor"))?;
        actors.get(at).copied().ok_or(DecodeError::Limit("actor"))
    };
    let count = reader.count(CHUNK, "changes")?;
    let mut changes = Vec::with_capacity(count);
    for _ in 0..count {
        changes.push(IndexedChange {
            hash: ChangeHash(reader.array("hash")?),
            actor: actor(&mut reader)?,
            seq: reader.var("sequence")?,
            start_op: reader.var("first operation")?,
            ops: reader.var("operations")?,
            position: reader.var("position")?,
            ordinal: reader.var("ordinal")? as u32,
            clock: {
                let count = reader.count(bytes.len(), "clock")?;
                (0..count)
                    .map(|_| Ok((actor(&mut reader)?, reader.var("sequence")?)))
                    .collect::<Result<_, DecodeError>>()?
            },
        });
    }
    reader.end("document index")?;
    Ok(changes)
}

/// The index as the gate's history. The changes that operations name are decoded beforehand.
pub(super) struct IndexHistory<'a> {
    pub(super) index: &'a DocumentIndex,
    pub(super) decoded: &'a BTreeMap<ChangeHash, DecodedChange>,
}

impl History for IndexHistory<'_> {
    type Error = KeyspaceError;

    fn change(&self, hash: &ChangeHash) -> Result<Option<KnownChange>, KeyspaceError> {
        if let Some(change) = self.index.change(hash) {
            let (last_op, clock) = (change.last_op(), change.clock.clone());
            return Ok(Some(KnownChange { last_op, clock }));
        }
        Ok(self
            .index
            .root
            .change(hash)
            .unwrap_or_else(|never| match never {}))
    }

    fn at_sequence(&self, actor: ActorId, seq: u64) -> Result<Option<ChangeHash>, KeyspaceError> {
        if let Some(chain) = self.index.chains.get(&actor) {
            // Sequence numbers of a chain ascend with its operation numbers.
            let change = |at: &usize| self.index.changes.get(*at);
            let at = chain.partition_point(|at| change(at).is_some_and(|known| known.seq < seq));
            let found = chain.get(at).and_then(change);
            return Ok(found
                .filter(|known| known.seq == seq)
                .map(|known| known.hash));
        }
        Ok(self
            .index
            .root
            .at_sequence(actor, seq)
            .unwrap_or_else(|never| match never {}))
    }

    fn operation(&self, id: OpId) -> Result<Option<Written>, KeyspaceError> {
        let Some(holder) = self.index.holder(id) else {
            return Ok(self
                .index
                .root
                .operation(id)
                .unwrap_or_else(|never| match never {}));
        };
        let change = self
            .decoded
            .get(&holder.hash)
            .ok_or(KeyspaceError::Damaged("change cache"))?;
        let offset = id.counter.saturating_sub(change.content.start_op);
        let op = usize::try_from(offset)
            .ok()
            .and_then(|at| change.content.ops.get(at));
        Ok(op.map(|op| Written {
            seq: change.content.seq,
            object: op.object,
            key: op.key.clone(),
            insert: op.insert,
            action: op.action,
        }))
    }

    fn section(&self, actor: ActorId) -> Result<Option<String>, KeyspaceError> {
        Ok(self
            .index
            .root
            .section(actor)
            .unwrap_or_else(|never| match never {}))
    }
}
