//! The header of an AC-3 or E-AC-3 frame (ETSI TS 102 366, 4.3 and E.1.2).

use super::{AudioConfig, ConfigError};
use crate::bits::Bits;
use crate::codec::AudioCodec;

const SYNC: u32 = 0x0b77;
/// Full-range channels by acmod; 0 is two independent ones.
const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// What the header of an AC-3 or E-AC-3 frame says; neither has a sequence header. The frame tells which of the two it
/// is.
///
/// # Errors
/// [`ConfigError`] when the frame does not start with a header, or one with reserved values.
pub fn ac3_frame_config(frame: &[u8]) -> Result<AudioConfig, ConfigError> {
    let mut bits = Bits::new(frame, 0);
    let at = bits.at();
    let found = bits.u("syncword", 16)?;
    if found != SYNC {
        return Err(ConfigError::Unexpected { field: "syncword", at, found, expected: SYNC });
    }
    // The version stands at the same place in both, behind fields that differ.
    let mut ahead = bits.clone();
    ahead.skip("crc1", 24)?;
    let at = ahead.at();
    match ahead.u("bsid", 5)? {
        0..=8 => ac3(&mut bits, 0),
        // Half and quarter rates.
        9 => ac3(&mut bits, 1),
        10 => ac3(&mut bits, 2),
        11..=16 => eac3(&mut bits),
        found => Err(ConfigError::OutOfRange { field: "bsid", at, found, max: 16 }),
    }
}

fn ac3(bits: &mut Bits<'_>, halved: u32) -> Result<AudioConfig, ConfigError> {
    bits.skip("crc1", 16)?;
    let at = bits.at();
    let Some(sample_rate) = sample_rate(bits.u("fscod", 2)?) else {
        return Err(ConfigError::Reserved { field: "fscod", at, found: 3 });
    };
    bits.skip("frmsizecod", 6 + 5 + 3)?;
    let mode = bits.u("acmod", 3)?;
    let has_centre = mode & 1 == 1 && mode != 1;
    let has_surround = mode & 4 == 4;
    let mix_fields = u32::from(has_centre) + u32::from(has_surround) + u32::from(mode == 2);
    bits.skip("mix levels", 2 * mix_fields)?;
    let channels = channels(mode, bits.flag("lfeon")?);
    Ok(AudioConfig::new(AudioCodec::Ac3, sample_rate >> halved, channels))
}

fn eac3(bits: &mut Bits<'_>) -> Result<AudioConfig, ConfigError> {
    bits.skip("strmtyp", 2 + 3 + 11)?;
    let rate = match sample_rate(bits.u("fscod", 2)?) {
        Some(rate) => {
            bits.skip("numblkscod", 2)?;
            rate
        }
        None => {
            let at = bits.at();
            match sample_rate(bits.u("fscod2", 2)?) {
                Some(rate) => rate / 2,
                None => return Err(ConfigError::Reserved { field: "fscod2", at, found: 3 }),
            }
        }
    };
    let mode = bits.u("acmod", 3)?;
    let channels = channels(mode, bits.flag("lfeon")?);
    Ok(AudioConfig::new(AudioCodec::Eac3, rate, channels))
}

fn sample_rate(code: u32) -> Option<u32> {
    match code {
        0 => Some(48_000),
        1 => Some(44_100),
        2 => Some(32_000),
        _ => None,
    }
}

fn channels(mode: u32, low_frequency: bool) -> u8 {
    CHANNELS.get(mode as usize).copied().unwrap_or(0) + u8::from(low_frequency)
}
