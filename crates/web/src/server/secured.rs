//! HTTPS: the TLS handshake, which version of HTTP it agreed on, and a word for those who come without TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::reception::Reception;
use super::visit::Visit;

/// What is said to a client that speaks plain HTTP here, and how long it has to read it.
const WRONG_PORT: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    This port takes HTTPS: write https:// in front of the address.\n";
const READ_WITHIN: Duration = Duration::from_secs(2);
/// A secured connection without a byte for this long is closed: HTTP/2 has no other end for one that is left open.
const QUIET: Duration = Duration::from_secs(120);

impl Visit {
    /// Sets TLS up and answers what comes over it.
    pub(super) async fn secured(self, acceptor: TlsAcceptor, mut stream: TcpStream, reception: Reception) {
        let handshake = async {
            let mut first = [0];
            stream.peek(&mut first).await?;
            if first[0].is_ascii_uppercase() {
                return wrong_port(&mut stream).await.map(|()| None);
            }
            acceptor.accept(stream).await.map(Some)
        };
        let client = self.peer.0;
        let stream = match tokio::time::timeout(self.limits.headers_within, handshake).await {
            Ok(Ok(Some(stream))) => stream,
            Ok(Ok(None)) => return tracing::debug!(%client, "plain HTTP on the HTTPS port"),
            Ok(Err(error)) => return tracing::debug!(%error, %client, "no TLS came about"),
            Err(_) => return tracing::debug!(%client, "the TLS handshake took too long"),
        };
        let is_http2 = match stream.get_ref().1.alpn_protocol() {
            Some(live::tls::ACME_TLS) => return proven(stream).await,
            agreed => agreed == Some(b"h2"),
        };
        let moved = Arc::<AtomicU64>::default();
        let streaming = self.streaming.clone();
        let io = TokioIo::new(Metered { stream, moved: moved.clone() });
        let answering = async {
            if is_http2 { self.http2(io, reception).await } else { self.http1(io, reception).await }
        };
        let quiet = async {
            let mut before = None;
            loop {
                let now = moved.load(Ordering::Relaxed);
                if before == Some(now) && !streaming.has_begun() {
                    return;
                }
                before = Some(now);
                tokio::time::sleep(QUIET).await;
            }
        };
        tokio::select! {
            () = answering => {}
            () = quiet => tracing::debug!(%client, "connection was quiet too long"),
        }
    }
}

/// An authority has seen the proof that it came for, in the handshake: nothing is said on such a connection (RFC 8737, 3).
async fn proven(mut stream: TlsStream<TcpStream>) {
    let _ = tokio::time::timeout(READ_WITHIN, stream.shutdown()).await;
}

async fn wrong_port(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(WRONG_PORT).await?;
    stream.shutdown().await?;
    // Closed with unread bytes in it the connection would reset, and the answer be lost.
    let mut rest = stream.take(64 << 10);
    let _ = tokio::time::timeout(READ_WITHIN, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    Ok(())
}

/// A stream that counts what passes.
struct Metered {
    stream: TlsStream<TcpStream>,
    moved: Arc<AtomicU64>,
}

impl Metered {
    fn count(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.count(buffer.filled().len().saturating_sub(before));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.count(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces))?;
        self.count(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
