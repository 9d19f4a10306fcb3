//! The server's half of a connection: what encoders push to and players play from.
//!
//! The caller moves bytes and takes decisions; the session does the rest.
//!
//! * It answers by itself what needs no decision: the handshake, pings, `releaseStream`, `FCPublish`,
//!   `createStream`, `getStreamLength`, and acknowledgements as often as the client's window asks.
//! * It hands out everything that came as an [`Event`] with the header of its message.
//! * It waits for an answer to `connect`, `publish`, `play` and `FCUnpublish`, and sends nothing unasked while
//!   media flows: what a client leaves unread turns its clean stop into a reset.
//!
//! Lenient by rule: `releaseStream`, `FCPublish` and `_checkbw` may be missing and come in any order, unknown
//! commands and user control types are events, media may come before `publish` was answered.

mod answers;
mod commands;
mod config;
mod event;
mod streams;

pub use answers::{PlayRejection, PublishRejection, frame_into, media_frame};
pub use config::ServerConfig;
pub use event::{
    Connect, ControlMessage, Event, NamedStream, Pause, Ping, Play, Publish, PublishKind, Seek, StreamEvent,
};

use bytes::BytesMut;

use crate::chunk::{self, Headers, MidMessage, Place};
use crate::ertmp::Enhancements;
use crate::fault::{Fault, Rule, Stage};
use crate::handshake::{HEAD, HandshakeError, HandshakeKind, HandshakeStage, Progress, ServerHandshake};
use crate::link::{Incoming, Link};
use crate::message::control::{Control, UserControl};
use crate::message::data::DataMessage;
use crate::message::{MediaKind, MediaMessage, Message, type_id};
use streams::MessageStreams;

/// One connection, seen from the server.
#[derive(Debug)]
pub struct ServerSession {
    /// Taken when it is done: it is as large as the rest of the session together.
    handshake: Option<Box<ServerHandshake>>,
    client_head: Option<[u8; HEAD]>,
    link: Link,
    connection: Connection,
    /// What is said when `connect` is accepted. Taken then: a connection lives for hours without it.
    announcement: Option<Box<Announcement>>,
    streams: MessageStreams,
    /// Transaction and name of an `FCUnpublish` that was not answered yet.
    fc_unpublish: Option<(f64, String)>,
    fault: Option<Fault>,
}

/// How far `connect` has come.
#[derive(Debug, Clone, PartialEq)]
enum Connection {
    Awaited,
    Asked(answers::ConnectAnswer),
    Accepted { may_reconnect: bool },
    Rejected,
}

/// What the server announces with the answer to `connect`.
#[derive(Debug)]
struct Announcement {
    window_ack_size: u32,
    peer_bandwidth: u32,
    chunk_size: u32,
    enhanced: Enhancements,
}

impl ServerSession {
    /// A session at the start of a connection.
    pub fn new(config: ServerConfig) -> Self {
        let mut link = Link::new(config.limits, Headers::Full, true);
        link.reader.set_commands_only(true);
        Self {
            handshake: Some(Box::new(ServerHandshake::new(config.random, 0))),
            client_head: None,
            link,
            connection: Connection::Awaited,
            announcement: Some(Box::new(Announcement {
                window_ack_size: config.window_ack_size,
                peer_bandwidth: config.peer_bandwidth,
                chunk_size: config.chunk_size,
                enhanced: config.enhanced,
            })),
            streams: MessageStreams::new(config.max_streams),
            fc_unpublish: None,
            fault: None,
        }
    }

    /// Where bytes from the client go: read from the socket into it, then [`poll`](Self::poll) until `None`.
    /// Has at least half of the configured read buffer free.
    pub fn read_buf(&mut self) -> &mut BytesMut {
        self.link.reader.read_buf()
    }

    /// The next event out of the bytes received; `None` where more are needed.
    ///
    /// # Errors
    /// The first rule that the client broke. The session is dead from then on and gives the same fault again.
    pub fn poll(&mut self) -> Result<Option<Event>, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match self.advance() {
            Ok(event) => Ok(event),
            Err(error) => {
                let fault = Fault::new(error, self.stage());
                self.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// Bytes for the client, to be taken out and sent. A client can make a session answer without end, so
    /// whoever cannot send stops reading too.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.link.out
    }

    /// Whether there are bytes for the client.
    pub fn has_output(&self) -> bool {
        !self.link.out.is_empty()
    }

    /// How far the session has come.
    pub fn stage(&self) -> Stage {
        match (&self.handshake, &self.connection) {
            (Some(handshake), _) => Stage::Handshake(handshake.stage()),
            (None, Connection::Awaited) => Stage::BeforeConnect,
            (None, _) => self.streams.stage(),
        }
    }

    /// The first of the random bytes that the client's handshake began with, once they have come. Clients that know the
    /// server may show in them who they are.
    pub fn client_head(&self) -> Option<&[u8; HEAD]> {
        self.client_head.as_ref()
    }

    /// Bytes of the client that have been used up, those of half-received messages included.
    pub fn bytes_received(&self) -> u64 {
        self.link.reader.position()
    }

    /// The message that is half received, if one is.
    pub fn mid_message(&self) -> Option<MidMessage> {
        self.link.reader.mid_message()
    }

    /// Whether the client could stop here without leaving anything half said: no bytes of a handshake, a chunk
    /// header or a message wait for the rest.
    pub fn at_boundary(&self) -> bool {
        let handshake_cut = self
            .handshake
            .as_ref()
            .is_some_and(|handshake| !matches!(handshake.stage(), HandshakeStage::Version));
        !handshake_cut && self.link.reader.at_boundary()
    }

    /// Memory that half-received messages hold, in bytes.
    pub fn buffered(&self) -> usize {
        self.link.reader.held()
    }

    fn advance(&mut self) -> Result<Option<Event>, chunk::Error> {
        if let Some(handshake) = &mut self.handshake {
            let done = shake_hands(handshake, &mut self.link)?;
            self.client_head = handshake.client_head();
            let Some(kind) = done else { return Ok(None) };
            self.handshake = None;
            return Ok(Some(Event::HandshakeDone(kind)));
        }
        let Some(incoming) = self.link.next()? else { return Ok(None) };
        Ok(Some(match incoming {
            Incoming::Control(info, control) => match control {
                Control::User(UserControl::PingRequest(timestamp)) => {
                    Event::PingRequest(Ping { info, timestamp })
                }
                Control::User(UserControl::PingResponse(timestamp)) => {
                    Event::PingResponse(Ping { info, timestamp })
                }
                control => Event::Control(ControlMessage { info, control }),
            },
            Incoming::Command(command) => {
                let place = Place::from(&command.info);
                self.command(command).map_err(|rule| chunk::Error { rule, place })?
            }
            Incoming::Message(message) => plain(message),
        }))
    }
}

/// A message that is neither control nor command.
fn plain(message: Message) -> Event {
    let info = message.info;
    match (MediaKind::from_type_id(info.type_id), info.type_id) {
        (Some(kind), _) => Event::Media(MediaMessage { info, kind, payload: message.payload }),
        (None, type_id::DATA_AMF0 | type_id::DATA_AMF3) => {
            Event::Data(Box::new(DataMessage::decode(message)))
        }
        (None, _) => Event::SharedObject(message),
    }
}

fn shake_hands(
    handshake: &mut ServerHandshake,
    link: &mut Link,
) -> Result<Option<HandshakeKind>, chunk::Error> {
    let before = handshake.consumed();
    let Link { reader, out, .. } = link;
    let progress = reader.take_ahead(|buf| {
        let progress = handshake.input(buf, out);
        (handshake.consumed().saturating_sub(before), progress)
    });
    match progress {
        Ok(Progress::Done(kind)) => Ok(Some(kind)),
        Ok(Progress::NeedMore) => Ok(None),
        Err(HandshakeError { offset, kind }) => {
            Err(chunk::Error { rule: Rule::Handshake(kind), place: Place { offset, ..Place::default() } })
        }
    }
}
