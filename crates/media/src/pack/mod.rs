//! From elementary access units, as MPEG-TS and RTP carry them, to the bodies of RTMP messages, which is what a hub, an
//! FLV file and the HLS packager take. No clock and no I/O.
//!
//! ```
//! use media::pack::{Message, VideoPacker};
//! use media::{VideoCodec, VideoKind, parse_video};
//!
//! let mut packer = VideoPacker::new(VideoCodec::Avc)?;
//! let mut messages: Vec<Message> = Vec::new();
//! // Parameter sets and a key frame, each behind a start code (ITU-T H.264, annex B).
//! let unit = b"\0\0\0\x01\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\x03\0\x10\0\0\x03\x03\xc8\xf1\x83\x2a\
//!     \0\0\0\x01\x68\xce\x0f\xc8\0\0\x01\x65\x88\x84";
//! packer.pack(unit, 3600, 3600, &mut messages)?;
//! let kinds: Vec<VideoKind> = messages.iter().map(|m| parse_video(&m.payload).unwrap().kind).collect();
//! assert_eq!(kinds, [VideoKind::SequenceHeader, VideoKind::KeyFrame]);
//! assert_eq!(messages[1].timestamp_ms, 40);
//! # Ok::<(), media::pack::PackError>(())
//! ```

mod annex_b;
mod audio;
mod error;
mod time;
mod video;

pub use audio::{AudioPacker, adts_frame_size, mp3_frame_size};
pub use error::PackError;
pub use time::{TICKS_PER_SECOND, Unroll};
pub use video::VideoPacker;

use bytes::Bytes;

/// Which of the two kinds of media a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A picture, or its sequence header.
    Video,
    /// Sound, or its sequence header.
    Audio,
}

/// The body of an RTMP message, and what a hub has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether it is for [`parse_video`](crate::parse_video) or [`parse_audio`](crate::parse_audio).
    pub kind: MessageKind,
    /// Decoding time in milliseconds from the start of the push; wraps as RTMP's does.
    pub timestamp_ms: u32,
    /// Whether it is a sequence header.
    pub header: bool,
    /// Whether decoding can start at this frame: a key frame, and every frame of sound.
    pub key: bool,
    /// The body.
    pub payload: Bytes,
}
