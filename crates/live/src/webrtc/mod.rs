//! What WHIP pushes and WHEP viewers share: one UDP port for all of them, the WebRTC peer that each session drives, and the
//! HTTP resources that stand for the sessions.
//!
//! | file | what lives there |
//! |---|---|
//! | `port` | the UDP socket, and which session a datagram is for |
//! | `stun` | the user name in a STUN message, which says so before an address does |
//! | `addresses` | where clients are told to send |
//! | `peer` | one WebRTC peer: datagrams and time in, events out |
//! | `offer` | what an offer holds, and the answer to it |
//! | `resources` | sessions by the name of their HTTP resource, and what became of those that ended |
//!
//! Pushes are driven by `ingest::whip`, viewers by `play::whep`.

mod addresses;
pub(crate) mod offer;
pub(crate) mod peer;
mod port;
pub(crate) mod resources;
mod stun;

use std::io;
use std::net::SocketAddr;

pub(crate) use port::Port;
pub use resources::{ResourceError, ResourceKind};

use crate::config::WebRtcConfig;
use resources::Resources;

/// The node's WebRTC side.
pub(crate) struct WebRtc {
    pub(crate) config: WebRtcConfig,
    pub(crate) port: Port,
    pub(crate) resources: Resources,
}

impl WebRtc {
    /// Reads the port until it is dropped.
    pub(crate) fn start(config: WebRtcConfig, socket: tokio::net::UdpSocket) -> io::Result<Self> {
        Ok(Self { config, port: Port::start(socket)?, resources: Resources::default() })
    }

    /// Where this client is told to send.
    pub(crate) fn addresses_for(&self, client: SocketAddr) -> Vec<SocketAddr> {
        addresses::of(&self.config.public_ip, self.port.local(), client.ip())
    }
}

/// Binds the UDP port.
///
/// # Errors
/// The errno of bind.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<tokio::net::UdpSocket> {
    port::bind(addr)
}
