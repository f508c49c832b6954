//! How many files and connections this process may hold open.
//!
//! Each live connection holds one, for hours. If they could take all of them, the server could neither
//! answer a POST nor open the next segment of its journal. So they get half of what the system allows,
//! at most [`LIVE_CONNECTIONS_MAX`]; who comes after that is told to come again, and goes on by POST.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::LIVE_CONNECTIONS_MAX;

/// Takes as many open files as the system lets this process have. A system that refuses leaves it with
/// what it had.
pub fn claim_all() {
    let limit = getrlimit(Resource::Nofile);
    let claimed = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, claimed) {
        tracing::warn!(%error, "the number of open files stays as it is: {error}");
    }
    let open_files = getrlimit(Resource::Nofile).current;
    let live = live_places();
    tracing::info!(
        ?open_files,
        live,
        "open files, and live connections at once"
    );
}

/// Places for live connections.
pub(crate) fn live_places() -> usize {
    places_of(getrlimit(Resource::Nofile).current)
}

/// Of a number of open files; none means that there is no limit.
fn places_of(open_files: Option<u64>) -> usize {
    let half = open_files.map(|files| usize::try_from(files / 2).unwrap_or(usize::MAX));
    half.unwrap_or(usize::MAX).min(LIVE_CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_connections_leave_half_of_the_open_files_to_the_rest() {
        assert_eq!(places_of(Some(1_024)), 512);
        assert_eq!(places_of(Some(1_048_576)), LIVE_CONNECTIONS_MAX);
        assert_eq!(places_of(None), LIVE_CONNECTIONS_MAX);
        assert_eq!(places_of(Some(1)), 0);
    }
}
