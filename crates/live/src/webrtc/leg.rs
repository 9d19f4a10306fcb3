//! A TCP connection on which a client sends what it would send as datagrams (RFC 6544, RFC 4571). Its session reads and
//! writes it; what the session is too busy for waits with the client.

use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use cause::evidence::{Close, CutMessage, TcpFacts};
use tokio::net::TcpStream;

use super::frames::{FrameError, Frames};
use crate::socket::{Inbox, Moved, Sensor};

/// What waits for a client that reads slowly; beyond, packets are lost as on a full path, and RTP asks again.
const OUTBOX: usize = 256 * 1024;
/// Time for what was said last to be read by the client.
const FAREWELL: Duration = Duration::from_secs(2);
/// What a client may still send meanwhile.
const FAREWELL_BYTES: usize = 8 << 20;

/// The connection.
#[derive(Debug)]
pub(super) struct Leg {
    peer: SocketAddr,
    sensor: Sensor,
    frames: Frames,
    output: BytesMut,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegEnd {
    pub(crate) peer: SocketAddr,
    /// How its receive side ended; still open where the client broke the framing.
    pub(crate) close: Close,
    pub(crate) broken: Option<FrameError>,
    /// A packet of which only a part had come.
    pub(crate) cut: Option<CutMessage>,
    /// `TCP_INFO`, read last.
    pub(crate) tcp: Option<TcpFacts>,
}

impl Inbox for Frames {
    fn room(&mut self) -> &mut BytesMut {
        Frames::room(self)
    }
}

impl Leg {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, path_limit: Duration) -> Self {
        let sensor = Sensor::new(stream, path_limit);
        Self { peer, sensor, frames: Frames::default(), output: BytesMut::new() }
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// `TCP_INFO` now.
    pub(super) fn facts(&self) -> Option<TcpFacts> {
        self.sensor.facts()
    }

    /// The next packet, or how the connection ended.
    pub(super) fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, LegEnd>> {
        loop {
            match self.frames.packet() {
                Ok(Some(packet)) => return Poll::Ready(Ok(packet)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(self.end(Some(error)))),
            }
            match ready!(self.sensor.poll_move(cx, &mut self.frames, &mut self.output, true)) {
                Moved::Read(_) | Moved::Wrote => {}
                // A failed write has read what was still there.
                Moved::Closed => {
                    let last = self.frames.packet().ok().flatten();
                    return Poll::Ready(last.ok_or_else(|| self.end(None)));
                }
            }
        }
    }

    fn end(&self, broken: Option<FrameError>) -> LegEnd {
        let size = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        let cut = self.frames.cut().filter(|_| broken.is_none());
        LegEnd {
            peer: self.peer,
            close: self.sensor.closed().unwrap_or_default(),
            broken,
            cut: cut.map(|(have, want)| CutMessage { message_type: 0, have: size(have), want: size(want) }),
            tcp: self.facts(),
        }
    }

    /// Takes a packet to be sent. False where too much waits already.
    pub(super) fn send(&mut self, packet: &[u8]) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else { return false };
        if self.output.len() + packet.len() > OUTBOX {
            return false;
        }
        self.output.put_u16(length);
        self.output.put_slice(packet);
        true
    }

    /// Writes what waits, as far as the socket takes it; wakes when it takes more.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        // An end that shows in this comes with the next packet that is asked for.
        while !self.output.is_empty()
            && let Poll::Ready(Moved::Wrote) =
                self.sensor.poll_move(cx, &mut self.frames, &mut self.output, false)
        {}
    }

    /// Sends what waits, and lets the client read it before the connection is closed.
    pub(super) async fn farewell(mut self) {
        self.sensor.farewell(&mut self.output, FAREWELL, FAREWELL_BYTES).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Leg, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        (Leg::new(stream, peer, Duration::from_secs(20)), client)
    }

    async fn flush(leg: &mut Leg) {
        poll_fn(|cx| {
            leg.flush(cx);
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn packets_go_both_ways_and_an_end_in_the_middle_of_one_says_so() {
        let (mut leg, mut client) = pair().await;
        client.write_all(b"\0\x05hello\0\x09half").await.unwrap();
        assert_eq!(poll_fn(|cx| leg.poll_packet(cx)).await.unwrap(), "hello");
        assert!(leg.send(b"world"));
        flush(&mut leg).await;
        let mut answer = [0; 7];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"\0\x05world");
        drop(client);
        let end = poll_fn(|cx| leg.poll_packet(cx)).await.unwrap_err();
        assert_eq!((end.close, end.broken), (Close::EndOfFile, None));
        assert_eq!(end.cut, Some(CutMessage { message_type: 0, have: 4, want: 9 }));
        assert!(end.tcp.is_some());
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_holds_little_memory() {
        let (mut leg, _client) = pair().await;
        let mut taken = 0;
        while leg.send(&[7; 1200]) {
            taken += 1;
        }
        assert_eq!(taken, OUTBOX / 1202);
        // What the socket takes makes room again.
        flush(&mut leg).await;
        assert!(leg.send(&[7; 1200]));
    }

    #[tokio::test]
    async fn what_is_no_framing_ends_it() {
        let (mut leg, mut client) = pair().await;
        client.write_all(b"\x16\x03\x01\x02\0").await.unwrap();
        let end = poll_fn(|cx| leg.poll_packet(cx)).await.unwrap_err();
        assert_eq!((end.close, end.broken), (Close::Open, Some(FrameError::TooLarge(0x1603))));
    }
}
