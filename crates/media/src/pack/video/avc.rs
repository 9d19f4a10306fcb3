//! H.264: NAL units (ITU-T H.264, 7.3.1) to samples and AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).

use std::ops::Range;

use super::super::{PackError, annex_b};
use super::sets::Sets;
use super::{Looked, write};
use crate::bits::Bits;
use crate::config::ConfigError;

const IDR: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const END_OF_SEQUENCE: u8 = 10;
const END_OF_STREAM: u8 = 11;
const FILLER: u8 = 12;
const RECOVERY_POINT: u32 = 6;

/// What is known of an H.264 track.
#[derive(Debug, Default)]
pub struct Avc {
    sps: Sets,
    pps: Sets,
    /// The units of the picture at hand that belong into its sample.
    kept: Vec<Range<usize>>,
}

impl Avc {
    pub fn look(&mut self, data: &[u8]) -> Result<Looked, PackError> {
        annex_b::split(data, &mut self.kept)?;
        let mut changed = false;
        let (mut key, mut picture, mut has_sps, mut recovery) = (false, false, false, false);
        for range in &self.kept {
            let unit = data.get(range.clone()).unwrap_or_default();
            let kind = kind(unit);
            if unit.first().is_some_and(|first| first & 0x80 != 0) {
                return Err(PackError::Unit { offset: range.start });
            }
            match kind {
                SPS => {
                    has_sps = true;
                    if self.sps.take(sps_id(unit)?, unit)? {
                        changed = true;
                        // Picture parameter sets are read in the light of this one, and come again behind it.
                        self.pps.clear();
                    }
                }
                PPS => changed |= self.pps.take(pps_id(unit)?, unit)?,
                SEI => recovery |= is_recovery_point(unit),
                IDR => (key, picture) = (true, true),
                1..=4 => picture = true,
                _ => {}
            }
        }
        // Broadcast encoders open their groups of pictures with an I picture and a recovery point instead of an IDR picture.
        key |= picture && has_sps && recovery;
        self.kept.retain(|range| {
            let kind = kind(data.get(range.clone()).unwrap_or_default());
            !matches!(kind, SPS | PPS | DELIMITER | END_OF_SEQUENCE | END_OF_STREAM | FILLER)
        });
        let record = if changed { self.record()? } else { None };
        Ok(Looked { record, key, picture })
    }

    pub fn frame(&self, data: &[u8], key: bool, composition: i32) -> Result<Vec<u8>, PackError> {
        write::classic_units(key, composition, data, &self.kept)
    }

    /// `None` until both kinds of parameter sets are there.
    fn record(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some([_, profile, constraints, level, ..]) = self.sps.first().filter(|_| self.pps.count() > 0)
        else {
            return Ok(None);
        };
        let mut record = vec![1, *profile, *constraints, *level, 0xff, 0xe0 | (self.sps.count() & 0x1f)];
        self.sps.write(&mut record);
        record.push(self.pps.count());
        self.pps.write(&mut record);
        if let Some(format) = high_format(self.sps.first().unwrap_or_default())? {
            record.extend_from_slice(&format);
        }
        Ok(Some(record))
    }
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |first| first & 0x1f)
}

fn sps_id(unit: &[u8]) -> Result<u32, ConfigError> {
    let mut bits = Bits::of_nal_unit(unit, 0)?;
    bits.skip("profile_idc", 32)?;
    bits.ue_max("seq_parameter_set_id", 30)
}

fn pps_id(unit: &[u8]) -> Result<u32, ConfigError> {
    let mut bits = Bits::of_nal_unit(unit, 0)?;
    bits.skip("nal_unit_type", 8)?;
    bits.ue_max("pic_parameter_set_id", 255)
}

/// What the record repeats of the parameter set for the high profiles: chroma format, bit depths, and no extensions.
fn high_format(unit: &[u8]) -> Result<Option<[u8; 4]>, ConfigError> {
    let mut bits = Bits::of_nal_unit(unit, 0)?;
    bits.skip("nal_unit_type", 8)?;
    let profile = bits.u("profile_idc", 8)?;
    if !matches!(profile, 100 | 110 | 122 | 144 | 244) {
        return Ok(None);
    }
    bits.skip("level_idc", 16)?;
    bits.ue("seq_parameter_set_id")?;
    let chroma = bits.ue_max("chroma_format_idc", 3)?;
    if chroma == 3 {
        bits.flag("separate_colour_plane_flag")?;
    }
    let luma_depth = bits.ue_max("bit_depth_luma_minus8", 6)?;
    let chroma_depth = bits.ue_max("bit_depth_chroma_minus8", 6)?;
    Ok(Some([0xfc | chroma as u8, 0xf8 | luma_depth as u8, 0xf8 | chroma_depth as u8, 0]))
}

/// Whether the first messages of a supplemental unit hold a recovery point (H.264, 7.3.2.3.1 and D.1.8).
fn is_recovery_point(unit: &[u8]) -> bool {
    // Long ones hold captions or the encoder's name; a recovery point stands before those or in a unit of its own.
    let Ok(mut bits) = Bits::of_nal_unit(unit.get(..unit.len().min(64)).unwrap_or_default(), 0) else {
        return false;
    };
    if bits.skip("nal_unit_type", 8).is_err() {
        return false;
    }
    let number = |bits: &mut Bits<'_>| -> Result<u32, ConfigError> {
        let mut sum = 0u32;
        loop {
            let byte = bits.u("sei_byte", 8)?;
            sum = sum.saturating_add(byte);
            if byte != 255 {
                return Ok(sum);
            }
        }
    };
    loop {
        let (Ok(kind), Ok(size)) = (number(&mut bits), number(&mut bits)) else { return false };
        if kind == RECOVERY_POINT {
            return true;
        }
        if bits.skip("sei_payload", size.saturating_mul(8)).is_err() {
            return false;
        }
    }
}
