//! The MPEG audio frame header (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3 for the lower rates).

use super::{AudioConfig, ConfigError};
use crate::bits::Bits;
use crate::codec::AudioCodec;

const SYNC: u32 = 0x7ff;

/// What the header of an MP3 frame says; MP3 has no sequence header.
///
/// # Errors
/// [`ConfigError`] when the frame does not start with a header, or one with reserved values.
pub fn mp3_frame_config(frame: &[u8]) -> Result<AudioConfig, ConfigError> {
    let mut bits = Bits::new(frame, 0);
    let at = bits.at();
    let found = bits.u("frame sync", 11)?;
    if found != SYNC {
        return Err(ConfigError::Unexpected { field: "frame sync", at, found, expected: SYNC });
    }
    let reserved = |field, at, found| Err(ConfigError::Reserved { field, at, found });
    let at = bits.at();
    let halved = match bits.u("version", 2)? {
        0 => 2,
        2 => 1,
        3 => 0,
        found => return reserved("version", at, found),
    };
    let at = bits.at();
    if bits.u("layer", 2)? == 0 {
        return reserved("layer", at, 0);
    }
    bits.flag("protection_bit")?;
    let at = bits.at();
    if bits.u("bitrate_index", 4)? == 15 {
        return reserved("bitrate_index", at, 15);
    }
    let at = bits.at();
    let sample_rate: u32 = match bits.u("sampling_frequency", 2)? {
        0 => 44_100,
        1 => 48_000,
        2 => 32_000,
        found => return reserved("sampling_frequency", at, found),
    };
    bits.skip("padding_bit", 2)?;
    let channels = if bits.u("mode", 2)? == 3 { 1 } else { 2 };
    Ok(AudioConfig::new(AudioCodec::Mp3, sample_rate >> halved, channels))
}
