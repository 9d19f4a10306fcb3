//! A client that pushes stage by stage, and can misbehave at any byte.

mod leave;
mod live;
mod secured;
mod socket;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rtmp::client::{Event, Status};
use rtmp::{ClientConfig, ClientSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::error::LabError;

pub use live::Pace;
pub use secured::client_hello;
pub(crate) use secured::tls_for_anybody;

use socket::Socket;

/// How long an answer may take where its time is not what is looked at. The machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a client is told that may not publish, or not any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Such as `NetStream.Publish.Denied`.
    pub code: String,
    /// Such as `[18/503] ...`.
    pub text: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// One connection to a server.
#[derive(Debug)]
pub struct Client {
    socket: Socket,
    session: ClientSession,
    local: SocketAddr,
    stream_id: u32,
    /// Timestamp of the next frame, ms.
    time: u32,
    sent_headers: bool,
    /// What comes is left in the socket.
    deaf: bool,
    /// What it was told while it streamed.
    cut: Option<Told>,
}

impl Client {
    /// A connection on which nothing has been said.
    pub async fn open(address: SocketAddr) -> Result<Self, LabError> {
        Self::open_as(address, None, true).await
    }

    /// The same for a client that leaves pings unanswered, as OBS does.
    pub async fn open_silent(address: SocketAddr) -> Result<Self, LabError> {
        Self::open_as(address, None, false).await
    }

    /// The same from a certain address of this host.
    pub async fn open_from(from: IpAddr, address: SocketAddr) -> Result<Self, LabError> {
        Self::open_as(address, Some(from), true).await
    }

    async fn open_as(
        address: SocketAddr,
        from: Option<IpAddr>,
        answer_pings: bool,
    ) -> Result<Self, LabError> {
        let failed = |source| LabError::Connect { address, source };
        let socket =
            if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0)).map_err(failed)?;
        }
        let socket = match timeout(PATIENCE, socket.connect(address)).await {
            Ok(connected) => connected.map_err(failed)?,
            Err(_) => {
                return Err(LabError::Late {
                    awaited: format!("a connection to {address}"),
                    limit: PATIENCE,
                });
            }
        };
        socket.set_nodelay(true)?;
        let local = socket.local_addr()?;
        let mut config = ClientConfig::new([0x2a; 1528]);
        config.answer_pings = answer_pings;
        let session = ClientSession::new(config);
        let (time, sent_headers, deaf, cut) = (0, false, false, None);
        let socket = Socket::Plain(socket);
        Ok(Self { socket, session, local, stream_id: 1, time, sent_headers, deaf, cut })
    }

    /// The port that the server knows the client by, where no router changes it.
    pub fn port(&self) -> u16 {
        self.local.port()
    }

    /// The session, to be told what to say next; [`Client::flush`] sends it.
    pub fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// The message stream that was created.
    pub fn stream_id(&self) -> u32 {
        self.stream_id
    }

    /// The handshake.
    pub async fn handshake(&mut self) -> Result<(), LabError> {
        self.session.start();
        self.expect("the handshake", |event| matches!(event, Event::HandshakeDone(_)).then_some(())).await
    }

    /// `connect`.
    pub async fn connect(&mut self, app: &str, tc_url: &str) -> Result<(), LabError> {
        self.session.connect(app, tc_url, &[]);
        let refused = self.expect("the answer to connect", |event| match event {
            Event::Connected { .. } => Some(None),
            Event::ConnectRejected(r) => {
                Some(Some(Told { code: r.code.clone(), text: r.description.clone() }))
            }
            _ => None,
        });
        refused.await?.map_or(Ok(()), |told| Err(LabError::Refused(told)))
    }

    /// `createStream`.
    pub async fn create_stream(&mut self) -> Result<(), LabError> {
        self.session.create_stream();
        let created = self.expect("the answer to createStream", |event| match event {
            Event::StreamCreated { stream_id, .. } => Some(*stream_id),
            _ => None,
        });
        self.stream_id = created.await?;
        Ok(())
    }

    /// `publish`, without waiting for the answer.
    pub async fn ask_to_publish(&mut self, name: &str) -> Result<(), LabError> {
        self.session.publish(self.stream_id, name);
        self.flush().await
    }

    /// `publish`.
    pub async fn publish(&mut self, name: &str) -> Result<(), LabError> {
        self.ask_to_publish(name).await?;
        let refused = self.expect("the answer to publish", |event| match event {
            Event::Status(status) if status.code == "NetStream.Publish.Start" => Some(None),
            Event::Status(status) if status.level == "error" => Some(Some(told(status))),
            _ => None,
        });
        refused.await?.map_or(Ok(()), |told| Err(LabError::Refused(told)))
    }

    /// What the client is told when it is cut.
    pub async fn wait_for_cut(&mut self, limit: Duration) -> Result<Told, LabError> {
        self.expect_within("to be cut", limit, |event| match event {
            Event::Status(status) if status.level == "error" => Some(told(status)),
            _ => None,
        })
        .await
    }

    /// Sends what the session has said.
    pub async fn flush(&mut self) -> Result<(), LabError> {
        let bytes = self.session.output().split();
        self.write(&bytes).await
    }

    /// Sends bytes as they stand, past the session.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), LabError> {
        self.flush().await?;
        self.write(bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), LabError> {
        self.socket.write_all(bytes).await?;
        // TLS keeps what the connection did not take at once.
        Ok(self.socket.flush().await?)
    }

    async fn expect<T>(
        &mut self,
        awaited: &'static str,
        look: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, LabError> {
        self.expect_within(awaited, PATIENCE, look).await
    }

    /// Reads, and answers what wants an answer, until `look` finds what it looks for.
    async fn expect_within<T>(
        &mut self,
        awaited: &'static str,
        limit: Duration,
        mut look: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, LabError> {
        let reading = async {
            self.flush().await?;
            loop {
                while let Some(event) = self.session.poll()? {
                    if let Some(found) = look(&event) {
                        self.flush().await?;
                        return Ok(found);
                    }
                }
                self.flush().await?;
                if self.socket.read_buf(self.session.read_buf()).await? == 0 {
                    return Err(LabError::Closed { awaited });
                }
            }
        };
        timeout(limit, reading)
            .await
            .unwrap_or_else(|_| Err(LabError::Late { awaited: awaited.to_owned(), limit }))
    }
}

fn told(status: &Status) -> Told {
    Told { code: status.code.clone(), text: status.description.clone() }
}
