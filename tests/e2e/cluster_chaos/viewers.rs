//! Viewers, who write down when media came to them, and of which push of the stream it was.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession, MediaKind};

use crate::support::clock::now;
use crate::support::setup::DOMAIN;

/// How often a viewer looks up from the screen.
const LOOK: Duration = Duration::from_millis(200);
/// Pause before a viewer asks again who was sent away.
const AGAIN: Duration = Duration::from_millis(500);
/// A head of FLV with the first tag's place in it.
const FLV_HEAD: usize = 13;
/// The head of a tag, and its size behind it.
const TAG: (usize, usize) = (11, 4);
/// A tag or message of pictures.
const PICTURES: u8 = 9;
/// What stands before the first picture is shorter.
const PICTURE_AT_LEAST: usize = 285;

/// How a viewer watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// FLV over HTTP.
    Flv,
    Rtmp,
}

/// One connection of a viewer over RTMP: until it has said that it plays it may be an encoder's.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub port: u16,
    pub from: Instant,
    pub to: Instant,
}

/// One viewer's time with a stream.
#[derive(Clone, Debug)]
pub struct View {
    pub stream: String,
    /// The node that it asked.
    pub node: usize,
    pub way: Way,
    /// Its connections over RTMP.
    pub visits: Vec<Visit>,
    /// When the first media came, and the last.
    pub seen: Option<(Instant, Instant)>,
    /// The longest time without any between the two, and when it ended.
    pub gap: (Duration, Instant),
    /// When the server first closed the connection; `None` if the viewer left before.
    pub closed: Option<Instant>,
    /// Of which push of the stream the pictures were, each time that it was another one than before.
    pub pushes: Vec<(u8, Instant)>,
}

/// Plays a stream until `stop` says so, and asks again when it is sent away.
pub fn view(at: SocketAddr, node: usize, way: Way, stream: &str, stop: impl Fn() -> bool) -> View {
    let mut view = View {
        stream: stream.to_owned(),
        node,
        way,
        visits: Vec::new(),
        seen: None,
        gap: (Duration::ZERO, now()),
        closed: None,
        pushes: Vec::new(),
    };
    while play(at, &mut view, &stop).is_err() && !stop() {
        if view.seen.is_some() {
            view.closed.get_or_insert_with(now);
        }
        std::thread::sleep(AGAIN);
    }
    view
}

fn play(at: SocketAddr, view: &mut View, stop: &impl Fn() -> bool) -> std::io::Result<()> {
    let socket = TcpStream::connect_timeout(&at, Duration::from_secs(2))?;
    socket.set_read_timeout(Some(LOOK))?;
    match view.way {
        Way::Flv => play_flv(socket, view, stop),
        Way::Rtmp => {
            let (port, from) = (socket.local_addr()?.port(), now());
            let played = play_rtmp(socket, view, stop);
            view.visits.push(Visit { port, from, to: now() });
            played
        }
    }
}

fn play_rtmp(mut socket: TcpStream, view: &mut View, stop: &impl Fn() -> bool) -> std::io::Result<()> {
    let mut session = ClientSession::new(ClientConfig::new([0x2b; 1528]));
    session.start();
    session.connect("live", &format!("rtmp://{DOMAIN}/live"), &[]);
    let (mut chunk, mut asked) = ([0; 16 << 10], false);
    // Who leaves before it has said that it plays is taken for an encoder.
    while !(asked && stop()) {
        while let Some(event) = session.poll().map_err(std::io::Error::other)? {
            match event {
                Event::Connected { .. } => {
                    session.create_stream();
                }
                Event::StreamCreated { stream_id, .. } => {
                    session.play(stream_id, &view.stream);
                    asked = true;
                }
                Event::Media(media) if media.kind == MediaKind::Video => view.got(&media.payload),
                Event::Status(status)
                    if status.level == "error" || status.code.ends_with("UnpublishNotify") =>
                {
                    return Err(std::io::Error::other(status.code));
                }
                _ => {}
            }
        }
        socket.write_all(&session.output().split())?;
        match socket.read(&mut chunk) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => session.read_buf().extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn play_flv(mut socket: TcpStream, view: &mut View, stop: &impl Fn() -> bool) -> std::io::Result<()> {
    // As HTTP/1.0 the answer is nothing but the film.
    let ask = format!("GET /live/{}.flv HTTP/1.0\r\nHost: {DOMAIN}\r\n\r\n", view.stream);
    socket.write_all(ask.as_bytes())?;
    let (mut chunk, mut film, mut began) = ([0; 16 << 10], Vec::new(), false);
    while !stop() {
        match socket.read(&mut chunk) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => film.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if !began {
            let Some(head) = film.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            if !film.starts_with(b"HTTP/1.0 200") && !film.starts_with(b"HTTP/1.1 200") {
                return Err(std::io::Error::other("sent away"));
            }
            if film.len() < head + 4 + FLV_HEAD {
                continue;
            }
            film.drain(..head + 4 + FLV_HEAD);
            began = true;
        }
        while let Some(tag) = next_tag(&mut film) {
            if tag[0] == PICTURES {
                view.got(&tag[TAG.0..tag.len() - TAG.1]);
            }
        }
    }
    Ok(())
}

/// Takes the next whole tag off the film.
fn next_tag(film: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [_, a, b, c, ..] = film[..] else { return None };
    let whole = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap() + TAG.0 + TAG.1;
    (film.len() >= whole).then(|| film.drain(..whole).collect())
}

impl View {
    fn got(&mut self, picture: &[u8]) {
        let Some(of) = picture.last().copied().filter(|_| picture.len() >= PICTURE_AT_LEAST) else { return };
        let time = now();
        let (first, last) = self.seen.unwrap_or((time, time));
        if time - last >= self.gap.0 {
            self.gap = (time - last, time);
        }
        self.seen = Some((first, time));
        if self.pushes.last().is_none_or(|(last, _)| *last != of) {
            self.pushes.push((of, time));
        }
    }
}
