//! A long journal of ordinary work, made in this process: sealed by devices, judged by the acceptor.
//!
//! Every batch is one part with one change in each of four documents, five cells a change, as an officer
//! makes in a sitting; a document gets thirty changes and is then done. It is made in *years*: after one,
//! every device is installed anew and begins other documents, so that what must be remembered does not
//! grow with the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::{Context, Result, ensure};
use e2e::TEMPLATE;
use journal::Journal;
use journal::files::RealFiles;
use journal::folder::FolderLock;
use sync_core::batch::{
    ChainTip, Compartment, Entry, NewPart, Partition, PartitionTip, Sealer, SignedPart,
    VerifiedPart, seal, tip_after,
};
use sync_core::catalogue::Catalogue;
use sync_core::document::{Subject, SubjectKind, Table, genesis_change};
use sync_core::gate::{Action, ChangeContent, Key, Op, OpId, Value, encode, typing_message};
use sync_core::identity::{ActorId, ChangeHash, DocumentId, InstallationId, UnitId};
use sync_core::log::{Acceptor, Cache, LogReader, MemoryKeyspace, Trust, Verdict, Write, keys};
use sync_core::sync::node;

/// Documents that one batch changes.
const DOCUMENTS: usize = 4;
/// Changes of a document.
const CHANGES: usize = 30;
/// Cells of a change.
const CELLS: usize = 5;
/// Cells of a document.
const ROWS: usize = 50;
/// Times in a year that a device takes up new documents.
const ROUNDS: usize = 16;
/// Parts in one commit, as under load.
const GROUP: usize = 128;

/// Who works: a device's key and its unit.
pub(crate) type Officer = (Sealer, UnitId);

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) batches: u64,
    pub(crate) batch_bytes: u64,
}

/// Adds years of work to the journal in a store's folder, until it has `bytes`. The index is removed.
pub(crate) fn grow(
    folder: &Path,
    officers: &[Officer],
    catalogue: &Catalogue,
    bytes: u64,
) -> Result<Made> {
    let lock = Arc::new(FolderLock::take(folder)?);
    let files = RealFiles::owned(&folder.join("journal"), Arc::clone(&lock))?;
    let (journal, _) = Journal::open(Arc::new(files), journal::Options::new(e2e::peer::random()))?;
    std::fs::remove_dir_all(folder.join("index"))?;
    let mut made = Made::default();
    let (send, years) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for year in 0.. {
                if send.send(work(officers, catalogue, year)).is_err() {
                    return;
                }
            }
        });
        let mut position = end(&journal)?;
        while journal.bytes() < bytes {
            let parts = years.recv().context("the officers stopped")??;
            made.batches += parts.len() as u64;
            position = accept(&journal, catalogue, parts, position, &mut made)?;
        }
        drop(years);
        anyhow::Ok(())
    })?;
    journal.close()?;
    drop(journal);
    lock.release();
    Ok(made)
}

/// Adds `documents` documents of each officer to the journal in a store's folder, one change each. The
/// index is removed. Hands back the last position and, if they are to be kept, the documents of each.
pub(crate) fn begin(
    folder: &Path,
    officers: &[Officer],
    catalogue: &Catalogue,
    documents: usize,
    keep: bool,
) -> Result<(u64, Vec<Begun>)> {
    let lock = Arc::new(FolderLock::take(folder)?);
    let files = RealFiles::owned(&folder.join("journal"), Arc::clone(&lock))?;
    let (journal, _) = Journal::open(Arc::new(files), journal::Options::new(e2e::peer::random()))?;
    std::fs::remove_dir_all(folder.join("index"))?;
    let (mut made, mut position, mut begun) = (Made::default(), end(&journal)?, Vec::new());
    for officer in officers {
        let (mut author, mut parts, mut own) = (Author::new(officer), Vec::new(), Begun::new());
        for round in 0..documents.div_ceil(DOCUMENTS) {
            author.take_up(round);
            for checked in node::verify(catalogue, author.sit(0)?) {
                parts.push(checked.map_err(anyhow::Error::msg)?);
            }
            if keep {
                own.append(&mut author.documents);
            }
        }
        position = accept(&journal, catalogue, parts, position, &mut made)?;
        begun.push(own);
    }
    journal.close()?;
    drop(journal);
    lock.release();
    Ok((position, begun))
}

/// The last position in a journal.
fn end(journal: &Journal) -> Result<u64> {
    let mut keyspace = MemoryKeyspace::new();
    journal.replay(None, |_, body| {
        for write in journal::commit::decode(body)? {
            let (key, value) = (write.key.to_vec(), write.value.map(<[u8]>::to_vec));
            keyspace.apply([Write { key, value }]);
        }
        anyhow::Ok(())
    })?;
    Ok(LogReader(&keyspace).end()?)
}

/// Judges the parts of a year and writes what a server would write of them.
fn accept(
    journal: &Journal,
    catalogue: &Catalogue,
    parts: Vec<VerifiedPart>,
    mut position: u64,
    made: &mut Made,
) -> Result<u64> {
    let (mut keyspace, mut cache) = (MemoryKeyspace::new(), Cache::default());
    if position > 0 {
        // Positions go on; what stands there is nobody's concern.
        let (key, value) = (keys::log(position), Some(Vec::new()));
        keyspace.apply([Write { key, value }]);
    }
    let mut parts = parts.into_iter().peekable();
    while parts.peek().is_some() {
        let mut acceptor = Acceptor::new(&keyspace, catalogue, &mut cache, e2e::now_s())?;
        for part in parts.by_ref().take(GROUP) {
            made.batch_bytes += part.encode().len() as u64;
            let verdict = acceptor.accept(&part, Trust::Judge)?;
            position += 1;
            ensure!(verdict == Verdict::Accepted { position }, "{verdict:?}");
        }
        let writes = acceptor.into_writes();
        let truth: Vec<_> = writes
            .iter()
            .filter(|write| write.key.first() < Some(&keys::DERIVED_FROM))
            .map(|write| (write.key.as_slice(), write.value.as_deref()))
            .collect();
        journal.append(&journal::commit::encode(&truth).bytes)?;
        keyspace.apply(writes);
    }
    journal.sync()?;
    Ok(position)
}

/// What all officers seal in a year, in the order in which it arrives.
fn work(officers: &[Officer], catalogue: &Catalogue, year: usize) -> Result<Vec<VerifiedPart>> {
    let mut devices: Vec<Author> = officers.iter().map(Author::new).collect();
    let mut parts = Vec::with_capacity(devices.len() * ROUNDS * CHANGES);
    for round in 0..ROUNDS {
        for device in &mut devices {
            device.take_up(year * ROUNDS + round);
        }
        for turn in 0..CHANGES {
            for device in &mut devices {
                for checked in node::verify(catalogue, device.sit(turn)?) {
                    parts.push(checked.map_err(anyhow::Error::msg)?);
                }
            }
        }
    }
    Ok(parts)
}

/// A device in one year.
pub(crate) struct Author {
    sealer: Sealer,
    unit: UnitId,
    tip: ChainTip,
    partition_tip: PartitionTip,
    documents: Vec<Written>,
}

/// Documents that were begun, as others may go on with them.
pub(crate) type Begun = Vec<Written>;

/// A document as its only author knows it.
#[derive(Clone)]
pub(crate) struct Written {
    subject: Subject,
    document: DocumentId,
    head: ChangeHash,
    seq: u64,
    next_op: u64,
    standing: BTreeMap<usize, OpId>,
}

impl Author {
    fn new((sealer, unit): &Officer) -> Self {
        Self {
            sealer: Sealer {
                installation: InstallationId(e2e::peer::random()),
                ..sealer.clone()
            },
            unit: *unit,
            tip: ChainTip::default(),
            partition_tip: PartitionTip::default(),
            documents: Vec::new(),
        }
    }

    /// The same device under another installation id, with documents of its own.
    pub(crate) fn again(officer: &Officer) -> Self {
        Self::new(officer)
    }

    /// Who its changes are by.
    pub(crate) fn actor(&self) -> ActorId {
        self.sealer.actor()
    }

    /// Goes on with some of the documents that another began.
    pub(crate) fn take_over(&mut self, begun: &Begun, which: std::ops::Range<usize>) {
        let some = begun.get(which).unwrap_or_default().iter().cloned();
        self.documents = some.map(|written| Written { seq: 0, ..written }).collect();
    }

    /// Begins the documents of a round: four months of some year.
    fn take_up(&mut self, round: usize) {
        let (year, first) = (1_000 + round / 3, round % 3 * DOCUMENTS);
        let months = first + 1..=first + DOCUMENTS;
        self.documents = months
            .map(|month| Written::new(self.unit, format!("{year:04}-{month:02}")))
            .collect();
    }

    /// Types into each document and seals one batch.
    pub(crate) fn sit(&mut self, turn: usize) -> Result<Vec<SignedPart>> {
        let actor = self.sealer.actor();
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for written in &mut self.documents {
            let document = written.document;
            if turn == 0 {
                let subject = written.subject.encode();
                entries.push(Entry::Subject { document, subject });
            }
            let (bytes, hash) = written.change(actor, turn);
            entries.push(Entry::Change { document, hash });
            changes.push(bytes);
        }
        let part = NewPart {
            partition: Partition {
                unit: self.unit,
                compartment: Compartment::Reports,
            },
            tip: self.partition_tip,
            entries,
            changes,
        };
        let parts = seal(&self.sealer, self.tip, e2e::now_s(), vec![part])?;
        self.tip = tip_after(&parts).context("an empty batch")?;
        if let Some(part) = parts.first() {
            self.partition_tip = PartitionTip {
                number: part.part().number,
                hash: part.part_hash(),
            };
        }
        Ok(parts)
    }
}

impl Written {
    fn new(unit: UnitId, period: String) -> Self {
        let subject = Subject {
            kind: SubjectKind::Report,
            template: TEMPLATE.into(),
            unit,
            period,
        };
        let genesis = genesis_change(&subject);
        Self {
            document: subject.document_id(),
            head: genesis.hash,
            seq: 0,
            next_op: genesis.content.last_op() + 1,
            standing: BTreeMap::new(),
            subject,
        }
    }

    fn change(&mut self, actor: ActorId, turn: usize) -> (Vec<u8>, ChangeHash) {
        let start_op = self.next_op;
        let rows = (0..CELLS).map(|cell| (turn * CELLS + cell) % ROWS);
        let ops: Vec<Op> = (start_op..)
            .zip(rows)
            .map(|(counter, row)| Op {
                object: Some(Table::Cells.object()),
                key: Key::Map(format!(
                    "{}.{}.{}",
                    row / 20 + 1,
                    row / 5 % 4 + 1,
                    row % 5 + 1
                )),
                insert: false,
                action: Action::Put,
                value: Value::Int((turn * 1_009 + row * 37) as i64),
                pred: (self.standing.insert(row, OpId { counter, actor }))
                    .into_iter()
                    .collect(),
            })
            .collect();
        let typed_at = e2e::now_s();
        let times: Vec<i64> = (typed_at..).step_by(7).take(CELLS).collect();
        let (time, message) = typing_message(&times);
        self.seq += 1;
        let content = ChangeContent {
            actor,
            seq: self.seq,
            start_op,
            time,
            message,
            deps: vec![self.head],
            ops,
        };
        self.next_op = content.last_op() + 1;
        let (bytes, hash) = encode(&content);
        self.head = hash;
        (bytes, hash)
    }
}
