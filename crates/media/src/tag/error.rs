//! Why a message header could not be parsed.

/// A broken audio or video message header. Offsets count from the start of the message body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The message ends inside a field.
    #[error("{field} at byte {offset} needs {needed} bytes, {left} left")]
    Truncated {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the field starts.
        offset: usize,
        /// Bytes the field takes.
        needed: usize,
        /// Bytes left in the message.
        left: usize,
    },
    /// A field holds a value that the specification reserves and that leaves the rest unreadable.
    #[error("{field} at byte {offset} has the reserved value {found}")]
    Reserved {
        /// The field's name in the specification.
        field: &'static str,
        /// Where the field starts.
        offset: usize,
        /// The value found.
        found: u8,
    },
    /// A nanosecond offset in fewer than its three bytes.
    #[error("the nanosecond offset at byte {offset} has {found} bytes, not 3")]
    ShortNanoOffset {
        /// Where the modifier's data starts.
        offset: usize,
        /// Its size in bytes.
        found: usize,
    },
    /// More modifiers (ModEx) before the packet type than any encoder has a use for.
    #[error("more than {limit} modifiers, at byte {offset}")]
    TooManyModifiers {
        /// Where the first modifier above the limit starts.
        offset: usize,
        /// The limit.
        limit: usize,
    },
}

impl TagError {
    /// The byte in the message body at which the fault lies.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Truncated { offset, .. }
            | Self::Reserved { offset, .. }
            | Self::ShortNanoOffset { offset, .. }
            | Self::TooManyModifiers { offset, .. } => offset,
        }
    }
}
