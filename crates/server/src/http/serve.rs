//! The accept loop: limits on what a connection may cost, and an end that waits for answers under way.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::connection::{Connection, Wire};
use super::extract::BodyPatience;
use super::limits::ConnectionLimits;
use super::peer::Peer;
use super::pulse::{Answering, Overdue, Pulse};
use super::seats::Seats;
use super::steady::Steady;
use crate::tls::Tls;

/// So many are told at a time that they have too many connections; others just see theirs closed.
const REFUSED: usize = 16;
/// Who is told that has so long to read it.
const TELLING: Duration = Duration::from_secs(1);
/// Streams that were opened and reset before they were looked at; more end the connection.
const RESETS: usize = 20;
/// Streams that the client made us reset; more end the connection.
const FAULTS: usize = 64;

/// What is said to whoever has too many connections already.
const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// What is said to whoever does not finish their request.
const TOO_SLOW: &str =
    "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Where is listened, and how.
pub struct Listener {
    pub tcp: TcpListener,
    /// Absent: everybody on the way can read along.
    pub tls: Option<Arc<Tls>>,
    pub limits: ConnectionLimits,
}

/// What every connection needs.
struct Door {
    router: Router,
    tls: Option<Arc<Tls>>,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
}

/// Serves until the stack ends.
pub async fn serve(listener: Listener, router: Router, shutdown: CancellationToken) {
    let Listener { tcp, tls, limits } = listener;
    let seats = Seats::new(limits.connections, limits.per_address);
    let turned_away = Arc::new(Semaphore::new(REFUSED));
    let door = Arc::new(Door {
        router,
        tls,
        limits,
        shutdown: shutdown.clone(),
    });
    let guests = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let (stream, address, permit) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&tcp, &seats) => accepted,
        };
        let seat = match seats.take(address.ip(), permit) {
            Ok(seat) => seat,
            Err(permit) => {
                drop(permit);
                if door.tls.is_none() {
                    turn_away(stream, &turned_away);
                }
                continue;
            }
        };
        let (door, cut) = (Arc::clone(&door), cut.clone());
        guests.spawn(async move {
            let _seat = seat;
            cut.run_until_cancelled(door.welcome(stream, address)).await;
        });
    }
    drop(tcp);
    guests.close();
    if tokio::time::timeout(door.limits.drain, guests.wait())
        .await
        .is_err()
    {
        tracing::warn!("some answers were not finished in time");
        cut.cancel();
        guests.wait().await;
    }
}

async fn accept(
    listener: &TcpListener,
    seats: &Arc<Seats>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let permit = seats.free().await;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps waiting for more to send");
                }
                return (stream, address, permit);
            }
            Err(error) => {
                // Out of file descriptors, most likely: it passes, and must not spin.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Tells somebody that they have too many connections, as long as not too many have to be told.
fn turn_away(mut stream: TcpStream, turned_away: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(turned_away).try_acquire_owned() else {
        return;
    };
    tokio::spawn(async move {
        let _permit = permit;
        let telling = async {
            stream.write_all(TOO_MANY.as_bytes()).await?;
            stream.shutdown().await?;
            // Closed with something unread, the system would take back what was said.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(TELLING, telling).await;
    });
}

impl Door {
    async fn welcome(&self, stream: TcpStream, address: SocketAddr) {
        let Some(tls) = &self.tls else {
            let peer = Peer {
                address,
                is_secure: false,
                certificate: None,
            };
            // Browsers speak no HTTP/2 without TLS.
            return self.speak_http1(Wire::plain(stream), peer).await;
        };
        let shaken = tokio::time::timeout(self.limits.handshake, tls.accept(stream)).await;
        let greeted = match shaken {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(error)) => return tracing::debug!(%error, %address, "a handshake failed"),
            Err(_) => return tracing::debug!(%address, "a handshake took too long"),
        };
        let peer = Peer {
            address,
            is_secure: true,
            certificate: greeted.certificate,
        };
        let wire = Wire::secure(greeted.stream);
        if greeted.is_http2 {
            self.speak_http2(wire, peer).await;
        } else {
            self.speak_http1(wire, peer).await;
        }
    }

    async fn speak_http1(&self, wire: Wire, peer: Peer) {
        let pulse = Pulse::new(true);
        let service = self.service(&pulse, peer);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // Whoever is slow is told so, which hyper does not.
            .header_read_timeout(None)
            .max_headers(self.limits.header_count)
            .max_header_size(self.limits.header_bytes);
        let mut connection =
            builder.serve_connection(Connection::new(wire, pulse.clone()), service);
        let ended = self
            .drive(Pin::new(&mut connection), &pulse, |connection| {
                connection.graceful_shutdown();
            })
            .await;
        if ended == Some(Overdue::Request) {
            let mut stream = TokioIo::new(connection.into_parts().io);
            let telling = async {
                stream.write_all(TOO_SLOW.as_bytes()).await?;
                stream.shutdown().await
            };
            let _ = tokio::time::timeout(TELLING, telling).await;
        }
    }

    async fn speak_http2(&self, wire: Wire, peer: Peer) {
        let pulse = Pulse::new(false);
        let service = self.service(&pulse, peer);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(u32::try_from(self.limits.header_bytes).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(FAULTS)
            // Whoever is gone without a word is noticed, also while an answer goes on for ever.
            .keep_alive_interval(self.limits.idle)
            .keep_alive_timeout(self.limits.headers);
        let connection = builder.serve_connection(Connection::new(wire, pulse.clone()), service);
        let connection = pin!(connection);
        self.drive(connection, &pulse, |connection| {
            connection.graceful_shutdown();
        })
        .await;
    }

    /// Drives a connection to its end, or until it has used its time up.
    async fn drive<C>(
        &self,
        mut connection: Pin<&mut C>,
        pulse: &Pulse,
        finish: impl Fn(Pin<&mut C>),
    ) -> Option<Overdue>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let look = self.limits.headers.min(self.limits.idle) / 4;
        let (mut is_ending, mut is_finishing) = (false, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke off");
                    }
                    return None;
                }
                () = self.shutdown.cancelled(), if !is_ending => {
                    is_ending = true;
                    finish(connection.as_mut());
                }
                () = tokio::time::sleep(look) => match pulse.overdue(&self.limits) {
                    None => {}
                    // It was asked to end, and has had its time for that.
                    Some(overdue) if is_finishing || overdue == Overdue::Request => {
                        return Some(overdue);
                    }
                    Some(Overdue::Silence | Overdue::Request) => {
                        is_finishing = true;
                        finish(connection.as_mut());
                    }
                },
            }
        }
    }

    /// Answers the requests of one connection.
    fn service(
        &self,
        pulse: &Pulse,
        peer: Peer,
    ) -> impl hyper::service::HttpService<
        Incoming,
        ResBody = Answering,
        Error = Infallible,
        Future: Send,
    > + use<> {
        let (router, pulse) = (self.router.clone(), pulse.clone());
        let (pause, patience) = (self.limits.body_idle, BodyPatience(self.limits.body));
        let peer = Arc::new(peer);
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let work = pulse.began();
            let router = router.clone();
            let mut request = request.map(|body| Body::new(Steady::new(body, pause)));
            request.extensions_mut().insert(Arc::clone(&peer));
            request.extensions_mut().insert(patience);
            async move {
                let response = router.oneshot(request).await;
                let response = response.unwrap_or_else(|never| match never {});
                Ok::<_, Infallible>(response.map(|body| Answering::new(body, work)))
            }
        })
    }
}
