//! Passwords of the console: Argon2id hashes, checked with a bound on how many at once and how often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use model::Clock;
use tokio::sync::Semaphore;

/// Hashes computed at once; each takes about 19 MiB and tens of milliseconds of a core.
const PARALLEL: usize = 2;
/// Failed attempts of one address within [`WINDOW`], after which it has to wait.
const ATTEMPTS: u32 = 10;
/// How long failed attempts count.
const WINDOW: Duration = Duration::from_secs(300);
/// Addresses remembered at once.
const ADDRESSES: usize = 10_000;
/// Longer passwords are refused unread.
pub const MAX_PASSWORD: usize = 1024;

/// A password that could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// The PHC string (`$argon2id$...`) that is stored for a password.
pub fn hash(password: &str) -> Result<String, HashError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|e| HashError(e.to_string()))
}

/// What came of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is right.
    Right,
    /// It is wrong, or there is no such user.
    Wrong,
    /// This address has failed too often; seconds until it may try again.
    Wait(u64),
}

/// Checks passwords.
pub struct Passwords {
    clock: Arc<dyn Clock>,
    permits: Arc<Semaphore>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Instant,
}

impl Passwords {
    /// No attempts yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, permits: Arc::new(Semaphore::new(PARALLEL)), failures: Mutex::new(HashMap::new()) }
    }

    /// Checks `password` against the stored hash of a user, for an attempt from `ip`. `stored` is `None` where there
    /// is no such user; that takes as long as a wrong password does.
    pub async fn check(&self, ip: IpAddr, password: String, stored: Option<String>) -> Checked {
        let ip = network_of(ip);
        // Counted before the work, so that attempts made at once do not pass together.
        if let Some(wait) = self.count(ip) {
            return Checked::Wait(wait);
        }
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Checked::Wrong };
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            password.len() <= MAX_PASSWORD && verify(&password, stored.as_deref())
        });
        match verified.await {
            Ok(true) => {
                self.lock().remove(&ip);
                Checked::Right
            }
            Ok(false) | Err(_) => Checked::Wrong,
        }
    }

    /// Counts an attempt; `Some(seconds)` when it is one too many.
    fn count(&self, ip: IpAddr) -> Option<u64> {
        let now = self.clock.instant();
        let mut failures = self.lock();
        if failures.len() >= ADDRESSES && !failures.contains_key(&ip) {
            failures.retain(|_, f| now.duration_since(f.since) < WINDOW);
            if failures.len() >= ADDRESSES {
                return Some(WINDOW.as_secs());
            }
        }
        let entry = failures.entry(ip).or_insert(Failures { count: 0, since: now });
        let age = now.duration_since(entry.since);
        if age >= WINDOW {
            *entry = Failures { count: 0, since: now };
        } else if entry.count >= ATTEMPTS {
            return Some((WINDOW - age).as_secs().max(1));
        }
        entry.count += 1;
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verify(password: &str, stored: Option<&str>) -> bool {
    let right = stored
        .and_then(|text| PasswordHash::new(text).ok())
        .map(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    right.unwrap_or_else(|| {
        // The time of an answer must not tell whether the user exists.
        let _ = hash(password);
        false
    })
}

/// Whoever has one address of an IPv6 /64 has them all.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::clock::ManualClock;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_password_is_right_wrong_or_of_nobody() {
        let passwords = Passwords::new(Arc::new(ManualClock::new(Timestamp(0))));
        let stored = hash("correct horse").unwrap();
        let check = |password: &str, stored| passwords.check(ip("192.0.2.1"), password.to_owned(), stored);
        assert_eq!(check("correct horse", Some(stored.clone())).await, Checked::Right);
        assert_eq!(check("correct horsf", Some(stored)).await, Checked::Wrong);
        assert_eq!(check("correct horse", None).await, Checked::Wrong);
        assert_eq!(check("correct horse", Some("no hash".into())).await, Checked::Wrong);
    }

    #[test]
    fn an_address_that_fails_too_often_waits_and_others_do_not() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let passwords = Passwords::new(clock.clone());
        for _ in 0..ATTEMPTS {
            assert_eq!(passwords.count(network_of(ip("2001:db8::1"))), None);
        }
        assert_eq!(passwords.count(network_of(ip("2001:db8::2"))), Some(300));
        assert_eq!(passwords.count(network_of(ip("192.0.2.2"))), None);
        clock.advance(WINDOW);
        assert_eq!(passwords.count(network_of(ip("2001:db8::1"))), None);
    }
}
