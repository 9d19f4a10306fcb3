//! Whether the client's uplink had collapsed.
//!
//! *Collapse* = the drift grew by more than 1 s in the last 10 s, and the network shows why: messages trickle in, or
//! segments out of order, or video gone while audio flows; `rcv_rtt` above three times its own baseline goes with the first. A fall of
//! bitrate or frame rate alone is never one: an overloaded encoder looks like that, with a calm network. What tells the
//! two apart on any path is how a message arrives: an encoder hands it over whole, and only a path that is full makes its
//! rest wait.

use crate::detail::{Detail, DetailKey};
use crate::timeline::Sample;

/// The time before the end that is looked at.
const WINDOW_S: u32 = 10;
/// More drift than this within the window.
const DRIFT_MS: i64 = 1000;
/// Times the baseline.
const RTT_FACTOR: u64 = 3;
/// On a LAN the baseline lies below the noise of measuring, so the rise must also be as large as this.
const RTT_RISE_US: u64 = 50_000;
/// Seconds of the window in which a network sign must show; one alone is noise.
const SECONDS: usize = 2;
/// Out-of-order segments within the window; a few happen on every path.
const OUT_OF_ORDER: u64 = 10;
/// A longer pause between frames is not taken off: on a starved path frames are rare because of the path.
const LONGEST_PAUSE_US: u64 = 150_000;
/// Share of the time in which messages are awaited in part that makes a path a full one.
const TRICKLE_PERCENT: u64 = 50;
/// In its first seconds a push falls behind on any long path, because TCP only begins to open its window: on a round trip
/// of a second, 400 kbit/s take three. What it lost then is no sign of a collapse.
const SLOW_START_SECONDS: usize = 3;
/// Seconds before the window that make a baseline.
const BASELINE_SECONDS: usize = 5;

/// What the last seconds of the timeline show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uplink {
    /// Length of the window, ms.
    pub(super) window_ms: u64,
    /// Growth of the drift in the window, ms; negative when the push caught up.
    pub(super) drift_ms: i64,
    /// Median `rcv_rtt` of the window's last half, µs, and its baseline; only where both are known.
    pub(super) rtt: Option<Rtt>,
    /// Segments that arrived out of order in the window, if above the usual.
    pub(super) out_of_order: Option<u64>,
    /// Share of the window's last half in which a message was awaited in part, percent, if it is most of the time.
    pub(super) trickle_percent: Option<u64>,
    /// For how long video was gone while audio flowed, ms.
    pub(super) video_gone_ms: Option<u64>,
    /// Video frames a second in the window.
    pub(super) fps: u64,
}

/// The receive round-trip time against its own past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rtt {
    now_us: u64,
    baseline_us: u64,
    pub(super) risen: bool,
}

impl Rtt {
    pub(super) fn now_ms(self) -> u64 {
        self.now_us.saturating_add(500) / 1000
    }

    pub(super) fn baseline_ms(self) -> u64 {
        self.baseline_us.saturating_add(500) / 1000
    }
}

impl Uplink {
    /// Reads the last ten seconds in which bytes arrived. Seconds without any, at the end, are silence: what the probe
    /// found out in them tells more, and the drift that they add is no collapse.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let (samples, _silence) = samples.split_at_checked(samples.iter().rposition(|s| s.bytes > 0)? + 1)?;
        let end_s = samples.last()?.at_s;
        let start = samples.partition_point(|s| s.at_s <= end_s.saturating_sub(WINDOW_S));
        let (before, window) = samples.split_at_checked(start)?;
        let first = if before.len() < SLOW_START_SECONDS {
            samples.get(SLOW_START_SECONDS).or(samples.last())?
        } else {
            before.last()?
        };
        let last = window.last()?;
        let seconds = u64::from(window.iter().map(|s| s.span_s).fold(0, u32::saturating_add));
        let video_gone_ms = video_gone(before, window);
        // Once an encoder drops its video, the audio catches up: then the drift at its peak counts.
        let reached = match video_gone_ms {
            Some(_) => window.iter().map(|s| s.lag_ms).max().unwrap_or(last.lag_ms),
            None => last.lag_ms,
        };
        Some(Self {
            window_ms: seconds.saturating_mul(1000),
            drift_ms: i64::from(reached) - i64::from(first.lag_ms),
            rtt: rtt(before, window),
            out_of_order: out_of_order(before, window),
            trickle_percent: trickle(window),
            video_gone_ms,
            fps: window.iter().map(|s| u64::from(s.video)).sum::<u64>() / seconds.max(1),
        })
    }

    pub(super) fn fell_behind(&self) -> bool {
        self.drift_ms > DRIFT_MS
    }

    /// A network sign that explains why a push falls behind.
    pub(super) fn network_sign(&self) -> bool {
        self.trickle_percent.is_some()
            || self.rtt.is_some_and(|rtt| rtt.risen)
            || self.out_of_order.is_some()
            || self.video_gone_ms.is_some()
    }

    pub(super) fn has_collapsed(&self) -> bool {
        self.fell_behind() && self.network_sign()
    }

    pub(super) fn detail(&self) -> Detail {
        let risen = self.rtt.filter(|rtt| rtt.risen);
        Detail::new(DetailKey::Collapse)
            .with("drift_ms", self.drift_ms)
            .with("window_ms", self.window_ms)
            .with_some("rcv_rtt_ms", risen.map(|rtt| rtt.now_ms()))
            .with_some("baseline_ms", risen.map(|rtt| rtt.baseline_ms()))
            .with_some("trickle_percent", self.trickle_percent)
            .with_some("segments", self.out_of_order)
            .with_some("video_gone_ms", self.video_gone_ms)
    }
}

/// Against the push's own past alone: the baseline is the lower quartile of the seconds before the window, so that a long
/// congestion does not become its own measure. A rise counts only on a path that is full besides, because the kernel's
/// figure follows the bitrate of a sender that pauses by itself, on any path.
fn rtt(before: &[Sample], window: &[Sample]) -> Option<Rtt> {
    let past = known(before).collect::<Vec<_>>();
    if past.len() < BASELINE_SECONDS {
        return None;
    }
    let baseline_us = at(past.iter().map(|s| raw(s)), 4)?;
    let calm_us = at(past.iter().map(|s| on_the_path(s)), 4)?;
    let late = known(window.get(window.len() / 2..)?).collect::<Vec<_>>();
    let now_us = at(late.iter().map(|s| raw(s)), 2)?;
    let late_us = at(late.iter().map(|s| on_the_path(s)), 2)?;
    let is_high = |us: u64| us > calm_us.saturating_mul(RTT_FACTOR) && us - calm_us >= RTT_RISE_US;
    let high = known(window).filter(|s| is_high(on_the_path(s))).count();
    Some(Rtt { now_us, baseline_us, risen: high >= SECONDS && is_high(late_us) && trickle(window).is_some() })
}

/// The value above one `part`-th of all.
fn at(values: impl Iterator<Item = u64>, part: usize) -> Option<u64> {
    let mut values = values.collect::<Vec<_>>();
    values.sort_unstable();
    values.get(values.len() / part).copied()
}

/// The samples for which the kernel had a value.
fn known(samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    samples.iter().filter(|s| s.rcv_rtt_us > 0)
}

fn raw(sample: &Sample) -> u64 {
    u64::from(sample.rcv_rtt_us)
}

/// `rcv_rtt` less the sender's own pause. The kernel measures it from an acknowledgement of ours to the data that echoes
/// it, so that an encoder which sends a frame every 77 ms shows 77 ms over any path, and an overloaded one more.
fn on_the_path(sample: &Sample) -> u64 {
    let frames = u64::from(if sample.video > 0 { sample.video } else { sample.audio }).max(1);
    let pause = u64::from(sample.span_s).saturating_mul(1_000_000) / frames;
    raw(sample).saturating_sub(pause.min(LONGEST_PAUSE_US))
}

/// Most of the time: on a path with room the rest of a message comes at once, whatever its size.
fn trickle(window: &[Sample]) -> Option<u64> {
    let late = window.get(window.len() / 2..)?;
    let (part, whole) = late.iter().fold((0u64, 0u64), |(part, whole), s| {
        (part + u64::from(s.trickle_ms), whole + u64::from(s.span_s) * 1000)
    });
    let percent = part * 100 / whole.max(1);
    (late.len() >= SECONDS && percent >= TRICKLE_PERCENT).then_some(percent)
}

/// Rising means above the rate of the time before, in more than one second.
fn out_of_order(before: &[Sample], window: &[Sample]) -> Option<u64> {
    let sum = |samples: &[Sample]| samples.iter().map(|s| u64::from(s.ooo)).sum::<u64>();
    let span = |samples: &[Sample]| samples.iter().map(|s| u64::from(s.span_s)).sum::<u64>().max(1);
    let now = sum(window);
    let in_seconds = window.iter().filter(|s| s.ooo > 0).count();
    let usual = sum(before) * span(window) / span(before);
    (in_seconds >= SECONDS && now >= OUT_OF_ORDER && now > usual.saturating_mul(2)).then_some(now)
}

/// For how long the window ends with audio alone, where there had been video.
fn video_gone(before: &[Sample], window: &[Sample]) -> Option<u64> {
    let gone: Vec<_> = window.iter().rev().take_while(|s| s.video == 0 && s.audio > 0).collect();
    let had_video = before.iter().chain(window).any(|s| s.video > 0);
    let seconds: u64 = gone.iter().map(|s| u64::from(s.span_s)).sum();
    (had_video && gone.len() >= SECONDS).then(|| seconds.saturating_mul(1000))
}
