//! The socket under plain HTTP. What the HTTP library answers goes out through it; and while an answer without end has
//! nothing that the library would have to write, its viewer is written to beside it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use live::Line;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A client's socket, in the hands of the HTTP library.
#[derive(Debug)]
pub(super) struct HttpSocket {
    beside: Beside,
}

/// The same socket, in the hands of an answer's body. The task of the connection polls both, so there is one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    line: Line,
    /// The library may hold bytes that it has not written.
    held: Arc<AtomicBool>,
}

impl HttpSocket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { beside: Beside { line: Line::new(stream), held: Arc::default() } }
    }

    /// For the bodies of its answers.
    pub(super) fn beside(&self) -> Beside {
        self.beside.clone()
    }
}

impl Beside {
    /// The library has been given something to write: a head, or a piece of a body.
    pub(crate) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
    }

    /// The socket, if the library has written all that it was given. It flushes what it writes, and wakes its task then.
    pub(crate) fn line(&self) -> Option<&Line> {
        (!self.held.load(Ordering::Relaxed)).then_some(&self.line)
    }

    /// Writes all of the pieces, while the library has nothing to write.
    pub(crate) fn poll_write_all(
        &self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        while let Some(front) = pieces.front_mut() {
            while front.has_remaining() {
                let wrote = ready!(self.line.poll_write(cx, &[IoSlice::new(front)]))?;
                front.advance(wrote);
            }
            pieces.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for HttpSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.beside.line.poll_read(cx, buffer).map_ok(|_| ())
    }
}

impl AsyncWrite for HttpSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.beside.line.poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.beside.line.poll_write(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called behind the last byte of all that was held.
        if self.beside.held.swap(false, Ordering::Relaxed) {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.beside.line.shut_down())
    }
}
