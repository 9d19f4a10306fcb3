//! The handshake that opens every RTMP connection, server and client side (RTMP 1.0 section 5.2).
//!
//! Both sides send a version byte (C0, S0), a packet of 1536 bytes (C1, S1) and an answer of 1536 bytes to the other's
//! packet (C2, S2). In the *simple* form of the specification the answer is an echo. The *digest* form, which Flash
//! clients and those that imitate them use, hides an HMAC in each packet, at a place that the packet itself names, in
//! one of two [`Scheme`]s; the digest of a packet is the key of its answer.
//!
//! Neither side reads a clock or makes random numbers: both are handed in. Input may arrive split anywhere; what
//! follows the last byte of the handshake stays in the buffer, for it is chunks already.

mod client;
mod digest;
mod error;
mod server;

pub use client::{ClientHandshake, ClientMode};
pub use digest::Scheme;
pub use error::{Guess, HandshakeError, HandshakeErrorKind};
pub use server::ServerHandshake;

/// Length of C1, S1, C2 and S2 in bytes.
pub const PACKET: usize = 1536;
/// Length of the random part of C1 and S1 in bytes.
pub const RANDOM: usize = 1528;
/// Length of the part of C1's random bytes that a server keeps.
pub const HEAD: usize = 48;
/// The one version of plain RTMP.
pub const VERSION: u8 = 3;

/// The form of the handshake that client and server settled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeKind {
    /// As specified: the answers are echoes.
    Simple,
    /// With digests, placed by this scheme.
    Digest(Scheme),
}

/// What feeding bytes to a handshake led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// All input was used up that can be used yet.
    NeedMore,
    /// The handshake is over; what is left in the buffer is chunks.
    Done(HandshakeKind),
}

/// Which part of the peer's half is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeStage {
    /// Its version byte: C0, or S0.
    Version,
    /// Its packet: C1, or S1.
    Packet,
    /// Its answer: C2, or S2.
    Answer,
    /// Nothing more.
    Done,
}

/// C1 or S1: time, version of the software, random bytes.
fn packet(uptime_ms: u32, version: [u8; 4], random: &[u8; RANDOM]) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    let (head, body) = packet.split_at_mut(PACKET - RANDOM);
    head.iter_mut().zip(uptime_ms.to_be_bytes().into_iter().chain(version)).for_each(|(to, from)| *to = from);
    body.copy_from_slice(random);
    packet
}

#[cfg(test)]
mod tests;
