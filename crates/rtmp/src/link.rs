//! What the server and the client session share: messages in, messages out, and the controls between them.

use bytes::{Bytes, BytesMut};

use crate::amf0::Value;
use crate::chunk::{self, CONTROL_CHUNK_STREAM, ChunkReader, ChunkWriter, Headers};
use crate::fault::Rule;
use crate::message::aggregate::Parts;
use crate::message::command::Command;
use crate::message::control::{Control, UserControl};
use crate::message::{Message, MessageInfo, type_id};

/// Acknowledgements and answers to pings are left out while this much waits to be sent: a peer that does not
/// read must not be able to fill our memory by asking.
const ENOUGH_UNREAD: usize = 64 << 10;

/// Smallest window that is honoured, in bytes. Acknowledging every few bytes would answer each with sixteen.
const MIN_WINDOW: u32 = 1024;

/// Chunk stream of commands on the connection.
pub(crate) const COMMAND_CHUNK_STREAM: u32 = 3;

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A control message; what it asks of the chunk layer has been done.
    Control(MessageInfo, Control),
    /// A command.
    Command(Command),
    /// Any other message. Aggregates have been taken apart.
    Message(Message),
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) reader: ChunkReader,
    pub(crate) out: BytesMut,
    writer: ChunkWriter,
    /// Parts of an aggregate that have not been handed out yet.
    parts: Option<(MessageInfo, Parts)>,
    /// How often the peer wants an acknowledgement, in bytes.
    window: Option<u32>,
    acknowledged: u64,
    answer_pings: bool,
}

impl Link {
    pub(crate) fn new(limits: chunk::Limits, headers: Headers, answer_pings: bool) -> Self {
        Self {
            reader: ChunkReader::new(limits),
            out: BytesMut::new(),
            writer: ChunkWriter::new(headers),
            parts: None,
            window: None,
            acknowledged: 0,
            answer_pings,
        }
    }

    /// The next message; `None` where more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, chunk::Error> {
        loop {
            if let Some(part) = self.next_part()? {
                return Ok(Some(Incoming::Message(part)));
            }
            let message = self.reader.next_message()?;
            // Also between two messages: a peer may wait for it in the middle of a long one.
            self.acknowledge();
            let Some(message) = message else { return Ok(None) };
            let info = message.info;
            let at = |rule| chunk::Error { rule, place: (&info).into() };
            match info.type_id {
                type_id::AGGREGATE => self.parts = Some((info, Parts::new(message))),
                type_id::COMMAND_AMF0 | type_id::COMMAND_AMF3 => {
                    return Command::decode(&message).map(Incoming::Command).map(Some).map_err(at);
                }
                id => match Control::decode(id, &message.payload).map_err(|error| at(error.into()))? {
                    Some(control) => {
                        self.obey(&control);
                        return Ok(Some(Incoming::Control(info, control)));
                    }
                    None => return Ok(Some(Incoming::Message(message))),
                },
            }
        }
    }

    fn next_part(&mut self) -> Result<Option<Message>, chunk::Error> {
        let Some((info, parts)) = &mut self.parts else { return Ok(None) };
        let at = |rule| chunk::Error { rule, place: (&*info).into() };
        match parts.next_part() {
            Err(error) => Err(at(error.into())),
            Ok(Some(part)) if !Parts::may_carry(part.info.type_id) => {
                Err(at(Rule::AggregatePart { found: part.info.type_id }))
            }
            Ok(Some(part)) => Ok(Some(part)),
            Ok(None) => {
                self.parts = None;
                Ok(None)
            }
        }
    }

    fn obey(&mut self, control: &Control) {
        match control {
            Control::SetChunkSize(size) => self.reader.set_chunk_size(*size),
            Control::Abort { chunk_stream } => {
                self.reader.abort(*chunk_stream);
            }
            Control::WindowAckSize(window) => {
                self.window = (*window > 0).then_some((*window).max(MIN_WINDOW));
            }
            Control::User(UserControl::PingRequest(timestamp)) if self.answer_pings && self.may_answer() => {
                self.control(&Control::User(UserControl::PingResponse(*timestamp)));
            }
            _ => {}
        }
    }

    fn acknowledge(&mut self) {
        let Some(window) = self.window else { return };
        let position = self.reader.position();
        if position.saturating_sub(self.acknowledged) >= u64::from(window) && self.may_answer() {
            self.acknowledged = position;
            // The sequence number wraps, as TCP's does (RTMP 1.0, 5.4.3).
            self.control(&Control::Acknowledgement(position as u32));
        }
    }

    fn may_answer(&self) -> bool {
        self.out.len() < ENOUGH_UNREAD
    }

    /// Queues a control message; a chunk size takes effect behind it.
    pub(crate) fn control(&mut self, control: &Control) {
        let mut body = BytesMut::with_capacity(16);
        control.encode(&mut body);
        self.message(CONTROL_CHUNK_STREAM, control.type_id(), 0, 0, &body);
        if let Control::SetChunkSize(size) = control {
            self.writer.set_chunk_size(*size);
        }
    }

    /// Queues a command in AMF0.
    pub(crate) fn command(
        &mut self,
        chunk_stream: u32,
        stream_id: u32,
        name: &str,
        transaction: f64,
        args: &[Value],
    ) {
        let body: Bytes = Command::encode(name, transaction, args);
        self.message(chunk_stream, type_id::COMMAND_AMF0, stream_id, 0, &body);
    }

    /// Queues any message.
    pub(crate) fn message(
        &mut self,
        chunk_stream: u32,
        type_id: u8,
        stream_id: u32,
        timestamp: u32,
        body: &[u8],
    ) {
        let info = MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp, stream_id };
        self.writer.write(&info, body, &mut self.out);
    }

    /// Queues any message with a full header, in chunks of this size.
    pub(crate) fn chunked(&mut self, info: &MessageInfo, body: &[u8], chunk_size: u32) {
        self.writer.write_full(info, body, chunk_size, &mut self.out);
    }

    pub(crate) fn chunk_size(&self) -> u32 {
        self.writer.chunk_size()
    }
}
