//! One connection: requests in either version of HTTP, until it is over.

use std::future::Future;
use std::pin::Pin;

use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::watch;

use super::reception::Reception;
use super::{ServerLimits, Streaming};
use crate::client::Peer;

/// Requests that one HTTP/2 connection may have open at once; an LL-HLS player has a few.
const STREAMS: u32 = 128;

/// A client's connection and what bounds it.
pub(super) struct Visit {
    pub(super) peer: Peer,
    pub(super) limits: ServerLimits,
    pub(super) streaming: Streaming,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Visit {
    /// Answers HTTP/1.1, and hands the connection over where a request upgrades it.
    pub(super) async fn http1(self, io: impl Read + Write + Unpin + Send + 'static, reception: Reception) {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.headers_within)
            .max_buf_size(self.limits.head)
            .max_headers(100)
            .half_close(false);
        let connection = builder.serve_connection(io, reception).with_upgrades();
        self.until_over(connection, http1::UpgradeableConnection::graceful_shutdown).await;
    }

    /// Answers HTTP/2.
    pub(super) async fn http2(self, io: impl Read + Write + Unpin + Send + 'static, reception: Reception) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(self.limits.head).unwrap_or(u32::MAX));
        let connection = builder.serve_connection(io, reception);
        self.until_over(connection, http2::Connection::graceful_shutdown).await;
    }

    async fn until_over<C>(self, connection: C, shut_down: fn(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let Self { peer, limits, streaming, mut stopped } = self;
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
                shut_down(connection.as_mut());
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
    }
}
