//! Pushes of a stream along a day or a week, and the gaps between them.

use cause::{Cause, Side};
use model::{Record, Timestamp};

use crate::console::frame::Frame;
use crate::console::show::{Chip, When, duration};

/// Segments that are drawn at most; a stream that flaps more is drawn by its newest ones.
const SEGMENTS: usize = 300;
/// Gaps that are named, longest first.
const GAPS: usize = 5;
/// Shorter gaps are not worth naming, ms.
const GAP: i64 = 1_000;
/// What is there at all can be seen, per cent of the width.
const LEAST: f64 = 0.25;

/// The time that the page looks at.
pub(super) struct Window {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Since when the stream is live; `None` while it is not.
    pub live_since: Option<Timestamp>,
}

/// What is drawn.
pub(super) struct Strip {
    pub segments: Vec<Segment>,
    pub ticks: Vec<Tick>,
    pub gaps: Vec<Gap>,
}

/// One push.
pub(super) struct Segment {
    pub x: String,
    pub width: String,
    /// The side that ended it, or `live`.
    pub class: &'static str,
    pub link: String,
    /// What it says to those who point at it, and to those who cannot see it.
    pub text: String,
}

pub(super) struct Tick {
    pub x: String,
    pub at: When,
}

/// A time in which viewers saw nothing, between two pushes.
pub(super) struct Gap {
    pub at: When,
    pub lasted: String,
    /// The record of the push before it.
    pub link: String,
    pub chip: Chip,
}

impl Window {
    fn share(&self, at: i64) -> f64 {
        let span = (self.until.millis() - self.since.millis()).max(1);
        ((at - self.since.millis()) as f64 / span as f64).clamp(0.0, 1.0) * 100.0
    }

    /// When the stream was live, oldest first, without overlaps; ms since the epoch.
    pub fn live_spans(&self, records: &[Record]) -> Vec<(i64, i64)> {
        let mut spans: Vec<(i64, i64)> = records
            .iter()
            .filter_map(|record| Some((record.published_at?.millis(), record.ended_at.millis())))
            .chain(self.live_since.map(|at| (at.millis(), self.until.millis())))
            .map(|(from, to)| (from.max(self.since.millis()), to.min(self.until.millis())))
            .filter(|(from, to)| from < to)
            .collect();
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (from, to) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        joined
    }
}

impl Strip {
    /// Draws the records that ended within the window, newest first, and what is live.
    pub fn of(records: &[Record], window: &Window, f: &Frame) -> Self {
        let mut segments: Vec<Segment> = records
            .iter()
            .filter(|record| record.published_at.is_some())
            .take(SEGMENTS)
            .map(|record| segment(record, window, f))
            .collect();
        segments.reverse();
        if let Some(since) = window.live_since {
            let (x, end) = (window.share(since.millis()), 100.0);
            segments.push(Segment {
                x: format!("{x:.2}%"),
                width: format!("{:.2}%", f64::max(end - x, LEAST)),
                class: "live",
                link: String::new(),
                text: f.t("strip-live"),
            });
        }
        Self { segments, ticks: ticks(window), gaps: gaps(records, window, f) }
    }
}

fn segment(record: &Record, window: &Window, f: &Frame) -> Segment {
    let start = record.published_at.unwrap_or(record.ended_at);
    let (x, end) = (window.share(start.millis()), window.share(record.ended_at.millis()));
    let side = Cause::from_code(record.code()).unwrap_or(Cause::Unknown).side();
    let chip = Chip::of(record.code(), f.lang);
    Segment {
        x: format!("{:.2}%", f64::min(x, 100.0 - LEAST)),
        width: format!("{:.2}%", f64::max(end - x, LEAST)),
        class: class(side),
        link: format!("/records/{}", record.id),
        text: format!("{}: {} {}", duration(f.words(), record.duration_ms), chip.code, chip.text),
    }
}

fn class(side: Side) -> &'static str {
    match side {
        Side::Client => "side-client",
        Side::Network => "side-network",
        Side::Server => "side-server",
        Side::Policy => "side-policy",
        Side::Operator => "side-operator",
    }
}

fn ticks(window: &Window) -> Vec<Tick> {
    let span = window.until.millis() - window.since.millis();
    // Whole hours, six or seven of them.
    let step = (span / 6 / 3_600_000).max(1) * 3_600_000;
    let mut at = (window.since.millis() / 3_600_000 + 1) * 3_600_000;
    let mut ticks = Vec::new();
    while at < window.until.millis() {
        let share = window.share(at);
        // A text in the middle of its tick must not stand out over the edge.
        if (8.0..94.0).contains(&share) {
            ticks.push(Tick { x: format!("{share:.2}%"), at: When::of(Timestamp(at)) });
        }
        at += step;
    }
    ticks
}

fn gaps(records: &[Record], window: &Window, f: &Frame) -> Vec<Gap> {
    let spans = window.live_spans(records);
    let mut gaps: Vec<(i64, i64)> = spans
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] if after.0 - before.1 >= GAP => Some((before.1, after.0)),
            _ => None,
        })
        .collect();
    gaps.sort_by_key(|(from, to)| from - to);
    let gap = |(from, to): (i64, i64)| {
        let record = records.iter().find(|r| r.published_at.is_some() && r.ended_at.millis() == from)?;
        Some(Gap {
            at: When::of(Timestamp(from)),
            lasted: duration(f.words(), u64::try_from(to - from).unwrap_or(0)),
            link: format!("/records/{}", record.id),
            chip: Chip::of(record.code(), f.lang),
        })
    };
    gaps.into_iter().filter_map(gap).take(GAPS).collect()
}

#[cfg(test)]
mod tests {
    use cause::Lang;

    use super::super::figures::Figures;
    use super::*;
    use crate::incidents::tests::record;

    const NOW: i64 = 1_795_383_346_000;
    const HOUR: i64 = 3_600_000;

    fn lived(code: (u16, u16), from: i64, to: i64) -> Record {
        let published_at = Some(Timestamp(NOW + from));
        Record {
            published_at,
            duration_ms: (to - from).unsigned_abs(),
            ..record("s", "192.0.2.1", code, NOW + to)
        }
    }

    fn window(live_since: Option<i64>) -> Window {
        Window {
            since: Timestamp(NOW - 24 * HOUR),
            until: Timestamp(NOW),
            live_since: live_since.map(|at| Timestamp(NOW + at)),
        }
    }

    #[test]
    fn pushes_stand_where_they_were_and_gaps_are_named_longest_first() {
        let records = [
            lived((1, 0), -6 * HOUR, -4 * HOUR),
            lived((12, 0), -12 * HOUR, -9 * HOUR),
            lived((4, 0), -30 * HOUR, -12 * HOUR - 60_000),
        ];
        let strip = Strip::of(&records, &window(Some(-2 * HOUR)), &Frame::bare(Lang::En));
        let drawn: Vec<_> =
            strip.segments.iter().map(|s| (s.class, s.x.as_str(), s.width.as_str())).collect();
        assert_eq!(drawn[0], ("side-client", "0.00%", "49.93%"), "what began before is cut");
        assert_eq!(drawn[1], ("side-network", "50.00%", "12.50%"));
        assert_eq!(drawn[3], ("live", "91.67%", "8.33%"));
        let gaps: Vec<_> =
            strip.gaps.iter().map(|gap| (gap.lasted.as_str(), gap.chip.code.as_str())).collect();
        assert_eq!(gaps, [("3 h 0 min", "12/0"), ("2 h 0 min", "1/0"), ("1 min 0 s", "4/0")]);
    }

    #[test]
    fn a_takeover_leaves_no_gap_and_counts_its_time_once() {
        let records = [lived((1, 0), -2 * HOUR, -HOUR), lived((21, 102), -3 * HOUR, -2 * HOUR + 500)];
        let window = window(None);
        assert!(Strip::of(&records, &window, &Frame::bare(Lang::En)).gaps.is_empty());
        assert_eq!(Figures::of(&records, &window, &Frame::bare(Lang::En)).live, "2 h 0 min");
    }

    #[test]
    fn the_mean_time_between_interruptions_counts_what_nobody_meant() {
        let refused =
            Record { published_at: None, attempts: 7, ..record("s", "192.0.2.1", (18, 503), NOW - 60_000) };
        let records = [
            refused,
            lived((3, 0), -2 * HOUR, -HOUR),
            lived((1, 0), -5 * HOUR, -3 * HOUR),
            lived((12, 0), -9 * HOUR, -6 * HOUR),
        ];
        let figures = Figures::of(&records, &window(None), &Frame::bare(Lang::En));
        assert_eq!((figures.interruptions.as_str(), figures.between.as_str()), ("2", "3 h 0 min"));
        assert_eq!(
            (figures.pushes.as_str(), figures.refused.as_str(), figures.share.as_str()),
            ("3", "7", "25")
        );
        let calm = Figures::of(&[], &window(Some(-HOUR)), &Frame::bare(Lang::En));
        assert_eq!((calm.between.as_str(), calm.live.as_str()), ("", "1 h 0 min"));
    }
}
