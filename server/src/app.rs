//! Everything a request may need, in one struct: the state of the axum router.

use std::sync::Arc;

use store::{ReadError, SharedStore};
use sync_core::identity::NodeId;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::kept::KeptError;
use crate::kept::node::{self, Node};
use crate::password::Passwords;
use crate::problem::Problem;
use crate::registry::{Registry, RegistryError};
use crate::secrets::Secrets;
use crate::token::Tokens;

/// What the server is doing with its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Alive, deriving what it needs; requests are told to come again.
    Starting,
    /// Serving.
    Ready,
    /// Ending what runs; new requests are told to come again.
    Draining,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A kept value cannot be read back.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The server's parts. Shared by every request.
#[derive(Debug)]
pub struct App {
    /// Where everything is kept.
    pub store: SharedStore,
    /// The catalogue and its writer.
    pub registry: Registry,
    /// Access tokens, refresh tokens, challenges.
    pub tokens: Tokens,
    /// Password hashing and its limits.
    pub passwords: Passwords,
    /// The time.
    pub clock: Clock,
    /// This node as its peers know it.
    pub node: NodeId,
    /// Starting, ready or draining.
    pub stage: watch::Sender<Stage>,
}

/// The state of the router.
pub type SharedApp = Arc<App>;

impl App {
    /// Opens what a store holds; the stage is [`Stage::Starting`].
    pub fn open(store: SharedStore, secrets: Secrets, clock: Clock) -> Result<Self, OpenError> {
        let registry = Registry::open(Arc::clone(&store), secrets.catalogue)?;
        let province = registry
            .current()
            .province()
            .map(|province| province.id)
            .ok_or(RegistryError::NoProvince)?;
        let kept = store.get(&node::KEY)?.ok_or(RegistryError::NoProvince)?;
        let node = Node::decode(&kept)?.id;
        Ok(Self {
            store,
            registry,
            tokens: Tokens::new(province, &secrets.token),
            passwords: Passwords::default(),
            clock,
            node,
            stage: watch::Sender::new(Stage::Starting),
        })
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }
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
