//! What the enhanced audio and video headers have in common: modifiers before the packet type, and tracks.

use std::ops::Range;

use super::TagError;
use super::cursor::Cursor;
use crate::codec::FourCc;

/// Packet type that announces a modifier; the same in audio and video.
const MOD_EX: u8 = 7;
/// Encoders send at most one today; a message that is nothing but modifiers must not cost much.
const MAX_MODIFIERS: usize = 16;

/// How the tracks of a multitrack message are laid out (AvMultitrackType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackLayout {
    /// One track in this message; the others travel in messages of their own.
    OneTrack,
    /// Several tracks of one codec.
    ManyTracks,
    /// Several tracks, each with its own codec.
    ManyTracksManyCodecs,
}

/// The track of a multitrack message that a tag describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Multitrack {
    /// How the message lays out its tracks.
    pub layout: TrackLayout,
    /// Track id; 0 is the default track of its media type.
    pub track_id: u8,
}

/// What the modifiers changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Modified {
    pub packet_type: u8,
    pub nanos: u32,
}

/// Reads ModEx modifiers until a real packet type comes.
pub(super) fn read_modifiers(cursor: &mut Cursor<'_>, packet_type: u8) -> Result<Modified, TagError> {
    let mut modified = Modified { packet_type, nanos: 0 };
    let mut count = 0;
    while modified.packet_type == MOD_EX {
        if count == MAX_MODIFIERS {
            return Err(TagError::TooManyModifiers { offset: cursor.position(), limit: MAX_MODIFIERS });
        }
        count += 1;
        let mut size = usize::from(cursor.u8("modExDataSize")?) + 1;
        if size == 256 {
            size = usize::from(cursor.u16("modExDataSize")?) + 1;
        }
        let offset = cursor.position();
        let data = cursor.take("modExData", size)?;
        let types = cursor.u8("ModExType")?;
        modified.packet_type = types & 0x0f;
        // 0 is TimestampOffsetNano; the others are reserved, and skipped as the specification asks.
        if types >> 4 == 0 {
            let [a, b, c, ..] = data else {
                return Err(TagError::ShortNanoOffset { offset, found: data.len() });
            };
            modified.nanos = u32::from_be_bytes([0, *a, *b, *c]);
        }
    }
    Ok(modified)
}

/// What stands before the tracks.
#[derive(Debug, Clone, Copy)]
pub(super) struct TracksHeader {
    pub packet_type: u8,
    layout: Option<TrackLayout>,
    four_cc: Option<FourCc>,
}

/// One track: its codec and where its body lies. `multitrack` is `None` in a message without tracks.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub four_cc: FourCc,
    pub multitrack: Option<Multitrack>,
    pub body: Range<usize>,
}

impl TracksHeader {
    /// Reads layout and shared FourCC. `multitrack_type` is the packet type that turns on multitrack.
    pub fn read(cursor: &mut Cursor<'_>, packet_type: u8, multitrack_type: u8) -> Result<Self, TagError> {
        if packet_type != multitrack_type {
            let four_cc = Some(cursor.four_cc("FourCC")?);
            return Ok(Self { packet_type, layout: None, four_cc });
        }
        let offset = cursor.position();
        let byte = cursor.u8("multitrackType")?;
        let packet_type = byte & 0x0f;
        if packet_type == multitrack_type || packet_type == MOD_EX {
            return Err(TagError::Reserved { field: "packet type of a track", offset, found: packet_type });
        }
        let layout = match byte >> 4 {
            0 => TrackLayout::OneTrack,
            1 => TrackLayout::ManyTracks,
            2 => TrackLayout::ManyTracksManyCodecs,
            found => return Err(TagError::Reserved { field: "multitrackType", offset, found }),
        };
        let four_cc = match layout {
            TrackLayout::OneTrack | TrackLayout::ManyTracks => Some(cursor.four_cc("FourCC")?),
            TrackLayout::ManyTracksManyCodecs => None,
        };
        Ok(Self { packet_type, layout: Some(layout), four_cc })
    }

    /// Reads one track and leaves the cursor behind it.
    pub fn read_track(&self, cursor: &mut Cursor<'_>) -> Result<Track, TagError> {
        let four_cc = match self.four_cc {
            Some(four_cc) => four_cc,
            None => cursor.four_cc("track FourCC")?,
        };
        let Some(layout) = self.layout else {
            let body = cursor.rest();
            cursor.skip("body", body.len())?;
            return Ok(Track { four_cc, multitrack: None, body });
        };
        let multitrack = Some(Multitrack { layout, track_id: cursor.u8("trackId")? });
        let size = match layout {
            TrackLayout::OneTrack => cursor.rest().len(),
            TrackLayout::ManyTracks | TrackLayout::ManyTracksManyCodecs => {
                cursor.u24("sizeOfTrack")? as usize
            }
        };
        Ok(Track { four_cc, multitrack, body: cursor.skip("track body", size)? })
    }
}
