//! Chunks in, messages out.

use bytes::{Buf, Bytes, BytesMut};

use super::INITIAL_CHUNK_SIZE;
use super::assembly::Assembly;
use super::header::{BasicHeader, ChunkType, EXTENDED, MessageHeader};
use super::spare;
use super::streams::{ChunkStream, ChunkStreams};
use crate::fault::Rule;
use crate::message::control::{self, MAX_CHUNK_SIZE};
use crate::message::{Message, MessageInfo, type_id};

/// Bounds of one reader. Every one of them is checked as soon as a header says it will be exceeded, before the
/// bytes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes.
    pub message: usize,
    /// Longest command message, in bytes.
    pub command: usize,
    /// Memory that half-received messages may hold together, in bytes.
    pub partial: usize,
    /// Chunk streams that may be in use.
    pub chunk_streams: usize,
    /// Capacity of the read buffer, in bytes.
    pub read_buffer: usize,
}

impl Default for Limits {
    /// 4 MiB a message, 64 KiB a command, 8 MiB half-received, 64 chunk streams, 16 KiB read at once.
    fn default() -> Self {
        Self {
            message: 4 << 20,
            command: 64 << 10,
            partial: 8 << 20,
            chunk_streams: 64,
            read_buffer: 16 << 10,
        }
    }
}

/// Where in the connection something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Offset, in bytes received, of the chunk (or of the first chunk of the message).
    pub offset: u64,
    /// Chunk stream id, where one had been read.
    pub chunk_stream: Option<u32>,
    /// Message type id, where one had been read.
    pub message_type: Option<u8>,
    /// Message length in bytes, where one had been read.
    pub message_length: Option<u32>,
}

impl From<&MessageInfo> for Place {
    fn from(info: &MessageInfo) -> Self {
        Self {
            offset: info.offset,
            chunk_stream: Some(info.chunk_stream),
            message_type: Some(info.type_id),
            message_length: Some(info.length),
        }
    }
}

/// A broken rule of the chunk layer. The reader is of no use afterwards: where the next chunk begins is unknown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{rule} (chunk at byte {})", place.offset)]
pub struct Error {
    /// Which rule, with what was found.
    pub rule: Rule,
    /// Where.
    pub place: Place,
}

/// A message of which some bytes have come and some have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MidMessage {
    /// Chunk stream id.
    pub chunk_stream: u32,
    /// Message type id.
    pub type_id: u8,
    /// Bytes of the body that have come.
    pub have: usize,
    /// Bytes of the body in all.
    pub want: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// A chunk header comes next.
    Header,
    /// The body of a message that fits its one chunk, and the read buffer.
    Whole(MessageInfo),
    /// The body of a chunk that is a part of a message, with this many bytes of it to come.
    Part { chunk_stream: u32, left: usize },
}

/// Joins chunks into messages.
///
/// A body that fits one chunk and fills at least half of the read buffer is handed out as a slice of that
/// buffer; any other is copied once, so that a small message never keeps a large buffer alive.
#[derive(Debug)]
pub struct ChunkReader {
    buf: BytesMut,
    /// Size of the allocation behind `buf`, of which its capacity is only what lies ahead.
    allocation: usize,
    limits: Limits,
    streams: ChunkStreams,
    chunk_size: u32,
    position: u64,
    state: State,
    /// Chunk stream that got bytes last.
    active: Option<u32>,
    /// Memory held by half-received messages.
    held: usize,
    commands_only: bool,
}

impl ChunkReader {
    /// A reader at the start of a connection.
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { read_buffer: limits.read_buffer.max(64), ..limits };
        Self {
            buf: BytesMut::new(),
            allocation: 0,
            limits,
            streams: ChunkStreams::default(),
            chunk_size: INITIAL_CHUNK_SIZE,
            position: 0,
            state: State::Header,
            active: None,
            held: 0,
            commands_only: false,
        }
    }

    /// Where received bytes go. At least half of [`Limits::read_buffer`] is free in it after this call, which allocates
    /// it if it has to: call it when there is something to read, not while waiting for that.
    pub fn read_buf(&mut self) -> &mut BytesMut {
        let wanted = self.limits.read_buffer / 2;
        if self.buf.capacity() - self.buf.len() < wanted && !self.reclaim() {
            // What is left over is less than a header, or a body that the buffer has room for.
            let mut fresh = spare::take(self.limits.read_buffer.max(self.buf.len() + wanted));
            fresh.extend_from_slice(&self.buf);
            self.allocation = fresh.capacity();
            self.buf = fresh;
        }
        &mut self.buf
    }

    /// Uses the front of the buffer again, where no payload in use lies there.
    fn reclaim(&mut self) -> bool {
        let room = self.limits.read_buffer.saturating_sub(self.buf.len());
        room >= self.limits.read_buffer / 2 && self.buf.try_reclaim(room)
    }

    /// Chunks of the peer are this long from now on; clamped to 1 to 16,777,215.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = size.clamp(1, MAX_CHUNK_SIZE);
    }

    /// Whether only commands and controls may come, as before `connect`. Whatever else a header announces is
    /// then [`Rule::MediaBeforeConnect`], without waiting for its body.
    pub fn set_commands_only(&mut self, commands_only: bool) {
        self.commands_only = commands_only;
    }

    /// Gives up the half-received message on a chunk stream. False where there is none.
    pub fn abort(&mut self, chunk_stream: u32) -> bool {
        let given_up = self.streams.find_mut(chunk_stream).and_then(|stream| stream.assembly.take());
        if let Some(assembly) = &given_up {
            self.held = self.held.saturating_sub(assembly.held());
        }
        given_up.is_some()
    }

    /// Bytes used up so far, those of a handshake included.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Lets `take` have what is in the buffer first, as the handshake has to. It says how many bytes it took.
    pub(crate) fn take_ahead<T>(&mut self, take: impl FnOnce(&mut BytesMut) -> (u64, T)) -> T {
        let (taken, result) = take(&mut self.buf);
        self.position += taken;
        result
    }

    /// Bytes of memory that half-received messages hold.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether nothing has been received beyond the last whole message.
    pub fn at_boundary(&self) -> bool {
        self.buf.is_empty() && self.mid_message().is_none()
    }

    /// The message that got bytes last, if it is still half-received; else any other that is.
    pub fn mid_message(&self) -> Option<MidMessage> {
        if let State::Whole(info) = self.state {
            return Some(MidMessage {
                chunk_stream: info.chunk_stream,
                type_id: info.type_id,
                have: self.buf.len().min(info.length as usize),
                want: info.length as usize,
            });
        }
        let active = self.active.and_then(|id| self.streams.find(id));
        active.into_iter().chain(self.streams.iter()).find_map(|stream| {
            stream.assembly.as_ref().map(|assembly| MidMessage {
                chunk_stream: stream.id,
                type_id: assembly.info.type_id,
                have: assembly.have(),
                want: assembly.info.length as usize,
            })
        })
    }

    /// The next whole message; `None` where more bytes are needed.
    ///
    /// # Errors
    /// [`Error`] at the first rule broken; nothing useful can follow it.
    pub fn next_message(&mut self) -> Result<Option<Message>, Error> {
        // Asked again where nothing has come since all was read: the buffer was given back then.
        if self.buf.is_empty() && self.allocation == 0 {
            return Ok(None);
        }
        // Whoever filled the buffer may have made it larger than it was.
        self.allocation = self.allocation.max(self.buf.capacity());
        let message = self.read_message()?;
        if message.is_none() && self.buf.is_empty() {
            self.give_back();
        }
        Ok(message)
    }

    /// Gives the memory of an empty buffer back. The next connection that reads gets the same memory, still in the
    /// processor's caches, and one that waits holds none.
    fn give_back(&mut self) {
        spare::put(std::mem::take(&mut self.buf), self.limits.read_buffer);
        self.allocation = 0;
    }

    fn read_message(&mut self) -> Result<Option<Message>, Error> {
        loop {
            match self.state {
                State::Header => {
                    if !self.read_header()? {
                        return Ok(None);
                    }
                }
                State::Whole(info) => return Ok(self.take_whole(info)),
                State::Part { chunk_stream, left } => {
                    if let Some(message) = self.take_part(chunk_stream, left)? {
                        return Ok(Some(message));
                    }
                    if matches!(self.state, State::Part { .. }) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads one chunk header. False where more bytes are needed.
    fn read_header(&mut self) -> Result<bool, Error> {
        let Some(basic) = BasicHeader::parse(&self.buf) else { return Ok(false) };
        let after = self.buf.get(basic.size..).unwrap_or_default();
        let known = self.streams.find(basic.chunk_stream);
        let place =
            Place { offset: self.position, chunk_stream: Some(basic.chunk_stream), ..Place::default() };

        if basic.chunk_type == ChunkType::Continuation {
            let Some(stream) = known else {
                return Err(Error { rule: Rule::NothingToContinue, place });
            };
            let Some(repeated) = repeats_extended(stream.extended, after) else { return Ok(false) };
            self.advance(basic.size + if repeated { 4 } else { 0 });
            return self.continue_or_begin(basic.chunk_stream, place.offset).map(|()| true);
        }

        let Some(header) = MessageHeader::parse(basic.chunk_type, after) else { return Ok(false) };
        let mut size = basic.size + basic.chunk_type.header_size();
        let mut extended = None;
        if header.time == EXTENDED {
            let Some(bytes) = self.buf.get(size..).and_then(|rest| rest.first_chunk::<4>()) else {
                return Ok(false);
            };
            extended = Some(u32::from_be_bytes(*bytes));
            size += 4;
        }
        if let Some(assembly) = known.and_then(|stream| stream.assembly.as_ref()) {
            let rule =
                Rule::MessageInterrupted { have: assembly.have(), want: assembly.info.length as usize };
            return Err(Error { rule, place: Place { offset: place.offset, ..(&assembly.info).into() } });
        }
        if known.is_none() && self.streams.len() >= self.limits.chunk_streams {
            return Err(Error { rule: Rule::ChunkStreams { limit: self.limits.chunk_streams }, place });
        }
        self.advance(size);

        let stream = self.streams.find_or_add(basic.chunk_stream);
        // A fresh chunk stream starts from zeros, so that types 1 and 2 may open it: librtmp (and OBS with it)
        // answers pings with a type-1 chunk on a chunk stream it has not used before.
        stream.extended = extended;
        let time = extended.unwrap_or(header.time);
        // A type-3 chunk that begins a message adds the last field again, even that of a type-0 header
        // (RTMP 1.0, 5.3.1.2.4); ffmpeg counts on it.
        stream.delta = time;
        stream.timestamp = match basic.chunk_type {
            ChunkType::Full => time,
            _ => stream.timestamp.wrapping_add(time),
        };
        if let Some((length, type_id)) = header.body {
            stream.length = length;
            stream.type_id = type_id;
        }
        if let Some(stream_id) = header.stream_id {
            stream.stream_id = stream_id;
        }
        let info = stream.info(place.offset);
        self.begin(info).map(|()| true)
    }

    /// A type-3 chunk: more of the message under way, or a new one with the last header.
    fn continue_or_begin(&mut self, chunk_stream: u32, offset: u64) -> Result<(), Error> {
        let chunk_size = self.chunk_size as usize;
        let stream = self.streams.find_or_add(chunk_stream);
        if let Some(assembly) = &stream.assembly {
            self.state = State::Part { chunk_stream, left: assembly.missing().min(chunk_size) };
            self.active = Some(chunk_stream);
            return Ok(());
        }
        stream.timestamp = stream.timestamp.wrapping_add(stream.delta);
        let info = stream.info(offset);
        self.begin(info)
    }

    fn begin(&mut self, info: MessageInfo) -> Result<(), Error> {
        self.check(&info).map_err(|rule| Error { rule, place: (&info).into() })?;
        let length = info.length as usize;
        let chunk_size = self.chunk_size as usize;
        self.active = Some(info.chunk_stream);
        self.state = if length <= chunk_size && length <= self.limits.read_buffer {
            State::Whole(info)
        } else {
            let stream = self.streams.find_or_add(info.chunk_stream);
            let assembly = Assembly::new(info, stream.longest);
            self.held += assembly.held();
            stream.assembly = Some(assembly);
            State::Part { chunk_stream: info.chunk_stream, left: length.min(chunk_size) }
        };
        Ok(())
    }

    /// What can be said about a message by its header alone.
    fn check(&self, info: &MessageInfo) -> Result<(), Rule> {
        let length = info.length as usize;
        if !type_id::is_known(info.type_id) {
            return Err(Rule::UnknownMessageType { found: info.type_id });
        }
        control::check_length(info.type_id, info.length).map_err(Rule::Control)?;
        if self.commands_only && !type_id::is_control(info.type_id) && !type_id::is_command(info.type_id) {
            return Err(Rule::MediaBeforeConnect);
        }
        if type_id::is_command(info.type_id) && length > self.limits.command {
            return Err(Rule::CommandTooLarge { length, limit: self.limits.command });
        }
        if length > self.limits.message {
            return Err(Rule::MessageTooLarge { length, limit: self.limits.message });
        }
        Ok(())
    }

    fn take_whole(&mut self, info: MessageInfo) -> Option<Message> {
        let length = info.length as usize;
        let body = self.buf.get(..length)?;
        let payload = if length * 2 >= self.allocation {
            self.position += length as u64;
            self.buf.split_to(length).freeze()
        } else {
            let copy = Bytes::copy_from_slice(body);
            self.advance(length);
            copy
        };
        self.state = State::Header;
        Some(Message { info, payload })
    }

    fn take_part(&mut self, chunk_stream: u32, left: usize) -> Result<Option<Message>, Error> {
        let stream = self.streams.find_or_add(chunk_stream);
        let Some(assembly) = &mut stream.assembly else {
            self.state = State::Header;
            return Ok(None);
        };
        let count = left.min(self.buf.len());
        let held_before = assembly.held();
        assembly.extend(self.buf.get(..count).unwrap_or_default());
        let held_after = assembly.held();
        let info = assembly.info;
        let message = if assembly.missing() == 0 { complete(stream) } else { None };
        let held_now = if message.is_some() { 0 } else { held_after };
        self.held = (self.held + held_now).saturating_sub(held_before);
        self.advance(count);
        self.state = match left - count {
            0 => State::Header,
            left => State::Part { chunk_stream, left },
        };
        if self.held > self.limits.partial {
            let rule = Rule::PartialMessages { held: self.held, limit: self.limits.partial };
            return Err(Error { rule, place: (&info).into() });
        }
        Ok(message)
    }

    fn advance(&mut self, count: usize) {
        self.buf.advance(count);
        self.position += count as u64;
    }
}

fn complete(stream: &mut ChunkStream) -> Option<Message> {
    let assembly = stream.assembly.take()?;
    stream.longest = stream.longest.max(assembly.have());
    Some(Message { info: assembly.info, payload: assembly.into_payload() })
}

/// Whether a type-3 chunk repeats the extended timestamp of the header before it; `None` where more bytes are
/// needed to tell.
///
/// The specification lets it repeat, and ffmpeg and librtmp do; encoders built on older Flash libraries do not.
/// So the bytes are compared: only the value itself is taken for a repetition.
fn repeats_extended(extended: Option<u32>, after: &[u8]) -> Option<bool> {
    let Some(value) = extended else { return Some(false) };
    let value = value.to_be_bytes();
    match after.first_chunk::<4>() {
        Some(bytes) => Some(*bytes == value),
        None if value.starts_with(after) => None,
        None => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{ChunkWriter, Headers};

    #[test]
    fn a_reader_that_waits_for_the_next_message_holds_no_buffer() {
        let mut bytes = BytesMut::new();
        let info =
            MessageInfo { offset: 0, chunk_stream: 4, type_id: 9, length: 0, timestamp: 0, stream_id: 1 };
        ChunkWriter::new(Headers::Full).write(&info, &[7; 100], &mut bytes);
        let mut reader = ChunkReader::new(Limits::default());

        reader.read_buf().extend_from_slice(&bytes);
        assert!(reader.next_message().unwrap().is_some());
        assert!(reader.next_message().unwrap().is_none());
        assert_eq!(reader.buf.capacity(), 0);

        reader.read_buf().extend_from_slice(&bytes[..5]);
        assert!(reader.next_message().unwrap().is_none());
        assert_eq!(reader.buf, bytes[..5]);
        reader.read_buf().extend_from_slice(&bytes[5..]);
        assert_eq!(reader.next_message().unwrap().unwrap().payload, [7; 100][..]);
    }
}
