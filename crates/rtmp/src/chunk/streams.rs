//! What a reader remembers of each chunk stream.

use super::assembly::Assembly;
use crate::message::MessageInfo;

/// One chunk stream: the last header, and the message under way. It exists from its first header on.
#[derive(Debug)]
pub(super) struct ChunkStream {
    pub(super) id: u32,
    /// Absolute timestamp of the last message.
    pub(super) timestamp: u32,
    /// What a type-3 chunk that begins a message adds to it.
    pub(super) delta: u32,
    pub(super) length: u32,
    pub(super) type_id: u8,
    pub(super) stream_id: u32,
    /// The extended timestamp of the last header that had a timestamp, if it had one.
    pub(super) extended: Option<u32>,
    pub(super) assembly: Option<Assembly>,
    /// Length of the longest message completed here.
    pub(super) longest: usize,
}

impl ChunkStream {
    fn new(id: u32) -> Self {
        Self {
            id,
            timestamp: 0,
            delta: 0,
            length: 0,
            type_id: 0,
            stream_id: 0,
            extended: None,
            assembly: None,
            longest: 0,
        }
    }

    /// The header of the message that begins now.
    pub(super) fn info(&self, offset: u64) -> MessageInfo {
        MessageInfo {
            offset,
            chunk_stream: self.id,
            type_id: self.type_id,
            length: self.length,
            timestamp: self.timestamp,
            stream_id: self.stream_id,
        }
    }
}

/// All chunk streams of one direction, in the order they appeared. Real encoders use three to six, so a scan is
/// the fastest map.
#[derive(Debug, Default)]
pub(super) struct ChunkStreams {
    streams: Vec<ChunkStream>,
}

impl ChunkStreams {
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    pub(super) fn find(&self, id: u32) -> Option<&ChunkStream> {
        self.streams.iter().find(|stream| stream.id == id)
    }

    pub(super) fn find_mut(&mut self, id: u32) -> Option<&mut ChunkStream> {
        self.streams.iter_mut().find(|stream| stream.id == id)
    }

    pub(super) fn find_or_add(&mut self, id: u32) -> &mut ChunkStream {
        let index = match self.streams.iter().position(|stream| stream.id == id) {
            Some(index) => index,
            None => {
                self.streams.push(ChunkStream::new(id));
                self.streams.len() - 1
            }
        };
        &mut self.streams[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ChunkStream> {
        self.streams.iter()
    }
}
