//! Numbers of 29 bits in one to four bytes (AMF3 section 1.3.1).

use bytes::{BufMut, BytesMut};

use crate::amf::{Result, Source};

/// The largest unsigned number that fits.
pub(super) const MAX_U29: u32 = 0x1fff_ffff;
/// The smallest signed number that fits.
pub(super) const MIN_I29: i32 = -0x1000_0000;
/// The largest signed number that fits.
pub(super) const MAX_I29: i32 = 0x0fff_ffff;

/// Reads an unsigned number.
pub(super) fn read(source: &mut Source<'_>) -> Result<u32> {
    let mut number = 0;
    for _ in 0..3 {
        let byte = u32::from(source.u8()?);
        number = number << 7 | byte & 0x7f;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    // The fourth byte has no continuation bit and counts in full.
    Ok(number << 8 | u32::from(source.u8()?))
}

/// The same 29 bits as a signed number.
pub(super) fn signed(number: u32) -> i32 {
    (number << 3).cast_signed() >> 3
}

/// Writes an unsigned number; bits above the 29th are lost.
pub(super) fn write(number: u32, out: &mut BytesMut) {
    let number = number & MAX_U29;
    let low = number as u8 & 0x7f;
    let more = |shift: u32| (number >> shift) as u8 | 0x80;
    match number {
        0..0x80 => out.put_u8(low),
        0x80..0x4000 => out.put_slice(&[more(7), low]),
        0x4000..0x20_0000 => out.put_slice(&[more(14), more(7), low]),
        _ => out.put_slice(&[more(22), more(15), more(8), number as u8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amf::{Format, Limits, Text};

    fn written(number: u32) -> Vec<u8> {
        let mut out = BytesMut::new();
        write(number, &mut out);
        out.to_vec()
    }

    fn read_back(bytes: &[u8]) -> u32 {
        read(&mut Source::new(bytes, Limits::default(), Text::Strict, Format::Amf3)).unwrap()
    }

    #[test]
    fn numbers_change_length_where_the_specification_says() {
        let vectors: [(u32, &[u8]); 8] = [
            (0, &[0x00]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x00]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x81, 0x80, 0x00]),
            (0x1f_ffff, &[0xff, 0xff, 0x7f]),
            (0x20_0000, &[0x80, 0xc0, 0x80, 0x00]),
            (MAX_U29, &[0xff, 0xff, 0xff, 0xff]),
        ];
        for (number, bytes) in vectors {
            assert_eq!(written(number), bytes, "{number:#x}");
            assert_eq!(read_back(bytes), number, "{number:#x}");
        }
    }

    #[test]
    fn the_29th_bit_is_the_sign() {
        assert_eq!(signed(MAX_U29), -1);
        assert_eq!(signed(0x1000_0000), MIN_I29);
        assert_eq!(signed(0x0fff_ffff), MAX_I29);
        assert_eq!(signed(read_back(&written((-5i32).cast_unsigned()))), -5);
    }
}
