//! The block and allow lists of a domain.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::Refusal;
use crate::catalog::Domain;

/// Whether `domain` takes pushes from `ip`: on no blocked network, and on an allowed one if there are any.
///
/// # Errors
/// [`Refusal::IpBlocked`] or [`Refusal::IpNotListed`].
pub fn check(domain: &Domain, ip: IpAddr) -> Result<(), Refusal> {
    let ip = ip.to_canonical();
    if let Some(network) = domain.block.iter().find(|network| covers(network, ip)) {
        return Err(Refusal::IpBlocked { ip, network: *network });
    }
    if !domain.allow.is_empty() && !domain.allow.iter().any(|network| covers(network, ip)) {
        return Err(Refusal::IpNotListed { ip, networks: domain.allow.len() });
    }
    Ok(())
}

/// Whether `network` holds `ip`, which is canonical. A network of IPv4 addresses mapped into IPv6
/// (`::ffff:192.0.2.0/120`, RFC 4291, section 2.5.5.2) is one of IPv4 addresses.
fn covers(network: &IpNet, ip: IpAddr) -> bool {
    mapped_v4(network).unwrap_or(*network).contains(&ip)
}

fn mapped_v4(network: &IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = network else { return None };
    let prefix = v6.prefix_len().checked_sub(96)?;
    Ipv4Net::new(v6.addr().to_ipv4_mapped()?, prefix).ok().map(IpNet::V4)
}
