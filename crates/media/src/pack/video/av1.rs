//! AV1: temporal units to samples and AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3 and 2.4).

use std::ops::Range;

use super::super::PackError;
use super::{Looked, write};
use crate::config::obu::{ObuFault, Obus, SEQUENCE_HEADER};
use crate::config::{ConfigError, av1_record_head};

const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;
/// More units than the tiles of a picture need.
const MAX_UNITS: usize = 1024;

/// What is known of an AV1 track.
#[derive(Debug, Default)]
pub struct Av1 {
    sequence: Vec<u8>,
    kept: Vec<Range<usize>>,
}

impl Av1 {
    pub fn look(&mut self, data: &[u8]) -> Result<Looked, PackError> {
        self.kept.clear();
        let (mut key, mut picture, mut record) = (false, false, None);
        let mut start = 0;
        for (count, unit) in Obus::new(data, 0).enumerate() {
            let unit = unit.map_err(broken)?;
            if count == MAX_UNITS {
                return Err(PackError::TooManyUnits { limit: MAX_UNITS });
            }
            let whole = start..unit.body.end;
            start = unit.body.end;
            match unit.kind {
                TEMPORAL_DELIMITER | TILE_LIST | PADDING => continue,
                SEQUENCE_HEADER => {
                    key = true;
                    let header = data.get(unit.body).unwrap_or_default();
                    if self.sequence != header {
                        record = Some(self::record(header)?);
                        self.sequence = header.to_vec();
                    }
                }
                FRAME_HEADER | FRAME => picture = true,
                _ => {}
            }
            // Neighbours are one piece to copy.
            match self.kept.last_mut() {
                Some(last) if last.end == whole.start => last.end = whole.end,
                _ => self.kept.push(whole),
            }
        }
        Ok(Looked { record, key: key && picture, picture })
    }

    pub fn frame(&self, data: &[u8], key: bool) -> Result<Vec<u8>, PackError> {
        write::enhanced_data(*b"av01", key, data, &self.kept)
    }
}

fn broken(fault: ObuFault) -> PackError {
    let (ObuFault::Truncated { offset, .. }
    | ObuFault::ForbiddenBit { offset }
    | ObuFault::OverlongSize { offset }) = fault;
    PackError::OpenBitstreamUnit { offset }
}

/// The record, with the sequence header as its one unit.
fn record(header: &[u8]) -> Result<Vec<u8>, ConfigError> {
    const HAS_SIZE: u8 = 0x02;
    let mut record = av1_record_head(header)?.to_vec();
    record.push(SEQUENCE_HEADER << 3 | HAS_SIZE);
    let mut size = header.len();
    loop {
        let low = (size & 0x7f) as u8;
        size >>= 7;
        if size == 0 {
            record.push(low);
            break;
        }
        record.push(low | 0x80);
    }
    record.extend_from_slice(header);
    Ok(record)
}
