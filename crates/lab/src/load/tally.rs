//! What happened, and how it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::delays::Delays;
use super::server_use::ServerUse;

/// Kinds of errors that are told apart; the rest are one.
const KINDS_AT_MOST: usize = 64;

/// Counts while the load is measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Only what happens in the window counts for bytes and delays.
    pub(super) measuring: bool,
    pub(super) sent_bytes: u64,
    pub(super) sent_messages: u64,
    pub(super) held_back: u64,
    pub(super) late_us: u64,
    pub(super) delivered_bytes: u64,
    pub(super) delivered_frames: u64,
    pub(super) skipped: u64,
    pub(super) misdelivered: u64,
    pub(super) delays: Delays,
    pub(super) publish: Delays,
    pub(super) play: Delays,
    pub(super) refusals: u64,
    pub(super) lost: u64,
    pub(super) left: u64,
    pub(super) reconnects: u64,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    /// An error, by its kind.
    pub(super) fn error(&mut self, kind: String) {
        let full = self.errors.len() >= KINDS_AT_MOST && !self.errors.contains_key(&kind);
        let kind = if full { "others".to_owned() } else { kind };
        *self.errors.entry(kind).or_default() += 1;
    }
}

/// What a load brought: one JSON object.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Length of the window, seconds.
    pub seconds: f64,
    /// Publishers that were live at its end.
    pub publishers: usize,
    /// Players that played at its end.
    pub players: usize,
    /// What publishers sent in the window.
    pub sent_bytes: u64,
    /// Messages of it.
    pub sent_messages: u64,
    /// Messages that publishers left out because the server did not read.
    pub held_back: u64,
    /// How late the latest message left, ms: above some tens of ms the load itself was the bottleneck.
    pub late_ms: f64,
    /// What players received in the window.
    pub delivered_bytes: u64,
    /// Audio and video messages of it.
    pub delivered_frames: u64,
    /// Pictures that players missed between two that they got.
    pub skipped: u64,
    /// Pictures of a stream that the player had not asked for.
    pub misdelivered: u64,
    /// From a publisher's write to a player's read of the last byte.
    pub delay_ms: Percentiles,
    /// From `connect()` to `Publish.Start`, whenever it was.
    pub publish_ms: Percentiles,
    /// From `connect()` to the first picture, whenever it was.
    pub play_ms: Percentiles,
    /// Pushes and plays that the server refused, whenever it was.
    pub refusals: u64,
    /// Connections that were lost without having been asked to leave.
    pub lost: u64,
    /// Connections that left because of churn.
    pub left: u64,
    /// Connections made again after they were lost, refused or left.
    pub reconnects: u64,
    /// Refusals and losses by kind.
    pub errors: BTreeMap<String, u64>,
    /// What the server used; null where it is not known which process that is.
    pub server: Option<ServerUse>,
}

/// A distribution, ms. Null where there is nothing.
#[derive(Clone, Debug, Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Half stay below.
    pub p50: Option<f64>,
    /// Nine of ten stay below.
    pub p90: Option<f64>,
    /// 99 of 100 stay below.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Percentiles {
    fn of(delays: &Delays) -> Self {
        Self {
            count: delays.count(),
            p50: delays.quantile_ms(0.5),
            p90: delays.quantile_ms(0.9),
            p99: delays.quantile_ms(0.99),
            max: delays.max_ms(),
        }
    }
}

impl Report {
    pub(super) fn new(tally: &Tally, window: Duration, publishers: usize, players: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "lateness stays far below 2^52 microseconds")]
        let late_ms = tally.late_us as f64 / 1000.0;
        Self {
            seconds: window.as_secs_f64(),
            publishers,
            players,
            sent_bytes: tally.sent_bytes,
            sent_messages: tally.sent_messages,
            held_back: tally.held_back,
            late_ms,
            delivered_bytes: tally.delivered_bytes,
            delivered_frames: tally.delivered_frames,
            skipped: tally.skipped,
            misdelivered: tally.misdelivered,
            delay_ms: Percentiles::of(&tally.delays),
            publish_ms: Percentiles::of(&tally.publish),
            play_ms: Percentiles::of(&tally.play),
            refusals: tally.refusals,
            lost: tally.lost,
            left: tally.left,
            reconnects: tally.reconnects,
            errors: tally.errors.clone(),
            server: None,
        }
    }

    /// The object on one line.
    pub fn to_json(&self) -> String {
        // Numbers and texts cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_errors_are_bounded() {
        let mut tally = Tally::default();
        (0..200).for_each(|n| tally.error(format!("kind {n}")));
        assert_eq!(tally.errors.len(), KINDS_AT_MOST + 1);
        assert_eq!(tally.errors.values().sum::<u64>(), 200);
    }
}
