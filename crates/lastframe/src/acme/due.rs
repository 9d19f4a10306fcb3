//! When a certificate is ordered, and how long a failed order rests.

use std::time::Duration;

use live::tls::Validity;
use model::Timestamp;

/// The least time between two orders.
pub const PAUSE: Duration = Duration::from_secs(5);
/// The first and the longest rest after failures.
const FIRST_REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(6 * 3_600);

/// How long a certificate with this validity is left alone: for two thirds of it, and a part of the next twentieth that
/// `random` (below 1) chooses, so that a thousand servers set up at once do not renew at once. `None` is due now.
pub fn wait(validity: Option<Validity>, now: Timestamp, random: f64) -> Duration {
    let Some(Validity { from, until }) = validity else { return Duration::ZERO };
    let whole = until.since(from) as f64;
    let age = whole * (2.0 / 3.0 + random.clamp(0.0, 1.0) / 20.0);
    let lived = now.since(from) as f64;
    Duration::from_millis((age - lived).max(0.0) as u64)
}

/// How long an order rests after so many failures before this one.
pub fn back_off(failures: u32, random: f64) -> Duration {
    let doubled = FIRST_REST.saturating_mul(1 << failures.min(16)).min(LONGEST_REST);
    doubled.mul_f64(0.75 + random.clamp(0.0, 1.0) / 2.0)
}

/// A number from 0 to below 1.
pub fn share_of_random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all servers choose alike, which is no reason to stop.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(days: u64) -> Timestamp {
        Timestamp(0).plus(Duration::from_secs(days * DAY))
    }

    #[test]
    fn a_certificate_of_ninety_days_is_renewed_a_month_before_its_end() {
        let validity = Some(Validity { from: at(100), until: at(190) });
        assert_eq!(wait(validity, at(100), 0.0).as_secs(), 60 * DAY);
        assert_eq!(wait(validity, at(159), 0.0).as_secs(), DAY);
        assert_eq!(wait(validity, at(161), 0.0), Duration::ZERO);
        assert!(wait(validity, at(161), 0.9).as_secs() > 2 * DAY, "not all at once");
        assert_eq!(wait(validity, at(400), 0.9), Duration::ZERO);
        assert_eq!(wait(None, at(1), 0.9), Duration::ZERO, "without one it is due now");
        assert_eq!(wait(Some(Validity { from: at(9), until: at(1) }), at(5), 0.5), Duration::ZERO);
    }

    #[test]
    fn failures_rest_longer_each_time_up_to_a_limit() {
        let rests: Vec<_> = (0..12).map(|failures| back_off(failures, 0.5).as_secs()).collect();
        assert_eq!(rests[..4], [60, 120, 240, 480]);
        assert_eq!(rests[11], 6 * 3_600);
        assert!(back_off(u32::MAX, 1.0) <= LONGEST_REST.mul_f64(1.25));
        assert_ne!(back_off(0, 0.0), back_off(0, 1.0));
        assert!((0.0..1.0).contains(&share_of_random()));
    }
}
