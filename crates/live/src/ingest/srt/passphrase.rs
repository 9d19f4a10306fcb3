//! Who must encrypt, and with what; and how often that is checked. One check takes thousands of rounds of a hash (PBKDF2), on the task that speaks for
//! all connections, so that who only asks must not be able to keep it busy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::config::SrtConfig;

/// Checks a second for one address. Who is not answered asks again four times a second, for three seconds.
const OF_ONE: u32 = 50;
/// Checks a second for all: a part of a core.
const OF_ALL: u32 = 200;

/// What callers must encrypt with.
#[derive(Clone)]
pub(super) struct Passphrases {
    usual: String,
    of_domains: HashMap<String, String>,
}

impl Passphrases {
    pub(super) fn new(config: &SrtConfig) -> Self {
        Self { usual: config.passphrase.clone(), of_domains: config.passphrases.clone() }
    }

    /// That of a domain; none where its callers must not encrypt.
    pub(super) fn of(&self, domain: Option<&str>) -> Option<&str> {
        let own = domain.and_then(|domain| self.of_domains.get(domain));
        Some(own.unwrap_or(&self.usual).as_str()).filter(|text| !text.is_empty())
    }

    /// That of all domains, where they have the same; else whether any domain has one is what counts.
    pub(super) fn is_the_same_for_all(&self) -> bool {
        self.of_domains.is_empty()
    }

    /// All there are.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let all = self.of_domains.values().chain([&self.usual]).map(String::as_str);
        all.filter(|text| !text.is_empty())
    }
}

/// Checks of the second under way.
#[derive(Debug, Default)]
pub(super) struct Checks {
    since: Option<Instant>,
    of_all: u32,
    by_ip: HashMap<IpAddr, u32>,
}

impl Checks {
    /// Whether one more check may be made for this address.
    pub(super) fn may(&mut self, ip: IpAddr, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= Duration::from_secs(1) {
            *self = Self { since: Some(now), ..Self::default() };
        }
        if self.of_all >= OF_ALL {
            return false;
        }
        let of_one = self.by_ip.entry(ip).or_default();
        if *of_one >= OF_ONE {
            return false;
        }
        *of_one += 1;
        self.of_all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    #[test]
    fn a_domain_may_have_its_own_passphrase_or_none() {
        let of_domains = [("a.test", "the one of a"), ("open.test", "")];
        let of_domains = of_domains.map(|(domain, text)| (domain.to_owned(), text.to_owned())).into();
        let known = Passphrases { usual: "the usual one".to_owned(), of_domains };
        assert_eq!(known.of(Some("a.test")), Some("the one of a"));
        assert_eq!(known.of(Some("open.test")), None);
        assert_eq!(
            (known.of(Some("other.test")), known.of(None)),
            (Some("the usual one"), Some("the usual one"))
        );
        assert_eq!(known.all().count(), 2);
    }

    #[test]
    fn one_address_cannot_use_up_the_checks_of_all_and_a_second_later_all_may_again() {
        let (mut checks, now) = (Checks::default(), SystemClock.instant());
        let ip = |n: u8| IpAddr::from([192, 0, 2, n]);
        assert_eq!((0..1_000).filter(|_| checks.may(ip(1), now)).count(), OF_ONE as usize);
        assert!(checks.may(ip(2), now));
        let others = (0..1_000_u32).filter(|n| checks.may(ip((n % 250) as u8 + 3), now)).count();
        assert_eq!(others + OF_ONE as usize + 1, OF_ALL as usize);
        assert!(checks.by_ip.len() <= OF_ALL as usize + 250);
        assert!(checks.may(ip(1), now + Duration::from_secs(1)));
    }
}
