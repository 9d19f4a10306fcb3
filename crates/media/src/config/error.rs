//! Why a codec configuration could not be parsed.

use crate::offset::BitOffset;

/// A broken codec configuration or frame header. Offsets count from the start of the slice that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The data ends inside a field.
    #[error("the data ends in {field}, at {at}")]
    Truncated {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the data ended.
        at: BitOffset,
    },
    /// A value above what the specification allows.
    #[error("{field} at {at} is {found}, above {max}")]
    OutOfRange {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the field starts.
        at: BitOffset,
        /// The value found.
        found: u32,
        /// The largest one allowed.
        max: u32,
    },
    /// A value other than the only one allowed, such as a version or a signature.
    #[error("{field} at {at} is {found:#x}, not {expected:#x}")]
    Unexpected {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the field starts.
        at: BitOffset,
        /// The value found.
        found: u32,
        /// The one allowed.
        expected: u32,
    },
    /// A value that the specification reserves or forbids.
    #[error("{field} at {at} has the reserved value {found}")]
    Reserved {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the field starts.
        at: BitOffset,
        /// The value found.
        found: u32,
    },
    /// An Exp-Golomb or LEB128 code longer than any that fits its field.
    #[error("the variable-length code of {field} at {at} is too long")]
    OverlongCode {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the code starts.
        at: BitOffset,
    },
    /// Something longer than the limit set here.
    #[error("{field} at {at} has {found} bytes, above the limit of {limit}")]
    TooLong {
        /// What is too long.
        field: &'static str,
        /// Where it starts.
        at: BitOffset,
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Cropping takes away the whole picture.
    #[error("cropping at {at} leaves nothing of {width}x{height}")]
    CroppedAway {
        /// Where the cropping fields end.
        at: BitOffset,
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
    },
    /// A part that has to be there is not.
    #[error("no {what} in the configuration, which ends at {at}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// Where the search ended.
        at: BitOffset,
    },
}

impl ConfigError {
    /// Where the fault lies.
    pub fn at(&self) -> BitOffset {
        match *self {
            Self::Truncated { at, .. }
            | Self::OutOfRange { at, .. }
            | Self::Unexpected { at, .. }
            | Self::Reserved { at, .. }
            | Self::OverlongCode { at, .. }
            | Self::TooLong { at, .. }
            | Self::CroppedAway { at, .. }
            | Self::Missing { at, .. } => at,
        }
    }
}
