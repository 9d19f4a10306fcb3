//! Reads and forgets. Nothing that takes pushes over TCP can cost less.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use bytes::BytesMut;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::reception::Reception;

const LISTENER: Token = Token(usize::MAX);
const SCRATCH: usize = 64 * 1024;
const EVENTS: usize = 256;

struct Connection {
    stream: TcpStream,
    /// Until the push is accepted.
    reception: Option<Reception>,
}

pub(super) fn run(listen: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut scratch = vec![0; SCRATCH];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections)?;
            } else if let Some(place) = connections.get_mut(event.token().0) {
                let to_the_end = event.is_read_closed() || event.is_error();
                if place.as_mut().is_some_and(|connection| !connection.serve(&mut scratch, to_the_end)) {
                    *place = None;
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, connections: &mut Vec<Option<Connection>>) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            accepted => accepted?.0,
        };
        stream.set_nodelay(true)?;
        let free = connections.iter().position(Option::is_none).unwrap_or(connections.len());
        poll.registry().register(&mut stream, Token(free), Interest::READABLE)?;
        let connection = Some(Connection { stream, reception: Some(Reception::new()) });
        match connections.get_mut(free) {
            Some(place) => *place = connection,
            None => connections.push(connection),
        }
    }
}

impl Connection {
    /// One read, and more only where it filled the buffer; false when the connection is over.
    fn serve(&mut self, scratch: &mut [u8], to_the_end: bool) -> bool {
        loop {
            let count = match self.stream.read(scratch) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Ok(0) | Err(_) => return false,
                Ok(count) => count,
            };
            if let Some(reception) = &mut self.reception {
                let mut answers = BytesMut::new();
                let heard = reception.hear(scratch.get(..count).unwrap_or_default(), &mut answers);
                if heard.is_err() || self.stream.write_all(&answers).is_err() {
                    return false;
                }
                if let Ok(Some(_)) = heard {
                    self.reception = None;
                }
            }
            if count < scratch.len() && !to_the_end {
                return true;
            }
        }
    }
}
