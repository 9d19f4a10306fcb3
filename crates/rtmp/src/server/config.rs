//! What a server session is made with.

use crate::chunk::Limits;
use crate::ertmp::Enhancements;
use crate::handshake::RANDOM;

/// Configuration of a [`ServerSession`](super::ServerSession).
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Bounds of what is received.
    pub limits: Limits,
    /// Message streams that a client may have at a time.
    pub max_streams: usize,
    /// Window Acknowledgement Size announced to the client, in bytes.
    pub window_ack_size: u32,
    /// Peer bandwidth announced to the client, in bytes.
    pub peer_bandwidth: u32,
    /// Chunk size announced to the client, and used towards it. ffmpeg takes it over for its own chunks.
    pub chunk_size: u32,
    /// What is answered to a client that speaks Enhanced RTMP.
    pub enhanced: Enhancements,
    /// Random bytes for the handshake.
    pub random: [u8; RANDOM],
}

impl ServerConfig {
    /// The defaults, with these random bytes: messages up to 4 MiB, windows of 5,000,000 bytes, chunks of 8192.
    pub fn new(random: [u8; RANDOM]) -> Self {
        Self {
            limits: Limits::default(),
            max_streams: 16,
            window_ack_size: 5_000_000,
            peer_bandwidth: 5_000_000,
            chunk_size: 8192,
            enhanced: Enhancements::forwarding(),
            random,
        }
    }
}
