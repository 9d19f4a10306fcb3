//! Video messages.

use std::ops::Range;

use super::TagError;
use super::cursor::Cursor;
use super::enhanced::{Multitrack, Track, TracksHeader, read_modifiers};
use crate::codec::VideoCodec;

const EX_HEADER: u8 = 0x80;
const COMMAND: u8 = 5;

const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const SEQUENCE_END: u8 = 2;
const CODED_FRAMES_X: u8 = 3;
const METADATA: u8 = 4;
const TS_SEQUENCE_START: u8 = 5;
const MULTITRACK: u8 = 6;

/// What a video message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoKind {
    /// Codec configuration, for [`video_config`](crate::video_config).
    SequenceHeader,
    /// Codec configuration as an MPEG-2 TS descriptor (AV1 only).
    TsSequenceHeader,
    /// A frame that decoding can start from.
    KeyFrame,
    /// Any other coded frame.
    InterFrame,
    /// The sequence is over.
    EndOfSequence,
    /// AMF-encoded information about the video, such as HDR.
    Metadata,
    /// No media: a mark around a seek.
    Command(VideoCommand),
    /// A packet type that the specification still reserves; to be passed over.
    Unknown(u8),
}

/// The marks a command message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCommand {
    /// Client-side seeking starts.
    StartSeek,
    /// Client-side seeking ends.
    EndSeek,
    /// Reserved.
    Unknown(u8),
}

/// A video message header. Ranges are offsets into the message body that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoTag {
    /// The codec; `None` only for a command in the enhanced form, which names none.
    pub codec: Option<VideoCodec>,
    /// What the message is for.
    pub kind: VideoKind,
    /// Presentation time minus decoding time, in milliseconds.
    pub composition_ms: i32,
    /// To be added to the presentation time, in nanoseconds (0 to 999,999).
    pub nanos: u32,
    /// What follows the header: configuration record, access unit or metadata.
    pub body: Range<usize>,
    /// The track, in a multitrack message.
    pub multitrack: Option<Multitrack>,
    /// Whether the header has the Enhanced RTMP form.
    pub enhanced: bool,
}

impl VideoTag {
    /// Whether this is a coded frame.
    pub fn is_frame(&self) -> bool {
        matches!(self.kind, VideoKind::KeyFrame | VideoKind::InterFrame)
    }

    /// The track id; 0, the default track, for a message without tracks.
    pub fn track_id(&self) -> u8 {
        self.multitrack.map_or(0, |multitrack| multitrack.track_id)
    }
}

/// Parses the header of a video message (FLV 10.1 E.4.3; Enhanced RTMP v2, "Enhancing Video").
///
/// Of a multitrack message, this is the first track; [`video_tracks`] gives all. Encoders that send each track in a
/// message of its own are told apart by [`VideoTag::track_id`].
///
/// # Errors
/// [`TagError`] when the message ends inside its header or a reserved value leaves the rest unreadable. An empty
/// message is one of those.
pub fn parse_video(payload: &[u8]) -> Result<VideoTag, TagError> {
    match Message::read(payload)? {
        Message::Single(tag) => Ok(tag),
        Message::Tracks(header, mut cursor) => header.read_tag(&mut cursor),
    }
}

/// All tracks of a video message; one in a message without tracks.
///
/// # Errors
/// As [`parse_video`], for what stands before the first track.
pub fn video_tracks(payload: &[u8]) -> Result<VideoTracks<'_>, TagError> {
    Ok(VideoTracks { pending: Some(Message::read(payload)?) })
}

/// Iterator over the tracks of a message; ends after the first error.
#[derive(Debug, Clone)]
pub struct VideoTracks<'a> {
    pending: Option<Message<'a>>,
}

impl Iterator for VideoTracks<'_> {
    type Item = Result<VideoTag, TagError>;

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
    Single(VideoTag),
    Tracks(Header, Cursor<'a>),
}

/// The part of an enhanced header that all tracks share.
#[derive(Debug, Clone)]
struct Header {
    frame_type: u8,
    nanos: u32,
    tracks: TracksHeader,
}

impl<'a> Message<'a> {
    fn read(payload: &'a [u8]) -> Result<Self, TagError> {
        let mut cursor = Cursor::new(payload);
        let first = cursor.u8("FrameType")?;
        if first & EX_HEADER == 0 {
            return classic(&mut cursor, first).map(Self::Single);
        }
        let frame_type = (first >> 4) & 0x07;
        let modified = read_modifiers(&mut cursor, first & 0x0f)?;
        if frame_type == COMMAND && modified.packet_type != METADATA {
            let kind = command(&mut cursor)?;
            return Ok(Self::Single(VideoTag {
                codec: None,
                kind,
                composition_ms: 0,
                nanos: modified.nanos,
                body: cursor.rest(),
                multitrack: None,
                enhanced: true,
            }));
        }
        let tracks = TracksHeader::read(&mut cursor, modified.packet_type, MULTITRACK)?;
        Ok(Self::Tracks(Header { frame_type, nanos: modified.nanos, tracks }, cursor))
    }
}

impl Header {
    fn read_tag(&self, cursor: &mut Cursor<'_>) -> Result<VideoTag, TagError> {
        let Track { four_cc, multitrack, body } = self.tracks.read_track(cursor)?;
        let codec = VideoCodec::from_four_cc(four_cc);
        let mut track = cursor.within(body);
        let mut composition_ms = 0;
        let kind = match self.tracks.packet_type {
            SEQUENCE_START => VideoKind::SequenceHeader,
            CODED_FRAMES => {
                // The specification gives a composition time to these three only.
                if codec.has_nal_units() {
                    composition_ms = track.i24("compositionTimeOffset")?;
                }
                frame_kind(self.frame_type)?
            }
            SEQUENCE_END => VideoKind::EndOfSequence,
            CODED_FRAMES_X => frame_kind(self.frame_type)?,
            METADATA => VideoKind::Metadata,
            TS_SEQUENCE_START => VideoKind::TsSequenceHeader,
            unknown => VideoKind::Unknown(unknown),
        };
        Ok(VideoTag {
            codec: Some(codec),
            kind,
            composition_ms,
            nanos: self.nanos,
            body: track.rest(),
            multitrack,
            enhanced: true,
        })
    }
}

fn classic(cursor: &mut Cursor<'_>, first: u8) -> Result<VideoTag, TagError> {
    let codec = VideoCodec::from_classic_id(first & 0x0f);
    let frame_type = first >> 4;
    let mut composition_ms = 0;
    let kind = match codec {
        _ if frame_type == COMMAND => command(cursor)?,
        // AV1 and HEVC under their private ids follow the layout of AVC.
        VideoCodec::Avc | VideoCodec::Hevc | VideoCodec::Av1 => {
            let offset = cursor.position();
            let packet_type = cursor.u8("AVCPacketType")?;
            composition_ms = cursor.i24("CompositionTime")?;
            match packet_type {
                0 => VideoKind::SequenceHeader,
                1 => frame_kind(frame_type)?,
                2 => VideoKind::EndOfSequence,
                found => return Err(TagError::Reserved { field: "AVCPacketType", offset, found }),
            }
        }
        _ => frame_kind(frame_type)?,
    };
    let body = cursor.rest();
    Ok(VideoTag {
        codec: Some(codec),
        kind,
        composition_ms,
        nanos: 0,
        body,
        multitrack: None,
        enhanced: false,
    })
}

fn command(cursor: &mut Cursor<'_>) -> Result<VideoKind, TagError> {
    Ok(VideoKind::Command(match cursor.u8("VideoCommand")? {
        0 => VideoCommand::StartSeek,
        1 => VideoCommand::EndSeek,
        unknown => VideoCommand::Unknown(unknown),
    }))
}

/// 3 is a frame nothing refers to, 4 a key frame made by a server; the watch does not tell them apart.
fn frame_kind(frame_type: u8) -> Result<VideoKind, TagError> {
    match frame_type {
        1 | 4 => Ok(VideoKind::KeyFrame),
        2 | 3 => Ok(VideoKind::InterFrame),
        found => Err(TagError::Reserved { field: "FrameType", offset: 0, found }),
    }
}
