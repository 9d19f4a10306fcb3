//! Frames that go out together.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::frame::Frame;
use super::framing::{self, RTMP_STREAM_ID};
use super::headers::Headers;
use super::memory::Share;

/// Frames sealed together, in the order in which the push sent them; never empty. A key frame is always the first of its
/// batch. Shared by all viewers: what a format needs around the frames is made once, by the first viewer that asks.
#[derive(Debug)]
pub struct Batch {
    pub(super) sequence: u64,
    pub(super) first_frame: u64,
    pub(super) start: bool,
    pub(super) headers: Arc<Headers>,
    pub(super) frames: Vec<Frame>,
    pub(super) share: Share,
    pub(super) flv: OnceLock<Tags>,
    pub(super) rtmp: OnceLock<Bytes>,
}

/// The frames of a batch as FLV tags, in one piece of memory.
#[derive(Debug)]
pub(super) struct Tags {
    /// The tags.
    pub(super) plain: Bytes,
    /// The same with the head and the end of an HTTP chunk around them.
    pub(super) chunk: Bytes,
}

impl Batch {
    /// The frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Whether a player can begin here: with a key frame, or anywhere in a stream without video.
    pub fn starts_with_key(&self) -> bool {
        self.start
    }

    /// Its number in the live stream: one more than that of the batch before it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Timestamp of the first frame, ms.
    pub fn timestamp(&self) -> u32 {
        self.frames.first().map_or(0, |frame| frame.timestamp)
    }

    /// The metadata and codec headers that these frames need.
    pub fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }

    /// The frames as FLV tags.
    pub fn flv(&self) -> &Bytes {
        &self.tags().plain
    }

    /// The frames as FLV tags, as one chunk of an HTTP/1.1 body (RFC 9112, 7.1).
    pub fn flv_chunk(&self) -> &Bytes {
        &self.tags().chunk
    }

    fn tags(&self) -> &Tags {
        self.flv.get_or_init(|| {
            let tags = framing::flv_chunk(self.timed());
            self.share.grow(tags.chunk.len());
            tags
        })
    }

    /// The frames as RTMP messages on message stream 1, in chunks of [`RTMP_CHUNK_SIZE`](super::RTMP_CHUNK_SIZE).
    pub fn rtmp(&self) -> &Bytes {
        self.rtmp.get_or_init(|| {
            let framed = framing::rtmp(RTMP_STREAM_ID, self.timed());
            self.share.grow(framed.len());
            framed
        })
    }

    /// As [`Batch::rtmp`] for a viewer on another message stream; made anew at every call unless it is 1.
    pub fn rtmp_on(&self, stream_id: u32) -> Bytes {
        if stream_id == RTMP_STREAM_ID {
            return self.rtmp().clone();
        }
        framing::rtmp(stream_id, self.timed())
    }

    /// As [`Batch::rtmp_on`], with the frames alone that `wanted` picks; made anew at every call.
    pub fn rtmp_where(&self, stream_id: u32, wanted: impl Fn(&Frame) -> bool) -> Bytes {
        let chosen: Vec<_> = self.timed().filter(|(_, frame)| wanted(frame)).collect();
        framing::rtmp(stream_id, chosen.into_iter())
    }

    /// Bytes of memory it holds.
    pub fn held(&self) -> usize {
        self.share.bytes()
    }

    fn timed(&self) -> impl Iterator<Item = (u32, &Frame)> + Clone {
        self.frames.iter().map(|frame| (frame.timestamp, frame))
    }
}
