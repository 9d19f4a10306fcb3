//! Handshakes that have begun. A caller that answers nothing to our first reply has left half-way (30/0).

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::engine::Greeting;

/// Handshakes kept; beyond, the oldest counts as left at once. A client of ours takes a few round trips.
const KEPT: usize = 1_024;
/// A caller that does not go on for this long has left. libsrt itself gives up after three seconds.
const LEFT_AFTER: Duration = Duration::from_secs(4);

/// One caller: its address, and its own number for its side.
pub(super) type Caller = (SocketAddr, u32);

/// A handshake under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) began: Instant,
    pub(super) greeting: Greeting,
}

/// All handshakes under way.
#[derive(Debug, Default)]
pub(super) struct HalfWay {
    by_caller: HashMap<Caller, Half>,
    /// In the order in which they began; callers that have gone on are passed over.
    order: VecDeque<(Caller, Instant)>,
}

impl HalfWay {
    /// A caller said something. Gives the oldest handshake where there are too many.
    pub(super) fn note(
        &mut self,
        now: Instant,
        from: SocketAddr,
        greeting: Greeting,
    ) -> Option<(Caller, Half)> {
        let caller = (from, greeting.caller);
        if let Some(half) = self.by_caller.get_mut(&caller) {
            half.greeting = greeting;
            return None;
        }
        self.by_caller.insert(caller, Half { began: now, greeting });
        self.order.push_back((caller, now));
        if self.by_caller.len() > KEPT { self.oldest(|_| true) } else { None }
    }

    /// A caller has gone on, or was refused: its handshake.
    pub(super) fn take(&mut self, caller: Caller) -> Option<Half> {
        self.by_caller.remove(&caller)
    }

    /// The next caller that has left.
    pub(super) fn next_left(&mut self, now: Instant) -> Option<(Caller, Half)> {
        self.oldest(|began| now.saturating_duration_since(began) >= LEFT_AFTER)
    }

    fn oldest(&mut self, is_it: impl Fn(Instant) -> bool) -> Option<(Caller, Half)> {
        while let Some((caller, began)) = self.order.front().copied() {
            let current = self.by_caller.get(&caller).is_some_and(|half| half.began == began);
            if current && !is_it(began) {
                return None;
            }
            self.order.pop_front();
            if current {
                return self.by_caller.remove(&caller).map(|half| (caller, half));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    fn greeting(caller: u32) -> Greeting {
        Greeting { caller, concludes: false, version: 0, key_bytes: 0, stream_id: Vec::new() }
    }

    #[test]
    fn who_goes_on_has_not_left_and_who_does_not_has() {
        let (start, peer) = (SystemClock.instant(), SocketAddr::from(([192, 0, 2, 1], 5000)));
        let mut half = HalfWay::default();
        for caller in 1..=3 {
            assert_eq!(half.note(start, peer, greeting(caller)), None);
        }
        assert!(half.take((peer, 2)).is_some());
        assert_eq!(half.next_left(start + LEFT_AFTER / 2), None);
        let left: Vec<_> =
            std::iter::from_fn(|| half.next_left(start + LEFT_AFTER)).map(|((_, n), _)| n).collect();
        assert_eq!(left, [1, 3]);
        // The same caller once more, later: its first handshake does not count for it.
        half.note(start, peer, greeting(9));
        half.take((peer, 9));
        half.note(start + LEFT_AFTER, peer, greeting(9));
        assert_eq!(half.next_left(start + LEFT_AFTER), None);
    }

    #[test]
    fn a_flood_of_handshakes_is_bounded_and_none_is_forgotten() {
        let (start, peer) = (SystemClock.instant(), SocketAddr::from(([192, 0, 2, 1], 5000)));
        let mut half = HalfWay::default();
        let pushed_out = (0..5_000).filter_map(|n| half.note(start, peer, greeting(n))).count();
        let left = std::iter::from_fn(|| half.next_left(start + LEFT_AFTER)).count();
        assert_eq!((pushed_out + left, left), (5_000, KEPT));
        assert!(half.order.is_empty());
    }
}
