//! Waiting for something to become true. Nothing here is short: the machine may be busy.

use std::thread::sleep;
use std::time::{Duration, Instant};

use model::{Clock, SystemClock, Timestamp};

const PAUSE: Duration = Duration::from_millis(20);

/// How long an expected thing may take where its time is not what is tested.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Monotonic time.
pub fn now() -> Instant {
    SystemClock.instant()
}

/// Wall-clock time, as records have it.
pub fn wall() -> Timestamp {
    SystemClock.now()
}

/// Looks until `look` finds something.
///
/// # Panics
/// When `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} for {what}");
        sleep(PAUSE);
    }
}

/// Looks until `look` is true.
///
/// # Panics
/// When `limit` has passed.
pub fn until_true(what: &str, limit: Duration, mut look: impl FnMut() -> bool) {
    until(what, limit, || look().then_some(()));
}
