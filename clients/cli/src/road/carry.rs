//! Carrying one frame to the node and its answer back, over as many connections as it takes.

use std::io::Read;
use std::time::Duration;

use sync_core::sync::carried::Carried;

use super::wait::spread;
use super::{Road, RoadError};

/// Where exchanges go.
const PATH: &str = "/v1/sync";

/// Cuts in a row that brought nothing before the link is given up for now.
const FRUITLESS_MAX: u32 = 4;

/// The wait after a cut that brought nothing; each is twice the one before.
const FRUITLESS_WAIT: Duration = Duration::from_millis(25);

/// What one connection brought.
struct Brought {
    bytes: Vec<u8>,
    /// Why it ended early.
    cut: Option<RoadError>,
}

/// Goes on until the answer is whole, or the link brings nothing any more; then it can be called again later.
pub(super) fn carry(carried: &mut Carried, road: &Road, token: &str) -> Result<Vec<u8>, RoadError> {
    let mut fruitless = 0;
    loop {
        let before = carried.progress();
        let brought = road.post_frame(PATH, token, &carried.said())?;
        if let Some(answer) = carried.take(&brought.bytes, brought.cut.is_some()) {
            return Ok(answer);
        }
        if before != carried.progress() {
            fruitless = 0;
            continue;
        }
        fruitless += 1;
        if fruitless > FRUITLESS_MAX {
            let endless = || road.garbled("an exchange that does not go on".to_owned());
            return Err(brought.cut.unwrap_or_else(endless));
        }
        if brought.cut.is_some() {
            std::thread::sleep(spread(FRUITLESS_WAIT * (1 << fruitless)));
        }
    }
}

impl Road {
    /// Posts bytes and gives what comes back, also when it is cut short.
    fn post_frame(&self, path: &str, token: &str, body: &[u8]) -> Result<Brought, RoadError> {
        let request = self
            .agent
            .post(format!("{}{path}", self.server))
            .header("authorization", format!("Bearer {token}"))
            .config()
            // Every byte counts, and the server asks for none of these.
            .user_agent("")
            .accept("")
            .accept_encoding("")
            // Somebody who moved away leaves a connection that is open and dead.
            .timeout_per_read(Some(self.stall))
            .timeout_per_write(Some(self.stall))
            .build();
        let cut = |reason: String| {
            Some(RoadError::Offline {
                server: self.server.clone(),
                reason,
            })
        };
        let mut response = match request.send(body) {
            Ok(response) => response,
            Err(error) => {
                return Ok(Brought {
                    bytes: Vec::new(),
                    cut: cut(error.to_string()),
                });
            }
        };
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let mut bytes = Vec::new();
        let body = response.body_mut().with_config();
        let body = body.limit(super::FRAME_ANSWER_BYTES_MAX);
        let read = body.reader().read_to_end(&mut bytes);
        Ok(Brought {
            bytes,
            cut: read.err().and_then(|error| cut(error.to_string())),
        })
    }
}
