//! Why a unit could not be packed.

use crate::codec::{AudioCodec, VideoCodec};
use crate::config::ConfigError;

/// Why a unit could not be packed. Offsets count from the start of the unit that was handed in. The unit is passed over,
/// and the packer stays usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// There is no packer for this video codec.
    #[error("{0} video is not taken in over this transport")]
    VideoCodec(VideoCodec),
    /// There is no packer for this audio codec.
    #[error("{0} audio is not taken in over this transport")]
    AudioCodec(AudioCodec),
    /// A number of channels that the codec cannot have.
    #[error("{codec} audio of {channels} channels cannot be described")]
    Channels {
        /// The codec.
        codec: AudioCodec,
        /// Channels.
        channels: u8,
    },
    /// The unit holds no start code (ITU-T H.264, annex B), or begins with something else.
    #[error("no start code at byte {offset}")]
    StartCode {
        /// Where one belongs.
        offset: usize,
    },
    /// More NAL units than a picture can need.
    #[error("more than {limit} NAL units in a picture")]
    TooManyUnits {
        /// The limit.
        limit: usize,
    },
    /// More parameter sets than a stream can need.
    #[error("more than {limit} parameter sets")]
    TooManySets {
        /// The limit.
        limit: usize,
    },
    /// A NAL unit whose highest bit is set, or one shorter than its header.
    #[error("the NAL unit at byte {offset} is broken")]
    Unit {
        /// Where the unit starts.
        offset: usize,
    },
    /// Open bitstream units of AV1 that do not add up to the temporal unit.
    #[error("the open bitstream unit at byte {offset} is broken")]
    OpenBitstreamUnit {
        /// Where it fails.
        offset: usize,
    },
    /// A parameter set, sequence header or frame header that cannot be read; its offsets count from its own start.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Data that does not start with the header of a frame.
    #[error("no {what} header at byte {offset}")]
    FrameHeader {
        /// The format.
        what: &'static str,
        /// Where the header belongs.
        offset: usize,
    },
    /// A frame cut short.
    #[error("the {what} frame at byte {offset} needs {needed} bytes, {left} left")]
    Truncated {
        /// The format.
        what: &'static str,
        /// Where the frame starts.
        offset: usize,
        /// Its size.
        needed: usize,
        /// Bytes left.
        left: usize,
    },
    /// Something legal that FLV cannot describe.
    #[error("{what} at byte {offset} cannot be carried")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// The frame.
        offset: usize,
    },
    /// The unit has no data.
    #[error("the unit is empty")]
    Empty,
    /// The message would be larger than FLV can hold.
    #[error("a unit of {found} bytes does not fit a message")]
    TooLong {
        /// Size of the message.
        found: usize,
    },
}
