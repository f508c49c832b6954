//! Everything a request may need, in one struct: the state of the axum router.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;

use ed25519_dalek::SigningKey;
use store::{Commit, Condition, ReadError, SharedStore};
use sync_core::identity::{KeyId, NodeId};
use sync_core::log::{KeyspaceError, keys};
use sync_core::sync::NodeIdentity;
use tokio::sync::{Semaphore, watch};

use crate::acceptor::{Acceptor, AcceptorParts};
use crate::clock::Clock;
use crate::deriver::{DeriveError, Deriver};
use crate::descriptors;
use crate::edge::Edge;
use crate::guarded_store::GuardedStore;
use crate::interrupted::Interrupted;
use crate::kept::KeptError;
use crate::keyspace::{self, StoreKeyspace};
use crate::limits;
use crate::listeners::Listeners;
use crate::metrics::Metrics;
use crate::password::Passwords;
use crate::problem::{Problem, ProblemCode};
use crate::registry::{Registry, RegistryError};
use crate::secrets::Secrets;
use crate::sessions::Sessions;
use crate::token::Tokens;
use crate::totals::Totals;

/// What the server is doing with its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Alive, deriving what it needs; requests are told to come again.
    Starting,
    /// Serving.
    Ready,
    /// Ending what runs; new requests are told to come again.
    Draining,
    /// It could not start, or cannot be sure of a write; the process ends.
    Failed,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] KeyspaceError),
    /// A kept value cannot be read back.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Figures cannot be derived.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What runs once everything derived stands.
#[derive(Debug)]
pub struct Running {
    /// The writer of the log.
    pub acceptor: Acceptor,
    /// The figures.
    pub totals: Arc<Totals>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The server's parts. Shared by every request.
pub struct App {
    /// Where everything is kept.
    pub store: SharedStore,
    /// The catalogue and its writer.
    pub registry: Arc<Registry>,
    /// Access tokens, refresh tokens, challenges.
    pub tokens: Tokens,
    /// Password hashing and its limits.
    pub passwords: Passwords,
    /// What people follow.
    pub sessions: Sessions,
    /// Exchanges that were cut off.
    pub interrupted: Interrupted,
    /// The time.
    pub clock: Clock,
    /// What is measured.
    pub metrics: Arc<Metrics>,
    /// Starting, ready or draining.
    pub stage: watch::Sender<Stage>,
    /// Places for live connections.
    pub live: Arc<Semaphore>,
    /// How many of them there are.
    pub live_places: usize,
    /// What live connections wait for.
    pub listeners: Arc<Listeners>,
    /// What makes this node an area's edge, if it is one.
    pub edge: Option<Edge>,
    identity: RwLock<Arc<NodeIdentity>>,
    running: OnceLock<Running>,
    begins_anew: AtomicBool,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("stage", &self.stage())
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// The state of the router.
pub type SharedApp = Arc<App>;

impl App {
    /// Opens what a store holds; the stage is [`Stage::Starting`].
    pub fn open(store: SharedStore, secrets: Secrets, clock: Clock) -> Result<Self, OpenError> {
        Self::open_measured(store, secrets, clock, Arc::default(), None)
    }

    /// The same, with metrics that others add to, and perhaps as an area's edge.
    pub fn open_measured(
        store: SharedStore,
        secrets: Secrets,
        clock: Clock,
        metrics: Arc<Metrics>,
        edge: Option<Edge>,
    ) -> Result<Self, OpenError> {
        let stage = watch::Sender::new(Stage::Starting);
        let store: SharedStore = Arc::new(GuardedStore::new(store, stage.clone()));
        let registry = Registry::open(Arc::clone(&store), secrets.catalogue)?;
        let province = registry
            .current()
            .province()
            .map(|province| province.id)
            .ok_or(RegistryError::NoProvince)?;
        let sessions = match edge {
            None => Sessions::default(),
            Some(_) => Sessions::within(KeyId::of(secrets.node.verifying_key().as_bytes())),
        };
        let identity = read_identity(&store, secrets.node)?;
        let live_places = descriptors::live_places();
        Ok(Self {
            store,
            registry: Arc::new(registry),
            tokens: Tokens::new(province, &secrets.token),
            passwords: Passwords::default(),
            sessions,
            edge,
            interrupted: Interrupted::default(),
            clock,
            metrics,
            stage,
            live: Arc::new(Semaphore::new(live_places)),
            live_places,
            listeners: Arc::default(),
            identity: RwLock::new(Arc::new(identity)),
            running: OnceLock::new(),
            begins_anew: AtomicBool::new(false),
        })
    }

    /// Derives what is missing, starts the threads, and is ready. Blocks; once only.
    pub fn start(&self) -> Result<(), OpenError> {
        let totals = Arc::new(Totals::new(
            Arc::clone(&self.store),
            Arc::clone(&self.registry),
            Arc::clone(&self.metrics),
        ));
        let mut deriver = Deriver::new(Arc::clone(&self.store), Arc::clone(&totals));
        deriver.catch_up()?;
        let (passed_on, accepted) = mpsc::channel();
        let following = std::thread::Builder::new()
            .name("deriver".to_owned())
            .stack_size(limits::THREAD_STACK_BYTES)
            .spawn(move || deriver.run(&accepted))?;
        let (acceptor, accepting) = Acceptor::start(AcceptorParts {
            store: Arc::clone(&self.store),
            registry: Arc::clone(&self.registry),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            accepted: passed_on,
            listeners: Arc::clone(&self.listeners),
        })?;
        let running = Running {
            acceptor,
            totals,
            threads: Mutex::new(vec![accepting, following]),
        };
        if self.running.set(running).is_ok() {
            self.stage.send_if_modified(|stage| {
                let starting = *stage == Stage::Starting;
                if starting {
                    *stage = Stage::Ready;
                }
                starting
            });
        }
        Ok(())
    }

    /// What runs, once it does.
    pub fn running(&self) -> Result<&Running, Problem> {
        self.running
            .get()
            .ok_or_else(|| Problem::new(ProblemCode::NotReady))
    }

    /// Ends the threads: what waits is accepted and derived first. Blocks.
    pub fn close(&self) {
        let Some(running) = self.running.get() else {
            return;
        };
        running.acceptor.close();
        let mut threads = running
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread ended by a panic");
            }
        }
    }

    /// Ends the server, to be started again at once: what is derived does not follow from the log any more.
    pub(crate) fn begin_anew(&self) {
        self.begins_anew.store(true, Ordering::Release);
        self.stage.send_replace(Stage::Failed);
    }

    /// True if the server ended only to be started again.
    pub fn begins_anew(&self) -> bool {
        self.begins_anew.load(Ordering::Acquire)
    }

    /// Refuses at an edge what only the province's own server does.
    pub(crate) fn only_at_province(&self) -> Result<(), Problem> {
        match &self.edge {
            None => Ok(()),
            Some(edge) => Err(self.ask_the_province(edge)),
        }
    }

    /// Whose edge this is, and where to go instead.
    fn ask_the_province(&self, edge: &Edge) -> Problem {
        let catalogue = self.registry.current();
        let key = KeyId::of(self.identity().key.verifying_key().as_bytes());
        let unit = catalogue.node(key).map(|node| node.unit);
        let unit = unit.and_then(|unit| catalogue.unit(unit)?.last());
        let unit = unit.map(|unit| unit.name.clone()).unwrap_or_default();
        Problem::new(ProblemCode::AskTheProvince)
            .with("unit", unit)
            .with("upstream", &edge.upstream)
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// This node as its peers know it.
    pub fn identity(&self) -> Arc<NodeIdentity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new node id in place of `old`, durably. If somebody did so meanwhile, theirs stands.
    pub(crate) fn renew_identity(
        &self,
        old: &NodeIdentity,
        node: NodeId,
    ) -> Result<Arc<NodeIdentity>, Problem> {
        let mut identity = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if identity.node == old.node {
            let renewed = old.renewed(node);
            self.store.commit(Commit {
                conditions: vec![Condition {
                    key: keys::node(),
                    expected: old.write().value,
                }],
                writes: vec![keyspace::write(renewed.write())],
            })?;
            *identity = Arc::new(renewed);
        }
        Ok(Arc::clone(&identity))
    }
}

fn read_identity(store: &SharedStore, key: SigningKey) -> Result<NodeIdentity, OpenError> {
    let below = StoreKeyspace(&**store);
    let identity = NodeIdentity::read(&below, key)?;
    Ok(identity.ok_or(RegistryError::NoProvince)?)
}

/// Waits until the server is at a stage, or is gone.
pub(crate) async fn reached(stage: &mut watch::Receiver<Stage>, wanted: Stage) {
    // The guard on the value must not outlive this line: it cannot move between threads.
    let _ = stage.wait_for(|stage| *stage == wanted).await;
}

/// Runs work that blocks (disk, hashing) on a thread for it, inside the span of the request.
pub(crate) async fn blocking<T: Send + 'static>(
    app: &SharedApp,
    work: impl FnOnce(&SharedApp) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let app = Arc::clone(app);
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(|| work(&app)))
        .await
        .map_err(|error| Problem::internal(&error))?
}
