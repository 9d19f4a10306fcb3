//! What a session says about a peer that broke the protocol.

use std::fmt;
use std::ops::Deref;

use crate::amf0::DecodeError;
use crate::chunk::{self, Place};
use crate::handshake::{HandshakeErrorKind, HandshakeStage};
use crate::message::aggregate::Truncated;
use crate::message::control::ControlError;
use crate::message::type_id;

/// How a peer is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What it sent cannot be parsed.
    Invalid,
    /// What it sent can be parsed, and is not allowed, or not now.
    Misbehaved,
    /// What it sent is legal, and nothing this crate supports.
    Incompatible,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Misbehaved => "misbehaved",
            Self::Incompatible => "incompatible",
        })
    }
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In the handshake, with this part of the peer's half awaited.
    Handshake(HandshakeStage),
    /// Handshake done, `connect` not yet received (a server) or not yet answered (a client).
    BeforeConnect,
    /// Connected, no stream created.
    Connected,
    /// At least one stream created, none in use.
    StreamCreated,
    /// A stream is being published, or asked to be.
    Publishing,
    /// A stream is being played, or asked to be, and none published.
    Playing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake(_) => "in the handshake",
            Self::BeforeConnect => "before connect",
            Self::Connected => "after connect",
            Self::StreamCreated => "after createStream",
            Self::Publishing => "while publishing",
            Self::Playing => "while playing",
        })
    }
}

/// The rules a peer can break, each with what was found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// The handshake opens with version 3 and, where digests are used, with the right ones (RTMP 1.0, 5.2).
    #[error("handshake: {0}")]
    Handshake(HandshakeErrorKind),
    /// A type-3 chunk repeats the header before it on its chunk stream; there has to be one (5.3.1.2.4).
    #[error("type-3 chunk on a chunk stream that had no header yet")]
    NothingToContinue,
    /// A message ends before the next begins on the same chunk stream (5.3.1). No encoder is known to differ,
    /// and a parser that lost its place looks exactly like this.
    #[error("new message header after {have} of {want} bytes of the message before it")]
    MessageInterrupted {
        /// Bytes of the message before it that had come.
        have: usize,
        /// Bytes it announced.
        want: usize,
    },
    /// No more chunk streams than this crate's limit.
    #[error("more than {limit} chunk streams")]
    ChunkStreams {
        /// The limit.
        limit: usize,
    },
    /// Half-received messages hold no more memory than this crate's limit.
    #[error("half-received messages hold {held} bytes, limit {limit}")]
    PartialMessages {
        /// Bytes held.
        held: usize,
        /// The limit.
        limit: usize,
    },
    /// A message has one of the types that exist (5.4, 7.1).
    #[error("message type {found} does not exist")]
    UnknownMessageType {
        /// The type id.
        found: u8,
    },
    /// A control message has the length and values of its type (5.4, 7.1.7).
    #[error("{0}")]
    Control(#[from] ControlError),
    /// `connect` comes before media, data and shared objects (7.2.1.1).
    #[error("media or data before connect")]
    MediaBeforeConnect,
    /// A command is no longer than this crate's limit.
    #[error("command of {length} bytes, limit {limit}")]
    CommandTooLarge {
        /// Its announced length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A message is no longer than this crate's limit.
    #[error("message of {length} bytes, limit {limit}")]
    MessageTooLarge {
        /// Its announced length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The AMF of a command can be decoded.
    #[error("{0}")]
    CommandAmf(DecodeError),
    /// A command begins with its name, a string, and its transaction id, a number (7.1.1).
    #[error("command without {missing}")]
    CommandShape {
        /// What is not there, or has another type.
        missing: &'static str,
    },
    /// `connect` is the first command (7.2.1.1).
    #[error("command {name:?} before connect")]
    CommandBeforeConnect {
        /// The command.
        name: String,
    },
    /// `connect` comes once.
    #[error("second connect on one connection")]
    ConnectTwice,
    /// publish, play and their kin name a stream that createStream gave (7.2.2).
    #[error("{command} on message stream {stream_id}, which was not created")]
    NoSuchStream {
        /// The command.
        command: &'static str,
        /// The message stream it came on.
        stream_id: u32,
    },
    /// No more message streams at a time than this crate's limit.
    #[error("more than {limit} message streams")]
    MessageStreams {
        /// The limit.
        limit: usize,
    },
    /// A command has the arguments it needs (7.2).
    #[error("{command} without {argument}")]
    MissingArgument {
        /// The command.
        command: &'static str,
        /// The argument that is not there, or has another type.
        argument: &'static str,
    },
    /// The parts of an aggregate fill it (7.1.6).
    #[error("aggregate: {0}")]
    Aggregate(#[from] Truncated),
    /// An aggregate holds audio, video and data only (7.1.6).
    #[error("aggregate with a part of type {found}")]
    AggregatePart {
        /// The type id of the part.
        found: u8,
    },
}

impl Rule {
    /// Which of the three kinds of fault breaking this rule is.
    pub fn class(&self) -> Class {
        match self {
            Self::Handshake(kind) if kind.is_incompatible() => Class::Incompatible,
            Self::CommandAmf(error) if error.kind.is_incompatible() => Class::Incompatible,
            Self::Handshake(_)
            | Self::NothingToContinue
            | Self::MessageInterrupted { .. }
            | Self::UnknownMessageType { .. }
            | Self::Control(_)
            | Self::CommandAmf(_)
            | Self::CommandShape { .. }
            | Self::Aggregate(_)
            | Self::AggregatePart { .. } => Class::Invalid,
            Self::ChunkStreams { .. }
            | Self::PartialMessages { .. }
            | Self::MediaBeforeConnect
            | Self::CommandTooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::CommandBeforeConnect { .. }
            | Self::ConnectTwice
            | Self::NoSuchStream { .. }
            | Self::MessageStreams { .. }
            | Self::MissingArgument { .. } => Class::Misbehaved,
        }
    }

    /// A stable key for this rule, for records and metrics.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "handshake",
            Self::NothingToContinue => "nothing_to_continue",
            Self::MessageInterrupted { .. } => "message_interrupted",
            Self::ChunkStreams { .. } => "chunk_streams",
            Self::PartialMessages { .. } => "partial_messages",
            Self::UnknownMessageType { .. } => "unknown_message_type",
            Self::Control(ControlError::Length { .. }) => "control_length",
            Self::Control(ControlError::ChunkSize(_)) => "chunk_size",
            Self::MediaBeforeConnect => "media_before_connect",
            Self::CommandTooLarge { .. } => "command_too_large",
            Self::MessageTooLarge { .. } => "message_too_large",
            Self::CommandAmf(_) => "command_amf",
            Self::CommandShape { .. } => "command_shape",
            Self::CommandBeforeConnect { .. } => "command_before_connect",
            Self::ConnectTwice => "connect_twice",
            Self::NoSuchStream { .. } => "no_such_stream",
            Self::MessageStreams { .. } => "message_streams",
            Self::MissingArgument { .. } => "missing_argument",
            Self::Aggregate(_) => "aggregate",
            Self::AggregatePart { .. } => "aggregate_part",
        }
    }
}

/// Everything known about a [`Fault`].
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Which rule was broken, with what was found.
    pub rule: Rule,
    /// Offset, in bytes received on the connection: of the byte itself in the handshake, of the chunk where its
    /// header is at fault, else of the first chunk of the message.
    pub offset: u64,
    /// Chunk stream id, where one had been read.
    pub chunk_stream: Option<u32>,
    /// Message type id, where one had been read.
    pub message_type: Option<u8>,
    /// Message length in bytes, where one had been read.
    pub message_length: Option<u32>,
    /// How far the session had come.
    pub stage: Stage,
}

/// The peer broke the protocol; the session is over.
///
/// Dereferences to its [`Details`]. Its text reads: which rule and what was found, then where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault(Box<Details>);

impl Fault {
    pub(crate) fn new(error: chunk::Error, stage: Stage) -> Self {
        let chunk::Error { rule, place } = error;
        let Place { offset, chunk_stream, message_type, message_length } = place;
        Self(Box::new(Details { rule, offset, chunk_stream, message_type, message_length, stage }))
    }

    /// Invalid, misbehaved or incompatible.
    pub fn class(&self) -> Class {
        self.rule.class()
    }

    /// A message longer than the configured limit. Commands are not meant: nobody sends one of that size.
    pub fn is_too_large(&self) -> bool {
        matches!(self.rule, Rule::MessageTooLarge { .. })
    }

    /// The broken AMF of a command: with the marker, the byte of the message, and the path down to the field.
    pub fn amf(&self) -> Option<&DecodeError> {
        match &self.rule {
            Rule::CommandAmf(error) => Some(error),
            _ => None,
        }
    }

    /// The names down to the field, such as `command[2].tcUrl`, where a field is at fault.
    pub fn path(&self) -> Option<String> {
        self.amf().map(|error| error.path.to_string()).filter(|path| !path.is_empty())
    }
}

impl Deref for Fault {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {} of the connection", self.rule, self.offset)?;
        if let Some(chunk_stream) = self.chunk_stream {
            write!(f, ", chunk stream {chunk_stream}")?;
        }
        if let (Some(id), Some(length)) = (self.message_type, self.message_length) {
            write!(f, ", {} message (type {id}) of {length} bytes", type_id::name(id))?;
        }
        write!(f, ", {}", self.stage)
    }
}

impl std::error::Error for Fault {}
