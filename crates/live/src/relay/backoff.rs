//! How long to wait before a target is tried again.

use std::time::Duration;

/// Before the second attempt.
const FIRST: Duration = Duration::from_millis(500);
/// Never longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// After an answer that only a person can change: a refusal, a certificate.
const REFUSED: Duration = Duration::from_secs(60);

/// Doubles with each failure, with a quarter of chance in it, so that what failed together does not return together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure; `random` is any number.
    pub fn failed(&mut self, random: u64) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(16);
        spread(doubled.min(LONGEST), random)
    }

    /// The pause after a refusal.
    pub fn refused(random: u64) -> Duration {
        spread(REFUSED, random)
    }

    /// The target has proved good: the next failure is a first one.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

/// From three quarters to five quarters of the pause.
fn spread(pause: Duration, random: u64) -> Duration {
    let percent = 75 + u32::try_from(random % 51).unwrap_or(0);
    pause.saturating_mul(percent) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_limit_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        let middle = 25; // 100 %
        let pauses: Vec<_> = (0..9).map(|_| backoff.failed(middle).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        for _ in 0..100 {
            assert_eq!(backoff.failed(middle), LONGEST);
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(middle), FIRST);
    }

    #[test]
    fn chance_moves_a_pause_by_a_quarter_at_most() {
        for random in [0, 1, 50, 51, u64::MAX] {
            let pause = Backoff::default().failed(random);
            assert!((Duration::from_millis(375)..=Duration::from_millis(625)).contains(&pause), "{pause:?}");
            assert!(Backoff::refused(random) >= Duration::from_secs(45));
        }
    }
}
