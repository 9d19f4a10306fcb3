//! A sensor around every socket: it moves bytes, counts them, and remembers once how the connection ended.

mod line;
mod secured;
mod sys;
mod tls;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use cause::evidence::{Close, Errno, TcpFacts};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

pub use self::line::Line;
use self::tls::Tls;

/// The keepalive comes after the ping of the silence rules, so that a reset that answers a probe answers *our* probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// More than this is never read in one go; a message of a 1 Mbit/s stream fits several times.
const READ_AT_MOST: usize = 64 * 1024;

/// Pieces of output that go out with one system call.
const PIECES: usize = 32;

/// Where received bytes go. Asked for room only when there is something to read, so that a connection that waits holds
/// no memory for what may come.
pub trait Inbox {
    /// A buffer with room in it, behind what it holds already.
    fn room(&mut self) -> &mut BytesMut;
}

impl Inbox for rtmp::ServerSession {
    fn room(&mut self) -> &mut BytesMut {
        self.read_buf()
    }
}

/// Gives a listener the options of a [`Sensor`]: connections that are accepted have them from the start (tcp(7)), which saves
/// five system calls each.
///
/// # Errors
/// The errno of `setsockopt`.
pub fn prepare(listener: &TcpListener, path_limit: Duration) -> io::Result<()> {
    set_options(&SockRef::from(listener), path_limit)
}

fn set_options(socket: &SockRef<'_>, path_limit: Duration) -> io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(path_limit))
}

/// A TCP connection, plain or secured, with its counters and its end.
#[derive(Debug)]
pub struct Sensor {
    line: Line,
    tls: Option<Box<Tls>>,
    path_limit: Duration,
    bytes_in: u64,
    bytes_out: u64,
    closed: Option<Close>,
    write_error: Option<Errno>,
}

/// What a poll of the connection brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Bytes were read into the buffer.
    Read(usize),
    /// Pending output went out, all of it or a part.
    Wrote,
    /// The receive side ended; [`Sensor::closed`] says how.
    Closed,
}

impl Sensor {
    /// Takes a connection over and sets its options: no delay, keepalive, and the path limit as `TCP_USER_TIMEOUT`.
    pub fn new(stream: TcpStream, path_limit: Duration) -> Self {
        // Options are refused only for a peer that is gone already, and the first read says how it went.
        let _ = set_options(&SockRef::from(&stream), path_limit);
        Self::inheriting(stream, path_limit)
    }

    /// Takes a connection over that has its options from a listener which [`prepare`] was called for.
    pub fn inheriting(stream: TcpStream, path_limit: Duration) -> Self {
        let line = Line::new(stream);
        Self { line, tls: None, path_limit, bytes_in: 0, bytes_out: 0, closed: None, write_error: None }
    }

    /// The socket, for others to write to: `None` where only TLS knows what may be written.
    pub fn line(&self) -> Option<&Line> {
        self.tls.is_none().then_some(&self.line)
    }

    /// Counts bytes that others have written to the socket.
    pub fn others_wrote(&mut self, bytes: u64) {
        self.bytes_out += bytes;
    }

    /// Bytes read so far; over TLS those of the protocol in it.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes handed to the kernel so far; over TLS those of the protocol in it.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// How the receive side ended, once it has.
    pub fn closed(&self) -> Option<Close> {
        self.closed
    }

    /// The errno of the first write that failed.
    pub fn write_error(&self) -> Option<Errno> {
        self.write_error
    }

    /// `TCP_INFO` now; `None` when the kernel has none to give.
    pub fn facts(&self) -> Option<TcpFacts> {
        sys::tcp_info(self.line.fd()).ok()
    }

    /// Shortens what is left of the path limit by the time already waited in silence, or restores it with zero.
    pub fn silence_so_far(&self, waited: Duration) {
        let left = self.path_limit.saturating_sub(waited).max(Duration::from_millis(500));
        // A socket whose peer is gone refuses options; its end is about to be read anyway.
        let _ = SockRef::from(&self.line.fd()).set_tcp_user_timeout(Some(left));
    }

    /// Reads into `input` or writes from `output`, whichever is possible; reading comes first, because what a client
    /// leaves unread or says last must be seen before anything of ours fails.
    pub fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut impl Inbox,
        output: &mut impl Buf,
        want_read: bool,
    ) -> Poll<Moved> {
        if self.closed.is_some() {
            return Poll::Ready(Moved::Closed);
        }
        if want_read && self.line.poll_readable(cx).is_ready() {
            if self.tls.is_some() {
                if let Poll::Ready(moved) = self.poll_read_secured(cx, input) {
                    return Poll::Ready(moved);
                }
            } else {
                match self.poll_read(cx, input.room()) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(self.close(Close::EndOfFile)),
                    Poll::Ready(Ok(n)) => return Poll::Ready(Moved::Read(n)),
                    Poll::Ready(Err(error)) => return Poll::Ready(self.close(close_of(&error))),
                    Poll::Pending => {}
                }
            }
        }
        if (output.has_remaining() || self.has_ciphertext()) && self.write_error.is_none() {
            match self.poll_write(cx, output) {
                Poll::Ready(Ok(())) => return Poll::Ready(Moved::Wrote),
                Poll::Ready(Err(error)) => return Poll::Ready(self.write_failed(&error, input)),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// A failed write: the receive side is drained, and only what it shows decides.
    fn write_failed(&mut self, error: &io::Error, input: &mut impl Inbox) -> Moved {
        let errno = errno_of(error);
        self.write_error = Some(errno);
        let mut drained = 0usize;
        loop {
            match self.try_read(input) {
                Ok(0) => break,
                Ok(n) => drained = drained.saturating_add(n),
                // The kernel reports an error once, to whichever call comes first: a reset that our write was told
                // of is the receive side's own end.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return self.close(match close_of(error) {
                        Close::Failed(_) => Close::Open,
                        seen => seen,
                    });
                }
                Err(e) => return self.close(close_of(&e)),
            }
            if drained > READ_AT_MOST * 16 {
                break;
            }
        }
        self.close(match close_of(error) {
            Close::Failed(_) => Close::EndOfFile,
            seen => seen,
        })
    }

    /// Reads without waiting; gives the bytes that came over the wire.
    fn try_read(&mut self, input: &mut impl Inbox) -> io::Result<usize> {
        if self.tls.is_some() {
            return self.try_read_secured(input);
        }
        let buffer = input.room();
        buffer.reserve(4096);
        let count = self.line.try_read(buffer)?;
        self.bytes_in += count as u64;
        Ok(count)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, input: &mut BytesMut) -> Poll<io::Result<usize>> {
        if input.capacity() == input.len() {
            input.reserve(READ_AT_MOST / 4);
        }
        let read = self.line.poll_read(cx, input);
        if let Poll::Ready(Ok(n)) = read {
            crate::pace::note_read();
            self.bytes_in += n as u64;
        }
        read
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, output: &mut impl Buf) -> Poll<io::Result<()>> {
        if self.tls.is_some() {
            return self.poll_write_secured(cx, output);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let count = output.chunks_vectored(&mut pieces);
        let Some(pieces) = pieces.get(..count) else { return Poll::Ready(Ok(())) };
        let wrote = ready!(self.line.poll_write(cx, pieces))?;
        output.advance(wrote);
        self.bytes_out += wrote as u64;
        Poll::Ready(Ok(()))
    }

    fn close(&mut self, close: Close) -> Moved {
        self.closed.get_or_insert(close);
        Moved::Closed
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, output: &mut impl Buf) -> Poll<io::Result<()>> {
        while output.has_remaining() || self.has_ciphertext() {
            ready!(self.poll_write(cx, output))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what goes out last, where the socket takes it, so that it leaves in one packet with the end of what is sent.
    fn write_last(&mut self, output: &mut BytesMut) {
        if self.tls.is_some() || output.is_empty() {
            return;
        }
        // What it does not take, or fails at, is met again by the flush behind it.
        if let Ok(count) = self.line.try_write_last(output) {
            output.advance(count);
            self.bytes_out += count as u64;
        }
    }

    /// Tells the client why and lets it read that: writes what is pending, shuts the sending side, then reads and
    /// discards until the client closes. A socket closed with unread bytes resets, and the text would be lost.
    pub async fn farewell(&mut self, output: &mut BytesMut, limit: Duration, most: usize) {
        let goodbye = async {
            if self.write_error.is_none() {
                self.write_last(output);
                if poll_fn(|cx| self.poll_flush(cx, output)).await.is_err() {
                    return;
                }
                if let Some(tls) = &mut self.tls {
                    tls.goodbye();
                    let _ = poll_fn(|cx| self.poll_flush(cx, output)).await;
                }
                let _ = self.line.shut_down();
            }
            let mut scratch = BytesMut::with_capacity(16 * 1024);
            let mut seen = 0;
            while self.closed.is_none() && seen < most {
                scratch.clear();
                match poll_fn(|cx| self.poll_read(cx, &mut scratch)).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => seen += n,
                }
            }
        };
        let _ = tokio::time::timeout(limit, goodbye).await;
    }
}

/// What an error of the receive side means.
pub fn close_of(error: &io::Error) -> Close {
    match error.raw_os_error() {
        Some(libc::ECONNRESET) => Close::Reset,
        Some(libc::ETIMEDOUT) => Close::TimedOut,
        Some(
            errno
            @ (libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENETDOWN | libc::ENONET),
        ) => Close::Unreachable(Errno(errno)),
        Some(errno) => Close::Failed(Errno(errno)),
        None => Close::Failed(Errno(0)),
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[derive(Default)]
    struct Counted {
        buffer: BytesMut,
        asked: u32,
    }

    impl Inbox for Counted {
        fn room(&mut self) -> &mut BytesMut {
            self.asked += 1;
            self.buffer.reserve(4096);
            &mut self.buffer
        }
    }

    #[tokio::test]
    async fn room_is_asked_for_only_when_there_is_something_to_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut sensor = Sensor::new(listener.accept().await.unwrap().0, Duration::from_secs(20));
        let (mut inbox, mut output) = (Counted::default(), BytesMut::new());

        // A new socket counts as readable until a read has shown otherwise.
        let _ = poll_fn(|cx| Poll::Ready(sensor.poll_move(cx, &mut inbox, &mut output, true))).await;
        let asked = inbox.asked;
        let waits = poll_fn(|cx| Poll::Ready(sensor.poll_move(cx, &mut inbox, &mut output, true))).await;
        assert_eq!((waits, inbox.asked), (Poll::Pending, asked));

        client.write_all(b"C0").await.unwrap();
        let moved = poll_fn(|cx| sensor.poll_move(cx, &mut inbox, &mut output, true)).await;
        assert_eq!((moved, inbox.asked), (Moved::Read(2), asked + 1));
        assert_eq!((&inbox.buffer[..], sensor.bytes_in()), (&b"C0"[..], 2));
    }

    #[tokio::test]
    async fn a_connection_has_the_options_of_its_listener() {
        let path = Duration::from_secs(20);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        prepare(&listener, path).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let accepted = listener.accept().await.unwrap().0;
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(path));
    }

    #[tokio::test]
    async fn a_farewell_is_read_to_its_last_byte_and_then_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut sensor = Sensor::new(listener.accept().await.unwrap().0, Duration::from_secs(20));
        // More than a socket takes at once.
        let words: Vec<u8> = (0..20_000_000u32).map(|index| index as u8).collect();
        let mut output = BytesMut::from(&words[..]);
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            client.read_to_end(&mut read).await.unwrap();
            read
        });
        sensor.farewell(&mut output, Duration::from_secs(60), 1000).await;
        assert_eq!(sensor.bytes_out(), words.len() as u64);
        assert!(reading.await.unwrap() == words);
    }
}
