//! Frames (RFC 6455, 5), the server's half, sans-I/O. A viewer has nothing to say beside pings and a goodbye: what else it
//! sends is checked and passed over as it comes, and never held.

use bytes::{Buf, Bytes, BytesMut};

/// Largest message that a viewer may send, bytes.
pub(crate) const MESSAGE: u64 = 64 << 10;
/// Largest payload of a control frame (5.5).
const CONTROL: usize = 125;

/// What a frame is (5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

/// Why a connection is closed (7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The stream is over.
    Normal = 1000,
    /// The client broke a rule.
    Protocol = 1002,
    /// The client sent more than [`MESSAGE`].
    TooBig = 1009,
}

/// A frame that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// Reserved bits without an extension that gives them a meaning (5.2).
    #[error("reserved bits are set")]
    Reserved,
    /// An opcode that does not exist (5.2).
    #[error("opcode {0} does not exist")]
    Opcode(u8),
    /// A client masks what it sends (5.1).
    #[error("a frame is not masked")]
    Unmasked,
    /// A length that is not written in as few bytes as it could be (5.2).
    #[error("a length is not written as short as it could be")]
    Length,
    /// A control frame in parts, or longer than 125 bytes (5.5).
    #[error("a control frame is in parts or too long")]
    Control,
    /// A part of a message that has not begun, or a message within another (5.4).
    #[error("the parts of a message are out of order")]
    Fragment,
    /// A reason for closing that cannot be one (7.4).
    #[error("the code of a close frame is none")]
    CloseCode,
    /// More than a viewer may send.
    #[error("a message is longer than {MESSAGE} bytes")]
    TooBig,
}

impl FrameError {
    /// What the client is told.
    pub(crate) fn code(self) -> CloseCode {
        match self {
            Self::TooBig => CloseCode::TooBig,
            _ => CloseCode::Protocol,
        }
    }
}

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Wants this payload back.
    Ping(Bytes),
    /// Leaves, with a code or without.
    Close(Option<u16>),
}

/// Reads what a client sends.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    /// Bytes of a message's payload that are still to come.
    passing: u64,
    /// Bytes of the message whose parts are coming; `None` between messages.
    message: Option<u64>,
}

impl Listener {
    /// The next thing that was said; `None` when more bytes are needed. At most one control frame stays in `input`.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Said>, FrameError> {
        loop {
            let passed = usize::try_from(self.passing).unwrap_or(usize::MAX).min(input.len());
            input.advance(passed);
            self.passing = self.passing.saturating_sub(passed as u64);
            if self.passing > 0 {
                return Ok(None);
            }
            let Some(head) = Head::parse(input)? else { return Ok(None) };
            match head.opcode {
                Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                    self.part(&head)?;
                    input.advance(head.size);
                    self.passing = head.payload;
                }
                Opcode::Close | Opcode::Ping | Opcode::Pong => {
                    let payload = usize::try_from(head.payload).unwrap_or(usize::MAX);
                    if !head.last || payload > CONTROL {
                        return Err(FrameError::Control);
                    }
                    if input.len() < head.size + payload {
                        return Ok(None);
                    }
                    input.advance(head.size);
                    let mut payload = input.split_to(payload);
                    unmask(&mut payload, head.mask);
                    match head.opcode {
                        Opcode::Ping => return Ok(Some(Said::Ping(payload.freeze()))),
                        Opcode::Close => return close_code(&payload).map(|code| Some(Said::Close(code))),
                        _ => {}
                    }
                }
            }
        }
    }

    fn part(&mut self, head: &Head) -> Result<(), FrameError> {
        let before = match (head.opcode, self.message) {
            (Opcode::Continuation, Some(before)) => before,
            (Opcode::Text | Opcode::Binary, None) => 0,
            _ => return Err(FrameError::Fragment),
        };
        let size = before.saturating_add(head.payload);
        if size > MESSAGE {
            return Err(FrameError::TooBig);
        }
        self.message = (!head.last).then_some(size);
        Ok(())
    }
}

/// What stands before a payload.
struct Head {
    last: bool,
    opcode: Opcode,
    mask: [u8; 4],
    payload: u64,
    /// Bytes of the head itself.
    size: usize,
}

impl Head {
    fn parse(input: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some((&[first, second], rest)) = input.split_first_chunk() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved);
        }
        let opcode = match first & 0x0f {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            other => return Err(FrameError::Opcode(other)),
        };
        if second & 0x80 == 0 {
            return Err(FrameError::Unmasked);
        }
        let (payload, rest) = match second & 0x7f {
            126 => match rest.split_first_chunk() {
                Some((bytes, rest)) => (u64::from(u16::from_be_bytes(*bytes)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((bytes, rest)) => (u64::from_be_bytes(*bytes), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        let shortest = match payload {
            0..126 => 0,
            126..0x1_0000 => 126,
            0x1_0000..0x8000_0000_0000_0000 => 127,
            _ => return Err(FrameError::Length),
        };
        if (second & 0x7f).max(125) != shortest.max(125) {
            return Err(FrameError::Length);
        }
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let size = input.len() - rest.len();
        Ok(Some(Self { last: first & 0x80 != 0, opcode, mask: *mask, payload, size }))
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

fn close_code(payload: &[u8]) -> Result<Option<u16>, FrameError> {
    let Some((code, _)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(FrameError::CloseCode) };
    };
    match u16::from_be_bytes(*code) {
        // 1004 to 1006 are never sent; the others below 3000 are reserved (7.4.2).
        code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Some(code)),
        _ => Err(FrameError::CloseCode),
    }
}

/// The payload of a close frame: a code, and words of at most 123 bytes.
pub(crate) fn closing(code: u16, why: &str) -> Vec<u8> {
    let end = why.floor_char_boundary(CONTROL - 2);
    [&code.to_be_bytes()[..], why.get(..end).unwrap_or_default().as_bytes()].concat()
}
