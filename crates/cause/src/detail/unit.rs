//! What a detail's parameter stands for, and how its value is shown to people.

/// What a parameter stands for. Stored values are plain JSON: integers, or strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A length of time: an integer, milliseconds.
    Millis,
    /// A size: an integer, bytes.
    Bytes,
    /// A place in the connection: an integer, bytes received before it.
    Offset,
    /// A plain count: an integer.
    Count,
    /// A number a second, such as frames a second.
    Rate,
    /// A byte that marks a type, such as AMF's: an integer.
    Marker,
    /// An operating-system error number of Linux: an integer.
    Errno,
    /// An RTMP message type: an integer; 0 where not even the header was whole.
    MessageType,
    /// A moment: a string, RFC 3339.
    Time,
    /// One of a few stable words, worded in the reader's language.
    Word,
    /// Text that is shown as it is, without control characters.
    Text,
}
