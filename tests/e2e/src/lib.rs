//! The real server as a process, an administrator, and devices that talk to it: for tests and loads.
//!
//! Nothing here knows the server's code; it is started, spoken to over HTTP, and killed.

pub mod administrator;
pub mod folder;
pub mod link;
pub mod paper;
pub mod peer;
pub mod server;
pub mod workload;

pub use administrator::Administrator;
pub use peer::Peer;
pub use server::Server;

/// The period that every report here is for.
pub const PERIOD: &str = "2025";

/// The template that every report here is filled by.
pub const TEMPLATE: &str = "bao-cao-cchc-2022";

/// Seconds since 1970, for claims.
pub fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() as i64)
}
