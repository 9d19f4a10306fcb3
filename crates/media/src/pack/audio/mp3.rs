//! MP3 (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3), which FLV takes frame by frame as it is.

use super::super::PackError;
use super::{Frame, ticks};

const WHAT: &str = "MP3";
const SOUND_FORMAT: u8 = 2 << 4;
const SIXTEEN_BITS: u8 = 0x02;
const STEREO: u8 = 0x01;
const MONO: u8 = 3;
const LAYER_3: u8 = 1;
/// Thousands of bits a second, layer III, of MPEG-1 and of the lower rates.
const BIT_RATES: [[u32; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

struct Header {
    size: usize,
    sample_rate: u32,
    samples: i64,
    mono: bool,
}

/// The size in bytes of the frame of layer III that `data` starts with; `None` when it starts with none, or with one of
/// free format.
pub fn mp3_frame_size(data: &[u8]) -> Option<usize> {
    header(data, 0).ok().map(|header| header.size)
}

fn header(data: &[u8], offset: usize) -> Result<Header, PackError> {
    let missing = PackError::FrameHeader { what: WHAT, offset };
    let [0xff, b1, b2, b3] = *data.first_chunk::<4>().ok_or(missing)? else { return Err(missing) };
    if b1 & 0xe0 != 0xe0 {
        return Err(missing);
    }
    let halved = match (b1 >> 3) & 3 {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return Err(missing),
    };
    match (b1 >> 1) & 3 {
        LAYER_3 => {}
        0 => return Err(missing),
        _ => return Err(PackError::Unsupported { what: "MPEG audio of layer I or II", offset }),
    }
    let rate: u32 = match (b2 >> 2) & 3 {
        0 => 44_100,
        1 => 48_000,
        2 => 32_000,
        _ => return Err(missing),
    };
    let table = if halved == 0 { BIT_RATES.first() } else { BIT_RATES.last() };
    let kbps = *table.and_then(|rates| rates.get(usize::from(b2 >> 4))).ok_or(missing)?;
    if kbps == 0 {
        return Err(PackError::Unsupported { what: "an MP3 frame of free format", offset });
    }
    let (sample_rate, samples): (u32, u32) = (rate >> halved, if halved == 0 { 1152 } else { 576 });
    let size = samples / 8 * kbps * 1000 / sample_rate + u32::from((b2 >> 1) & 1);
    Ok(Header { size: size as usize, sample_rate, samples: i64::from(samples), mono: b3 >> 6 == MONO })
}

/// SoundRate knows three rates; others are in the frame, where readers look for them (FLV 10.1, E.4.2.1).
fn flags(header: &Header) -> u8 {
    let rate = match header.sample_rate {
        11_025 => 1,
        22_050 => 2,
        _ => 3,
    };
    SOUND_FORMAT | rate << 2 | SIXTEEN_BITS | if header.mono { 0 } else { STEREO }
}

/// Cuts frames out of data that starts with one.
pub struct Frames<'a> {
    data: &'a [u8],
    position: usize,
    offset: i64,
}

impl<'a> Frames<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, offset: 0 }
    }

    pub fn next(&mut self) -> Result<Option<Frame<'a>>, PackError> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let header = header(rest, self.position)?;
        let Some(data) = rest.get(..header.size) else {
            let (offset, needed, left) = (self.position, header.size, rest.len());
            return Err(PackError::Truncated { what: WHAT, offset, needed, left });
        };
        let frame = Frame { head: [flags(&header), 0, 0, 0, 0], head_size: 1, data, offset: self.offset };
        self.position = self.position.saturating_add(header.size);
        self.offset = self.offset.saturating_add(ticks(header.samples, header.sample_rate));
        Ok(Some(frame))
    }
}
