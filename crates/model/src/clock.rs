//! The only source of time and of push ids, so that limits, retention and clock jumps can be tested.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::id::PushId;

/// Wall-clock time in milliseconds since the Unix epoch, UTC. As text: RFC 3339 with milliseconds and `Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time moved by `by`, saturating at the ends of the range.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This time moved back by `by`, saturating.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this time; 0 if the clock went backwards.
    pub fn since(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Reads RFC 3339 text, with any offset and precision.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{}", t.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ")),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time; may jump.
    fn now(&self) -> Timestamp;

    /// Monotonic time; never goes back.
    fn instant(&self) -> Instant;

    /// A fresh push id whose time part is [`Clock::now`]; ids made by one clock in one process rise strictly.
    fn push_id(&self) -> PushId;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place where time is read")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn push_id(&self) -> PushId {
        PushId::from_uuid(uuid::Uuid::now_v7())
    }
}

/// A clock that stands still until it is told to move; for tests.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    state: Mutex<ManualState>,
}

#[derive(Debug)]
struct ManualState {
    wall: Timestamp,
    elapsed: Duration,
    ids: u64,
}

impl ManualClock {
    /// A clock that shows `wall`.
    #[expect(clippy::disallowed_methods, reason = "an origin for virtual instants is needed once")]
    pub fn new(wall: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::new(ManualState { wall, elapsed: Duration::ZERO, ids: 0 }),
        }
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.wall = state.wall.plus(by);
        state.elapsed = state.elapsed.saturating_add(by);
    }

    /// Moves the wall clock alone, as a time server's correction does.
    pub fn jump_to(&self, wall: Timestamp) {
        self.lock().wall = wall;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ManualState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().wall
    }

    fn instant(&self) -> Instant {
        self.start + self.lock().elapsed
    }

    fn push_id(&self) -> PushId {
        let mut state = self.lock();
        state.ids += 1;
        PushId::from_parts(state.wall, u128::from(state.ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc_3339_with_milliseconds_in_utc() {
        assert_eq!(Timestamp(1_763_841_600_007).to_string(), "2025-11-22T20:00:00.007Z");
        assert_eq!(Timestamp::parse("2025-11-22T21:00:00.007+01:00"), Some(Timestamp(1_763_841_600_007)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn ids_of_one_clock_rise() {
        let clock = SystemClock;
        let ids: Vec<_> = (0..1000).map(|_| clock.push_id()).collect();
        assert!(ids.windows(2).all(|w| w[0] < w[1]));
        let clock = ManualClock::new(Timestamp(1_000));
        let first = clock.push_id();
        assert_eq!(first.time(), Timestamp(1_000));
        assert!(clock.push_id() > first);
    }

    #[test]
    fn a_wall_clock_that_jumps_leaves_the_monotonic_one_alone() {
        let clock = ManualClock::new(Timestamp(10_000));
        let before = clock.instant();
        clock.jump_to(Timestamp(5_000));
        assert_eq!(clock.instant(), before);
        assert_eq!(clock.now().since(Timestamp(10_000)), 0);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.instant() - before, Duration::from_secs(2));
    }
}
