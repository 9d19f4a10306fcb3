//! How well a push is doing, and why: what it sends against what it promised, and against itself a minute ago.

use cause::health::{self, Grade as Level, SETTLING_MS};
use live::{LivePush, Second};

use crate::console::frame::Frame;
use crate::console::show::grouped;

/// Seconds that a rate is taken over; one alone is no rate, since frames come in bursts.
const OVER: usize = 5;
/// A grade with its reasons.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::console) struct Grade {
    /// `good`, `fair`, `poor`: the style's name.
    pub level: &'static str,
    pub mark: &'static str,
    pub text: String,
    /// Empty for a push that does well.
    pub reasons: String,
}

/// What can be wrong, worst first.
enum Reason {
    Poor(String),
    Fair(String),
}

impl Reason {
    /// The reason of a level that is not well.
    fn of(level: Level, text: impl FnOnce() -> String) -> Option<Self> {
        match level {
            Level::Poor => Some(Self::Poor(text())),
            Level::Fair => Some(Self::Fair(text())),
            Level::Good | Level::Unknown => None,
        }
    }
}

impl Grade {
    /// The grade of a push that has been live for so long, ms.
    pub fn of(push: &LivePush, lived_ms: u64, f: &Frame) -> Self {
        let state = &push.state;
        let mut reasons = Vec::new();
        if lived_ms >= SETTLING_MS {
            let seconds = push.trend.seconds();
            let (kbps, fps) = (recent(&seconds, |s| s.kbps), recent(&seconds, |s| s.fps));
            let has_video = state.video_codec.is_some();
            if state.kbps == 0 {
                reasons.push(Reason::Poor(f.t("grade-silent")));
            } else if has_video && state.fps == 0 {
                reasons.push(Reason::Poor(f.t("grade-no-video")));
            } else {
                reasons.extend(frame_rate(fps, state.declared.fps, has_video, f));
                // An encoder that promises no rate is measured by its own median of the minute.
                let usual = median(&seconds).filter(|_| seconds.len() >= 4 * OVER);
                let expected = state.declared.kbps.map(f64::from).filter(|rate| *rate > 64.0).or(usual);
                reasons.extend(expected.and_then(|expected| bitrate(kbps, expected, f)));
            }
            reasons
                .extend(Reason::of(health::lag(state.lag_ms), || f.tn("grade-lag", grouped_i(state.lag_ms))));
        }
        Self::because(reasons, f)
    }

    fn because(reasons: Vec<Reason>, f: &Frame) -> Self {
        let (mut poor, mut fair) = (Vec::new(), Vec::new());
        for reason in reasons {
            match reason {
                Reason::Poor(text) => poor.push(text),
                Reason::Fair(text) => fair.push(text),
            }
        }
        let (level, mark, text) = match (poor.is_empty(), fair.is_empty()) {
            (false, _) => ("poor", "▼", f.t("grade-poor")),
            (true, false) => ("fair", "◐", f.t("grade-fair")),
            (true, true) => ("good", "●", f.t("grade-good")),
        };
        poor.extend(fair);
        Self { level, mark, text, reasons: poor.join(" · ") }
    }
}

fn grouped_i(number: i32) -> String {
    grouped(u64::from(number.unsigned_abs()))
}

/// The mean of the last seconds.
fn recent(seconds: &[Second], value: fn(&Second) -> u32) -> f64 {
    let last = seconds.get(seconds.len().saturating_sub(OVER)..).unwrap_or_default();
    last.iter().map(|second| f64::from(value(second))).sum::<f64>() / last.len().max(1) as f64
}

fn median(seconds: &[Second]) -> Option<f64> {
    let mut rates: Vec<u32> = seconds.iter().map(|second| second.kbps).collect();
    rates.sort_unstable();
    rates.get(rates.len() / 2).map(|rate| f64::from(*rate))
}

fn frame_rate(actual: f64, declared: Option<f32>, has_video: bool, f: &Frame) -> Option<Reason> {
    let expected = declared.map(f64::from);
    Reason::of(health::frame_rate(actual, expected), || match expected {
        None => f.tn("grade-fps", format!("{actual:.0}")),
        Some(expected) => {
            let values = [("n", format!("{actual:.0}")), ("expected", format!("{expected:.0}"))];
            f.words().with("grade-fps-of", &values)
        }
    })
    .filter(|_| has_video)
}

fn bitrate(actual: f64, expected: f64, f: &Frame) -> Option<Reason> {
    let round = |rate: f64| grouped(rate.round() as u64);
    let values = [("n", round(actual)), ("expected", round(expected))];
    Reason::of(health::bitrate(actual, expected), || f.words().with("grade-kbps-of", &values))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cause::Lang;
    use live::{Declared, PushState, Trend};
    use model::{Clock, SystemClock, Timestamp};

    use super::*;

    fn push(declared: Declared, seconds: &[(u32, u32)], lag_ms: i32) -> LivePush {
        let trend = Trend::default();
        for (kbps, fps) in seconds {
            trend.push(Second { kbps: *kbps, fps: *fps, lag_ms });
        }
        let (kbps, fps) = seconds.last().copied().unwrap_or_default();
        let id = SystemClock.push_id();
        LivePush {
            node: String::new(),
            id,
            sequence: id.sequence(),
            account: 1,
            domain: "d.example".into(),
            app: "live".into(),
            stream: "s".into(),
            protocol: "rtmp",
            client_ip: "192.0.2.1".parse().unwrap(),
            client_port: 1,
            published_at: Timestamp(0),
            role: "live",
            state: PushState {
                kbps,
                fps,
                lag_ms,
                declared,
                video_codec: Some("h264".into()),
                ..PushState::default()
            },
            played: live::feed::Cached::default(),
            trend: Arc::new(trend),
        }
    }

    fn grade(push: &LivePush) -> (&'static str, String) {
        let grade = Grade::of(push, 60_000, &Frame::bare(Lang::En));
        (grade.level, grade.reasons)
    }

    #[test]
    fn a_push_that_sends_what_it_promised_does_well() {
        let declared = Declared { fps: Some(30.0), kbps: Some(2_500.0) };
        assert_eq!(grade(&push(declared, &[(2_400, 30); 30], 40)), ("good", String::new()));
        // A burst after a gap is no fault.
        let uneven: Vec<(u32, u32)> =
            (0..30).map(|n| if n % 2 == 0 { (4_000, 50) } else { (900, 10) }).collect();
        assert_eq!(grade(&push(declared, &uneven, 0)).0, "good");
    }

    #[test]
    fn frames_are_held_against_what_the_encoder_promised() {
        let declared = Declared { fps: Some(60.0), kbps: None };
        assert_eq!(
            grade(&push(declared, &[(2_000, 40); 30], 0)),
            ("fair", "40 of 60 frames a second".into())
        );
        assert_eq!(grade(&push(declared, &[(2_000, 20); 30], 0)).0, "poor");
        assert_eq!(grade(&push(Declared::default(), &[(2_000, 24); 30], 0)).0, "good");
        assert_eq!(grade(&push(Declared::default(), &[(2_000, 12); 30], 0)).0, "fair");
    }

    #[test]
    fn a_bitrate_is_held_against_the_promise_or_the_minute_before() {
        let declared = Declared { fps: None, kbps: Some(4_000.0) };
        let (level, reasons) = grade(&push(declared, &[(1_200, 30); 30], 0));
        assert_eq!((level, reasons.as_str()), ("fair", "1,200 of 4,000 kbit/s"));
        let mut fell = [(3_000, 30); 40];
        fell[35..].fill((600, 30));
        assert_eq!(grade(&push(Declared::default(), &fell, 0)).1, "600 of 3,000 kbit/s");
    }

    #[test]
    fn silence_lag_and_missing_pictures_are_poor() {
        assert_eq!(grade(&push(Declared::default(), &[(0, 0); 9], 0)).0, "poor");
        assert_eq!(grade(&push(Declared::default(), &[(300, 0); 9], 0)).1, "no picture arrives");
        assert_eq!(
            grade(&push(Declared::default(), &[(900, 30); 9], 2_500)),
            ("poor", "2,500 ms behind real time".into())
        );
        assert_eq!(grade(&push(Declared::default(), &[(900, 30); 9], 600)).0, "fair");
    }
}
