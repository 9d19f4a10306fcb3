//! VvcDecoderConfigurationRecord (ISO/IEC 14496-15, 11.2.4.2) and the start of the sequence parameter set in it (ITU-T
//! H.266, 7.3.2.4, 7.3.3.1 and 7.3.3.2), which alone knows the cropping.

use super::parameter_sets::{NalUnit, Record, crop};
use super::video::plausible_fps;
use super::{ConfigError, Level, VideoConfig};
use crate::bits::Bits;
use crate::codec::VideoCodec;

const SPS: u8 = 15;
const MAX_SIDE: u32 = 1 << 16;
/// Bits of general_constraints_info before the reserved ones.
const GENERAL_CONSTRAINTS: u32 = 71;

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
    if let Some(unit) = sequence_parameter_set(body, &bits)? {
        let (width, height) = sps_size(unit)?;
        config.width = Some(width);
        config.height = Some(height);
    }
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

/// The first sequence parameter set. All arrays are walked, so that a record that was cut short is noticed.
fn sequence_parameter_set<'a>(body: &'a [u8], bits: &Bits<'_>) -> Result<Option<NalUnit<'a>>, ConfigError> {
    let mut found = None;
    let mut record = Record::starting_at(body, bits.at().byte);
    for _ in 0..record.u8("num_of_arrays")? {
        let unit_type = record.u8("NAL_unit_type")? & 0x1f;
        let count = if SINGLE_UNITS.contains(&unit_type) { 1 } else { record.u16("num_nalus")? };
        for _ in 0..count {
            let unit = record.nal_unit("nal_unit")?;
            if unit_type == SPS {
                found = found.or(Some(unit));
            }
        }
    }
    Ok(found)
}

fn sps_size(unit: NalUnit<'_>) -> Result<(u32, u32), ConfigError> {
    let mut bits = Bits::of_nal_unit(unit.data, unit.offset)?;
    bits.skip("nal_unit_header", 16)?;
    bits.skip("sps_seq_parameter_set_id", 4 + 4)?;
    let sub_layers = bits.u("sps_max_sublayers_minus1", 3)?;
    let chroma = bits.u("sps_chroma_format_idc", 2)?;
    bits.skip("sps_log2_ctu_size_minus5", 2)?;
    if bits.flag("sps_ptl_dpb_hrd_params_present_flag")? {
        profile_tier_level(&mut bits, sub_layers)?;
    }
    bits.flag("sps_gdr_enabled_flag")?;
    if bits.flag("sps_ref_pic_resampling_enabled_flag")? {
        bits.flag("sps_res_change_in_clvs_allowed_flag")?;
    }
    let width = bits.ue_max("sps_pic_width_max_in_luma_samples", MAX_SIDE)?;
    let height = bits.ue_max("sps_pic_height_max_in_luma_samples", MAX_SIDE)?;
    let (mut across, mut down) = (0, 0);
    if bits.flag("sps_conformance_window_flag")? {
        let (unit_x, unit_y) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let left = u64::from(bits.ue("sps_conf_win_left_offset")?);
        let right = u64::from(bits.ue("sps_conf_win_right_offset")?);
        let top = u64::from(bits.ue("sps_conf_win_top_offset")?);
        let bottom = u64::from(bits.ue("sps_conf_win_bottom_offset")?);
        across = (left + right) * unit_x;
        down = (top + bottom) * unit_y;
    }
    crop(&bits, (width, height), (across, down))
}

fn profile_tier_level(bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), ConfigError> {
    bits.skip("general_profile_idc", 7 + 1 + 8)?;
    bits.skip("ptl_frame_only_constraint_flag", 2)?;
    if bits.flag("gci_present_flag")? {
        bits.skip("general_constraints_info", GENERAL_CONSTRAINTS)?;
        let reserved = bits.u("gci_num_reserved_bits", 8)?;
        bits.skip("gci_reserved_bit", reserved)?;
    }
    bits.align();
    let mut levels = 0;
    for _ in 0..sub_layers {
        levels += u32::from(bits.flag("ptl_sublayer_level_present_flag")?);
    }
    bits.align();
    bits.skip("sublayer_level_idc", 8 * levels)?;
    let profiles = bits.u("ptl_num_sub_profiles", 8)?;
    bits.skip("general_sub_profile_idc", 32 * profiles)
}
