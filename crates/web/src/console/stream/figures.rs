//! How often a stream is interrupted.

use model::Record;

use super::strip::Window;
use crate::console::frame::Frame;
use crate::console::show::{duration, grouped};
use crate::incidents::is_unexpected;

/// A stream's record over a window of time, in numbers.
pub(super) struct Figures {
    /// How long it was live, and that as a share of the window.
    pub live: String,
    pub share: String,
    pub pushes: String,
    /// Ends that nobody meant, of pushes that were live.
    pub interruptions: String,
    /// The mean time live between them; empty where there were none.
    pub between: String,
    /// Attempts that were refused or never went live.
    pub refused: String,
}

impl Figures {
    /// Counts; records are those that ended within the window.
    pub fn of(records: &[Record], window: &Window, f: &Frame) -> Self {
        let spans = window.live_spans(records);
        let live: i64 = spans.iter().map(|(from, to)| to - from).sum();
        let live = u64::try_from(live).unwrap_or(0);
        let was_live = |record: &&Record| record.published_at.is_some();
        let interruptions =
            records.iter().filter(was_live).filter(|record| is_unexpected(record)).count() as u64;
        let refused = records.iter().filter(|record| record.published_at.is_none()).map(|r| r.attempts).sum();
        let pushes = records.iter().filter(was_live).count() + usize::from(window.live_since.is_some());
        let whole = u64::try_from(window.until.millis() - window.since.millis()).unwrap_or(0).max(1);
        Self {
            live: duration(f.words(), live),
            share: share(live, whole),
            pushes: grouped(pushes as u64),
            interruptions: grouped(interruptions),
            between: live.checked_div(interruptions).map(|ms| duration(f.words(), ms)).unwrap_or_default(),
            refused: grouped(refused),
        }
    }
}

/// Per cent, without decimals; what is there at all is not told as nothing.
fn share(part: u64, whole: u64) -> String {
    match part as f64 * 100.0 / whole as f64 {
        share if part > 0 && share < 1.0 => "<1".to_owned(),
        share => format!("{share:.0}"),
    }
}
