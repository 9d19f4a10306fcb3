//! How the last push of each stream key ended, for a while: a refused reconnect is told by it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Code, StreamKey, Timestamp};

/// An encoder that comes back later than this begins anew.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Ends remembered at most.
const MOST: usize = 10_000;

/// How a live push ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// When it had gone live.
    pub(crate) published_at: Timestamp,
    /// When it ended.
    pub(crate) at: Instant,
    /// Why.
    pub(crate) code: Code,
}

/// The last ends, by stream key.
#[derive(Debug, Default)]
pub(crate) struct RecentEnds {
    ends: Mutex<Ends>,
}

#[derive(Debug, Default)]
struct Ends {
    by_key: HashMap<StreamKey, Ended>,
    in_order: VecDeque<(Instant, StreamKey)>,
}

impl RecentEnds {
    /// A push of this key ended.
    pub(crate) fn ended(&self, key: &StreamKey, end: Ended) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.by_key.insert(key.clone(), end);
        ends.in_order.push_back((end.at, key.clone()));
        ends.forget(end.at);
    }

    /// How the last push of this key ended, if that is not long ago.
    pub(crate) fn last(&self, key: &StreamKey, now: Instant) -> Option<Ended> {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.forget(now);
        ends.by_key.get(key).copied()
    }
}

impl Ends {
    fn forget(&mut self, now: Instant) {
        let old = |at: Instant| now.saturating_duration_since(at) > REMEMBERED;
        while self.in_order.len() > MOST || self.in_order.front().is_some_and(|(at, _)| old(*at)) {
            let Some((at, key)) = self.in_order.pop_front() else { return };
            // A later end of the same key stays.
            if self.by_key.get(&key).is_some_and(|end| end.at == at) {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    fn end(at: Instant, errcode: u16) -> Ended {
        Ended { published_at: Timestamp(0), at, code: Code::new(errcode, 0) }
    }

    #[test]
    fn the_last_end_of_a_key_is_known_for_ten_minutes() {
        let (ends, start) = (RecentEnds::default(), SystemClock.instant());
        let (a, b) = (StreamKey::new("d", "live", "a"), StreamKey::new("d", "live", "b"));
        ends.ended(&a, end(start, 3));
        ends.ended(&a, end(start + Duration::from_secs(300), 4));
        ends.ended(&b, end(start + Duration::from_secs(300), 1));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(ends.last(&a, at(700)).map(|end| end.code), Some(Code::new(4, 0)));
        assert_eq!(ends.last(&a, at(901)), None);
        assert_eq!(ends.last(&StreamKey::new("d", "live", "c"), at(0)), None);
    }

    #[test]
    fn no_more_ends_are_kept_than_there_is_room_for() {
        let (ends, start) = (RecentEnds::default(), SystemClock.instant());
        for number in 0..=MOST {
            ends.ended(&StreamKey::new("d", "live", number.to_string().as_str()), end(start, 3));
        }
        let kept =
            |number: usize| ends.last(&StreamKey::new("d", "live", number.to_string().as_str()), start);
        assert_eq!((kept(0), kept(1).is_some(), kept(MOST).is_some()), (None, true, true));
    }
}
