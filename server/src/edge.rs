//! What makes a node an area's edge: the node above it, and how it stands with it.
//!
//! The file `edge.json` in the folder says that the folder is an edge's. It holds no secret: the node's
//! key is in `secrets/`, and what the node is allowed is in the catalogue.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dongbo::durable_file::{self, FileError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::sync::Standing;
use tokio::sync::watch;

/// The file in the folder.
pub(crate) const FILE: &str = "edge.json";

/// How an edge reaches the node above it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeCard {
    /// The version of this file.
    pub version: u32,
    /// Address of the node above.
    pub upstream: String,
    /// The certificate of the authority to believe, PEM; none: the public ones.
    pub authority: Option<String>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no such file.
    #[error("edge.json cannot be read: {0}")]
    Damaged(String),
}

impl EdgeCard {
    /// The card of a folder; none if the folder is no edge's.
    pub fn read(folder: &Path) -> Result<Option<Self>, EdgeError> {
        let Some(bytes) = durable_file::read(&folder.join(FILE))? else {
            return Ok(None);
        };
        let card: Self = serde_json::from_slice(&bytes)
            .map_err(|error| EdgeError::Damaged(error.to_string()))?;
        match card.version {
            1 => Ok(Some(card)),
            version => Err(EdgeError::Damaged(format!("version {version} is unknown"))),
        }
    }

    /// The bytes of the file, for a backup; none if the folder is no edge's.
    pub(crate) fn bytes_of(folder: &Path) -> Result<Option<Vec<u8>>, FileError> {
        durable_file::read(&folder.join(FILE))
    }

    /// Puts the file of a backup back; durable on return.
    pub(crate) fn put_back(folder: &Path, bytes: &[u8]) -> Result<(), FileError> {
        durable_file::write(&folder.join(FILE), bytes)
    }

    /// Makes a folder an edge's; durable on return.
    pub fn write(&self, folder: &Path) -> Result<(), EdgeError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| EdgeError::Damaged(error.to_string()))?;
        Ok(durable_file::write(&folder.join(FILE), &text)?)
    }
}

/// How the edge stands with the node above it.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "Upstream")]
pub(crate) struct State {
    /// Its address.
    pub(crate) upstream: String,
    /// Rounds of exchanges that came to their end or were broken off.
    pub(crate) rounds: u64,
    /// True while the last round ended with both nodes holding the same.
    pub(crate) in_step: bool,
    /// When a round last came to its end, seconds since 1970.
    pub(crate) last_done_at: Option<i64>,
    /// Why the last round was broken off.
    pub(crate) last_error: Option<String>,
    /// Position of the feed above that was taken.
    pub(crate) taken: u64,
    /// Position of the own log that was sent up.
    pub(crate) sent: u64,
    /// Parts on which the two nodes are known to differ: held or refused on one side.
    pub(crate) differences: usize,
}

/// A node's being an edge.
#[derive(Debug)]
pub struct Edge {
    /// Address of the node above.
    pub upstream: String,
    asked: watch::Sender<u64>,
    state: Mutex<State>,
    rounds: watch::Sender<u64>,
}

impl Edge {
    /// An edge below a node.
    pub fn new(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            asked: watch::Sender::new(0),
            state: Mutex::new(State {
                upstream: upstream.to_owned(),
                ..State::default()
            }),
            rounds: watch::Sender::new(0),
        }
    }

    /// How it stands.
    pub(crate) fn state(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    /// Asks for a round now. Gives the number of this wish, and who tells of the wishes that were
    /// fulfilled.
    pub(crate) fn ask(&self) -> (u64, watch::Receiver<u64>) {
        let ended = self.rounds.subscribe();
        let mut number = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        (number, ended)
    }

    /// Tells whenever a round is asked for.
    pub(crate) fn asked(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }

    /// A round is over that began after this wish.
    pub(crate) fn ended(&self, wish: u64, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state);
            state.rounds += 1;
        }
        self.rounds.send_replace(wish);
    }

    pub(crate) fn progressed(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
    }
}

/// True if both nodes hold the same.
pub(crate) fn is_in_step(standing: Standing) -> bool {
    match standing {
        Standing::InStep => true,
        Standing::UnderWay | Standing::Again | Standing::Apart => false,
    }
}
