//! An encoder over RTMP, plain or in TLS: connects, publishes, and sends media that was made before.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};
use rtmp::amf0::Object;
use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession};

use crate::load::around::{Around, Ending, Step, micros, millis};
use crate::load::media::CHUNK_SIZE;
use crate::load::socket::{Sent, Socket};
use crate::load::stamp::Stamp;

/// An encoder, connected or not.
#[derive(Debug)]
pub(in crate::load) struct Publisher {
    number: u32,
    line: Option<Line>,
    /// Number of the next picture, over all its pushes.
    frame: u64,
}

/// Its connection.
#[derive(Debug)]
struct Line {
    socket: Socket,
    session: Box<ClientSession>,
    dialed: Duration,
    live: Option<Live>,
    leaving: bool,
}

#[derive(Clone, Copy, Debug)]
struct Live {
    stream_id: u32,
    since: Duration,
    pictures: u64,
}

impl Publisher {
    pub(super) fn new(number: u32) -> Self {
        Self { number, line: None, frame: 0 }
    }

    pub(super) fn is_live(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.live.is_some() && !line.leaving)
    }

    /// Whether it has a connection.
    pub(super) fn is_there(&self) -> bool {
        self.line.is_some()
    }

    /// Begins to connect.
    pub(super) fn dial(&mut self, around: &Around<'_>, registry: &Registry, token: Token) -> io::Result<()> {
        let mut socket = Socket::dial(around.place.push_address(self.number), registry, token)?;
        if let Some((config, name)) = around.place.tls() {
            socket.secure(config, name)?;
        }
        let mut session = Box::new(ClientSession::new(ClientConfig::new([0x2a; 1528])));
        session.start();
        session.connect(around.place.app(), &around.place.push_url(), &[]);
        self.line = Some(Line { socket, session, dialed: around.now, live: None, leaving: false });
        Ok(())
    }

    /// The socket can be written to, for the first time or again.
    pub(super) fn writable(&mut self) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let sent = line.socket.flush().and_then(|()| line.say());
        self.unless_lost(sent)
    }

    /// The socket can be read from.
    pub(super) fn readable(&mut self, around: &mut Around<'_>, to_the_end: bool) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        loop {
            match line.socket.read(around.scratch) {
                Ok(None) => return Step::Nothing,
                Ok(Some(0)) => return self.over(io::ErrorKind::UnexpectedEof.into()),
                Ok(Some(count)) => {
                    let bytes = around.scratch.get(..count).unwrap_or_default();
                    line.session.read_buf().extend_from_slice(bytes);
                    match line.answer(self.number, around) {
                        Ok(Step::Nothing) => {}
                        Ok(Step::Ended(ending)) => return self.end(ending),
                        Ok(step) => return step,
                        Err(error) => return self.over(error),
                    }
                    if count < around.scratch.len() && !to_the_end && !line.socket.is_secured() {
                        return Step::Nothing;
                    }
                }
                Err(error) => return self.over(error),
            }
        }
    }

    /// Sends the next picture.
    pub(super) fn picture(&mut self, around: &mut Around<'_>, step: Duration) -> Step {
        let stamp = Stamp { stream: self.number, frame: self.frame, sent_us: micros(around.now) };
        let Some((socket, live)) = self.line.as_mut().and_then(Line::on_air) else { return Step::Nothing };
        let nth = live.pictures;
        let timestamp = millis(step.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX)));
        let bytes = around.media.video(nth, timestamp, live.stream_id, stamp);
        match socket.send(bytes) {
            Ok(sent) => {
                live.pictures += 1;
                self.frame += u64::from(sent == Sent::Yes);
                around.tally.sent(sent, bytes.len());
                Step::Nothing
            }
            Err(error) => self.over(error),
        }
    }

    /// Sends the next frame of audio.
    pub(super) fn sound(&mut self, around: &mut Around<'_>) -> Step {
        let Some((socket, live)) = self.line.as_mut().and_then(Line::on_air) else { return Step::Nothing };
        let timestamp = millis(around.now.saturating_sub(live.since));
        let bytes = around.media.audio(timestamp, live.stream_id);
        match socket.send(bytes) {
            Ok(sent) => {
                around.tally.sent(sent, bytes.len());
                Step::Nothing
            }
            Err(error) => self.over(error),
        }
    }

    /// Says goodbye as encoders do; the server closes.
    pub(super) fn leave(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        line.leaving = true;
        if let Some(live) = line.live {
            line.session.fc_unpublish(&around.place.publish_name(self.number));
            line.session.delete_stream(live.stream_id);
        }
        let said = line.say().and_then(|()| line.socket.shut());
        self.unless_lost(said)
    }

    /// Closes without a word, if it is still there.
    pub(super) fn close(&mut self) -> Step {
        if self.line.is_some() { self.end(Ending::Left) } else { Step::Nothing }
    }

    fn unless_lost(&mut self, done: io::Result<()>) -> Step {
        done.map_or_else(|error| self.over(error), |()| Step::Nothing)
    }

    fn over(&mut self, error: io::Error) -> Step {
        let leaving = self.line.as_ref().is_some_and(|line| line.leaving);
        self.end(if leaving { Ending::Left } else { Ending::Lost(format!("push: {error}")) })
    }

    fn end(&mut self, ending: Ending) -> Step {
        self.line = None;
        Step::Ended(ending)
    }
}

impl Line {
    fn on_air(&mut self) -> Option<(&mut Socket, &mut Live)> {
        self.live.as_mut().filter(|_| !self.leaving).map(|live| (&mut self.socket, live))
    }

    /// Sends what the session has said.
    fn say(&mut self) -> io::Result<()> {
        if self.session.has_output() {
            let bytes = self.session.output().split();
            self.socket.send(&bytes)?;
        }
        Ok(())
    }

    fn answer(&mut self, number: u32, around: &mut Around<'_>) -> io::Result<Step> {
        let mut step = Step::Nothing;
        while let Some(event) = self.session.poll().map_err(io::Error::other)? {
            match event {
                Event::Connected { .. } => {
                    let name = around.place.publish_name(number);
                    self.session.set_chunk_size(CHUNK_SIZE);
                    self.session.release_stream(&name);
                    self.session.fc_publish(&name);
                    self.session.create_stream();
                }
                Event::StreamCreated { stream_id, .. } => {
                    self.session.publish(stream_id, &around.place.publish_name(number));
                }
                Event::Status(status) if status.code == "NetStream.Publish.Start" => {
                    self.socket.set_nodelay();
                    self.live = Some(Live { stream_id: status.stream_id, since: around.now, pictures: 0 });
                    around.tally.publish.add(micros(around.now.saturating_sub(self.dialed)));
                    let fields = Object::new().with("encoder", "lastframe-lab");
                    self.session.send_metadata(status.stream_id, fields);
                    self.say()?;
                    self.socket.send(&around.media.headers(0, status.stream_id))?;
                    step = Step::Live;
                }
                Event::Status(status) if status.level == "error" => {
                    return Ok(refused(&status.code, &status.description));
                }
                Event::ConnectRejected(refusal) => {
                    return Ok(refused(&refusal.code, &refusal.description));
                }
                _ => {}
            }
        }
        self.say()?;
        Ok(step)
    }
}

fn refused(code: &str, why: &str) -> Step {
    Step::Ended(Ending::Refused(format!("push: {code} {why}")))
}
