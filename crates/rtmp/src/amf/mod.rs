//! What AMF0 and AMF3 share: limits, the error with its offset and path, and the bounded source both read from.

mod error;
mod limits;
mod path;
mod source;

pub use error::{DecodeError, DecodeErrorKind, Format, Referent};
pub use limits::{Limits, Text};
pub use path::{Path, Segment};
pub(crate) use source::Source;

/// Result of every decoding step.
pub(crate) type Result<T> = std::result::Result<T, DecodeError>;
