//! What a client says. Everything is queued, in the order of the calls, and nothing is checked.

use bytes::BytesMut;

use super::ClientSession;
use crate::amf0::{self, Object, Value};
use crate::link::COMMAND_CHUNK_STREAM;
use crate::message::control::Control;
use crate::message::data::SET_DATA_FRAME;
use crate::message::{MediaKind, MessageInfo, type_id};

/// Chunk stream of commands about a stream, and of data. ffmpeg's choice, as are the next two.
const STREAM_CHUNK_STREAM: u32 = 8;
const AUDIO_CHUNK_STREAM: u32 = 4;
const VIDEO_CHUNK_STREAM: u32 = 6;

impl ClientSession {
    /// Queues C0 and C1.
    pub fn start(&mut self) {
        if let Some(handshake) = &self.handshake {
            handshake.start(&mut self.greeting);
        }
    }

    /// `connect` to an app, with these further fields in the command object. A field named `app`, `tcUrl`,
    /// `type` or `flashVer` replaces the one that would be said.
    pub fn connect(&mut self, app: &str, tc_url: &str, more: &[(&str, Value)]) -> f64 {
        let mut object = Object::new();
        let said = [("app", app), ("type", "nonprivate"), ("flashVer", "FMLE/3.0"), ("tcUrl", tc_url)];
        for (name, text) in said.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)) {
            object.push(name, text);
        }
        for (name, value) in more {
            object.push(*name, value.clone());
        }
        self.command("connect", &[object.into()])
    }

    /// `releaseStream`.
    pub fn release_stream(&mut self, name: &str) -> f64 {
        self.command("releaseStream", &[Value::Null, name.into()])
    }

    /// `FCPublish`.
    pub fn fc_publish(&mut self, name: &str) -> f64 {
        self.command("FCPublish", &[Value::Null, name.into()])
    }

    /// `createStream`.
    pub fn create_stream(&mut self) -> f64 {
        self.command("createStream", &[Value::Null])
    }

    /// `publish`, live, on a stream that was created.
    pub fn publish(&mut self, stream_id: u32, name: &str) -> f64 {
        self.publish_as(stream_id, name, "live")
    }

    /// `publish` of another kind.
    pub fn publish_as(&mut self, stream_id: u32, name: &str, kind: &str) -> f64 {
        self.stream_command(stream_id, "publish", &[Value::Null, name.into(), kind.into()])
    }

    /// `play`, live or recorded, on a stream that was created.
    pub fn play(&mut self, stream_id: u32, name: &str) -> f64 {
        self.stream_command(stream_id, "play", &[Value::Null, name.into(), (-2.0).into()])
    }

    /// `FCUnpublish`.
    pub fn fc_unpublish(&mut self, name: &str) -> f64 {
        self.command("FCUnpublish", &[Value::Null, name.into()])
    }

    /// `closeStream`.
    pub fn close_stream(&mut self, stream_id: u32) {
        let chunk_stream = STREAM_CHUNK_STREAM;
        self.link.command(chunk_stream, stream_id, "closeStream", 0.0, &[Value::Null]);
    }

    /// `deleteStream`.
    pub fn delete_stream(&mut self, stream_id: u32) -> f64 {
        self.command("deleteStream", &[Value::Null, f64::from(stream_id).into()])
    }

    /// Any command on the connection, its command object first.
    pub fn command(&mut self, name: &str, args: &[Value]) -> f64 {
        let transaction = self.awaited.ask(name);
        self.link.command(COMMAND_CHUNK_STREAM, 0, name, transaction, args);
        transaction
    }

    /// Any command on a stream.
    pub fn stream_command(&mut self, stream_id: u32, name: &str, args: &[Value]) -> f64 {
        let transaction = self.awaited.ask(name);
        self.link.command(STREAM_CHUNK_STREAM, stream_id, name, transaction, args);
        transaction
    }

    /// Audio or video, the timestamp in milliseconds.
    pub fn send_media(&mut self, stream_id: u32, kind: MediaKind, timestamp: u32, payload: &[u8]) {
        let chunk_stream = match kind {
            MediaKind::Audio => AUDIO_CHUNK_STREAM,
            MediaKind::Video => VIDEO_CHUNK_STREAM,
        };
        self.link.message(chunk_stream, kind.type_id(), stream_id, timestamp, payload);
    }

    /// Data in AMF0, its name first.
    pub fn send_data(&mut self, stream_id: u32, timestamp: u32, values: &[Value]) {
        let mut body = BytesMut::new();
        amf0::encode_all(values, &mut body);
        self.link.message(STREAM_CHUNK_STREAM, type_id::DATA_AMF0, stream_id, timestamp, &body);
    }

    /// `onMetaData`, as publishers send it: within `@setDataFrame`, fields in an ECMA array.
    pub fn send_metadata(&mut self, stream_id: u32, fields: Object) {
        let values = [SET_DATA_FRAME.into(), "onMetaData".into(), Value::EcmaArray(fields)];
        self.send_data(stream_id, 0, &values);
    }

    /// Any control message. A chunk size takes effect behind it.
    pub fn control(&mut self, control: &Control) {
        self.link.control(control);
    }

    /// Announces a chunk size and uses it from then on.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.link.control(&Control::SetChunkSize(size));
    }

    /// Chunk size towards the server.
    pub fn chunk_size(&self) -> u32 {
        self.link.chunk_size()
    }

    /// Any message, as its header says: of any type, on any chunk stream. Offset and length are not used.
    pub fn send_message(&mut self, info: &MessageInfo, payload: &[u8]) {
        let MessageInfo { chunk_stream, type_id, stream_id, timestamp, .. } = *info;
        self.link.message(chunk_stream, type_id, stream_id, timestamp, payload);
    }

    /// Any message with a full header, in chunks of this size, whatever has been announced.
    pub fn send_chunked(&mut self, info: &MessageInfo, payload: &[u8], chunk_size: u32) {
        self.link.chunked(info, payload, chunk_size);
    }

    /// Any bytes at all, in the middle of the handshake too. What the session says after half a chunk is read
    /// as its other half.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.output().extend_from_slice(bytes);
    }
}
