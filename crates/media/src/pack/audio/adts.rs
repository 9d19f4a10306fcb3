//! AAC in ADTS frames (ISO/IEC 13818-7, 6.2; ISO/IEC 14496-3, 1.A.2.2) to AudioSpecificConfig and raw frames.

use super::super::PackError;
use super::{Frame, ticks};

const WHAT: &str = "ADTS";
/// AAC, and the flags that FLV fixes for it.
const AAC: u8 = 0xaf;
const RAW: u8 = 1;
/// What stands before AudioSpecificConfig in its message.
pub const HEADER: [u8; 2] = [AAC, 0];
const SAMPLES: i64 = 1024;
const SAMPLE_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

struct Header {
    record: [u8; 2],
    sample_rate: u32,
    header_size: usize,
    size: usize,
}

/// The size in bytes of the frame that `data` starts with, header included; `None` when it starts with no ADTS header or
/// too little of one.
pub fn adts_frame_size(data: &[u8]) -> Option<usize> {
    let [0xff, b1, _, b3, b4, b5, _] = *data.first_chunk::<7>()? else { return None };
    // Sync, then a layer that is always 0.
    let size = usize::from(b3 & 0x03) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    (b1 & 0xf6 == 0xf0 && size >= 7).then_some(size)
}

fn header(data: &[u8], offset: usize) -> Result<Header, PackError> {
    let missing = PackError::FrameHeader { what: WHAT, offset };
    let size = adts_frame_size(data).ok_or(missing)?;
    let [_, b1, b2, b3, _, _, b6] = *data.first_chunk::<7>().ok_or(missing)?;
    let (object_type, rate_index) = ((b2 >> 6) + 1, (b2 >> 2) & 0x0f);
    let channels = (b2 & 1) << 2 | b3 >> 6;
    let sample_rate = *SAMPLE_RATES.get(usize::from(rate_index)).ok_or(missing)?;
    if channels == 0 {
        return Err(PackError::Unsupported { what: "an AAC channel layout inside the sound", offset });
    }
    if b6 & 0x03 != 0 {
        return Err(PackError::Unsupported { what: "an ADTS frame of several AAC frames", offset });
    }
    let record = [object_type << 3 | rate_index >> 1, (rate_index & 1) << 7 | channels << 3];
    let header_size = if b1 & 1 == 1 { 7 } else { 9 };
    Ok(Header { record, sample_rate, header_size, size })
}

/// Cuts frames out of data that starts with one.
pub struct Frames<'a> {
    data: &'a [u8],
    position: usize,
    samples: i64,
}

impl<'a> Frames<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, samples: 0 }
    }

    /// AudioSpecificConfig and the frame.
    pub fn next(&mut self) -> Result<Option<([u8; 2], Frame<'a>)>, PackError> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let header = header(rest, self.position)?;
        let Some(data) = rest.get(header.header_size..header.size) else {
            let (offset, needed, left) = (self.position, header.size, rest.len());
            return Err(PackError::Truncated { what: WHAT, offset, needed, left });
        };
        let offset = ticks(self.samples, header.sample_rate);
        self.position = self.position.saturating_add(header.size);
        self.samples = self.samples.saturating_add(SAMPLES);
        Ok(Some((header.record, Frame { head: [AAC, RAW, 0, 0, 0], head_size: 2, data, offset })))
    }
}
