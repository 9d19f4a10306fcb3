//! What a server said.

use crate::amf0::Value;
use crate::ertmp::Enhancements;
use crate::handshake::HandshakeKind;
use crate::message::command::Command;
use crate::message::control::Control;
use crate::message::data::DataMessage;
use crate::message::{MediaMessage, Message, MessageInfo};

/// Something a server said, or a step of the session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is over.
    HandshakeDone(HandshakeKind),
    /// `connect` was accepted.
    Connected {
        /// The header of its message.
        info: MessageInfo,
        /// What the server says of Enhanced RTMP.
        enhanced: Enhancements,
        /// Properties and information of the answer.
        values: Vec<Value>,
    },
    /// `connect` was refused.
    ConnectRejected(Refusal),
    /// `createStream` was answered.
    StreamCreated {
        /// The header of its message.
        info: MessageInfo,
        /// The message stream id given.
        stream_id: u32,
    },
    /// `onStatus`.
    Status(Status),
    /// Any other answer of success.
    Result(Reply),
    /// Any other answer of failure.
    Error(Reply),
    /// Audio or video.
    Media(MediaMessage),
    /// Data, such as `onMetaData`.
    Data(Box<DataMessage>),
    /// Any other command.
    Command(Box<Command>),
    /// A control message. What it asks has been done.
    Control {
        /// The header of its message.
        info: MessageInfo,
        /// What it says.
        control: Control,
    },
    /// A shared object message. Nothing is done with it.
    SharedObject(Message),
}

/// A refusal with its reason. Texts that are absent are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The header of its message.
    pub info: MessageInfo,
    /// Such as `NetConnection.Connect.Rejected`.
    pub code: String,
    /// The reason in words.
    pub description: String,
}

/// `onStatus` (RTMP 1.0, 7.2.2). Texts that are absent are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The header of its message.
    pub info: MessageInfo,
    /// The message stream it is about.
    pub stream_id: u32,
    /// `status`, `warning` or `error`.
    pub level: String,
    /// Such as `NetStream.Publish.Start`.
    pub code: String,
    /// The reason in words.
    pub description: String,
    /// `tcUrl` of a reconnect request.
    pub tc_url: Option<String>,
    /// The whole information object, or null.
    pub information: Value,
}

/// An answer to a command other than `connect` and `createStream`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The header of its message.
    pub info: MessageInfo,
    /// The transaction it answers.
    pub transaction: f64,
    /// The command it answers, if that was said by this session and not answered before.
    pub to: Option<String>,
    /// What it carries, the command object first.
    pub values: Vec<Value>,
}
