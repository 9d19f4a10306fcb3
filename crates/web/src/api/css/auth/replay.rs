//! Which signatures have been used, so that a request that was overheard is no good to whoever sends it again.
//!
//! A TC3 signature holds no nonce, and the official clients do not sign the action: who forbids a stream and lets it in
//! again within one second sends the same signature twice. So a TC3 signature is good for a few seconds from its first
//! use, and then no more. Signatures over parameters hold a nonce, and are good once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// How far a request's time may be from ours, seconds.
pub const CLOCK_WINDOW: i64 = 300;
/// How long a TC3 signature is good from its first use, seconds.
const REPEATABLE: i64 = 5;
/// Signatures remembered at once; at about 40 bytes each.
const MAX_KNOWN: usize = 1_000_000;
/// Signatures whose times fall into so many seconds are forgotten together.
const GENERATION: i64 = 60;

/// What is to be done with a request whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It may go on.
    Fresh,
    /// It came before.
    Replayed,
    /// So many came that no more can be remembered.
    Full,
}

/// One use of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// Which key.
    pub secret_id: &'a str,
    /// Its bytes.
    pub signature: &'a [u8],
    /// The request's own time, Unix seconds.
    pub timestamp: i64,
    /// Whether it is good once only.
    pub once: bool,
}

/// The signatures used within the clock window.
#[derive(Debug, Default)]
pub struct Replays {
    /// When each was first used, by the minute of its own time.
    generations: Mutex<BTreeMap<i64, HashMap<u128, i64>>>,
}

impl Replays {
    /// Notes the use of a signature at `now`, Unix seconds.
    pub fn note(&self, used: &Use<'_>, now: i64) -> Seen {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (now - CLOCK_WINDOW).div_euclid(GENERATION);
        generations.retain(|generation, _| *generation >= oldest);
        let known: usize = generations.values().map(HashMap::len).sum();
        let key = short(&[used.secret_id.as_bytes(), b"\0", used.signature]);
        let generation = generations.entry(used.timestamp.div_euclid(GENERATION)).or_default();
        match generation.get(&key) {
            Some(first) if used.once || now - first > REPEATABLE => Seen::Replayed,
            Some(_) => Seen::Fresh,
            None if known >= MAX_KNOWN => Seen::Full,
            None => {
                generation.insert(key, now);
                Seen::Fresh
            }
        }
    }
}

fn short(parts: &[&[u8]]) -> u128 {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    hash.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(signature: &[u8], timestamp: i64, once: bool) -> Use<'_> {
        Use { secret_id: "id", signature, timestamp, once }
    }

    #[test]
    fn a_signature_without_a_nonce_is_good_for_a_few_seconds() {
        let replays = Replays::default();
        let request = used(b"s", 1_000, false);
        assert_eq!(replays.note(&request, 1_000), Seen::Fresh);
        assert_eq!(replays.note(&request, 1_005), Seen::Fresh);
        assert_eq!(replays.note(&request, 1_006), Seen::Replayed);
        assert_eq!(replays.note(&used(b"t", 1_000, false), 1_006), Seen::Fresh);
    }

    #[test]
    fn a_signature_with_a_nonce_is_good_once() {
        let replays = Replays::default();
        assert_eq!(replays.note(&used(b"s", 1_000, true), 1_000), Seen::Fresh);
        assert_eq!(replays.note(&used(b"s", 1_000, true), 1_000), Seen::Replayed);
    }

    #[test]
    fn a_signature_is_remembered_for_as_long_as_its_time_is_good() {
        let replays = Replays::default();
        let (earliest, latest) = (1_000, 1_000 + 2 * CLOCK_WINDOW);
        let ahead = used(b"s", earliest + CLOCK_WINDOW, true);
        assert_eq!(replays.note(&ahead, earliest), Seen::Fresh);
        assert_eq!(replays.note(&ahead, latest), Seen::Replayed);
        replays.note(&used(b"t", latest + 400, true), latest + 400);
        assert_eq!(replays.generations.lock().unwrap().len(), 1, "what no clock lets in is forgotten");
    }
}
