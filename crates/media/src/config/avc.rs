//! AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) and the sequence parameter set in it (ITU-T H.264, 7.3.2.1
//! and E.1.1).

use super::parameter_sets::{NalUnit, Record, crop};
use super::video::plausible_fps;
use super::{ConfigError, Level, VideoConfig};
use crate::bits::Bits;
use crate::codec::VideoCodec;
use crate::offset::BitOffset;

/// Picture sides above this are beyond every level, and the arithmetic below stays far from its limits.
const MAX_SIDE: u32 = 1 << 16;
const SPS: u32 = 7;

pub(super) fn config(body: &[u8]) -> Result<VideoConfig, ConfigError> {
    let mut record = Record::new(body);
    record.version(1)?;
    let [profile, constraints, level] = record.array("AVCProfileIndication")?;
    let at = record.at();
    let lengths = record.u8("lengthSizeMinusOne")?;
    let nal_length_size = record.nal_length_size(lengths & 0x03, at)?;
    let sets = record.u8("numOfSequenceParameterSets")? & 0x1f;
    let mut first: Option<NalUnit<'_>> = None;
    for _ in 0..sets {
        let unit = record.nal_unit("sequenceParameterSetNALUnit")?;
        first = first.or(Some(unit));
    }
    for _ in 0..record.u8("numOfPictureParameterSets")? {
        record.nal_unit("pictureParameterSetNALUnit")?;
    }
    // What follows for the high profiles repeats the parameter set, and older encoders leave it out.
    let Some(unit) = first else {
        return Err(ConfigError::Missing { what: "sequence parameter set", at: record.at() });
    };
    let sps = Sps::parse(unit)?;
    Ok(VideoConfig {
        codec: VideoCodec::Avc,
        width: Some(sps.width),
        height: Some(sps.height),
        profile,
        level: Some(avc_level(profile, constraints, level)),
        fps: sps.fps,
        codec_string: format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
        nal_length_size,
    })
}

/// Level 1b is 9, or in the three oldest profiles 11 with constraint_set3_flag (H.264, A.3.4.1).
fn avc_level(profile: u8, constraints: u8, level: u8) -> Level {
    let old = matches!(profile, 66 | 77 | 88);
    match level {
        9 => Level { b: true, ..Level::new(1, 0) },
        11 if old && constraints & 0x10 != 0 => Level { b: true, ..Level::new(1, 0) },
        _ => Level::from_tenths(level),
    }
}

struct Sps {
    width: u32,
    height: u32,
    fps: Option<f64>,
}

impl Sps {
    fn parse(unit: NalUnit<'_>) -> Result<Self, ConfigError> {
        let mut bits = Bits::of_nal_unit(unit.data, unit.offset)?;
        bits.skip("forbidden_zero_bit", 3)?;
        let found = bits.u("nal_unit_type", 5)?;
        if found != SPS {
            let at = BitOffset { byte: unit.offset, bit: 3 };
            return Err(ConfigError::Unexpected { field: "nal_unit_type", at, found, expected: SPS });
        }
        let profile = bits.u("profile_idc", 8)?;
        bits.skip("constraint_set_flags", 8)?;
        bits.skip("level_idc", 8)?;
        bits.ue_max("seq_parameter_set_id", 31)?;
        let chroma = chroma_format(&mut bits, profile)?;
        bits.ue_max("log2_max_frame_num_minus4", 12)?;
        picture_order(&mut bits)?;
        bits.ue_max("max_num_ref_frames", 16)?;
        bits.flag("gaps_in_frame_num_value_allowed_flag")?;
        let width = (bits.ue_max("pic_width_in_mbs_minus1", MAX_SIDE / 16 - 1)? + 1) * 16;
        let map_units = bits.ue_max("pic_height_in_map_units_minus1", MAX_SIDE / 16 - 1)? + 1;
        let frames_only = bits.flag("frame_mbs_only_flag")?;
        let fields = if frames_only { 1 } else { 2 };
        let height = map_units * 16 * fields;
        if !frames_only {
            bits.flag("mb_adaptive_frame_field_flag")?;
        }
        bits.flag("direct_8x8_inference_flag")?;
        let (mut across, mut down) = (0, 0);
        if bits.flag("frame_cropping_flag")? {
            let (unit_x, unit_y) = chroma.crop_unit();
            let left = u64::from(bits.ue("frame_crop_left_offset")?);
            let right = u64::from(bits.ue("frame_crop_right_offset")?);
            let top = u64::from(bits.ue("frame_crop_top_offset")?);
            let bottom = u64::from(bits.ue("frame_crop_bottom_offset")?);
            across = (left + right) * unit_x;
            down = (top + bottom) * unit_y * u64::from(fields);
        }
        let (width, height) = crop(&bits, (width, height), (across, down))?;
        let fps = if bits.flag("vui_parameters_present_flag")? { vui_fps(&mut bits)? } else { None };
        Ok(Self { width, height, fps })
    }
}

/// chroma_format_idc, 0 where the colour planes are coded apart.
struct Chroma(u32);

impl Chroma {
    /// CropUnitX and, for a frame, CropUnitY (H.264, 7.4.2.1.1).
    fn crop_unit(&self) -> (u64, u64) {
        match self.0 {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        }
    }
}

fn chroma_format(bits: &mut Bits<'_>, profile: u32) -> Result<Chroma, ConfigError> {
    if !matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        return Ok(Chroma(1));
    }
    let format = bits.ue_max("chroma_format_idc", 3)?;
    let apart = format == 3 && bits.flag("separate_colour_plane_flag")?;
    bits.ue_max("bit_depth_luma_minus8", 6)?;
    bits.ue_max("bit_depth_chroma_minus8", 6)?;
    bits.flag("qpprime_y_zero_transform_bypass_flag")?;
    if bits.flag("seq_scaling_matrix_present_flag")? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag("seq_scaling_list_present_flag")? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(Chroma(if apart { 0 } else { format }))
}

/// scaling_list (H.264, 7.3.2.1.1.1): once the next scale is 0, the rest of the list is not sent.
fn scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), ConfigError> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.se("delta_scale")?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

fn picture_order(bits: &mut Bits<'_>) -> Result<(), ConfigError> {
    match bits.ue_max("pic_order_cnt_type", 2)? {
        0 => {
            bits.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)?;
        }
        1 => {
            bits.flag("delta_pic_order_always_zero_flag")?;
            bits.se("offset_for_non_ref_pic")?;
            bits.se("offset_for_top_to_bottom_field")?;
            for _ in 0..bits.ue_max("num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                bits.se("offset_for_ref_frame")?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// vui_parameters up to the timing, which counts fields: two ticks a frame (H.264, E.2.1).
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
    if !bits.flag("timing_info_present_flag")? {
        return Ok(None);
    }
    let units = bits.u("num_units_in_tick", 32)?;
    let time_scale = bits.u("time_scale", 32)?;
    Ok(plausible_fps(time_scale, u64::from(units) * 2))
}
