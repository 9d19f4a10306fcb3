//! A player: asks for a stream, and skims what comes.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};
use rtmp::client::Event;
use rtmp::message::control::{Control, UserControl};
use rtmp::{ClientConfig, ClientSession};

use super::around::{Around, Ending, Step, micros};
use super::plan::Format;
use super::skim::{FlvSkimmer, HttpBody, RtmpSkimmer, SkimError, Skimmed, kind};
use super::socket::Socket;
use super::stamp::Stamp;
use super::tally::Tally;

/// S0, S1 and S2 (RTMP 1.0, 5.2).
const HANDSHAKE: usize = 1 + 1536 + 1536;
/// Events among user control messages (RTMP 1.0, 7.1.7).
const STREAM_EOF: [u8; 2] = [0, 1];
const PING_REQUEST: [u8; 2] = [0, 6];

/// A player, connected or not.
#[derive(Debug)]
pub(super) struct Player {
    stream: u32,
    format: Format,
    line: Option<Line>,
}

#[derive(Debug)]
struct Line {
    socket: Socket,
    reader: Reader,
    watch: Watch,
}

#[derive(Debug)]
enum Reader {
    Rtmp(Box<Rtmp>),
    Flv { http: HttpBody, flv: FlvSkimmer },
}

#[derive(Debug)]
struct Rtmp {
    session: ClientSession,
    skimmer: RtmpSkimmer,
    handshake_left: usize,
    /// The session has heard `Play.Start`; only the skimmer listens from then on.
    started: bool,
    received: u64,
    acknowledged: u64,
    window: u64,
}

/// What the player makes of the pictures.
#[derive(Clone, Copy, Debug)]
struct Watch {
    stream: u32,
    dialed: Duration,
    /// When the first picture came.
    since: Option<Duration>,
    last: Option<u64>,
}

impl Player {
    pub(super) fn new(stream: u32, format: Format) -> Self {
        Self { stream, format, line: None }
    }

    pub(super) fn is_live(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.watch.since.is_some())
    }

    /// Whether it has a connection.
    pub(super) fn is_there(&self) -> bool {
        self.line.is_some()
    }

    /// Begins to connect.
    pub(super) fn dial(&mut self, around: &Around<'_>, registry: &Registry, token: Token) -> io::Result<()> {
        let mut socket = Socket::dial(around.place.play_address(), registry, token)?;
        let reader = match self.format {
            Format::Rtmp => Reader::Rtmp(Box::new(Rtmp::new(around))),
            Format::Flv => {
                socket.send(around.place.http_request(self.stream).as_bytes())?;
                Reader::Flv { http: HttpBody::default(), flv: FlvSkimmer::default() }
            }
        };
        let watch = Watch { stream: self.stream, dialed: around.now, since: None, last: None };
        self.line = Some(Line { socket, reader, watch });
        Ok(())
    }

    /// The socket can be written to, for the first time or again.
    pub(super) fn writable(&mut self) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        match line.socket.flush().and_then(|()| line.say()) {
            Ok(()) => Step::Nothing,
            Err(error) => self.lost(&error),
        }
    }

    /// The socket can be read from.
    pub(super) fn readable(&mut self, around: &mut Around<'_>, to_the_end: bool) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let was_live = line.watch.since.is_some();
        loop {
            let count = match line.socket.read(around.scratch) {
                Ok(None) => break,
                Ok(Some(0)) => return self.lost(&io::ErrorKind::UnexpectedEof.into()),
                Ok(Some(count)) => count,
                Err(error) => return self.lost(&error),
            };
            match line.take(self.stream, count, around) {
                Ok(None) => {}
                Ok(Some(refusal)) => return self.end(Ending::Refused(refusal)),
                Err(error) => return self.lost(&error),
            }
            if count < around.scratch.len() && !to_the_end {
                break;
            }
        }
        let Some(since) = line.watch.since.filter(|_| !was_live) else { return Step::Nothing };
        around.tally.play.add(micros(since.saturating_sub(line.watch.dialed)));
        Step::Live
    }

    /// Leaves, as players do: by closing.
    pub(super) fn close(&mut self) -> Step {
        if self.line.is_some() { self.end(Ending::Left) } else { Step::Nothing }
    }

    fn lost(&mut self, error: &io::Error) -> Step {
        self.end(Ending::Lost(format!("play: {error}")))
    }

    fn end(&mut self, ending: Ending) -> Step {
        self.line = None;
        Step::Ended(ending)
    }
}

impl Line {
    /// Takes the bytes that were just read; the text of a refusal if that is what they are.
    fn take(&mut self, stream: u32, count: usize, around: &mut Around<'_>) -> io::Result<Option<String>> {
        let Around { now, scratch, place, tally, .. } = around;
        let bytes = scratch.get(..count).unwrap_or_default();
        if tally.measuring {
            tally.delivered_bytes += bytes.len() as u64;
        }
        let watch = &mut self.watch;
        match &mut self.reader {
            Reader::Flv { http, flv } => {
                let fed = http.feed(bytes, |data| flv.feed(data, |seen| watch.message(&seen, *now, tally)));
                match fed {
                    Err(SkimError::Status(status)) => Ok(Some(format!("play: HTTP {status}"))),
                    fed => fed.map(|()| None).map_err(io::Error::other),
                }
            }
            Reader::Rtmp(rtmp) => {
                rtmp.skim(bytes, watch, *now, tally)?;
                let refusal = if rtmp.started { None } else { rtmp.ask(bytes, &place.play_name(stream))? };
                self.say()?;
                Ok(refusal)
            }
        }
    }

    /// Sends what the session has said.
    fn say(&mut self) -> io::Result<()> {
        if let Reader::Rtmp(rtmp) = &mut self.reader
            && rtmp.session.has_output()
        {
            let bytes = rtmp.session.output().split();
            self.socket.send(&bytes)?;
        }
        Ok(())
    }
}

impl Rtmp {
    fn new(around: &Around<'_>) -> Self {
        let mut session = ClientSession::new(ClientConfig::new([0x2b; 1528]));
        session.start();
        session.connect(around.place.app(), &around.place.play_url(), &[]);
        let skimmer = RtmpSkimmer::default();
        let (received, acknowledged, window) = (0, 0, u64::MAX);
        Self { session, skimmer, handshake_left: HANDSHAKE, started: false, received, acknowledged, window }
    }

    fn skim(&mut self, bytes: &[u8], watch: &mut Watch, now: Duration, tally: &mut Tally) -> io::Result<()> {
        self.received += bytes.len() as u64;
        let skipped = self.handshake_left.min(bytes.len());
        self.handshake_left -= skipped;
        let Self { session, started, window, .. } = self;
        let mut over = false;
        let messages = bytes.get(skipped..).unwrap_or_default();
        let fed = self.skimmer.feed(messages, |seen| match (seen.kind, seen.head) {
            (kind::USER_CONTROL, [a, b, ping @ ..]) if *started && [*a, *b] == PING_REQUEST => {
                let number = ping.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                session.control(&Control::User(UserControl::PingResponse(number)));
            }
            (kind::USER_CONTROL, [a, b, ..]) if *started && [*a, *b] == STREAM_EOF => over = true,
            (kind::WINDOW_ACK_SIZE, [a, b, c, d, ..]) => {
                *window = u64::from(u32::from_be_bytes([*a, *b, *c, *d])).max(1024);
            }
            _ => watch.message(&seen, now, tally),
        });
        fed.map_err(io::Error::other)?;
        if over {
            return Err(io::Error::other("the stream ended"));
        }
        if self.started && self.received.saturating_sub(self.acknowledged) >= self.window {
            self.acknowledged = self.received;
            // The sequence number wraps (RTMP 1.0, 5.4.3).
            let wrapped = u32::try_from(self.received & u64::from(u32::MAX)).unwrap_or(0);
            self.session.control(&Control::Acknowledgement(wrapped));
        }
        Ok(())
    }

    /// Goes on asking until the stream plays; the text of a refusal if there is one.
    fn ask(&mut self, bytes: &[u8], name: &str) -> io::Result<Option<String>> {
        self.session.read_buf().extend_from_slice(bytes);
        while let Some(event) = self.session.poll().map_err(io::Error::other)? {
            match event {
                Event::Connected { .. } => {
                    self.session.create_stream();
                }
                Event::StreamCreated { stream_id, .. } => {
                    self.session.play(stream_id, name);
                }
                Event::Status(status) if status.code == "NetStream.Play.Start" => self.started = true,
                Event::Status(status) if status.level == "error" => {
                    return Ok(Some(format!("play: {} {}", status.code, status.description)));
                }
                Event::ConnectRejected(refusal) => {
                    return Ok(Some(format!("play: {} {}", refusal.code, refusal.description)));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

impl Watch {
    fn message(&mut self, seen: &Skimmed<'_>, now: Duration, tally: &mut Tally) {
        if !matches!(seen.kind, kind::AUDIO | kind::VIDEO) {
            return;
        }
        let stamp = Stamp::of(seen.head).filter(|_| seen.kind == kind::VIDEO);
        if self.since.is_none() && is_picture(seen) {
            self.since = Some(now);
        }
        let missed = stamp.and_then(|stamp| {
            let before = self.last.replace(stamp.frame)?;
            Some(stamp.frame.saturating_sub(before).saturating_sub(1))
        });
        if !tally.measuring {
            return;
        }
        tally.delivered_frames += 1;
        tally.skipped += missed.unwrap_or(0);
        if let Some(stamp) = stamp {
            tally.misdelivered += u64::from(stamp.stream != self.stream);
            // What is older was kept for those who join, and says nothing of the way here.
            if self.since.is_some_and(|since| stamp.sent_us >= micros(since)) {
                tally.delays.add(micros(now).saturating_sub(stamp.sent_us));
            }
        }
    }
}

/// Codec configuration comes ahead of the pictures, and long ahead where a server waits for a key frame.
fn is_picture(seen: &Skimmed<'_>) -> bool {
    let is_config = matches!(seen.head, [tag, 0, ..] if tag & 0x8f == 0x07);
    seen.kind == kind::VIDEO && !is_config
}
