//! Reads bit fields, each under its name, and says to the bit where one fails.

use crate::config::ConfigError;
use crate::offset::BitOffset;

/// A parameter set longer than this is refused; real ones have some dozens of bytes, a few hundred with scaling lists.
pub(crate) const MAX_PARAMETER_SET: usize = 4096;

/// A reader of bits, most significant first.
#[derive(Debug, Clone)]
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    /// Offset of `data` in what the caller handed in.
    base: usize,
    byte: usize,
    bit: u8,
    /// Zero bytes seen in a row, up to two.
    zeros: u8,
    escaped: bool,
}

impl<'a> Bits<'a> {
    /// A reader over plain bits. `base` is where `data` starts in the caller's slice.
    pub fn new(data: &'a [u8], base: usize) -> Self {
        Self { data, base, byte: 0, bit: 0, zeros: 0, escaped: false }
    }

    /// A reader over a NAL unit, which leaves out its emulation-prevention bytes (ITU-T H.264 7.3.1, H.265 7.3.1.1).
    ///
    /// # Errors
    /// When the unit is longer than any honest parameter set.
    pub fn of_nal_unit(data: &'a [u8], base: usize) -> Result<Self, ConfigError> {
        if data.len() > MAX_PARAMETER_SET {
            return Err(ConfigError::TooLong {
                field: "parameter set",
                at: BitOffset::at_byte(base),
                found: data.len(),
                limit: MAX_PARAMETER_SET,
            });
        }
        Ok(Self { escaped: true, ..Self::new(data, base) })
    }

    /// Where the next bit lies.
    pub fn at(&self) -> BitOffset {
        BitOffset { byte: self.base.saturating_add(self.byte), bit: self.bit }
    }

    pub fn flag(&mut self, field: &'static str) -> Result<bool, ConfigError> {
        if self.bit == 0 && self.escaped && self.zeros == 2 && self.data.get(self.byte) == Some(&3) {
            self.byte += 1;
            self.zeros = 0;
        }
        let Some(&byte) = self.data.get(self.byte) else {
            return Err(ConfigError::Truncated { field, at: self.at() });
        };
        if self.bit == 0 {
            self.zeros = if byte == 0 { (self.zeros + 1).min(2) } else { 0 };
        }
        let flag = byte & (0x80 >> self.bit) != 0;
        if self.bit == 7 {
            self.bit = 0;
            self.byte += 1;
        } else {
            self.bit += 1;
        }
        Ok(flag)
    }

    /// An unsigned field of up to 32 bits.
    pub fn u(&mut self, field: &'static str, bits: u32) -> Result<u32, ConfigError> {
        let mut value = 0;
        for _ in 0..bits {
            value = (value << 1) | u32::from(self.flag(field)?);
        }
        Ok(value)
    }

    /// An unsigned field of up to 8 bits.
    pub fn u8(&mut self, field: &'static str, bits: u32) -> Result<u8, ConfigError> {
        self.u(field, bits).map(|value| value as u8)
    }

    pub fn skip(&mut self, field: &'static str, bits: u32) -> Result<(), ConfigError> {
        (0..bits).try_for_each(|_| self.flag(field).map(|_| ()))
    }

    /// Exp-Golomb, unsigned: ue(v).
    pub fn ue(&mut self, field: &'static str) -> Result<u32, ConfigError> {
        let at = self.at();
        let mut zeros = 0;
        while !self.flag(field)? {
            zeros += 1;
            if zeros > 31 {
                return Err(ConfigError::OverlongCode { field, at });
            }
        }
        let suffix = self.u(field, zeros)?;
        Ok(((1u32 << zeros) - 1).saturating_add(suffix))
    }

    /// ue(v) that may not be above `max`.
    pub fn ue_max(&mut self, field: &'static str, max: u32) -> Result<u32, ConfigError> {
        let at = self.at();
        match self.ue(field)? {
            value if value > max => Err(ConfigError::OutOfRange { field, at, found: value, max }),
            value => Ok(value),
        }
    }

    /// Exp-Golomb, signed: se(v).
    pub fn se(&mut self, field: &'static str) -> Result<i64, ConfigError> {
        let code = i64::from(self.ue(field)?);
        Ok(if code % 2 == 0 { -(code / 2) } else { code / 2 + 1 })
    }

    /// Moves to the next byte boundary.
    pub fn align(&mut self) {
        if self.bit != 0 {
            self.bit = 0;
            self.byte += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_read_as_the_table_in_h264_9_1() {
        // 1 | 010 | 011 | 00100 | 00101 | 00110 | 00111 | 0001000
        let data = [0b1010_0110, 0b0100_0010, 0b1001_1000, 0b1110_0010, 0b0000_0000];
        let mut bits = Bits::new(&data, 0);
        let values: Vec<u32> = (0..8).map(|_| bits.ue("v").unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4, 5, 6, 7]);
        let mut bits = Bits::new(&data, 0);
        let values: Vec<i64> = (0..8).map(|_| bits.se("v").unwrap()).collect();
        assert_eq!(values, [0, 1, -1, 2, -2, 3, -3, 4]);
    }

    #[test]
    fn the_longest_code_is_read_and_a_longer_one_is_an_error() {
        let mut longest = vec![0, 0, 0, 1];
        longest.extend([0xff; 4]);
        assert_eq!(Bits::new(&longest, 0).ue("v"), Ok(u32::MAX - 1));
        let error = Bits::new(&[0; 9], 5).ue("v");
        assert_eq!(error, Err(ConfigError::OverlongCode { field: "v", at: BitOffset::at_byte(5) }));
    }

    #[test]
    fn emulation_prevention_bytes_are_left_out_but_count_in_offsets() {
        let mut bits = Bits::of_nal_unit(&[0, 0, 3, 1, 0, 0, 3], 10).unwrap();
        assert_eq!(bits.u("v", 24), Ok(1));
        assert_eq!(bits.at(), BitOffset::at_byte(14));
        assert_eq!(bits.u("v", 16), Ok(0));
        assert_eq!(
            bits.u("end", 1),
            Err(ConfigError::Truncated { field: "end", at: BitOffset::at_byte(17) })
        );
    }

    #[test]
    fn plain_bits_keep_a_three_after_two_zeros() {
        assert_eq!(Bits::new(&[0, 0, 3], 0).u("v", 24), Ok(3));
    }

    #[test]
    fn an_absurd_parameter_set_is_refused_unread() {
        let long = vec![0x67; MAX_PARAMETER_SET + 1];
        assert!(matches!(Bits::of_nal_unit(&long, 0), Err(ConfigError::TooLong { found: 4097, .. })));
    }
}
