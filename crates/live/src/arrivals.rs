//! Who is connected from where and how fast they come, against the limits of this node.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

use crate::config::Limits;

/// Connections above the limit that are still served far enough to be told why; beyond, they are closed at once.
const TOLD_WHY: usize = 500;
/// Addresses remembered for the rate limit; beyond, those without a connection are forgotten.
const ADDRESSES: usize = 100_000;

/// Connections by address.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    by_ip: Mutex<HashMap<IpAddr, Address>>,
}

#[derive(Debug)]
struct Address {
    open: usize,
    second: Instant,
    in_second: u32,
}

/// Whether a connection is served.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// It is.
    Welcome(PlaceOfAddress),
    /// Only far enough to be told why not.
    ToldWhy(Act),
    /// It is closed at once.
    TurnedAway(Act),
}

/// A connection that counts for its address, as long as it lives.
#[derive(Debug)]
pub(crate) struct PlaceOfAddress {
    arrivals: Arc<Arrivals>,
    ip: IpAddr,
    keeps_rate: bool,
}

impl Arrivals {
    /// Decides about a connection from `ip` while `open` are open on the node, this one included.
    pub(crate) fn arrive(
        self: &Arc<Self>,
        ip: IpAddr,
        limits: &Limits,
        open: usize,
        now: Instant,
    ) -> Arrival {
        if open > limits.connections {
            let act = overload("connections", open, limits.connections);
            let told = open <= limits.connections.saturating_add(TOLD_WHY);
            return if told { Arrival::ToldWhy(act) } else { Arrival::TurnedAway(act) };
        }
        let mut by_ip = self.by_ip.lock().unwrap_or_else(PoisonError::into_inner);
        if by_ip.len() >= ADDRESSES {
            by_ip.retain(|_, address| address.open > 0);
        }
        let address = by_ip.entry(ip).or_insert(Address { open: 0, second: now, in_second: 0 });
        if now.saturating_duration_since(address.second) >= Duration::from_secs(1) {
            address.second = now;
            address.in_second = 0;
        }
        address.in_second = address.in_second.saturating_add(1);
        if limits.connection_rate != 0 && address.in_second > limits.connection_rate {
            let (have, limit) = (address.in_second as usize, limits.connection_rate as usize);
            return Arrival::TurnedAway(overload("rate", have, limit));
        }
        if limits.connections_per_ip != 0 && address.open >= limits.connections_per_ip {
            return Arrival::ToldWhy(overload("connections", address.open, limits.connections_per_ip));
        }
        address.open += 1;
        drop(by_ip);
        let keeps_rate = limits.connection_rate != 0;
        Arrival::Welcome(PlaceOfAddress { arrivals: self.clone(), ip, keeps_rate })
    }
}

impl Drop for PlaceOfAddress {
    fn drop(&mut self) {
        let mut by_ip = self.arrivals.by_ip.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = by_ip.get_mut(&self.ip) {
            address.open = address.open.saturating_sub(1);
            // With a rate limit the entry is needed until its second is over; the sweep above ends it then.
            if address.open == 0 && !self.keeps_rate {
                by_ip.remove(&self.ip);
            }
        }
    }
}

/// The refusal of what is above a limit of this node.
pub(crate) fn overload(of: &str, have: usize, limit: usize) -> Act {
    let detail = Detail::new(DetailKey::OverloadOf).with("of", of).with("have", have).with("limit", limit);
    Act { code: Cause::Overload.code(), detail: Some(detail) }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn an_address_has_its_own_limit_and_gets_its_place_back() {
        let (arrivals, now) = (Arc::new(Arrivals::default()), SystemClock.instant());
        let limits = Limits { connections_per_ip: 1, ..Limits::default() };
        let first = arrivals.arrive(IP, &limits, 1, now);
        assert!(matches!(first, Arrival::Welcome(_)));
        assert!(matches!(arrivals.arrive(IP, &limits, 2, now), Arrival::ToldWhy(_)));
        let other = "10.0.0.1".parse().unwrap();
        assert!(matches!(arrivals.arrive(other, &limits, 2, now), Arrival::Welcome(_)));
        drop(first);
        assert!(matches!(arrivals.arrive(IP, &limits, 2, now), Arrival::Welcome(_)));
        assert!(arrivals.by_ip.lock().unwrap().is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn above_the_nodes_limit_some_are_told_why_and_the_rest_are_turned_away() {
        let (arrivals, now) = (Arc::new(Arrivals::default()), SystemClock.instant());
        let limits = Limits { connections: 10, ..Limits::default() };
        assert!(matches!(arrivals.arrive(IP, &limits, 10, now), Arrival::Welcome(_)));
        assert!(matches!(arrivals.arrive(IP, &limits, 11, now), Arrival::ToldWhy(_)));
        assert!(matches!(arrivals.arrive(IP, &limits, 11 + TOLD_WHY, now), Arrival::TurnedAway(_)));
    }

    #[test]
    fn a_rate_limit_counts_by_the_second_and_over_short_connections() {
        let (arrivals, now) = (Arc::new(Arrivals::default()), SystemClock.instant());
        let limits = Limits { connection_rate: 2, ..Limits::default() };
        for _ in 0..2 {
            assert!(matches!(arrivals.arrive(IP, &limits, 1, now), Arrival::Welcome(_)));
        }
        assert!(matches!(arrivals.arrive(IP, &limits, 1, now), Arrival::TurnedAway(_)));
        let later = now + Duration::from_secs(1);
        assert!(matches!(arrivals.arrive(IP, &limits, 1, later), Arrival::Welcome(_)));
    }
}
