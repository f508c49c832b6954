//! Devices come back: over real sockets, in an order and with cuts that the seed decides.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::cuts::CuttingProxy;
use super::plan::shuffle;
use super::watch::Watch;
use super::{Audience, Options, Plan, PlannedDevice, Played, RehearsalError, Stage};
use crate::exchange::{Patience, SyncReport, synchronise};
use crate::now_s;
use crate::road::Road;
use crate::road::session::DeviceSession;
use crate::tablet::Tablet;

/// A link that breaks is tried again at once; a device that finds nobody gives up after a while.
const PATIENCE: Patience = Patience {
    failures_max: 24,
    first_wait: Duration::from_millis(10),
    longest_wait: Duration::from_millis(800),
};

/// Threads at once, at most.
const THREADS_MAX: usize = 8;

/// Does something with each item on several threads; the first failure stops the rest.
pub(super) fn in_parallel<T: Send>(
    threads: usize,
    items: Vec<T>,
    act: impl Fn(T) -> Result<(), RehearsalError> + Sync,
) -> Result<(), RehearsalError> {
    let queue = Mutex::new(VecDeque::from(items));
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, THREADS_MAX) {
            scope.spawn(|| {
                loop {
                    let item = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(item) = item else { return };
                    if let Err(error) = act(item) {
                        queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(error);
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Brings devices home while the province watches.
pub(super) fn return_all(
    options: &Options,
    plan: &Plan,
    devices: &[&PlannedDevice],
    audience: &dyn Audience,
    played: &mut Played,
) -> Result<(), RehearsalError> {
    if devices.is_empty() {
        return Ok(());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed.wrapping_add(1));
    let mut order: Vec<(usize, &PlannedDevice)> = devices.iter().copied().enumerate().collect();
    shuffle(&mut order, &mut rng);
    let watch = Watch::open(options, plan)?;
    let stop = AtomicBool::new(false);
    let counted = Mutex::new((0_usize, 0_u32, 0_u32));
    let outcome = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch.run(audience, &stop));
        let outcome = in_parallel(options.threads, order, |(index, device)| {
            let (cuts, report) = return_one(options, index, device)?;
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.0 += 1;
            counted.1 += cuts;
            counted.2 += report.failures;
            audience.progress(Stage::Homecoming, counted.0, devices.len());
            Ok(())
        });
        stop.store(true, Ordering::SeqCst);
        // What the watcher saw is for show: the check reads again. A panic of it is a fault.
        let _ = watching.join();
        outcome
    });
    let counted = counted.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.returned += counted.0;
    played.cuts += counted.1;
    played.retries += counted.2;
    outcome
}

/// One device: opened from its folder as after a restart, then synchronised through every cut.
fn return_one(
    options: &Options,
    index: usize,
    device: &PlannedDevice,
) -> Result<(u32, SyncReport), RehearsalError> {
    let mut tablet = Tablet::open(&options.folder(device), None)?;
    let seed = options
        .seed
        .wrapping_mul(1_000_003)
        .wrapping_add(index as u64);
    let proxy = match options.cuts {
        true => CuttingProxy::start(&options.server, seed),
        false => None,
    };
    let address = proxy
        .as_ref()
        .map_or_else(|| options.server.clone(), CuttingProxy::address);
    let road = Road::new(&address)?;
    let mut link = DeviceSession::new(road, tablet.card(), tablet.key());
    let report = synchronise(&mut tablet, &mut link, PATIENCE, &now_s)?;
    let cuts = proxy.as_ref().map_or(0, CuttingProxy::cuts);
    let status = tablet.device().status();
    let waiting = status.map_or(1, |status| status.waiting_parts);
    tablet.close()?;
    match &report.stopped_by {
        None if waiting == 0 => Ok((cuts, report)),
        stopped => Err(RehearsalError::Stuck {
            device: device.folder.clone(),
            reason: match stopped {
                Some(error) => error.to_string(),
                None => format!("{waiting} parts are not acknowledged: {:?}", report.notices),
            },
        }),
    }
}
