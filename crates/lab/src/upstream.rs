//! A tiny RTMP server for the server under test to pass pushes on to. It ends them in every way that servers do.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use rtmp::server::{Event, PublishRejection};
use rtmp::{ServerConfig, ServerSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::error::LabError;

/// What it says when it refuses or stops a push.
pub const WORDS: &str = "the upstream of the lab does not want this";
/// Media of a push that is taken in before it is ended.
const TAKEN: usize = 30;
/// Room for what arrives, small so that a server that stands still is noticed soon.
const ROOM: u32 = 8 * 1024;
/// Longer than any scenario.
const FOREVER: Duration = Duration::from_secs(600);

/// How an upstream treats a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    /// Refuses it at `publish`.
    Refuses,
    /// Refuses the connection at `connect`.
    RefusesConnection,
    /// Accepts the connection and answers nothing.
    SaysNothing,
    /// Tells it to stop once media flows.
    TellsToStop,
    /// Closes without a word once media flows.
    Closes,
    /// Resets once media flows.
    Resets,
    /// Reads no more once media flows.
    Freezes,
}

/// A running upstream. It ends with the value.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Listens on a free port of loopback.
    pub fn start(temper: Temper) -> Result<Self, LabError> {
        let socket = TcpSocket::new_v4()?;
        if temper == Temper::Freezes {
            socket.set_recv_buffer_size(ROOM)?;
        }
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(16)?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(serve(listener, temper)) })
    }

    /// Where it takes pushes.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, temper: Temper) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(async move {
            // How the connection fails is for the server under test to tell.
            let _ = Connection::new(stream).run(temper).await;
        });
    }
}

struct Connection {
    stream: TcpStream,
    session: ServerSession,
    taken: usize,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, session: ServerSession::new(ServerConfig::new([0x4c; 1528])), taken: 0 }
    }

    async fn run(&mut self, temper: Temper) -> Result<(), LabError> {
        if temper == Temper::SaysNothing {
            sleep(FOREVER).await;
        }
        loop {
            while let Some(event) = self.session.poll()? {
                match event {
                    Event::Connect(_) if temper == Temper::RefusesConnection => {
                        self.session.reject_connect(WORDS);
                    }
                    Event::Connect(_) => self.session.accept_connect(),
                    Event::Publish(publish) if temper == Temper::Refuses => {
                        self.session.reject_publish(publish.stream_id, PublishRejection::Denied, WORDS);
                    }
                    Event::Publish(publish) => self.session.accept_publish(publish.stream_id),
                    Event::Media(media) => {
                        self.taken = self.taken.saturating_add(1);
                        if self.taken == TAKEN {
                            return self.end(temper, media.info.stream_id).await;
                        }
                    }
                    _ => {}
                }
            }
            self.say().await?;
            if self.stream.read_buf(self.session.read_buf()).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn end(&mut self, temper: Temper, stream_id: u32) -> Result<(), LabError> {
        match temper {
            Temper::Freezes => sleep(FOREVER).await,
            Temper::Resets => socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?,
            _ => {
                if temper == Temper::TellsToStop {
                    self.session.cut(stream_id, WORDS);
                    self.say().await?;
                }
                self.close().await?;
            }
        }
        Ok(())
    }

    /// Closes so that all is read that was said: with bytes unread the connection would reset.
    async fn close(&mut self) -> Result<(), LabError> {
        self.stream.shutdown().await?;
        let mut scratch = BytesMut::with_capacity(16 << 10);
        let reading = async {
            while self.stream.read_buf(&mut scratch).await.is_ok_and(|count| count > 0) {
                scratch.clear();
            }
        };
        // A server that does not close in turn is cut off.
        let _ = timeout(Duration::from_secs(2), reading).await;
        Ok(())
    }

    async fn say(&mut self) -> Result<(), LabError> {
        let said = self.session.output().split();
        Ok(self.stream.write_all(&said).await?)
    }
}
