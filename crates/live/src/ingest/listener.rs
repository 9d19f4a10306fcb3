//! Accepts connections, within limits, and learns the client's address from a load balancer where one stands in front.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cause::evidence::{Act, Close, Transport};
use cause::{Cause, Detail, DetailKey};
use ipnet::IpNet;
use rustls::ServerConfig;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::proxy_protocol;
use super::rtmp;
use super::rtmps;
use crate::arrivals::Arrival;
use crate::push::{ConnectionFacts, End, Push};
use crate::shared::{Connections, Shared};
use crate::socket::{self, Sensor};

/// A load balancer sends its header at once.
const PROXY_HEADER_LIMIT: Duration = Duration::from_secs(3);
/// After an error such as too many open files, accepting again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one of the node's RTMP ports is like.
#[derive(Clone, Debug)]
pub struct Door {
    transport: Transport,
    proxy_protocol: Arc<[IpNet]>,
    tls: Option<Arc<ServerConfig>>,
}

impl Door {
    /// A plain one.
    pub fn rtmp(proxy_protocol: Vec<IpNet>) -> Self {
        Self { transport: Transport::Rtmp, proxy_protocol: proxy_protocol.into(), tls: None }
    }

    /// A secured one.
    pub fn rtmps(proxy_protocol: Vec<IpNet>, tls: Arc<ServerConfig>) -> Self {
        Self { transport: Transport::Rtmps, proxy_protocol: proxy_protocol.into(), tls: Some(tls) }
    }
}

/// Binds a listener whose address can be bound again right after a restart.
///
/// # Errors
/// The errno of bind or listen.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(addr),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(4096)?;
    TcpListener::from_std(socket.into())
}

/// Accepts RTMP connections until the task is aborted; nothing is held here that a connection needs.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener, door: Door) {
    if let Err(error) = socket::prepare(&listener, shared.config.limits.path) {
        tracing::warn!(%error, "connections go without keepalive and path limit");
    }
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (shared, door) = (shared.clone(), door.clone());
                let guard = Connections::enter(&shared);
                shared.counters.accepted();
                tokio::spawn(async move {
                    let _guard = guard;
                    serve(shared, stream, peer, door).await;
                });
            }
            // A connection that was gone before it was accepted has no address, and so no push.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(shared: Arc<Shared>, mut stream: TcpStream, peer: SocketAddr, door: Door) {
    let peer = canonical(peer);
    let behind_proxy = door.proxy_protocol.iter().any(|net| net.contains(&peer.ip()));
    let (client, first_bytes) = if behind_proxy {
        match Box::pin(proxy_header(&mut stream)).await {
            Ok((client, rest)) => (client.map_or(peer, canonical), rest),
            Err(reason) => {
                tracing::warn!(%peer, reason, "load balancer without a PROXY header");
                return Box::pin(refused(&shared, stream, (door.transport, peer), no_header(reason))).await;
            }
        }
    } else {
        (peer, Bytes::new())
    };
    let (limits, open, now) = (&shared.config.limits, shared.connections.open(), shared.clock.instant());
    let (overload, _place) = match shared.arrivals.arrive(client.ip(), limits, open, now) {
        Arrival::Welcome(place) => (None, Some(place)),
        Arrival::ToldWhy(act) => (Some(act), None),
        Arrival::TurnedAway(act) => {
            shared.counters.overloaded();
            return Box::pin(refused(&shared, stream, (door.transport, client), act)).await;
        }
    };
    if overload.is_some() {
        shared.counters.overloaded();
    }
    let sensor = Sensor::inheriting(stream, shared.config.limits.path);
    let push = Push::new(door.transport, client, behind_proxy, &shared.config.limits, &*shared.clock);
    let accepted = rtmp::Accepted { sensor, push: Box::new(push), first_bytes, overload };
    let accepted = match &door.tls {
        None => accepted,
        Some(tls) => match Box::pin(rtmps::secure(&shared, accepted, tls)).await {
            Some(accepted) => accepted,
            None => return,
        },
    };
    rtmp::serve(shared, accepted).await;
}

/// A connection that is closed before a byte of it is read as RTMP; it leaves its record all the same.
async fn refused(
    shared: &Arc<Shared>,
    stream: TcpStream,
    (transport, client): (Transport, SocketAddr),
    act: Act,
) {
    let sensor = Sensor::inheriting(stream, shared.config.limits.path);
    let mut push = Push::new(transport, client, false, &shared.config.limits, &*shared.clock);
    let facts = ConnectionFacts { tcp: sensor.facts(), ..ConnectionFacts::default() };
    drop(sensor);
    let end = End { close: Close::Open, ..End::act(act) };
    let (now, wall) = (shared.clock.instant(), shared.clock.now());
    let (verdict, row) = push.conclude(end, facts, now, wall, &shared.config.node_label);
    shared.counters.ended(verdict.cause);
    shared.journal.refuse(row).await;
}

fn no_header(reason: String) -> Act {
    let detail =
        Detail::new(DetailKey::Rule).with("rule", "proxy_header").with("found", reason).with("offset", 0);
    Act { code: Cause::ProtocolBroken.code(), detail: Some(detail) }
}

async fn proxy_header(stream: &mut TcpStream) -> Result<(Option<SocketAddr>, Bytes), String> {
    let mut buffer = BytesMut::with_capacity(512);
    let reading = async {
        loop {
            match proxy_protocol::parse(&buffer) {
                Ok(Some(header)) => {
                    let rest = buffer.split_off(header.length).freeze();
                    return Ok((header.client, rest));
                }
                Ok(None) => {}
                Err(error) => return Err(error.to_string()),
            }
            match stream.read_buf(&mut buffer).await {
                Ok(0) => return Err("closed before the PROXY header was whole".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    tokio::time::timeout(PROXY_HEADER_LIMIT, reading)
        .await
        .unwrap_or_else(|_| Err(format!("no PROXY header within {PROXY_HEADER_LIMIT:?}")))
}

/// An IPv4 client of an IPv6 socket is shown and judged as IPv4.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}
