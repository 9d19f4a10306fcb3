//! Our own receive window: whether we had stopped reading.

use crate::detail::{Detail, DetailKey};
use crate::evidence::Evidence;
use crate::timeline::Sample;

/// A window closed this long before the end, or less, is taken for the reason of the end.
const AT_THE_END_S: u32 = 2;

/// The last time that our window was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnWindow {
    /// Seconds from the last closed moment to the end.
    pub(super) before_s: u32,
    /// How long it had been closed then, seconds.
    closed_s: u32,
}

impl OwnWindow {
    /// The last closed time within the last five minutes, if there was one.
    pub(super) fn last_closed(e: &Evidence, samples: &[Sample]) -> Option<Self> {
        // A kernel that does not tell the window shows 0 for ever, while bytes keep coming.
        let told = samples.iter().any(|s| !s.wnd_closed) || samples.iter().all(|s| s.bytes == 0);
        let end_s = samples.last().filter(|_| told)?.at_s;
        let closed_now = e.tcp.is_some_and(|tcp| tcp.rcv_wnd == 0 && tcp.bytes_received > 0);
        let newest = samples.iter().rposition(|s| s.wnd_closed);
        let (before_s, run) = match newest {
            Some(at) if !closed_now => {
                let run = samples.get(..=at).unwrap_or_default();
                (end_s.saturating_sub(run.last().map_or(end_s, |s| s.at_s)), run)
            }
            _ if closed_now => (0, samples),
            _ => return None,
        };
        let closed_s = run.iter().rev().take_while(|s| s.wnd_closed).map(|s| s.span_s).sum();
        Some(Self { before_s, closed_s })
    }

    /// Closed at the end, or in the two seconds before.
    pub(super) fn is_at_the_end(self) -> bool {
        self.before_s <= AT_THE_END_S
    }

    pub(super) fn detail(self) -> Detail {
        Detail::new(DetailKey::OwnWindowClosed)
            .with("before_ms", u64::from(self.before_s) * 1000)
            .with("closed_ms", u64::from(self.closed_s) * 1000)
    }
}
