//! What WHIP pushes and WHEP viewers share: one UDP port for all of them and a TCP port beside it, the WebRTC peer that each
//! session drives, and the HTTP resources that stand for the sessions.
//!
//! | file | what lives there |
//! |---|---|
//! | `port` | the UDP socket, and which session a datagram is for |
//! | `door` | the TCP port, and which session a connection is for |
//! | `leg` | a TCP connection of a session |
//! | `frames` | packets in a TCP connection |
//! | `line` | a session's end of the ports |
//! | `stun` | the user name in a STUN message, which says so before an address does |
//! | `addresses` | where clients are told to send |
//! | `peer` | one WebRTC peer: packets and time in, events out |
//! | `offer` | what an offer holds, and the answer to it |
//! | `resources` | sessions by the name of their HTTP resource, and what became of those that ended |
//!
//! Pushes are driven by `ingest::whip`, viewers by `play::whep`.

mod addresses;
mod door;
mod frames;
mod leg;
mod line;
pub(crate) mod offer;
pub(crate) mod peer;
mod port;
pub(crate) mod resources;
mod stun;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};

pub(crate) use port::Port;
pub use resources::{ResourceError, ResourceKind};

use crate::config::{WebRtcConfig, WebRtcTcp};
use crate::ingest::listener;
use addresses::Addresses;
use resources::Resources;

/// The node's WebRTC side.
pub(crate) struct WebRtc {
    pub(crate) config: WebRtcConfig,
    pub(crate) port: Port,
    pub(crate) resources: Resources,
}

/// The bound ports.
#[derive(Debug)]
pub(crate) struct Ports {
    udp: UdpSocket,
    tcp: Option<TcpListener>,
}

impl WebRtc {
    /// Reads the ports until it is dropped; `path_limit` is that of TCP connections.
    pub(crate) fn start(config: WebRtcConfig, ports: Ports, path_limit: Duration) -> io::Result<Self> {
        let port = Port::start(ports.udp, ports.tcp, path_limit)?;
        Ok(Self { config, port, resources: Resources::default() })
    }

    /// Where this client is told to send.
    pub(crate) fn addresses_for(&self, client: SocketAddr) -> Addresses {
        let of = |local| addresses::of(&self.config.public_ip, local, client.ip());
        Addresses { udp: of(self.port.local()), tcp: self.port.tcp_local().map(of).unwrap_or_default() }
    }
}

/// Binds the ports.
///
/// # Errors
/// The address that could not be bound, and the errno of bind.
pub(crate) fn bind(config: &WebRtcConfig) -> Result<Ports, (SocketAddr, io::Error)> {
    let failed = |addr| move |error| (addr, error);
    let udp = port::bind(config.listen).map_err(failed(config.listen))?;
    let tcp = match config.tcp {
        WebRtcTcp::Off => None,
        WebRtcTcp::At(addr) => Some(listener::bind(addr).map_err(failed(addr))?),
        WebRtcTcp::LikeUdp => {
            let addr = udp.local_addr().map_err(failed(config.listen))?;
            listener::bind(addr)
                .inspect_err(|error| {
                    tracing::warn!(%addr, %error, "no WebRTC over TCP; choose another port with webrtc.tcp_listen");
                })
                .ok()
        }
    };
    Ok(Ports { udp, tcp })
}
