//! The first words with a client: everything until it publishes or plays.

use std::io;

use bytes::BytesMut;
use rtmp::server::Event;
use rtmp::{ServerConfig, ServerSession};

use crate::load::media::CHUNK_SIZE;

/// What a client turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// It publishes under this name.
    Publisher { name: String },
    /// It plays this name.
    Player { name: String },
}

/// A client whose wish is not known yet.
#[derive(Debug)]
pub(super) struct Reception {
    session: Box<ServerSession>,
}

impl Reception {
    pub(super) fn new() -> Self {
        // Players get the chunks of publishers as they are.
        let config = ServerConfig { chunk_size: CHUNK_SIZE, ..ServerConfig::new([7; 1528]) };
        Self { session: Box::new(ServerSession::new(config)) }
    }

    /// Takes what came; says who it is once that is clear. Clients wait for the answer to `publish` before they send
    /// media, so nothing of it is among these bytes.
    pub(super) fn hear(&mut self, bytes: &[u8], answers: &mut BytesMut) -> io::Result<Option<Guest>> {
        self.session.read_buf().extend_from_slice(bytes);
        let mut guest = None;
        while let Some(event) = self.session.poll().map_err(io::Error::other)? {
            match event {
                Event::Connect(_) => self.session.accept_connect(),
                Event::Publish(publish) => {
                    self.session.accept_publish(publish.stream_id);
                    guest = Some(Guest::Publisher { name: plain(&publish.name) });
                }
                Event::Play(play) => {
                    self.session.accept_play(play.stream_id);
                    guest = Some(Guest::Player { name: plain(&play.name) });
                }
                _ => {}
            }
        }
        answers.extend_from_slice(&self.session.output().split());
        Ok(guest)
    }
}

fn plain(name: &str) -> String {
    name.split('?').next().unwrap_or_default().to_owned()
}
