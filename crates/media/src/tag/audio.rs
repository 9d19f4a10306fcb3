//! Audio messages.

use std::ops::Range;

use super::TagError;
use super::cursor::Cursor;
use super::enhanced::{Multitrack, Track, TracksHeader, read_modifiers};
use crate::codec::AudioCodec;

/// SoundFormat that announces the enhanced form.
const EX_HEADER: u8 = 9;

const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const SEQUENCE_END: u8 = 2;
const MULTICHANNEL_CONFIG: u8 = 4;
const MULTITRACK: u8 = 5;

/// What an audio message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioKind {
    /// Codec configuration, for [`audio_config`](crate::audio_config).
    SequenceHeader,
    /// A coded frame.
    Frame,
    /// The sequence is over.
    EndOfSequence,
    /// Number and order of channels, for [`multichannel_config`](crate::multichannel_config).
    MultichannelConfig,
    /// An empty message: silence until the next one (Enhanced RTMP v2, AudioPacketType).
    Silence,
    /// A packet type that the specification still reserves; to be passed over.
    Unknown(u8),
}

/// What the flags of a classic header say about the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassicSound {
    /// Samples a second; 5512 stands for the 5.5 kHz of the specification.
    pub sample_rate: u32,
    /// Bits a sample, of uncompressed sound.
    pub bits: u8,
    /// Channels, 1 or 2.
    pub channels: u8,
}

/// An audio message header. Ranges are offsets into the message body that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioTag {
    /// The codec; `None` only for silence, which names none.
    pub codec: Option<AudioCodec>,
    /// What the message is for.
    pub kind: AudioKind,
    /// To be added to the presentation time, in nanoseconds (0 to 999,999).
    pub nanos: u32,
    /// What follows the header.
    pub body: Range<usize>,
    /// The track, in a multitrack message.
    pub multitrack: Option<Multitrack>,
    /// The flags of a classic header; `None` for AAC, where they are fixed and say nothing, and in the enhanced form.
    pub classic: Option<ClassicSound>,
    /// Whether the header has the Enhanced RTMP form.
    pub enhanced: bool,
}

impl AudioTag {
    /// Whether this is a coded frame.
    pub fn is_frame(&self) -> bool {
        self.kind == AudioKind::Frame
    }

    /// The track id; 0, the default track, for a message without tracks.
    pub fn track_id(&self) -> u8 {
        self.multitrack.map_or(0, |multitrack| multitrack.track_id)
    }
}

/// Parses the header of an audio message (FLV 10.1 E.4.2; Enhanced RTMP v2, "Enhancing Audio").
///
/// Of a multitrack message, this is the first track; [`audio_tracks`] gives all. Encoders that send each track in a
/// message of its own are told apart by [`AudioTag::track_id`].
///
/// # Errors
/// [`TagError`] when the message ends inside its header or a reserved value leaves the rest unreadable. An empty
/// message is no error but [`AudioKind::Silence`].
pub fn parse_audio(payload: &[u8]) -> Result<AudioTag, TagError> {
    match Message::read(payload)? {
        Message::Single(tag) => Ok(tag),
        Message::Tracks(header, mut cursor) => header.read_tag(&mut cursor),
    }
}

/// All tracks of an audio message; one in a message without tracks.
///
/// # Errors
/// As [`parse_audio`], for what stands before the first track.
pub fn audio_tracks(payload: &[u8]) -> Result<AudioTracks<'_>, TagError> {
    Ok(AudioTracks { pending: Some(Message::read(payload)?) })
}

/// Iterator over the tracks of a message; ends after the first error.
#[derive(Debug, Clone)]
pub struct AudioTracks<'a> {
    pending: Option<Message<'a>>,
}

impl Iterator for AudioTracks<'_> {
    type Item = Result<AudioTag, TagError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.pending.take()? {
            Message::Single(tag) => Some(Ok(tag)),
            Message::Tracks(header, mut cursor) => {
                let tag = header.read_tag(&mut cursor);
                if tag.is_ok() && !cursor.is_at_end() {
                    self.pending = Some(Message::Tracks(header, cursor));
                }
                Some(tag)
            }
        }
    }
}

/// A message up to its first track.
#[derive(Debug, Clone)]
enum Message<'a> {
    Single(AudioTag),
    Tracks(Header, Cursor<'a>),
}

/// The part of an enhanced header that all tracks share.
#[derive(Debug, Clone)]
struct Header {
    nanos: u32,
    tracks: TracksHeader,
}

impl<'a> Message<'a> {
    fn read(payload: &'a [u8]) -> Result<Self, TagError> {
        let mut cursor = Cursor::new(payload);
        if payload.is_empty() {
            return Ok(Self::Single(tag(None, AudioKind::Silence, cursor.rest(), None)));
        }
        let first = cursor.u8("SoundFormat")?;
        if first >> 4 != EX_HEADER {
            return classic(&mut cursor, first).map(Self::Single);
        }
        let modified = read_modifiers(&mut cursor, first & 0x0f)?;
        let tracks = TracksHeader::read(&mut cursor, modified.packet_type, MULTITRACK)?;
        Ok(Self::Tracks(Header { nanos: modified.nanos, tracks }, cursor))
    }
}

impl Header {
    fn read_tag(&self, cursor: &mut Cursor<'_>) -> Result<AudioTag, TagError> {
        let Track { four_cc, multitrack, body } = self.tracks.read_track(cursor)?;
        let kind = match self.tracks.packet_type {
            SEQUENCE_START => AudioKind::SequenceHeader,
            CODED_FRAMES => AudioKind::Frame,
            SEQUENCE_END => AudioKind::EndOfSequence,
            MULTICHANNEL_CONFIG => AudioKind::MultichannelConfig,
            unknown => AudioKind::Unknown(unknown),
        };
        let codec = Some(AudioCodec::from_four_cc(four_cc));
        Ok(AudioTag { nanos: self.nanos, multitrack, enhanced: true, ..tag(codec, kind, body, None) })
    }
}

fn tag(
    codec: Option<AudioCodec>,
    kind: AudioKind,
    body: Range<usize>,
    classic: Option<ClassicSound>,
) -> AudioTag {
    AudioTag { codec, kind, nanos: 0, body, multitrack: None, classic, enhanced: false }
}

fn classic(cursor: &mut Cursor<'_>, first: u8) -> Result<AudioTag, TagError> {
    let format = first >> 4;
    let codec = AudioCodec::from_classic_id(format);
    if codec == AudioCodec::Aac {
        let offset = cursor.position();
        let kind = match cursor.u8("AACPacketType")? {
            0 => AudioKind::SequenceHeader,
            1 => AudioKind::Frame,
            found => return Err(TagError::Reserved { field: "AACPacketType", offset, found }),
        };
        return Ok(tag(Some(codec), kind, cursor.rest(), None));
    }
    Ok(tag(Some(codec), AudioKind::Frame, cursor.rest(), Some(classic_sound(format, first))))
}

/// Four formats have a fixed rate, whatever the flags say (FLV 10.1 E.4.2.1).
fn classic_sound(format: u8, flags: u8) -> ClassicSound {
    let bits = if flags & 0x02 == 0 { 8 } else { 16 };
    let channels = (flags & 0x01) + 1;
    let (sample_rate, channels) = match format {
        4 => (16_000, 1),
        5 => (8_000, 1),
        7 | 8 | 14 => (8_000, channels),
        11 => (16_000, 1),
        _ => match (flags >> 2) & 0x03 {
            0 => (5_512, channels),
            1 => (11_025, channels),
            2 => (22_050, channels),
            _ => (44_100, channels),
        },
    };
    ClassicSound { sample_rate, bits, channels }
}
