//! The server's half.

use bytes::{Buf, BufMut, BytesMut};

use super::digest::{self, Maker};
use super::error::check_version;
use super::{HEAD, HandshakeError, HandshakeKind, HandshakeStage, PACKET, Progress, RANDOM, VERSION};

/// Version that S1 shows to clients of the digest handshake. ffmpeg looks for digests in S1 and S2 only where the first
/// of these bytes is 3 or more.
const SERVER_VERSION: [u8; 4] = [4, 5, 0, 1];

/// The server's half of the handshake.
#[derive(Debug, Clone)]
pub struct ServerHandshake {
    random: [u8; RANDOM],
    uptime_ms: u32,
    kind: HandshakeKind,
    client_head: Option<[u8; HEAD]>,
    stage: HandshakeStage,
    consumed: u64,
}

impl ServerHandshake {
    /// Starts with these random bytes for S1 and this time for it.
    pub fn new(random: [u8; RANDOM], uptime_ms: u32) -> Self {
        let stage = HandshakeStage::Version;
        Self { random, uptime_ms, kind: HandshakeKind::Simple, client_head: None, stage, consumed: 0 }
    }

    /// What is awaited of the client.
    pub fn stage(&self) -> HandshakeStage {
        self.stage
    }

    /// The first of the random bytes of C1, once it has come.
    pub fn client_head(&self) -> Option<[u8; HEAD]> {
        self.client_head
    }

    /// Bytes of the client used up.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes what it can from `input`, and appends the answer S0, S1, S2 to `out` once C1 is complete.
    ///
    /// C2 is not verified, and it proves nothing: rtmp2sink echoes S1 with a time of its own, and ffmpeg, whose C1 carries
    /// a digest, signs C2 only when it plays.
    ///
    /// # Errors
    /// The first byte is not the version of plain RTMP.
    pub fn input(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<Progress, HandshakeError> {
        if self.stage == HandshakeStage::Version {
            let Some(version) = input.first() else { return Ok(Progress::NeedMore) };
            check_version(*version)?;
            self.consume(input, 1, HandshakeStage::Packet);
        }
        if self.stage == HandshakeStage::Packet {
            let Some(c1) = input.first_chunk() else { return Ok(Progress::NeedMore) };
            self.client_head = c1.get(PACKET - RANDOM..).and_then(|random| random.first_chunk()).copied();
            self.kind = self.answer(c1, out);
            self.consume(input, PACKET, HandshakeStage::Answer);
        }
        if self.stage == HandshakeStage::Answer {
            if input.len() < PACKET {
                return Ok(Progress::NeedMore);
            }
            self.consume(input, PACKET, HandshakeStage::Done);
        }
        Ok(Progress::Done(self.kind))
    }

    fn consume(&mut self, input: &mut BytesMut, count: usize, next: HandshakeStage) {
        input.advance(count);
        self.consumed += count as u64;
        self.stage = next;
    }

    fn answer(&self, c1: &[u8; PACKET], out: &mut BytesMut) -> HandshakeKind {
        out.reserve(1 + 2 * PACKET);
        out.put_u8(VERSION);
        // Whoever signs says which player it claims to be; where that is left zero, as specified, there is nothing to find.
        let unsigned = c1.get(4..8) == Some(&[0; 4]);
        match if unsigned { None } else { digest::find(Maker::Client, c1) } {
            Some((scheme, client_digest)) => {
                let mut s1 = super::packet(self.uptime_ms, SERVER_VERSION, &self.random);
                digest::sign(Maker::Server, scheme, &mut s1);
                out.put_slice(&s1);
                out.put_slice(&digest::answer(Maker::Server, &client_digest, &self.random));
                HandshakeKind::Digest(scheme)
            }
            // No digest, whatever the version field says: it is zero in the specification, but not in every client.
            None => {
                out.put_slice(&super::packet(self.uptime_ms, [0; 4], &self.random));
                // The specification wants the time of reading in bytes 4 to 7; librtmp compares the whole packet with
                // its own and logs a warning about any difference.
                out.put_slice(c1);
                HandshakeKind::Simple
            }
        }
    }
}
