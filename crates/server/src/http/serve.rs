//! The accept loop: limits on what a connection may cost, and an end that waits for answers under way.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::connection::Connection;

/// Connections at a time; more wait at the door.
const CONNECTIONS: usize = 512;
/// Whoever takes longer to say what they want is shown out.
const HEADERS: Duration = Duration::from_secs(10);
/// Answers under way may take so long once the stack ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until the stack ends.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    // Browsers speak no HTTP/2 without TLS; and whoever might yet would be waited for without a limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS);
    loop {
        let (stream, seat) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &seats) => accepted,
        };
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move {
                Ok::<_, Infallible>(
                    router
                        .oneshot(request.map(axum::body::Body::new))
                        .await
                        .unwrap_or_else(|never| match never {}),
                )
            }
        });
        let connection = builder
            .serve_connection(Connection::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _seat = seat;
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection broke off");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(PATIENCE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some answers were not finished in time");
    }
}

async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed.
        let Ok(seat) = Arc::clone(seats).acquire_owned().await else {
            continue;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps waiting for more to send");
                }
                return (stream, seat);
            }
            Err(error) => {
                // Out of file descriptors, most likely: it passes, and must not spin.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
