//! AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3) and the sequence header in it (AV1 specification, 5.5).

use super::obu::{Obu, ObuFault, Obus, SEQUENCE_HEADER};
use super::parameter_sets::Record;
use super::video::plausible_fps;
use super::{ConfigError, FrameSize, Level, VideoConfig};
use crate::bits::{Bits, MAX_PARAMETER_SET};
use crate::codec::VideoCodec;
use crate::offset::BitOffset;

/// Marker bit and version, which are one byte together.
const MARKER_AND_VERSION: u8 = 0x81;
/// seq_level_idx: no level, the maximum parameters.
const NO_LEVEL: u8 = 31;

pub(super) fn config(body: &[u8]) -> Result<VideoConfig, ConfigError> {
    let mut record = Record::new(body);
    record.version(MARKER_AND_VERSION)?;
    let [profile_and_level, flags, _delay] = record.array("seq_profile")?;
    let profile = profile_and_level >> 5;
    let level = profile_and_level & 0x1f;
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match flags & 0x60 {
        0x60 => 12,
        0x40 => 10,
        _ => 8,
    };
    // An encoder may leave the sequence header to its key frames.
    let header = sequence_header(body, record.at().byte)?;
    Ok(VideoConfig {
        codec: VideoCodec::Av1,
        width: header.map(|header| header.size.width),
        height: header.map(|header| header.size.height),
        profile,
        level: (level != NO_LEVEL).then(|| Level::new(2 + (level >> 2), level & 0x03)),
        fps: header.and_then(|header| header.fps),
        codec_string: format!("av01.{profile}.{level:02}{tier}.{depth:02}"),
        nal_length_size: 0,
    })
}

/// What the watch wants of a sequence header, and what the configuration record repeats of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SequenceHeader {
    pub size: FrameSize,
    pub fps: Option<f64>,
    profile: u32,
    level: u32,
    high_tier: bool,
    reduced: bool,
}

/// The first sequence header among the units from `start` on. All units are walked, so that a broken one is noticed.
pub(super) fn sequence_header(data: &[u8], start: usize) -> Result<Option<SequenceHeader>, ConfigError> {
    let mut found = None;
    for unit in Obus::new(data, start) {
        let Obu { kind, body } = unit.map_err(config_error)?;
        if kind == SEQUENCE_HEADER && found.is_none() {
            found = Some(parse(data.get(body.clone()).unwrap_or_default(), body.start)?);
        }
    }
    Ok(found)
}

fn config_error(fault: ObuFault) -> ConfigError {
    match fault {
        ObuFault::Truncated { field, offset, left, .. } => {
            ConfigError::Truncated { field, at: BitOffset::at_byte(offset.saturating_add(left)) }
        }
        ObuFault::ForbiddenBit { offset } => {
            ConfigError::Reserved { field: "obu_forbidden_bit", at: BitOffset::at_byte(offset), found: 1 }
        }
        ObuFault::OverlongSize { offset } => {
            ConfigError::OverlongCode { field: "obu_size", at: BitOffset::at_byte(offset) }
        }
    }
}

fn parse(data: &[u8], offset: usize) -> Result<SequenceHeader, ConfigError> {
    if data.len() > MAX_PARAMETER_SET {
        let at = BitOffset::at_byte(offset);
        let field = "sequence_header_obu";
        return Err(ConfigError::TooLong { field, at, found: data.len(), limit: MAX_PARAMETER_SET });
    }
    read(&mut Bits::new(data, offset))
}

/// The first four bytes of the configuration record of a stream with this sequence header (the unit without its own
/// header).
pub(crate) fn av1_record_head(header: &[u8]) -> Result<[u8; 4], ConfigError> {
    parse(header, 0)?;
    let mut bits = Bits::new(header, 0);
    let sequence = read(&mut bits)?;
    coding_tools(&mut bits, sequence.reduced)?;
    let format = color_config(&mut bits, sequence.profile)?;
    let second = (sequence.profile << 5 | sequence.level) as u8;
    Ok([MARKER_AND_VERSION, second, u8::from(sequence.high_tier) << 7 | format, 0])
}

/// From frame_id_numbers_present_flag to enable_restoration.
fn coding_tools(bits: &mut Bits<'_>, reduced: bool) -> Result<(), ConfigError> {
    if !reduced && bits.flag("frame_id_numbers_present_flag")? {
        bits.skip("delta_frame_id_length_minus_2", 4 + 3)?;
    }
    bits.skip("use_128x128_superblock", 3)?;
    if !reduced {
        bits.skip("enable_interintra_compound", 4)?;
        let order_hint = bits.flag("enable_order_hint")?;
        if order_hint {
            bits.skip("enable_jnt_comp", 2)?;
        }
        let screen =
            bits.flag("seq_choose_screen_content_tools")? || bits.flag("seq_force_screen_content_tools")?;
        if screen && !bits.flag("seq_choose_integer_mv")? {
            bits.flag("seq_force_integer_mv")?;
        }
        if order_hint {
            bits.skip("order_hint_bits_minus_1", 3)?;
        }
    }
    bits.skip("enable_superres", 3)
}

/// color_config, as the third byte of the record has it, the tier left out.
fn color_config(bits: &mut Bits<'_>, profile: u32) -> Result<u8, ConfigError> {
    let high = bits.flag("high_bitdepth")?;
    let twelve = profile == 2 && high && bits.flag("twelve_bit")?;
    let mono = profile != 1 && bits.flag("mono_chrome")?;
    let mut color = [2; 3];
    if bits.flag("color_description_present_flag")? {
        for value in &mut color {
            *value = bits.u("color_primaries", 8)?;
        }
    }
    let depth = u8::from(high) << 6 | u8::from(twelve) << 5 | u8::from(mono) << 4;
    // BT.709 primaries, sRGB transfer and no matrix: RGB, which is never subsampled.
    if !mono && color == [1, 13, 0] {
        return Ok(depth);
    }
    bits.flag("color_range")?;
    let (across, down) = match profile {
        _ if mono => return Ok(depth | 0x0c),
        0 => (true, true),
        1 => (false, false),
        _ if twelve => {
            let across = bits.flag("subsampling_x")?;
            (across, across && bits.flag("subsampling_y")?)
        }
        _ => (true, false),
    };
    let position = if across && down { bits.u8("chroma_sample_position", 2)? } else { 0 };
    Ok(depth | u8::from(across) << 3 | u8::from(down) << 2 | position)
}

fn read(bits: &mut Bits<'_>) -> Result<SequenceHeader, ConfigError> {
    let at = bits.at();
    let profile = bits.u("seq_profile", 3)?;
    if profile > 2 {
        return Err(ConfigError::Reserved { field: "seq_profile", at, found: profile });
    }
    bits.flag("still_picture")?;
    let reduced = bits.flag("reduced_still_picture_header")?;
    let Points { fps, level, high_tier } = if reduced {
        Points { fps: None, level: bits.u("seq_level_idx", 5)?, high_tier: false }
    } else {
        operating_points(bits)?
    };
    let width_bits = bits.u("frame_width_bits_minus_1", 4)? + 1;
    let height_bits = bits.u("frame_height_bits_minus_1", 4)? + 1;
    let width = bits.u("max_frame_width_minus_1", width_bits)? + 1;
    let height = bits.u("max_frame_height_minus_1", height_bits)? + 1;
    Ok(SequenceHeader { size: FrameSize { width, height }, fps, profile, level, high_tier, reduced })
}

/// The frame rate where frames come at equal intervals, and level and tier of the first operating point.
struct Points {
    fps: Option<f64>,
    level: u32,
    high_tier: bool,
}

/// Timing and operating points.
fn operating_points(bits: &mut Bits<'_>) -> Result<Points, ConfigError> {
    let mut fps = None;
    let mut first = None;
    let mut delay_bits = None;
    if bits.flag("timing_info_present_flag")? {
        let units = bits.u("num_units_in_display_tick", 32)?;
        let time_scale = bits.u("time_scale", 32)?;
        if bits.flag("equal_picture_interval")? {
            // uvlc(), which is coded as ue(v) is.
            let ticks = u64::from(bits.ue("num_ticks_per_picture_minus_1")?) + 1;
            fps = plausible_fps(time_scale, u64::from(units).saturating_mul(ticks));
        }
        if bits.flag("decoder_model_info_present_flag")? {
            delay_bits = Some(bits.u("buffer_delay_length_minus_1", 5)? + 1);
            bits.skip("num_units_in_decoding_tick", 32)?;
            bits.skip("buffer_removal_time_length_minus_1", 10)?;
        }
    }
    let display_delay = bits.flag("initial_display_delay_present_flag")?;
    for _ in 0..=bits.u("operating_points_cnt_minus_1", 5)? {
        bits.skip("operating_point_idc", 12)?;
        let level = bits.u("seq_level_idx", 5)?;
        let high_tier = level > 7 && bits.flag("seq_tier")?;
        first = first.or(Some((level, high_tier)));
        if let Some(size) = delay_bits
            && bits.flag("decoder_model_present_for_this_op")?
        {
            bits.skip("decoder_buffer_delay", 2 * size + 1)?;
        }
        if display_delay && bits.flag("initial_display_delay_present_for_this_op")? {
            bits.skip("initial_display_delay_minus_1", 4)?;
        }
    }
    let (level, high_tier) = first.unwrap_or_default();
    Ok(Points { fps, level, high_tier })
}
