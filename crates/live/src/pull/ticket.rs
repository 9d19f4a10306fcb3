//! What shows an owner that one of the cluster's own nodes asks: a message code over the stream key, the revision of its
//! lease, both nodes and the time, made with a secret that stands in the registry.
//!
//! A ticket is good for a minute before and after the time on it, and once: who reads one on the way cannot use it again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use model::{StreamKey, Timestamp};
use sha2::Sha256;

/// The parameter of the play name that holds a ticket. Parameters of such names are masked wherever they are shown.
pub(super) const PARAMETER: &str = "pull_token";
/// How far the clocks of two nodes may differ, together with the way of the ticket.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Tickets remembered as used; above it new ones are refused until some are too old to matter.
const USED_AT_MOST: usize = 20_000;
/// Of other uses that the secret may have one day.
const PURPOSE: &[u8] = b"lastframe pull 1";

/// What all nodes of a cluster know, and nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one; `None` where the system gives no random numbers.
    pub fn make() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Its text, for the registry.
    pub fn to_text(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads that text.
    pub fn from_text(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }

    /// A message code over these parts, the first of which is what it is for.
    pub(super) fn code(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // Keys of any length are taken; the fallback is never met.
        let mut code =
            Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in parts {
            // With its length, so that nothing can move from one part into the next.
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part);
        }
        code
    }
}

/// What a ticket is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Errand<'a> {
    /// The stream.
    pub key: &'a StreamKey,
    /// The revision of its lease that the asker follows.
    pub revision: u64,
    /// The node that asks.
    pub from: &'a str,
    /// The node that is asked.
    pub to: &'a str,
}

/// Why a ticket is not taken. `Display` goes to the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TicketError {
    /// It has not the form of one.
    #[error("this is no ticket of a node")]
    Form,
    /// It was not made by a node of this cluster, or not for this errand.
    #[error("the ticket was not made by a node of this cluster for this stream")]
    Forged,
    /// It is too old, or from the future: the clocks of the nodes differ.
    #[error("the ticket's time is more than a minute away from this node's clock")]
    Time,
    /// It was used before.
    #[error("the ticket was used before")]
    Used,
    /// More come than can be remembered.
    #[error("too many tickets come at once")]
    Crowded,
}

/// A ticket that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Good {
    /// The revision that the asker follows.
    pub revision: u64,
    /// The node that asks.
    pub from: String,
}

/// Makes a ticket; `nonce` has to be another one each time.
pub(super) fn sign(secret: &Secret, errand: &Errand<'_>, now: Timestamp, nonce: [u8; 16]) -> String {
    let code = code(secret, errand, now.millis(), nonce).finalize().into_bytes();
    format!(
        "1.{}.{}.{}.{}.{}",
        errand.revision,
        errand.from,
        now.millis(),
        hex::encode(nonce),
        hex::encode(code)
    )
}

/// The tickets that this node has taken within the last minutes.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<HashMap<[u8; 16], Instant>>);

impl Used {
    /// Takes a ticket for a stream that this node, `to`, is asked for.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn take(
        &self,
        secret: &Secret,
        ticket: &str,
        key: &StreamKey,
        to: &str,
        at: (Timestamp, Instant),
    ) -> Result<Good, TicketError> {
        let mut parts = ticket.split('.');
        let mut next = || parts.next().ok_or(TicketError::Form);
        let (version, revision, from, time) = (next()?, next()?, next()?, next()?);
        let (nonce, given) = (next()?, next()?);
        if version != "1" || parts.next().is_some() {
            return Err(TicketError::Form);
        }
        let revision = revision.parse().map_err(|_| TicketError::Form)?;
        let time: i64 = time.parse().map_err(|_| TicketError::Form)?;
        let nonce = bytes(nonce).ok_or(TicketError::Form)?;
        let given: [u8; 32] = bytes(given).ok_or(TicketError::Form)?;
        let errand = Errand { key, revision, from, to };
        // Compared in constant time.
        code(secret, &errand, time, nonce).verify_slice(&given).map_err(|_| TicketError::Forged)?;
        let (now, instant) = at;
        let off = Duration::from_millis(now.millis().abs_diff(time));
        if off > GOOD_FOR {
            return Err(TicketError::Time);
        }
        self.note(nonce, instant)?;
        Ok(Good { revision, from: from.to_owned() })
    }

    fn note(&self, nonce: [u8; 16], now: Instant) -> Result<(), TicketError> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= USED_AT_MOST {
            used.retain(|_, at| now.saturating_duration_since(*at) <= 2 * GOOD_FOR);
        }
        if used.contains_key(&nonce) {
            return Err(TicketError::Used);
        }
        if used.len() >= USED_AT_MOST {
            return Err(TicketError::Crowded);
        }
        used.insert(nonce, now);
        Ok(())
    }
}

fn code(secret: &Secret, errand: &Errand<'_>, time: i64, nonce: [u8; 16]) -> Hmac<Sha256> {
    let (revision, time) = (errand.revision.to_be_bytes(), time.to_be_bytes());
    let StreamKey { domain, app, stream } = errand.key;
    secret.code(&[
        PURPOSE,
        domain.as_bytes(),
        app.as_bytes(),
        stream.as_bytes(),
        errand.from.as_bytes(),
        errand.to.as_bytes(),
        &revision,
        &time,
        &nonce,
    ])
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn secret(byte: u8) -> Secret {
        Secret([byte; 32])
    }

    fn key(stream: &str) -> StreamKey {
        StreamKey::new("push.example.com", "live", stream)
    }

    fn take(
        used: &Used,
        secret: &Secret,
        ticket: &str,
        stream: &str,
        now: Timestamp,
    ) -> Result<Good, TicketError> {
        used.take(secret, ticket, &key(stream), "owner", (now, SystemClock.instant()))
    }

    fn ticket(revision: u64, nonce: u8) -> String {
        let key = key("demo");
        let errand = Errand { key: &key, revision, from: "asker", to: "owner" };
        sign(&secret(1), &errand, NOW, [nonce; 16])
    }

    #[test]
    fn a_ticket_is_taken_once() {
        let used = Used::default();
        let good = take(&used, &secret(1), &ticket(7, 1), "demo", NOW).unwrap();
        assert_eq!(good, Good { revision: 7, from: "asker".to_owned() });
        assert_eq!(take(&used, &secret(1), &ticket(7, 1), "demo", NOW), Err(TicketError::Used));
        assert!(take(&used, &secret(1), &ticket(7, 2), "demo", NOW).is_ok());
    }

    #[test]
    fn a_ticket_of_another_secret_stream_node_or_revision_is_forged() {
        let used = Used::default();
        let forged = Err(TicketError::Forged);
        assert_eq!(take(&used, &secret(2), &ticket(7, 1), "demo", NOW), forged);
        assert_eq!(take(&used, &secret(1), &ticket(7, 1), "other", NOW), forged);
        let at = (NOW, SystemClock.instant());
        assert_eq!(used.take(&secret(1), &ticket(7, 1), &key("demo"), "third", at), forged);
        let raised = ticket(7, 1).replacen(".7.", ".8.", 1);
        assert_eq!(take(&used, &secret(1), &raised, "demo", NOW), forged);
        let renamed = ticket(7, 1).replacen(".asker.", ".other.", 1);
        assert_eq!(take(&used, &secret(1), &renamed, "demo", NOW), forged);
        let newer = ticket(7, 1).replacen("1800000000000", "1800000050000", 1);
        assert_eq!(take(&used, &secret(1), &newer, "demo", NOW), forged);
        assert!(take(&used, &secret(1), &ticket(7, 1), "demo", NOW).is_ok(), "none of these has used it up");
    }

    #[test]
    fn a_ticket_is_good_for_a_minute_on_clocks_that_differ_a_little() {
        let used = Used::default();
        for (nonce, ms) in [(1, -60_000), (2, 0), (3, 60_000)] {
            let now = Timestamp(NOW.millis() + ms);
            assert!(take(&used, &secret(1), &ticket(7, nonce), "demo", now).is_ok(), "{ms}");
        }
        for ms in [-60_001, 60_001, 86_400_000] {
            let now = Timestamp(NOW.millis() + ms);
            assert_eq!(take(&used, &secret(1), &ticket(7, 9), "demo", now), Err(TicketError::Time), "{ms}");
        }
    }

    #[test]
    fn a_secret_is_read_back_from_its_text() {
        let secret = Secret::make().unwrap();
        assert_eq!(Secret::from_text(&secret.to_text()), Some(secret.clone()));
        assert!(!format!("{secret:?}").contains(&secret.to_text()));
        for text in ["", "12", &"zz".repeat(32), &"ab".repeat(33)] {
            assert_eq!(Secret::from_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_harm(text in "(1\\.)?[0-9a-z.%-]{0,200}") {
            prop_assert!(take(&Used::default(), &secret(1), &text, "demo", NOW).is_err());
        }

        #[test]
        fn whatever_is_changed_in_a_ticket_is_noticed(at: prop::sample::Index, to in "[0-9a-f.]") {
            let good = ticket(7, 1);
            let mut text = good.clone();
            let at = at.index(text.len());
            text.replace_range(at..=at, &to);
            prop_assume!(text != good);
            prop_assert!(take(&Used::default(), &secret(1), &text, "demo", NOW).is_err());
        }
    }
}
