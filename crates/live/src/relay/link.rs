//! A connection to another server: the socket and the [`Side`] that speaks on it, driven to the next thing that matters.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use cause::evidence::{Close, Stage};
use model::Clock;
use rtmp::ertmp::Enhancements;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::parting::Parting;
use super::sender::{Publishing, Sender};
use super::side::{Goodbye, Heard, Purpose, Received, Side};
use super::target::Endpoint;
use crate::socket::close_of;

/// A target that takes nothing more for this long has stopped working.
pub const STALL: Duration = Duration::from_secs(10);
/// The same for what the kernel has taken already: a little later, so that our own clock is first where it can tell.
const KERNEL_STALL: Duration = Duration::from_secs(12);
/// One address of several may take this long to answer.
const CONNECT: Duration = Duration::from_secs(3);
/// No more is handed over while this much waits: the rest stays where it can be skipped.
const ENOUGH: usize = 256 * 1024;
/// The kernel holds no more than about this unsent, for the same reason.
const UNSENT: u32 = 256 * 1024;
/// Time to say goodbye and to hear that it was heard.
const FAREWELL: Duration = Duration::from_secs(1);
const READ_AT_MOST: usize = 16 * 1024;
/// Pieces that one write takes.
const PIECES: usize = 16;

/// How to reach targets.
#[derive(Clone)]
pub struct Dialer {
    /// Needed for RTMPS.
    pub tls: Option<TlsConnector>,
    /// The node's time.
    pub clock: Arc<dyn Clock>,
    /// From the first packet until the target takes media.
    pub limit: Duration,
}

/// An open connection to another server; by default one that is published to.
#[derive(Debug)]
pub struct Link<P = Publishing> {
    socket: Socket,
    side: Side<P>,
    /// What waits to be sent; pieces of media are shared with other viewers.
    output: VecDeque<Bytes>,
    waiting: usize,
    bytes_in: u64,
    bytes_out: u64,
    /// Bytes were written that TLS may still hold.
    unflushed: bool,
    write_failed: Option<Close>,
    stall: Pin<Box<Sleep>>,
    clock: ClockRef,
}

/// What a step has brought.
#[derive(Debug, PartialEq)]
enum Turn {
    /// The target takes media from now on.
    Live,
    /// Output went out.
    Wrote,
    /// Something of a stream that is played.
    Got(Received),
}

struct ClockRef(Arc<dyn Clock>);

impl std::fmt::Debug for ClockRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Dialer {
    /// Connects and publishes; ready once the target takes media.
    ///
    /// # Errors
    /// How it ended before that.
    pub async fn open(
        &self,
        endpoint: &Endpoint,
        enhanced: &Enhancements,
        random: [u8; 1528],
    ) -> Result<Link, Parting> {
        self.open_as(endpoint, Sender::publishing(endpoint, enhanced, random)).await
    }

    /// Connects, and does there what the side is for; ready once media flows.
    ///
    /// # Errors
    /// How it ended before that.
    pub async fn open_as<P: Purpose>(&self, endpoint: &Endpoint, side: Side<P>) -> Result<Link<P>, Parting> {
        let mut stage = Stage::NoBytes;
        let opening = async {
            let stream = connect(endpoint).await?;
            let socket = if endpoint.tls {
                stage = Stage::TlsHandshake;
                Socket::Tls(Box::new(self.secure(endpoint, stream).await?))
            } else {
                Socket::Plain(stream)
            };
            let mut link = Link::new(socket, side, self.clock.clone());
            loop {
                stage = link.side.stage();
                if link.step().await? == Some(Turn::Live) {
                    return Ok(link);
                }
            }
        };
        let opened = tokio::time::timeout(self.limit, opening).await;
        opened.unwrap_or(Err(Parting::Silent { stage, limit: self.limit }))
    }

    async fn secure(&self, endpoint: &Endpoint, stream: TcpStream) -> Result<TlsStream<TcpStream>, Parting> {
        let untrusted = |reason: String| Parting::Untrusted(reason);
        let connector =
            self.tls.as_ref().ok_or_else(|| untrusted("TLS is not set up for this target".to_owned()))?;
        let name =
            ServerName::try_from(endpoint.host.clone()).map_err(|error| untrusted(error.to_string()))?;
        connector.connect(name, stream).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => untrusted(tls.to_string()),
                None => Parting::Closed { stage: Stage::TlsHandshake, close: closed_by(&error) },
            }
        })
    }
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Parting> {
    let unreachable = |error: io::Error| Parting::Unreachable(error.to_string());
    let found =
        tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await.map_err(unreachable)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in found {
        match tokio::time::timeout(CONNECT, connect_to(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, format!("{address} did not answer")),
        }
    }
    Err(unreachable(last))
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    let socket = SockRef::from(&stream);
    // None of these is needed to publish; without them a lost target is found later.
    let _ = socket.set_tcp_nodelay(true);
    let _ =
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(STALL).with_interval(Duration::from_secs(2)));
    let _ = socket.set_tcp_user_timeout(Some(KERNEL_STALL));
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    Ok(stream)
}

impl<P: Purpose> Link<P> {
    fn new(socket: Socket, side: Side<P>, clock: Arc<dyn Clock>) -> Self {
        let stall = Box::pin(tokio::time::sleep_until((clock.instant() + STALL).into()));
        let (output, clock) = (VecDeque::new(), ClockRef(clock));
        Self {
            socket,
            side,
            output,
            waiting: 0,
            bytes_in: 0,
            bytes_out: 0,
            unflushed: false,
            write_failed: None,
            stall,
            clock,
        }
    }

    /// The session, to hand media to.
    pub fn side(&mut self) -> &mut Side<P> {
        &mut self.side
    }

    /// The target's address.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.socket.tcp().peer_addr().ok()
    }

    /// Bytes received.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes handed to the kernel.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// Whether so much waits to be sent that no more should be handed over.
    pub fn is_full(&self) -> bool {
        self.waiting >= ENOUGH
    }

    /// Sends and listens. Ready when there is room again after the link was full; else only when it has ended. May be
    /// dropped at any time.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn turn(&mut self) -> Result<(), Parting> {
        let full = self.is_full();
        loop {
            let turn = self.step().await?;
            if full && turn == Some(Turn::Wrote) && !self.is_full() {
                return Ok(());
            }
        }
    }

    /// Sends and listens until something of the stream that is played has come. May be dropped at any time.
    ///
    /// # Errors
    /// How the connection ended.
    pub async fn next(&mut self) -> Result<Received, Parting> {
        loop {
            if let Some(Turn::Got(received)) = self.step().await? {
                return Ok(received);
            }
        }
    }

    /// As [`Link::next`], for what has been received already.
    ///
    /// # Errors
    /// How the connection ended.
    pub fn try_next(&mut self) -> Result<Option<Received>, Parting> {
        match self.hear()? {
            Some(Turn::Got(received)) => Ok(Some(received)),
            _ => Ok(None),
        }
    }

    fn hear(&mut self) -> Result<Option<Turn>, Parting> {
        match self.side.hear() {
            Ok(Some(Heard::Live)) => Ok(Some(Turn::Live)),
            Ok(Some(Heard::Got(received))) => Ok(Some(Turn::Got(received))),
            Ok(Some(Heard::Parted(parting))) => Err(parting),
            Ok(None) => Ok(None),
            Err(fault) => Err(Parting::Broken(Box::new(fault))),
        }
    }

    async fn step(&mut self) -> Result<Option<Turn>, Parting> {
        if let Some(turn) = self.hear()? {
            return Ok(Some(turn));
        }
        self.take_output();
        poll_fn(|cx| self.poll_step(cx)).await
    }

    /// Queues whole messages that are chunked already, behind what the session has said.
    pub fn send(&mut self, framed: Bytes) {
        self.take_output();
        self.queue(framed);
    }

    fn take_output(&mut self) {
        if self.side.has_output() {
            let said = self.side.output().split().freeze();
            self.queue(said);
        }
    }

    fn queue(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if self.output.is_empty() {
            self.not_stalled();
        }
        self.waiting += bytes.len();
        self.output.push_back(bytes);
    }

    /// Forgets what has gone out.
    fn sent(&mut self, mut count: usize) {
        self.waiting = self.waiting.saturating_sub(count);
        self.bytes_out += count as u64;
        while let Some(first) = self.output.front_mut() {
            if count < first.len() {
                first.advance(count);
                break;
            }
            count -= first.len();
            self.output.pop_front();
        }
    }

    fn not_stalled(&mut self) {
        self.stall.as_mut().reset((self.clock.0.instant() + STALL).into());
    }

    /// Reads, or writes; reading comes first, because what a target says last must be heard before a write fails.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Turn>, Parting>> {
        let closed = |link: &Self, close| match (link.side.stage(), close) {
            // What the kernel could not get rid of had room in its buffer, so our own clock saw nothing stand still.
            (stage, Close::TimedOut) => Parting::Silent { stage, limit: KERNEL_STALL },
            (stage, close) => Parting::Closed { stage, close },
        };
        let buffer = self.side.read_buf();
        if buffer.capacity() == buffer.len() {
            buffer.reserve(READ_AT_MOST);
        }
        match pin!(self.socket.read_buf(buffer)).poll(cx) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(closed(self, Close::EndOfFile))),
            Poll::Ready(Ok(count)) => {
                self.bytes_in += count as u64;
                return Poll::Ready(Ok(None));
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(closed(self, closed_by(&error)))),
            Poll::Pending => {}
        }
        if let Some(close) = self.write_failed {
            // Everything that came before the failure has been read.
            return Poll::Ready(Err(closed(self, close)));
        }
        match self.poll_send(cx) {
            None => Poll::Pending,
            Some(Poll::Ready(Ok(()))) => {
                self.not_stalled();
                Poll::Ready(Ok(Some(Turn::Wrote)))
            }
            Some(Poll::Ready(Err(error))) => {
                self.write_failed = Some(closed_by(&error));
                Poll::Ready(Ok(None))
            }
            Some(Poll::Pending) => {
                ready!(self.stall.as_mut().poll(cx));
                Poll::Ready(Err(Parting::Silent { stage: self.side.stage(), limit: STALL }))
            }
        }
    }

    /// Writes what waits, or makes TLS give out what it holds; `None` where there is neither.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Option<Poll<io::Result<()>>> {
        if !self.output.is_empty() {
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let mut used = 0;
            for (piece, bytes) in pieces.iter_mut().zip(&self.output) {
                *piece = IoSlice::new(bytes);
                used += 1;
            }
            let pieces = pieces.get(..used).unwrap_or_default();
            return Some(Pin::new(&mut self.socket).poll_write_vectored(cx, pieces).map_ok(|count| {
                self.sent(count);
                self.unflushed = true;
            }));
        }
        self.unflushed.then(|| Pin::new(&mut self.socket).poll_flush(cx).map_ok(|()| self.unflushed = false))
    }

    /// Takes the stream back, says so where the goodbye has words, and closes.
    pub async fn leave(mut self, goodbye: Goodbye) {
        self.side.leave(goodbye);
        if goodbye == Goodbye::Reset {
            self.socket.reset_on_drop();
            return;
        }
        self.take_output();
        let farewell = async {
            while let Some(mut piece) = self.output.pop_front() {
                if self.socket.write_all_buf(&mut piece).await.is_err() {
                    return;
                }
            }
            if self.socket.flush().await.is_err() {
                return;
            }
            let _ = self.socket.shutdown().await;
            // Closed with bytes unread, the connection would reset and the goodbye could be lost.
            let mut scratch = BytesMut::with_capacity(READ_AT_MOST);
            while self.socket.read_buf(&mut scratch).await.is_ok_and(|count| count > 0) {
                scratch.clear();
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// TLS that ends without its closing message is an end of file like any other here.
fn closed_by(error: &io::Error) -> Close {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Close::EndOfFile,
        // A write finds the target gone where a read would have found its end.
        io::ErrorKind::BrokenPipe => Close::EndOfFile,
        _ => close_of(error),
    }
}

impl Socket {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    fn reset_on_drop(&self) {
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
