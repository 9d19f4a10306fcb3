//! Messages cut into chunks, and joined again (RTMP 1.0, 5.3).
//!
//! [`ChunkReader`] takes bytes and gives whole messages; [`ChunkWriter`] does the reverse; [`frame`] makes the
//! chunks of one message once, to be sent to many peers.

mod assembly;
mod header;
mod reader;
mod spare;
mod streams;
mod writer;

pub use header::{MAX_CHUNK_STREAM, MIN_CHUNK_STREAM};
pub use reader::{ChunkReader, Error, Limits, MidMessage, Place};
pub use writer::{ChunkWriter, Headers, frame, frame_into};

/// Chunk size both sides begin with (RTMP 1.0, 5.4.1).
pub const INITIAL_CHUNK_SIZE: u32 = 128;

/// Chunk stream that protocol control and user control messages belong on (RTMP 1.0, 5.4).
pub const CONTROL_CHUNK_STREAM: u32 = 2;
