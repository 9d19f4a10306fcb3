//! Protocol control and user control messages (RTMP 1.0, 5.4, 6.2 and 7.1.7).

use bytes::{BufMut, Bytes, BytesMut};

use super::type_id;

/// Largest chunk size: a message cannot be longer than 16,777,215 bytes, so a larger one means this
/// (RTMP 1.0, 5.4.1).
pub const MAX_CHUNK_SIZE: u32 = 0x00ff_ffff;

/// How a peer asks for its bandwidth to be limited (RTMP 1.0, 5.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandwidthLimit {
    /// Take this window.
    Hard,
    /// Take this window, or the one in force if that is smaller.
    Soft,
    /// As hard, if the one before was hard; else ignore it.
    Dynamic,
    /// A value the specification does not know. Ignored.
    Other(u8),
}

impl BandwidthLimit {
    fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Hard,
            1 => Self::Soft,
            2 => Self::Dynamic,
            other => Self::Other(other),
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Hard => 0,
            Self::Soft => 1,
            Self::Dynamic => 2,
            Self::Other(other) => other,
        }
    }
}

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Chunks of the sender are this long from now on.
    SetChunkSize(u32),
    /// The half-sent message on this chunk stream is given up.
    Abort {
        /// The chunk stream id.
        chunk_stream: u32,
    },
    /// So many bytes have been received, modulo 2^32.
    Acknowledgement(u32),
    /// The sender wants an acknowledgement each time it has sent this many bytes.
    WindowAckSize(u32),
    /// The sender asks its peer to limit what is in flight.
    SetPeerBandwidth {
        /// The window in bytes.
        window: u32,
        /// How binding it is.
        limit: BandwidthLimit,
    },
    /// A user control message.
    User(UserControl),
}

/// A user control message (RTMP 1.0, 7.1.7).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserControl {
    /// The stream can be used from now on.
    StreamBegin(u32),
    /// The stream that was played has ended.
    StreamEof(u32),
    /// No more data on this stream for now.
    StreamDry(u32),
    /// A player's buffer.
    SetBufferLength {
        /// Message stream id.
        stream_id: u32,
        /// Length in milliseconds.
        length_ms: u32,
    },
    /// The stream that is played is a recording.
    StreamIsRecorded(u32),
    /// A ping, to be answered with the same number.
    PingRequest(u32),
    /// The answer to a ping.
    PingResponse(u32),
    /// A type this crate does not know. Ignored by rule: Flash Media Server and its clients (librtmp among them)
    /// send types 26, 27, 31 and 32, which no specification lists.
    Unknown {
        /// The event type.
        event: u16,
        /// What follows it.
        body: Bytes,
    },
}

/// Why a control message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Its length is not that of its type.
    #[error("{name} has {found} bytes, {expected} expected")]
    Length {
        /// What the message is called.
        name: &'static str,
        /// Bytes it has to have, at least.
        expected: u32,
        /// Bytes it has.
        found: u32,
    },
    /// A chunk size of zero, or one with the bit set that has to be zero.
    #[error("chunk size {0:#x} is not between 1 and 0x7fffffff")]
    ChunkSize(u32),
}

/// Checks what the header of a control message says about its length, before its body has come.
///
/// # Errors
/// [`ControlError::Length`].
pub fn check_length(id: u8, length: u32) -> Result<(), ControlError> {
    let (exact, expected) = match id {
        type_id::SET_CHUNK_SIZE | type_id::ABORT | type_id::ACKNOWLEDGEMENT | type_id::WINDOW_ACK_SIZE => {
            (true, 4)
        }
        type_id::SET_PEER_BANDWIDTH => (true, 5),
        type_id::USER_CONTROL => (false, 2),
        _ => return Ok(()),
    };
    // User control types that are not known may carry more, though never much.
    let fits = if exact { length == expected } else { (expected..=256).contains(&length) };
    if fits { Ok(()) } else { Err(ControlError::Length { name: type_id::name(id), expected, found: length }) }
}

impl Control {
    /// Reads the body of a message whose type [is a control](type_id::is_control); `None` for any other type.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn decode(id: u8, body: &Bytes) -> Result<Option<Self>, ControlError> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        check_length(id, length)?;
        let short = || ControlError::Length { name: type_id::name(id), expected: 4, found: length };
        let number = || u32_at(body, 0).ok_or_else(short);
        Ok(Some(match id {
            type_id::SET_CHUNK_SIZE => match number()? {
                size @ 1..=0x7fff_ffff => Self::SetChunkSize(size.min(MAX_CHUNK_SIZE)),
                size => return Err(ControlError::ChunkSize(size)),
            },
            type_id::ABORT => Self::Abort { chunk_stream: number()? },
            type_id::ACKNOWLEDGEMENT => Self::Acknowledgement(number()?),
            type_id::WINDOW_ACK_SIZE => Self::WindowAckSize(number()?),
            type_id::SET_PEER_BANDWIDTH => Self::SetPeerBandwidth {
                window: number()?,
                limit: BandwidthLimit::from_byte(body.get(4).copied().unwrap_or_default()),
            },
            type_id::USER_CONTROL => Self::User(UserControl::decode(body)?),
            _ => return Ok(None),
        }))
    }

    /// Message type id.
    pub fn type_id(&self) -> u8 {
        match self {
            Self::SetChunkSize(_) => type_id::SET_CHUNK_SIZE,
            Self::Abort { .. } => type_id::ABORT,
            Self::Acknowledgement(_) => type_id::ACKNOWLEDGEMENT,
            Self::WindowAckSize(_) => type_id::WINDOW_ACK_SIZE,
            Self::SetPeerBandwidth { .. } => type_id::SET_PEER_BANDWIDTH,
            Self::User(_) => type_id::USER_CONTROL,
        }
    }

    /// Writes the body of the message.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::SetChunkSize(number)
            | Self::Abort { chunk_stream: number }
            | Self::Acknowledgement(number)
            | Self::WindowAckSize(number) => out.put_u32(*number),
            Self::SetPeerBandwidth { window, limit } => {
                out.put_u32(*window);
                out.put_u8(limit.byte());
            }
            Self::User(user) => user.encode(out),
        }
    }
}

impl UserControl {
    fn decode(body: &Bytes) -> Result<Self, ControlError> {
        let found = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let short = |expected| ControlError::Length { name: "User Control", expected, found };
        let Some(&[high, low]) = body.first_chunk::<2>() else { return Err(short(2)) };
        let event = u16::from_be_bytes([high, low]);
        let first = || u32_at(body, 2).ok_or(short(6));
        Ok(match event {
            0 => Self::StreamBegin(first()?),
            1 => Self::StreamEof(first()?),
            2 => Self::StreamDry(first()?),
            3 => Self::SetBufferLength { stream_id: first()?, length_ms: u32_at(body, 6).ok_or(short(10))? },
            4 => Self::StreamIsRecorded(first()?),
            6 => Self::PingRequest(first()?),
            7 => Self::PingResponse(first()?),
            _ => Self::Unknown { event, body: Bytes::copy_from_slice(body.get(2..).unwrap_or_default()) },
        })
    }

    fn encode(&self, out: &mut BytesMut) {
        let (event, number) = match self {
            Self::StreamBegin(id) => (0, *id),
            Self::StreamEof(id) => (1, *id),
            Self::StreamDry(id) => (2, *id),
            Self::SetBufferLength { stream_id, .. } => (3, *stream_id),
            Self::StreamIsRecorded(id) => (4, *id),
            Self::PingRequest(timestamp) => (6, *timestamp),
            Self::PingResponse(timestamp) => (7, *timestamp),
            Self::Unknown { event, body } => {
                out.put_u16(*event);
                out.put_slice(body);
                return;
            }
        };
        out.put_u16(event);
        out.put_u32(number);
        if let Self::SetBufferLength { length_ms, .. } = self {
            out.put_u32(*length_ms);
        }
    }
}

fn u32_at(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(control: Control) {
        let mut out = BytesMut::new();
        control.encode(&mut out);
        assert_eq!(Control::decode(control.type_id(), &out.freeze()), Ok(Some(control)));
    }

    #[test]
    fn every_control_reads_as_it_was_written() {
        round_trip(Control::SetChunkSize(8192));
        round_trip(Control::Abort { chunk_stream: 6 });
        round_trip(Control::Acknowledgement(u32::MAX));
        round_trip(Control::WindowAckSize(2_500_000));
        for limit in
            [BandwidthLimit::Hard, BandwidthLimit::Soft, BandwidthLimit::Dynamic, BandwidthLimit::Other(9)]
        {
            round_trip(Control::SetPeerBandwidth { window: 5, limit });
        }
        for user in [
            UserControl::StreamBegin(1),
            UserControl::StreamEof(1),
            UserControl::StreamDry(1),
            UserControl::SetBufferLength { stream_id: 1, length_ms: 3000 },
            UserControl::StreamIsRecorded(1),
            UserControl::PingRequest(77),
            UserControl::PingResponse(77),
            UserControl::Unknown { event: 31, body: Bytes::from_static(&[0, 0, 0, 1]) },
        ] {
            round_trip(Control::User(user));
        }
    }

    #[test]
    fn a_chunk_size_above_the_longest_message_is_clamped() {
        let body = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(Control::decode(1, &body), Ok(Some(Control::SetChunkSize(MAX_CHUNK_SIZE))));
    }

    #[test]
    fn a_chunk_size_of_zero_or_with_the_high_bit_is_refused() {
        assert_eq!(Control::decode(1, &Bytes::from_static(&[0; 4])), Err(ControlError::ChunkSize(0)));
        let high = Bytes::from_static(&[0x80, 0, 0, 1]);
        assert_eq!(Control::decode(1, &high), Err(ControlError::ChunkSize(0x8000_0001)));
    }

    #[test]
    fn a_wrong_length_names_the_message_and_both_lengths() {
        let error = Control::decode(3, &Bytes::from_static(&[0; 5])).unwrap_err();
        assert_eq!(error.to_string(), "Acknowledgement has 5 bytes, 4 expected");
        let error = Control::decode(4, &Bytes::from_static(&[0, 6, 1])).unwrap_err();
        assert_eq!(error, ControlError::Length { name: "User Control", expected: 6, found: 3 });
    }
}
