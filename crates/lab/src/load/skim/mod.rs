//! Looks at what a server sends without keeping it: the header of each message and the first bytes of its body, as far
//! as a stamp reaches. A player costs the machine hardly more than its reads.

mod flv;
mod http;
mod rtmp;

pub(super) use flv::FlvSkimmer;
pub(super) use http::HttpBody;
pub(super) use rtmp::RtmpSkimmer;

use super::stamp;

/// Type ids of messages that are looked at (RTMP 1.0, 5.4, 6.2, 7.1).
pub(super) mod kind {
    pub(crate) const CHUNK_SIZE: u8 = 1;
    pub(crate) const USER_CONTROL: u8 = 4;
    pub(crate) const WINDOW_ACK_SIZE: u8 = 5;
    pub(crate) const AUDIO: u8 = 8;
    pub(crate) const VIDEO: u8 = 9;
}

/// A message that has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skimmed<'a> {
    /// Its type id.
    pub(super) kind: u8,
    /// Bytes of its body.
    pub(super) length: u32,
    /// The first of them.
    pub(super) head: &'a [u8],
    /// Where it ends in the bytes that were given.
    pub(super) end: usize,
}

/// What cannot be made sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SkimError {
    /// A chunk that continues what never began.
    #[error("a chunk without a beginning")]
    NothingToContinue,
    /// More chunk streams than any server uses.
    #[error("too many chunk streams")]
    ChunkStreams,
    /// Not an FLV stream.
    #[error("not FLV")]
    NotFlv,
    /// Not an HTTP answer, or one whose head does not end.
    #[error("not HTTP")]
    NotHttp,
    /// The answer says that there is nothing to play.
    #[error("HTTP status {0}")]
    Status(u16),
}

/// The first bytes of a body.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: [u8; stamp::SEEN],
    len: usize,
}

impl Head {
    const fn new() -> Self {
        Self { bytes: [0; stamp::SEEN], len: 0 }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Keeps as much of `part` as there is room for.
    fn extend(&mut self, part: &[u8]) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let count = room.len().min(part.len());
        for (place, byte) in room.iter_mut().zip(part) {
            *place = *byte;
        }
        self.len += count;
    }

    fn seen(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
