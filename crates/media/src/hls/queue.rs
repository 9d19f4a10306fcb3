//! Coded frames that wait for their part to be complete.

use bytes::Bytes;

use crate::cmaf::{Run, Sample};

#[derive(Debug)]
struct Waiting {
    /// Decoding time in ticks.
    time: i64,
    composition: i32,
    sync: bool,
    data: Bytes,
}

/// The frames of one track, in decoding order.
#[derive(Debug)]
pub(super) struct Queue {
    track: u32,
    timescale: i64,
    waiting: Vec<Waiting>,
    bytes: usize,
    last: Option<i64>,
    /// How long the last frame of a part plays when nothing follows that would tell.
    usual: u32,
}

impl Queue {
    pub fn new(track: u32, timescale: u32, usual: u32) -> Self {
        let timescale = i64::from(timescale.max(1));
        Self { track, timescale, waiting: Vec::new(), bytes: 0, last: None, usual: usual.max(1) }
    }

    /// Adds a frame. Decoding times have to rise: one that does not is moved to just after the frame before.
    pub fn push(&mut self, time: i64, composition: i32, sync: bool, data: Bytes) {
        let time = self.last.map_or(time, |last| time.max(last + 1));
        self.last = Some(time);
        self.bytes += data.len();
        self.waiting.push(Waiting { time, composition, sync, data });
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Decoding time of the newest frame so far, in microseconds.
    pub fn last_us(&self) -> Option<i64> {
        self.last.map(|last| self.us(last))
    }

    /// Until when the newest frame plays, in microseconds, as far as that can be known.
    pub fn end_us(&self) -> Option<i64> {
        self.last.map(|last| self.us(last + i64::from(self.usual)))
    }

    /// How long frames usually play.
    pub fn set_usual(&mut self, ticks: i64) {
        self.usual = u32::try_from(ticks).unwrap_or(u32::MAX).max(1);
    }

    pub fn us(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / self.timescale
    }

    pub fn ticks(&self, us: i64) -> i64 {
        us.saturating_mul(self.timescale) / 1_000_000
    }

    /// Takes the frames that begin before `end_us`. The last of them plays until then where `fill` says so, else as long
    /// as frames usually do.
    pub fn take(&mut self, end_us: i64, fill: bool) -> Option<Run> {
        let count = self.waiting.partition_point(|frame| self.us(frame.time) < end_us);
        let end = self.ticks(end_us);
        let mut rest = self.waiting.split_off(count);
        std::mem::swap(&mut rest, &mut self.waiting);
        let frames = rest;
        let decode_time = u64::try_from(frames.first()?.time).unwrap_or(0);
        let mut next = frames.iter().skip(1).map(|frame| frame.time).collect::<Vec<_>>().into_iter();
        let samples = frames.into_iter().map(|frame| {
            let until = match next.next() {
                Some(next) => next - frame.time,
                None if fill => (end - frame.time).max(1),
                None => i64::from(self.usual),
            };
            self.bytes = self.bytes.saturating_sub(frame.data.len());
            Sample {
                duration: u32::try_from(until).unwrap_or(self.usual),
                composition: frame.composition,
                sync: frame.sync,
                data: frame.data,
            }
        });
        let samples = samples.collect();
        Some(Run { track: self.track, decode_time, samples })
    }
}
