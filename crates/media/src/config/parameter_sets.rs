//! The length-prefixed parameter sets inside AVC, HEVC and VVC records.

use super::ConfigError;
use crate::bits::Bits;
use crate::offset::BitOffset;

/// A NAL unit and where it starts in the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct NalUnit<'a> {
    pub data: &'a [u8],
    pub offset: usize,
}

/// Reads a record byte by byte. Its fields are whole bytes or bits within one.
pub(super) struct Record<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Record<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// A record whose first bytes were read otherwise.
    pub fn starting_at(data: &'a [u8], position: usize) -> Self {
        Self { data, position }
    }

    pub fn at(&self) -> BitOffset {
        BitOffset::at_byte(self.position)
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, ConfigError> {
        let [byte] = self.array(field)?;
        Ok(byte)
    }

    pub fn u16(&mut self, field: &'static str) -> Result<u16, ConfigError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], ConfigError> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let Some(bytes) = rest.first_chunk::<N>() else {
            return Err(ConfigError::Truncated { field, at: BitOffset::at_byte(self.data.len()) });
        };
        self.position += N;
        Ok(*bytes)
    }

    /// A NAL unit behind its 16-bit length.
    pub fn nal_unit(&mut self, field: &'static str) -> Result<NalUnit<'a>, ConfigError> {
        let size = usize::from(self.u16(field)?);
        let offset = self.position;
        let Some(data) = self.data.get(offset..offset + size) else {
            return Err(ConfigError::Truncated { field, at: BitOffset::at_byte(self.data.len()) });
        };
        self.position += size;
        Ok(NalUnit { data, offset })
    }

    /// The version byte at the start of a record.
    pub fn version(&mut self, expected: u8) -> Result<(), ConfigError> {
        let at = self.at();
        match self.u8("configurationVersion")? {
            found if found == expected => Ok(()),
            found => Err(ConfigError::Unexpected {
                field: "configurationVersion",
                at,
                found: u32::from(found),
                expected: u32::from(expected),
            }),
        }
    }

    /// lengthSizeMinusOne, as the number of bytes it stands for.
    pub fn nal_length_size(&self, minus_one: u8, at: BitOffset) -> Result<u8, ConfigError> {
        match minus_one {
            2 => Err(ConfigError::Reserved { field: "lengthSizeMinusOne", at, found: 2 }),
            size => Ok(size + 1),
        }
    }
}

/// Width and height without the cropped edges.
pub(super) fn crop(
    bits: &Bits<'_>,
    (width, height): (u32, u32),
    (across, down): (u64, u64),
) -> Result<(u32, u32), ConfigError> {
    let left = |size: u32, edge: u64| {
        u32::try_from(edge).ok().and_then(|edge| size.checked_sub(edge)).filter(|size| *size > 0)
    };
    match (left(width, across), left(height, down)) {
        (Some(width), Some(height)) => Ok((width, height)),
        _ => Err(ConfigError::CroppedAway { at: bits.at(), width, height }),
    }
}
