//! Chunks (RTMP 1.0, 5.3).

use super::{Head, SkimError, Skimmed, kind};

const FIRST_CHUNK_SIZE: usize = 128;
const MAX_CHUNK_SIZE: u32 = 0x00ff_ffff;
/// Three bytes of basic header, eleven of message header, four of extended timestamp.
const LONGEST_HEADER: usize = 18;
const EXTENDED: u32 = 0x00ff_ffff;
const CHUNK_STREAMS: usize = 64;

/// Follows the chunks of a server.
#[derive(Debug)]
pub(crate) struct RtmpSkimmer {
    chunk_size: usize,
    lanes: Vec<Lane>,
    header: [u8; LONGEST_HEADER],
    have: usize,
    /// The lane whose chunk is being read, and what is left of the chunk.
    body: Option<(usize, usize)>,
}

/// One chunk stream.
#[derive(Debug)]
struct Lane {
    id: u32,
    kind: u8,
    length: u32,
    extended: bool,
    /// Bytes of the message under way that are still to come.
    missing: u32,
    head: Head,
}

/// What a header says, once it is whole.
struct Header {
    chunk_type: u8,
    id: u32,
    body: Option<(u32, u8)>,
    extended: bool,
}

impl Default for RtmpSkimmer {
    fn default() -> Self {
        Self {
            chunk_size: FIRST_CHUNK_SIZE,
            lanes: Vec::new(),
            header: [0; LONGEST_HEADER],
            have: 0,
            body: None,
        }
    }
}

impl RtmpSkimmer {
    /// Whether nothing is half said on any chunk stream.
    #[cfg(test)]
    fn at_boundary(&self) -> bool {
        self.have == 0 && self.body.is_none() && self.lanes.iter().all(|lane| lane.missing == 0)
    }

    /// Chunks have this size from now on, as was agreed elsewhere.
    pub(crate) fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = usize::try_from(size.clamp(1, MAX_CHUNK_SIZE)).unwrap_or(FIRST_CHUNK_SIZE);
    }

    /// Takes what came, and hands out each message that it ends.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut seen: impl FnMut(Skimmed<'_>)) -> Result<(), SkimError> {
        let mut at = 0;
        loop {
            if let Some((index, left)) = self.body {
                let count = left.min(bytes.len().saturating_sub(at));
                let part = bytes.get(at..at + count).unwrap_or_default();
                at += count;
                self.body = (count < left).then_some((index, left - count));
                let Some(lane) = self.lanes.get_mut(index) else { return Ok(()) };
                lane.head.extend(part);
                lane.missing = lane.missing.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
                if self.body.is_some() {
                    return Ok(());
                }
                if lane.missing == 0 {
                    let chunk_size = chunk_size_in(lane);
                    seen(Skimmed { kind: lane.kind, length: lane.length, head: lane.head.seen(), end: at });
                    lane.head.clear();
                    if let Some(size) = chunk_size {
                        self.set_chunk_size(size);
                    }
                }
            }
            let Some(byte) = bytes.get(at) else { return Ok(()) };
            at += 1;
            if let Some(place) = self.header.get_mut(self.have) {
                *place = *byte;
                self.have += 1;
            }
            if let Some(header) = self.header()? {
                self.have = 0;
                self.begin_chunk(&header)?;
            }
        }
    }

    /// The header, if it is whole.
    fn header(&self) -> Result<Option<Header>, SkimError> {
        let bytes = self.header.get(..self.have).unwrap_or_default();
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let (id, rest) = match (first & 0x3f, rest) {
            (0, [low, rest @ ..]) => (64 + u32::from(*low), rest),
            (1, [low, high, rest @ ..]) => (64 + u32::from(u16::from_le_bytes([*low, *high])), rest),
            (0 | 1, _) => return Ok(None),
            (id, rest) => (u32::from(id), rest),
        };
        let chunk_type = first >> 6;
        let size = [11, 7, 3, 0].get(usize::from(chunk_type)).copied().unwrap_or(0);
        let Some((fields, rest)) = rest.split_at_checked(size) else { return Ok(None) };
        let extended = match fields.first_chunk::<3>() {
            Some([a, b, c]) => u32::from_be_bytes([0, *a, *b, *c]) == EXTENDED,
            None => self.find(id).ok_or(SkimError::NothingToContinue)?.extended,
        };
        if extended && rest.len() < 4 {
            return Ok(None);
        }
        let body = match fields {
            [_, _, _, a, b, c, kind, ..] => Some((u32::from_be_bytes([0, *a, *b, *c]), *kind)),
            _ => None,
        };
        Ok(Some(Header { chunk_type, id, body, extended }))
    }

    fn find(&self, id: u32) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.id == id)
    }

    fn begin_chunk(&mut self, header: &Header) -> Result<(), SkimError> {
        let index = match self.lanes.iter().position(|lane| lane.id == header.id) {
            Some(index) => index,
            None if self.lanes.len() >= CHUNK_STREAMS => return Err(SkimError::ChunkStreams),
            None => {
                let (id, head) = (header.id, Head::new());
                self.lanes.push(Lane { id, kind: 0, length: 0, extended: false, missing: 0, head });
                self.lanes.len() - 1
            }
        };
        let Some(lane) = self.lanes.get_mut(index) else { return Ok(()) };
        if header.chunk_type < 3 {
            lane.extended = header.extended;
        }
        if let Some((length, kind)) = header.body {
            (lane.length, lane.kind) = (length, kind);
        }
        if header.chunk_type < 3 || lane.missing == 0 {
            lane.missing = lane.length;
            lane.head.clear();
        }
        let chunk = usize::try_from(lane.missing).unwrap_or(usize::MAX).min(self.chunk_size);
        self.body = Some((index, chunk));
        Ok(())
    }
}

fn chunk_size_in(lane: &Lane) -> Option<u32> {
    let size = lane.head.seen().first_chunk::<4>().filter(|_| lane.kind == kind::CHUNK_SIZE)?;
    Some(u32::from_be_bytes(*size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtmp::MessageInfo;
    use rtmp::chunk::{ChunkWriter, Headers};
    use rtmp::message::control::Control;

    use super::*;

    #[derive(Clone, Debug)]
    struct Said {
        chunk_stream: u32,
        kind: u8,
        timestamp: u32,
        body: Vec<u8>,
    }

    fn said() -> impl Strategy<Value = Said> {
        let chunk_stream = prop_oneof![2..70_u32, 300..400_u32];
        let timestamp = prop_oneof![0..10_000_u32, 0x00ff_fff0..0x0100_0010_u32];
        (chunk_stream, 8..10_u8, timestamp, prop::collection::vec(any::<u8>(), 0..900))
            .prop_map(|(chunk_stream, kind, timestamp, body)| Said { chunk_stream, kind, timestamp, body })
    }

    fn written(messages: &[Said], headers: Headers, size: u32) -> Vec<u8> {
        let (mut out, mut writer) = (bytes::BytesMut::new(), ChunkWriter::new(headers));
        let mut control = bytes::BytesMut::new();
        Control::SetChunkSize(size).encode(&mut control);
        let info =
            MessageInfo { offset: 0, chunk_stream: 2, type_id: 1, length: 0, timestamp: 0, stream_id: 0 };
        writer.write(&info, &control, &mut out);
        writer.set_chunk_size(size);
        for said in messages {
            let Said { chunk_stream, kind: type_id, timestamp, ref body } = *said;
            writer.write(
                &MessageInfo { chunk_stream, type_id, timestamp, stream_id: 1, ..info },
                body,
                &mut out,
            );
        }
        out.to_vec()
    }

    proptest! {
        #[test]
        fn every_message_is_seen_however_it_arrives(
            messages in prop::collection::vec(said(), 1..20),
            compressed in any::<bool>(),
            size in 1..600_u32,
            piece in 1..300_usize,
        ) {
            let headers = if compressed { Headers::Compressed } else { Headers::Full };
            let mut seen = Vec::new();
            let mut skimmer = RtmpSkimmer::default();
            for part in written(&messages, headers, size).chunks(piece) {
                skimmer.feed(part, |m| seen.push((m.kind, m.length as usize, m.head.to_vec()))).unwrap();
            }
            prop_assert!(skimmer.at_boundary());
            seen.remove(0);
            let told: Vec<_> = messages.iter().map(|m| {
                let head = m.body.get(..super::super::stamp::SEEN).unwrap_or(&m.body).to_vec();
                (m.kind, m.body.len(), head)
            }).collect();
            prop_assert_eq!(seen, told);
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise_than_by_an_error(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = RtmpSkimmer::default().feed(&bytes, |_| {});
        }
    }
}
