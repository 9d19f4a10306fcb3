//! The publishing side of a connection to a target.

use bytes::{Bytes, BytesMut};
use rtmp::amf0::{self, Value};
use rtmp::ertmp::{Enhancements, caps};
use rtmp::message::data::SET_DATA_FRAME;
use rtmp::message::{MessageInfo, type_id};
use rtmp::{ClientConfig, ClientSession, MediaKind};

use super::side::{Goodbye, Purpose, Side};
use super::target::Endpoint;
use crate::hub::feed::RTMP_CHUNK_SIZE;

/// Chunks towards a target: those that batches are cut into.
const CHUNK_SIZE: u32 = RTMP_CHUNK_SIZE;
/// Any chunk streams will do for messages with full headers.
const DATA_CHUNK_STREAM: u32 = 8;
const AUDIO_CHUNK_STREAM: u32 = 4;
const VIDEO_CHUNK_STREAM: u32 = 6;
/// What we call ourselves; servers that look at it look for FMLE.
const FLASH_VER: &str = "FMLE/3.0 (compatible; Lastframe)";

/// To publish the stream.
#[derive(Debug)]
pub enum Publishing {}

/// One connection to a target.
pub type Sender = Side<Publishing>;

impl Purpose for Publishing {
    const COMMAND: &'static str = "publish";
    const GRANTED: &'static str = "NetStream.Publish.Start";

    fn connected(session: &mut ClientSession, name: &str) {
        session.set_chunk_size(CHUNK_SIZE);
        session.release_stream(name);
        session.fc_publish(name);
    }

    fn ask(session: &mut ClientSession, stream_id: u32, name: &str) {
        session.publish(stream_id, name);
    }

    fn is_end(code: &str) -> bool {
        matches!(
            code,
            "NetStream.Unpublish.Success"
                | "NetStream.Publish.BadName"
                | "NetStream.Publish.Denied"
                | "NetStream.Publish.Failed"
                | "NetConnection.Connect.Closed"
                | "NetConnection.Connect.Rejected"
                | "NetConnection.Connect.AppShutdown"
        )
    }

    fn leave(session: &mut ClientSession, stream_id: u32, name: &str, goodbye: Goodbye) {
        match goodbye {
            Goodbye::Delete => {
                session.fc_unpublish(name);
                session.delete_stream(stream_id);
            }
            Goodbye::Close => session.close_stream(stream_id),
            Goodbye::EndOfFile | Goodbye::Reset => {}
        }
    }
}

impl Sender {
    /// Begins the handshake and asks to connect. `enhanced` is said where the stream needs Enhanced RTMP.
    pub fn publishing(endpoint: &Endpoint, enhanced: &Enhancements, random: [u8; 1528]) -> Self {
        let mut session = ClientSession::new(ClientConfig::new(random));
        session.start();
        let mut object = amf0::Object::new().with("flashVer", FLASH_VER);
        // Without the list of codecs this is but a number, which servers of old leave unread.
        let mut said = enhanced.clone();
        said.caps_ex = Some(said.caps_ex.unwrap_or_default() | caps::RECONNECT);
        said.write(&mut object);
        let more: Vec<(&str, Value)> = object.iter().map(|(name, value)| (name, value.clone())).collect();
        session.connect(&endpoint.app, &endpoint.tc_url, &more);
        Self::new(session, endpoint.name.clone())
    }

    /// The message stream that the target takes media on.
    pub fn stream_id(&self) -> u32 {
        self.stream_id
    }

    /// An audio or video message with a full header, so that it may stand between messages chunked elsewhere.
    pub fn media(&mut self, kind: MediaKind, timestamp: u32, payload: &[u8]) {
        let chunk_stream = match kind {
            MediaKind::Audio => AUDIO_CHUNK_STREAM,
            MediaKind::Video => VIDEO_CHUNK_STREAM,
        };
        let (type_id, stream_id) = (kind.type_id(), self.stream_id);
        let info = MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp, stream_id };
        self.session.send_chunked(&info, payload, CHUNK_SIZE);
    }

    /// Data by its AMF0 body, name first. Metadata is said so that the target keeps it for viewers who come later.
    pub fn data(&mut self, timestamp: u32, body: &Bytes) {
        let type_id = type_id::DATA_AMF0;
        let (chunk_stream, stream_id) = (DATA_CHUNK_STREAM, self.stream_id);
        let info = MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp, stream_id };
        if is_metadata(body) {
            let mut kept = BytesMut::with_capacity(body.len() + 32);
            amf0::encode_all(&[SET_DATA_FRAME.into()], &mut kept);
            kept.extend_from_slice(body);
            self.session.send_chunked(&info, &kept, CHUNK_SIZE);
        } else {
            self.session.send_chunked(&info, body, CHUNK_SIZE);
        }
    }
}

/// `onMetaData`, as an AMF0 string.
fn is_metadata(body: &[u8]) -> bool {
    body.starts_with(b"\x02\x00\x0aonMetaData")
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
