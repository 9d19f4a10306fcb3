//! What stands before a message of WebSocket (RFC 6455, 5.2), as a server sends it: whole, and not masked.

/// The head of one frame.
#[derive(Clone, Copy, Debug)]
pub struct MessageHead {
    bytes: [u8; 10],
    size: usize,
}

impl MessageHead {
    /// The opcode of a binary message.
    pub const BINARY: u8 = 0x2;

    /// Of a frame with a payload of so many bytes.
    pub fn new(opcode: u8, payload: usize) -> Self {
        let first = 0x80 | opcode;
        let mut bytes = [0; 10];
        let size = match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(short @ 0..126), _) => put(&mut bytes, &[first, short], &[]),
            (_, Ok(medium)) => put(&mut bytes, &[first, 126], &medium.to_be_bytes()),
            _ => put(&mut bytes, &[first, 127], &(payload as u64).to_be_bytes()),
        };
        Self { bytes, size }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.size).unwrap_or_default()
    }
}

fn put(bytes: &mut [u8; 10], start: &[u8; 2], length: &[u8]) -> usize {
    let all = start.iter().chain(length);
    bytes.iter_mut().zip(all).map(|(byte, value)| *byte = *value).count()
}
