//! What viewers fetch: initialization segments, parts, and segments made of parts.

use std::sync::Arc;

use bytes::Bytes;

/// An initialization segment and what playlists say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Init {
    /// Its number in URIs.
    pub id: u32,
    /// The file.
    pub bytes: Bytes,
    /// Codec strings of RFC 6381.
    pub codecs: String,
    /// Width and height of the picture, in pixels.
    pub size: Option<(u16, u16)>,
    /// Frames a second that the encoder announces.
    pub fps: Option<f64>,
}

/// A partial segment (RFC 8216bis, 4.4.4.9): one fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub bytes: Bytes,
    /// How long it plays, in microseconds.
    pub duration_us: i64,
    /// Whether decoding can start with it.
    pub independent: bool,
    /// Frames of the picture in it.
    pub pictures: u32,
}

/// A segment: complete, or the one that parts are still added to.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Media sequence number.
    pub msn: u64,
    /// What a player needs before it.
    pub init: Arc<Init>,
    /// Whether its timeline or its codecs are others than those of the segment before.
    pub discontinuity: bool,
    /// When its first frame came, in milliseconds since the Unix epoch.
    pub date_ms: i64,
    /// Its parts; concatenated they are the segment.
    pub parts: Vec<Arc<Part>>,
}

impl Segment {
    /// How long it plays, in microseconds.
    pub fn duration_us(&self) -> i64 {
        self.parts.iter().map(|part| part.duration_us).sum()
    }

    /// Bytes of the file.
    pub fn size(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Whether decoding can start with it.
    pub fn independent(&self) -> bool {
        self.parts.first().is_some_and(|part| part.independent)
    }
}
