//! The limit on how long nobody may play a live push: 37/0.

use std::time::{Duration, Instant};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

/// Watches for viewers, once a second.
#[derive(Clone, Copy, Debug)]
pub struct Unplayed {
    limit: Option<Duration>,
    /// Since when nobody plays.
    since: Option<Instant>,
}

impl Unplayed {
    /// With a limit, or without one.
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, since: None }
    }

    /// Notes whether somebody plays at `now`; the act that ends the push once nobody has for too long.
    pub fn look(&mut self, plays: bool, now: Instant) -> Option<Act> {
        let limit = self.limit?;
        if plays {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        (now.saturating_duration_since(since) >= limit).then(|| {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            let detail = Detail::new(DetailKey::UnplayedFor).with("limit_ms", limit_ms);
            Act { code: Cause::Unplayed.code(), detail: Some(detail) }
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn the_limit_counts_from_the_last_viewers_leaving() {
        let (mut unplayed, start) = (Unplayed::new(Some(5 * S)), SystemClock.instant());
        assert!((0..5).all(|s| unplayed.look(false, start + s * S).is_none()));
        assert!(unplayed.look(true, start + 5 * S).is_none());
        assert!((6..11).all(|s| unplayed.look(false, start + s * S).is_none()));
        let act = unplayed.look(false, start + 11 * S).unwrap();
        assert_eq!(act.code, Cause::Unplayed.code());
    }

    #[test]
    fn without_a_limit_nobody_needs_to_play() {
        let (mut unplayed, start) = (Unplayed::new(None), SystemClock.instant());
        assert!((0..1000).all(|s| unplayed.look(false, start + s * S).is_none()));
    }
}
