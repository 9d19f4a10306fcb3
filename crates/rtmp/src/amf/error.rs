//! Why AMF could not be decoded: what was found, at which byte, in which field.

use std::fmt;

use thiserror::Error;

use super::Path;

/// Which of the two formats a marker belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// AMF0, what commands and metadata are written in.
    #[default]
    Amf0,
    /// AMF3, which AMF0 switches to with its marker 0x11.
    Amf3,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amf0 => "AMF0",
            Self::Amf3 => "AMF3",
        })
    }
}

/// Decoding stopped here, for this reason.
///
/// Carries names of fields only, never their values, so it can be logged and shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct DecodeError {
    /// Offset, in the bytes given to the decoder, of the first byte of what could not be read.
    pub offset: usize,
    /// Marker of the innermost value that was being read; `None` where not even its marker could be read.
    pub marker: Option<u8>,
    /// Format that the innermost value is written in.
    pub format: Format,
    /// Names down to the field.
    pub path: Path,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with an AMF value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The message ends inside a value.
    #[error("{needed} bytes needed, {have} left")]
    UnexpectedEnd {
        /// Bytes that had to follow.
        needed: usize,
        /// Bytes that were left.
        have: usize,
    },
    /// No type has this marker, or it may not stand here (such as an object end without an object).
    #[error("unknown marker {0:#04x}")]
    UnknownMarker(u8),
    /// The specification reserves this marker (AMF0 MovieClip 0x04 and RecordSet 0x0e) and defines no encoding for it.
    #[error("reserved marker {0:#04x}")]
    ReservedMarker(u8),
    /// Text that is not UTF-8. The offset is that of the first bad byte.
    #[error("text is not valid UTF-8")]
    BadUtf8,
    /// More levels than [`Limits::depth`](super::Limits::depth).
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The limit in force.
        limit: usize,
    },
    /// More values than [`Limits::elements`](super::Limits::elements).
    #[error("more than {limit} values")]
    TooManyElements {
        /// The limit in force.
        limit: usize,
    },
    /// More text than [`Limits::bytes`](super::Limits::bytes).
    #[error("more than {limit} bytes of text")]
    TooManyBytes {
        /// The limit in force.
        limit: usize,
    },
    /// An empty field name announced the end of an object, and something else followed.
    #[error("object end marker 0x09 expected, {found:#04x} found")]
    MissingObjectEnd {
        /// The byte in its place.
        found: u8,
    },
    /// A reference to something that has not been sent.
    #[error("{what} reference {index}, only {count} known")]
    ReferenceOutOfRange {
        /// What is referred to.
        what: Referent,
        /// The index sent.
        index: u32,
        /// How many could be referred to at this point.
        count: u32,
    },
    /// An AMF3 object that writes itself in a form only its class knows.
    #[error("class {class:?} has an encoding of its own")]
    Externalizable {
        /// The name of the class.
        class: String,
    },
}

impl DecodeErrorKind {
    /// Whether the bytes are legal, and merely nothing this crate can read. All else is broken input.
    pub fn is_incompatible(&self) -> bool {
        matches!(self, Self::Externalizable { .. } | Self::ReservedMarker(_))
    }
}

/// What a reference can point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referent {
    /// An object, array or other complex value.
    Object,
    /// An AMF3 string.
    String,
    /// The traits (class and field names) of an AMF3 object.
    Traits,
}

impl fmt::Display for Referent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "object",
            Self::String => "string",
            Self::Traits => "traits",
        })
    }
}

impl DecodeError {
    pub(crate) fn new(offset: usize, format: Format, kind: DecodeErrorKind) -> Self {
        Self { offset, marker: None, format, path: Path::default(), kind }
    }

    /// Notes the marker of the value being read, unless a value further in has noted its own.
    pub(crate) fn or_marker(mut self, marker: u8) -> Self {
        self.marker.get_or_insert(marker);
        self
    }

    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.path.push_outer_index(index);
        self
    }

    pub(crate) fn at_name(mut self, name: &str) -> Self {
        self.path.push_outer_name(name);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken at byte {}", self.format, self.offset)?;
        let path = self.path.to_string();
        if !path.is_empty() {
            write!(f, " in {path}")?;
        }
        if let Some(marker) = self.marker {
            write!(f, " (marker {marker:#04x})")?;
        }
        write!(f, ": {}", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_a_sentence() {
        let kind = DecodeErrorKind::UnexpectedEnd { needed: 8, have: 3 };
        let error = DecodeError::new(17, Format::Amf0, kind).or_marker(0).at_name("width").at_index(1);
        assert_eq!(
            error.to_string(),
            "AMF0 broken at byte 17 in [1].width (marker 0x00): 8 bytes needed, 3 left"
        );
    }

    #[test]
    fn the_innermost_marker_stays() {
        let error = DecodeError::new(0, Format::Amf0, DecodeErrorKind::BadUtf8).or_marker(2).or_marker(3);
        assert_eq!(error.marker, Some(2));
    }
}
