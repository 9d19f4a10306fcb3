//! As what a live stream goes out to viewers who are written to together.

use bytes::Bytes;

use super::batch::Batch;
use super::framing::{self, RTMP_STREAM_ID};
use super::headers::Headers;
use super::message_head::MessageHead;

/// How the media of a live stream is wrapped on its way to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RTMP messages on message stream 1.
    Rtmp,
    /// FLV tags as they are.
    Flv,
    /// FLV tags, those of a batch in one chunk of HTTP/1.1 (RFC 9112, 7.1).
    FlvChunks,
    /// FLV tags, those of a batch in one binary message of WebSocket (RFC 6455, 5.6).
    FlvMessages,
}

impl Format {
    /// A batch, wrapped once for all who get it in this format.
    pub(super) fn batch(self, batch: &Batch, mut out: impl FnMut(Bytes)) {
        match self {
            Self::Rtmp => out(batch.rtmp().clone()),
            Self::FlvChunks => out(batch.flv_chunk().clone()),
            Self::Flv | Self::FlvMessages => self.wrap(batch.flv().clone(), out),
        }
    }

    /// What of `headers` those do not have who know `before`.
    pub(super) fn headers(
        self,
        headers: &Headers,
        before: Option<&Headers>,
        timestamp: u32,
        out: impl FnMut(Bytes),
    ) {
        let changed = match self {
            Self::Rtmp => headers.rtmp(RTMP_STREAM_ID, before, timestamp),
            Self::Flv | Self::FlvChunks | Self::FlvMessages => headers.flv(before, timestamp),
        };
        if !changed.is_empty() {
            self.wrap(changed, out);
        }
    }

    /// Puts around a piece of the stream what belongs around it.
    fn wrap(self, piece: Bytes, mut out: impl FnMut(Bytes)) {
        match self {
            Self::Rtmp | Self::Flv => out(piece),
            Self::FlvChunks => {
                out(Bytes::from(framing::chunk_head(piece.len()).into_bytes()));
                out(piece);
                out(Bytes::from_static(framing::CHUNK_END));
            }
            Self::FlvMessages => {
                let head = MessageHead::new(MessageHead::BINARY, piece.len());
                out(Bytes::copy_from_slice(head.as_bytes()));
                out(piece);
            }
        }
    }
}
