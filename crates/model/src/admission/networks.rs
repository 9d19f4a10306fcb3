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

#[cfg(test)]
mod tests {
    use super::*;

    fn code(allow: &[&str], block: &[&str], ip: &str) -> u16 {
        let networks = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        let domain = Domain { allow: networks(allow), block: networks(block), ..Domain::new("d", 1, "k") };
        check(&domain, ip.parse().unwrap()).map_or_else(|refusal| refusal.code().sub_errcode, |()| 0)
    }

    #[test]
    fn without_lists_every_address_may_push() {
        assert_eq!(code(&[], &[], "192.0.2.7"), 0);
        assert_eq!(code(&[], &[], "2001:db8::7"), 0);
    }

    #[test]
    fn lists_hold_addresses_and_networks_of_both_families() {
        assert_eq!(code(&[], &["192.0.2.0/24"], "192.0.2.7"), 400);
        assert_eq!(code(&[], &["192.0.2.0/24"], "192.0.3.7"), 0);
        assert_eq!(code(&[], &["2001:db8::/32"], "2001:db8::7"), 400);
        assert_eq!(code(&["192.0.2.7/32"], &[], "192.0.2.7"), 0);
        assert_eq!(code(&["192.0.2.7/32"], &[], "192.0.2.8"), 401);
        assert_eq!(code(&["0.0.0.0/0"], &[], "2001:db8::7"), 401);
        assert_eq!(code(&["192.0.2.0/24", "2001:db8::/32"], &[], "2001:db8::7"), 0);
    }

    #[test]
    fn an_ipv4_address_mapped_into_ipv6_is_that_ipv4_address() {
        assert_eq!(code(&[], &["192.0.2.0/24"], "::ffff:192.0.2.7"), 400);
        assert_eq!(code(&[], &["::ffff:192.0.2.0/120"], "192.0.2.7"), 400);
        assert_eq!(code(&[], &["::ffff:192.0.2.0/120"], "192.0.3.7"), 0);
        assert_eq!(code(&[], &["::/0"], "192.0.2.7"), 0);
    }

    #[test]
    fn the_blocklist_is_asked_first() {
        assert_eq!(code(&["192.0.2.0/24"], &["192.0.2.7/32"], "192.0.2.7"), 400);
        assert_eq!(code(&["198.51.100.0/24"], &["192.0.2.7/32"], "192.0.2.7"), 400);
    }
}
