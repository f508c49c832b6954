//! A tablet without a screen: everything the tablet's person can do, and the administrator's tool.
//!
//! [`Tablet`] is a device folder with its journal: what it says is saved is durable. [`Road`] is the
//! way to a server; [`exchange::synchronise`] takes one over the other and bears every cut. The
//! program `dongbo` is this library with a command line in front; rehearsals and tests use it as it is.
//!
//! Reading order: the folder, the tablet, the road, then what is done with them.

pub mod durable_file;
pub mod folder;
pub mod sealed_key;
pub mod tablet;

pub mod exchange;
pub mod road;

pub mod administration;
pub mod enrolment;
pub mod figures;
pub mod local_rows;
pub mod lookup;
pub mod plan_proposal;
pub mod proposal;
pub mod totals;
pub mod typed;
pub mod view;

pub mod bundle;
pub mod evidence;
pub mod replay;
pub mod verify;

pub mod rehearsal;

pub mod trouble;

pub use exchange::{Link, Patience, SyncReport, synchronise, synchronise_within};
pub use folder::{DeviceCard, DeviceFolder};
pub use road::{Road, RoadError};
pub use tablet::{Tablet, TabletError};

/// Seconds since 1970 UTC by this machine's clock: a claim, never a proof.
pub fn now_s() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}
