//! The four-character codes of Enhanced RTMP.

use std::fmt;

/// A four-character code, in the order in which it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    /// The four characters, or hexadecimal where they are not printable: the bytes came from the network.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
        } else {
            write!(f, "0x{:08x}", u32::from_be_bytes(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_codes_read_as_text_and_others_as_hexadecimal() {
        assert_eq!(FourCc(*b"hvc1").to_string(), "hvc1");
        assert_eq!(FourCc(*b".mp3").to_string(), ".mp3");
        assert_eq!(FourCc([0, 0x1b, b'[', b'2']).to_string(), "0x001b5b32");
    }
}
