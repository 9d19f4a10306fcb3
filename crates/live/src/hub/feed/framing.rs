//! Frames wrapped for the formats that carry them as they are.

use bytes::{Bytes, BytesMut};
use media::flv::{self, TAG_HEADER_SIZE, TAG_TRAILER_SIZE, TagType};

use super::batch::Tags;
use super::frame::{Frame, FrameKind};

/// Bytes of body in a chunk towards RTMP viewers; their session has announced it.
pub const RTMP_CHUNK_SIZE: u32 = 8192;
/// The message stream id that [`Batch::rtmp`](super::Batch::rtmp) speaks to; nearly every player gets it.
pub const RTMP_STREAM_ID: u32 = 1;
/// A full message header with an extended timestamp, on a small chunk stream.
const RTMP_HEADER: usize = 16;

/// The end of a chunk of HTTP/1.1.
pub(super) const CHUNK_END: &[u8] = b"\r\n";

/// The head of a chunk of HTTP/1.1.
pub(super) fn chunk_head(size: usize) -> String {
    format!("{size:X}\r\n")
}

/// Frames as FLV tags.
pub fn flv<'a>(frames: impl Iterator<Item = (u32, &'a Frame)> + Clone) -> Bytes {
    let mut out = Vec::with_capacity(flv_size(frames.clone()));
    write_flv(&mut out, frames);
    Bytes::from(out)
}

/// Frames as FLV tags, and as one chunk of HTTP/1.1.
pub(super) fn flv_chunk<'a>(frames: impl Iterator<Item = (u32, &'a Frame)> + Clone) -> Tags {
    let size = flv_size(frames.clone());
    let head = chunk_head(size);
    let mut out = Vec::with_capacity(head.len() + size + CHUNK_END.len());
    out.extend_from_slice(head.as_bytes());
    write_flv(&mut out, frames.clone());
    if out.len() != head.len() + size {
        // A frame was left out: the head says how many bytes do come.
        let plain = Bytes::from(out.split_off(head.len()));
        let chunk = [chunk_head(plain.len()).as_bytes(), &plain, CHUNK_END].concat().into();
        return Tags { plain, chunk };
    }
    out.extend_from_slice(CHUNK_END);
    let chunk = Bytes::from(out);
    Tags { plain: chunk.slice(head.len()..head.len() + size), chunk }
}

fn flv_size<'a>(frames: impl Iterator<Item = (u32, &'a Frame)>) -> usize {
    frames.map(|(_, f)| TAG_HEADER_SIZE + f.payload.len() + TAG_TRAILER_SIZE).sum()
}

fn write_flv<'a>(out: &mut Vec<u8>, frames: impl Iterator<Item = (u32, &'a Frame)>) {
    for (timestamp, frame) in frames {
        let tag_type = match frame.kind {
            FrameKind::Script => TagType::Script,
            FrameKind::Video => TagType::Video,
            FrameKind::Audio => TagType::Audio,
        };
        if let Err(error) = flv::write_tag(out, tag_type, timestamp, &frame.payload) {
            // An RTMP message is as large as a tag at most, so nothing that came that way gets here.
            tracing::warn!(%error, "frame left out of FLV");
        }
    }
}

/// Frames as RTMP messages with full chunk headers, so that they may follow anything whole.
pub fn rtmp<'a>(stream_id: u32, frames: impl Iterator<Item = (u32, &'a Frame)> + Clone) -> Bytes {
    let continuations = |f: &Frame| f.payload.len() / RTMP_CHUNK_SIZE as usize * 5;
    let size = |(_, f): (u32, &Frame)| RTMP_HEADER + f.payload.len() + continuations(f);
    let mut out = BytesMut::with_capacity(frames.clone().map(size).sum());
    for (timestamp, f) in frames {
        rtmp::server::frame_into(
            stream_id,
            f.kind.type_id(),
            timestamp,
            &f.payload,
            RTMP_CHUNK_SIZE,
            &mut out,
        );
    }
    out.freeze()
}
