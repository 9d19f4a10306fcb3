//! The one UDP port of all sessions. A task reads it and hands each datagram to its session by the address that it came
//! from; a STUN message goes by the fragment in its user name, and a session that has believed one claims its address.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::stun;
use crate::udp::{self, Report};

/// Datagrams that wait for one session; beyond, they are lost as they would be in a full socket.
const INBOX: usize = 1024;
/// Datagrams are cut from pieces of this size.
const PIECE: usize = 64 * 1024;
/// Larger than any datagram that WebRTC sends.
const DATAGRAM: usize = 2048;
/// Datagrams read before other tasks have their turn.
const AT_ONCE: usize = 64;
/// Memory that the kernel is asked to keep for what is received, and for what is sent.
const RECEIVE_BUFFER: i32 = 8 << 20;
const SEND_BUFFER: usize = 4 << 20;
/// Addresses that one session may claim: a client that moves between networks has some.
const CLAIMS: usize = 16;

/// A datagram for a session.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) source: SocketAddr,
    pub(crate) data: Bytes,
}

/// What there is for a session.
#[derive(Debug)]
pub(crate) enum Arrived {
    Datagram(Datagram),
    /// The network says what became of a datagram to this address.
    Report(SocketAddr, Report),
}

/// The port.
#[derive(Debug)]
pub(crate) struct Port {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    desk: mpsc::UnboundedSender<Notice>,
    reader: JoinHandle<()>,
    lost: Arc<AtomicU64>,
}

/// What sessions tell the reader. They tell it when they begin and end, and when their client's address is new.
#[derive(Debug)]
enum Notice {
    Began { fragment: String, inbox: mpsc::Sender<Arrived> },
    Claims { fragment: String, address: SocketAddr },
    Ended { fragment: String },
}

/// A session's end of the port; it is forgotten there when this is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    fragment: String,
    socket: Arc<UdpSocket>,
    mapped: bool,
    inbox: mpsc::Receiver<Arrived>,
    desk: mpsc::UnboundedSender<Notice>,
    claimed: Vec<SocketAddr>,
}

pub(super) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = udp::bind(addr, RECEIVE_BUFFER)?;
    // The kernel gives as much of it as its limits allow.
    let _ = socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER);
    Ok(socket)
}

impl Port {
    pub(super) fn start(socket: UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        let socket = Arc::new(socket);
        let (desk, notices) = mpsc::unbounded_channel();
        let lost = Arc::new(AtomicU64::new(0));
        let reader = Reader {
            socket: socket.clone(),
            sessions: HashMap::new(),
            by_address: HashMap::new(),
            lost: lost.clone(),
        };
        let reader = tokio::spawn(reader.run(notices));
        Ok(Self { socket, local, desk, reader, lost })
    }

    /// Where it listens.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Datagrams that no session had room for.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// A line for the session whose answer names this fragment.
    pub(crate) fn line(&self, fragment: String) -> Line {
        let (sender, inbox) = mpsc::channel(INBOX);
        let _ = self.desk.send(Notice::Began { fragment: fragment.clone(), inbox: sender });
        Line {
            fragment,
            socket: self.socket.clone(),
            mapped: self.local.is_ipv6(),
            inbox,
            desk: self.desk.clone(),
            claimed: Vec::new(),
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Line {
    /// What comes next. Pending for ever once the port is gone.
    pub(crate) fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Arrived> {
        match self.inbox.poll_recv(cx) {
            std::task::Poll::Ready(Some(arrived)) => std::task::Poll::Ready(arrived),
            _ => std::task::Poll::Pending,
        }
    }

    /// What comes from this address is for this session from now on.
    pub(crate) fn claim(&mut self, address: SocketAddr) {
        if self.claimed.contains(&address) || self.claimed.len() >= CLAIMS {
            return;
        }
        self.claimed.push(address);
        let _ = self.desk.send(Notice::Claims { fragment: self.fragment.clone(), address });
    }

    /// Sends at once, or not at all: a full socket loses datagrams as a full path does, and RTP asks again.
    pub(crate) fn send(&self, to: SocketAddr, data: &[u8]) -> bool {
        let to = match to {
            SocketAddr::V4(v4) if self.mapped => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            other => other,
        };
        match self.socket.try_send_to(data, to) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            // An error is about an earlier datagram, perhaps to somebody else, and is told once.
            Err(_) => self.socket.try_send_to(data, to).is_ok(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.desk.send(Notice::Ended { fragment: std::mem::take(&mut self.fragment) });
    }
}

struct Reader {
    socket: Arc<UdpSocket>,
    sessions: HashMap<String, Session>,
    by_address: HashMap<SocketAddr, mpsc::Sender<Arrived>>,
    lost: Arc<AtomicU64>,
}

struct Session {
    inbox: mpsc::Sender<Arrived>,
    addresses: Vec<SocketAddr>,
}

impl Reader {
    async fn run(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let mut buffer = BytesMut::with_capacity(PIECE);
        loop {
            tokio::select! {
                biased;
                notice = notices.recv() => match notice {
                    Some(notice) => self.take(notice),
                    None => return,
                },
                ready = self.socket.ready(Interest::READABLE | Interest::ERROR) => {
                    match ready {
                        Ok(ready) if ready.is_error() => self.hear_reports(),
                        Ok(_) => {}
                        Err(error) => {
                            tracing::error!(%error, "the WebRTC port cannot be read");
                            return;
                        }
                    }
                    self.read(&mut buffer, &mut notices);
                    // A flood must not keep the worker from its other tasks.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn read(&mut self, buffer: &mut BytesMut, notices: &mut mpsc::UnboundedReceiver<Notice>) {
        for _ in 0..AT_ONCE {
            // A claim is told before its client can send what depends on it.
            while let Ok(notice) = notices.try_recv() {
                self.take(notice);
            }
            if buffer.capacity() < DATAGRAM {
                *buffer = BytesMut::with_capacity(PIECE);
            }
            match self.socket.try_recv_buf_from(buffer) {
                Ok((_, source)) => {
                    let data = buffer.split().freeze();
                    let source = SocketAddr::new(source.ip().to_canonical(), source.port());
                    self.hand_over(source, data);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A report about somebody, whom the queue of reports names.
                Err(_) => self.hear_reports(),
            }
        }
    }

    fn hear_reports(&self) {
        udp::take(&self.socket, |to, report| {
            let to = SocketAddr::new(to.ip().to_canonical(), to.port());
            if let Some(inbox) = self.by_address.get(&to) {
                // A session that is too busy to be told has been heard of.
                let _ = inbox.try_send(Arrived::Report(to, report));
            }
        });
    }

    fn hand_over(&self, source: SocketAddr, data: Bytes) {
        let inbox = match stun::receiver(&data) {
            Some(fragment) => self.sessions.get(fragment).map(|session| &session.inbox),
            None => self.by_address.get(&source),
        };
        if let Some(inbox) = inbox
            && inbox.try_send(Arrived::Datagram(Datagram { source, data })).is_err()
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Began { fragment, inbox } => {
                self.sessions.insert(fragment, Session { inbox, addresses: Vec::new() });
            }
            Notice::Claims { fragment, address } => {
                if let Some(session) = self.sessions.get_mut(&fragment) {
                    session.addresses.push(address);
                    self.by_address.insert(address, session.inbox.clone());
                }
            }
            Notice::Ended { fragment } => {
                let Some(session) = self.sessions.remove(&fragment) else { return };
                for address in session.addresses {
                    // Another session of the same client may have claimed it since.
                    if self.by_address.get(&address).is_some_and(|inbox| inbox.same_channel(&session.inbox)) {
                        self.by_address.remove(&address);
                    }
                }
            }
        }
    }
}
