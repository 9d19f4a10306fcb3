//! Video configuration records.

use super::profile::{Level, profile_name};
use super::{ConfigError, av1, avc, hevc, vp, vvc};
use crate::codec::VideoCodec;

/// What a video sequence header says.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoConfig {
    /// The codec.
    pub codec: VideoCodec,
    /// Width in pixels after cropping; `None` where the record does not hold it (VP8, VP9), see
    /// [`frame_size`](crate::frame_size).
    pub width: Option<u32>,
    /// Height in pixels after cropping.
    pub height: Option<u32>,
    /// The profile's number in the codec's specification.
    pub profile: u8,
    /// The level; `None` where the record leaves it open.
    pub level: Option<Level>,
    /// Frames a second that the encoder announces; `None` where it does not, or announces a clock rather than a rate.
    /// The true rate is the one that was measured.
    pub fps: Option<f64>,
    /// The codec string of RFC 6381 and its successors, such as `avc1.64001f`.
    pub codec_string: String,
    /// Bytes of the length before each NAL unit, for [`check_access_unit`](crate::check_access_unit); 0 for a codec
    /// that has no NAL units.
    pub nal_length_size: u8,
}

impl VideoConfig {
    /// The profile's name in the codec's specification, such as `High`.
    pub fn profile_name(&self) -> Option<&'static str> {
        profile_name(self.codec, self.profile)
    }
}

/// Parses the body of a video sequence header.
///
/// Records: AVC, HEVC and VVC of ISO/IEC 14496-15, AV1CodecConfigurationRecord, VPCodecConfigurationRecord. `None` for
/// codecs without one, and for the empty header that ffmpeg sends for AV1 before its encoder has made the real one.
///
/// # Errors
/// [`ConfigError`] with the field and its place when the record is broken.
pub fn video_config(codec: VideoCodec, body: &[u8]) -> Result<Option<VideoConfig>, ConfigError> {
    match codec {
        VideoCodec::Avc => avc::config(body).map(Some),
        VideoCodec::Hevc => hevc::config(body).map(Some),
        VideoCodec::Vvc => vvc::config(body).map(Some),
        VideoCodec::Av1 | VideoCodec::Vp8 | VideoCodec::Vp9 if body.is_empty() => Ok(None),
        VideoCodec::Av1 => av1::config(body).map(Some),
        VideoCodec::Vp8 | VideoCodec::Vp9 => vp::config(codec, body).map(Some),
        VideoCodec::H263
        | VideoCodec::Screen
        | VideoCodec::ScreenV2
        | VideoCodec::Vp6
        | VideoCodec::Vp6Alpha
        | VideoCodec::Other(_) => Ok(None),
    }
}

/// A frame rate from a clock; `None` when it is no rate that a camera or a screen has.
///
/// Encoders of variable frame rate put their timestamp clock here (1000 or 90,000 a second).
pub(super) fn plausible_fps(time_scale: u32, units_per_frame: u64) -> Option<f64> {
    if units_per_frame == 0 {
        return None;
    }
    let fps = f64::from(time_scale) / units_per_frame as f64;
    (fps > 0.0 && fps <= 300.0).then_some(fps)
}
