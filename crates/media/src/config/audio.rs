//! Audio configuration: from a sequence header, from the channel message of Enhanced RTMP, or from a coded frame.

use super::parameter_sets::Record;
use super::{ConfigError, aac, ac3_frame_config, flac, mp3_frame_config, opus, opus_frame_config};
use crate::codec::AudioCodec;
use crate::offset::BitOffset;

/// What is known of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioConfig {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples a second as they are played: with SBR, the doubled rate; for Opus always 48,000.
    pub sample_rate: u32,
    /// Channels as they are played; `None` where the record leaves them open.
    pub channels: Option<u8>,
    /// The audio object type of ISO/IEC 14496-3, for AAC: 2 for AAC-LC, 5 with SBR, 29 with SBR and PS.
    pub object_type: Option<u8>,
}

impl AudioConfig {
    pub(super) fn new(codec: AudioCodec, sample_rate: u32, channels: u8) -> Self {
        Self { codec, sample_rate, channels: Some(channels), object_type: None }
    }

    /// The name of the AAC profile.
    pub fn profile_name(&self) -> Option<&'static str> {
        Some(match self.object_type? {
            1 => "AAC Main",
            2 => "AAC-LC",
            3 => "AAC SSR",
            4 => "AAC LTP",
            5 => "HE-AAC",
            23 => "AAC-LD",
            29 => "HE-AAC v2",
            39 => "AAC-ELD",
            42 => "xHE-AAC",
            _ => return None,
        })
    }
}

/// Parses the body of an audio sequence header: AudioSpecificConfig, Opus identification header, FLAC stream info.
///
/// `None` for codecs without one, for which ffmpeg sends an empty header all the same; see [`audio_frame_config`].
///
/// # Errors
/// [`ConfigError`] with the field and its place when the record is broken.
pub fn audio_config(codec: AudioCodec, body: &[u8]) -> Result<Option<AudioConfig>, ConfigError> {
    match codec {
        AudioCodec::Aac => aac::config(body).map(Some),
        AudioCodec::Opus => opus::config(body).map(Some),
        AudioCodec::Flac => flac::config(body).map(Some),
        _ => Ok(None),
    }
}

/// The configuration that each coded frame of some codecs carries: MP3, AC-3, E-AC-3, Opus (of one stream). `None` for
/// other codecs, of which the classic flags in [`AudioTag::classic`](crate::AudioTag::classic) may still tell something.
///
/// # Errors
/// [`ConfigError`] when the frame's header is broken.
pub fn audio_frame_config(codec: AudioCodec, frame: &[u8]) -> Result<Option<AudioConfig>, ConfigError> {
    match codec {
        AudioCodec::Mp3 => mp3_frame_config(frame).map(Some),
        AudioCodec::Ac3 | AudioCodec::Eac3 => ac3_frame_config(frame).map(Some),
        AudioCodec::Opus => opus_frame_config(frame).map(Some),
        _ => Ok(None),
    }
}

/// How a channel message orders its channels (AudioChannelOrder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelOrder {
    /// Only their number is given.
    Unspecified,
    /// In the order of the AudioChannel list; the mask says which of them are there.
    Native(u32),
    /// As a list, which is not kept.
    Custom,
}

/// What a MultichannelConfig message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelConfig {
    /// Number of channels.
    pub channels: u8,
    /// Their order.
    pub order: ChannelOrder,
}

/// Parses the body of a MultichannelConfig message (Enhanced RTMP v2, ExAudioTagBody).
///
/// # Errors
/// [`ConfigError`] when it is cut short or names a reserved order.
pub fn multichannel_config(body: &[u8]) -> Result<ChannelConfig, ConfigError> {
    let mut record = Record::new(body);
    let order = record.u8("audioChannelOrder")?;
    let channels = record.u8("channelCount")?;
    let order = match order {
        0 => ChannelOrder::Unspecified,
        1 => ChannelOrder::Native(record.array("audioChannelFlags").map(u32::from_be_bytes)?),
        2 => {
            for _ in 0..channels {
                record.u8("audioChannelMapping")?;
            }
            ChannelOrder::Custom
        }
        found => {
            let (field, at) = ("audioChannelOrder", BitOffset::at_byte(0));
            return Err(ConfigError::Reserved { field, at, found: u32::from(found) });
        }
    };
    Ok(ChannelConfig { channels, order })
}
