//! Follows the log: from accepted changes to extracts and figures, on a thread of its own.
//!
//! Nothing here decides anything; all of it can be done again from the log. Figures change and
//! listeners are told before the extracts are written, since writing may have to wait for a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use store::{SharedStore, Write};
use sync_core::batch::{Entry, SignedPart};
use sync_core::document::{ExtractState, Subject, extension_change};
use sync_core::gate;
use sync_core::identity::DocumentId;
use sync_core::log::rebuild::rebuild;
use sync_core::log::{KeyspaceError, LogEntry, LogReader, keys};

use crate::acceptor::Accepted;
use crate::kept::derived_report::{self, DerivedReport};
use crate::keyspace::{StoreKeyspace, StoreRebuild};
use crate::limits;
use crate::problem::Problem;
use crate::totals::Totals;

/// Why deriving stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] KeyspaceError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] store::ReadError),
    /// Derived keys cannot be written.
    #[error(transparent)]
    Commit(#[from] store::CommitError),
    /// A kept value cannot be read back.
    #[error(transparent)]
    Kept(#[from] crate::kept::KeptError),
}

impl From<DeriveError> for Problem {
    fn from(error: DeriveError) -> Self {
        Self::internal(&error)
    }
}

/// A document that is followed change by change.
#[derive(Debug)]
struct Followed {
    subject: Subject,
    state: ExtractState,
    declared: BTreeSet<String>,
    first_received_at: i64,
    last_received_at: i64,
    /// The last position that is in the state.
    through: u64,
    /// For forgetting the one not used for longest.
    used: u64,
    weight: usize,
}

impl Followed {
    fn new(subject: Subject) -> Self {
        Self {
            state: ExtractState::new(subject.clone()),
            subject,
            declared: BTreeSet::new(),
            first_received_at: 0,
            last_received_at: 0,
            through: 0,
            used: 0,
            weight: 1,
        }
    }

    fn received(&mut self, at: i64, position: u64) {
        if self.through == 0 {
            self.first_received_at = at;
        }
        self.last_received_at = at;
        self.through = position;
    }

    fn declare(&mut self, name: &str) {
        if self.declared.insert(name.to_owned())
            && let Some(extension) = extension_change(&self.subject, name)
        {
            self.state.declare(&extension);
        }
    }

    fn apply(&mut self, bytes: &[u8]) -> Result<(), KeyspaceError> {
        let change = gate::decode(bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
        self.weight = self.weight.saturating_add(change.content.ops.len());
        self.state.apply(&change);
        Ok(())
    }
}

/// The follower of the log.
#[derive(Debug)]
pub(crate) struct Deriver {
    store: SharedStore,
    totals: Arc<Totals>,
    followed: BTreeMap<DocumentId, Followed>,
    weight: usize,
    uses: u64,
    changed: BTreeSet<DocumentId>,
    position: u64,
}

impl Deriver {
    pub(crate) fn new(store: SharedStore, totals: Arc<Totals>) -> Self {
        Self {
            store,
            totals,
            followed: BTreeMap::new(),
            weight: 0,
            uses: 0,
            changed: BTreeSet::new(),
            position: 0,
        }
    }

    /// Brings everything derived up to the end of the log; from nothing, if it was lost.
    pub(crate) fn catch_up(&mut self) -> Result<(), DeriveError> {
        let started = Instant::now();
        let lost = self.store.derived_lost();
        if lost {
            self.store.clear_derived()?;
            rebuild(&mut StoreRebuild::new(Arc::clone(&self.store)))?;
        } else if let Some(kept) = self.store.get(&derived_report::POSITION_KEY)? {
            self.position = derived_report::decode_position(&kept)?;
        }
        let from = self.position;
        loop {
            let next = keys::log(self.position.saturating_add(1));
            let found = self
                .store
                .scan(&next, &keys::after(keys::LOG), limits::CATCH_UP_STEP)?;
            if found.is_empty() {
                break;
            }
            for (_, value) in found {
                let entry =
                    LogEntry::decode(&value).map_err(|_| KeyspaceError::Damaged("log entry"))?;
                self.follow(self.position.saturating_add(1), &entry)?;
            }
            self.publish();
            self.write()?;
        }
        self.publish();
        if lost {
            self.write()?;
            self.store.derived_rebuilt()?;
        }
        tracing::info!(
            lost,
            from,
            position = self.position,
            took_ms = started.elapsed().as_millis(),
            "what is derived stands"
        );
        Ok(())
    }

    /// Follows what is accepted until the acceptor ends.
    pub(crate) fn run(&mut self, accepted: &Receiver<Accepted>) {
        while let Ok(first) = accepted.recv() {
            let mut outcome = self.follow_all(first);
            while self.changed.len() < limits::EXTRACTS_UNWRITTEN_MAX && outcome.is_ok() {
                let Ok(more) = accepted.try_recv() else { break };
                outcome = self.follow_all(more);
            }
            self.publish();
            if let Err(error) = outcome.and_then(|()| self.write()) {
                // Everything here is derived: the next start does it again.
                tracing::error!(%error, "figures may be behind until the server restarts: {error}");
            }
        }
    }

    fn follow_all(&mut self, accepted: Accepted) -> Result<(), DeriveError> {
        for (position, entry) in accepted {
            self.follow(position, &entry)?;
        }
        Ok(())
    }

    fn follow(&mut self, position: u64, entry: &LogEntry) -> Result<(), DeriveError> {
        self.position = position;
        for document in documents(&entry.part) {
            let mut followed = match self.followed.remove(&document) {
                Some(followed) => {
                    self.weight = self.weight.saturating_sub(followed.weight);
                    followed
                }
                None => self.load(document, position)?,
            };
            if followed.through < position {
                for (entry, bytes) in entry.part.entries() {
                    match (entry, bytes) {
                        (Entry::Extension { document: of, name }, _) if *of == document => {
                            followed.declare(name);
                        }
                        (Entry::Change { document: of, .. }, Some(bytes)) if *of == document => {
                            followed.apply(bytes)?;
                        }
                        (
                            Entry::Subject { .. } | Entry::Extension { .. } | Entry::Change { .. },
                            _,
                        ) => {}
                    }
                }
                followed.received(entry.received_at, position);
            }
            self.uses = self.uses.saturating_add(1);
            followed.used = self.uses;
            self.weight = self.weight.saturating_add(followed.weight);
            self.followed.insert(document, followed);
            self.changed.insert(document);
        }
        if self.weight > limits::FOLLOWED_CELLS_MAX {
            self.publish();
            self.forget_half();
        }
        Ok(())
    }

    /// A document as the log has it; empty if its first change is the one about to be followed.
    fn load(&self, document: DocumentId, position: u64) -> Result<Followed, DeriveError> {
        let below = StoreKeyspace(&*self.store);
        let reader = LogReader(&below);
        let index = reader
            .document(document)?
            .ok_or(KeyspaceError::Damaged("document index"))?;
        let mut followed = Followed::new(index.subject().clone());
        // Before any change, and also those of parts that declare and change nothing: the version
        // must not depend on when the document was loaded.
        for name in index.extensions() {
            followed.declare(name);
        }
        if index
            .changes()
            .first()
            .is_none_or(|first| first.position >= position)
        {
            return Ok(followed);
        }
        let changes = reader.changes(&index)?;
        for (change, (received_at, bytes)) in index.changes().iter().zip(changes) {
            followed.apply(&bytes)?;
            followed.received(received_at, change.position);
        }
        Ok(followed)
    }

    /// Gives the figures what has changed.
    fn publish(&mut self) {
        let reports = std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|document| {
                let followed = self.followed.get(&document)?;
                Some(Arc::new(DerivedReport {
                    first_received_at: followed.first_received_at,
                    last_received_at: followed.last_received_at,
                    extract: followed.state.extract(),
                }))
            })
            .collect();
        self.totals.set(reports, self.position);
    }

    /// Writes the extracts, then the position they stand for: a crash between loses the newer.
    fn write(&self) -> Result<(), DeriveError> {
        let reports = self.totals.unwritten();
        for some in reports.chunks(limits::EXTRACTS_UNWRITTEN_MAX) {
            let write = |report: &Arc<DerivedReport>| Write {
                key: derived_report::key(report.extract.document),
                value: Some(report.encode()),
            };
            self.store.put_derived(some.iter().map(write).collect())?;
            self.totals.written(some);
        }
        self.store.put_derived(vec![Write {
            key: derived_report::POSITION_KEY.to_vec(),
            value: Some(derived_report::encode_position(self.position)),
        }])?;
        Ok(())
    }

    fn forget_half(&mut self) {
        let mut used: Vec<u64> = self.followed.values().map(|one| one.used).collect();
        used.sort_unstable();
        let Some(middle) = used.get(used.len() / 2).copied() else {
            return;
        };
        self.followed.retain(|_, followed| followed.used > middle);
        self.weight = self.followed.values().map(|one| one.weight).sum();
    }
}

fn documents(part: &SignedPart) -> BTreeSet<DocumentId> {
    part.part().entries.iter().map(Entry::document).collect()
}
