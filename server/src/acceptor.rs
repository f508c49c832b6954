//! The one writer of the log: a thread that judges waiting parts in groups and commits each group once.
//!
//! Whoever sends parts waits for [`Acceptor::accept`]; it returns after the commit that made them
//! durable, never before. A group is whatever waited while the commit before it ran, so that one
//! `fdatasync` serves many clients when there are many and nobody waits when there is one.

use std::sync::mpsc;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use store::{Commit, Condition, SharedStore};
use sync_core::batch::{SignedPart, VerifiedPart};
use sync_core::catalogue::Catalogue;
use sync_core::log::{Acceptor as Judge, Cache, LogEntry, LogReader, Trust, Verdict, keys};
use sync_core::sync::node;
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::keyspace::{self, StoreKeyspace};
use crate::limits;
use crate::listeners::Listeners;
use crate::metrics::Metrics;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Registry;

/// A part whose signature was checked, or why it was refused.
pub(crate) type Checked = Result<VerifiedPart, &'static str>;

struct Job {
    parts: Vec<Checked>,
    trust: Trust,
    bytes: usize,
    answer: oneshot::Sender<Result<Vec<Verdict>, Problem>>,
}

/// Accepted entries, in order: what is derived from next.
pub(crate) type Accepted = Vec<(u64, LogEntry)>;

/// The parts of one job, and who judges them.
type Judged<'a> = (&'a [Checked], Trust);

/// The sending end.
#[derive(Debug)]
pub struct Acceptor {
    jobs: RwLock<Option<tokio::sync::mpsc::Sender<Job>>>,
    end: watch::Receiver<u64>,
}

/// What the thread works with.
pub(crate) struct AcceptorParts {
    pub(crate) store: SharedStore,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    /// Where accepted parts go after their commit.
    pub(crate) accepted: mpsc::Sender<Accepted>,
    /// Who is told of them.
    pub(crate) listeners: Arc<Listeners>,
}

impl Acceptor {
    /// Starts the thread. It ends when the acceptor is closed and everything waiting was answered.
    pub(crate) fn start(parts: AcceptorParts) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, waiting) = tokio::sync::mpsc::channel(limits::EXCHANGES_WAITING_MAX);
        let reader = StoreKeyspace(&*parts.store);
        let first = LogReader(&reader).end().map_err(std::io::Error::other)?;
        let (told, end) = watch::channel(first);
        let thread = std::thread::Builder::new()
            .name("acceptor".to_owned())
            .stack_size(limits::THREAD_STACK_BYTES)
            .spawn(move || {
                let mut writer = Writer {
                    parts,
                    cache: Cache::default(),
                    end: told,
                };
                writer.run(waiting);
            })?;
        let jobs = RwLock::new(Some(jobs));
        Ok((Self { jobs, end }, thread))
    }

    /// Takes no more parts. What waits is still accepted.
    pub(crate) fn close(&self) {
        *self.jobs.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Judges parts in order and returns when what is to be kept of them is durable.
    pub(crate) async fn accept(&self, parts: Vec<Checked>) -> Result<Vec<Verdict>, Problem> {
        self.accept_as(parts, Trust::Judge).await
    }

    /// The same for parts that the node above has judged.
    pub(crate) async fn accept_as(
        &self,
        parts: Vec<Checked>,
        trust: Trust,
    ) -> Result<Vec<Verdict>, Problem> {
        let bytes = parts.iter().flatten().map(|part| size(part)).sum();
        let (answer, answered) = oneshot::channel();
        let job = Job {
            parts,
            trust,
            bytes,
            answer,
        };
        let gone = || Problem::new(ProblemCode::Draining);
        let jobs = {
            let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
            jobs.clone().ok_or_else(gone)?
        };
        jobs.send(job).await.map_err(|_| gone())?;
        drop(jobs);
        answered.await.map_err(|_| gone())?
    }

    /// Tells the position of the last entry whenever it grows.
    pub fn end(&self) -> watch::Receiver<u64> {
        self.end.clone()
    }
}

fn size(part: &SignedPart) -> usize {
    part.changes().iter().map(Vec::len).sum::<usize>() + 1_024
}

/// Verdicts of a group, what to commit for them, and the position after it.
type Staged = (Vec<Vec<Verdict>>, Commit, u64);

struct Writer {
    parts: AcceptorParts,
    cache: Cache,
    end: watch::Sender<u64>,
}

impl Writer {
    fn run(&mut self, mut waiting: tokio::sync::mpsc::Receiver<Job>) {
        let mut left_over = None;
        while let Some(first) = left_over.take().or_else(|| waiting.blocking_recv()) {
            let mut bytes = first.bytes;
            let mut group = vec![first];
            while group.len() < limits::EXCHANGES_PER_COMMIT_MAX {
                let Ok(job) = waiting.try_recv() else { break };
                bytes = bytes.saturating_add(job.bytes);
                if bytes > limits::COMMIT_PART_BYTES_MAX {
                    left_over = Some(job);
                    break;
                }
                group.push(job);
            }
            self.accept_group(group);
        }
    }

    /// Accepts a group in one commit; if the group as a whole is too large, one by one.
    fn accept_group(&mut self, group: Vec<Job>) {
        let parts: Vec<Judged<'_>> = group
            .iter()
            .map(|job| (job.parts.as_slice(), job.trust))
            .collect();
        let now = self.parts.clock.now_s();
        match self.commit(&parts, now) {
            Ok((verdicts, end)) => {
                let mut accepted = Accepted::new();
                let mut answers = Vec::with_capacity(group.len());
                for (job, verdicts) in group.into_iter().zip(verdicts) {
                    add_accepted(&mut accepted, job.parts, &verdicts, now);
                    answers.push((job.answer, verdicts));
                }
                self.pass_on(accepted, end);
                for (answer, verdicts) in answers {
                    // Nobody listens if the connection broke; what is durable stays.
                    let _ = answer.send(Ok(verdicts));
                }
            }
            Err(problem) if problem.code == ProblemCode::TooLarge && group.len() > 1 => {
                for job in group {
                    self.accept_group(vec![job]);
                }
            }
            Err(problem) => {
                for job in group {
                    let _ = job.answer.send(Err(problem.clone()));
                }
            }
        }
    }

    /// The verdicts of a group, durable, and the position after it.
    fn commit(
        &mut self,
        group: &[Judged<'_>],
        now: i64,
    ) -> Result<(Vec<Vec<Verdict>>, u64), Problem> {
        let catalogue = self.parts.registry.current();
        let staged = self.stage(&catalogue, group, now);
        let (verdicts, commit, end) = match staged {
            Ok(staged) => staged,
            Err(problem) => {
                self.cache.clear();
                return Err(problem);
            }
        };
        if !commit.writes.is_empty()
            && let Err(error) = self.parts.store.commit(commit)
        {
            // What was staged is in the cache and not in the store.
            self.cache.clear();
            return Err(error.into());
        }
        let metrics = &self.parts.metrics;
        metrics.committed(group.len(), verdicts.iter().flatten());
        Ok((verdicts, end))
    }

    fn stage(
        &mut self,
        catalogue: &Catalogue,
        group: &[Judged<'_>],
        now: i64,
    ) -> Result<Staged, Problem> {
        let below = StoreKeyspace(&*self.parts.store);
        let before = LogReader(&below).end()?;
        let mut judge = Judge::new(&below, catalogue, &mut self.cache, now)?;
        let verdicts = group
            .iter()
            .map(|(parts, trust)| node::accept_as(&mut judge, parts, *trust))
            .collect::<Result<Vec<_>, _>>()?;
        let end = judge
            .accepted()
            .last()
            .map_or(before, |(position, _)| *position);
        let writes = judge.into_writes();
        let commit = Commit {
            // Nobody else writes the log; if somebody did, nothing of this group happens.
            conditions: vec![Condition {
                key: keys::log(before.saturating_add(1)),
                expected: None,
            }],
            writes: writes.into_iter().map(keyspace::write).collect(),
        };
        Ok((verdicts, commit, end))
    }

    /// Hands what was accepted just now to whoever derives from it, and tells how far the log reaches.
    fn pass_on(&self, accepted: Accepted, end: u64) {
        let written = accepted
            .iter()
            .map(|(_, entry)| entry.part.part().partition)
            .collect();
        if !accepted.is_empty() {
            // The deriver is gone only while the server ends.
            let _ = self.parts.accepted.send(accepted);
        }
        self.end.send_if_modified(|known| {
            let grown = *known < end;
            *known = end;
            grown
        });
        self.parts.listeners.wake(&written, end);
    }
}

/// Adds the parts that were accepted, as entries of the log.
fn add_accepted(to: &mut Accepted, parts: Vec<Checked>, verdicts: &[Verdict], now: i64) {
    for (part, verdict) in parts.into_iter().zip(verdicts) {
        if let (Ok(part), Verdict::Accepted { position }) = (part, verdict) {
            let entry = LogEntry {
                received_at: now,
                part: part.into_signed(),
            };
            to.push((*position, entry));
        }
    }
}
