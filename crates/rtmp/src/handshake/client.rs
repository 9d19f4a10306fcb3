//! The client's half.

use bytes::{Buf, BufMut, BytesMut};

use super::digest::{self, DIGEST, Maker};
use super::error::{HandshakeErrorKind, check_version};
use super::{HandshakeError, HandshakeKind, HandshakeStage, PACKET, Progress, RANDOM, Scheme, VERSION};

/// Version of the player that C1 claims in the digest handshake: servers look for a digest from 9.0.115 on. The same
/// as ffmpeg's.
const CLIENT_VERSION: [u8; 4] = [9, 0, 124, 2];

/// The form of handshake that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClientMode {
    /// As specified. Every server understands it.
    #[default]
    Simple,
    /// With a digest placed by this scheme. A server that answers without one makes it a simple handshake.
    Digest(Scheme),
}

/// The client's half of the handshake.
#[derive(Debug, Clone)]
pub struct ClientHandshake {
    c1: [u8; PACKET],
    /// The digest in C1, if there is one.
    digest: Option<[u8; DIGEST]>,
    kind: HandshakeKind,
    stage: HandshakeStage,
    consumed: u64,
}

impl ClientHandshake {
    /// Starts with these random bytes for C1 and this time for it.
    pub fn new(mode: ClientMode, random: [u8; RANDOM], uptime_ms: u32) -> Self {
        let (c1, digest) = match mode {
            ClientMode::Simple => (super::packet(uptime_ms, [0; 4], &random), None),
            ClientMode::Digest(scheme) => {
                let mut c1 = super::packet(uptime_ms, CLIENT_VERSION, &random);
                let digest = digest::sign(Maker::Client, scheme, &mut c1);
                (c1, Some(digest))
            }
        };
        Self { c1, digest, kind: HandshakeKind::Simple, stage: HandshakeStage::Version, consumed: 0 }
    }

    /// Appends C0 and C1 to `out`. Call it once, before any input.
    pub fn start(&self, out: &mut BytesMut) {
        out.reserve(1 + PACKET);
        out.put_u8(VERSION);
        out.put_slice(&self.c1);
    }

    /// What is awaited of the server.
    pub fn stage(&self) -> HandshakeStage {
        self.stage
    }

    /// Bytes of the server used up.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes what it can from `input`, and appends the answer C2 to `out` once S1 is complete.
    ///
    /// In a simple handshake S2 is not verified, for the reasons that C2 is not.
    ///
    /// # Errors
    /// The server's version is not that of plain RTMP, or its digests prove nothing.
    pub fn input(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<Progress, HandshakeError> {
        if self.stage == HandshakeStage::Version {
            let Some(version) = input.first() else { return Ok(Progress::NeedMore) };
            check_version(*version)?;
            self.consume(input, 1, HandshakeStage::Packet);
        }
        if self.stage == HandshakeStage::Packet {
            let Some(s1) = input.first_chunk() else { return Ok(Progress::NeedMore) };
            self.kind = self.answer(s1, out);
            self.consume(input, PACKET, HandshakeStage::Answer);
        }
        if self.stage == HandshakeStage::Answer {
            let Some(s2) = input.first_chunk() else { return Ok(Progress::NeedMore) };
            self.verify(s2)?;
            self.consume(input, PACKET, HandshakeStage::Done);
        }
        Ok(Progress::Done(self.kind))
    }

    fn consume(&mut self, input: &mut BytesMut, count: usize, next: HandshakeStage) {
        input.advance(count);
        self.consumed += count as u64;
        self.stage = next;
    }

    fn answer(&self, s1: &[u8; PACKET], out: &mut BytesMut) -> HandshakeKind {
        match self.digest.and_then(|_| digest::find(Maker::Server, s1)) {
            Some((scheme, server_digest)) => {
                // The end of C1 is as random as its beginning, and needs no second helping from the caller.
                let filling = self.c1.get(PACKET - RANDOM..).unwrap_or_default();
                out.put_slice(&digest::answer(Maker::Client, &server_digest, filling));
                HandshakeKind::Digest(scheme)
            }
            None => {
                out.put_slice(s1);
                HandshakeKind::Simple
            }
        }
    }

    fn verify(&self, s2: &[u8; PACKET]) -> Result<(), HandshakeError> {
        match (self.kind, &self.digest) {
            (HandshakeKind::Digest(_), Some(digest)) if !digest::proves(Maker::Server, digest, s2) => {
                let offset = self.consumed + (PACKET - DIGEST) as u64;
                Err(HandshakeError { offset, kind: HandshakeErrorKind::DigestMismatch })
            }
            _ => Ok(()),
        }
    }
}
