//! VvcDecoderConfigurationRecord (ISO/IEC 14496-15, 11.2.4.2). It holds the picture size itself, so that no parameter set
//! has to be read.

use super::parameter_sets::Record;
use super::video::plausible_fps;
use super::{ConfigError, Level, VideoConfig};
use crate::bits::Bits;
use crate::codec::VideoCodec;
use crate::offset::BitOffset;

/// Decoding capability information and operating points are single units, without a count before them.
const SINGLE_UNITS: [u8; 2] = [13, 12];

pub(super) fn config(body: &[u8]) -> Result<VideoConfig, ConfigError> {
    let mut bits = Bits::new(body, 0);
    bits.skip("reserved", 5)?;
    let at = bits.at();
    let nal_length_size = Record::new(body).nal_length_size(bits.u8("LengthSizeMinusOne", 2)?, at)?;
    let mut config = VideoConfig {
        codec: VideoCodec::Vvc,
        width: None,
        height: None,
        profile: 0,
        level: None,
        fps: None,
        codec_string: String::from("vvc1"),
        nal_length_size,
    };
    if bits.flag("ptl_present_flag")? {
        profile_and_size(&mut bits, &mut config)?;
    }
    parameter_sets(body, &bits)?;
    Ok(config)
}

fn profile_and_size(bits: &mut Bits<'_>, config: &mut VideoConfig) -> Result<(), ConfigError> {
    bits.skip("ols_idx", 9)?;
    let sub_layers = bits.u("num_sublayers", 3)?;
    bits.skip("constant_frame_rate", 2)?;
    bits.skip("chroma_format_idc", 2)?;
    bits.skip("bit_depth_minus8", 3)?;
    bits.skip("reserved", 5)?;
    bits.skip("reserved", 2)?;
    let constraint_bytes = bits.u("num_bytes_constraint_info", 6)?;
    config.profile = bits.u8("general_profile_idc", 7)?;
    let tier = if bits.flag("general_tier_flag")? { 'H' } else { 'L' };
    let level = bits.u8("general_level_idc", 8)?;
    config.level = Some(Level::new(level / 16, level % 16 / 3));
    config.codec_string = format!("vvc1.{}.{tier}{level}", config.profile);
    bits.skip("general_constraint_info", 8 * constraint_bytes)?;
    let mut levels = 0;
    for _ in 1..sub_layers {
        levels += u32::from(bits.flag("ptl_sublayer_level_present_flag")?);
    }
    bits.align();
    bits.skip("sublayer_level_idc", 8 * levels)?;
    let profiles = bits.u("ptl_num_sub_profiles", 8)?;
    bits.skip("general_sub_profile_idc", 32 * profiles)?;
    config.width = Some(bits.u("max_picture_width", 16)?).filter(|width| *width > 0);
    config.height = Some(bits.u("max_picture_height", 16)?).filter(|height| *height > 0);
    config.fps = plausible_fps(bits.u("avg_frame_rate", 16)?, 256);
    Ok(())
}

/// Walks the arrays of parameter sets, so that a record that was cut short is noticed.
fn parameter_sets(body: &[u8], bits: &Bits<'_>) -> Result<(), ConfigError> {
    let BitOffset { byte, .. } = bits.at();
    let mut record = Record::starting_at(body, byte);
    for _ in 0..record.u8("num_of_arrays")? {
        let unit_type = record.u8("NAL_unit_type")? & 0x1f;
        let count = if SINGLE_UNITS.contains(&unit_type) { 1 } else { record.u16("num_nalus")? };
        for _ in 0..count {
            record.nal_unit("nal_unit")?;
        }
    }
    Ok(())
}
