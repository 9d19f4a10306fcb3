//! Messages: what the chunks carry (RTMP 1.0, 5.4, 6 and 7).

pub mod aggregate;
pub mod command;
pub mod control;
pub mod data;

use std::fmt;

use bytes::Bytes;

/// Message type ids this crate knows (RTMP 1.0, 5.4 and 7.1). Any other id on the wire is a fault: in practice
/// it means that the framing was lost, not that a peer speaks a newer dialect.
pub mod type_id {
    /// Set Chunk Size.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort Message.
    pub const ABORT: u8 = 2;
    /// Acknowledgement.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control.
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size.
    pub const WINDOW_ACK_SIZE: u8 = 5;
    /// Set Peer Bandwidth.
    pub const SET_PEER_BANDWIDTH: u8 = 6;
    /// Audio.
    pub const AUDIO: u8 = 8;
    /// Video.
    pub const VIDEO: u8 = 9;
    /// Data in AMF3.
    pub const DATA_AMF3: u8 = 15;
    /// Shared object in AMF3.
    pub const SHARED_OBJECT_AMF3: u8 = 16;
    /// Command in AMF3.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data in AMF0.
    pub const DATA_AMF0: u8 = 18;
    /// Shared object in AMF0.
    pub const SHARED_OBJECT_AMF0: u8 = 19;
    /// Command in AMF0.
    pub const COMMAND_AMF0: u8 = 20;
    /// Aggregate of audio, video and data.
    pub const AGGREGATE: u8 = 22;

    /// Whether the id is one of those above.
    pub fn is_known(id: u8) -> bool {
        matches!(id, 1..=6 | 8 | 9 | 15..=20 | 22)
    }

    /// Whether the id is a protocol control or user control message.
    pub fn is_control(id: u8) -> bool {
        matches!(id, 1..=6)
    }

    /// Whether the id is a command, in either AMF.
    pub fn is_command(id: u8) -> bool {
        matches!(id, COMMAND_AMF0 | COMMAND_AMF3)
    }

    /// What people call this type, for texts.
    pub fn name(id: u8) -> &'static str {
        match id {
            SET_CHUNK_SIZE => "Set Chunk Size",
            ABORT => "Abort",
            ACKNOWLEDGEMENT => "Acknowledgement",
            USER_CONTROL => "User Control",
            WINDOW_ACK_SIZE => "Window Acknowledgement Size",
            SET_PEER_BANDWIDTH => "Set Peer Bandwidth",
            AUDIO => "audio",
            VIDEO => "video",
            DATA_AMF3 => "AMF3 data",
            SHARED_OBJECT_AMF3 => "AMF3 shared object",
            COMMAND_AMF3 => "AMF3 command",
            DATA_AMF0 => "data",
            SHARED_OBJECT_AMF0 => "shared object",
            COMMAND_AMF0 => "command",
            AGGREGATE => "aggregate",
            _ => "unknown",
        }
    }
}

/// The header of a message, and where in the connection it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageInfo {
    /// Offset, in bytes received on the connection (handshake included), of the first chunk of the message.
    pub offset: u64,
    /// Chunk stream id it came on.
    pub chunk_stream: u32,
    /// Message type id, one of [`type_id`].
    pub type_id: u8,
    /// Length of the body in bytes.
    pub length: u32,
    /// Absolute timestamp in milliseconds. It wraps after 49.7 days, as on the wire.
    pub timestamp: u32,
    /// Message stream id; 0 is the connection itself.
    pub stream_id: u32,
}

impl fmt::Display for MessageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} message (type {}) of {} bytes on chunk stream {} at byte {}",
            type_id::name(self.type_id),
            self.type_id,
            self.length,
            self.chunk_stream,
            self.offset
        )
    }
}

/// A whole message, not yet interpreted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub info: MessageInfo,
    /// Its body.
    pub payload: Bytes,
}

/// What a media message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Audio, message type 8.
    Audio,
    /// Video, message type 9.
    Video,
}

impl MediaKind {
    /// The kind that a message type id stands for, if it is media.
    pub fn from_type_id(id: u8) -> Option<Self> {
        match id {
            type_id::AUDIO => Some(Self::Audio),
            type_id::VIDEO => Some(Self::Video),
            _ => None,
        }
    }

    /// The message type id.
    pub fn type_id(self) -> u8 {
        match self {
            Self::Audio => type_id::AUDIO,
            Self::Video => type_id::VIDEO,
        }
    }
}

/// An audio or video message. The body is an FLV tag body, not interpreted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaMessage {
    /// Its header. For a part of an aggregate: the aggregate's offset and chunk stream, the part's own type,
    /// length and adjusted timestamp.
    pub info: MessageInfo,
    /// Audio or video.
    pub kind: MediaKind,
    /// The body.
    pub payload: Bytes,
}
