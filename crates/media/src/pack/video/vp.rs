//! VP8 and VP9: frames, and VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding) from a key frame.

use super::super::PackError;
use super::{Looked, write};
use crate::access_unit::check_access_unit;
use crate::bits::Bits;
use crate::codec::VideoCodec;
use crate::config::{ConfigError, frame_size};

/// Colour primaries, transfer and matrix that nobody named.
const UNSPECIFIED: u8 = 2;

/// What is known of a VP8 or VP9 track.
#[derive(Debug)]
pub struct Vp {
    codec: VideoCodec,
}

impl Vp {
    pub fn vp8() -> Self {
        Self { codec: VideoCodec::Vp8 }
    }

    pub fn vp9() -> Self {
        Self { codec: VideoCodec::Vp9 }
    }

    pub fn four_cc(&self) -> [u8; 4] {
        if self.codec == VideoCodec::Vp8 { *b"vp08" } else { *b"vp09" }
    }

    pub fn look(&mut self, data: &[u8]) -> Result<Looked, PackError> {
        let key = check_access_unit(self.codec, 0, data).is_ok_and(|unit| unit.has_idr);
        let record = match (key, self.codec) {
            (false, _) => None,
            (true, VideoCodec::Vp8) => Some(vp8_record(data)),
            (true, _) => vp9_record(data)?,
        };
        Ok(Looked { record, key, picture: true })
    }

    pub fn frame(&self, data: &[u8], key: bool) -> Result<Vec<u8>, PackError> {
        write::enhanced_data(self.four_cc(), key, data, std::slice::from_ref(&(0..data.len())))
    }
}

fn record(profile: u8, level: u8, depth: u8, chroma: u8, full_range: bool, matrix: u8) -> Vec<u8> {
    let third = depth << 4 | chroma << 1 | u8::from(full_range);
    vec![profile, level, third, UNSPECIFIED, UNSPECIFIED, matrix, 0, 0]
}

fn vp8_record(data: &[u8]) -> Vec<u8> {
    let version = data.first().map_or(0, |first| (first >> 1) & 0x07);
    record(version, 0, 8, 1, false, UNSPECIFIED)
}

/// From the uncompressed header of a key frame (VP9 specification, 6.2).
fn vp9_record(data: &[u8]) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(size) = frame_size(VideoCodec::Vp9, data)? else { return Ok(None) };
    let mut bits = Bits::new(data, 0);
    bits.skip("frame_marker", 2)?;
    let profile = bits.u8("profile_low_bit", 1)? | bits.u8("profile_high_bit", 1)? << 1;
    bits.skip("show_existing_frame", if profile == 3 { 5 } else { 4 })?;
    bits.skip("frame_sync_code", 24)?;
    let depth = match profile >= 2 {
        true if bits.flag("ten_or_twelve_bit")? => 12,
        true => 10,
        false => 8,
    };
    let space = bits.u("color_space", 3)?;
    let rgb = space == 7;
    let full_range = rgb || bits.flag("color_range")?;
    let chroma = match (profile & 1 == 1, rgb) {
        // Matrix 0 is RGB, which has no subsampling.
        (_, true) => 3,
        (false, _) => 1,
        (true, _) => match (bits.flag("subsampling_x")?, bits.flag("subsampling_y")?) {
            (true, true) => 1,
            (true, false) => 2,
            _ => 3,
        },
    };
    let matrix = match space {
        1 => 6,
        2 => 1,
        5 => 9,
        7 => 0,
        _ => UNSPECIFIED,
    };
    Ok(Some(record(profile, vp9_level(size.width, size.height), depth, chroma, full_range, matrix)))
}

/// The lowest level whose picture is large enough, at the frame rates of live streams (VP9 levels, annex A).
fn vp9_level(width: u32, height: u32) -> u8 {
    const LEVELS: [(u64, u8); 8] = [
        (36_864, 10),
        (73_728, 11),
        (122_880, 20),
        (245_760, 21),
        (552_960, 30),
        (983_040, 31),
        (2_228_224, 41),
        (8_912_896, 51),
    ];
    let size = u64::from(width) * u64::from(height);
    LEVELS.into_iter().find(|(largest, _)| size <= *largest).map_or(61, |(_, level)| level)
}
