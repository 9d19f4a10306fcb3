//! The frames of one live stream on their way from its push to its viewers.
//!
//! | file | what lives there |
//! |---|---|
//! | `frame`, `batch`, `headers` | what is passed on |
//! | `framing`, `message_head` | frames wrapped for FLV and RTMP, once for all viewers |
//! | `format` | as what they go out to a group of viewers |
//! | `state` | what push and viewers share: the ring of batches |
//! | `writer` | the push's end of it |
//! | `viewer` | a viewer's end of it |
//! | `cursor` | a position in it, of a viewer or of a group |
//! | `group` | viewers who keep up are written to together |
//! | `seat` | a place among the viewers for one who is served otherwise |
//! | `timeline` | timestamps that go on when another push takes over |
//! | `memory` | what all of this may hold |
//!
//! Frames are sealed into batches of `[play] merge`, and each batch is kept in a ring. The ring is the fast start (from
//! the last key frame on) and the queue of every slow viewer at once: a viewer is a position in it. One that falls off
//! its end goes on at the newest key frame; nobody waits for it, and nothing is copied for it. The lock is of one stream,
//! held for a few instructions by its push per frame and, per batch, by each group of viewers and each viewer in none.

mod batch;
mod cursor;
mod format;
mod frame;
mod framing;
mod group;
mod headers;
mod memory;
mod message_head;
mod seat;
mod state;
#[cfg(test)]
mod tests;
mod timeline;
mod viewer;
mod writer;

pub use self::batch::Batch;
pub use self::format::Format;
pub use self::frame::{Frame, FrameKind};
pub use self::framing::{RTMP_CHUNK_SIZE, RTMP_STREAM_ID};
pub use self::headers::Headers;
pub use self::memory::MediaMemory;
pub use self::message_head::MessageHead;
pub use self::seat::Seat;
pub use self::state::{Cached, Ended, Feed};
pub use self::viewer::{Served, Step, Viewer, ViewerFacts, ViewerInfo, ViewerKind};
pub use self::writer::Writer;
