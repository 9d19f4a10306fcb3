//! Viewers, who write down when media came to them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::clock::now;
use crate::support::setup::DOMAIN;

/// How often a viewer looks up from the screen.
const LOOK: Duration = Duration::from_millis(200);

/// One viewer's time with a stream.
#[derive(Clone, Debug)]
pub struct View {
    pub stream: String,
    /// The node that it asked.
    pub node: usize,
    /// When the first media came, and the last.
    pub seen: Option<(Instant, Instant)>,
    /// The longest time without any between the two.
    pub gap: Duration,
    /// When the server closed the connection; `None` if the viewer left first.
    pub closed: Option<Instant>,
}

/// Plays a stream as FLV over HTTP until it ends or `stop` says so.
pub fn view(at: SocketAddr, node: usize, stream: &str, stop: impl Fn() -> bool) -> View {
    let mut view = View { stream: stream.to_owned(), node, seen: None, gap: Duration::ZERO, closed: None };
    if play(at, &mut view, stop).is_err() {
        view.closed = Some(now());
    }
    view
}

fn play(at: SocketAddr, view: &mut View, stop: impl Fn() -> bool) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(at)?;
    socket.set_read_timeout(Some(LOOK))?;
    let ask = format!("GET /live/{}.flv HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n", view.stream);
    socket.write_all(ask.as_bytes())?;
    let mut chunk = [0; 64 << 10];
    while !stop() {
        match socket.read(&mut chunk) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(_) if chunk.starts_with(b"HTTP/1.1 ") => chunk[0] = 0,
            Ok(_) => view.got_media(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl View {
    fn got_media(&mut self) {
        let time = now();
        let (first, last) = self.seen.unwrap_or((time, time));
        self.gap = self.gap.max(time - last);
        self.seen = Some((first, time));
    }
}
