//! The client's half of a connection: pushes, plays, relays, and misbehaves when asked to.
//!
//! The mirror of [`server`](crate::server): methods queue what the client says, [`ClientSession::poll`] tells
//! what the server said. Nothing keeps the caller from saying things out of order; that is what servers are
//! tested with. Methods that want an answer give the transaction id it will carry.

mod config;
mod event;
mod replies;
mod say;

pub use config::ClientConfig;
pub use event::{Event, Refusal, Reply, Status};

use bytes::BytesMut;

use crate::chunk::{self, ChunkReader, Headers, MidMessage, Place};
use crate::fault::{Fault, Rule, Stage};
use crate::handshake::{ClientHandshake, HandshakeError, HandshakeKind, Progress};
use crate::link::{Incoming, Link};
use crate::message::data::DataMessage;
use crate::message::{MediaKind, MediaMessage, Message, type_id};
use replies::Awaited;

/// One connection, seen from the client.
#[derive(Debug)]
pub struct ClientSession {
    /// Taken when it is done.
    handshake: Option<Box<ClientHandshake>>,
    /// What goes out before the handshake is done. Messages wait in the link meanwhile: they belong behind C2.
    greeting: BytesMut,
    link: Link,
    awaited: Awaited,
    /// How far the session has come behind the handshake.
    stage: Stage,
    fault: Option<Fault>,
}

impl ClientSession {
    /// A session at the start of a connection. It says nothing before [`start`](Self::start).
    pub fn new(config: ClientConfig) -> Self {
        Self {
            handshake: Some(Box::new(ClientHandshake::new(config.handshake, config.random, 0))),
            greeting: BytesMut::new(),
            link: Link::new(config.limits, Headers::Compressed, config.answer_pings),
            awaited: Awaited::default(),
            stage: Stage::BeforeConnect,
            fault: None,
        }
    }

    /// Where bytes from the server go. Has at least half of the configured read buffer free.
    pub fn read_buf(&mut self) -> &mut BytesMut {
        self.link.reader.read_buf()
    }

    /// The next event out of the bytes received; `None` where more are needed.
    ///
    /// # Errors
    /// The first rule that the server broke. The session is dead from then on and gives the same fault again.
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

    /// Bytes for the server, to be taken out and sent.
    ///
    /// Messages said before the handshake is done come behind it.
    pub fn output(&mut self) -> &mut BytesMut {
        if self.handshake.is_some() { &mut self.greeting } else { &mut self.link.out }
    }

    /// Whether there are bytes for the server.
    pub fn has_output(&self) -> bool {
        if self.handshake.is_some() { !self.greeting.is_empty() } else { !self.link.out.is_empty() }
    }

    /// How far the session has come, by what the server answered.
    pub fn stage(&self) -> Stage {
        self.handshake.as_ref().map_or(self.stage, |handshake| Stage::Handshake(handshake.stage()))
    }

    /// Bytes of the server that have been used up.
    pub fn bytes_received(&self) -> u64 {
        self.link.reader.position()
    }

    /// The message that is half received, if one is.
    pub fn mid_message(&self) -> Option<MidMessage> {
        self.link.reader.mid_message()
    }

    fn advance(&mut self) -> Result<Option<Event>, chunk::Error> {
        if let Some(handshake) = &mut self.handshake {
            let progress = shake_hands(handshake, &mut self.link.reader, &mut self.greeting)?;
            let Some(kind) = progress else { return Ok(None) };
            self.handshake = None;
            self.greeting.extend_from_slice(&self.link.out);
            self.link.out = std::mem::take(&mut self.greeting);
            return Ok(Some(Event::HandshakeDone(kind)));
        }
        let Some(incoming) = self.link.next()? else { return Ok(None) };
        Ok(Some(match incoming {
            Incoming::Control(info, control) => Event::Control { info, control },
            Incoming::Command(command) => {
                let place = Place::from(&command.info);
                self.reply(command).map_err(|rule| chunk::Error { rule, place })?
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
    handshake: &mut ClientHandshake,
    reader: &mut ChunkReader,
    out: &mut BytesMut,
) -> Result<Option<HandshakeKind>, chunk::Error> {
    let before = handshake.consumed();
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
