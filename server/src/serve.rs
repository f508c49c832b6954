//! Serves an app on a listener until it is told to stop, then drains.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::{SharedApp, Stage, reached};
use crate::limits;
use crate::routes::{metrics_router, router};

/// Serves metrics on a listener of their own until the runtime ends.
pub async fn serve_metrics(app: SharedApp, listener: TcpListener) -> io::Result<()> {
    axum::serve(listener, metrics_router(app)).await
}

/// Starts the app if nobody has (`/ready` says when it is done) and serves until `stop` comes; then
/// refuses new work, lets running requests end for some seconds, and returns. The caller closes the
/// app and the store afterwards.
pub async fn serve<L>(
    app: SharedApp,
    listener: L,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    L: Listener,
    L::Addr: fmt::Debug,
{
    if app.running().is_err() {
        let starting = Arc::clone(&app);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = starting.start() {
                tracing::error!(%error, "the server cannot start: {error}");
                starting.stage.send_replace(Stage::Failed);
            }
        });
    }
    let (draining, drained) = oneshot::channel::<()>();
    let stopping = Arc::clone(&app);
    let mut stage = app.stage.subscribe();
    let signal = async move {
        tokio::select! {
            () = stop => {}
            // A start that failed and a write nobody can be sure of end the server, too.
            () = reached(&mut stage, Stage::Failed) => {}
        }
        tracing::info!("stopping: running requests may end, new ones are refused");
        stopping.stage.send_if_modified(|stage| {
            let failed = *stage == Stage::Failed;
            if !failed {
                *stage = Stage::Draining;
            }
            !failed
        });
        // The receiver is gone only when serving has ended by itself.
        let _ = draining.send(());
    };
    let serving = axum::serve(listener, router(Arc::clone(&app)))
        .with_graceful_shutdown(signal)
        .into_future();
    let deadline = async {
        match drained.await {
            Ok(()) => tokio::time::sleep(Duration::from_secs(limits::DRAIN_S)).await,
            Err(_) => std::future::pending().await,
        }
    };
    let whole = async {
        let result = serving.await;
        // Connections that became live ones are no longer the listener's: wait until each gave its
        // place back, which it does after it told its peer.
        let places = u32::try_from(app.live_places).unwrap_or(u32::MAX);
        let _ = app.live.acquire_many(places).await;
        result
    };
    let ended = tokio::select! {
        result = whole => result,
        () = deadline => {
            tracing::warn!("some requests did not end in time and were cut");
            Ok(())
        }
    };
    match app.stage() {
        Stage::Failed => Err(io::Error::other(
            "the server could not start, or could not be sure of a write",
        )),
        Stage::Starting | Stage::Ready | Stage::Draining => ended,
    }
}
