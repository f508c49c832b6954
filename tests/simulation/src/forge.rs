//! Chains that no tablet's state machine writes: hostile ones, and clients that get a rule wrong.
//!
//! They work with a real key of an enrolled person on an installation of their own, and make their
//! changes by hand.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sync_core::batch::{
    ChainTip, Compartment, Entry, NewPart, Partition, PartitionTip, Sealer, SignedPart,
    VerifiedPart, seal,
};
use sync_core::document::root::Table;
use sync_core::document::{Document, Subject, genesis_change};
use sync_core::gate::{self, Action, ChangeContent, Judgement, Key, Op, OpId, Refusal, Value};
use sync_core::identity::{ChangeHash, DocumentId, KeyId};
use sync_core::log::{Keyspace, LogReader};

use crate::violation::{Checked, Violation, must};

/// A chain written by hand.
#[derive(Debug)]
pub struct Side {
    /// Whose key it uses.
    pub tablet: usize,
    /// Key and installation.
    pub sealer: Sealer,
    /// Parts not acknowledged yet.
    pub waiting: Vec<SignedPart>,
    /// True for an attacker; false for a client that is merely wrong.
    pub hostile: bool,
    tip: ChainTip,
    tips: BTreeMap<Partition, PartitionTip>,
}

impl Side {
    /// A new chain.
    pub fn new(tablet: usize, sealer: Sealer, hostile: bool) -> Self {
        Self {
            tablet,
            sealer,
            waiting: Vec::new(),
            hostile,
            tip: ChainTip::default(),
            tips: BTreeMap::new(),
        }
    }

    /// The key it proves when it connects.
    pub fn key_id(&self) -> KeyId {
        self.sealer.key_id()
    }

    /// Seals one change of a document into the next batch.
    pub fn seal(
        &mut self,
        subject: &Subject,
        content: &ChangeContent,
        now: i64,
    ) -> Checked<SignedPart> {
        let (bytes, hash) = gate::encode(content);
        self.seal_bytes(subject, bytes, hash, now)
    }

    /// Seals bytes that stand for a change.
    pub fn seal_bytes(
        &mut self,
        subject: &Subject,
        bytes: Vec<u8>,
        hash: ChangeHash,
        now: i64,
    ) -> Checked<SignedPart> {
        let document = subject.document_id();
        let partition = Partition {
            unit: subject.unit,
            compartment: Compartment::Reports,
        };
        let subject = Entry::Subject {
            document,
            subject: subject.encode(),
        };
        let part = NewPart {
            partition,
            tip: self.tips.get(&partition).copied().unwrap_or_default(),
            entries: vec![subject, Entry::Change { document, hash }],
            changes: vec![bytes],
        };
        let sealed = must("seal", seal(&self.sealer, self.tip, now, vec![part]))?;
        let part = sealed.into_iter().next();
        let part = part.ok_or_else(|| Violation::new("seal", "no part"))?;
        self.tip = ChainTip {
            number: part.header().number,
            batch: part.batch_id(),
        };
        let tip = PartitionTip {
            number: part.part().number,
            hash: part.part_hash(),
        };
        self.tips.insert(partition, tip);
        Ok(part)
    }

    /// Goes back to before the last batches: the next one takes a number that was used.
    pub fn fork(&mut self) {
        self.tip = ChainTip::default();
        self.tips.clear();
    }
}

/// Bytes that are no change, under the hash they have: what a hostile tablet can sign.
pub fn noise(bytes: &[u8]) -> (Vec<u8>, ChangeHash) {
    let hash = ChangeHash(Sha256::digest(bytes).into());
    let mut chunk = vec![0x85, 0x6f, 0x4a, 0x83];
    chunk.extend(hash.0.iter().take(4));
    chunk.extend(bytes);
    (chunk, hash)
}

/// One operation that put a value into a cell.
#[derive(Debug, Clone)]
pub struct CellPut {
    /// Its name.
    pub id: OpId,
    /// The cell.
    pub code: String,
    /// What it replaced.
    pub pred: Vec<OpId>,
}

/// Every put into the cells of a document as a log holds it.
pub fn cell_puts(keyspace: &dyn Keyspace, document: DocumentId) -> Checked<Vec<CellPut>> {
    let reader = LogReader(keyspace);
    let Some(index) = must("document", reader.document(document))? else {
        return Ok(Vec::new());
    };
    let mut puts = Vec::new();
    for (_, bytes) in must("changes", reader.changes(&index))? {
        let change = must("gate-accepted", gate::decode(&bytes))?;
        for (id, op) in change.content.numbered() {
            if let (Some(object), Key::Map(code)) = (op.object, &op.key)
                && object == Table::Cells.object()
            {
                puts.push(CellPut {
                    id,
                    code: code.clone(),
                    pred: op.pred.clone(),
                });
            }
        }
    }
    Ok(puts)
}

/// The operations that stand in a cell.
pub fn standing(puts: &[CellPut], code: &str) -> Vec<OpId> {
    let replaced = |id: &OpId| puts.iter().any(|put| put.pred.contains(id));
    let mut standing: Vec<OpId> = puts
        .iter()
        .filter(|put| put.code == code && !replaced(&put.id))
        .map(|put| put.id)
        .collect();
    standing.sort_unstable();
    standing
}

/// The document as a log holds it.
pub fn document_in(keyspace: &dyn Keyspace, subject: &Subject) -> Checked<Document> {
    let reader = LogReader(keyspace);
    match must("document", reader.document(subject.document_id()))? {
        None => must("new-document", Document::new(subject.clone())),
        Some(index) => {
            let changes = must("changes", reader.changes(&index))?;
            let sections = index.extensions().iter().map(String::as_str);
            let changes = changes.iter().map(|(_, bytes)| bytes.as_slice());
            must("loads", Document::load(subject.clone(), sections, changes))
        }
    }
}

/// A change of one operation on the heads of a document.
pub fn change_on(document: &Document, sealer: &Sealer, claimed_at: i64, op: Op) -> ChangeContent {
    let deps = document.heads();
    ChangeContent {
        actor: sealer.actor(),
        seq: document.history().last_seq(sealer.actor()) + 1,
        start_op: document.history().last_op_at(&deps) + 1,
        time: claimed_at,
        message: String::new(),
        deps,
        ops: vec![op],
    }
}

/// The first change of a document whose genesis has the template version in it.
pub fn change_on_wrong_genesis(
    subject: &Subject,
    sealer: &Sealer,
    claimed_at: i64,
    op: Op,
) -> ChangeContent {
    let mut genesis = genesis_change(subject).content;
    let version = Op {
        object: Some(Table::Meta.object()),
        key: Key::Map("template_version".to_owned()),
        insert: false,
        action: Action::Put,
        value: Value::Int(1),
        pred: Vec::new(),
    };
    genesis.ops.push(version);
    let (_, hash) = gate::encode(&genesis);
    ChangeContent {
        actor: sealer.actor(),
        seq: 1,
        start_op: genesis.ops.len() as u64 + 1,
        time: claimed_at,
        message: String::new(),
        deps: vec![hash],
        ops: vec![op],
    }
}

/// An operation on a cell.
pub fn cell_op(code: &str, action: Action, value: Value, pred: Vec<OpId>) -> Op {
    Op {
        object: Some(Table::Cells.object()),
        key: Key::Map(code.to_owned()),
        insert: false,
        action,
        value,
        pred,
    }
}

/// True if a part is stopped by its predecessors and by nothing else: what a gate that does not look
/// at them would let through.
pub fn passes_without_predecessors(keyspace: &dyn Keyspace, part: &VerifiedPart) -> Checked<bool> {
    let (mut stopped, mut subject) = (false, None);
    for (entry, bytes) in part.entries() {
        if let Entry::Subject { subject: bytes, .. } = entry {
            subject = Subject::decode(bytes).ok();
        }
        let (Some(subject), Some(bytes)) = (&subject, bytes) else {
            continue;
        };
        let Ok(mut change) = gate::decode(bytes) else {
            return Ok(false);
        };
        let document = document_in(keyspace, subject)?;
        let judge = |change: &_| {
            let Ok(judgement) =
                gate::judge(change, part.actor(), part.header().key, document.history());
            judgement
        };
        stopped |= matches!(
            judge(&change),
            Judgement::Refused(Refusal::OtherTarget(_) | Refusal::NotInPast(_))
        );
        change.content.ops.iter_mut().for_each(|op| op.pred.clear());
        if !matches!(judge(&change), Judgement::Passed(_)) {
            return Ok(false);
        }
    }
    Ok(stopped)
}
