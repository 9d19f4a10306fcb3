//! A session's end of the ports: the datagrams and connections of its client come in here, and its packets go out.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cause::evidence::TcpFacts;
use str0m::net::Protocol;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::leg::{Leg, LegEnd};
use super::port::{Delivery, Notice};
use crate::udp::{self, Report};

/// Addresses that one session may claim: a client that moves between networks has some.
const CLAIMS: usize = 16;
/// TCP connections that one session may have: a client tries each address that it was told.
const LEGS: usize = 4;
/// Datagrams that go out together.
const TOGETHER: usize = 64;

/// A packet for a session.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) source: SocketAddr,
    pub(crate) via: Protocol,
    pub(crate) data: Bytes,
}

/// What there is for a session.
#[derive(Debug)]
pub(crate) enum Arrived {
    Packet(Packet),
    /// The network says what became of a datagram to this address.
    Report(SocketAddr, Report),
    /// A connection of the client's has ended.
    Ended(LegEnd),
}

/// A session's end of the ports; it is forgotten there when this is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    fragment: String,
    socket: Arc<UdpSocket>,
    mapped: bool,
    inbox: mpsc::Receiver<Delivery>,
    desk: mpsc::UnboundedSender<Notice>,
    claimed: Vec<SocketAddr>,
    legs: Vec<Leg>,
    outbox: Vec<(SocketAddr, Vec<u8>)>,
    unsent: u32,
}

impl Line {
    pub(super) fn new(
        fragment: String,
        socket: Arc<UdpSocket>,
        mapped: bool,
        inbox: mpsc::Receiver<Delivery>,
        desk: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self {
            fragment,
            socket,
            mapped,
            inbox,
            desk,
            claimed: Vec::new(),
            legs: Vec::new(),
            outbox: Vec::new(),
            unsent: 0,
        }
    }

    /// What comes next. Pending for ever once the ports are gone.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Arrived> {
        while let Poll::Ready(Some(delivery)) = self.inbox.poll_recv(cx) {
            match delivery {
                Delivery::Datagram { source, data } => {
                    return Poll::Ready(Arrived::Packet(Packet { source, via: Protocol::Udp, data }));
                }
                Delivery::Report(to, report) => return Poll::Ready(Arrived::Report(to, report)),
                // One that is too many is closed by being dropped.
                Delivery::Leg { leg, first } if self.legs.len() < LEGS => {
                    let source = leg.peer();
                    self.legs.push(*leg);
                    let packet = Packet { source, via: Protocol::Tcp, data: first };
                    return Poll::Ready(Arrived::Packet(packet));
                }
                Delivery::Leg { .. } => {}
            }
        }
        for leg in &mut self.legs {
            if let Poll::Ready(packet) = leg.poll_packet(cx) {
                let source = leg.peer();
                return Poll::Ready(match packet {
                    Ok(data) => Arrived::Packet(Packet { source, via: Protocol::Tcp, data }),
                    Err(end) => {
                        self.hang_up(source);
                        Arrived::Ended(end)
                    }
                });
            }
        }
        Poll::Pending
    }

    /// Datagrams that come from this address are for this session from now on.
    pub(crate) fn claim(&mut self, address: SocketAddr) {
        if self.claimed.contains(&address) || self.claimed.len() >= CLAIMS {
            return;
        }
        self.claimed.push(address);
        let _ = self.desk.send(Notice::Claims { fragment: self.fragment.clone(), address });
    }

    /// Closes a connection.
    pub(crate) fn hang_up(&mut self, peer: SocketAddr) {
        self.legs.retain(|leg| leg.peer() != peer);
    }

    /// `TCP_INFO` of a connection now.
    pub(crate) fn tcp(&self, peer: SocketAddr) -> Option<TcpFacts> {
        self.legs.iter().find(|leg| leg.peer() == peer)?.facts()
    }

    /// Packets that the system, or a client that does not read, had no room for.
    pub(crate) fn unsent(&self) -> u32 {
        self.unsent
    }

    /// Takes a packet to be sent with the next [`Line::flush`].
    pub(crate) fn send(&mut self, to: SocketAddr, via: Protocol, packet: Vec<u8>) {
        if via == Protocol::Tcp {
            let leg = self.legs.iter_mut().find(|leg| leg.peer() == to);
            let is_sent = leg.is_some_and(|leg| leg.send(&packet));
            self.unsent = self.unsent.saturating_add(u32::from(!is_sent));
            return;
        }
        let to = match to {
            SocketAddr::V4(v4) if self.mapped => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            other => other,
        };
        self.outbox.push((to, packet));
        if self.outbox.len() >= TOGETHER {
            self.flush_datagrams();
        }
    }

    /// Sends what waits: datagrams at once or not at all, since a full socket loses them as a full path does, and on
    /// connections what they take.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>) {
        self.flush_datagrams();
        for leg in &mut self.legs {
            leg.flush(cx);
        }
    }

    fn flush_datagrams(&mut self) {
        let (mut rest, mut told) = (self.outbox.as_slice(), false);
        while let Some((_, later)) = rest.split_first() {
            match self.try_send(rest) {
                Ok(sent) => {
                    rest = rest.get(sent..).unwrap_or_default();
                    told = false;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An error is about an earlier datagram, perhaps to somebody else, and is told once.
                Err(_) if !told => told = true,
                Err(_) => {
                    self.unsent = self.unsent.saturating_add(1);
                    rest = later;
                    told = false;
                }
            }
        }
        self.unsent = self.unsent.saturating_add(u32::try_from(rest.len()).unwrap_or(u32::MAX));
        self.outbox.clear();
    }

    fn try_send(&self, datagrams: &[(SocketAddr, Vec<u8>)]) -> io::Result<usize> {
        match datagrams {
            [(to, data)] => self.socket.try_send_to(data, *to).map(|_| 1),
            many => udp::send(self.socket.as_fd(), many),
        }
    }

    /// Sends what waits, and parts with the connections; their clients have a moment to read what was said last.
    pub(crate) fn farewell(&mut self) {
        self.flush_datagrams();
        for leg in self.legs.drain(..) {
            tokio::spawn(leg.farewell());
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.desk.send(Notice::Ended { fragment: std::mem::take(&mut self.fragment) });
    }
}
