//! Where clients are told to send: few addresses, because some encoders cope badly with many candidates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use str0m::net::{Protocol, TcpType};
use str0m::{Candidate, error::IceError};

/// Where a client is told to send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// Datagrams.
    pub(super) udp: Vec<SocketAddr>,
    /// Connections (RFC 6544).
    pub(super) tcp: Vec<SocketAddr>,
}

impl Addresses {
    /// As candidates, datagrams first: some clients look at nothing but the first.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Result<Candidate, IceError>> {
        let udp = self.udp.iter().map(|address| Candidate::host(*address, Protocol::Udp));
        let tcp = self
            .tcp
            .iter()
            .map(|address| Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build());
        udp.chain(tcp)
    }

    /// Which of them a packet from `source` was sent to, as far as it matters: the port may be bound to any address.
    pub(super) fn reached(&self, source: SocketAddr, via: Protocol) -> Option<SocketAddr> {
        let all = if via == Protocol::Tcp { &self.tcp } else { &self.udp };
        all.iter().find(|address| address.is_ipv4() == source.is_ipv4()).copied()
    }
}

/// Addresses that stand for "somewhere out there"; nothing is sent to them (RFC 5737, RFC 3849).
const OUT_THERE: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
];

/// The configured public addresses, or what the port is bound to; where that is any address, the machine's own in each
/// family. A client on this machine is offered loopback too.
pub(super) fn of(public: &[IpAddr], local: SocketAddr, client: IpAddr) -> Vec<SocketAddr> {
    let mut ips: Vec<IpAddr> = public.to_vec();
    if ips.is_empty() && !local.ip().is_unspecified() {
        ips.push(local.ip());
    }
    if local.ip().is_unspecified() {
        if ips.is_empty() {
            ips.extend(
                OUT_THERE.into_iter().filter_map(outward).filter(|ip| ip.is_ipv4() || local.is_ipv6()),
            );
        }
        if client.is_loopback() && (client.is_ipv4() || local.is_ipv6()) {
            ips.push(client);
        }
        if ips.is_empty() {
            ips.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
    }
    ips.dedup();
    ips.into_iter().map(|ip| SocketAddr::new(ip, local.port())).collect()
}

/// The address that this machine would send from; `None` without a route.
fn outward((from, to): (IpAddr, IpAddr)) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(from, 0)).ok()?;
    socket.connect(SocketAddr::new(to, 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(public: &[&str], local: &str, client: &str) -> Vec<String> {
        let public: Vec<IpAddr> = public.iter().map(|ip| ip.parse().unwrap()).collect();
        of(&public, local.parse().unwrap(), client.parse().unwrap()).iter().map(|a| a.to_string()).collect()
    }

    #[test]
    fn public_addresses_stand_for_the_host_s_own() {
        assert_eq!(ips(&["203.0.113.9"], "0.0.0.0:8000", "198.51.100.1"), ["203.0.113.9:8000"]);
    }

    #[test]
    fn a_bound_address_is_the_only_one() {
        assert_eq!(ips(&[], "127.0.0.1:8000", "127.0.0.1"), ["127.0.0.1:8000"]);
    }

    #[test]
    fn a_client_on_this_machine_is_offered_loopback_too() {
        assert_eq!(ips(&[], "0.0.0.0:7", "127.0.0.1").last().map(String::as_str), Some("127.0.0.1:7"));
        assert!(!ips(&[], "0.0.0.0:7", "::1").contains(&"[::1]:7".to_owned()), "the socket is IPv4");
    }
}
