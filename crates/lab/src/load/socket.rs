//! A socket that never waits: what it does not take at once is kept, up to a limit. With TLS around it where it has to be.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// More than this is not kept for a server that does not read.
const KEPT_AT_MOST: usize = 1 << 20;

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    kept: Vec<u8>,
    shut: bool,
    tls: Option<Box<ClientConnection>>,
}

/// What became of something that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is on its way, or will be.
    Yes,
    /// The server does not read: it was left out.
    HeldBack,
}

impl Socket {
    /// Begins to connect.
    pub(super) fn dial(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        Self::adopt(TcpStream::connect(address)?, registry, token)
    }

    /// Takes a connection over.
    pub(super) fn adopt(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        stream.register(registry, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, kept: Vec::new(), shut: false, tls: None })
    }

    /// Puts TLS around it, before anything is sent.
    pub(super) fn secure(&mut self, config: Arc<ClientConfig>, host: &str) -> io::Result<()> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        // What is sent before the handshake is done waits, as what a slow server leaves does.
        tls.set_buffer_limit(None);
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Whether TLS is around it, which means that a short read says nothing about the next.
    pub(super) fn is_secured(&self) -> bool {
        self.tls.is_some()
    }

    /// Sends bytes whole, or leaves them out whole. In order behind what was kept.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<Sent> {
        if !self.kept.is_empty() && self.kept.len().saturating_add(bytes.len()) > KEPT_AT_MOST {
            return Ok(Sent::HeldBack);
        }
        match &mut self.tls {
            None => self.pass_on(bytes)?,
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.pass_sealed_on()?;
            }
        }
        Ok(Sent::Yes)
    }

    /// Writes bytes, or keeps them.
    fn pass_on(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.kept.is_empty() { self.write(bytes)? } else { 0 };
        self.kept.extend_from_slice(bytes.get(written..).unwrap_or_default());
        Ok(())
    }

    /// Writes, or keeps, what TLS has made.
    fn pass_sealed_on(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed)?;
        }
        self.pass_on(&sealed)
    }

    /// Sends what was kept, as far as it goes. To be called when the socket can be written to.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.pass_sealed_on()?;
        if self.kept.is_empty() {
            return Ok(());
        }
        let kept = std::mem::take(&mut self.kept);
        let written = self.write(&kept)?;
        self.kept = kept.get(written..).unwrap_or_default().to_vec();
        if self.kept.is_empty() && self.shut {
            self.stream.shutdown(std::net::Shutdown::Write)?;
        }
        Ok(())
    }

    /// Says that nothing more will be sent, behind what was kept.
    pub(super) fn shut(&mut self) -> io::Result<()> {
        self.shut = true;
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.pass_sealed_on()?;
        }
        if self.kept.is_empty() { self.stream.shutdown(std::net::Shutdown::Write) } else { Ok(()) }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Not connected yet counts as not writable yet.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// One read. `None` where nothing is there; 0 at the end.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            let read = match &mut self.tls {
                None => self.stream.read(scratch),
                Some(tls) => match tls.reader().read(scratch) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        match tls.read_tls(&mut self.stream) {
                            Ok(0) => Ok(0),
                            Ok(_) => {
                                tls.process_new_packets().map_err(io::Error::other)?;
                                self.pass_sealed_on()?;
                                continue;
                            }
                            Err(error) => Err(error),
                        }
                    }
                    read => read,
                },
            };
            match read {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn set_nodelay(&self) {
        // Only a connection that is gone already refuses it.
        let _ = self.stream.set_nodelay(true);
    }
}
