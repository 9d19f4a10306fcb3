//! HEVC: NAL units (ITU-T H.265, 7.3.1) to samples and HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).

use std::ops::Range;

use super::super::{PackError, annex_b};
use super::sets::Sets;
use super::{Looked, write};
use crate::bits::Bits;
use crate::config::{ConfigError, hevc_profile_tier_level};

const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
const FOUR_CC: [u8; 4] = *b"hvc1";

/// What is known of an HEVC track.
#[derive(Debug, Default)]
pub struct Hevc {
    vps: Sets,
    sps: Sets,
    pps: Sets,
    kept: Vec<Range<usize>>,
}

impl Hevc {
    pub fn look(&mut self, data: &[u8]) -> Result<Looked, PackError> {
        annex_b::split(data, &mut self.kept)?;
        let (mut changed, mut key, mut picture) = (false, false, false);
        for range in &self.kept {
            let unit = data.get(range.clone()).unwrap_or_default();
            if unit.len() < 2 || unit.first().is_some_and(|first| first & 0x80 != 0) {
                return Err(PackError::Unit { offset: range.start });
            }
            match kind(unit) {
                VPS => changed |= self.vps.take(vps_id(unit)?, unit)?,
                SPS if self.sps.take(Sps::read(unit)?.id, unit)? => {
                    changed = true;
                    // Picture parameter sets are read in the light of this one, and come again behind it.
                    self.pps.clear();
                }
                PPS => changed |= self.pps.take(pps_id(unit)?, unit)?,
                16..=21 => (key, picture) = (true, true),
                0..=9 => picture = true,
                _ => {}
            }
        }
        // Parameter sets, delimiter, end of sequence and of stream, filler.
        self.kept.retain(|range| !matches!(kind(data.get(range.clone()).unwrap_or_default()), 32..=38));
        let record = if changed { self.record()? } else { None };
        Ok(Looked { record, key, picture })
    }

    pub fn frame(&self, data: &[u8], key: bool, composition: i32) -> Result<Vec<u8>, PackError> {
        write::enhanced_units(FOUR_CC, key, composition, data, &self.kept)
    }

    fn record(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(first) = self.sps.first().filter(|_| self.vps.count() > 0 && self.pps.count() > 0) else {
            return Ok(None);
        };
        let sps = Sps::read(first)?;
        let mut record = vec![1];
        record.extend_from_slice(&sps.profile_tier_level);
        // No spatial segmentation and parallelism known.
        record.extend_from_slice(&[0xf0, 0, 0xfc]);
        record.extend_from_slice(&[0xfc | sps.chroma, 0xf8 | sps.luma_depth, 0xf8 | sps.chroma_depth]);
        // Frame rate unknown; temporal layers; lengths of four bytes; three arrays.
        record.extend_from_slice(&[0, 0, (sps.layers & 7) << 3 | u8::from(sps.nested) << 2 | 3, 3]);
        for (kind, sets) in [(VPS, &self.vps), (SPS, &self.sps), (PPS, &self.pps)] {
            const COMPLETE: u8 = 0x80;
            record.extend_from_slice(&[COMPLETE | kind, 0, sets.count()]);
            sets.write(&mut record);
        }
        Ok(Some(record))
    }
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |first| (first >> 1) & 0x3f)
}

fn vps_id(unit: &[u8]) -> Result<u32, ConfigError> {
    let mut bits = Bits::of_nal_unit(unit, 0)?;
    bits.skip("nal_unit_header", 16)?;
    bits.u("vps_video_parameter_set_id", 4)
}

fn pps_id(unit: &[u8]) -> Result<u32, ConfigError> {
    let mut bits = Bits::of_nal_unit(unit, 0)?;
    bits.skip("nal_unit_header", 16)?;
    bits.ue_max("pps_pic_parameter_set_id", 63)
}

/// The start of a sequence parameter set (ITU-T H.265, 7.3.2.2.1).
struct Sps {
    id: u32,
    /// General profile, compatibility, constraints and level.
    profile_tier_level: [u8; 12],
    chroma: u8,
    luma_depth: u8,
    chroma_depth: u8,
    layers: u8,
    nested: bool,
}

impl Sps {
    fn read(unit: &[u8]) -> Result<Self, ConfigError> {
        let mut bits = Bits::of_nal_unit(unit, 0)?;
        bits.skip("nal_unit_header", 16)?;
        bits.skip("sps_video_parameter_set_id", 4)?;
        let sub_layers = bits.u("sps_max_sub_layers_minus1", 3)?.min(6);
        let nested = bits.flag("sps_temporal_id_nesting_flag")?;
        let mut general = bits.clone();
        hevc_profile_tier_level(&mut bits, sub_layers)?;
        let mut profile_tier_level = [0; 12];
        for byte in &mut profile_tier_level {
            *byte = general.u8("profile_tier_level", 8)?;
        }
        let id = bits.ue_max("sps_seq_parameter_set_id", 15)?;
        let chroma = bits.ue_max("chroma_format_idc", 3)?;
        if chroma == 3 {
            bits.flag("separate_colour_plane_flag")?;
        }
        bits.ue("pic_width_in_luma_samples")?;
        bits.ue("pic_height_in_luma_samples")?;
        if bits.flag("conformance_window_flag")? {
            for _ in 0..4 {
                bits.ue("conf_win_offset")?;
            }
        }
        let luma_depth = bits.ue_max("bit_depth_luma_minus8", 7)?;
        let chroma_depth = bits.ue_max("bit_depth_chroma_minus8", 7)?;
        Ok(Self {
            id,
            profile_tier_level,
            chroma: chroma as u8,
            luma_depth: luma_depth as u8,
            chroma_depth: chroma_depth as u8,
            layers: sub_layers as u8 + 1,
            nested,
        })
    }
}
