//! The sensor of a secured connection: TLS between the socket and those who read and write.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use cause::evidence::{CarrierFacts, Close};
use rustls::ServerConfig;

use super::tls::{Processed, Tls};
use super::{Inbox, Moved, Sensor, close_of};

/// Ciphertext is made ahead of the socket up to this much, bytes; a client that has that much unread is not read either.
const AHEAD: usize = 64 * 1024;

impl Sensor {
    /// Makes the connection a secured one, with `first` as what has been received of TLS already. Gives plaintext that
    /// came together with the end of the handshake.
    ///
    /// # Errors
    /// How the connection ended before TLS was set up; [`Sensor::carrier`] says more.
    pub async fn secure(&mut self, config: &ServerConfig, first: &[u8]) -> Result<Bytes, Close> {
        // Settings that cannot be used are found at start; a session without them would be a broken one.
        let tls = Tls::new(config).map_err(|_| Close::TransportLost)?;
        self.tls = Some(Box::new(tls));
        let mut plain = BytesMut::new();
        if let Some(tls) = &mut self.tls {
            let room = tls.room();
            let count = first.len().min(room.len());
            if let (Some(room), Some(first)) = (room.get_mut(..count), first.get(..count)) {
                room.copy_from_slice(first);
            }
            tls.received(count);
        }
        poll_fn(|cx| self.poll_handshake(cx, &mut plain)).await?;
        self.bytes_in += plain.len() as u64;
        Ok(plain.freeze())
    }

    /// What is known of TLS, where the connection is, or was to be, a secured one.
    pub fn carrier(&self) -> Option<CarrierFacts> {
        self.tls.as_ref().map(|tls| CarrierFacts::Tls(Box::new(tls.facts())))
    }

    /// The host name that the client asked for in TLS.
    pub fn server_name(&self) -> Option<&str> {
        self.tls.as_ref()?.server_name()
    }

    /// Bytes received over the wire before TLS was set up.
    pub fn handshake_bytes(&self) -> u64 {
        self.tls.as_ref().map_or(0, |tls| tls.bytes_received())
    }

    /// Whether ciphertext waits to be sent.
    pub(super) fn has_ciphertext(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.outgoing().is_empty())
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>, plain: &mut BytesMut) -> Poll<Result<(), Close>> {
        let mut nothing = &[][..];
        loop {
            let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(())) };
            let processed = tls.process(|bytes| plain.extend_from_slice(bytes));
            let is_handshaking = tls.is_handshaking();
            match self.poll_write_secured(cx, &mut nothing) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(close_of(&error))),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            match processed {
                Processed::Broken(_) => return Poll::Ready(Err(Close::TransportLost)),
                Processed::Closed(_) => return Poll::Ready(Err(Close::EndOfFile)),
                // What is still to be sent goes out with what comes next.
                Processed::Plain(_) if !is_handshaking => return Poll::Ready(Ok(())),
                Processed::Plain(_) => {}
            }
            match ready!(self.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Err(Close::EndOfFile)),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(close_of(&error))),
            }
        }
    }

    /// As the plain connection reads, until there is plaintext.
    pub(super) fn poll_read_secured(&mut self, cx: &mut Context<'_>, input: &mut impl Inbox) -> Poll<Moved> {
        // Answers to a client that asks for new keys without end, and reads none, stay bounded.
        if self.tls.as_ref().is_some_and(|tls| tls.outgoing().len() > AHEAD) {
            return Poll::Pending;
        }
        loop {
            match ready!(self.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(self.close(Close::EndOfFile)),
                Ok(_) => {}
                Err(error) => return Poll::Ready(self.close(close_of(&error))),
            }
            let plain = self.take_plain(input);
            if plain > 0 {
                return Poll::Ready(Moved::Read(plain));
            }
            if self.closed.is_some() {
                return Poll::Ready(Moved::Closed);
            }
        }
    }

    /// As the plain connection drains.
    pub(super) fn try_read_secured(&mut self, input: &mut impl Inbox) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return Ok(0) };
        let count = self.line.try_read(&mut tls.room())?;
        tls.received(count);
        self.take_plain(input);
        Ok(count)
    }

    /// Writes what is encrypted, and encrypts what is there, a little ahead of the socket.
    pub(super) fn poll_write_secured(
        &mut self,
        cx: &mut Context<'_>,
        output: &mut impl Buf,
    ) -> Poll<io::Result<()>> {
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(())) };
        let mut moved = false;
        loop {
            while !tls.outgoing().is_empty() {
                match self.line.poll_write(cx, &[IoSlice::new(tls.outgoing())]) {
                    Poll::Ready(Ok(count)) => tls.sent(count),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending if moved => return Poll::Ready(Ok(())),
                    Poll::Pending => return Poll::Pending,
                }
                moved = true;
            }
            if !output.has_remaining() {
                return Poll::Ready(Ok(()));
            }
            while output.has_remaining() && tls.outgoing().len() < AHEAD {
                let taken = tls.encrypt(output.chunk()).map_err(io::Error::other)?;
                output.advance(taken);
                self.bytes_out += taken as u64;
            }
            moved = true;
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(0)) };
        let count = ready!(self.line.poll_read(cx, &mut tls.room()))?;
        crate::pace::note_read();
        tls.received(count);
        Poll::Ready(Ok(count))
    }

    /// Moves what can be decrypted into `input`; an end of TLS is the end of the receive side.
    fn take_plain(&mut self, input: &mut impl Inbox) -> usize {
        let Some(tls) = &mut self.tls else { return 0 };
        let (plain, close) = match tls.process(|bytes| input.room().extend_from_slice(bytes)) {
            Processed::Plain(count) => (count, None),
            Processed::Closed(count) => (count, Some(Close::EndOfFile)),
            Processed::Broken(count) => (count, Some(Close::TransportLost)),
        };
        self.bytes_in += plain as u64;
        if let Some(close) = close {
            self.close(close);
        }
        plain
    }
}
