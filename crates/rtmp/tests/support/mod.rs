//! A client and a server joined in memory.

#![allow(dead_code, reason = "each test file uses its own part")]

use rtmp::client::Event as Heard;
use rtmp::server::Event;
use rtmp::{ClientConfig, ClientSession, Fault, ServerConfig, ServerSession};

/// Random enough bytes: a different one at every place.
pub fn noise(seed: u8) -> [u8; 1528] {
    let mut bytes = [seed; 1528];
    bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= (i * 31 % 251) as u8);
    bytes
}

/// A client and a server, and the wire between them.
pub struct Pair {
    pub client: ClientSession,
    pub server: ServerSession,
    /// Bytes moved at a time in either direction.
    pub step: usize,
    /// Everything the client has sent.
    pub sent: Vec<u8>,
}

/// What both sides have heard.
#[derive(Default)]
pub struct Talk {
    pub server: Vec<Event>,
    pub client: Vec<Heard>,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(ServerConfig::new(noise(1)), ClientConfig::new(noise(2)))
    }

    pub fn with(server: ServerConfig, client: ClientConfig) -> Self {
        let mut client = ClientSession::new(client);
        client.start();
        Self { client, server: ServerSession::new(server), step: usize::MAX, sent: Vec::new() }
    }

    /// A pair whose client is connected to the app `live`.
    pub fn connected() -> Self {
        Self::new().connect()
    }

    pub fn connect(mut self) -> Self {
        self.client.connect("live", "rtmp://localhost/live", &[]);
        self.settle();
        self
    }

    /// A pair whose client publishes `camera` on stream 1.
    pub fn publishing() -> Self {
        let mut pair = Self::connected();
        pair.client.create_stream();
        pair.client.publish(1, "camera");
        pair.settle();
        pair
    }

    /// Moves bytes and accepts what is asked until both sides are silent.
    pub fn settle(&mut self) -> Talk {
        self.settle_by(|server, event| match event {
            Event::Connect(_) => server.accept_connect(),
            Event::Publish(publish) => server.accept_publish(publish.stream_id),
            Event::Play(play) => server.accept_play(play.stream_id),
            _ => {}
        })
    }

    /// Moves bytes until both sides are silent; `answer` sees each event of the server.
    pub fn settle_by(&mut self, answer: impl FnMut(&mut ServerSession, &Event)) -> Talk {
        self.try_settle(answer).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Moves bytes until both sides are silent, or one is at fault.
    pub fn try_settle(&mut self, mut answer: impl FnMut(&mut ServerSession, &Event)) -> Result<Talk, Fault> {
        let mut heard = Talk::default();
        while self.client.has_output() || self.server.has_output() {
            let bytes = self.client.output().split();
            self.sent.extend_from_slice(&bytes);
            for part in bytes.chunks(self.step.min(bytes.len().max(1))) {
                self.server.read_buf().extend_from_slice(part);
                while let Some(event) = self.server.poll()? {
                    answer(&mut self.server, &event);
                    heard.server.push(event);
                }
            }
            let bytes = self.server.output().split();
            for part in bytes.chunks(self.step.min(bytes.len().max(1))) {
                self.client.read_buf().extend_from_slice(part);
                while let Some(event) = self.client.poll()? {
                    heard.client.push(event);
                }
            }
        }
        Ok(heard)
    }
}

/// Feeds bytes to a server that accepts everything; its events and the fault, if any.
pub fn replay(bytes: &[u8], splits: impl IntoIterator<Item = usize>) -> (Vec<Event>, Option<Fault>) {
    let mut server = ServerSession::new(ServerConfig::new(noise(1)));
    let mut events = Vec::new();
    let mut rest = bytes;
    let mut splits = splits.into_iter();
    while !rest.is_empty() {
        let count = splits.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let (part, after) = rest.split_at(count);
        rest = after;
        server.read_buf().extend_from_slice(part);
        loop {
            match server.poll() {
                Ok(Some(event)) => {
                    match &event {
                        Event::Connect(_) => server.accept_connect(),
                        Event::Publish(publish) => server.accept_publish(publish.stream_id),
                        _ => {}
                    }
                    events.push(event);
                }
                Ok(None) => break,
                Err(fault) => return (events, Some(fault)),
            }
        }
        server.output().clear();
    }
    (events, None)
}
