//! Follows the log: from accepted changes to extracts and figures, on a thread of its own.
//!
//! Nothing here decides anything; all of it can be done again from the log. Figures change and
//! listeners are told before the extracts are written, since writing may have to wait for a commit.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::Builder;
use std::time::Instant;

use store::{SharedStore, Write};
use sync_core::batch::Entry;
use sync_core::document::{ExtractState, Subject, extension_change};
use sync_core::gate::{self, DecodedChange};
use sync_core::identity::DocumentId;
use sync_core::log::rebuild::{Rebuild, Replayed, rebuild_held, replay_step};
use sync_core::log::{DocumentIndex, KeyspaceError, Lane, LogReader, keys};

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

    /// A document of which nothing was followed yet.
    fn begun(index: &DocumentIndex) -> Self {
        let mut followed = Self::new(index.subject().clone());
        // Before any change, and also those of parts that declare and change nothing: the version
        // must not depend on when the document was loaded.
        for name in index.extensions() {
            followed.declare(name);
        }
        followed
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

    /// The bytes of its report.
    fn encode(&self) -> Vec<u8> {
        let extract = self.state.encode_extract();
        derived_report::encode_of(self.first_received_at, self.last_received_at, &extract)
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
        while let Some((entries, next)) =
            replay_step(&StoreKeyspace(&*store), &from, &Lane::whole())?
        {
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

    /// Derives everything from nothing, in lanes side by side: each reads the log and derives what is
    /// its own, from the log's own keys to the extracts.
    fn rebuild(&mut self) -> Result<(), DeriveError> {
        self.store.clear_derived()?;
        let lanes = std::thread::scope(|scope| {
            let lanes = Lane::several(limits::REBUILD_LANES).map(|lane| {
                let follower = Self::new(Arc::clone(&self.store), Arc::clone(&self.totals));
                let named = Builder::new().name("log-lane".to_owned());
                named.spawn_scoped(scope, move || follower.derive_lane(&lane))
            });
            let lanes: Vec<_> = lanes.collect();
            let ended = lanes.into_iter().map(|lane| {
                let ended = lane?.join();
                ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            ended.collect::<Result<Vec<u64>, DeriveError>>()
        })?;
        self.position = lanes.into_iter().max().unwrap_or(0);
        rebuild_held(&mut StoreRebuild::new(Arc::clone(&self.store)))?;
        self.store
            .put_derived(vec![self.position_write(), derived_version::write()])?;
        Ok(self.store.derived_rebuilt()?)
    }

    /// Derives everything of a lane, and gives the last position of the log.
    fn derive_lane(mut self, lane: &Lane) -> Result<u64, DeriveError> {
        self.followed_max = limits::FOLLOWED_CELLS_REBUILDING_MAX;
        let mut rebuild = Rebuild::new();
        let mut target = StoreRebuild::new(Arc::clone(&self.store));
        let mut from = keys::log(0);
        while let Some((entries, next)) = replay_step(&target, &from, lane)? {
            rebuild.take(&mut target, &entries)?;
            for replayed in &entries {
                self.follow(replayed, Some(&rebuild))?;
            }
            from = next;
        }
        rebuild.finish(&mut target)?;
        let left: Vec<_> = self.followed.drain().collect();
        self.write_forgotten(&left)?;
        Ok(self.position)
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
            self.follow(&Replayed::new(position, entry, &Lane::whole())?, None)?;
        }
        Ok(())
    }

    /// Takes in one entry of the log; `rebuild` has the documents while all is derived again.
    fn follow(
        &mut self,
        replayed: &Replayed,
        rebuild: Option<&Rebuild>,
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
            if rebuild.is_none() && !followed.changed {
                followed.changed = true;
                self.changed.push(document);
            }
        }
        if self.weight > self.followed_max {
            if rebuild.is_none() {
                self.publish();
            }
            let forgotten = self.forget_half();
            if rebuild.is_some() {
                self.write_forgotten(&forgotten)?;
            }
        }
        Ok(())
    }

    /// A document as the log has it; empty if its first change is the one about to be followed.
    fn load(
        &self,
        replayed: &Replayed,
        document: DocumentId,
        rebuild: Option<&Rebuild>,
    ) -> Result<Box<Followed>, DeriveError> {
        let (below, position) = (StoreKeyspace(&*self.store), replayed.position());
        let reader = LogReader(&below);
        let index: Option<DocumentIndex> = match rebuild {
            None => reader.document(document)?,
            Some(rebuild) => {
                if let Some(index) = rebuild.in_memory(document)
                    && begins_from(index, position)
                {
                    return Ok(Box::new(Followed::begun(index)));
                }
                rebuild.document(&below, document)?
            }
        };
        let index = index.ok_or(KeyspaceError::Damaged("document index"))?;
        let mut followed = Box::new(Followed::begun(&index));
        if begins_from(&index, position) {
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

    /// Writes reports past the figures, of which none is kept while everything is derived.
    fn write_forgotten(&self, reports: &[(DocumentId, Box<Followed>)]) -> Result<(), DeriveError> {
        for some in reports.chunks(limits::EXTRACTS_UNWRITTEN_MAX) {
            let write = |(document, followed): &(DocumentId, Box<Followed>)| Write {
                key: derived_report::key(*document),
                value: Some(followed.encode()),
            };
            self.store.put_derived(some.iter().map(write).collect())?;
        }
        Ok(())
    }

    /// Forgets the half that was not used for longest, and gives it.
    fn forget_half(&mut self) -> Vec<(DocumentId, Box<Followed>)> {
        let mut used: Vec<u64> = self.followed.values().map(|one| one.used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied();
        let forgotten = self.followed.extract_if(|_, one| Some(one.used) <= middle);
        let forgotten = forgotten.collect();
        self.weight = self.followed.values().map(|one| one.weight).sum();
        forgotten
    }
}

/// True if no change of a document came before a position.
fn begins_from(index: &DocumentIndex, position: u64) -> bool {
    let first = index.changes().first();
    first.is_none_or(|first| first.position >= position)
}
