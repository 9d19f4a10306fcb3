//! The publishing side of a connection to a target, without I/O: what a target says in, what it is told out.

use bytes::{Bytes, BytesMut};
use cause::evidence::Stage;
use rtmp::amf0::{self, Value};
use rtmp::client::{Event, Status};
use rtmp::ertmp::{self, Enhancements, caps};
use rtmp::message::control::Control;
use rtmp::message::data::{DataMessage, SET_DATA_FRAME};
use rtmp::message::{MediaMessage, MessageInfo, type_id};
use rtmp::{ClientConfig, ClientSession, Fault, MediaKind};

use super::link::Side;
use super::parting::{Parting, Said};
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

/// How a stream is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// `FCUnpublish` and `deleteStream`, as encoders do.
    Delete,
    /// `closeStream`.
    Close,
    /// The connection ends without a word.
    EndOfFile,
    /// The connection is reset.
    Reset,
}

/// A target's word that matters.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// It takes media from now on.
    Live,
    /// It is over.
    Parted(Parting),
    /// It sent something of a stream that is played.
    Got(Received),
}

/// Something of a stream that is played.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// Audio or video.
    Media(MediaMessage),
    /// Data, such as `onMetaData`.
    Data(Box<DataMessage>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Handshake,
    Connect,
    CreateStream,
    Publish,
    Live,
    Leaving,
}

/// One connection to a target, from the first byte to the goodbye.
#[derive(Debug)]
pub struct Sender {
    session: ClientSession,
    name: String,
    step: Step,
    stream_id: u32,
}

impl Sender {
    /// Begins the handshake and asks to connect. `enhanced` is said where the stream needs Enhanced RTMP.
    pub fn new(endpoint: &Endpoint, enhanced: &Enhancements, random: [u8; 1528]) -> Self {
        let mut session = ClientSession::new(ClientConfig::new(random));
        session.start();
        let mut object = amf0::Object::new().with("flashVer", FLASH_VER);
        // Without the list of codecs this is but a number, which servers of old leave unread.
        let mut said = enhanced.clone();
        said.caps_ex = Some(said.caps_ex.unwrap_or_default() | caps::RECONNECT);
        said.write(&mut object);
        let more: Vec<(&str, Value)> = object.iter().map(|(name, value)| (name, value.clone())).collect();
        session.connect(&endpoint.app, &endpoint.tc_url, &more);
        let name = endpoint.name.clone();
        Self { session, name, step: Step::Handshake, stream_id: 0 }
    }

    fn event(&mut self, event: Event) -> Option<Heard> {
        match event {
            Event::HandshakeDone(_) => {
                self.step = Step::Connect;
                None
            }
            Event::Connected { .. } => {
                self.session.set_chunk_size(CHUNK_SIZE);
                self.session.release_stream(&self.name);
                self.session.fc_publish(&self.name);
                self.session.create_stream();
                self.step = Step::CreateStream;
                None
            }
            Event::ConnectRejected(refusal) => {
                Some(self.refused(Said::new(&refusal.code, &refusal.description)))
            }
            Event::StreamCreated { stream_id, .. } if self.step == Step::CreateStream => {
                self.stream_id = stream_id;
                self.session.publish(stream_id, &self.name);
                self.step = Step::Publish;
                None
            }
            Event::Error(reply) if matches!(reply.to.as_deref(), Some("createStream" | "publish")) => {
                let text = |name| reply.values.iter().find_map(|value| value.field(name));
                let text = |name| text(name).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(self.refused(Said::new(&text("code"), &text("description"))))
            }
            Event::Status(status) => self.status(&status),
            Event::Command(command) if command.name == "close" => Some(self.refused(Said::new("", "close"))),
            Event::Control { control: Control::SetPeerBandwidth { window, .. }, .. } => {
                self.session.control(&Control::WindowAckSize(window));
                None
            }
            _ => None,
        }
    }

    fn status(&mut self, status: &Status) -> Option<Heard> {
        if self.step == Step::Leaving {
            return None;
        }
        match status.code.as_str() {
            "NetStream.Publish.Start" => (self.step == Step::Publish).then(|| {
                self.step = Step::Live;
                Heard::Live
            }),
            ertmp::RECONNECT_REQUEST => Some(Heard::Parted(Parting::Moved(status.tc_url.clone()))),
            code if status.level == "error" || is_end(code) => {
                Some(self.refused(Said::new(code, &status.description)))
            }
            _ => None,
        }
    }

    fn refused(&self, said: Said) -> Heard {
        Heard::Parted(match self.step {
            Step::Live | Step::Leaving => Parting::Stopped(said),
            _ => Parting::Refused { stage: self.stage(), said },
        })
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

impl Side for Sender {
    fn read_buf(&mut self) -> &mut BytesMut {
        self.session.read_buf()
    }

    fn output(&mut self) -> &mut BytesMut {
        self.session.output()
    }

    fn has_output(&self) -> bool {
        self.session.has_output()
    }

    fn stage(&self) -> Stage {
        match self.step {
            Step::Handshake => Stage::RtmpHandshake,
            Step::Connect => Stage::BeforeConnect,
            Step::CreateStream => Stage::Connected,
            Step::Publish => Stage::StreamCreated,
            Step::Live | Step::Leaving => Stage::Live,
        }
    }

    fn hear(&mut self) -> Result<Option<Heard>, Fault> {
        while let Some(event) = self.session.poll()? {
            if let Some(heard) = self.event(event) {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    fn leave(&mut self, goodbye: Goodbye) {
        if self.step == Step::Live {
            match goodbye {
                Goodbye::Delete => {
                    self.session.fc_unpublish(&self.name);
                    self.session.delete_stream(self.stream_id);
                }
                Goodbye::Close => self.session.close_stream(self.stream_id),
                Goodbye::EndOfFile | Goodbye::Reset => {}
            }
        }
        self.step = Step::Leaving;
    }
}

/// Codes that end a stream though their level is no error.
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

/// `onMetaData`, as an AMF0 string.
fn is_metadata(body: &[u8]) -> bool {
    body.starts_with(b"\x02\x00\x0aonMetaData")
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
