//! HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1) and the sequence parameter set in it (ITU-T H.265, 7.3.2.2,
//! 7.3.3, 7.3.4, 7.3.7 and E.2.1).

use super::parameter_sets::{NalUnit, Record, crop};
use super::video::plausible_fps;
use super::{ConfigError, Level, VideoConfig};
use crate::bits::Bits;
use crate::codec::VideoCodec;

const SPS: u8 = 33;
const MAX_SIDE: u32 = 1 << 16;

pub(super) fn config(body: &[u8]) -> Result<VideoConfig, ConfigError> {
    let mut record = Record::new(body);
    record.version(1)?;
    let [first] = record.array("general_profile_idc")?;
    let compatibility = record.array("general_profile_compatibility_flags").map(u32::from_be_bytes)?;
    let constraints: [u8; 6] = record.array("general_constraint_indicator_flags")?;
    let level = record.u8("general_level_idc")?;
    // min_spatial_segmentation, parallelism, chroma format and bit depths: the parameter set has them too.
    record.array::<6>("min_spatial_segmentation_idc")?;
    let average = record.u16("avgFrameRate")?;
    let at = record.at();
    let lengths = record.u8("lengthSizeMinusOne")?;
    let nal_length_size = record.nal_length_size(lengths & 0x03, at)?;
    let mut sps: Option<NalUnit<'_>> = None;
    for _ in 0..record.u8("numOfArrays")? {
        let unit_type = record.u8("NAL_unit_type")? & 0x3f;
        for _ in 0..record.u16("numNalus")? {
            let unit = record.nal_unit("nalUnit")?;
            if unit_type == SPS {
                sps = sps.or(Some(unit));
            }
        }
    }
    let Some(unit) = sps else {
        return Err(ConfigError::Missing { what: "sequence parameter set", at: record.at() });
    };
    let sps = Sps::parse(unit)?;
    let profile = first & 0x1f;
    Ok(VideoConfig {
        codec: VideoCodec::Hevc,
        width: Some(sps.width),
        height: Some(sps.height),
        profile,
        level: Some(Level::new(level / 30, level % 30 / 3)),
        // avgFrameRate counts frames in 256 seconds, 0 where it is not known.
        fps: sps.fps.or_else(|| plausible_fps(u32::from(average), 256)),
        codec_string: codec_string(first, compatibility, constraints, level),
        nal_length_size,
    })
}

/// The string of ISO/IEC 14496-15, E.3: compatibility bits reversed, trailing zero bytes of the constraints left out.
fn codec_string(first: u8, compatibility: u32, constraints: [u8; 6], level: u8) -> String {
    let space = match first >> 6 {
        1 => "A",
        2 => "B",
        3 => "C",
        _ => "",
    };
    let tier = if first & 0x20 == 0 { 'L' } else { 'H' };
    let mut text = format!("hvc1.{space}{}.{:x}.{tier}{level}", first & 0x1f, compatibility.reverse_bits());
    let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(used) {
        text.push_str(&format!(".{byte:X}"));
    }
    text
}

struct Sps {
    width: u32,
    height: u32,
    fps: Option<f64>,
}

impl Sps {
    fn parse(unit: NalUnit<'_>) -> Result<Self, ConfigError> {
        let mut bits = Bits::of_nal_unit(unit.data, unit.offset)?;
        bits.flag("forbidden_zero_bit")?;
        let at = bits.at();
        let found = bits.u("nal_unit_type", 6)?;
        if found != u32::from(SPS) {
            return Err(ConfigError::Unexpected {
                field: "nal_unit_type",
                at,
                found,
                expected: u32::from(SPS),
            });
        }
        bits.skip("nuh_layer_id", 9)?;
        bits.skip("sps_video_parameter_set_id", 4)?;
        let at = bits.at();
        let sub_layers = bits.u("sps_max_sub_layers_minus1", 3)?;
        if sub_layers == 7 {
            return Err(ConfigError::Reserved { field: "sps_max_sub_layers_minus1", at, found: 7 });
        }
        bits.flag("sps_temporal_id_nesting_flag")?;
        profile_tier_level(&mut bits, sub_layers)?;
        bits.ue_max("sps_seq_parameter_set_id", 15)?;
        let chroma = bits.ue_max("chroma_format_idc", 3)?;
        let apart = chroma == 3 && bits.flag("separate_colour_plane_flag")?;
        let width = bits.ue_max("pic_width_in_luma_samples", MAX_SIDE)?;
        let height = bits.ue_max("pic_height_in_luma_samples", MAX_SIDE)?;
        let (mut across, mut down) = (0, 0);
        if bits.flag("conformance_window_flag")? {
            let (unit_x, unit_y) = match chroma {
                1 if !apart => (2, 2),
                2 if !apart => (2, 1),
                _ => (1, 1),
            };
            let left = u64::from(bits.ue("conf_win_left_offset")?);
            let right = u64::from(bits.ue("conf_win_right_offset")?);
            let top = u64::from(bits.ue("conf_win_top_offset")?);
            let bottom = u64::from(bits.ue("conf_win_bottom_offset")?);
            across = (left + right) * unit_x;
            down = (top + bottom) * unit_y;
        }
        let (width, height) = crop(&bits, (width, height), (across, down))?;
        let order_bits = coding_tools(&mut bits, sub_layers)?;
        reference_sets(&mut bits, order_bits)?;
        bits.flag("sps_temporal_mvp_enabled_flag")?;
        bits.flag("strong_intra_smoothing_enabled_flag")?;
        let fps = if bits.flag("vui_parameters_present_flag")? { vui_fps(&mut bits)? } else { None };
        Ok(Self { width, height, fps })
    }
}

/// profile_tier_level with the general profile present (ITU-T H.265, 7.3.3).
pub(crate) fn profile_tier_level(bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), ConfigError> {
    bits.skip("general_profile_idc", 88)?;
    bits.skip("general_level_idc", 8)?;
    let mut present = [(false, false); 8];
    for layer in present.iter_mut().take(sub_layers as usize) {
        *layer = (bits.flag("sub_layer_profile_present_flag")?, bits.flag("sub_layer_level_present_flag")?);
    }
    if sub_layers > 0 {
        bits.skip("reserved_zero_2bits", 2 * (8 - sub_layers))?;
    }
    for (profile, level) in present.into_iter().take(sub_layers as usize) {
        bits.skip("sub_layer_profile_idc", if profile { 88 } else { 0 })?;
        bits.skip("sub_layer_level_idc", if level { 8 } else { 0 })?;
    }
    Ok(())
}

/// From the bit depths to PCM; gives the number of bits of a picture order count.
fn coding_tools(bits: &mut Bits<'_>, sub_layers: u32) -> Result<u32, ConfigError> {
    bits.ue_max("bit_depth_luma_minus8", 8)?;
    bits.ue_max("bit_depth_chroma_minus8", 8)?;
    let order_bits = bits.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)? + 4;
    let all = bits.flag("sps_sub_layer_ordering_info_present_flag")?;
    for _ in 0..=if all { sub_layers } else { 0 } {
        bits.ue("sps_max_dec_pic_buffering_minus1")?;
        bits.ue("sps_max_num_reorder_pics")?;
        bits.ue("sps_max_latency_increase_plus1")?;
    }
    bits.ue("log2_min_luma_coding_block_size_minus3")?;
    bits.ue("log2_diff_max_min_luma_coding_block_size")?;
    bits.ue("log2_min_luma_transform_block_size_minus2")?;
    bits.ue("log2_diff_max_min_luma_transform_block_size")?;
    bits.ue("max_transform_hierarchy_depth_inter")?;
    bits.ue("max_transform_hierarchy_depth_intra")?;
    if bits.flag("scaling_list_enabled_flag")? && bits.flag("sps_scaling_list_data_present_flag")? {
        scaling_lists(bits)?;
    }
    bits.flag("amp_enabled_flag")?;
    bits.flag("sample_adaptive_offset_enabled_flag")?;
    if bits.flag("pcm_enabled_flag")? {
        bits.skip("pcm_sample_bit_depth_luma_minus1", 8)?;
        bits.ue("log2_min_pcm_luma_coding_block_size_minus3")?;
        bits.ue("log2_diff_max_min_pcm_luma_coding_block_size")?;
        bits.flag("pcm_loop_filter_disabled_flag")?;
    }
    Ok(order_bits)
}

fn scaling_lists(bits: &mut Bits<'_>) -> Result<(), ConfigError> {
    for size in 0..4u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.flag("scaling_list_pred_mode_flag")? {
                bits.ue("scaling_list_pred_matrix_id_delta")?;
                continue;
            }
            if size > 1 {
                bits.se("scaling_list_dc_coef_minus8")?;
            }
            for _ in 0..if size == 0 { 16 } else { 64 } {
                bits.se("scaling_list_delta_coef")?;
            }
        }
    }
    Ok(())
}

fn reference_sets(bits: &mut Bits<'_>, order_bits: u32) -> Result<(), ConfigError> {
    let mut pictures = 0;
    for index in 0..bits.ue_max("num_short_term_ref_pic_sets", 64)? {
        pictures = short_term_set(bits, index, pictures)?;
    }
    if bits.flag("long_term_ref_pics_present_flag")? {
        for _ in 0..bits.ue_max("num_long_term_ref_pics_sps", 32)? {
            bits.skip("lt_ref_pic_poc_lsb_sps", order_bits)?;
            bits.flag("used_by_curr_pic_lt_sps_flag")?;
        }
    }
    Ok(())
}

/// st_ref_pic_set; `previous` and the result are NumDeltaPocs, on which the size of the next set depends.
fn short_term_set(bits: &mut Bits<'_>, index: u32, previous: u32) -> Result<u32, ConfigError> {
    if index > 0 && bits.flag("inter_ref_pic_set_prediction_flag")? {
        bits.flag("delta_rps_sign")?;
        bits.ue("abs_delta_rps_minus1")?;
        let mut pictures = 0;
        for _ in 0..=previous {
            if bits.flag("used_by_curr_pic_flag")? || bits.flag("use_delta_flag")? {
                pictures += 1;
            }
        }
        return Ok(pictures);
    }
    let negative = bits.ue_max("num_negative_pics", 16)?;
    let positive = bits.ue_max("num_positive_pics", 16)?;
    for _ in 0..negative + positive {
        bits.ue("delta_poc_minus1")?;
        bits.flag("used_by_curr_pic_flag")?;
    }
    Ok(negative + positive)
}

/// vui_parameters up to the timing.
fn vui_fps(bits: &mut Bits<'_>) -> Result<Option<f64>, ConfigError> {
    if bits.flag("aspect_ratio_info_present_flag")? && bits.u("aspect_ratio_idc", 8)? == 255 {
        bits.skip("sar_width", 32)?;
    }
    if bits.flag("overscan_info_present_flag")? {
        bits.flag("overscan_appropriate_flag")?;
    }
    if bits.flag("video_signal_type_present_flag")? {
        bits.skip("video_format", 4)?;
        if bits.flag("colour_description_present_flag")? {
            bits.skip("colour_primaries", 24)?;
        }
    }
    if bits.flag("chroma_loc_info_present_flag")? {
        bits.ue("chroma_sample_loc_type_top_field")?;
        bits.ue("chroma_sample_loc_type_bottom_field")?;
    }
    bits.skip("neutral_chroma_indication_flag", 3)?;
    if bits.flag("default_display_window_flag")? {
        for _ in 0..4 {
            bits.ue("def_disp_win_offset")?;
        }
    }
    if !bits.flag("vui_timing_info_present_flag")? {
        return Ok(None);
    }
    let units = bits.u("vui_num_units_in_tick", 32)?;
    let time_scale = bits.u("vui_time_scale", 32)?;
    Ok(plausible_fps(time_scale, u64::from(units)))
}
