//! Audio whose frames say how long they are: AAC in ADTS and MPEG audio. A PES packet may end inside a frame.

use super::WRAP;
use super::pes::Times;
use crate::codec::AudioCodec;

/// Frames of one stream, cut where they begin and end.
#[derive(Debug)]
pub(super) struct Frames {
    codec: AudioCodec,
    /// The beginning of a frame whose end comes with the next unit, and its time.
    rest: Vec<u8>,
    rest_at: u64,
    /// Bytes that belong to no frame.
    pub(super) strays: u64,
}

/// A frame's size in bytes and its length in 1/90000 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    size: usize,
    ticks: u64,
}

impl Frames {
    pub(super) fn new(codec: AudioCodec) -> Self {
        Self { codec, rest: Vec::new(), rest_at: 0, strays: 0 }
    }

    /// Forgets the beginning of a frame whose end is missing.
    pub(super) fn broken(&mut self) {
        self.rest.clear();
    }

    /// Gives the whole frames in a unit: first one that began in the unit before, then the others together.
    pub(super) fn push(&mut self, times: Times, data: &[u8], each: &mut impl FnMut(u64, &[u8])) {
        let mut data = data;
        if !self.rest.is_empty() {
            data = self.finish_rest(data, each);
        }
        let (mut at, mut end, mut start) = (times.pts, 0, 0);
        loop {
            let left = data.get(end..).unwrap_or_default();
            match self.measure(left) {
                Measured::Frame(frame) if frame.size <= left.len() => {
                    end += frame.size;
                    at = (at + frame.ticks) % WRAP;
                }
                Measured::Frame(_) | Measured::Short => {
                    give(times.pts, data.get(start..end), each);
                    self.rest.extend_from_slice(left);
                    self.rest_at = at;
                    return;
                }
                Measured::NoFrame => {
                    give(times.pts, data.get(start..end), each);
                    self.strays += 1;
                    let skipped = self.next_frame(left);
                    start = end + skipped;
                    end = start;
                }
            }
        }
    }

    fn finish_rest<'a>(&mut self, data: &'a [u8], each: &mut impl FnMut(u64, &[u8])) -> &'a [u8] {
        let before = self.rest.len();
        // Enough for a header, so that the frame tells its size.
        let header = data.get(..HEADER.min(data.len())).unwrap_or_default();
        let mut joined = std::mem::take(&mut self.rest);
        joined.extend_from_slice(header);
        match self.measure(&joined) {
            Measured::Frame(frame) if frame.size >= before && frame.size - before <= data.len() => {
                let (end, others) = data.split_at_checked(frame.size - before).unwrap_or((data, &[]));
                joined.truncate(before);
                joined.extend_from_slice(end);
                each(self.rest_at, &joined);
                others
            }
            _ => {
                self.strays += 1;
                data
            }
        }
    }

    fn measure(&self, data: &[u8]) -> Measured {
        let Some(head) = data.first_chunk::<HEADER>() else { return Measured::Short };
        let frame = match self.codec {
            AudioCodec::Aac => adts(head),
            _ => mpeg_audio(head),
        };
        frame.map_or(Measured::NoFrame, Measured::Frame)
    }

    /// How far it is to where the next frame may begin.
    fn next_frame(&self, data: &[u8]) -> usize {
        let behind = data.get(1..).unwrap_or_default();
        let places =
            behind.windows(HEADER).position(|place| !matches!(self.measure(place), Measured::NoFrame));
        1 + places.unwrap_or(behind.len().saturating_sub(HEADER - 1))
    }
}

enum Measured {
    Frame(Frame),
    /// Too few bytes to tell.
    Short,
    NoFrame,
}

const HEADER: usize = 7;

fn give(at: u64, frames: Option<&[u8]>, each: &mut impl FnMut(u64, &[u8])) {
    if let Some(frames) = frames.filter(|frames| !frames.is_empty()) {
        each(at, frames);
    }
}

/// ISO/IEC 13818-7, 6.2.
fn adts(head: &[u8; HEADER]) -> Option<Frame> {
    const RATES: [u64; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    let [0xFF, sync, rate, a, b, c, blocks] = head else { return None };
    // Sync word and layer 0.
    if sync & 0xF6 != 0xF0 {
        return None;
    }
    let rate = RATES.get(usize::from(rate >> 2 & 0x0F))?;
    let size = usize::from(a & 0x03) << 11 | usize::from(*b) << 3 | usize::from(c >> 5);
    let blocks = u64::from(blocks & 0x03) + 1;
    (size > HEADER).then_some(Frame { size, ticks: blocks * 1024 * 90_000 / rate })
}

/// ISO/IEC 11172-3, 2.4.1.3, and 13818-3 for the lower rates.
fn mpeg_audio(head: &[u8; HEADER]) -> Option<Frame> {
    const V1: [[u32; 15]; 3] = [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    ];
    const V2: [[u32; 15]; 2] = [
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    let [0xFF, b, c, ..] = head else { return None };
    if b & 0xE0 != 0xE0 {
        return None;
    }
    let shift = match b >> 3 & 0x03 {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let layer = match b >> 1 & 0x03 {
        3 => 0_usize,
        2 => 1,
        1 => 2,
        _ => return None,
    };
    let rate = RATES.get(usize::from(c >> 2 & 0x03))? >> shift;
    let index = usize::from(c >> 4);
    let kbps =
        *if shift == 0 { V1.get(layer)?.get(index)? } else { V2.get(usize::from(layer > 0))?.get(index)? };
    if kbps == 0 {
        return None;
    }
    let padding = u32::from(c >> 1 & 1);
    let samples = match (layer, shift) {
        (0, _) => 384,
        (2, 1..) => 576,
        _ => 1152,
    };
    let size = if layer == 0 {
        (12_000 * kbps / rate + padding) * 4
    } else {
        samples / 8 * 1000 * kbps / rate + padding
    };
    let ticks = u64::from(samples) * 90_000 / u64::from(rate);
    let size = usize::try_from(size).ok()?;
    (size >= HEADER).then_some(Frame { size, ticks })
}
