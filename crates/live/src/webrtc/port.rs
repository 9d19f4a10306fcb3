//! The one UDP port of all sessions, and the TCP port beside it. A task reads the first, many datagrams a system call, and
//! hands each to its session by the address that it came from; a STUN message goes by the fragment in its user name, and a
//! session that has believed one claims its address. Connections come with the fragment that their first packet names.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::leg::Leg;
use super::line::Line;
use super::{door, stun};
use crate::udp::{self, Inbox, Report};

/// Datagrams that wait for one session; beyond, they are lost as they would be in a full socket.
const INBOX: usize = 1024;
/// Datagrams are cut from pieces of this size.
const PIECE: usize = 64 * 1024;
/// Larger than any datagram that WebRTC sends.
const DATAGRAM: usize = 2048;
/// Times that the socket is read, as many datagrams as go, before other tasks have their turn.
const AT_ONCE: usize = 2;
/// Memory that the kernel is asked to keep for what is received, and for what is sent.
const RECEIVE_BUFFER: i32 = 8 << 20;
const SEND_BUFFER: usize = 4 << 20;

/// What the ports have for a session.
#[derive(Debug)]
pub(super) enum Delivery {
    Datagram {
        source: SocketAddr,
        data: Bytes,
    },
    /// The network says what became of a datagram to this address.
    Report(SocketAddr, Report),
    /// A TCP connection, and the first packet on it.
    Leg {
        leg: Box<Leg>,
        first: Bytes,
    },
}

/// The port.
#[derive(Debug)]
pub(crate) struct Port {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    tcp_local: Option<SocketAddr>,
    desk: mpsc::UnboundedSender<Notice>,
    tasks: Vec<JoinHandle<()>>,
    lost: Arc<AtomicU64>,
}

/// What the reader is told: by sessions when they begin and end, and when their client's address is new; and by the TCP port.
#[derive(Debug)]
pub(super) enum Notice {
    Began { fragment: String, inbox: mpsc::Sender<Delivery> },
    Claims { fragment: String, address: SocketAddr },
    Came { fragment: String, leg: Box<Leg>, first: Bytes },
    Ended { fragment: String },
}

pub(super) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = udp::bind(addr, RECEIVE_BUFFER)?;
    // The kernel gives as much of it as its limits allow.
    let _ = socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER);
    Ok(socket)
}

impl Port {
    /// Reads both ports until this is dropped; `path_limit` is the time after which data that a connection does not
    /// acknowledge ends it.
    pub(super) fn start(
        socket: UdpSocket,
        tcp: Option<TcpListener>,
        path_limit: Duration,
    ) -> io::Result<Self> {
        let local = socket.local_addr()?;
        let tcp_local = tcp.as_ref().map(TcpListener::local_addr).transpose()?;
        let socket = Arc::new(socket);
        let (desk, notices) = mpsc::unbounded_channel();
        let lost = Arc::new(AtomicU64::new(0));
        let reader = Reader {
            socket: socket.clone(),
            sessions: HashMap::new(),
            by_address: HashMap::new(),
            lost: lost.clone(),
        };
        let mut tasks = vec![tokio::spawn(reader.run(notices))];
        tasks.extend(tcp.map(|listener| tokio::spawn(door::accept(listener, desk.clone(), path_limit))));
        Ok(Self { socket, local, tcp_local, desk, tasks, lost })
    }

    /// Where it listens.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where it takes TCP connections, where it does.
    pub(crate) fn tcp_local(&self) -> Option<SocketAddr> {
        self.tcp_local
    }

    /// Datagrams that no session had room for.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// A line for the session whose answer names this fragment.
    pub(crate) fn line(&self, fragment: String) -> Line {
        let (sender, inbox) = mpsc::channel(INBOX);
        let _ = self.desk.send(Notice::Began { fragment: fragment.clone(), inbox: sender });
        Line::new(fragment, self.socket.clone(), self.local.is_ipv6(), inbox, self.desk.clone())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

struct Reader {
    socket: Arc<UdpSocket>,
    sessions: HashMap<String, Session>,
    by_address: HashMap<SocketAddr, mpsc::Sender<Delivery>>,
    lost: Arc<AtomicU64>,
}

struct Session {
    inbox: mpsc::Sender<Delivery>,
    addresses: Vec<SocketAddr>,
}

impl Reader {
    async fn run(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let (mut inbox, mut piece) = (Inbox::new(DATAGRAM), BytesMut::new());
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
                    if self.read(&mut inbox, &mut piece, &mut notices) {
                        // A flood must not keep the worker from its other tasks.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }

    /// Reads what has come; says whether there may be more.
    fn read(
        &mut self,
        inbox: &mut Inbox,
        piece: &mut BytesMut,
        notices: &mut mpsc::UnboundedReceiver<Notice>,
    ) -> bool {
        for _ in 0..AT_ONCE {
            let read = udp::receive(&self.socket, inbox);
            // A claim is told before its client can send what depends on it, and such datagrams are here now.
            while let Ok(notice) = notices.try_recv() {
                self.take(notice);
            }
            for (source, data) in (0..inbox.len()).filter_map(|index| inbox.get(index)) {
                crate::pace::note_read();
                let source = SocketAddr::new(source.ip().to_canonical(), source.port());
                self.hand_over(source, data, piece);
            }
            match read {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A report about somebody, whom the queue of reports names.
                Err(_) => self.hear_reports(),
            }
        }
        true
    }

    fn hear_reports(&self) {
        udp::take(&self.socket, |to, report| {
            let to = SocketAddr::new(to.ip().to_canonical(), to.port());
            if let Some(inbox) = self.by_address.get(&to) {
                // A session that is too busy to be told has been heard of.
                let _ = inbox.try_send(Delivery::Report(to, report));
            }
        });
    }

    /// What is for nobody costs a look-up, and no memory.
    fn hand_over(&self, source: SocketAddr, data: &[u8], piece: &mut BytesMut) {
        let inbox = match stun::receiver(data) {
            Some(fragment) => self.sessions.get(fragment).map(|session| &session.inbox),
            None => self.by_address.get(&source),
        };
        let Some(inbox) = inbox else { return };
        if piece.capacity() < data.len() {
            *piece = BytesMut::with_capacity(PIECE);
        }
        piece.extend_from_slice(data);
        let data = piece.split().freeze();
        if inbox.try_send(Delivery::Datagram { source, data }).is_err() {
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
            Notice::Came { fragment, leg, first } => {
                // What is for nobody, or for a session that is too busy, is closed by being dropped.
                if let Some(session) = self.sessions.get(&fragment) {
                    let _ = session.inbox.try_send(Delivery::Leg { leg, first });
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
