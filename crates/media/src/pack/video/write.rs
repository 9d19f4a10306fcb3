//! The bodies themselves (FLV 10.1, E.4.3; Enhanced RTMP v2, "Enhancing Video").

use std::ops::Range;

use super::super::PackError;
use crate::flv::MAX_BODY;

const AVC: u8 = 7;
const KEY: u8 = 1;
const INTER: u8 = 2;
const ENHANCED: u8 = 0x80;
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const CODED_FRAMES_X: u8 = 3;
/// Bytes of the length before each NAL unit.
const LENGTH: usize = 4;

fn frame_type(key: bool) -> u8 {
    (if key { KEY } else { INTER }) << 4
}

pub fn classic_header(record: &[u8]) -> Vec<u8> {
    [&[frame_type(true) | AVC, 0, 0, 0, 0], record].concat()
}

pub fn enhanced_header(four_cc: [u8; 4], record: &[u8]) -> Vec<u8> {
    [&[ENHANCED | frame_type(true) | SEQUENCE_START], &four_cc[..], record].concat()
}

/// A picture of H.264: classic header, then the units with a length before each.
pub fn classic_units(
    key: bool,
    composition: i32,
    data: &[u8],
    units: &[Range<usize>],
) -> Result<Vec<u8>, PackError> {
    let [_, c0, c1, c2] = composition.to_be_bytes();
    lengths(&[frame_type(key) | AVC, 1, c0, c1, c2], data, units)
}

/// A picture of a codec with NAL units, under its FourCC.
pub fn enhanced_units(
    four_cc: [u8; 4],
    key: bool,
    composition: i32,
    data: &[u8],
    units: &[Range<usize>],
) -> Result<Vec<u8>, PackError> {
    let [f0, f1, f2, f3] = four_cc;
    let first = ENHANCED | frame_type(key);
    if composition == 0 {
        return lengths(&[first | CODED_FRAMES_X, f0, f1, f2, f3], data, units);
    }
    let [_, c0, c1, c2] = composition.to_be_bytes();
    lengths(&[first | CODED_FRAMES, f0, f1, f2, f3, c0, c1, c2], data, units)
}

/// A picture of a codec without NAL units: the ranges as they are.
pub fn enhanced_data(
    four_cc: [u8; 4],
    key: bool,
    data: &[u8],
    ranges: &[Range<usize>],
) -> Result<Vec<u8>, PackError> {
    let size = 5 + ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
    let mut body = body(size)?;
    body.push(ENHANCED | frame_type(key) | CODED_FRAMES);
    body.extend_from_slice(&four_cc);
    for range in ranges {
        body.extend_from_slice(data.get(range.clone()).unwrap_or_default());
    }
    Ok(body)
}

fn lengths(head: &[u8], data: &[u8], units: &[Range<usize>]) -> Result<Vec<u8>, PackError> {
    let size = head.len() + units.iter().map(|unit| unit.len() + LENGTH).sum::<usize>();
    let mut body = body(size)?;
    body.extend_from_slice(head);
    for unit in units {
        // Below MAX_BODY, so that it fits.
        body.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        body.extend_from_slice(data.get(unit.clone()).unwrap_or_default());
    }
    Ok(body)
}

/// Room for exactly this much: what is not reallocated is not copied.
fn body(size: usize) -> Result<Vec<u8>, PackError> {
    if size > MAX_BODY {
        return Err(PackError::TooLong { found: size });
    }
    Ok(Vec::with_capacity(size))
}
