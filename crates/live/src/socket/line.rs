//! The plain socket under a connection. Its connection alone reads from it and waits for it; whoever else has it may only
//! try to write.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::os::fd::BorrowedFd;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::sys::Held;

/// A TCP socket that never waits, shared by its clones. It is closed when the last of them goes.
#[derive(Clone, Debug)]
pub struct Line(Held);

impl Line {
    /// Takes a connection over.
    pub fn new(stream: TcpStream) -> Self {
        Self(Held::new(stream))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// Whether there may be something to read.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.stream().poll_read_ready(cx).map(|_| ())
    }

    /// Reads behind what `buffer` holds already; 0 at the end of what the peer sends.
    ///
    /// # Errors
    /// Whatever the kernel says of the receive side.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.stream().poll_read_ready(cx))?;
            let room = buffer.chunk_mut().len();
            match self.moving(Interest::READABLE, room, || self.0.stream().try_read_buf(buffer)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Reads what is there.
    pub(super) fn try_read(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        self.0.stream().try_read_buf(buffer)
    }

    /// Writes as much of the pieces as the socket takes.
    ///
    /// # Errors
    /// Whatever the kernel says, but `WouldBlock`: then it waits.
    pub fn poll_write(&self, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.stream().poll_write_ready(cx))?;
            match self.try_write(pieces) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                wrote => return Poll::Ready(wrote),
            }
        }
    }

    /// Writes as much of the pieces as the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` where it takes nothing, and whatever else the kernel says.
    pub fn try_write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let all = pieces.iter().map(|piece| piece.len()).sum();
        self.moving(Interest::WRITABLE, all, || match pieces {
            // Cheaper in the kernel than a list of one.
            [piece] => self.0.stream().try_write(piece),
            pieces => self.0.stream().try_write_vectored(pieces),
        })
    }

    /// Writes as much as the socket takes now, and leaves it to what comes next to send it off: more, or the end.
    ///
    /// # Errors
    /// `WouldBlock` where it takes nothing, and whatever else the kernel says.
    pub(super) fn try_write_last(&self, piece: &[u8]) -> io::Result<usize> {
        let flags = libc::MSG_MORE | libc::MSG_NOSIGNAL;
        self.moving(Interest::WRITABLE, piece.len(), || {
            SockRef::from(&self.fd()).send_with_flags(piece, flags)
        })
    }

    /// Writes as much of the pieces as the socket takes now, as [`Line::try_write`] does, but asks the kernel alone: for one
    /// who writes to many sockets in turn, each of which had room when it was written to last. That it has none now is not
    /// noted for those who wait for it; they find out by trying once.
    ///
    /// # Errors
    /// `WouldBlock` where it takes nothing, and whatever else the kernel says.
    pub(crate) fn write_at_once(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let fd = self.fd();
        let socket = SockRef::from(&fd);
        match pieces {
            [piece] => socket.send_with_flags(piece, libc::MSG_NOSIGNAL),
            pieces => socket.send_vectored_with_flags(pieces, libc::MSG_NOSIGNAL),
        }
    }

    /// Ends what is sent.
    ///
    /// # Errors
    /// The connection is gone already.
    pub fn shut_down(&self) -> io::Result<()> {
        SockRef::from(&self.fd()).shutdown(Shutdown::Write)
    }

    /// Moves bytes. To move fewer than could be says that no more can be for now: noting that saves the system call which
    /// would find it out.
    fn moving(
        &self,
        interest: Interest,
        all: usize,
        step: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut moved = None;
        let tried = self.0.stream().try_io(interest, || {
            let count = step()?;
            moved = Some(count);
            if count > 0 && count < all { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
        });
        moved.map_or(tried, Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use bytes::BytesMut;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Line::new(listener.accept().await.unwrap().0), client)
    }

    #[tokio::test]
    async fn reads_all_that_comes_and_then_the_end() {
        let (line, mut client) = pair().await;
        let reading = tokio::spawn(async move {
            let mut buffer = BytesMut::with_capacity(16);
            while poll_fn(|cx| line.poll_read(cx, &mut buffer)).await.unwrap() > 0 {}
            buffer
        });
        for _ in 0..100 {
            client.write_all(b"twenty bytes or so..").await.unwrap();
            tokio::task::yield_now().await;
        }
        drop(client);
        assert_eq!(reading.await.unwrap(), b"twenty bytes or so..".repeat(100));
    }

    #[tokio::test]
    async fn goes_on_after_a_socket_was_full_and_loses_nothing() {
        fills_and_goes_on(Line::try_write).await;
        fills_and_goes_on(Line::write_at_once).await;
    }

    async fn fills_and_goes_on(write: impl Fn(&Line, &[IoSlice<'_>]) -> io::Result<usize>) {
        let (line, mut client) = pair().await;
        let (mut filled, piece) = (0, vec![7; 64 * 1024]);
        loop {
            match write(&line, &[IoSlice::new(&piece), IoSlice::new(&piece)]) {
                Ok(count) => filled += count,
                Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        for _ in 0..50 {
            filled += poll_fn(|cx| line.poll_write(cx, &[IoSlice::new(&piece)])).await.unwrap();
        }
        drop(line);
        assert_eq!(reading.await.unwrap(), filled);
    }
}
