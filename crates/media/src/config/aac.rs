//! AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1, 4.4.1 and 4.5.1.2).

use super::{AudioConfig, ConfigError};
use crate::bits::Bits;
use crate::codec::AudioCodec;

const SAMPLE_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const RATE_IN_FULL: u32 = 15;
const SBR: u32 = 5;
const PS: u32 = 29;
const BSAC: u32 = 22;
/// What announces SBR, and then PS, behind a configuration that older decoders can read.
const SBR_SYNC: u32 = 0x2b7;
const PS_SYNC: u32 = 0x548;

pub(super) fn config(body: &[u8]) -> Result<AudioConfig, ConfigError> {
    let mut bits = Bits::new(body, 0);
    let mut object_type = object_type(&mut bits)?;
    let mut sample_rate = sampling_frequency(&mut bits)?;
    let at = bits.at();
    let layout = bits.u("channelConfiguration", 4)?;
    let mut channels = match layout {
        0 => None,
        1..=6 => Some(layout as u8),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        13 => Some(24),
        found => return Err(ConfigError::Reserved { field: "channelConfiguration", at, found }),
    };
    let mut extension = (object_type == SBR || object_type == PS).then_some(object_type);
    if extension.is_some() {
        sample_rate = sampling_frequency(&mut bits)?;
        object_type = self::object_type(&mut bits)?;
        if object_type == BSAC {
            bits.skip("extensionChannelConfiguration", 4)?;
        }
    }
    if matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
        let elements = general_audio(&mut bits, object_type, layout)?;
        channels = channels.or(elements);
        if extension.is_none()
            && let Some((kind, rate)) = trailing_extension(&mut bits, body)?
        {
            extension = Some(kind);
            sample_rate = rate;
        }
    }
    // Parametric stereo makes two channels of one.
    if extension == Some(PS) && channels == Some(1) {
        channels = Some(2);
    }
    let object_type = u8::try_from(extension.unwrap_or(object_type)).ok();
    Ok(AudioConfig { codec: AudioCodec::Aac, sample_rate, channels, object_type })
}

fn object_type(bits: &mut Bits<'_>) -> Result<u32, ConfigError> {
    let at = bits.at();
    match bits.u("audioObjectType", 5)? {
        31 => Ok(32 + bits.u("audioObjectTypeExt", 6)?),
        0 => Err(ConfigError::Reserved { field: "audioObjectType", at, found: 0 }),
        kind => Ok(kind),
    }
}

fn sampling_frequency(bits: &mut Bits<'_>) -> Result<u32, ConfigError> {
    let at = bits.at();
    let index = bits.u("samplingFrequencyIndex", 4)?;
    if index == RATE_IN_FULL {
        let at = bits.at();
        return match bits.u("samplingFrequency", 24)? {
            0 => Err(ConfigError::Reserved { field: "samplingFrequency", at, found: 0 }),
            rate => Ok(rate),
        };
    }
    SAMPLE_RATES.get(index as usize).copied().ok_or(ConfigError::Reserved {
        field: "samplingFrequencyIndex",
        at,
        found: index,
    })
}

/// GASpecificConfig; gives the channels where it lists them itself.
fn general_audio(bits: &mut Bits<'_>, object_type: u32, layout: u32) -> Result<Option<u8>, ConfigError> {
    bits.flag("frameLengthFlag")?;
    if bits.flag("dependsOnCoreCoder")? {
        bits.skip("coreCoderDelay", 14)?;
    }
    let extended = bits.flag("extensionFlag")?;
    let channels = if layout == 0 { Some(program_config_element(bits)?) } else { None };
    if matches!(object_type, 6 | 20) {
        bits.skip("layerNr", 3)?;
    }
    if extended {
        match object_type {
            BSAC => bits.skip("numOfSubFrame", 16)?,
            17 | 19 | 20 | 23 => bits.skip("aacSectionDataResilienceFlag", 3)?,
            _ => {}
        }
        bits.flag("extensionFlag3")?;
    }
    Ok(channels)
}

/// program_config_element; the number of channels it lists.
fn program_config_element(bits: &mut Bits<'_>) -> Result<u8, ConfigError> {
    let at = bits.at();
    bits.skip("element_instance_tag", 10)?;
    let front = bits.u("num_front_channel_elements", 4)?;
    let side = bits.u("num_side_channel_elements", 4)?;
    let back = bits.u("num_back_channel_elements", 4)?;
    let low = bits.u("num_lfe_channel_elements", 2)?;
    let data = bits.u("num_assoc_data_elements", 3)?;
    let coupling = bits.u("num_valid_cc_elements", 4)?;
    for (field, size) in
        [("mono_mixdown_present", 4), ("stereo_mixdown_present", 4), ("matrix_mixdown_idx_present", 3)]
    {
        if bits.flag(field)? {
            bits.skip(field, size)?;
        }
    }
    let mut channels = low;
    for _ in 0..front + side + back {
        channels += 1 + bits.u("element_is_cpe", 1)?;
        bits.skip("element_tag_select", 4)?;
    }
    bits.skip("element_tag_select", 4 * (low + data) + 5 * coupling)?;
    bits.align();
    let comment = bits.u("comment_field_bytes", 8)?;
    bits.skip("comment_field_data", 8 * comment)?;
    match u8::try_from(channels) {
        Ok(channels) if channels > 0 => Ok(channels),
        _ => Err(ConfigError::Reserved { field: "channels of program_config_element", at, found: channels }),
    }
}

/// SBR, and PS, announced behind the configuration: the kind and the rate it plays at.
fn trailing_extension(bits: &mut Bits<'_>, body: &[u8]) -> Result<Option<(u32, u32)>, ConfigError> {
    if bits_left(bits, body) < 16 || bits.u("syncExtensionType", 11)? != SBR_SYNC {
        return Ok(None);
    }
    if object_type(bits)? != SBR || !bits.flag("sbrPresentFlag")? {
        return Ok(None);
    }
    let rate = sampling_frequency(bits)?;
    let stereo = bits_left(bits, body) >= 12
        && bits.u("syncExtensionType", 11)? == PS_SYNC
        && bits.flag("psPresentFlag")?;
    Ok(Some((if stereo { PS } else { SBR }, rate)))
}

fn bits_left(bits: &Bits<'_>, body: &[u8]) -> usize {
    let at = bits.at();
    body.len().saturating_sub(at.byte).saturating_mul(8).saturating_sub(usize::from(at.bit))
}
