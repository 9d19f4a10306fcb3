//! Why media cannot be written as CMAF.

use crate::codec::{AudioCodec, VideoCodec};
use crate::config::ConfigError;

/// Why a track cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// HLS has no place for this video codec, or its players none for it.
    #[error("{0} video cannot be carried in HLS; it can in RTMP and HTTP-FLV")]
    VideoCodec(VideoCodec),
    /// HLS has no place for this audio codec.
    #[error("{0} audio cannot be carried in HLS; it can in RTMP and HTTP-FLV")]
    AudioCodec(AudioCodec),
    /// The sequence header is broken.
    #[error("the sequence header is broken: {0}")]
    Config(#[from] ConfigError),
    /// Neither the sequence header nor the key frame says how large the picture is.
    #[error("the picture's size is not known")]
    PictureSize,
    /// The picture's sides do not fit a sample entry, which has 16 bits for each.
    #[error("a picture of {width}x{height} is too large")]
    PictureTooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// More channels than a sample entry can name, or none that are known.
    #[error("the number of channels is not known")]
    Channels,
}
