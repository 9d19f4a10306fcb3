//! FLV files (FLV 10.1, annex E.2 to E.4.1): what wraps the bodies of RTMP messages on disk and in an HTTP response.
//!
//! A file is a [`FileHeader`], then tags: 11 bytes of header, the message body, and the size of both.

/// Bytes of a tag before the message body.
pub const TAG_HEADER_SIZE: usize = 11;
/// Bytes after the message body: the size of the tag, for readers that go backwards.
pub const TAG_TRAILER_SIZE: usize = 4;
/// The largest message body that a tag can hold.
pub const MAX_BODY: usize = 0xff_ffff;

const FILE_HEADER_SIZE: usize = 9;
/// The specification lets the header grow; above this it is no FLV file.
const MAX_FILE_HEADER: u32 = 4096;
const HAS_AUDIO: u8 = 0x04;
const HAS_VIDEO: u8 = 0x01;

/// Why FLV could not be read or written. Offsets count from the start of the slice that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlvError {
    /// The file does not start with "FLV" and version 1.
    #[error("byte {offset} of the file is {found:#04x}, not {expected:#04x}: this is not FLV")]
    NotFlv {
        /// Where it differs.
        offset: usize,
        /// The byte found.
        found: u8,
        /// The byte expected.
        expected: u8,
    },
    /// The file header claims a size that cannot be.
    #[error("the file header at byte 5 claims {found} bytes")]
    HeaderSize {
        /// The size claimed.
        found: u32,
    },
    /// The type of a tag is none of audio, video and script.
    #[error("the tag at byte {offset} has the unknown type {found}")]
    UnknownTagType {
        /// Where the tag starts.
        offset: usize,
        /// The type found.
        found: u8,
    },
    /// The size behind a tag is not that of the tag.
    #[error("the size at byte {offset} is {found}, but the tag before it has {expected} bytes")]
    PreviousTagSize {
        /// Where the size lies.
        offset: usize,
        /// The size found.
        found: u32,
        /// Header and body of the tag.
        expected: u32,
    },
    /// A message body too large for a tag.
    #[error("a body of {found} bytes does not fit a tag, which holds {MAX_BODY}")]
    BodyTooLong {
        /// The body's size in bytes.
        found: usize,
    },
}

/// The start of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHeader {
    /// Audio tags are to be expected.
    pub audio: bool,
    /// Video tags are to be expected.
    pub video: bool,
}

impl FileHeader {
    /// Header and the size of the tag before the first one, which is 0.
    pub fn encode(self) -> [u8; FILE_HEADER_SIZE + TAG_TRAILER_SIZE] {
        let audio = if self.audio { HAS_AUDIO } else { 0 };
        let video = if self.video { HAS_VIDEO } else { 0 };
        [b'F', b'L', b'V', 1, audio | video, 0, 0, 0, FILE_HEADER_SIZE as u8, 0, 0, 0, 0]
    }

    /// Reads the header and the size after it. Gives the number of bytes they take, or `None` when more are needed.
    ///
    /// # Errors
    /// [`FlvError`] when this is no FLV file.
    pub fn decode(input: &[u8]) -> Result<Option<(Self, usize)>, FlvError> {
        for (offset, (&found, expected)) in input.iter().zip([b'F', b'L', b'V', 1]).enumerate() {
            if found != expected {
                return Err(FlvError::NotFlv { offset, found, expected });
            }
        }
        let Some([_, _, _, _, flags, size @ ..]) = input.first_chunk::<FILE_HEADER_SIZE>() else {
            return Ok(None);
        };
        let found = u32::from_be_bytes(*size);
        if found < FILE_HEADER_SIZE as u32 || found > MAX_FILE_HEADER {
            return Err(FlvError::HeaderSize { found });
        }
        let used = found as usize + TAG_TRAILER_SIZE;
        let header = Self { audio: flags & HAS_AUDIO != 0, video: flags & HAS_VIDEO != 0 };
        Ok((input.len() >= used).then_some((header, used)))
    }
}

/// What a tag carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagType {
    /// The body of an RTMP audio message.
    Audio,
    /// The body of an RTMP video message.
    Video,
    /// The body of an RTMP data message in AMF0, such as onMetaData.
    Script,
}

impl TagType {
    /// The type's number, which is also that of the RTMP message.
    pub fn id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }

    /// The type behind a number.
    pub fn from_id(id: u8) -> Option<Self> {
        match id {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// The bytes before the body of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagHeader {
    /// What the tag carries.
    pub tag_type: TagType,
    /// Whether the body starts with an encryption header; such a body is not for the parsers here.
    pub filtered: bool,
    /// Size of the body in bytes, 24 bits.
    pub body_size: u32,
    /// Decoding time in milliseconds.
    pub timestamp_ms: u32,
}

impl TagHeader {
    /// The header of a tag with this body.
    ///
    /// # Errors
    /// [`FlvError::BodyTooLong`] above [`MAX_BODY`].
    pub fn new(tag_type: TagType, timestamp_ms: u32, body: &[u8]) -> Result<Self, FlvError> {
        let found = body.len();
        match u32::try_from(found) {
            Ok(body_size) if found <= MAX_BODY => {
                Ok(Self { tag_type, filtered: false, body_size, timestamp_ms })
            }
            _ => Err(FlvError::BodyTooLong { found }),
        }
    }

    /// The bytes before the body. The stream id is always 0.
    pub fn encode(&self) -> [u8; TAG_HEADER_SIZE] {
        let filter = if self.filtered { 0x20 } else { 0 };
        let [_, size @ ..] = self.body_size.to_be_bytes();
        let [high, low @ ..] = self.timestamp_ms.to_be_bytes();
        let [s0, s1, s2] = size;
        let [t0, t1, t2] = low;
        [self.tag_type.id() | filter, s0, s1, s2, t0, t1, t2, high, 0, 0, 0]
    }

    /// The bytes after the body: PreviousTagSize.
    pub fn trailer(&self) -> [u8; TAG_TRAILER_SIZE] {
        self.tag_size().to_be_bytes()
    }

    fn tag_size(&self) -> u32 {
        self.body_size.saturating_add(TAG_HEADER_SIZE as u32)
    }

    fn decode(bytes: &[u8; TAG_HEADER_SIZE]) -> Result<Self, FlvError> {
        let [kind, s0, s1, s2, t0, t1, t2, high, _, _, _] = *bytes;
        let id = kind & 0x1f;
        let Some(tag_type) = TagType::from_id(id) else {
            return Err(FlvError::UnknownTagType { offset: 0, found: id });
        };
        Ok(Self {
            tag_type,
            filtered: kind & 0x20 != 0,
            body_size: u32::from_be_bytes([0, s0, s1, s2]),
            timestamp_ms: u32::from_be_bytes([high, t0, t1, t2]),
        })
    }
}

/// A tag in the slice it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The bytes before the body.
    pub header: TagHeader,
    /// The message body.
    pub body: &'a [u8],
}

/// Reads one tag. Gives the number of bytes it takes, or `None` when more are needed.
///
/// # Errors
/// [`FlvError`] when the type is unknown or the size behind the tag is not its own. A size of 0 is taken as not given:
/// some recorders write nothing else.
pub fn read_tag(input: &[u8]) -> Result<Option<(Tag<'_>, usize)>, FlvError> {
    let Some((bytes, rest)) = input.split_first_chunk::<TAG_HEADER_SIZE>() else {
        return Ok(None);
    };
    let header = TagHeader::decode(bytes)?;
    let body_size = header.body_size as usize;
    let Some((body, rest)) = rest.split_at_checked(body_size) else {
        return Ok(None);
    };
    let Some(trailer) = rest.first_chunk::<TAG_TRAILER_SIZE>() else {
        return Ok(None);
    };
    let offset = TAG_HEADER_SIZE + body_size;
    let (found, expected) = (u32::from_be_bytes(*trailer), header.tag_size());
    if found != expected && found != 0 {
        return Err(FlvError::PreviousTagSize { offset, found, expected });
    }
    Ok(Some((Tag { header, body }, offset + TAG_TRAILER_SIZE)))
}

/// Appends one tag.
///
/// # Errors
/// [`FlvError::BodyTooLong`] above [`MAX_BODY`]; nothing is appended then.
pub fn write_tag(
    output: &mut Vec<u8>,
    tag_type: TagType,
    timestamp_ms: u32,
    body: &[u8],
) -> Result<(), FlvError> {
    let header = TagHeader::new(tag_type, timestamp_ms, body)?;
    output.reserve(TAG_HEADER_SIZE + body.len() + TAG_TRAILER_SIZE);
    output.extend_from_slice(&header.encode());
    output.extend_from_slice(body);
    output.extend_from_slice(&header.trailer());
    Ok(())
}
