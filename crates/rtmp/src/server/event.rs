//! What a client said.

use std::fmt;

use crate::amf0::Value;
use crate::ertmp::Enhancements;
use crate::handshake::HandshakeKind;
use crate::message::command::Command;
use crate::message::control::Control;
use crate::message::data::DataMessage;
use crate::message::{MediaMessage, Message, MessageInfo};

/// Something a client said, or a step of the session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is over.
    HandshakeDone(HandshakeKind),
    /// `connect`. Waits for `accept_connect` or `reject_connect`; answer before polling on, so that answers
    /// leave in the order of their questions.
    Connect(Box<Connect>),
    /// `releaseStream`: answered.
    ReleaseStream(NamedStream),
    /// `FCPublish`: answered.
    FcPublish(NamedStream),
    /// `FCUnpublish`. Waits for `answer_fc_unpublish`.
    FcUnpublish(NamedStream),
    /// `createStream`: answered with this message stream id.
    CreateStream(StreamEvent),
    /// `publish`. Waits for `accept_publish` or `reject_publish`. A second one beside a live one is an event
    /// like the first.
    Publish(Box<Publish>),
    /// `play` or `play2`. Waits for `accept_play` or `reject_play`.
    Play(Box<Play>),
    /// `pause` or `pauseRaw`.
    Pause(Pause),
    /// `seek`.
    Seek(Seek),
    /// `closeStream`, for the message stream it came on.
    CloseStream(StreamEvent),
    /// `deleteStream`, for the message stream it names. It may never have been created.
    DeleteStream(StreamEvent),
    /// Audio or video.
    Media(MediaMessage),
    /// Data, such as `onMetaData`. With broken AMF it is this event too.
    Data(Box<DataMessage>),
    /// A command that the session does not know, or has nothing to do for.
    Command(Box<Command>),
    /// A ping of the client: answered.
    PingRequest(Ping),
    /// The client's answer to our ping.
    PingResponse(Ping),
    /// Any other control message. What it asks has been done.
    Control(ControlMessage),
    /// A shared object message. Nothing is done with it.
    SharedObject(Message),
}

impl Event {
    /// The header of the message behind the event; `None` for the handshake.
    pub fn info(&self) -> Option<&MessageInfo> {
        Some(match self {
            Self::HandshakeDone(_) => return None,
            Self::Connect(event) => &event.info,
            Self::ReleaseStream(event) | Self::FcPublish(event) | Self::FcUnpublish(event) => &event.info,
            Self::CreateStream(event) | Self::CloseStream(event) | Self::DeleteStream(event) => &event.info,
            Self::Publish(event) => &event.info,
            Self::Play(event) => &event.info,
            Self::Pause(event) => &event.info,
            Self::Seek(event) => &event.info,
            Self::Media(event) => &event.info,
            Self::Data(event) => &event.info,
            Self::Command(event) => &event.info,
            Self::PingRequest(event) | Self::PingResponse(event) => &event.info,
            Self::Control(event) => &event.info,
            Self::SharedObject(event) => &event.info,
        })
    }

    /// The name of the command or data behind the event, if it has one.
    pub fn name(&self) -> Option<&str> {
        Some(match self {
            Self::Connect(_) => "connect",
            Self::ReleaseStream(_) => "releaseStream",
            Self::FcPublish(_) => "FCPublish",
            Self::FcUnpublish(_) => "FCUnpublish",
            Self::CreateStream(_) => "createStream",
            Self::Publish(_) => "publish",
            Self::Play(_) => "play",
            Self::Pause(_) => "pause",
            Self::Seek(_) => "seek",
            Self::CloseStream(_) => "closeStream",
            Self::DeleteStream(_) => "deleteStream",
            Self::Data(data) => &data.name,
            Self::Command(command) => &command.name,
            Self::HandshakeDone(_)
            | Self::Media(_)
            | Self::PingRequest(_)
            | Self::PingResponse(_)
            | Self::Control(_)
            | Self::SharedObject(_) => return None,
        })
    }
}

/// `connect` (RTMP 1.0, 7.2.1.1). Strings that are absent are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its transaction id.
    pub transaction: f64,
    /// `app`: the path of the URL. May hold a query.
    pub app: String,
    /// `tcUrl`: the URL without the stream name.
    pub tc_url: String,
    /// `flashVer`: what encoders put their name into.
    pub flash_ver: String,
    /// `swfUrl`.
    pub swf_url: String,
    /// `pageUrl`.
    pub page_url: String,
    /// `type`: `nonprivate` from most encoders that push.
    pub kind: String,
    /// `objectEncoding`: 0 for AMF0, 3 for AMF3 as well.
    pub object_encoding: f64,
    /// What the client says of Enhanced RTMP.
    pub enhanced: Enhancements,
    /// All arguments, the command object first.
    pub args: Vec<Value>,
}

/// A command about a stream by name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedStream {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its transaction id.
    pub transaction: f64,
    /// The stream name; empty where it was left out.
    pub name: String,
}

/// A command about a message stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamEvent {
    /// The header of its message.
    pub info: MessageInfo,
    /// The message stream id.
    pub stream_id: u32,
}

/// `publish` (RTMP 1.0, 7.2.2.6).
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its transaction id.
    pub transaction: f64,
    /// The message stream it is for.
    pub stream_id: u32,
    /// The stream name as sent. May hold slashes and a query.
    pub name: String,
    /// How it is to be kept.
    pub kind: PublishKind,
    /// All arguments, the command object first.
    pub args: Vec<Value>,
}

/// How a publisher wants its stream to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishKind {
    /// Not at all. Also where the client left it out.
    Live,
    /// As a new recording.
    Record,
    /// Behind the recording there is.
    Append,
    /// Something no specification knows.
    Other(String),
}

impl PublishKind {
    pub(super) fn new(name: Option<&str>) -> Self {
        match name {
            None | Some("live" | "") => Self::Live,
            Some("record") => Self::Record,
            Some("append") => Self::Append,
            Some(other) => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for PublishKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Record => "record",
            Self::Append => "append",
            Self::Other(other) => other,
        })
    }
}

/// `play` (RTMP 1.0, 7.2.2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its transaction id.
    pub transaction: f64,
    /// The message stream it is for.
    pub stream_id: u32,
    /// The stream name as sent. May hold slashes and a query.
    pub name: String,
    /// Where to start, in seconds; -2 (live, else recorded) where it was left out.
    pub start: f64,
    /// All arguments, the command object first.
    pub args: Vec<Value>,
}

/// `pause` (RTMP 1.0, 7.2.2.9).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause {
    /// The header of its message.
    pub info: MessageInfo,
    /// The message stream it is for.
    pub stream_id: u32,
    /// Pause, or go on.
    pub paused: bool,
    /// Where the player is, in milliseconds.
    pub position_ms: f64,
}

/// `seek` (RTMP 1.0, 7.2.2.8).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seek {
    /// The header of its message.
    pub info: MessageInfo,
    /// The message stream it is for.
    pub stream_id: u32,
    /// Where to, in milliseconds.
    pub position_ms: f64,
}

/// A ping or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// The header of its message.
    pub info: MessageInfo,
    /// The number that the answer repeats.
    pub timestamp: u32,
}

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlMessage {
    /// The header of its message.
    pub info: MessageInfo,
    /// What it says.
    pub control: Control,
}
