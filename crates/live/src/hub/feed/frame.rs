//! One frame of a live stream.

use bytes::Bytes;
use rtmp::message::type_id;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameKind {
    /// The body of an FLV script tag: AMF0, its name first.
    Script,
    /// The body of an FLV video tag, classic or enhanced, as the publisher sent it.
    Video,
    /// The body of an FLV audio tag, classic or enhanced, as the publisher sent it.
    Audio,
}

impl FrameKind {
    /// The message type in RTMP, which is also the tag type in FLV.
    pub fn type_id(self) -> u8 {
        match self {
            Self::Script => type_id::DATA_AMF0,
            Self::Video => type_id::VIDEO,
            Self::Audio => type_id::AUDIO,
        }
    }
}

/// One frame, shared by all who play it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it carries.
    pub kind: FrameKind,
    /// Decoding time of the live stream, ms: it goes on when another push takes over, and wraps after 49.7 days.
    pub timestamp: u32,
    /// A video frame that decoding can start from.
    pub key: bool,
    /// A codec header or metadata: found in [`Headers`](super::Headers), never in a batch.
    pub config: bool,
    /// FLV tag body.
    pub payload: Bytes,
}
