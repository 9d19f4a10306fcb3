//! The Opus identification header (RFC 7845, 5.1) and the first byte of an Opus packet (RFC 6716, 3.1).

use super::parameter_sets::Record;
use super::{AudioConfig, ConfigError};
use crate::codec::AudioCodec;
use crate::offset::BitOffset;

/// Opus is decoded at this rate; the rate in the header is a memory of the source (RFC 7845, 5.1, item 5).
const SAMPLE_RATE: u32 = 48_000;
const SIGNATURE: [u8; 8] = *b"OpusHead";

pub(super) fn config(body: &[u8]) -> Result<AudioConfig, ConfigError> {
    // Enhanced RTMP v2 allows an empty header; channels then come from a channel message or the packets.
    if body.is_empty() {
        let codec = AudioCodec::Opus;
        return Ok(AudioConfig { codec, sample_rate: SAMPLE_RATE, channels: None, object_type: None });
    }
    let mut record = Record::new(body);
    for expected in SIGNATURE {
        let at = record.at();
        let found = record.u8("signature")?;
        if found != expected {
            let (found, expected) = (u32::from(found), u32::from(expected));
            return Err(ConfigError::Unexpected { field: "signature", at, found, expected });
        }
    }
    let at = record.at();
    let version = record.u8("version")?;
    // Versions up to 15 only add to this one.
    if version > 15 {
        return Err(ConfigError::OutOfRange { field: "version", at, found: u32::from(version), max: 15 });
    }
    let at = record.at();
    let channels = record.u8("channel count")?;
    if channels == 0 {
        return Err(ConfigError::Reserved { field: "channel count", at, found: 0 });
    }
    record.array::<2>("pre-skip")?;
    record.array::<4>("input sample rate")?;
    record.array::<2>("output gain")?;
    if record.u8("channel mapping family")? != 0 {
        record.array::<2>("stream count")?;
        for _ in 0..channels {
            record.u8("channel mapping")?;
        }
    }
    Ok(AudioConfig::new(AudioCodec::Opus, SAMPLE_RATE, channels))
}

/// What an Opus packet says of itself. In multistream Opus it is the first stream only.
///
/// # Errors
/// [`ConfigError::Truncated`] when the packet is empty.
pub fn opus_frame_config(frame: &[u8]) -> Result<AudioConfig, ConfigError> {
    match frame.first() {
        Some(first) => Ok(AudioConfig::new(AudioCodec::Opus, SAMPLE_RATE, 1 + ((first >> 2) & 1))),
        None => Err(ConfigError::Truncated { field: "TOC", at: BitOffset::at_byte(0) }),
    }
}
