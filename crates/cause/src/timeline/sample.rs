//! One sample, as it is given and read, and as it is kept.

use serde::{Deserialize, Serialize};

use super::float::{f8, f16, i16f};

/// What was seen of a push in one span of time, as a rule one second.
///
/// Kept in 15 bytes: counts and times are exact while small and rounded above (`bytes` and `video` within 0.03 %,
/// `lag_ms` likewise, the others within 3.2 %).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds from connecting to the end of the span.
    pub at_s: u32,
    /// Length of the span, seconds.
    pub span_s: u32,
    /// Bytes received.
    pub bytes: u64,
    /// Video frames received.
    pub video: u32,
    /// Audio frames received.
    pub audio: u32,
    /// Video key frames received.
    pub keys: u32,
    /// Drift at the end of the span, ms: wall-clock time less media time since going live; it grows while the push
    /// falls behind.
    pub lag_ms: i32,
    /// `tcpi_rcv_rtt`, µs (kept in steps of 0.1 ms); 0 when the kernel has none yet.
    pub rcv_rtt_us: u32,
    /// `tcpi_rtt`, µs (kept in steps of 0.1 ms), or the round-trip time that a datagram transport measures; only in spans in which data of ours was acknowledged.
    pub rtt_us: Option<u32>,
    /// Growth of `tcpi_rcv_ooopack`: segments that arrived out of order. Over datagrams: packets found missing.
    pub ooo: u32,
    /// Growth of `tcpi_total_retrans`: segments of ours that were sent again. Over datagrams: packets of the client's
    /// that were sent again.
    pub retrans: u32,
    /// Time in which a message had arrived in part and its rest was awaited, ms (kept in 250ths of the span). An encoder
    /// hands a frame to its system whole, so this is the path taking its time.
    pub trickle_ms: u32,
    /// The window that we offered was 0 at the end of the span: we did not read.
    pub wnd_closed: bool,
}

/// A sample in 15 bytes, without its place in time, which follows from the spans. Its wider numbers are little-endian
/// bytes, so that it needs no padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    /// `wnd_closed` in the highest bit, then whether the rest counts minutes instead of seconds.
    span: [u8; 2],
    bytes: [u8; 2],
    video: [u8; 2],
    lag: [u8; 2],
    audio: u8,
    keys: u8,
    rcv_rtt: u8,
    rtt: u8,
    ooo: u8,
    retrans: u8,
    /// 250ths of the span.
    trickle: u8,
}

/// Bytes of a [`Packed`] sample, in memory and on disk.
pub(super) const PACKED_LEN: usize = 15;
/// The longest span of one sample: 11 days.
pub(super) const MAX_SPAN_S: u32 = SPAN_MAX as u32 * 60;

const WND_CLOSED: u16 = 0x8000;
const IN_MINUTES: u16 = 0x4000;
const SPAN_MAX: u16 = 0x3FFF;
const RTT_STEP_US: u32 = 100;

impl Packed {
    pub(super) fn new(sample: &Sample) -> Self {
        let flag = if sample.wnd_closed { WND_CLOSED } else { 0 };
        Self {
            span: (pack_span(sample.span_s) | flag).to_le_bytes(),
            bytes: f16::pack(sample.bytes).to_le_bytes(),
            video: f16::pack(u64::from(sample.video)).to_le_bytes(),
            lag: i16f::pack(i64::from(sample.lag_ms)).to_le_bytes(),
            audio: f8::pack(u64::from(sample.audio)),
            keys: f8::pack(u64::from(sample.keys)),
            rcv_rtt: if sample.rcv_rtt_us == 0 { 0 } else { pack_rtt(sample.rcv_rtt_us) },
            rtt: sample.rtt_us.map_or(0, pack_rtt),
            ooo: f8::pack(u64::from(sample.ooo)),
            retrans: f8::pack(u64::from(sample.retrans)),
            trickle: pack_share(sample.trickle_ms, sample.span_s),
        }
    }

    pub(super) fn span_s(self) -> u32 {
        let span = u16::from_le_bytes(self.span);
        let unit = if span & IN_MINUTES == 0 { 1 } else { 60 };
        u32::from(span & SPAN_MAX) * unit
    }

    pub(super) fn sample(self, at_s: u32) -> Sample {
        Sample {
            at_s,
            span_s: self.span_s(),
            bytes: f16::unpack(u16::from_le_bytes(self.bytes)),
            video: u32::try_from(f16::unpack(u16::from_le_bytes(self.video))).unwrap_or(u32::MAX),
            audio: f8::unpack(self.audio),
            keys: f8::unpack(self.keys),
            lag_ms: i16f::unpack(u16::from_le_bytes(self.lag)),
            rcv_rtt_us: unpack_rtt(self.rcv_rtt),
            rtt_us: (self.rtt != 0).then(|| unpack_rtt(self.rtt)),
            ooo: f8::unpack(self.ooo),
            retrans: f8::unpack(self.retrans),
            trickle_ms: u32::from(self.trickle).saturating_mul(self.span_s()).saturating_mul(4),
            wnd_closed: u16::from_le_bytes(self.span) & WND_CLOSED != 0,
        }
    }

    pub(super) fn to_bytes(self) -> [u8; PACKED_LEN] {
        let [a, b] = self.span;
        let [c, d] = self.bytes;
        let [e, f] = self.video;
        let [g, h] = self.lag;
        [
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            self.audio,
            self.keys,
            self.rcv_rtt,
            self.rtt,
            self.ooo,
            self.retrans,
            self.trickle,
        ]
    }

    pub(super) fn from_bytes(bytes: [u8; PACKED_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, audio, keys, rcv_rtt, rtt, ooo, retrans, trickle] = bytes;
        Self {
            span: [a, b],
            bytes: [c, d],
            video: [e, f],
            lag: [g, h],
            audio,
            keys,
            rcv_rtt,
            rtt,
            ooo,
            retrans,
            trickle,
        }
    }
}

/// A part of a span in 250ths of it, which are 4 ms of a second.
fn pack_share(part_ms: u32, span_s: u32) -> u8 {
    let share = u64::from(part_ms) / 4 / u64::from(span_s.max(1));
    u8::try_from(share.min(250)).unwrap_or(250)
}

fn pack_span(seconds: u32) -> u16 {
    match u16::try_from(seconds) {
        Ok(seconds) if seconds <= SPAN_MAX => seconds,
        _ => u16::try_from(seconds.saturating_add(30) / 60).unwrap_or(SPAN_MAX).min(SPAN_MAX) | IN_MINUTES,
    }
}

/// At least 1, since 0 stands for "none".
fn pack_rtt(us: u32) -> u8 {
    f8::pack(u64::from(us.saturating_add(RTT_STEP_US / 2) / RTT_STEP_US)).max(1)
}

fn unpack_rtt(code: u8) -> u32 {
    f8::unpack(code).saturating_mul(RTT_STEP_US)
}

/// Several samples in a row becoming one, summed exactly until it is packed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    span_s: u32,
    bytes: u64,
    video: u64,
    audio: u64,
    keys: u64,
    lag_ms: i32,
    rcv_rtt: Mean,
    rtt: Mean,
    ooo: u64,
    retrans: u64,
    trickle_ms: u32,
    wnd_closed: bool,
}

/// A mean weighted by seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: u64,
    seconds: u64,
}

impl Mean {
    fn add(&mut self, value: u32, seconds: u32) {
        let seconds = u64::from(seconds.max(1));
        self.sum = self.sum.saturating_add(u64::from(value).saturating_mul(seconds));
        self.seconds = self.seconds.saturating_add(seconds);
    }

    fn value(self) -> Option<u32> {
        self.sum.checked_div(self.seconds).map(|v| u32::try_from(v).unwrap_or(u32::MAX))
    }
}

impl Sum {
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut sum = Self::default();
        for sample in samples {
            sum.add(sample);
        }
        sum
    }

    pub(super) fn span_s(&self) -> u32 {
        self.span_s
    }

    /// Adds the sample that follows. Counts add up, the round-trip times become means, the lag is the last one.
    pub(super) fn add(&mut self, next: &Sample) {
        self.span_s = self.span_s.saturating_add(next.span_s);
        self.bytes = self.bytes.saturating_add(next.bytes);
        self.video = self.video.saturating_add(u64::from(next.video));
        self.audio = self.audio.saturating_add(u64::from(next.audio));
        self.keys = self.keys.saturating_add(u64::from(next.keys));
        self.lag_ms = next.lag_ms;
        if next.rcv_rtt_us > 0 {
            self.rcv_rtt.add(next.rcv_rtt_us, next.span_s);
        }
        if let Some(rtt) = next.rtt_us {
            self.rtt.add(rtt, next.span_s);
        }
        self.ooo = self.ooo.saturating_add(u64::from(next.ooo));
        self.retrans = self.retrans.saturating_add(u64::from(next.retrans));
        self.trickle_ms = self.trickle_ms.saturating_add(next.trickle_ms);
        self.wnd_closed |= next.wnd_closed;
    }

    pub(super) fn sample(&self, at_s: u32) -> Sample {
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Sample {
            at_s,
            span_s: self.span_s.min(MAX_SPAN_S),
            bytes: self.bytes,
            video: count(self.video),
            audio: count(self.audio),
            keys: count(self.keys),
            lag_ms: self.lag_ms,
            rcv_rtt_us: self.rcv_rtt.value().unwrap_or(0),
            rtt_us: self.rtt.value(),
            ooo: count(self.ooo),
            retrans: count(self.retrans),
            trickle_ms: self.trickle_ms,
            wnd_closed: self.wnd_closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_an_ordinary_push_is_kept_exactly_where_it_is_charted() {
        let sample = Sample {
            at_s: 12,
            span_s: 1,
            bytes: 3_001,
            video: 30,
            audio: 31,
            keys: 1,
            lag_ms: -40,
            rcv_rtt_us: 3_000,
            rtt_us: Some(100),
            ooo: 2,
            retrans: 0,
            trickle_ms: 900,
            wnd_closed: true,
        };
        assert_eq!(Packed::new(&sample).sample(12), sample);
        let bytes = Packed::new(&sample).to_bytes();
        assert_eq!(Packed::from_bytes(bytes).sample(12), sample);
    }

    #[test]
    fn a_round_trip_time_below_the_step_is_not_taken_for_none() {
        let sample = Sample { rtt_us: Some(3), rcv_rtt_us: 3, ..Sample::default() };
        let kept = Packed::new(&sample).sample(0);
        assert_eq!((kept.rtt_us, kept.rcv_rtt_us), (Some(100), 100));
        let none = Packed::new(&Sample::default()).sample(0);
        assert_eq!((none.rtt_us, none.rcv_rtt_us), (None, 0));
    }

    #[test]
    fn long_spans_are_kept_to_the_minute() {
        let kept = |span_s| Packed::new(&Sample { span_s, ..Sample::default() }).span_s();
        assert_eq!((kept(1), kept(16_383)), (1, 16_383));
        assert_eq!(kept(655_360), 655_380);
        assert_eq!(kept(u32::MAX), MAX_SPAN_S);
    }

    #[test]
    fn a_packed_sample_has_the_size_it_says() {
        assert_eq!(size_of::<Packed>(), PACKED_LEN);
    }
}
