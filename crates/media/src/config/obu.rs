//! Open bitstream units of AV1 (AV1 specification, 5.3).

use std::ops::Range;

/// A size above this cannot be meant: the code has at most 8 bytes and the value 32 bits (AV1, 4.10.5).
const MAX_LEB128: usize = 8;

pub(crate) const SEQUENCE_HEADER: u8 = 1;

#[derive(Debug, Clone)]
pub(crate) struct Obu {
    pub kind: u8,
    pub body: Range<usize>,
}

/// Why a unit could not be cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObuFault {
    Truncated { field: &'static str, offset: usize, needed: usize, left: usize },
    ForbiddenBit { offset: usize },
    OverlongSize { offset: usize },
}

/// Cuts `data` into units; ends after the first fault.
#[derive(Debug, Clone)]
pub(crate) struct Obus<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Obus<'a> {
    pub fn new(data: &'a [u8], position: usize) -> Self {
        Self { data, position }
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, ObuFault> {
        let byte = self.data.get(self.position).copied();
        let fault = ObuFault::Truncated { field, offset: self.position, needed: 1, left: 0 };
        self.position += 1;
        byte.ok_or(fault)
    }

    fn size(&mut self) -> Result<usize, ObuFault> {
        let offset = self.position;
        let mut size = 0u64;
        for index in 0..MAX_LEB128 {
            let byte = self.byte("obu_size")?;
            size |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return u32::try_from(size)
                    .map(|size| size as usize)
                    .map_err(|_| ObuFault::OverlongSize { offset });
            }
        }
        Err(ObuFault::OverlongSize { offset })
    }

    fn unit(&mut self) -> Result<Obu, ObuFault> {
        let offset = self.position;
        let header = self.byte("obu_header")?;
        if header & 0x80 != 0 {
            return Err(ObuFault::ForbiddenBit { offset });
        }
        if header & 0x04 != 0 {
            self.byte("obu_extension_header")?;
        }
        let left_now = |position: usize, data: &[u8]| data.len().saturating_sub(position);
        let needed = match header & 0x02 {
            0 => left_now(self.position, self.data),
            _ => self.size()?,
        };
        let left = left_now(self.position, self.data);
        if needed > left {
            return Err(ObuFault::Truncated { field: "obu", offset: self.position, needed, left });
        }
        let body = self.position..self.position + needed;
        self.position = body.end;
        Ok(Obu { kind: (header >> 3) & 0x0f, body })
    }
}

impl Iterator for Obus<'_> {
    type Item = Result<Obu, ObuFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.data.len() {
            return None;
        }
        let unit = self.unit();
        if unit.is_err() {
            self.position = self.data.len();
        }
        Some(unit)
    }
}
