//! VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding, "VP Codec Configuration Box").

use super::parameter_sets::Record;
use super::{ConfigError, Level, VideoConfig};
use crate::codec::VideoCodec;

/// Version 1 and no flags: the start of the box that the record comes from.
const FULL_BOX: [u8; 4] = [1, 0, 0, 0];
const RECORD_SIZE: usize = 8;

pub(super) fn config(codec: VideoCodec, body: &[u8]) -> Result<VideoConfig, ConfigError> {
    let mut record = Record::new(body);
    // ffmpeg sends version and flags of the box along. A bare record has 8 bytes, so the length tells them apart.
    if body.len() >= FULL_BOX.len() + RECORD_SIZE && body.starts_with(&FULL_BOX) {
        record.array::<4>("version")?;
    }
    let [profile, level, depth] = record.array("profile")?;
    record.array::<3>("colourPrimaries")?;
    record.u16("codecInitializationDataSize")?;
    let name = if codec == VideoCodec::Vp8 { "vp08" } else { "vp09" };
    Ok(VideoConfig {
        codec,
        width: None,
        height: None,
        profile,
        level: (level != 0).then(|| Level::from_tenths(level)),
        fps: None,
        codec_string: format!("{name}.{profile:02}.{level:02}.{:02}", depth >> 4),
        nal_length_size: 0,
    })
}
