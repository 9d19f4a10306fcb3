//! The picture size, for codecs whose configuration does not hold it: from a key frame.

use super::ConfigError;
use super::av1::sequence_header;
use crate::bits::Bits;
use crate::codec::VideoCodec;
use crate::offset::BitOffset;

/// A picture size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The picture size that a coded frame carries: VP8 (RFC 6386, 9.1), VP9 (specification, 6.2), AV1 (its sequence
/// header), Sorenson H.263 and Screen video (FLV 10.1, E.4.3). `None` for other codecs, and for frames without it or with one of nothing.
///
/// # Errors
/// [`ConfigError`] when the frame's header is broken.
pub fn frame_size(codec: VideoCodec, body: &[u8]) -> Result<Option<FrameSize>, ConfigError> {
    let size = match codec {
        VideoCodec::Vp8 => vp8(body)?,
        VideoCodec::Vp9 => vp9(body)?,
        VideoCodec::Av1 => sequence_header(body, 0)?.map(|header| header.size),
        VideoCodec::H263 => Some(h263(body)?),
        VideoCodec::Screen | VideoCodec::ScreenV2 => Some(screen(body)?),
        VideoCodec::Avc
        | VideoCodec::Hevc
        | VideoCodec::Vvc
        | VideoCodec::Vp6
        | VideoCodec::Vp6Alpha
        | VideoCodec::Other(_) => None,
    };
    Ok(size.filter(|size| size.width > 0 && size.height > 0))
}

fn expect(bits: &mut Bits<'_>, field: &'static str, size: u32, expected: u32) -> Result<(), ConfigError> {
    let at = bits.at();
    match bits.u(field, size)? {
        found if found == expected => Ok(()),
        found => Err(ConfigError::Unexpected { field, at, found, expected }),
    }
}

fn vp8(body: &[u8]) -> Result<Option<FrameSize>, ConfigError> {
    match body {
        [first, ..] if first & 1 == 1 => Ok(None),
        [_, _, _, 0x9d, 0x01, 0x2a, width_low, width_high, height_low, height_high, ..] => {
            // The two highest bits of each ask for scaling after decoding.
            let width = u32::from(u16::from_le_bytes([*width_low, *width_high]) & 0x3fff);
            let height = u32::from(u16::from_le_bytes([*height_low, *height_high]) & 0x3fff);
            Ok(Some(FrameSize { width, height }))
        }
        _ if body.len() < 10 => {
            Err(ConfigError::Truncated { field: "frame header", at: BitOffset::at_byte(body.len()) })
        }
        _ => {
            let mut bits = Bits::new(body, 0);
            bits.skip("frame_tag", 24)?;
            expect(&mut bits, "start_code", 24, 0x9d_01_2a).map(|()| None)
        }
    }
}

fn vp9(body: &[u8]) -> Result<Option<FrameSize>, ConfigError> {
    let mut bits = Bits::new(body, 0);
    expect(&mut bits, "frame_marker", 2, 2)?;
    let profile = bits.u("profile_low_bit", 1)? | (bits.u("profile_high_bit", 1)? << 1);
    if profile == 3 {
        bits.flag("reserved_zero")?;
    }
    let shown_again = bits.flag("show_existing_frame")?;
    if shown_again || bits.flag("frame_type")? {
        return Ok(None);
    }
    bits.skip("show_frame", 2)?;
    expect(&mut bits, "frame_sync_code", 24, 0x49_83_42)?;
    if profile >= 2 {
        bits.flag("ten_or_twelve_bit")?;
    }
    let rgb = bits.u("color_space", 3)? == 7;
    if !rgb {
        bits.flag("color_range")?;
    }
    if profile & 1 == 1 {
        bits.skip("subsampling", if rgb { 1 } else { 3 })?;
    }
    let width = bits.u("frame_width_minus_1", 16)? + 1;
    let height = bits.u("frame_height_minus_1", 16)? + 1;
    Ok(Some(FrameSize { width, height }))
}

fn h263(body: &[u8]) -> Result<FrameSize, ConfigError> {
    let mut bits = Bits::new(body, 0);
    expect(&mut bits, "PictureStartCode", 17, 1)?;
    bits.skip("Version", 5)?;
    bits.skip("TemporalReference", 8)?;
    let at = bits.at();
    let (width, height) = match bits.u("PictureSize", 3)? {
        0 => (bits.u("CustomWidth", 8)?, bits.u("CustomHeight", 8)?),
        1 => (bits.u("CustomWidth", 16)?, bits.u("CustomHeight", 16)?),
        2 => (352, 288),
        3 => (176, 144),
        4 => (128, 96),
        5 => (320, 240),
        6 => (160, 120),
        found => return Err(ConfigError::Reserved { field: "PictureSize", at, found }),
    };
    Ok(FrameSize { width, height })
}

fn screen(body: &[u8]) -> Result<FrameSize, ConfigError> {
    let mut bits = Bits::new(body, 0);
    bits.skip("BlockWidth", 4)?;
    let width = bits.u("ImageWidth", 12)?;
    bits.skip("BlockHeight", 4)?;
    let height = bits.u("ImageHeight", 12)?;
    Ok(FrameSize { width, height })
}
