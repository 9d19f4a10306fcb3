//! What a frame says of itself, so that whoever receives it can tell how long it took and what was left out.
//!
//! It stands in the media: a NAL unit of user data (SEI, ITU-T H.264, D.1.6) in front of each picture, so that every
//! server passes it on and every decoder ignores it. No byte of it is zero, as NAL units ask for.

/// Identifies our user data; sixteen bytes, as a UUID has.
pub(super) const ID: [u8; 16] = *b"lastframe.stamp1";

/// Where the stamp's own bytes begin in a video message: behind the tag header (5), the unit's length (4), its header
/// (1), the payload type (1), its size (1) and the identification.
pub(super) const AT: usize = 12 + ID.len();
/// Bytes of the stamp: the stream in 3, the frame in 5, the time in 8.
pub(super) const SIZE: usize = 16;
/// So much of a message has to be seen to read its stamp.
pub(super) const SEEN: usize = AT + SIZE;

/// Stream, number and time of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Which of the streams; 21 bits.
    pub(super) stream: u32,
    /// Number of the frame in its stream; 35 bits.
    pub(super) frame: u64,
    /// When it was sent, microseconds on the clock of the load; 56 bits.
    pub(super) sent_us: u64,
}

impl Stamp {
    /// The bytes of the stamp.
    pub(super) fn bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let (stream, rest) = bytes.split_at_mut(3);
        let (frame, sent) = rest.split_at_mut(5);
        put(u64::from(self.stream), stream);
        put(self.frame, frame);
        put(self.sent_us, sent);
        bytes
    }

    /// The stamp of a video message, of which at least the first [`SEEN`] bytes are here; `None` for any other.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        if message.get(AT - ID.len()..AT)? != ID {
            return None;
        }
        let bytes = message.get(AT..SEEN)?;
        let (stream, rest) = bytes.split_at_checked(3)?;
        let (frame, sent) = rest.split_at_checked(5)?;
        Some(Self { stream: u32::try_from(get(stream)).ok()?, frame: get(frame), sent_us: get(sent) })
    }
}

/// The NAL unit that holds a stamp, behind its length.
pub(super) fn unit() -> Vec<u8> {
    // Type 5: user data that nobody registered; then its size, and the bit that ends every such unit.
    let unit = [&[0x06, 0x05, 32][..], &ID, &[0x80; SIZE], &[0x80]].concat();
    let length = u32::try_from(unit.len()).unwrap_or(0).to_be_bytes();
    [&length[..], &unit].concat()
}

/// Seven bits a byte, the lowest first, each with its highest bit set.
fn put(mut value: u64, bytes: &mut [u8]) {
    for byte in bytes {
        *byte = 0x80 | value.to_le_bytes()[0];
        value >>= 7;
    }
}

fn get(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written_and_has_no_zero_byte() {
        for (stream, frame, sent_us) in [(0, 0, 0), (19_999, 12_345_678, 14_400_000_000), (1, 127, 128)] {
            let stamp = Stamp { stream, frame, sent_us };
            let mut message = [&[0x27, 1, 0, 0, 0][..], &unit()].concat();
            message[AT..SEEN].copy_from_slice(&stamp.bytes());
            assert_eq!(Stamp::of(&message), Some(stamp));
            assert!(!message[AT..SEEN].contains(&0));
            assert_eq!(Stamp::of(&message[..SEEN - 1]), None);
        }
    }

    #[test]
    fn media_of_others_has_no_stamp() {
        assert_eq!(Stamp::of(&[0x17; 200]), None);
    }
}
