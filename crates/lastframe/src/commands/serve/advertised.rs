//! The address that other nodes are told: the configured one, or what this machine is reached by as far as it can tell.

use std::net::{IpAddr, SocketAddr};

use cluster::Servers;
use tokio::net::{UdpSocket, lookup_host};

use super::ports::Addresses;
use crate::config::Config;

/// Behind the default route, and never spoken to: an address for documentation (RFC 5737).
const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 9);

/// Where other nodes fetch streams from this one; `None` where this machine does not know.
pub async fn address(config: &Config, servers: &Servers, at: &Addresses) -> Option<String> {
    if let Some(given) = &config.cluster.advertise {
        return Some(given.clone());
    }
    let listen = at.rtmp;
    if !listen.ip().is_unspecified() {
        return Some(listen.to_string());
    }
    let found = match towards_nats(servers).await {
        // NATS runs on this machine.
        Some(ip) if ip.is_loopback() => Some(own_address(FAR).await.unwrap_or(ip)),
        other => other,
    };
    match found {
        Some(ip) => {
            let address = SocketAddr::new(ip, listen.port()).to_string();
            tracing::info!(
                address,
                "other nodes fetch streams from here; cluster.advertise would name another address"
            );
            Some(address)
        }
        None => {
            tracing::warn!(
                "no way to NATS is known: no node can fetch streams from this one; set cluster.advertise"
            );
            None
        }
    }
}

/// The address of this machine on the way to NATS.
async fn towards_nats(servers: &Servers) -> Option<IpAddr> {
    for place in servers.places() {
        let Ok(addresses) = lookup_host(place).await else { continue };
        for address in addresses {
            if let Some(own) = own_address(address).await {
                return Some(own);
            }
        }
    }
    None
}

/// The address that packets to another would have; none is sent.
async fn own_address(other: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if other.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(other).await.ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}
