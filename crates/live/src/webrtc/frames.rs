//! Packets in a TCP connection (RFC 4571): each behind its length, two bytes in network order.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of a length.
const HEADER: usize = 2;
/// Larger than any packet that WebRTC sends: who announces more speaks something else.
pub const LARGEST: usize = 2048;
/// Read at once at most.
const PIECE: usize = 16 * 1024;

/// Why a connection cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A packet was announced that is larger than any of WebRTC's.
    #[error("a packet of {0} bytes was announced")]
    TooLarge(usize),
}

/// Takes the bytes of a connection, and gives the packets in them.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
}

impl Frames {
    /// Where the next bytes of the connection go. Never holds more than was read at once and the start of one packet.
    pub fn room(&mut self) -> &mut BytesMut {
        self.buffer.reserve(PIECE);
        &mut self.buffer
    }

    /// The next packet that has come whole. Packets without a byte are passed over (RFC 4571, 2).
    ///
    /// # Errors
    /// [`FrameError`]; what follows cannot be told apart any more, and the same comes again.
    pub fn packet(&mut self) -> Result<Option<Bytes>, FrameError> {
        while let Some(length) = self.announced()? {
            if self.buffer.len() < HEADER + length {
                return Ok(None);
            }
            self.buffer.advance(HEADER);
            if length > 0 {
                return Ok(Some(self.buffer.split_to(length).freeze()));
            }
        }
        Ok(None)
    }

    /// How much has come of a packet that is not whole, and how large it is. 0 of 0 where not even its length is whole.
    pub fn cut(&self) -> Option<(usize, usize)> {
        let have = self.buffer.len().checked_sub(HEADER);
        match (have, self.announced()) {
            (Some(have), Ok(Some(want))) => Some((have, want)),
            _ if self.buffer.is_empty() => None,
            _ => Some((0, 0)),
        }
    }

    fn announced(&self) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > LARGEST { Err(FrameError::TooLarge(length)) } else { Ok(Some(length)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(frames: &mut Frames, bytes: &[u8]) -> Vec<Vec<u8>> {
        frames.room().extend_from_slice(bytes);
        std::iter::from_fn(|| frames.packet().unwrap()).map(|packet| packet.to_vec()).collect()
    }

    #[test]
    fn packets_are_found_behind_their_lengths_and_empty_ones_passed_over() {
        let mut frames = Frames::default();
        assert_eq!(read(&mut frames, b"\0\x02hi\0\0\0\x01!\0"), [&b"hi"[..], b"!"]);
        assert_eq!(frames.cut(), Some((0, 0)), "half of a length");
        assert!(read(&mut frames, b"\x03ab").is_empty());
        assert_eq!(frames.cut(), Some((2, 3)));
        assert_eq!(read(&mut frames, b"c"), [b"abc"]);
        assert_eq!(frames.cut(), None);
    }

    #[test]
    fn what_is_something_else_is_noticed_by_its_first_two_bytes() {
        let mut frames = Frames::default();
        frames.room().extend_from_slice(b"GET / HTTP/1.1\r\n");
        for _ in 0..2 {
            assert_eq!(frames.packet(), Err(FrameError::TooLarge(0x4745)));
        }
    }

    proptest! {
        #[test]
        fn packets_are_the_same_wherever_the_connection_cuts_them(
            packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..=LARGEST), 0..8),
            cuts in proptest::collection::vec(1usize..3000, 1..40),
        ) {
            let mut stream = Vec::new();
            for packet in &packets {
                stream.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
                stream.extend(packet);
            }
            let (mut frames, mut found, mut rest) = (Frames::default(), Vec::new(), &stream[..]);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, later) = rest.split_at(rest.len().min(*cut));
                found.extend(read(&mut frames, piece));
                rest = later;
            }
            let wanted: Vec<_> = packets.into_iter().filter(|packet| !packet.is_empty()).collect();
            prop_assert_eq!(found, wanted);
            prop_assert_eq!(frames.cut(), None);
        }

        #[test]
        fn no_bytes_are_a_panic_and_little_is_held(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5000), 0..20),
        ) {
            let mut frames = Frames::default();
            for piece in pieces {
                frames.room().extend_from_slice(&piece);
                loop {
                    match frames.packet() {
                        Ok(Some(packet)) => prop_assert!((1..=LARGEST).contains(&packet.len())),
                        Ok(None) => break prop_assert!(frames.room().len() < HEADER + LARGEST),
                        Err(_) => return Ok(()),
                    }
                }
            }
        }
    }
}
