//! Group commit: callers that arrive together share one sync, and one of them does the work.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use journal::{AppendError, Place, SyncError};
use store::{Commit, CommitError, Condition, ReadError, Write, is_derived, record};

use crate::index::{Index, IndexBatch, Mark};
use crate::{REDO_BYTES_MAX, SledStore, Writing, folder, index_failure, is_truth, value};

/// Commits in one group: more would only make the first wait longer.
const GROUP_COMMITS_MAX: usize = 1_024;

/// Bytes of the commits of one group, unless the first alone is larger: bounds the memory of buffers.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

type Outcome = Result<(), CommitError>;

/// Callers that wait for their commit.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Ticket>>,
    led: bool,
    closed: bool,
}

#[derive(Debug)]
struct Ticket {
    turn: Mutex<Turn>,
    called: Condvar,
    bytes: usize,
}

#[derive(Debug)]
enum Turn {
    Waiting(Commit),
    /// The caller of this ticket leads the next group.
    Lead(Commit),
    Taken,
    Done(Outcome),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ticket {
    fn call(&self, turn: Turn) {
        *locked(&self.turn) = turn;
        self.called.notify_one();
    }

    fn take(&self) -> Commit {
        match std::mem::replace(&mut *locked(&self.turn), Turn::Taken) {
            Turn::Waiting(commit) | Turn::Lead(commit) => commit,
            // A ticket in the queue was not taken before.
            Turn::Taken | Turn::Done(_) => Commit::default(),
        }
    }

    /// Makes the ticket's caller the next leader.
    fn appoint(&self) {
        let commit = self.take();
        self.call(Turn::Lead(commit));
    }

    /// Waits to be answered; none: to lead.
    fn wait(&self) -> Option<Outcome> {
        let mut turn = locked(&self.turn);
        loop {
            match &*turn {
                Turn::Waiting(_) | Turn::Taken => {
                    turn = self
                        .called
                        .wait(turn)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Turn::Lead(_) => return None,
                Turn::Done(outcome) => return Some(outcome.clone()),
            }
        }
    }
}

impl Queue {
    /// Commits, as one of a group; `perform` answers every commit of a group it is given.
    pub(crate) fn commit(
        &self,
        commit: Commit,
        perform: impl FnOnce(Vec<Commit>) -> Vec<Outcome>,
    ) -> Outcome {
        let bytes = commit.bytes();
        let ticket = Ticket {
            turn: Mutex::new(Turn::Waiting(commit)),
            called: Condvar::new(),
            bytes,
        };
        let ticket = Arc::new(ticket);
        {
            let mut state = locked(&self.state);
            if state.closed {
                return Err(closed());
            }
            state.waiting.push_back(Arc::clone(&ticket));
            if !state.led {
                state.led = true;
                drop(state);
                return self.lead(&ticket, perform);
            }
        }
        match ticket.wait() {
            Some(outcome) => outcome,
            None => self.lead(&ticket, perform),
        }
    }

    /// Performs the group at the front of the queue, of which `own` is the first.
    fn lead(&self, own: &Ticket, perform: impl FnOnce(Vec<Commit>) -> Vec<Outcome>) -> Outcome {
        let group = self.take_group();
        let commits: Vec<Commit> = group.iter().map(|ticket| ticket.take()).collect();
        // A panic below must not leave the others waiting for ever.
        let outcomes = catch_unwind(AssertUnwindSafe(|| perform(commits))).unwrap_or_default();
        let mut outcomes = outcomes.into_iter();
        for ticket in &group {
            ticket.call(Turn::Done(
                outcomes.next().unwrap_or_else(|| Err(panicked())),
            ));
        }
        let next = {
            let mut state = locked(&self.state);
            state.led = !state.waiting.is_empty();
            state.waiting.front().cloned()
        };
        match next {
            Some(ticket) => ticket.appoint(),
            None => self.idle.notify_all(),
        }
        own.wait().unwrap_or_else(|| Err(panicked()))
    }

    fn take_group(&self) -> Vec<Arc<Ticket>> {
        let mut state = locked(&self.state);
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(next) = state.waiting.front() {
            bytes += next.bytes;
            if group.len() >= GROUP_COMMITS_MAX || (bytes > GROUP_BYTES_MAX && !group.is_empty()) {
                break;
            }
            group.extend(state.waiting.pop_front());
        }
        group
    }

    /// Refuses commits from now on and waits for those that run.
    pub(crate) fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        while state.led {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

pub(crate) fn closed() -> CommitError {
    fatal("commit", "store", "the store is closed")
}

fn panicked() -> CommitError {
    fatal("commit", "store", "the commit was interrupted by a panic")
}

fn fatal(step: &'static str, object: &str, reason: &str) -> CommitError {
    CommitError::Fatal {
        step,
        object: object.to_owned(),
        reason: reason.to_owned(),
    }
}

fn unread(error: ReadError) -> CommitError {
    CommitError::Fatal {
        step: error.step,
        object: error.object,
        reason: error.reason,
    }
}

pub(crate) fn sync_error(error: SyncError) -> CommitError {
    match error {
        SyncError::Full(failure) => CommitError::Full {
            reason: failure.to_string(),
        },
        SyncError::Fatal(failure) => CommitError::Fatal {
            step: failure.step,
            object: failure.object,
            reason: failure.reason,
        },
        SyncError::ReadOnly => fatal("write", "journal", "opened for reading only"),
    }
}

fn append_error(error: AppendError) -> CommitError {
    match error {
        AppendError::Full(failure) => sync_error(SyncError::Full(failure)),
        AppendError::Fatal(failure) => sync_error(SyncError::Fatal(failure)),
        // The limits of a commit are below those of a record, and an empty record is not made.
        AppendError::Empty | AppendError::TooLarge { .. } | AppendError::ReadOnly => {
            fatal("write", "journal", &error.to_string())
        }
    }
}

fn full(error: &io::Error) -> CommitError {
    CommitError::Full {
        reason: format!("write redo: {error}"),
    }
}

/// A write of the group: its value, and the bytes sled will hold for it.
struct Pending {
    value: Option<Vec<u8>>,
    stored: Option<Vec<u8>>,
}

/// What the accepted commits of a group do.
#[derive(Default)]
struct Overlay {
    writes: BTreeMap<Vec<u8>, Pending>,
    last_record: Option<Place>,
    changed: bool,
}

impl SledStore {
    /// Performs a group. Nothing of it is visible before it is durable.
    pub(crate) fn perform(&self, group: Vec<Commit>) -> Vec<Outcome> {
        let count = group.len();
        let mut writing = self.lock_writing();
        match self.perform_with(&mut writing, group) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                if matches!(error, CommitError::Fatal { .. }) && writing.fatal.is_none() {
                    tracing::error!(%error, "the store takes no more commits");
                    writing.fatal = Some(error.clone());
                }
                vec![Err(error); count]
            }
        }
    }

    /// The outcome of each commit, or the one failure that all of them share.
    fn perform_with(
        &self,
        writing: &mut Writing,
        group: Vec<Commit>,
    ) -> Result<Vec<Outcome>, CommitError> {
        if let Some(fatal) = &writing.fatal {
            return Err(fatal.clone());
        }
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let index = index.as_ref().ok_or_else(closed)?;
        self.check_room(&group)?;
        let mut overlay = Overlay {
            last_record: writing.applied,
            ..Overlay::default()
        };
        let mut outcomes = Vec::with_capacity(group.len());
        for commit in group {
            match self.first_broken(writing, index, &overlay, &commit.conditions) {
                Ok(Some(key)) => outcomes.push(Err(CommitError::Conflict { key })),
                Ok(None) => {
                    if let Err(error) = self.accept(writing, &mut overlay, commit.writes) {
                        self.journal.discard();
                        return Err(give_up(writing, error));
                    }
                    outcomes.push(Ok(()));
                }
                Err(error) => {
                    self.journal.discard();
                    return Err(give_up(writing, error));
                }
            }
        }
        if overlay.changed {
            self.settle(writing, index, overlay)?;
        }
        Ok(outcomes)
    }

    /// Refuses a group while the file system has little room left.
    fn check_room(&self, group: &[Commit]) -> Result<(), CommitError> {
        if group.iter().all(|commit| commit.writes.is_empty()) {
            return Ok(());
        }
        let least = self.options.free_bytes_min;
        match fs2::available_space(&self.folder) {
            Ok(free) if free < least => Err(CommitError::Full {
                reason: format!(
                    "{free} bytes are left on the file system, of which {least} are kept"
                ),
            }),
            // Not knowing is no reason to stop: a write that finds no room says so itself.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The key of the first condition that does not hold.
    fn first_broken(
        &self,
        writing: &mut Writing,
        index: &Index,
        overlay: &Overlay,
        conditions: &[Condition],
    ) -> Result<Option<Vec<u8>>, CommitError> {
        for Condition { key, expected } in conditions {
            let holds = match overlay.writes.get(key) {
                Some(pending) => pending.value == *expected,
                None => match (self.get_in(writing, index, key)?, expected) {
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                    (Some(stored), Some(expected)) => {
                        value::equals(&self.journal, &stored, expected).map_err(unread)?
                    }
                },
            };
            if !holds {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }

    fn get_in(
        &self,
        writing: &mut Writing,
        index: &Index,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, CommitError> {
        index.get(key).map_err(|error| {
            self.give_up_index(writing, &error);
            unread(error)
        })
    }

    /// Adds a commit to the journal's group, the redo file's and the overlay.
    fn accept(
        &self,
        writing: &mut Writing,
        overlay: &mut Overlay,
        writes: Vec<Write>,
    ) -> Result<(), CommitError> {
        if writes.is_empty() {
            return Ok(());
        }
        overlay.changed = true;
        let truth: Vec<&Write> = writes.iter().filter(is_truth).collect();
        let mut offsets = Vec::new();
        if !truth.is_empty() {
            let encoded = record::encode(&truth);
            overlay.last_record = Some(self.journal.append(&encoded.bytes).map_err(append_error)?);
            offsets = encoded.value_offsets;
        }
        let derived: Vec<&Write> = writes
            .iter()
            .filter(|write| is_derived(&write.key))
            .collect();
        writing.redo.append(overlay.last_record, &derived);
        let mut offsets = offsets.into_iter();
        for Write { key, value } in writes {
            let place = if is_derived(&key) {
                None
            } else {
                overlay.last_record
            };
            let offset = place.and_then(|_| offsets.next()).unwrap_or(0);
            let stored = value.as_deref().map(|value| match place {
                Some(place) => value::truth(value, place, offset),
                None => value::inline(value),
            });
            overlay.writes.insert(key, Pending { value, stored });
        }
        Ok(())
    }

    /// Makes the group durable, then visible.
    fn settle(
        &self,
        writing: &mut Writing,
        index: &Index,
        overlay: Overlay,
    ) -> Result<(), CommitError> {
        if let Err(error) = writing.redo.write() {
            self.journal.discard();
            return Err(give_up(writing, full(&error)));
        }
        if let Err(error) = self.journal.sync() {
            return Err(give_up(writing, sync_error(error)));
        }
        writing.redo.keep();
        writing.applied = overlay.last_record;
        let mut batch = IndexBatch::default();
        for (key, pending) in overlay.writes {
            batch.put_owned(key, pending.stored);
        }
        let mark = Mark {
            place: writing.applied,
            redo: writing.redo.last(),
        };
        let mut applied = index.apply(batch, mark);
        if applied.is_ok() && writing.redo.length() > REDO_BYTES_MAX {
            applied = index.flush();
            writing.redo.restart();
        }
        applied.map_err(|error| {
            folder::distrust(&self.folder);
            index_failure(&error.to_string())
        })
    }
}

/// Takes back what the redo file has of a group that did not happen.
fn give_up(writing: &mut Writing, error: CommitError) -> CommitError {
    match writing.redo.give_up() {
        Ok(()) => error,
        Err(failed) => fatal("truncate", "redo", &failed.to_string()),
    }
}
