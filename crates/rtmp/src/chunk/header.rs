//! Chunk headers as bytes (RTMP 1.0, 5.3.1).

use bytes::{BufMut, BytesMut};

/// Lowest chunk stream id; 0 and 1 announce the longer forms.
pub const MIN_CHUNK_STREAM: u32 = 2;

/// Highest chunk stream id: 64 + 65,535.
pub const MAX_CHUNK_STREAM: u32 = 65_599;

/// Timestamp field that announces an extended timestamp.
pub(super) const EXTENDED: u32 = 0x00ff_ffff;

/// The four chunk types: how much of the message header a chunk repeats (RTMP 1.0, 5.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChunkType {
    /// All of it, with an absolute timestamp.
    Full,
    /// All but the message stream id, with a timestamp delta.
    SameStream,
    /// Only the timestamp delta.
    SameLength,
    /// Nothing.
    Continuation,
}

impl ChunkType {
    /// Bytes of message header that follow the basic header, without an extended timestamp.
    pub(super) fn header_size(self) -> usize {
        match self {
            Self::Full => 11,
            Self::SameStream => 7,
            Self::SameLength => 3,
            Self::Continuation => 0,
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Full => 0,
            Self::SameStream => 0b0100_0000,
            Self::SameLength => 0b1000_0000,
            Self::Continuation => 0b1100_0000,
        }
    }
}

/// The first one, two or three bytes of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasicHeader {
    pub(super) chunk_type: ChunkType,
    pub(super) chunk_stream: u32,
    /// Bytes it takes.
    pub(super) size: usize,
}

impl BasicHeader {
    /// `None` where more bytes are needed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let chunk_type = match first >> 6 {
            0 => ChunkType::Full,
            1 => ChunkType::SameStream,
            2 => ChunkType::SameLength,
            _ => ChunkType::Continuation,
        };
        let (chunk_stream, size) = match first & 0x3f {
            0 => (64 + u32::from(*rest.first()?), 2),
            // The third byte counts 256 each: little-endian, unlike the rest of the header.
            1 => (64 + u32::from(u16::from_le_bytes(*rest.first_chunk()?)), 3),
            id => (u32::from(id), 1),
        };
        Some(Self { chunk_type, chunk_stream, size })
    }

    /// Writes the shortest form. Ids outside the range are moved to its nearest end.
    pub(super) fn write(chunk_type: ChunkType, chunk_stream: u32, out: &mut BytesMut) {
        let id = chunk_stream.clamp(MIN_CHUNK_STREAM, MAX_CHUNK_STREAM);
        let bits = chunk_type.bits();
        match (u8::try_from(id), id.saturating_sub(64)) {
            (Ok(short), _) if short < 64 => out.put_u8(bits | short),
            (_, above) if above < 256 => out.put_slice(&[bits, above.to_le_bytes()[0]]),
            (_, above) => {
                let [low, high, ..] = above.to_le_bytes();
                out.put_slice(&[bits | 1, low, high]);
            }
        }
    }
}

/// The message header of a chunk: what its type carries, the rest absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageHeader {
    /// Timestamp (type 0) or delta (types 1 and 2) as it stands in the three-byte field.
    pub(super) time: u32,
    /// Length and type id, for types 0 and 1.
    pub(super) body: Option<(u32, u8)>,
    /// Message stream id, for type 0.
    pub(super) stream_id: Option<u32>,
}

impl MessageHeader {
    /// The message header of types 0 to 2, from the bytes that follow the basic header. `None` where more bytes
    /// are needed, and for type 3, which has none.
    pub(super) fn parse(chunk_type: ChunkType, bytes: &[u8]) -> Option<Self> {
        match chunk_type {
            ChunkType::Full => {
                let [t0, t1, t2, l0, l1, l2, id, s0, s1, s2, s3] = *bytes.first_chunk()?;
                Some(Self {
                    time: u32::from_be_bytes([0, t0, t1, t2]),
                    body: Some((u32::from_be_bytes([0, l0, l1, l2]), id)),
                    // Little-endian, alone in the whole protocol.
                    stream_id: Some(u32::from_le_bytes([s0, s1, s2, s3])),
                })
            }
            ChunkType::SameStream => {
                let [t0, t1, t2, l0, l1, l2, id] = *bytes.first_chunk()?;
                Some(Self {
                    time: u32::from_be_bytes([0, t0, t1, t2]),
                    body: Some((u32::from_be_bytes([0, l0, l1, l2]), id)),
                    stream_id: None,
                })
            }
            ChunkType::SameLength => {
                let [t0, t1, t2] = *bytes.first_chunk()?;
                Some(Self { time: u32::from_be_bytes([0, t0, t1, t2]), body: None, stream_id: None })
            }
            ChunkType::Continuation => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_stream_ids_take_one_two_or_three_bytes() {
        for (id, size) in [(2, 1), (63, 1), (64, 2), (319, 2), (320, 3), (65_599, 3)] {
            let mut out = BytesMut::new();
            BasicHeader::write(ChunkType::SameLength, id, &mut out);
            assert_eq!(out.len(), size, "chunk stream {id}");
            let expected = BasicHeader { chunk_type: ChunkType::SameLength, chunk_stream: id, size };
            assert_eq!(BasicHeader::parse(&out), Some(expected));
            assert_eq!(BasicHeader::parse(&out[..size - 1]), None, "chunk stream {id}, one byte short");
        }
    }

    #[test]
    fn ids_outside_the_range_are_moved_into_it() {
        for (id, written) in [(0, 2), (1, 2), (70_000, MAX_CHUNK_STREAM)] {
            let mut out = BytesMut::new();
            BasicHeader::write(ChunkType::Full, id, &mut out);
            assert_eq!(BasicHeader::parse(&out).map(|header| header.chunk_stream), Some(written));
        }
    }

    #[test]
    fn a_message_header_short_of_a_byte_is_not_read() {
        for chunk_type in [ChunkType::Full, ChunkType::SameStream, ChunkType::SameLength] {
            let bytes = [0x11; 11];
            let size = chunk_type.header_size();
            assert!(MessageHeader::parse(chunk_type, &bytes[..size]).is_some());
            assert!(MessageHeader::parse(chunk_type, &bytes[..size - 1]).is_none());
        }
    }
}
