//! Exchanges of an edge with the node above it: on a schedule, when the log has grown, when asked.
//!
//! A thread of its own, since the road blocks. Each answer is taken in this order: records, durable;
//! parts, durable; then the two positions, durable. So whatever is cut or killed, the next exchange
//! begins where the last whole one ended.

use std::thread::JoinHandle;
use std::time::Duration;

use dongbo::exchange::Link;
use dongbo::road::session::DeviceSession;
use dongbo::road::{Road, RoadError};
use store::Commit;
use sync_core::identity::{ActorId, InstallationId, KeyId, NodeId};
use sync_core::sync::node;
use sync_core::sync::uplink::{Settled, Standing, Uplink};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::app::{App, SharedApp, Stage};
use crate::edge::is_in_step;
use crate::entropy::random;
use crate::keyspace::{self, StoreKeyspace};
use crate::limits::{UPLINK_EXCHANGES_MAX, UPLINK_GATHER_S};
use crate::problem::Problem;
use sync_core::log::{Losing, Trust, Write, keys};

/// Why a round was broken off. What was settled before stays.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Road(#[from] RoadError),
    #[error("this node cannot take what came from above: {}", .0.code.as_str())]
    Here(Problem),
    #[error("the two nodes go on finding something to exchange; the round is given up")]
    Endless,
    #[error("the two nodes differ after everything was compared anew: a person has to look")]
    Apart,
    #[error(
        "the province has accepted another branch of a device's work: it is set aside here, and the server starts anew"
    )]
    GaveWay,
}

impl<E: Into<Problem>> From<E> for RoundError {
    fn from(error: E) -> Self {
        Self::Here(error.into())
    }
}

/// Starts the thread. It ends when the server stops.
pub fn start(app: SharedApp, road: Road, every: Duration) -> std::io::Result<JoinHandle<()>> {
    let runtime = Handle::current();
    std::thread::Builder::new()
        .name("uplink".to_owned())
        .stack_size(crate::limits::THREAD_STACK_BYTES)
        .spawn(move || run(&app, road, every, &runtime))
}

fn run(app: &SharedApp, road: Road, every: Duration, runtime: &Handle) {
    let Some(edge) = &app.edge else { return };
    let mut stage = app.stage.subscribe();
    if runtime
        .block_on(stage.wait_for(|stage| *stage != Stage::Starting))
        .is_err()
    {
        return;
    }
    let Ok(running) = app.running() else { return };
    let mut end = running.acceptor.end();
    let mut asked = edge.asked();
    let identity = app.identity();
    let Some(province) = app
        .registry
        .current()
        .province()
        .map(|province| province.id)
    else {
        return;
    };
    let mut session = DeviceSession::of(road, province, &identity.key);
    let key = KeyId::of(identity.key.verifying_key().as_bytes());
    let actor = ActorId::of(key, InstallationId([0; 8]));
    loop {
        let wish = *asked.borrow_and_update();
        end.borrow_and_update();
        let outcome = Uplink::open(&StoreKeyspace(&*app.store), province, actor)
            .map_err(RoundError::from)
            .and_then(|mut uplink| round(app, &mut uplink, &mut session, runtime));
        let now = app.clock.now_s();
        edge.ended(wish, |state| match outcome {
            Ok(standing) => {
                state.in_step = is_in_step(standing);
                state.last_done_at = Some(now);
                state.last_error = None;
            }
            Err(error) => {
                tracing::warn!(%error, "the node above was not reached to the end: {error}");
                state.in_step = false;
                state.last_error = Some(error.to_string());
            }
        });
        if !runtime.block_on(wait(&mut stage, &mut asked, &mut end, every)) {
            return;
        }
    }
}

/// Waits for a reason to begin a round; false if the server stops.
async fn wait(
    stage: &mut watch::Receiver<Stage>,
    asked: &mut watch::Receiver<u64>,
    end: &mut watch::Receiver<u64>,
    every: Duration,
) -> bool {
    let grown = async {
        if end.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        // What a morning's tablets bring goes up together.
        tokio::time::sleep(Duration::from_secs(UPLINK_GATHER_S).min(every)).await;
    };
    tokio::select! {
        stopped = stage.wait_for(|stage| *stage != Stage::Ready) => {
            drop(stopped);
            false
        }
        changed = asked.changed() => changed.is_ok(),
        () = grown => true,
        () = tokio::time::sleep(every) => true,
    }
}

/// Exchanges until neither side lacks anything.
fn round(
    app: &App,
    uplink: &mut Uplink,
    link: &mut DeviceSession,
    runtime: &Handle,
) -> Result<Standing, RoundError> {
    uplink.begin();
    for _ in 0..UPLINK_EXCHANGES_MAX {
        let settled = exchange(app, uplink, link, runtime)?;
        match (settled.again, settled.standing) {
            (true, _) => {}
            (false, Standing::Apart) => return Err(RoundError::Apart),
            (false, standing) => return Ok(standing),
        }
        if app.stage() != Stage::Ready {
            return Ok(Standing::UnderWay);
        }
    }
    Err(RoundError::Endless)
}

/// Sets a branch aside that loses by the word of the node above, under a new id: the log's positions name
/// other parts then. Nothing else is accepted any more, and everything is derived again at the next
/// start, for which the process ends here.
fn give_way(app: &App, losing: &Losing, place: Write) -> Result<(), RoundError> {
    app.stage.send_replace(Stage::Draining);
    app.close();
    let aside = losing.set_aside(&StoreKeyspace(&*app.store))?;
    tracing::warn!(
        parts = aside.parts.len(),
        "the province has accepted another branch of a device's work: what contradicts it is set aside"
    );
    let renewed = app.identity().renewed(NodeId(random()?));
    let mut writes = vec![place, renewed.write()];
    writes.extend(aside.writes);
    // First, so that nobody takes what was derived before for what follows from the log after.
    app.store.put_derived(vec![keyspace::write(Write {
        key: keys::derived_version(),
        value: None,
    })])?;
    app.store.commit(Commit {
        conditions: Vec::new(),
        writes: writes.into_iter().map(keyspace::write).collect(),
    })?;
    app.begin_anew();
    Ok(())
}

fn exchange(
    app: &App,
    uplink: &mut Uplink,
    link: &mut DeviceSession,
    runtime: &Handle,
) -> Result<Settled, RoundError> {
    let below = StoreKeyspace(&*app.store);
    let catalogue = app.registry.current();
    let packed = link.exchange_packed(&uplink.packed_request(&below, &catalogue)?)?;
    let packed = packed.ok_or_else(|| Problem::internal(&"a road that packs nothing"))?;
    let response = uplink.open_response(&below, &catalogue, packed)?;
    let brought = uplink.receive(response);
    if brought.node_changed {
        tracing::warn!("the node above has another id: everything is compared from the beginning");
    }
    if !brought.records.is_empty() {
        app.registry.take_back(&brought.records)?;
    }
    let catalogue = app.registry.current();
    let checked = node::verify(&catalogue, brought.parts);
    let verdicts = match checked.is_empty() {
        true => Vec::new(),
        false => {
            let acceptor = &app.running()?.acceptor;
            runtime.block_on(acceptor.accept_as(checked, Trust::Relayed))?
        }
    };
    let settled = uplink
        .settle(&below, &catalogue, &verdicts)?
        .ok_or_else(|| Problem::internal(&"an answer without a request"))?;
    if let Some(losing) = &settled.losing {
        give_way(app, losing, settled.write)?;
        return Err(RoundError::GaveWay);
    }
    app.store.commit(Commit {
        conditions: Vec::new(),
        writes: vec![keyspace::write(settled.write.clone())],
    })?;
    if let (Some(edge), Some(place)) = (&app.edge, uplink.place()) {
        edge.progressed(|state| {
            state.taken = place.taken;
            state.sent = place.sent;
            state.differences = place.differences();
        });
    }
    if settled.standing == Standing::Again {
        tracing::error!(
            "this node and the one above differ: everything is compared from the beginning"
        );
    }
    tracing::debug!(
        acknowledged = settled.acknowledged,
        "exchanged with the node above"
    );
    Ok(settled)
}
