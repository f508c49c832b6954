//! Follows the log: from accepted changes to extracts and figures, on a thread of its own.
//!
//! Nothing here decides anything; all of it can be done again from the log. Figures change and
//! listeners are told before the extracts are written, since writing may have to wait for a commit.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Instant;

use store::{SharedStore, Write};
use sync_core::batch::Entry;
use sync_core::document::{ExtractState, Subject, extension_change};
use sync_core::gate::{self, DecodedChange};
use sync_core::identity::DocumentId;
use sync_core::log::rebuild::{Rebuild, Replayed, replay_step};
use sync_core::log::{DocumentIndex, KeyspaceError, LogReader, keys};

use crate::acceptor::Accepted;
use crate::kept::derived_report::{self, DerivedReport};
use crate::kept::derived_version;
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
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
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
    /// It is in the list of what has changed.
    changed: bool,
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
            changed: false,
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

    fn apply(&mut self, change: &DecodedChange) {
        self.weight = self.weight.saturating_add(change.content.ops.len());
        self.state.apply(change);
    }

    /// Takes in one entry of a position; false if that position is in the state already.
    fn take(&mut self, entry: &Entry, change: Option<&DecodedChange>, position: u64) -> bool {
        if self.through >= position {
            return false;
        }
        match (entry, change) {
            (Entry::Extension { name, .. }, _) => self.declare(name),
            (Entry::Change { .. }, Some(change)) => self.apply(change),
            (Entry::Subject { .. } | Entry::Change { .. }, _) => {}
        }
        true
    }

    fn report(&self) -> DerivedReport {
        DerivedReport {
            first_received_at: self.first_received_at,
            last_received_at: self.last_received_at,
            extract: self.state.extract(),
        }
    }
}

/// The follower of the log.
#[derive(Debug)]
pub(crate) struct Deriver {
    store: SharedStore,
    totals: Arc<Totals>,
    followed: HashMap<DocumentId, Box<Followed>>,
    weight: usize,
    followed_max: usize,
    uses: u64,
    changed: Vec<DocumentId>,
    position: u64,
}

impl Deriver {
    pub(crate) fn new(store: SharedStore, totals: Arc<Totals>) -> Self {
        Self {
            store,
            totals,
            followed: HashMap::new(),
            weight: 0,
            followed_max: limits::FOLLOWED_CELLS_MAX,
            uses: 0,
            changed: Vec::new(),
            position: 0,
        }
    }

    /// Brings everything derived up to the end of the log; from nothing, if it was lost or has the
    /// shape of another version.
    pub(crate) fn catch_up(&mut self) -> Result<(), DeriveError> {
        let started = Instant::now();
        let lost = self.store.derived_lost();
        let again = lost || !derived_version::is_current(&*self.store)?;
        let mut from = 0;
        if again {
            self.rebuild()?;
        } else if let Some(kept) = self.store.get(&derived_report::POSITION_KEY)? {
            self.position = derived_report::decode_position(&kept)?;
            from = self.position;
        }
        self.catch_up_from(keys::log(self.position.saturating_add(1)))?;
        tracing::info!(
            lost,
            again,
            from,
            position = self.position,
            took_ms = started.elapsed().as_millis(),
            "what is derived stands"
        );
        Ok(())
    }

    fn catch_up_from(&mut self, mut from: Vec<u8>) -> Result<(), DeriveError> {
        let store = Arc::clone(&self.store);
        while let Some((entries, next)) = replay_step(&StoreKeyspace(&*store), &from)? {
            for replayed in &entries {
                self.follow(replayed, None)?;
            }
            self.publish();
            self.write()?;
            from = next;
        }
        self.publish();
        Ok(())
    }

    /// Derives everything from nothing. One thread reads and decodes the log, the next derives the
    /// log's own keys, and this one, behind both, the extracts.
    fn rebuild(&mut self) -> Result<(), DeriveError> {
        self.store.clear_derived()?;
        self.followed_max = limits::FOLLOWED_CELLS_REBUILDING_MAX;
        let rebuild = Mutex::new(Rebuild::new());
        let store = Arc::clone(&self.store);
        std::thread::scope(|scope| {
            let (decoded, steps) = sync_channel(limits::REBUILD_STEPS_AHEAD);
            let (taken, followed) = sync_channel(limits::REBUILD_STEPS_AHEAD);
            let (reading, taking) = (Arc::clone(&store), Arc::clone(&store));
            let rebuild = &rebuild;
            let named = |name: &str| Builder::new().name(name.to_owned());
            named("log-reader").spawn_scoped(scope, move || read_ahead(&reading, &decoded))?;
            named("log-deriver")
                .spawn_scoped(scope, move || take_steps(taking, rebuild, &steps, &taken))?;
            self.follow_steps(rebuild, followed)
        })?;
        let rebuild = rebuild.into_inner().unwrap_or_else(PoisonError::into_inner);
        rebuild.finish(&mut StoreRebuild::new(store))?;
        self.write_changed()?;
        self.followed_max = limits::FOLLOWED_CELLS_MAX;
        self.forget_most();
        self.store
            .put_derived(vec![self.position_write(), derived_version::write()])?;
        Ok(self.store.derived_rebuilt()?)
    }

    fn follow_steps(
        &mut self,
        rebuild: &Mutex<Rebuild>,
        steps: Receiver<DecodedStep>,
    ) -> Result<(), DeriveError> {
        for step in steps {
            for replayed in &step? {
                self.follow(replayed, Some(rebuild))?;
            }
        }
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
            self.follow(&Replayed::new(position, entry)?, None)?;
        }
        Ok(())
    }

    /// Takes in one entry of the log; `rebuild` has the documents while all is derived again.
    fn follow(
        &mut self,
        replayed: &Replayed,
        rebuild: Option<&Mutex<Rebuild>>,
    ) -> Result<(), DeriveError> {
        let position = replayed.position();
        self.position = position;
        self.uses = self.uses.saturating_add(1);
        // All of them before any takes in a thing: a failure must not leave half an entry behind.
        for (entry, _) in replayed.entries() {
            let document = entry.document();
            if !self.followed.contains_key(&document) {
                let loaded = self.load(replayed, document, rebuild)?;
                self.weight = self.weight.saturating_add(loaded.weight);
                self.followed.insert(document, loaded);
            }
        }
        for (entry, change) in replayed.entries() {
            if let Some(followed) = self.followed.get_mut(&entry.document())
                && followed.take(entry, change, position)
            {
                let cells = change.map_or(0, |change| change.content.ops.len());
                self.weight = self.weight.saturating_add(cells);
            }
        }
        for (entry, _) in replayed.entries() {
            let document = entry.document();
            let Some(followed) = self.followed.get_mut(&document) else {
                continue;
            };
            if followed.through < position {
                followed.received(replayed.received_at(), position);
            }
            followed.used = self.uses;
            if !followed.changed {
                followed.changed = true;
                self.changed.push(document);
            }
        }
        if self.weight > self.followed_max {
            match rebuild {
                Some(_) => self.write_changed()?,
                None => self.publish(),
            }
            self.forget_half();
        }
        Ok(())
    }

    /// A document as the log has it; empty if its first change is the one about to be followed.
    fn load(
        &self,
        replayed: &Replayed,
        document: DocumentId,
        rebuild: Option<&Mutex<Rebuild>>,
    ) -> Result<Box<Followed>, DeriveError> {
        let (below, position) = (StoreKeyspace(&*self.store), replayed.position());
        let reader = LogReader(&below);
        let index: Option<DocumentIndex> = match rebuild {
            None => reader.document(document)?,
            Some(rebuild) => {
                // What was followed before and forgotten has its extract written; else this is new.
                if self.store.get(&derived_report::key(document))?.is_none()
                    && let Some(subject) = introduced(replayed, document)
                {
                    return Ok(Box::new(Followed::new(subject)));
                }
                let rebuild = rebuild.lock().unwrap_or_else(PoisonError::into_inner);
                rebuild.document(&below, document)?
            }
        };
        let index = index.ok_or(KeyspaceError::Damaged("document index"))?;
        let mut followed = Box::new(Followed::new(index.subject().clone()));
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
            let decoded =
                gate::decode_kept(&bytes).map_err(|_| KeyspaceError::Damaged("log entry"))?;
            followed.apply(&decoded);
            followed.received(received_at, change.position);
        }
        Ok(followed)
    }

    /// Gives the figures what has changed.
    fn publish(&mut self) {
        let reports = self.take_changed().into_iter().filter_map(|document| {
            let followed = self.followed.get(&document)?;
            Some(Arc::new(followed.report()))
        });
        self.totals.set(reports.collect(), self.position);
    }

    /// What has changed since the last call, ascending.
    fn take_changed(&mut self) -> Vec<DocumentId> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        for document in &changed {
            if let Some(followed) = self.followed.get_mut(document) {
                followed.changed = false;
            }
        }
        changed
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
        Ok(self.store.put_derived(vec![self.position_write()])?)
    }

    fn position_write(&self) -> Write {
        Write {
            key: derived_report::POSITION_KEY.to_vec(),
            value: Some(derived_report::encode_position(self.position)),
        }
    }

    /// Writes what has changed past the figures, of which none is kept while everything is derived.
    fn write_changed(&mut self) -> Result<(), DeriveError> {
        let changed = self.take_changed();
        for some in changed.chunks(limits::EXTRACTS_UNWRITTEN_MAX) {
            let write = |document: &DocumentId| {
                Some(Write {
                    key: derived_report::key(*document),
                    value: Some(self.followed.get(document)?.report().encode()),
                })
            };
            self.store
                .put_derived(some.iter().filter_map(write).collect())?;
        }
        Ok(())
    }

    fn forget_most(&mut self) {
        while self.weight > self.followed_max {
            self.forget_half();
        }
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

/// A step of the log, decoded, or why it cannot be.
type DecodedStep = Result<Vec<Replayed>, KeyspaceError>;

/// The subject that an entry gives a document, if it does.
fn introduced(replayed: &Replayed, document: DocumentId) -> Option<Subject> {
    replayed.entries().find_map(|(entry, _)| match entry {
        Entry::Subject {
            document: of,
            subject,
        } if *of == document => Subject::decode(subject).ok(),
        Entry::Subject { .. } | Entry::Extension { .. } | Entry::Change { .. } => None,
    })
}

/// Derives the log's own keys from each step and passes it on, until nobody listens any more.
fn take_steps(
    store: SharedStore,
    rebuild: &Mutex<Rebuild>,
    steps: &Receiver<DecodedStep>,
    taken: &SyncSender<DecodedStep>,
) {
    let mut target = StoreRebuild::new(store);
    for step in steps {
        let step = step.and_then(|entries| {
            let mut rebuild = rebuild.lock().unwrap_or_else(PoisonError::into_inner);
            rebuild.take(&mut target, &entries)?;
            Ok(entries)
        });
        let failed = step.is_err();
        if taken.send(step).is_err() || failed {
            return;
        }
    }
}

/// Reads the log to its end and decodes it, until nobody listens any more.
fn read_ahead(store: &SharedStore, steps: &SyncSender<DecodedStep>) {
    let mut from = keys::log(0);
    loop {
        let step = match replay_step(&StoreKeyspace(&**store), &from) {
            Ok(Some((entries, next))) => {
                from = next;
                Ok(entries)
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let failed = step.is_err();
        if steps.send(step).is_err() || failed {
            return;
        }
    }
}
