//! The accept loop, with its limits: headers, time for them, connections, idle time.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::client::Peer;

/// A client that takes nothing of what it is sent for this long is gone.
const STALLED: Duration = Duration::from_secs(30);

/// Limits of one listener.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Time for the headers of a request, which is also how long an idle connection is kept.
    pub headers_within: Duration,
    /// Time for a connection as a whole; clients open a new one.
    pub connection_within: Duration,
    /// Largest head of a request, bytes.
    pub head: usize,
    /// Time that running requests have when the server stops.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            headers_within: Duration::from_secs(20),
            connection_within: Duration::from_secs(3_600),
            head: 32 << 10,
            drain: Duration::from_secs(5),
        }
    }
}

/// A connection's leave to carry an answer without end. One that does gives its place among the connections back, and
/// is not closed for its age: viewers are counted and bounded elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Streaming {
    place: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    begun: Arc<AtomicBool>,
}

impl Streaming {
    fn new(place: OwnedSemaphorePermit) -> Self {
        Self { place: Arc::new(Mutex::new(Some(place))), begun: Arc::default() }
    }

    /// An answer without end begins.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

/// Serves `router` on `listener` until `stop` resolves, and then what is being answered at that moment.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stopping, stopped) = watch::channel(false);
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within)
        .max_buf_size(limits.head)
        .max_headers(100)
        .half_close(false);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let streaming = Streaming::new(place);
        let layers = (Extension(peer), Extension(streaming.clone()));
        let service = TowerToHyperService::new(router.clone().layer(layers));
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            tokio::pin!(connection);
            let over = async {
                loop {
                    tokio::time::sleep(limits.connection_within).await;
                    if !streaming.has_begun() {
                        break;
                    }
                }
            };
            let ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = over => None,
                // The borrow that `wait_for` gives must not live on while the last answer is written.
                _ = async { stopped.wait_for(|stop| *stop).await.is_ok() } => {
                    // What is being answered is answered to its end; an idle connection closes at once.
                    connection.as_mut().graceful_shutdown();
                    Some(connection.as_mut().await)
                }
            };
            match ended {
                Some(Ok(())) => {}
                // A client that goes away in the middle is daily business.
                Some(Err(error)) => tracing::debug!(%error, client = %peer.0, "connection ended"),
                None => tracing::debug!(client = %peer.0, "connection was open too long"),
            }
            drop(streaming);
        });
    }
    drop(listener);
    let _ = stopping.send(true);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.drain, places.acquire_many(all)).await.is_err() {
        tracing::warn!("requests were still being answered when the server stopped");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are written whole; waiting to fill a segment only delays them.
            let _ = stream.set_nodelay(true);
            // A viewer that is gone without a word, or reads nothing any more, must not stay for ever.
            let socket = SockRef::from(&stream);
            let _ =
                socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(STALLED).with_interval(STALLED / 3));
            let _ = socket.set_tcp_user_timeout(Some(STALLED));
            Some((stream, Peer(peer), place))
        }
        Err(error) => {
            // Out of file descriptors, most likely: trying at once again would only spin.
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
