//! Messages in, chunks out.

use bytes::{BufMut, Bytes, BytesMut};

use super::INITIAL_CHUNK_SIZE;
use super::header::{BasicHeader, ChunkType, EXTENDED};
use crate::message::MessageInfo;
use crate::message::control::MAX_CHUNK_SIZE;

/// Longest basic header, full message header and extended timestamp together.
const MAX_HEADER: usize = 3 + 11 + 4;

/// Longest basic header and extended timestamp of a continuation.
const MAX_CONTINUATION: usize = 3 + 4;

/// How much of a header the writer repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    /// Every message has a full header. Costs some bytes, and in turn chunks made elsewhere ([`frame`]) may be
    /// put between at will.
    Full,
    /// What is as in the message before, on the same chunk stream, is left out, as encoders do.
    Compressed,
}

/// What the peer remembers of a chunk stream.
#[derive(Debug, Clone, Copy)]
struct Last {
    info: MessageInfo,
    /// Delta of the last header; `None` after a full one, whose timestamp some readers take for a delta and
    /// some do not, so that nobody should leave it to be repeated.
    delta: Option<u32>,
}

/// Cuts messages into chunks.
#[derive(Debug)]
pub struct ChunkWriter {
    chunk_size: u32,
    headers: Headers,
    last: Vec<Last>,
}

impl ChunkWriter {
    /// A writer at the start of a connection.
    pub fn new(headers: Headers) -> Self {
        Self { chunk_size: INITIAL_CHUNK_SIZE, headers, last: Vec::new() }
    }

    /// Bytes of body in each chunk.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Chunks are this long from now on; the peer has to have been told. Clamped to 1 to 16,777,215.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = size.clamp(1, MAX_CHUNK_SIZE);
    }

    /// Appends a message to `out`. Its length is that of `payload`, cut after 16,777,215 bytes; the length and
    /// offset in `info` are not used.
    pub fn write(&mut self, info: &MessageInfo, payload: &[u8], out: &mut BytesMut) {
        let (info, payload) = fit(info, payload);
        let (chunk_type, time) = match self.headers {
            Headers::Full => (ChunkType::Full, info.timestamp),
            Headers::Compressed => self.compress(&info),
        };
        write_message(&info, chunk_type, time, payload, self.chunk_size, out);
    }

    /// As [`write`](Self::write), with a full header and chunks of this size, whatever the peer was told.
    pub fn write_full(&mut self, info: &MessageInfo, payload: &[u8], chunk_size: u32, out: &mut BytesMut) {
        let (info, payload) = fit(info, payload);
        if self.headers == Headers::Compressed {
            self.remember(&info);
        }
        let chunk_size = chunk_size.clamp(1, MAX_CHUNK_SIZE);
        write_message(&info, ChunkType::Full, info.timestamp, payload, chunk_size, out);
    }

    /// Notes the header that goes out now, as if in full, and gives the one before it.
    fn remember(&mut self, info: &MessageInfo) -> Option<(Last, &mut Last)> {
        let now = Last { info: *info, delta: None };
        match self.last.iter().position(|last| last.info.chunk_stream == info.chunk_stream) {
            Some(index) => {
                let last = self.last.get_mut(index)?;
                Some((std::mem::replace(last, now), last))
            }
            None => {
                self.last.push(now);
                None
            }
        }
    }

    /// The shortest header that says the same, and its timestamp field.
    fn compress(&mut self, info: &MessageInfo) -> (ChunkType, u32) {
        let Some((before, last)) = self.remember(info) else { return (ChunkType::Full, info.timestamp) };
        let delta = info.timestamp.wrapping_sub(before.info.timestamp);
        // A timestamp that steps back would be a delta of almost 2^32: said in full instead.
        if before.info.stream_id != info.stream_id || delta > i32::MAX as u32 {
            return (ChunkType::Full, info.timestamp);
        }
        last.delta = Some(delta);
        let same_body = before.info.length == info.length && before.info.type_id == info.type_id;
        let chunk_type = match (same_body, before.delta == Some(delta)) {
            (true, true) => ChunkType::Continuation,
            (true, false) => ChunkType::SameLength,
            (false, _) => ChunkType::SameStream,
        };
        (chunk_type, delta)
    }
}

/// The chunks of one message with a full header, to be sent to any number of peers that take chunks of this
/// size. What was sent before on the same chunk stream does not matter, as long as it was whole.
pub fn frame(info: &MessageInfo, payload: &[u8], chunk_size: u32) -> Bytes {
    let mut out = BytesMut::new();
    frame_into(info, payload, chunk_size, &mut out);
    out.freeze()
}

/// As [`frame`], appended to `out`.
pub fn frame_into(info: &MessageInfo, payload: &[u8], chunk_size: u32, out: &mut BytesMut) {
    let (info, payload) = fit(info, payload);
    let chunk_size = chunk_size.clamp(1, MAX_CHUNK_SIZE);
    write_message(&info, ChunkType::Full, info.timestamp, payload, chunk_size, out);
}

/// A message cannot say a length of more than 24 bits.
fn fit<'a>(info: &MessageInfo, payload: &'a [u8]) -> (MessageInfo, &'a [u8]) {
    let payload = payload.get(..MAX_CHUNK_SIZE as usize).unwrap_or(payload);
    (MessageInfo { length: u32::try_from(payload.len()).unwrap_or(MAX_CHUNK_SIZE), ..*info }, payload)
}

fn write_message(
    info: &MessageInfo,
    chunk_type: ChunkType,
    time: u32,
    payload: &[u8],
    chunk_size: u32,
    out: &mut BytesMut,
) {
    let chunks = payload.len().div_ceil(chunk_size as usize).max(1);
    out.reserve(MAX_HEADER + payload.len() + (chunks - 1) * MAX_CONTINUATION);
    let extended = (time >= EXTENDED).then_some(time);

    BasicHeader::write(chunk_type, info.chunk_stream, out);
    if chunk_type <= ChunkType::SameLength {
        out.put_uint(u64::from(time.min(EXTENDED)), 3);
    }
    if chunk_type <= ChunkType::SameStream {
        out.put_uint(u64::from(info.length), 3);
        out.put_u8(info.type_id);
    }
    if chunk_type == ChunkType::Full {
        out.put_u32_le(info.stream_id);
    }
    if let Some(extended) = extended {
        out.put_u32(extended);
    }
    let mut parts = payload.chunks(chunk_size as usize);
    out.put_slice(parts.next().unwrap_or_default());
    for part in parts {
        BasicHeader::write(ChunkType::Continuation, info.chunk_stream, out);
        if let Some(extended) = extended {
            out.put_u32(extended);
        }
        out.put_slice(part);
    }
}
