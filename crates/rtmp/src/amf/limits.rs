//! How much one decoder may build, and how it treats text that is not UTF-8.

/// Bounds of one decoder, over all the values it yields.
///
/// Nothing is ever allocated for a *declared* count or length; these bounds hold back input that really carries
/// more than a command or a metadata message has any use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep containers may nest. Values above [`Limits::MAX_DEPTH`] are taken as that.
    pub depth: usize,
    /// How many values may be built in all, the items of numeric vectors included.
    pub elements: usize,
    /// How many bytes of text and of byte arrays may be built in all. AMF3 references repeat a string at the price of
    /// a byte or two, and each repetition counts in full.
    pub bytes: usize,
}

impl Limits {
    /// The deepest nesting that can be asked for: decoding recurses, and the stack is finite.
    pub const MAX_DEPTH: usize = 128;
}

impl Default for Limits {
    /// 32 levels, 65,536 values, 4 MiB of text: the metadata of a long recording, with a key frame index, fits.
    fn default() -> Self {
        Self { depth: 32, elements: 65_536, bytes: 4 << 20 }
    }
}

/// What to do with text that is not valid UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Text {
    /// Refuse it: for commands, whose names and stream keys decide who may push.
    #[default]
    Strict,
    /// Put U+FFFD in place of what is broken: for data messages. Chinese builds of OBS Classic name themselves in GBK in
    /// the field `encoder`, and that is no reason to lose the metadata.
    Lossy,
}
