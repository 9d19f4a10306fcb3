//! SRT: MPEG-TS over UDP, with retransmission, a fixed latency and optional encryption by a passphrase.
//!
//! | module | holds |
//! |---|---|
//! | `engine` | the SRT protocol itself, behind our own words |
//! | `port` | the one task that owns the UDP socket and speaks for all connections |
//! | `half` | handshakes that have begun: who left half-way, and who was refused before it named a stream |
//! | `passphrase` | who must encrypt with what, and how often that is checked |
//! | `connection` | one connection as its push sees it |
//! | `push` | one push, from the stream id to its record |
//! | `media` | transport stream in, messages for the hub out |
//! | `reject` | which reject code says why |
//!
//! One task reads the socket for all connections, as the protocol has one port for all; each push runs in a task of its
//! own and is handed its payloads through a bounded channel.

mod connection;
mod engine;
mod half;
mod media;
mod passphrase;
mod port;
mod push;
mod reject;

pub(crate) use port::{bind, run};

/// Why SRT cannot be offered as configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrtConfigError {
    /// The protocol takes 10 to 79 bytes.
    #[error("an SRT passphrase has 10 to 79 characters")]
    Passphrase,
}
