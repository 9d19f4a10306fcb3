//! The duel guard: two encoders with automatic reconnect would take one stream key from each other for ever.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How far back takeovers count.
pub(super) const WINDOW: Duration = Duration::from_secs(120);
/// After this many takeovers between two sources the one that is live stays.
const TAKEOVERS: usize = 3;

/// Takeovers of one stream key between sources that both sent media.
#[derive(Debug, Default)]
pub(super) struct DuelGuard {
    recent: VecDeque<(Instant, IpAddr, IpAddr)>,
}

impl DuelGuard {
    /// The number of recent takeovers between the two sources, if it is enough for the live one to stay.
    pub(super) fn stands(&mut self, live: SocketAddr, new: SocketAddr, now: Instant) -> Option<usize> {
        self.expire(now);
        let pair = ordered(live.ip(), new.ip());
        let takeovers = self.recent.iter().filter(|(_, a, b)| (*a, *b) == pair).count();
        (takeovers >= TAKEOVERS).then_some(takeovers)
    }

    /// Notes that `new` took the stream from `old` while that one sent media.
    pub(super) fn took_over(&mut self, old: SocketAddr, new: SocketAddr, now: Instant) {
        let (a, b) = ordered(old.ip(), new.ip());
        self.recent.push_back((now, a, b));
        // Nobody can take over oftener than this within the window and still matter.
        while self.recent.len() > 16 {
            self.recent.pop_front();
        }
    }

    /// Forgets takeovers that are older than the window.
    pub(super) fn expire(&mut self, now: Instant) {
        self.recent.retain(|(at, ..)| now.saturating_duration_since(*at) < WINDOW);
    }

    /// Whether nothing has to be remembered.
    pub(super) fn is_quiet(&self) -> bool {
        self.recent.is_empty()
    }
}

fn ordered(a: IpAddr, b: IpAddr) -> (IpAddr, IpAddr) {
    if a <= b { (a, b) } else { (b, a) }
}
