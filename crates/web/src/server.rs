//! The accept loop, with its limits: headers, time for them, connections, idle time.

mod reception;
mod secured;
mod socket;
mod visit;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::client::Peer;
use reception::Reception;
pub(crate) use socket::Beside;
use socket::HttpSocket;
use visit::Visit;

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

/// Serves `router` on `listener` until `stop` resolves, and then what is being answered at that moment. With `tls`, which
/// [`live::tls::listener`] makes, over HTTPS: HTTP/1.1 or HTTP/2, as the client likes.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stopping, stopped) = watch::channel(false);
    let acceptor = tls.map(TlsAcceptor::from);
    let router = TowerToHyperService::new(router);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let streaming = Streaming::new(place);
        let mut reception =
            Reception { router: router.clone(), peer, streaming: streaming.clone(), beside: None };
        let visit = Visit { peer, limits, streaming, stopped: stopped.clone() };
        match acceptor.clone() {
            None => {
                let socket = HttpSocket::new(stream);
                reception.beside = Some(socket.beside());
                tokio::spawn(visit.http1(TokioIo::new(socket), reception))
            }
            Some(acceptor) => tokio::spawn(visit.secured(acceptor, stream, reception)),
        };
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
