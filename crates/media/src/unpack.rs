//! The way back from [`pack`](crate::pack): bodies of RTMP messages to elementary access units, as RTP carries them.

use crate::codec::{AudioCodec, VideoCodec};
use crate::config::video_config;
use crate::tag::{AudioKind, VideoKind, parse_audio, parse_video};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Parameter sets of one stream at most; a record that names more is no record.
const MAX_SETS: usize = 64;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The codec.
    pub codec: VideoCodec,
    /// Whether decoding can start here.
    pub key: bool,
    /// Presentation time minus decoding time, in milliseconds.
    pub composition_ms: i32,
    /// The access unit: for H.264 and HEVC with start codes, key frames behind their parameter sets.
    pub data: Vec<u8>,
}

/// Takes the first video track of a stream apart.
#[derive(Debug, Default)]
pub struct VideoUnpacker {
    codec: Option<VideoCodec>,
    nal_length_size: u8,
    /// Parameter sets with start codes, or the open bitstream units of an AV1 record.
    sets: Vec<u8>,
}

impl VideoUnpacker {
    /// The codec of the last sequence header or picture.
    pub fn codec(&self) -> Option<VideoCodec> {
        self.codec
    }

    /// Takes the body of a video message. `None` for what is no picture, and for pictures that cannot be parsed.
    pub fn take(&mut self, payload: &[u8]) -> Option<Picture> {
        let tag = parse_video(payload).ok().filter(|tag| tag.track_id() == 0)?;
        let codec = tag.codec?;
        let body = payload.get(tag.body.clone())?;
        let key = match tag.kind {
            VideoKind::SequenceHeader => {
                self.header(codec, body);
                return None;
            }
            VideoKind::KeyFrame => true,
            VideoKind::InterFrame => false,
            _ => return None,
        };
        if self.codec != Some(codec) {
            (self.codec, self.nal_length_size, self.sets) = (Some(codec), 4, Vec::new());
        }
        let mut data = if key { self.sets.clone() } else { Vec::new() };
        if codec.has_nal_units() {
            with_start_codes(body, self.nal_length_size, &mut data)?;
        } else {
            data.extend_from_slice(body);
        }
        (!data.is_empty()).then_some(Picture { codec, key, composition_ms: tag.composition_ms, data })
    }

    fn header(&mut self, codec: VideoCodec, record: &[u8]) {
        let config = video_config(codec, record).ok().flatten();
        self.codec = Some(codec);
        self.nal_length_size = config.map_or(4, |config| config.nal_length_size);
        let sets = match codec {
            VideoCodec::Avc => avc_sets(record),
            VideoCodec::Hevc => hevc_sets(record),
            // A key frame of AV1 holds its sequence header itself (AV1, 7.5).
            _ => None,
        };
        self.sets = sets.unwrap_or_default();
    }
}

/// The coded frame in the body of an audio message, and its codec; `None` for what is no frame.
pub fn sound(payload: &[u8]) -> Option<(AudioCodec, &[u8])> {
    let tag = parse_audio(payload).ok().filter(|tag| tag.track_id() == 0 && tag.kind == AudioKind::Frame)?;
    Some((tag.codec?, payload.get(tag.body)?))
}

fn with_start_codes(mut body: &[u8], length_size: u8, out: &mut Vec<u8>) -> Option<()> {
    out.reserve(body.len());
    while !body.is_empty() {
        let (length, rest) = body.split_at_checked(usize::from(length_size.max(1)))?;
        let length = length.iter().fold(0usize, |length, byte| (length << 8) | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length)?;
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(unit);
        body = rest;
    }
    Some(())
}

/// Takes units behind 16-bit lengths; gives what follows them.
fn units<'a>(mut rest: &'a [u8], count: usize, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    if count > MAX_SETS {
        return None;
    }
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(unit);
        rest = after;
    }
    Some(rest)
}

/// The parameter sets of AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
fn avc_sets(record: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (count, rest) = record.get(5..)?.split_first()?;
    let rest = units(rest, usize::from(count & 0x1f), &mut out)?;
    let (count, rest) = rest.split_first()?;
    units(rest, usize::from(*count), &mut out)?;
    Some(out)
}

/// The parameter sets of HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).
fn hevc_sets(record: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (arrays, mut rest) = record.get(22..)?.split_first()?;
    for _ in 0..*arrays {
        let ([_, high, low], after) = rest.split_first_chunk::<3>()?;
        rest = units(after, usize::from(u16::from_be_bytes([*high, *low])), &mut out)?;
    }
    Some(out)
}
