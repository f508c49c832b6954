//! Serves an app on a listener until it is told to stop, then drains.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::{SharedApp, Stage};
use crate::limits;
use crate::routes::router;

/// Serves until `stop` comes; then refuses new work, lets running requests end for some seconds, and
/// returns. The caller closes the store afterwards.
pub async fn serve(
    app: SharedApp,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (draining, drained) = oneshot::channel::<()>();
    let stopping = Arc::clone(&app);
    let signal = async move {
        stop.await;
        tracing::info!("stopping: running requests may end, new ones are refused");
        stopping.stage.send_replace(Stage::Draining);
        // The receiver is gone only when serving has ended by itself.
        let _ = draining.send(());
    };
    let serving = axum::serve(listener, router(app)).with_graceful_shutdown(signal);
    let deadline = async {
        match drained.await {
            Ok(()) => tokio::time::sleep(Duration::from_secs(limits::DRAIN_S)).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = serving => result,
        () = deadline => {
            tracing::warn!("some requests did not end in time and were cut");
            Ok(())
        }
    }
}
