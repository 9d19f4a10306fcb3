//! Reads the big-endian fields of a message header, each under its name.

use std::ops::Range;

use super::TagError;
use crate::codec::FourCc;

#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn is_at_end(&self) -> bool {
        self.position >= self.data.len()
    }

    /// A cursor over a part of the same message, so that offsets go on counting from its start.
    pub fn within(&self, range: Range<usize>) -> Self {
        Self { data: self.data.get(..range.end).unwrap_or(self.data), position: range.start }
    }

    /// Everything up to the end.
    pub fn rest(&self) -> Range<usize> {
        self.position..self.data.len()
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, TagError> {
        let [byte] = self.array(field)?;
        Ok(byte)
    }

    pub fn u16(&mut self, field: &'static str) -> Result<u16, TagError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub fn u24(&mut self, field: &'static str) -> Result<u32, TagError> {
        let [a, b, c] = self.array(field)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    pub fn i24(&mut self, field: &'static str) -> Result<i32, TagError> {
        let [a, b, c] = self.array(field)?;
        Ok(i32::from_be_bytes([a, b, c, 0]) >> 8)
    }

    pub fn four_cc(&mut self, field: &'static str) -> Result<FourCc, TagError> {
        self.array(field).map(FourCc)
    }

    /// The next `size` bytes.
    pub fn take(&mut self, field: &'static str, size: usize) -> Result<&'a [u8], TagError> {
        let range = self.skip(field, size)?;
        Ok(self.data.get(range).unwrap_or_default())
    }

    /// Skips `size` bytes and says where they were.
    pub fn skip(&mut self, field: &'static str, size: usize) -> Result<Range<usize>, TagError> {
        let left = self.data.len().saturating_sub(self.position);
        if size > left {
            return Err(TagError::Truncated { field, offset: self.position, needed: size, left });
        }
        let range = self.position..self.position + size;
        self.position = range.end;
        Ok(range)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], TagError> {
        match self.data.get(self.position..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(bytes) => {
                self.position += N;
                Ok(*bytes)
            }
            None => {
                let left = self.data.len().saturating_sub(self.position);
                Err(TagError::Truncated { field, offset: self.position, needed: N, left })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composition_times_are_signed() {
        assert_eq!(Cursor::new(&[0xff, 0xff, 0xfe]).i24("t"), Ok(-2));
        assert_eq!(Cursor::new(&[0x7f, 0xff, 0xff]).i24("t"), Ok(0x7f_ffff));
        assert_eq!(Cursor::new(&[0x80, 0, 0]).i24("t"), Ok(-0x80_0000));
    }
}
