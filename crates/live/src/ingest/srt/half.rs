//! Handshakes that have begun. A caller that answers nothing to our first reply has left half-way (30/0).
//!
//! The address of a caller is not proven before it has answered, so whoever can send datagrams can fill this with any
//! addresses. What is kept is therefore bounded, and what is beyond the bounds is counted.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::engine::Greeting;

/// Handshakes kept; a client of ours takes a few round trips. Beyond, it is not noticed who leaves half-way.
const KEPT: usize = 1_024;
/// A caller that does not go on for this long has left. libsrt itself gives up after three seconds.
const LEFT_AFTER: Duration = Duration::from_secs(4);
/// Ends told apart until they are recorded, a quarter of a second at most; beyond, those of one address and code are one.
const TOLD_APART: usize = 64;

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
    unnoticed: u64,
}

impl HalfWay {
    /// A caller said something.
    pub(super) fn note(&mut self, now: Instant, from: SocketAddr, greeting: &Greeting) {
        let caller = (from, greeting.caller);
        if let Some(half) = self.by_caller.get_mut(&caller) {
            half.greeting.clone_from(greeting);
        } else if self.by_caller.len() >= KEPT || self.order.len() >= 2 * KEPT {
            self.unnoticed = self.unnoticed.saturating_add(1);
        } else {
            self.by_caller.insert(caller, Half { began: now, greeting: greeting.clone() });
            self.order.push_back((caller, now));
        }
    }

    /// A caller has gone on, or was refused: its handshake.
    pub(super) fn take(&mut self, caller: Caller) -> Option<Half> {
        self.by_caller.remove(&caller)
    }

    /// The next caller that has left.
    pub(super) fn next_left(&mut self, now: Instant) -> Option<(Caller, Half)> {
        while let Some((caller, began)) = self.order.front().copied() {
            let current = self.by_caller.get(&caller).is_some_and(|half| half.began == began);
            if current && now.saturating_duration_since(began) < LEFT_AFTER {
                return None;
            }
            self.order.pop_front();
            if current {
                return self.by_caller.remove(&caller).map(|half| (caller, half));
            }
        }
        None
    }

    /// Handshakes for which there was no room since it was asked last.
    pub(super) fn take_unnoticed(&mut self) -> u64 {
        std::mem::take(&mut self.unnoticed)
    }
}

/// Ends before there was a push, until they are recorded: in a flood those that are alike together.
#[derive(Debug, Default)]
pub(super) struct Ends {
    alike: HashMap<(IpAddr, Option<u32>, Option<Caller>), End>,
}

/// Ends of one kind.
#[derive(Debug)]
pub(super) struct End {
    pub(super) caller: Caller,
    pub(super) half: Half,
    /// The protocol's own refusal; none for who left.
    pub(super) code: Option<u32>,
    pub(super) attempts: u64,
}

impl Ends {
    /// A handshake has ended: its caller left, or was refused with `code`.
    pub(super) fn add(&mut self, caller: Caller, half: Half, code: Option<u32>) {
        let apart = (self.alike.len() < TOLD_APART).then_some(caller);
        let end = self.alike.entry((caller.0.ip(), code, apart));
        end.or_insert(End { caller, half, code, attempts: 0 }).attempts += 1;
    }

    /// All of them, to be recorded.
    pub(super) fn take(&mut self) -> impl Iterator<Item = End> + use<> {
        std::mem::take(&mut self.alike).into_values()
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    fn greeting(caller: u32) -> Greeting {
        Greeting {
            caller,
            concludes: false,
            version: 0,
            key_bytes: 0,
            encrypts: false,
            stream_id: Vec::new(),
        }
    }

    fn peer() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 5000))
    }

    #[test]
    fn who_goes_on_has_not_left_and_who_does_not_has() {
        let (start, peer) = (SystemClock.instant(), peer());
        let mut half = HalfWay::default();
        for caller in 1..=3 {
            half.note(start, peer, &greeting(caller));
        }
        assert!(half.take((peer, 2)).is_some());
        assert_eq!(half.next_left(start + LEFT_AFTER / 2), None);
        let left: Vec<_> =
            std::iter::from_fn(|| half.next_left(start + LEFT_AFTER)).map(|((_, n), _)| n).collect();
        assert_eq!(left, [1, 3]);
        // The same caller once more, later: its first handshake does not count for it.
        half.note(start, peer, &greeting(9));
        half.take((peer, 9));
        half.note(start + LEFT_AFTER, peer, &greeting(9));
        assert_eq!(half.next_left(start + LEFT_AFTER), None);
    }

    #[test]
    fn a_flood_of_handshakes_is_bounded_and_what_is_not_noticed_is_counted() {
        let (start, peer) = (SystemClock.instant(), peer());
        let mut half = HalfWay::default();
        for n in 0..5_000 {
            half.note(start, peer, &greeting(n));
        }
        let left = std::iter::from_fn(|| half.next_left(start + LEFT_AFTER)).count();
        assert_eq!((left, half.take_unnoticed()), (KEPT, 5_000 - KEPT as u64));
        assert!(half.order.is_empty() && half.take_unnoticed() == 0);
        // Those who go on at once leave no trail that grows.
        for n in 0..5_000 {
            half.note(start, peer, &greeting(n));
            half.take((peer, n));
        }
        assert!(half.order.len() <= 2 * KEPT);
    }

    #[test]
    fn ends_that_are_alike_are_one_with_a_count_and_their_kinds_are_bounded() {
        let (start, peer) = (SystemClock.instant(), peer());
        let mut ends = Ends::default();
        let half = |name: u32| Half {
            began: start,
            greeting: Greeting { stream_id: name.to_be_bytes().to_vec(), ..greeting(name) },
        };
        for name in 0..10_000 {
            ends.add((peer, name), half(name), Some(1_010));
        }
        ends.add((peer, 1), half(1), None);
        let all: Vec<End> = ends.take().collect();
        assert_eq!(all.iter().map(|end| end.attempts).sum::<u64>(), 10_001);
        assert_eq!(all.len(), TOLD_APART + 2);
        assert_eq!(ends.take().count(), 0);
    }
}
