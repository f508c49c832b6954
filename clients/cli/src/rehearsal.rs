//! A rehearsal: a province's communes fill a published report offline and come back over bad links.
//!
//! Everything enters by the ordinary routes and as signed batches of simulated devices, each in a
//! folder of its own. A rehearsal that was interrupted, or is started again, looks at what the
//! province holds and does only what is missing. It is played only in a province that is marked as a
//! rehearsal.
//!
//! [`plan`] says who does what, as a function of the files and the seed; the other modules do it.

pub mod check;
pub mod cuts;
pub mod enrol;
pub mod fill;
pub mod homecoming;
pub mod plan;
pub mod settle;
pub mod watch;

use std::path::PathBuf;

use sync_core::apportion::ApportionError;
use sync_core::form::published::FiguresError;

use crate::administration::ImportError;
use crate::enrolment::EnrolError;
use crate::folder::{DeviceFolder, FolderError};
use crate::lookup::LookupError;
use crate::road::session::DeviceSession;
use crate::road::{Road, RoadError};
use crate::tablet::{Tablet, TabletError};
use crate::totals::TotalsError;

pub use check::{CheckRow, Checked};
pub use plan::{Plan, PlannedDevice, Role};

/// Why a rehearsal stopped. Started again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// A file.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The published figures.
    #[error(transparent)]
    Figures(#[from] FiguresError),
    /// They cannot be shared out.
    #[error(transparent)]
    Apportion(#[from] ApportionError),
    /// A device could not be enrolled.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// A device folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A device.
    #[error(transparent)]
    Tablet(#[from] TabletError),
    /// Totals.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// The catalogue.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The server.
    #[error(transparent)]
    Road(#[from] RoadError),
    /// The province is a real one.
    #[error("the province is not marked as a rehearsal")]
    NotARehearsal,
    /// The work folder belongs to another province.
    #[error("{} holds devices of another province", .0.display())]
    OtherWork(PathBuf),
    /// Something the plan needs is not in the files or the catalogue.
    #[error("{0} is missing")]
    Missing(String),
    /// A device did not get through.
    #[error("device {device} did not get through: {reason}")]
    Stuck {
        /// Its folder name.
        device: String,
        /// The last failure.
        reason: String,
    },
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Units, template, duty, people.
    Administration,
    /// Enrolling devices.
    Enrolment,
    /// Filling reports, offline.
    Filling,
    /// Coming back.
    Homecoming,
    /// The last communes and the rivals.
    Settling,
}

/// Who watches a rehearsal.
pub trait Audience: Sync {
    /// So many of so many are done.
    fn progress(&self, stage: Stage, done: usize, of: usize);
    /// The province's figures as they are now: reports in, due, and (code, figure).
    fn figures(&self, reported: u32, due: u32, headline: &[(String, String)]);
}

/// An audience that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Audience for Nobody {
    fn progress(&self, _: Stage, _: usize, _: usize) {}
    fn figures(&self, _: u32, _: u32, _: &[(String, String)]) {}
}

/// The last day of a duty that a rehearsal makes by itself.
pub const DUE_IF_NEW: &str = "2025-12-31";

/// How a rehearsal is played.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server's address.
    pub server: String,
    /// The administrator's device.
    pub admin: DeviceFolder,
    /// Its PIN.
    pub admin_pin: Option<String>,
    /// Where the simulated devices are.
    pub work: PathBuf,
    /// A form: file or built-in name.
    pub form: String,
    /// Published figures: file or built-in name.
    pub figures: String,
    /// Org units: file or built-in name.
    pub org: String,
    /// A tree file whose departments stand under the province, if any.
    pub departments: Option<String>,
    /// The period.
    pub period: String,
    /// The last day; none: as the duty that is there says, else [`DUE_IF_NEW`].
    pub due: Option<String>,
    /// Decides everything that is random.
    pub seed: u64,
    /// Devices that come back at once.
    pub threads: usize,
    /// The password of the sign-ins to try.
    pub password: String,
    /// Links break.
    pub cuts: bool,
}

/// What playing came to.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// Devices enrolled now.
    pub enrolled: usize,
    /// Reports filled now.
    pub filled: usize,
    /// Devices that came back now.
    pub returned: usize,
    /// Connections cut on the way.
    pub cuts: u32,
    /// Requests that failed and were sent again.
    pub retries: u32,
    /// Reports completed or settled now.
    pub settled: usize,
}

/// Plays a rehearsal up to its open end: some communes silent, some in conflict.
pub fn play(
    options: &Options,
    plan: &Plan,
    audience: &dyn Audience,
) -> Result<Played, RehearsalError> {
    let mut played = Played::default();
    let mut admin = Tablet::open(&options.admin, options.admin_pin.as_deref())?;
    if admin.card().rehearsal.is_none() {
        return Err(RehearsalError::NotARehearsal);
    }
    let province = admin.card().province;
    enrol::administer(options, plan, &mut admin, audience)?;
    played.enrolled = enrol::enrol_missing(options, plan, &admin, audience)?;
    admin.close()?;
    let folders = plan.devices.iter().map(|device| options.folder(device));
    for folder in folders {
        if folder.card()?.province != province {
            return Err(RehearsalError::OtherWork(options.work.clone()));
        }
    }
    let home = watch::keys_at_home(options, plan)?;
    let away: Vec<&PlannedDevice> = plan
        .devices
        .iter()
        .filter(|device| device.reports_now())
        .filter(|device| {
            let card = options.folder(device).card();
            card.is_ok_and(|card| !home.contains(&card.key_id))
        })
        .collect();
    played.filled = fill::fill_offline(options, plan, &away, audience)?;
    homecoming::return_all(options, plan, &away, audience, &mut played)?;
    Ok(played)
}

impl Options {
    /// The folder of a simulated device.
    pub fn folder(&self, device: &PlannedDevice) -> DeviceFolder {
        DeviceFolder::new(self.work.join(&device.folder))
    }

    /// A session of a device, straight to the server.
    pub fn session(&self, tablet: &Tablet) -> Result<DeviceSession, RoadError> {
        Ok(DeviceSession::new(
            Road::new(&self.server)?,
            tablet.card(),
            tablet.key(),
        ))
    }
}
