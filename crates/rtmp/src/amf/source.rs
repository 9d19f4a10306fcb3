//! The bytes of one message, read front to back within the decoder's limits.

use super::{DecodeError, DecodeErrorKind, Format, Limits, Result, Text};

/// A cursor over the input and what is left of the limits.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    position: usize,
    limits: Limits,
    text: Text,
    depth: usize,
    elements: usize,
    built: usize,
    /// Format of the value being read, for errors.
    pub(crate) format: Format,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8], limits: Limits, text: Text, format: Format) -> Self {
        let limits = Limits { depth: limits.depth.min(Limits::MAX_DEPTH), ..limits };
        Self { bytes, position: 0, limits, text, depth: 0, elements: 0, built: 0, format }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    pub(crate) fn error<T>(&self, offset: usize, kind: DecodeErrorKind) -> Result<T> {
        Err(DecodeError::new(offset, self.format, kind))
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = self.remaining();
        match rest.get(..count) {
            Some(bytes) => {
                self.position += count;
                Ok(bytes)
            }
            None => {
                let kind = DecodeErrorKind::UnexpectedEnd { needed: count, have: rest.len() };
                self.error(self.position, kind)
            }
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// The next `count` bytes as text.
    pub(crate) fn text(&mut self, count: usize) -> Result<String> {
        let start = self.position;
        let bytes = self.take(count)?;
        self.charge_bytes(start, count)?;
        match (std::str::from_utf8(bytes), self.text) {
            (Ok(text), _) => Ok(text.to_owned()),
            (Err(_), Text::Lossy) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            (Err(error), Text::Strict) => self.error(start + error.valid_up_to(), DecodeErrorKind::BadUtf8),
        }
    }

    /// Counts `count` more values, the first of which began at `offset`.
    pub(crate) fn charge_elements(&mut self, offset: usize, count: usize) -> Result<()> {
        match self.elements.checked_add(count) {
            Some(elements) if elements <= self.limits.elements => {
                self.elements = elements;
                Ok(())
            }
            _ => self.error(offset, DecodeErrorKind::TooManyElements { limit: self.limits.elements }),
        }
    }

    /// Counts `count` more bytes of text, which began at `offset`.
    pub(crate) fn charge_bytes(&mut self, offset: usize, count: usize) -> Result<()> {
        match self.built.checked_add(count) {
            Some(built) if built <= self.limits.bytes => {
                self.built = built;
                Ok(())
            }
            _ => self.error(offset, DecodeErrorKind::TooManyBytes { limit: self.limits.bytes }),
        }
    }

    /// Enters a container that began at `offset`. Pair with [`leave`](Self::leave); after an error the depth no longer
    /// matters, since a decoder that failed stays ended.
    pub(crate) fn enter(&mut self, offset: usize) -> Result<()> {
        if self.depth >= self.limits.depth {
            return self.error(offset, DecodeErrorKind::TooDeep { limit: self.limits.depth });
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}
