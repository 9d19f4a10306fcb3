//! An encoder that comes and goes: says what OBS says, and sends no media.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession};

use crate::Outcome;

/// OBS's chunk size.
const CHUNK_SIZE: u32 = 4096;
/// No answer takes longer, unless something is broken.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// A connection that publishes.
pub struct Encoder {
    stream: TcpStream,
    session: ClientSession,
    stream_id: u32,
    name: String,
}

impl Encoder {
    /// Connects and publishes; returns once the server has said `Publish.Start`.
    pub fn publish(server: SocketAddr, name: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let session = ClientSession::new(ClientConfig::new([3; 1528]));
        let mut encoder = Self { stream, session, stream_id: 0, name: name.to_owned() };
        encoder.session.start();
        encoder.session.connect("live", &format!("rtmp://{server}/live"), &[]);
        encoder.until_live()?;
        Ok(encoder)
    }

    fn until_live(&mut self) -> Outcome<()> {
        loop {
            while let Some(event) = self.session.poll()? {
                match event {
                    Event::Connected { .. } => {
                        self.session.set_chunk_size(CHUNK_SIZE);
                        self.session.release_stream(&self.name);
                        self.session.fc_publish(&self.name);
                        self.session.create_stream();
                    }
                    Event::StreamCreated { stream_id, .. } => {
                        self.stream_id = stream_id;
                        self.session.publish(stream_id, &self.name);
                    }
                    Event::Status(status) if status.code == "NetStream.Publish.Start" => return Ok(()),
                    Event::Status(status) => {
                        return Err(format!("{}: {}", status.code, status.description).into());
                    }
                    Event::ConnectRejected(refusal) => return Err(refusal.description.into()),
                    _ => {}
                }
            }
            self.flush()?;
            let mut bytes = [0; 8192];
            let read = self.stream.read(&mut bytes)?;
            if read == 0 {
                return Err("the server closed before Publish.Start".into());
            }
            self.session.read_buf().extend_from_slice(bytes.get(..read).unwrap_or_default());
        }
    }

    /// Says goodbye and waits for the server to close.
    pub fn stop(mut self) -> Outcome<()> {
        self.session.fc_unpublish(&self.name);
        self.session.delete_stream(self.stream_id);
        self.flush()?;
        self.stream.shutdown(std::net::Shutdown::Write)?;
        let mut bytes = [0; 1024];
        while self.stream.read(&mut bytes)? > 0 {}
        Ok(())
    }

    fn flush(&mut self) -> Outcome<()> {
        let bytes = self.session.output().split();
        Ok(self.stream.write_all(&bytes)?)
    }
}
