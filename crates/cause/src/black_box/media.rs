//! The ring of the last media headers.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Media headers that are kept.
const KEPT: usize = 192;
/// The largest size that is kept, bytes; RTMP lengths have 24 bits.
const MAX_SIZE: u32 = 0x00FF_FFFF;

/// The header of one media message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaEntry {
    /// Milliseconds from connecting to its last byte.
    pub at_ms: u32,
    /// What it carries.
    pub kind: MediaEntryKind,
    /// A video key frame.
    pub key_frame: bool,
    /// Codec configuration (sequence header), not a frame.
    pub config: bool,
    /// Its timestamp, ms, as received.
    pub timestamp: u32,
    /// Its size, bytes; at most 16,777,215.
    pub size: u32,
    /// The chunk stream that it came on; 255 for any above.
    pub chunk_stream: u8,
}

/// What a media message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaEntryKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// Data, such as `onMetaData`.
    Data,
}

/// The last [`KEPT`] headers. Its memory is taken at the first one.
#[derive(Clone, Debug, Default)]
pub(crate) struct MediaRing {
    seen: u64,
    slots: Option<Box<Slots>>,
}

/// One array per field, since 13 bytes a header would be padded to 16 in one array.
#[derive(Clone, Debug)]
struct Slots {
    at_ms: [u32; KEPT],
    timestamp: [u32; KEPT],
    /// Size in the lower 24 bits, kind and flags above.
    size: [u32; KEPT],
    chunk_stream: [u8; KEPT],
    /// Where the next header goes; below [`KEPT`].
    next: usize,
    /// Slots in use.
    len: usize,
}

const KEY_FRAME: u32 = 1 << 24;
const CONFIG: u32 = 1 << 25;
const VIDEO: u32 = 1 << 26;
const DATA: u32 = 1 << 27;

impl MediaRing {
    #[inline]
    pub(super) fn push(&mut self, entry: MediaEntry) {
        self.seen = self.seen.saturating_add(1);
        let slots = self.slots.get_or_insert_with(Slots::empty);
        let at = if slots.next < KEPT { slots.next } else { 0 };
        slots.at_ms[at] = entry.at_ms;
        slots.timestamp[at] = entry.timestamp;
        slots.size[at] = entry.size.min(MAX_SIZE) | flags(&entry);
        slots.chunk_stream[at] = entry.chunk_stream;
        slots.next = at + 1;
        slots.len = (slots.len + 1).min(KEPT);
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = MediaEntry> + '_ {
        self.slots.iter().flat_map(|slots| {
            let first = if slots.len < KEPT { 0 } else { slots.next };
            (0..slots.len).filter_map(move |n| slots.entry((first + n) % KEPT))
        })
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn heap_bytes(&self) -> usize {
        if self.slots.is_some() { size_of::<Slots>() } else { 0 }
    }

    pub(super) fn clear(&mut self) {
        self.slots = None;
    }
}

impl Slots {
    fn empty() -> Box<Self> {
        Box::new(Self {
            at_ms: [0; KEPT],
            timestamp: [0; KEPT],
            size: [0; KEPT],
            chunk_stream: [0; KEPT],
            next: 0,
            len: 0,
        })
    }

    fn entry(&self, at: usize) -> Option<MediaEntry> {
        let size = *self.size.get(at)?;
        Some(MediaEntry {
            at_ms: *self.at_ms.get(at)?,
            kind: match (size & VIDEO != 0, size & DATA != 0) {
                (true, _) => MediaEntryKind::Video,
                (false, true) => MediaEntryKind::Data,
                (false, false) => MediaEntryKind::Audio,
            },
            key_frame: size & KEY_FRAME != 0,
            config: size & CONFIG != 0,
            timestamp: *self.timestamp.get(at)?,
            size: size & MAX_SIZE,
            chunk_stream: *self.chunk_stream.get(at)?,
        })
    }
}

fn flags(entry: &MediaEntry) -> u32 {
    let kind = match entry.kind {
        MediaEntryKind::Audio => 0,
        MediaEntryKind::Video => VIDEO,
        MediaEntryKind::Data => DATA,
    };
    let key_frame = if entry.key_frame { KEY_FRAME } else { 0 };
    let config = if entry.config { CONFIG } else { 0 };
    kind | key_frame | config
}

/// Two rings are equal when they show the same headers, wherever their slots begin.
impl PartialEq for MediaRing {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen && self.entries().eq(other.entries())
    }
}

impl Serialize for MediaRing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { seen: self.seen, entries: Differences::of(self.entries()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MediaRing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        if stored.entries.0.len() > KEPT {
            return Err(D::Error::custom("a black box with more media headers than it can have"));
        }
        let mut ring = Self::default();
        for entry in stored.entries.0 {
            ring.push(entry);
        }
        ring.seen = stored.seen;
        Ok(ring)
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    seen: u64,
    entries: Differences,
}

/// Headers whose times are written as differences from the one before, which halves them; as they are in JSON.
struct Differences(Vec<MediaEntry>);

impl Differences {
    fn of(entries: impl Iterator<Item = MediaEntry>) -> Self {
        Self(entries.collect())
    }
}

/// at_ms and timestamp as differences, size and flags, chunk stream.
type Written = (i32, i32, u32, u8);

impl Serialize for Differences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let (mut at_ms, mut timestamp) = (0u32, 0u32);
        let mut written: Vec<Written> = Vec::with_capacity(self.0.len());
        for entry in &self.0 {
            // Wrapping differences of wrapping values: exact, whatever the order of the times.
            let difference = |new: u32, old: u32| new.wrapping_sub(old).cast_signed();
            let size = entry.size.min(MAX_SIZE).rotate_left(8) | (flags(entry) >> 24);
            written.push((
                difference(entry.at_ms, at_ms),
                difference(entry.timestamp, timestamp),
                size,
                entry.chunk_stream,
            ));
            (at_ms, timestamp) = (entry.at_ms, entry.timestamp);
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Differences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Vec::deserialize(deserializer).map(Self);
        }
        let written: Vec<Written> = Vec::deserialize(deserializer)?;
        let (mut at_ms, mut timestamp) = (0u32, 0u32);
        let mut entries = Vec::with_capacity(written.len().min(KEPT));
        for (at_difference, timestamp_difference, size, chunk_stream) in written {
            at_ms = at_ms.wrapping_add(at_difference.cast_unsigned());
            timestamp = timestamp.wrapping_add(timestamp_difference.cast_unsigned());
            let flags = (size & 0xFF) << 24;
            let kind = match (flags & VIDEO != 0, flags & DATA != 0) {
                (true, _) => MediaEntryKind::Video,
                (false, true) => MediaEntryKind::Data,
                (false, false) => MediaEntryKind::Audio,
            };
            let (key_frame, config) = (flags & KEY_FRAME != 0, flags & CONFIG != 0);
            entries.push(MediaEntry {
                at_ms,
                kind,
                key_frame,
                config,
                timestamp,
                size: size >> 8,
                chunk_stream,
            });
        }
        Ok(Self(entries))
    }
}
