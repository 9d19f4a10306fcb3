//! What a client session is made with.

use crate::chunk::Limits;
use crate::handshake::{ClientMode, RANDOM};

/// Configuration of a [`ClientSession`](super::ClientSession).
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Bounds of what is received.
    pub limits: Limits,
    /// The form of handshake to ask for.
    pub handshake: ClientMode,
    /// Whether pings are answered. OBS does not.
    pub answer_pings: bool,
    /// Random bytes for the handshake.
    pub random: [u8; RANDOM],
}

impl ClientConfig {
    /// The defaults, with these random bytes: the simple handshake, pings answered.
    pub fn new(random: [u8; RANDOM]) -> Self {
        Self { limits: Limits::default(), handshake: ClientMode::Simple, answer_pings: true, random }
    }
}
