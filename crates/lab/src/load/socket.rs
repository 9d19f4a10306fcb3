//! A socket that never waits: what it does not take at once is kept, up to a limit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// More than this is not kept for a server that does not read.
const KEPT_AT_MOST: usize = 1 << 20;

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    kept: Vec<u8>,
    shut: bool,
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
        Ok(Self { stream, kept: Vec::new(), shut: false })
    }

    /// Sends bytes whole, or leaves them out whole. In order behind what was kept.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<Sent> {
        if !self.kept.is_empty() {
            if self.kept.len().saturating_add(bytes.len()) > KEPT_AT_MOST {
                return Ok(Sent::HeldBack);
            }
            self.kept.extend_from_slice(bytes);
            return Ok(Sent::Yes);
        }
        let written = self.write(bytes)?;
        self.kept.extend_from_slice(bytes.get(written..).unwrap_or_default());
        Ok(Sent::Yes)
    }

    /// Sends what was kept, as far as it goes. To be called when the socket can be written to.
    pub(super) fn flush(&mut self) -> io::Result<()> {
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
            match self.stream.read(scratch) {
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
