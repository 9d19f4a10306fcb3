//! A client that pushes, stage by stage, and leaves in every way there is.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rtmp::amf0::Value;
use rtmp::client::{Event, Status};
use rtmp::ertmp::caps;
use rtmp::message::type_id;
use rtmp::{ClientConfig, ClientSession, MediaKind, MessageInfo};

use super::clock::{PATIENCE, now};
use super::media;
use super::setup::DOMAIN;

/// One connection to a server.
#[derive(Debug)]
pub struct Pusher {
    socket: TcpStream,
    session: ClientSession,
    stream_id: u32,
    /// Timestamp of the next frame, ms.
    pub time: u32,
    /// What its pictures are made of.
    pub byte: u8,
    sent_header: bool,
}

/// What a client is told that may not publish, or not any longer.
#[derive(Debug)]
pub struct Told {
    /// Such as `NetStream.Publish.Denied`.
    pub code: String,
    /// Such as `[18/503] ...`.
    pub text: String,
}

/// Why a publish came to nothing.
#[derive(Debug)]
pub enum NotLive {
    /// The server said so.
    Refused(Told),
    /// The connection was lost.
    Lost(io::Error),
}

impl From<io::Error> for NotLive {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl NotLive {
    /// What the server said.
    ///
    /// # Panics
    /// When it said nothing.
    pub fn told(self) -> Told {
        match self {
            Self::Refused(told) => told,
            Self::Lost(error) => panic!("the connection was lost and nobody said why: {error}"),
        }
    }
}

/// Setting up.
impl Pusher {
    /// A connection on which nothing has been said.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    /// The same from an address of this host, such as 127.0.0.2.
    pub fn open_from(from: Ipv4Addr, address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect(&address.into())?;
        Self::over(socket.into())
    }

    /// The same on a socket that is there.
    pub fn over(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let session = ClientSession::new(ClientConfig::new([0x2a; 1528]));
        Ok(Self { socket, session, stream_id: 1, time: 0, byte: 0x88, sent_header: false })
    }

    /// The handshake.
    pub fn handshake(&mut self) -> io::Result<()> {
        self.session.start();
        self.expect("the handshake", |event| matches!(event, Event::HandshakeDone(_)).then_some(()))
    }

    /// `connect`.
    pub fn connect(&mut self, app: &str, tc_url: &str) -> Result<(), NotLive> {
        self.connect_with(app, tc_url, &[])
    }

    /// `connect` with further fields.
    pub fn connect_with(&mut self, app: &str, tc_url: &str, more: &[(&str, Value)]) -> Result<(), NotLive> {
        self.session.connect(app, tc_url, more);
        let refused = self.expect("the answer to connect", |event| match event {
            Event::Connected { .. } => Some(None),
            Event::ConnectRejected(r) => {
                Some(Some(Told { code: r.code.clone(), text: r.description.clone() }))
            }
            _ => None,
        })?;
        refused.map_or(Ok(()), |told| Err(NotLive::Refused(told)))
    }

    /// `createStream`.
    pub fn create_stream(&mut self) -> io::Result<()> {
        self.session.create_stream();
        self.stream_id = self.expect("the answer to createStream", |event| match event {
            Event::StreamCreated { stream_id, .. } => Some(*stream_id),
            _ => None,
        })?;
        Ok(())
    }

    /// `publish`, without waiting for the answer.
    pub fn ask_to_publish(&mut self, name: &str) -> io::Result<()> {
        self.session.publish(self.stream_id, name);
        self.flush()
    }

    /// `publish`.
    pub fn publish(&mut self, name: &str) -> Result<(), NotLive> {
        self.ask_to_publish(name)?;
        let refused = self.expect("the answer to publish", |event| match event {
            Event::Status(status) if status.code == "NetStream.Publish.Start" => Some(None),
            Event::Status(status) if status.level == "error" => Some(Some(told(status))),
            _ => None,
        })?;
        refused.map_or(Ok(()), |told| Err(NotLive::Refused(told)))
    }

    /// Everything before `publish`.
    pub fn ready(mut self, domain: &str, app: &str) -> Result<Self, NotLive> {
        self.handshake()?;
        self.connect(app, &format!("rtmp://{domain}/{app}"))?;
        self.create_stream()?;
        Ok(self)
    }

    /// Pushes `name` on the open domain.
    pub fn push(address: SocketAddr, name: &str) -> Result<Self, NotLive> {
        Self::push_to(address, DOMAIN, "live", name)
    }

    /// Pushes `name` on the open domain, and says that it would follow a request to connect elsewhere.
    pub fn push_movable(address: SocketAddr, name: &str) -> Result<Self, NotLive> {
        let mut pusher = Self::open(address)?;
        pusher.handshake()?;
        let can = [("capsEx", Value::from(f64::from(caps::RECONNECT)))];
        pusher.connect_with("live", &format!("rtmp://{DOMAIN}/live"), &can)?;
        pusher.create_stream()?;
        pusher.publish(name)?;
        Ok(pusher)
    }

    /// Pushes `name` elsewhere.
    pub fn push_to(address: SocketAddr, domain: &str, app: &str, name: &str) -> Result<Self, NotLive> {
        let mut pusher = Self::open(address)?.ready(domain, app)?;
        pusher.publish(name)?;
        Ok(pusher)
    }
}

/// Being live.
impl Pusher {
    /// A key frame and a little audio, behind the sequence headers where they have not been sent.
    pub fn send_media(&mut self, size: usize) -> io::Result<()> {
        if !std::mem::replace(&mut self.sent_header, true) {
            self.session.send_media(self.stream_id, MediaKind::Video, self.time, &media::video_header());
            self.session.send_media(self.stream_id, MediaKind::Audio, self.time, &media::audio_header());
        }
        let picture = media::video_of(true, size, self.byte);
        self.session.send_media(self.stream_id, MediaKind::Video, self.time, &picture);
        self.session.send_media(self.stream_id, MediaKind::Audio, self.time, &media::audio(32));
        self.time += 33;
        self.flush()
    }

    /// Sends media all the while that `meanwhile` takes.
    pub fn sending<T>(&mut self, meanwhile: impl FnOnce() -> T) -> T {
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) && self.send_media(1_000).is_ok() {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            });
            // A scenario that fails meanwhile must not wait for a sender that nobody stops.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            sender.join().unwrap();
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A video message as it stands.
    pub fn send_video(&mut self, payload: &[u8]) -> io::Result<()> {
        self.session.send_media(self.stream_id, MediaKind::Video, self.time, payload);
        self.flush()
    }

    /// A media message as it stands, at a time of its own.
    pub fn send_at(&mut self, kind: MediaKind, time: u32, payload: &[u8]) -> io::Result<()> {
        self.session.send_media(self.stream_id, kind, time, payload);
        self.flush()
    }

    /// A command message with this body.
    pub fn send_command_body(&mut self, body: &[u8]) -> io::Result<()> {
        let type_id = type_id::COMMAND_AMF0;
        let info = MessageInfo { offset: 0, chunk_stream: 3, type_id, stream_id: 0, timestamp: 0, length: 0 };
        self.session.send_message(&info, body);
        self.flush()
    }

    /// Bytes as they stand, past the session.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.socket.write_all(bytes)
    }

    /// `FCUnpublish`.
    pub fn fc_unpublish(&mut self, name: &str) -> io::Result<()> {
        self.session.fc_unpublish(name);
        self.flush()
    }

    /// What the client is told when it is cut.
    pub fn wait_for_cut(&mut self) -> Told {
        let cut = self.expect("to be cut", |event| match event {
            Event::Status(status) if status.level == "error" => Some(told(status)),
            _ => None,
        });
        cut.unwrap()
    }

    /// The codes of what the server has said meanwhile, without waiting; an error once it has closed its side.
    pub fn statuses(&mut self) -> io::Result<Vec<String>> {
        let closed = self.read_what_is_there();
        let mut codes = Vec::new();
        while let Ok(Some(event)) = self.session.poll() {
            if let Event::Status(status) = event {
                codes.push(status.code);
            }
        }
        let _ = self.flush();
        if closed && codes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(codes) }
    }

    /// What the server has said against the push meanwhile, without waiting; an error once it has closed its side.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub fn look(&mut self) -> io::Result<Option<Told>> {
        let closed = self.read_what_is_there();
        let mut said = None;
        while let Ok(Some(event)) = self.session.poll() {
            match event {
                Event::Status(status) if status.level == "error" => said = Some(told(&status)),
                _ => {}
            }
        }
        let _ = self.flush();
        if closed && said.is_none() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(said) }
    }

    /// The client's own port.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub fn port(&self) -> Option<u16> {
        self.socket.local_addr().ok().map(|address| address.port())
    }

    /// Reads and answers what is there, without waiting. Whether the server has closed its side.
    pub fn answer(&mut self) -> bool {
        let closed = self.read_what_is_there();
        while let Ok(Some(_)) = self.session.poll() {}
        let _ = self.flush();
        closed
    }

    /// Waits until the server has closed its side.
    pub fn wait_for_close(&mut self) {
        super::clock::until_true("the server to close", PATIENCE, || self.answer());
    }
}

/// Leaving. Each gives the time at which the last word was said.
impl Pusher {
    /// `deleteStream`, then the end of the connection.
    pub fn delete_stream(mut self) -> io::Result<Instant> {
        self.session.delete_stream(self.stream_id);
        self.flush()?;
        let said = now();
        self.end_of_file()?;
        Ok(said)
    }

    /// `closeStream`, then the end of the connection.
    pub fn close_stream(mut self) -> io::Result<Instant> {
        self.session.close_stream(self.stream_id);
        self.flush()?;
        let said = now();
        self.end_of_file()?;
        Ok(said)
    }

    /// Closes without a word, as a process that is killed.
    pub fn end_of_file(mut self) -> io::Result<Instant> {
        // Closing with bytes unread would reset.
        self.read_what_is_there();
        self.socket.shutdown(Shutdown::Write)?;
        let said = now();
        self.socket.set_read_timeout(Some(Duration::from_secs(3)))?;
        let _ = io::copy(&mut self.socket, &mut io::sink());
        Ok(said)
    }

    /// Resets the connection.
    pub fn reset(self) -> io::Result<Instant> {
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?;
        drop(self.socket);
        Ok(now())
    }
}

impl Pusher {
    fn flush(&mut self) -> io::Result<()> {
        let bytes = self.session.output().split();
        self.socket.write_all(&bytes)
    }

    fn read_what_is_there(&mut self) -> bool {
        let mut chunk = [0; 16 << 10];
        let _ = self.socket.set_nonblocking(true);
        let closed = loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => break true,
                Ok(count) => self.session.read_buf().extend_from_slice(&chunk[..count]),
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        let _ = self.socket.set_nonblocking(false);
        closed
    }

    /// Reads until `look` finds what it looks for.
    fn expect<T>(&mut self, what: &str, mut look: impl FnMut(&Event) -> Option<T>) -> io::Result<T> {
        let mut chunk = [0; 16 << 10];
        self.flush()?;
        loop {
            while let Some(event) = self.session.poll().map_err(io::Error::other)? {
                if let Some(found) = look(&event) {
                    self.flush()?;
                    return Ok(found);
                }
            }
            self.flush()?;
            let count = self.socket.read(&mut chunk)?;
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("closed before {what}")));
            }
            self.session.read_buf().extend_from_slice(&chunk[..count]);
        }
    }
}

fn told(status: &Status) -> Told {
    Told { code: status.code.clone(), text: status.description.clone() }
}
