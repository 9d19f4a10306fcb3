//! The codecs a push can carry, under the words the record shows.

mod audio;
mod fourcc;
mod video;

pub use audio::AudioCodec;
pub use fourcc::FourCc;
pub use video::VideoCodec;

use std::fmt;

/// How a message named a codec that is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodecId {
    /// A four-bit CodecID or SoundFormat of a classic FLV tag.
    Classic(u8),
    /// A FourCC of an Enhanced RTMP message.
    FourCc(FourCc),
}

impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classic(id) => write!(f, "codec id {id}"),
            Self::FourCc(four_cc) => write!(f, "codec {four_cc}"),
        }
    }
}
