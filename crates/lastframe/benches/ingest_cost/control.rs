//! The control: accepts a push as any server does, then reads its bytes into one buffer and forgets them. Nothing that
//! takes pushes over TCP can cost less.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rtmp::server::Event;
use rtmp::{ServerConfig, ServerSession};

use crate::Outcome;
use crate::sys::{Epoll, Events};

const LISTENER: u64 = u64::MAX;

struct Connection {
    stream: TcpStream,
    /// Until the push is accepted.
    session: Option<Box<ServerSession>>,
}

pub fn run(listen: SocketAddr) -> Outcome<()> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.add(&listener, LISTENER)?;
    let mut events = Events::with_room(256);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match epoll.wait(&mut events) {
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            count => count?,
        };
        for index in 0..count {
            match events.token(index) {
                Some(LISTENER) => accept(&listener, &epoll, &mut connections)?,
                Some(token) => {
                    let Some(place) = connections.get_mut(usize::try_from(token)?) else { continue };
                    if place.as_mut().is_some_and(|connection| !connection.serve(&mut buffer)) {
                        *place = None;
                    }
                }
                None => {}
            }
        }
    }
}

fn accept(listener: &TcpListener, epoll: &Epoll, connections: &mut Vec<Option<Connection>>) -> Outcome<()> {
    let stream = match listener.accept() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
        accepted => accepted?.0,
    };
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    epoll.add(&stream, u64::try_from(connections.len())?)?;
    let session = ServerSession::new(ServerConfig::new([7; 1528]));
    connections.push(Some(Connection { stream, session: Some(Box::new(session)) }));
    Ok(())
}

impl Connection {
    /// One read; false when the connection is over.
    fn serve(&mut self, buffer: &mut [u8]) -> bool {
        let read = match self.stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Ok(0) | Err(_) => return false,
            Ok(read) => read,
        };
        match &mut self.session {
            None => true,
            Some(_) => self.set_up(buffer.get(..read).unwrap_or_default()),
        }
    }

    fn set_up(&mut self, bytes: &[u8]) -> bool {
        let Some(session) = &mut self.session else { return true };
        session.read_buf().extend_from_slice(bytes);
        let mut accepted = false;
        loop {
            match session.poll() {
                Ok(Some(Event::Connect(_))) => session.accept_connect(),
                Ok(Some(Event::Publish(publish))) => {
                    session.accept_publish(publish.stream_id);
                    accepted = true;
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        let written = self.stream.write_all(&session.output().split()).is_ok();
        if accepted {
            self.session = None;
        }
        written
    }
}
