//! Writes what is pushed to all who play it.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use model::{Clock, SystemClock};

use super::Every;
use super::reception::{Guest, Reception};
use crate::load::media::CHUNK_SIZE;
use crate::load::skim::RtmpSkimmer;

const LISTENER: Token = Token(usize::MAX);
const SCRATCH: usize = 64 * 1024;
const EVENTS: usize = 256;
/// Bytes that wait for their message's end, or for the time to write. Beyond, nobody knows what the client does.
const PENDING_AT_MOST: usize = 16 << 20;

enum Party {
    Stranger(Reception),
    Publisher { stream: usize, skimmer: Box<RtmpSkimmer>, partial: Vec<u8> },
    Player { stream: usize },
}

struct Connection {
    socket: TcpStream,
    party: Party,
}

#[derive(Default)]
struct Stream {
    players: Vec<usize>,
    /// Whole messages that were not written yet.
    pending: Vec<u8>,
}

struct Fanout {
    every: Every,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    streams: Vec<Stream>,
    names: HashMap<String, usize>,
}

pub(super) fn run(listen: SocketAddr, every: Every) -> io::Result<()> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (connections, streams, names) = (Vec::new(), Vec::new(), HashMap::new());
    let mut fanout = Fanout { every, poll, connections, streams, names };
    let mut events = Events::with_capacity(EVENTS);
    let mut scratch = vec![0; SCRATCH];
    let clock = SystemClock;
    let mut written = clock.instant();
    loop {
        match fanout.poll.poll(&mut events, fanout.wait(written, clock.instant())) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                fanout.accept(&listener)?;
            } else {
                let to_the_end = event.is_read_closed() || event.is_error();
                fanout.serve(event.token().0, &mut scratch, to_the_end);
            }
        }
        let Every::Time(time) = every else { continue };
        let now = clock.instant();
        if now.saturating_duration_since(written) >= time {
            written = now;
            (0..fanout.streams.len()).for_each(|stream| fanout.write(stream));
        }
    }
}

impl Fanout {
    fn wait(&self, written: Instant, now: Instant) -> Option<Duration> {
        match self.every {
            Every::Frame => None,
            Every::Time(time) => Some(time.saturating_sub(now.saturating_duration_since(written))),
        }
    }

    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let mut socket = match listener.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                accepted => accepted?.0,
            };
            socket.set_nodelay(true)?;
            let free = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
            self.poll.registry().register(&mut socket, Token(free), Interest::READABLE)?;
            let connection = Some(Connection { socket, party: Party::Stranger(Reception::new()) });
            match self.connections.get_mut(free) {
                Some(place) => *place = connection,
                None => self.connections.push(connection),
            }
        }
    }

    /// Reads what came, and writes it on.
    fn serve(&mut self, who: usize, scratch: &mut [u8], to_the_end: bool) {
        loop {
            let Some(connection) = self.connections.get_mut(who).and_then(Option::as_mut) else { return };
            let count = match connection.socket.read(scratch) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(0) | Err(_) => return self.close(who),
                Ok(count) => count,
            };
            if self.heard(who, scratch.get(..count).unwrap_or_default()).is_err() {
                return self.close(who);
            }
            if count < scratch.len() && !to_the_end {
                return;
            }
        }
    }

    fn heard(&mut self, who: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(who).and_then(Option::as_mut) else { return Ok(()) };
        match &mut connection.party {
            Party::Player { .. } => {}
            Party::Stranger(reception) => {
                let mut answers = BytesMut::new();
                let guest = reception.hear(bytes, &mut answers)?;
                connection.socket.write_all(&answers)?;
                if let Some(guest) = guest {
                    self.seat(who, guest);
                }
            }
            Party::Publisher { stream, skimmer, partial } => {
                let mut end = None;
                skimmer.feed(bytes, |seen| end = Some(seen.end)).map_err(io::Error::other)?;
                let (whole, rest) = bytes.split_at_checked(end.unwrap_or(0)).unwrap_or((bytes, &[]));
                let index = *stream;
                let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
                if !whole.is_empty() {
                    stream.pending.append(partial);
                    stream.pending.extend_from_slice(whole);
                }
                partial.extend_from_slice(rest);
                if partial.len().max(stream.pending.len()) > PENDING_AT_MOST {
                    return Err(ErrorKind::OutOfMemory.into());
                }
                if self.every == Every::Frame {
                    self.write(index);
                }
            }
        }
        Ok(())
    }

    fn seat(&mut self, who: usize, guest: Guest) {
        let (Guest::Publisher { name } | Guest::Player { name }) = &guest;
        let next = self.streams.len();
        let stream = *self.names.entry(name.clone()).or_insert(next);
        if stream == next {
            self.streams.push(Stream::default());
        }
        let Some(connection) = self.connections.get_mut(who).and_then(Option::as_mut) else { return };
        connection.party = match guest {
            Guest::Publisher { .. } => {
                let mut skimmer = Box::<RtmpSkimmer>::default();
                skimmer.set_chunk_size(CHUNK_SIZE);
                Party::Publisher { stream, skimmer, partial: Vec::new() }
            }
            Guest::Player { .. } => {
                self.streams.get_mut(stream).into_iter().for_each(|stream| stream.players.push(who));
                Party::Player { stream }
            }
        };
    }

    /// Writes what is pending of a stream, to each of its players. One that does not take it whole has lost its place
    /// among the chunks, and goes.
    fn write(&mut self, stream: usize) {
        let Some(stream) = self.streams.get_mut(stream).filter(|stream| !stream.pending.is_empty()) else {
            return;
        };
        let mut gone = Vec::new();
        for &who in &stream.players {
            let Some(connection) = self.connections.get_mut(who).and_then(Option::as_mut) else { continue };
            match connection.socket.write(&stream.pending) {
                Ok(count) if count == stream.pending.len() => {}
                _ => gone.push(who),
            }
        }
        stream.pending.clear();
        gone.into_iter().for_each(|who| self.close(who));
    }

    fn close(&mut self, who: usize) {
        let Some(place) = self.connections.get_mut(who) else { return };
        if let Some(Connection { party: Party::Player { stream }, .. }) = place.take()
            && let Some(stream) = self.streams.get_mut(stream)
        {
            stream.players.retain(|player| *player != who);
        }
    }
}
