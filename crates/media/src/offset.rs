//! Where in a slice something was found.

use std::fmt;

/// A place in the slice that was handed to a parser. Emulation-prevention bytes count, so it can be looked up in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitOffset {
    /// Byte, counted from 0.
    pub byte: usize,
    /// Bit in that byte, counted from 0 at the most significant one.
    pub bit: u8,
}

impl BitOffset {
    /// The start of a byte.
    pub fn at_byte(byte: usize) -> Self {
        Self { byte, bit: 0 }
    }
}

impl fmt::Display for BitOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bit {
            0 => write!(f, "byte {}", self.byte),
            bit => write!(f, "byte {}, bit {bit}", self.byte),
        }
    }
}
