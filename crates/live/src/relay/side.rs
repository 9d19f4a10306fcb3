//! What speaks on a link, without I/O: what the other server says in, what it is told out. The way to a stream there is the
//! same whatever is wanted of it, up to the command that asks for it; the rest is its [`Purpose`].

use std::fmt::Debug;
use std::marker::PhantomData;

use bytes::BytesMut;
use cause::evidence::Stage;
use rtmp::amf0::Value;
use rtmp::client::{Event, Status};
use rtmp::ertmp;
use rtmp::message::MediaMessage;
use rtmp::message::control::Control;
use rtmp::message::data::DataMessage;
use rtmp::{ClientSession, Fault};

use super::parting::{Parting, Said};

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

/// A word of the other server that matters.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// It takes media from now on, or sends it.
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

/// What is wanted of a stream at another server.
pub trait Purpose: Debug {
    /// The command that asks for it.
    const COMMAND: &'static str;
    /// The status that grants it.
    const GRANTED: &'static str;

    /// The connection is there, and a message stream is asked for next.
    fn connected(_session: &mut ClientSession, _name: &str) {}

    /// Asks for it on a message stream.
    fn ask(session: &mut ClientSession, stream_id: u32, name: &str);

    /// What of an event matters while it is granted.
    fn received(_event: Event) -> Option<Received> {
        None
    }

    /// Whether a status ends it though its level is no error.
    fn is_end(code: &str) -> bool;

    /// Gives it back, where that has words.
    fn leave(session: &mut ClientSession, stream_id: u32, name: &str, goodbye: Goodbye);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Handshake,
    Connect,
    CreateStream,
    Asked,
    Live,
    Leaving,
}

/// Our side of one connection, from the first byte to the goodbye.
#[derive(Debug)]
pub struct Side<P> {
    pub(super) session: ClientSession,
    pub(super) stream_id: u32,
    name: String,
    step: Step,
    purpose: PhantomData<P>,
}

impl<P: Purpose> Side<P> {
    /// Of a session that has asked to connect; `name` is that of the stream there.
    pub fn new(session: ClientSession, name: String) -> Self {
        Self { session, stream_id: 0, name, step: Step::Handshake, purpose: PhantomData }
    }

    /// Where bytes of the other server go.
    pub fn read_buf(&mut self) -> &mut BytesMut {
        self.session.read_buf()
    }

    /// Bytes for the other server, to be taken out and sent.
    pub fn output(&mut self) -> &mut BytesMut {
        self.session.output()
    }

    /// Whether there are some.
    pub fn has_output(&self) -> bool {
        self.session.has_output()
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        match self.step {
            Step::Handshake => Stage::RtmpHandshake,
            Step::Connect => Stage::BeforeConnect,
            Step::CreateStream => Stage::Connected,
            Step::Asked => Stage::StreamCreated,
            Step::Live | Step::Leaving => Stage::Live,
        }
    }

    /// What was said that matters; `None` where more bytes are needed.
    ///
    /// # Errors
    /// The rule of RTMP that the other server broke.
    pub fn hear(&mut self) -> Result<Option<Heard>, Fault> {
        while let Some(event) = self.session.poll()? {
            if let Some(heard) = self.event(event) {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    /// Says goodbye, where that has words.
    pub fn leave(&mut self, goodbye: Goodbye) {
        if self.step == Step::Live {
            P::leave(&mut self.session, self.stream_id, &self.name, goodbye);
        }
        self.step = Step::Leaving;
    }

    fn event(&mut self, event: Event) -> Option<Heard> {
        match event {
            Event::HandshakeDone(_) => {
                self.step = Step::Connect;
                None
            }
            Event::Connected { .. } => {
                P::connected(&mut self.session, &self.name);
                self.session.create_stream();
                self.step = Step::CreateStream;
                None
            }
            Event::ConnectRejected(refusal) => {
                Some(self.parted(Said::new(&refusal.code, &refusal.description)))
            }
            Event::StreamCreated { stream_id, .. } if self.step == Step::CreateStream => {
                self.stream_id = stream_id;
                P::ask(&mut self.session, stream_id, &self.name);
                self.step = Step::Asked;
                None
            }
            Event::Error(reply)
                if reply.to.as_deref().is_some_and(|to| to == "createStream" || to == P::COMMAND) =>
            {
                let text = |name| reply.values.iter().find_map(|value| value.field(name));
                let text = |name| text(name).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(self.parted(Said::new(&text("code"), &text("description"))))
            }
            Event::Status(status) => self.status(&status),
            Event::Command(command) if command.name == "close" => Some(self.parted(Said::new("", "close"))),
            Event::Control { control: Control::SetPeerBandwidth { window, .. }, .. } => {
                self.session.control(&Control::WindowAckSize(window));
                None
            }
            other if self.step == Step::Live => P::received(other).map(Heard::Got),
            _ => None,
        }
    }

    fn status(&mut self, status: &Status) -> Option<Heard> {
        if self.step == Step::Leaving {
            return None;
        }
        match status.code.as_str() {
            code if code == P::GRANTED => (self.step == Step::Asked).then(|| {
                self.step = Step::Live;
                Heard::Live
            }),
            ertmp::RECONNECT_REQUEST => Some(Heard::Parted(Parting::Moved(status.tc_url.clone()))),
            code if status.level == "error" || P::is_end(code) => {
                Some(self.parted(Said::new(code, &status.description)))
            }
            _ => None,
        }
    }

    fn parted(&self, said: Said) -> Heard {
        Heard::Parted(match self.step {
            Step::Live | Step::Leaving => Parting::Stopped(said),
            _ => Parting::Refused { stage: self.stage(), said },
        })
    }
}
