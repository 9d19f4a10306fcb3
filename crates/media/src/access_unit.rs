//! Whether a coded frame holds together.

use crate::codec::VideoCodec;
use crate::config::obu::{ObuFault, Obus, SEQUENCE_HEADER};

/// What a coded frame consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccessUnit {
    /// Whether decoding can start here, going by the frame itself: an IDR picture of AVC, a random-access picture of HEVC
    /// or VVC, an AV1 temporal unit with a sequence header, a key frame of VP8 or VP9.
    pub has_idr: bool,
    /// NAL units, or open bitstream units of AV1; 1 for other codecs.
    pub nal_count: u32,
}

/// Why a coded frame cannot be what it says. Offsets count from the start of the slice that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessUnitError {
    /// The frame has no data.
    #[error("the frame is empty")]
    Empty,
    /// A unit is longer than what is left, or a length is cut short.
    #[error("{field} {index} at byte {offset} needs {needed} bytes, {left} left")]
    Truncated {
        /// What is cut short: the length, or the unit itself.
        field: &'static str,
        /// The unit, counted from 0.
        index: u32,
        /// Where the field starts.
        offset: usize,
        /// Bytes the field takes.
        needed: usize,
        /// Bytes left.
        left: usize,
    },
    /// Units are set apart by start codes (ITU-T H.264, annex B) where lengths belong: the encoder was meant for MPEG-TS.
    #[error("start codes in place of unit lengths, at byte {offset}")]
    StartCode {
        /// Where the start code lies.
        offset: usize,
    },
    /// forbidden_zero_bit is set: the data is no unit.
    #[error("unit {index} at byte {offset} starts with {found:#04x}, whose highest bit is forbidden")]
    ForbiddenBit {
        /// The unit, counted from 0.
        index: u32,
        /// Where the unit starts.
        offset: usize,
        /// Its first byte.
        found: u8,
    },
    /// A size code of AV1 that is too long or above 32 bits.
    #[error("the size of unit {index} at byte {offset} is no size")]
    OverlongSize {
        /// The unit, counted from 0.
        index: u32,
        /// Where the size starts.
        offset: usize,
    },
    /// The caller's length size is none of 1, 2 and 4.
    #[error("unit lengths of {found} bytes are not possible")]
    LengthSize {
        /// What was given.
        found: u8,
    },
}

/// Walks the units of a coded frame and checks that they add up to it. Nothing is decoded and nothing allocated.
///
/// `nal_length_size` is [`VideoConfig::nal_length_size`](crate::VideoConfig::nal_length_size); codecs without NAL units
/// ignore it. Codecs whose frames have no such structure are only checked for being there at all.
///
/// # Errors
/// [`AccessUnitError`] with the unit and its place.
pub fn check_access_unit(
    codec: VideoCodec,
    nal_length_size: u8,
    body: &[u8],
) -> Result<AccessUnit, AccessUnitError> {
    let Some(&first) = body.first() else {
        return Err(AccessUnitError::Empty);
    };
    let single = |has_idr| Ok(AccessUnit { has_idr, nal_count: 1 });
    match codec {
        VideoCodec::Avc => nal_units(body, nal_length_size, is_avc_idr),
        VideoCodec::Hevc => nal_units(body, nal_length_size, is_hevc_random_access),
        VideoCodec::Vvc => nal_units(body, nal_length_size, is_vvc_random_access),
        VideoCodec::Av1 => temporal_unit(body),
        VideoCodec::Vp8 => single(first & 0x01 == 0),
        VideoCodec::Vp9 => single(is_vp9_key_frame(first)),
        _ => single(false),
    }
}

fn is_avc_idr(unit: &[u8]) -> bool {
    unit.first().is_some_and(|first| first & 0x1f == 5)
}

/// BLA, IDR and CRA (ITU-T H.265, table 7-1).
fn is_hevc_random_access(unit: &[u8]) -> bool {
    unit.first().is_some_and(|first| (16..=21).contains(&((first >> 1) & 0x3f)))
}

/// IDR and CRA (ITU-T H.266, table 5).
fn is_vvc_random_access(unit: &[u8]) -> bool {
    unit.get(1).is_some_and(|second| (7..=9).contains(&(second >> 3)))
}

/// frame_marker, profile, a reserved bit in profile 3 only, then show_existing_frame and frame_type, both 0.
fn is_vp9_key_frame(first: u8) -> bool {
    let flags = if first & 0x30 == 0x30 { 0x06 } else { 0x0c };
    first & 0xc0 == 0x80 && first & flags == 0
}

fn nal_units(
    body: &[u8],
    length_size: u8,
    is_random_access: fn(&[u8]) -> bool,
) -> Result<AccessUnit, AccessUnitError> {
    if !matches!(length_size, 1 | 2 | 4) {
        return Err(AccessUnitError::LengthSize { found: length_size });
    }
    let length_size = usize::from(length_size);
    let mut found = AccessUnit { has_idr: false, nal_count: 0 };
    let mut position = 0;
    while position < body.len() {
        let index = found.nal_count;
        let rest = body.get(position..).unwrap_or_default();
        let Some((length, rest)) = rest.split_at_checked(length_size) else {
            let (field, needed, left) = ("the length of unit", length_size, rest.len());
            return Err(AccessUnitError::Truncated { field, index, offset: position, needed, left });
        };
        let needed = length.iter().fold(0usize, |length, byte| (length << 8) | usize::from(*byte));
        let offset = position + length_size;
        let Some(unit) = rest.get(..needed) else {
            return Err(start_code(body).unwrap_or(AccessUnitError::Truncated {
                field: "unit",
                index,
                offset,
                needed,
                left: rest.len(),
            }));
        };
        if let Some(&first) = unit.first()
            && first & 0x80 != 0
        {
            return Err(start_code(body).unwrap_or(AccessUnitError::ForbiddenBit {
                index,
                offset,
                found: first,
            }));
        }
        found.has_idr |= is_random_access(unit);
        found.nal_count += 1;
        position = offset + needed;
    }
    Ok(found)
}

/// Looked at only once the lengths have failed: 00 00 00 01 is also an honest length.
fn start_code(body: &[u8]) -> Option<AccessUnitError> {
    let starts = body.starts_with(&[0, 0, 0, 1]) || body.starts_with(&[0, 0, 1]);
    starts.then_some(AccessUnitError::StartCode { offset: 0 })
}

fn temporal_unit(body: &[u8]) -> Result<AccessUnit, AccessUnitError> {
    let mut found = AccessUnit { has_idr: false, nal_count: 0 };
    for unit in Obus::new(body, 0) {
        let index = found.nal_count;
        match unit {
            Ok(unit) => found.has_idr |= unit.kind == SEQUENCE_HEADER,
            Err(ObuFault::Truncated { field, offset, needed, left }) => {
                return Err(AccessUnitError::Truncated { field, index, offset, needed, left });
            }
            Err(ObuFault::ForbiddenBit { offset }) => {
                let found = body.get(offset).copied().unwrap_or(0);
                return Err(AccessUnitError::ForbiddenBit { index, offset, found });
            }
            Err(ObuFault::OverlongSize { offset }) => {
                return Err(AccessUnitError::OverlongSize { index, offset });
            }
        }
        found.nal_count += 1;
    }
    Ok(found)
}
