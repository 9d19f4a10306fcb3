//! FLAC stream info (RFC 9639, 8.2), with or without what stands before it in a FLAC file.

use super::{AudioConfig, ConfigError};
use crate::bits::Bits;
use crate::codec::AudioCodec;

const STREAM_INFO_SIZE: u32 = 34;
const SIGNATURE: u32 = u32::from_be_bytes(*b"fLaC");

pub(super) fn config(body: &[u8]) -> Result<AudioConfig, ConfigError> {
    let mut bits = Bits::new(body, 0);
    // Enhanced RTMP asks for the signature and the block header; ffmpeg sends the bare 34 bytes.
    if body.len() != STREAM_INFO_SIZE as usize {
        for (field, size, expected) in [
            ("signature", 32, SIGNATURE),
            ("metadata block type", 8, 0),
            ("metadata block size", 24, STREAM_INFO_SIZE),
        ] {
            let at = bits.at();
            // The highest bit of the block type says that no other block follows.
            let found = bits.u(field, size)? & if size == 8 { 0x7f } else { u32::MAX };
            if found != expected {
                return Err(ConfigError::Unexpected { field, at, found, expected });
            }
        }
    }
    bits.skip("block and frame sizes", 80)?;
    let at = bits.at();
    let sample_rate = bits.u("sample rate", 20)?;
    if sample_rate == 0 {
        return Err(ConfigError::Reserved { field: "sample rate", at, found: 0 });
    }
    let channels = bits.u8("channels", 3)? + 1;
    bits.skip("total samples and checksum", 5 + 36 + 128)?;
    Ok(AudioConfig::new(AudioCodec::Flac, sample_rate, channels))
}
