//! Beginnings and ends that earlier runs of this node left in the outbox. While it was lost, another node may have told them
//! in its place, and the database of all nodes knows: they are held back until it was asked, but not for long, since what is
//! told twice has the same delivery id both times.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the database is waited for.
const WITHIN: Duration = Duration::from_secs(10);

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct Earlier(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing: there is no such database, it was asked, or the journal has not been recovered yet and nobody looks.
    #[default]
    Nothing,
    /// Those in rows up to this one, until then.
    Rows { to: i64, until: Instant },
}

/// Rows that are held back now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Those in rows up to this one.
    pub to: i64,
    /// For this long at most.
    pub left: Duration,
}

impl Earlier {
    /// Earlier runs left rows up to this one.
    pub fn hold(&self, to: i64, now: Instant) {
        if to > 0 {
            *self.lock() = State::Rows { to, until: now + WITHIN };
        }
    }

    /// What is held back now.
    pub fn held(&self, now: Instant) -> Option<Held> {
        match *self.lock() {
            State::Rows { to, until } if now < until => {
                Some(Held { to, left: until.saturating_duration_since(now) })
            }
            _ => None,
        }
    }

    /// What the database is still to be asked about, be it held back or not.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "asked where there is a shipper")
    )]
    pub fn unasked(&self) -> Option<i64> {
        match *self.lock() {
            State::Rows { to, .. } => Some(to),
            State::Nothing => None,
        }
    }

    /// The database was asked: what is left is to be told.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "asked where there is a shipper")
    )]
    pub fn asked(&self) {
        *self.lock() = State::Nothing;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    #[test]
    fn what_earlier_runs_left_is_held_back_until_asked_about_and_not_for_long() {
        let now = SystemClock.instant();
        let earlier = Earlier::default();
        earlier.hold(0, now);
        assert_eq!(earlier.held(now), None, "they left nothing");
        earlier.hold(7, now);
        assert_eq!(earlier.held(now), Some(Held { to: 7, left: WITHIN }));
        assert_eq!(earlier.held(now + WITHIN), None, "nobody waits for a database that is away");
        assert_eq!(earlier.unasked(), Some(7), "and it is asked all the same");
        earlier.asked();
        assert_eq!((earlier.held(now), earlier.unasked()), (None, None));
    }
}
