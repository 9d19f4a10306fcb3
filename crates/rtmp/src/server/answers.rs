//! What a server says to its client. Everything is queued, in the order of the calls.

use bytes::BytesMut;

use super::event::{Connect, NamedStream};
use super::streams::Use;
use super::{Connection, ServerSession};
use crate::amf0::{Object, Value};
use crate::chunk;
use crate::ertmp::{RECONNECT_REQUEST, caps};
use crate::link::COMMAND_CHUNK_STREAM;
use crate::message::control::{BandwidthLimit, Control, MAX_CHUNK_SIZE, UserControl};
use crate::message::{MediaKind, MessageInfo, type_id};

/// Chunk stream of status messages and data of a stream.
const STATUS_CHUNK_STREAM: u32 = 5;

/// Chunk stream of audio towards players.
const AUDIO_CHUNK_STREAM: u32 = 4;

/// Chunk stream of video towards players.
const VIDEO_CHUNK_STREAM: u32 = 6;

/// What the answer to `connect` needs to know of the question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConnectAnswer {
    transaction: f64,
    object_encoding: f64,
    enhanced: bool,
    may_reconnect: bool,
}

impl ConnectAnswer {
    pub(super) fn to(connect: &Connect) -> Self {
        Self {
            transaction: connect.transaction,
            object_encoding: connect.object_encoding,
            enhanced: !connect.enhanced.is_empty(),
            may_reconnect: connect.enhanced.has(caps::RECONNECT),
        }
    }
}

/// Why a `publish` is refused, as the client hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishRejection {
    /// `NetStream.Publish.BadName`: the name is taken, or not a good one.
    BadName,
    /// `NetStream.Publish.Denied`: not allowed.
    Denied,
}

impl PublishRejection {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadName => "NetStream.Publish.BadName",
            Self::Denied => "NetStream.Publish.Denied",
        }
    }
}

/// Why a `play` is refused, as the client hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlayRejection {
    /// `NetStream.Play.StreamNotFound`: nobody publishes this.
    StreamNotFound,
    /// `NetStream.Play.Failed`: anything else.
    Failed,
}

impl PlayRejection {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::StreamNotFound => "NetStream.Play.StreamNotFound",
            Self::Failed => "NetStream.Play.Failed",
        }
    }
}

impl ServerSession {
    /// Accepts `connect`: Window Acknowledgement Size, Set Peer Bandwidth and Set Chunk Size, then the result
    /// (ffmpeg takes our chunk size over for its own only if it comes before). A client that speaks Enhanced
    /// RTMP is told what this server can do. Nothing happens where no `connect` waits.
    pub fn accept_connect(&mut self) {
        let Connection::Asked(asked) = &self.connection else { return };
        let Some(announcement) = self.announcement.take() else { return };
        let asked = asked.clone();
        self.connection = Connection::Accepted { may_reconnect: asked.may_reconnect };
        self.link.control(&Control::WindowAckSize(announcement.window_ack_size));
        let window = announcement.peer_bandwidth;
        self.link.control(&Control::SetPeerBandwidth { window, limit: BandwidthLimit::Dynamic });
        let chunk_size = announcement.chunk_size.clamp(1, MAX_CHUNK_SIZE);
        self.link.control(&Control::SetChunkSize(chunk_size));

        let mut properties =
            Object::new().with("fmsVer", "FMS/3,5,7,7009").with("capabilities", 31.0).with("mode", 1.0);
        if asked.enhanced {
            announcement.enhanced.write(&mut properties);
        }
        let info = status("status", "NetConnection.Connect.Success", "Connection succeeded.")
            .with("objectEncoding", asked.object_encoding);
        let args = [properties.into(), info.into()];
        self.link.command(COMMAND_CHUNK_STREAM, 0, "_result", asked.transaction, &args);
    }

    /// Refuses `connect` with `NetConnection.Connect.Rejected` and this text. Nothing happens where no
    /// `connect` waits.
    pub fn reject_connect(&mut self, description: &str) {
        let Connection::Asked(asked) = &self.connection else { return };
        let transaction = asked.transaction;
        self.connection = Connection::Rejected;
        let info = status("error", "NetConnection.Connect.Rejected", description);
        self.link.command(COMMAND_CHUNK_STREAM, 0, "_error", transaction, &[Value::Null, info.into()]);
    }

    /// Accepts `publish`: Stream Begin and `NetStream.Publish.Start`.
    pub fn accept_publish(&mut self, stream_id: u32) {
        self.link.control(&Control::User(UserControl::StreamBegin(stream_id)));
        self.on_status(stream_id, status("status", "NetStream.Publish.Start", "Publishing started."));
    }

    /// Refuses `publish` with this text.
    pub fn reject_publish(&mut self, stream_id: u32, code: PublishRejection, description: &str) {
        self.streams.set(stream_id, Use::Idle);
        self.on_status(stream_id, status("error", code.code(), description));
    }

    /// Tells a publisher that its push was cut, and why: `NetStream.Publish.Failed` with this text.
    pub fn cut(&mut self, stream_id: u32, description: &str) {
        self.streams.set(stream_id, Use::Idle);
        self.on_status(stream_id, status("error", "NetStream.Publish.Failed", description));
    }

    /// Answers the last `FCUnpublish`, if one waits. Left to the caller: a client that closes without reading
    /// the answer turns its clean stop into a reset.
    pub fn answer_fc_unpublish(&mut self) {
        let Some((transaction, name)) = self.fc_unpublish.take() else { return };
        if transaction == 0.0 {
            return;
        }
        let info = status("status", "NetStream.Unpublish.Success", &name);
        self.link.command(COMMAND_CHUNK_STREAM, 0, "onFCUnpublish", 0.0, &[Value::Null, info.into()]);
        self.answer_result(transaction, &[Value::Undefined]);
    }

    /// Sends a ping; the client answers with the same number, or never (OBS).
    pub fn ping(&mut self, timestamp: u32) {
        self.link.control(&Control::User(UserControl::PingRequest(timestamp)));
    }

    /// Asks the client to connect anew, to `tc_url` (absolute or relative) if given. False, and nothing sent,
    /// where the client has not said in `connect` that it can (Enhanced RTMP v2, "Reconnect Request").
    pub fn request_reconnect(&mut self, tc_url: Option<&str>, description: Option<&str>) -> bool {
        if self.connection != (Connection::Accepted { may_reconnect: true }) {
            return false;
        }
        let mut info = Object::new().with("level", "status").with("code", RECONNECT_REQUEST);
        for (name, text) in [("tcUrl", tc_url), ("description", description)] {
            if let Some(text) = text {
                info.push(name, text);
            }
        }
        self.link.command(COMMAND_CHUNK_STREAM, 0, "onStatus", 0.0, &[Value::Null, info.into()]);
        true
    }

    /// Accepts `play`: Stream Begin, `NetStream.Play.Reset`, `NetStream.Play.Start` and the permission to
    /// sample, after which media may follow.
    pub fn accept_play(&mut self, stream_id: u32) {
        self.link.control(&Control::User(UserControl::StreamBegin(stream_id)));
        self.on_status(stream_id, status("status", "NetStream.Play.Reset", "Playing and resetting stream."));
        self.on_status(stream_id, status("status", "NetStream.Play.Start", "Started playing stream."));
        let access = ["|RtmpSampleAccess".into(), Value::Boolean(true), Value::Boolean(true)];
        self.send_data(stream_id, 0, &access);
    }

    /// Refuses `play` with this text.
    pub fn reject_play(&mut self, stream_id: u32, code: PlayRejection, description: &str) {
        self.streams.set(stream_id, Use::Idle);
        self.on_status(stream_id, status("error", code.code(), description));
    }

    /// Confirms `pause`, or that playing goes on after it.
    pub fn answer_pause(&mut self, stream_id: u32, paused: bool) {
        let (code, text) = match paused {
            true => ("NetStream.Pause.Notify", "Paused."),
            false => ("NetStream.Unpause.Notify", "Playing goes on."),
        };
        self.on_status(stream_id, status("status", code, text));
    }

    /// Tells a player that the stream has ended: Stream EOF and `NetStream.Play.UnpublishNotify`.
    pub fn play_stop(&mut self, stream_id: u32, description: &str) {
        self.streams.set(stream_id, Use::Idle);
        self.link.control(&Control::User(UserControl::StreamEof(stream_id)));
        self.on_status(stream_id, status("status", "NetStream.Play.UnpublishNotify", description));
    }

    /// Sends audio or video to a player. To send the same to many, see [`media_frame`].
    pub fn send_media(&mut self, stream_id: u32, kind: MediaKind, timestamp: u32, payload: &[u8]) {
        self.link.message(media_chunk_stream(kind), kind.type_id(), stream_id, timestamp, payload);
    }

    /// Sends data in AMF0, its name first.
    pub fn send_data(&mut self, stream_id: u32, timestamp: u32, values: &[Value]) {
        let mut body = bytes::BytesMut::new();
        crate::amf0::encode_all(values, &mut body);
        self.send_raw_data(stream_id, timestamp, &body);
    }

    /// Sends data whose AMF0 is there already, as in [`DataMessage::raw`](crate::message::data::DataMessage).
    pub fn send_raw_data(&mut self, stream_id: u32, timestamp: u32, body: &[u8]) {
        self.link.message(STATUS_CHUNK_STREAM, type_id::DATA_AMF0, stream_id, timestamp, body);
    }

    /// Changes the chunk size towards the client.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.link.control(&Control::SetChunkSize(size.clamp(1, MAX_CHUNK_SIZE)));
    }

    /// Chunk size towards the client: 128 until `connect` was accepted.
    pub fn chunk_size(&self) -> u32 {
        self.link.chunk_size()
    }

    /// A transaction id of 0 asks for no answer (RTMP 1.0, 7.1.1); rtmp2sink sends most commands so.
    pub(super) fn answer_result(&mut self, transaction: f64, values: &[Value]) {
        if transaction == 0.0 {
            return;
        }
        let mut args = vec![Value::Null];
        args.extend_from_slice(values);
        self.link.command(COMMAND_CHUNK_STREAM, 0, "_result", transaction, &args);
    }

    /// Flash Media Live Encoder waits for `onFCPublish` before it goes on.
    pub(super) fn answer_fc_publish(&mut self, stream: &NamedStream) {
        if stream.transaction == 0.0 {
            return;
        }
        let info = status("status", "NetStream.Publish.Start", &stream.name);
        self.link.command(COMMAND_CHUNK_STREAM, 0, "onFCPublish", 0.0, &[Value::Null, info.into()]);
        self.answer_result(stream.transaction, &[Value::Undefined]);
    }

    fn on_status(&mut self, stream_id: u32, info: Object) {
        let args = [Value::Null, info.into()];
        self.link.command(STATUS_CHUNK_STREAM, stream_id, "onStatus", 0.0, &args);
    }
}

/// The chunks of one media message, made once for all players with this message stream id and chunk size. What
/// a session writes itself does not depend on what was sent before, so they may go to the socket between any two
/// outputs of a session.
pub fn media_frame(
    stream_id: u32,
    kind: MediaKind,
    timestamp: u32,
    payload: &[u8],
    chunk_size: u32,
) -> bytes::Bytes {
    let mut out = BytesMut::new();
    frame_into(stream_id, kind.type_id(), timestamp, payload, chunk_size, &mut out);
    out.freeze()
}

/// As [`media_frame`], appended to `out`, for audio, video or data: `type_id` is one of [`type_id`].
pub fn frame_into(
    stream_id: u32,
    type_id: u8,
    timestamp: u32,
    payload: &[u8],
    chunk_size: u32,
    out: &mut BytesMut,
) {
    let chunk_stream = MediaKind::from_type_id(type_id).map_or(STATUS_CHUNK_STREAM, media_chunk_stream);
    let info = MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp, stream_id };
    chunk::frame_into(&info, payload, chunk_size, out);
}

fn media_chunk_stream(kind: MediaKind) -> u32 {
    match kind {
        MediaKind::Audio => AUDIO_CHUNK_STREAM,
        MediaKind::Video => VIDEO_CHUNK_STREAM,
    }
}

fn status(level: &str, code: &str, description: &str) -> Object {
    Object::new().with("level", level).with("code", code).with("description", description)
}
