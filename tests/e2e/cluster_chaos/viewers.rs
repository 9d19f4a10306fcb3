//! Viewers, who write down when media came to them, and of which push of the stream it was.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::clock::now;
use crate::support::setup::DOMAIN;

/// How often a viewer looks up from the screen.
const LOOK: Duration = Duration::from_millis(200);
/// Pause before a viewer asks again who was sent away.
const AGAIN: Duration = Duration::from_millis(500);
/// A head of HTTP and one of FLV with the first tag's place in it.
const FLV_HEAD: usize = 13;
/// Head and trailing size of a tag.
const TAG: usize = 11 + 4;

/// One viewer's time with a stream.
#[derive(Clone, Debug)]
pub struct View {
    pub stream: String,
    /// The node that it asked.
    pub node: usize,
    /// When the first media came, and the last.
    pub seen: Option<(Instant, Instant)>,
    /// The longest time without any between the two, and when it ended.
    pub gap: (Duration, Instant),
    /// When the server first closed the connection; `None` if the viewer left before.
    pub closed: Option<Instant>,
    /// Of which push of the stream the pictures were, each time that it was another one than before.
    pub pushes: Vec<u8>,
}

/// Plays a stream as FLV over HTTP until `stop` says so, and asks again when it is sent away.
pub fn view(at: SocketAddr, node: usize, stream: &str, stop: impl Fn() -> bool) -> View {
    let mut view = View {
        stream: stream.to_owned(),
        node,
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
    let mut socket = TcpStream::connect_timeout(&at, Duration::from_secs(2))?;
    socket.set_read_timeout(Some(LOOK))?;
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
            view.got(&tag);
        }
    }
    Ok(())
}

/// Takes the next whole tag off the film.
fn next_tag(film: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [_, a, b, c, ..] = film[..] else { return None };
    let whole = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap() + TAG;
    (film.len() >= whole).then(|| film.drain(..whole).collect())
}

impl View {
    fn got(&mut self, tag: &[u8]) {
        // A picture, not what stands before the first one.
        if tag[0] != 9 || tag.len() < 300 {
            return;
        }
        let time = now();
        let (first, last) = self.seen.unwrap_or((time, time));
        if time - last >= self.gap.0 {
            self.gap = (time - last, time);
        }
        self.seen = Some((first, time));
        let of = tag[tag.len() - 5];
        if self.pushes.last() != Some(&of) {
            self.pushes.push(of);
        }
    }
}
