//! What a player needs before the first frame: metadata and codec headers.

use bytes::Bytes;

use super::frame::{Frame, FrameKind};
use super::framing;

/// Headers of one live stream at most; each track has one or two.
const AT_MOST: usize = 32;
/// A header above this size is no header; metadata of encoders takes under 1 KiB.
const LONGEST: usize = 64 * 1024;

/// Which header a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// onMetaData.
    Metadata,
    /// A video track's codec header.
    Video(u8),
    /// What Enhanced RTMP says about a video track besides, such as HDR.
    VideoMetadata(u8),
    /// An audio track's codec header.
    Audio(u8),
    /// Number and order of an audio track's channels.
    AudioChannels(u8),
}

/// The timestamp to send a header with, before a frame of `timestamp`. ffmpeg takes metadata with another time than 0 for
/// subtitles, and shows a stream of them.
fn at(header: &Frame, timestamp: u32) -> u32 {
    if header.kind == FrameKind::Script { 0 } else { timestamp }
}

/// Metadata and codec headers as they stand at some point of a live stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Sorted by slot: metadata, then video, then audio.
    frames: Vec<(Slot, Frame)>,
    video: bool,
    audio: bool,
}

impl Headers {
    /// All of them, in the order in which players expect them. Their timestamps are 0: they count from the frame that
    /// follows.
    pub fn frames(&self) -> impl Iterator<Item = &Frame> + Clone {
        self.frames.iter().map(|(_, frame)| frame)
    }

    /// Those that `before` has not, or has with another content.
    pub fn since<'a>(&'a self, before: Option<&'a Headers>) -> impl Iterator<Item = &'a Frame> + Clone {
        let known = move |entry: &&(Slot, Frame)| !before.is_some_and(|b| b.frames.contains(*entry));
        self.frames.iter().filter(known).map(|(_, frame)| frame)
    }

    /// The body of the onMetaData message: AMF0, its name first.
    pub fn metadata(&self) -> Option<&Bytes> {
        self.get(Slot::Metadata)
    }

    /// The FLV tag body that configures the first video track.
    pub fn video(&self) -> Option<&Bytes> {
        self.get(Slot::Video(0))
    }

    /// The FLV tag body that configures the first audio track.
    pub fn audio(&self) -> Option<&Bytes> {
        self.get(Slot::Audio(0))
    }

    /// Whether the stream carries video: its header or a frame has come.
    pub fn has_video(&self) -> bool {
        self.video
    }

    /// Whether the stream carries audio: its header or a frame has come. MP3 and some others have no header.
    pub fn has_audio(&self) -> bool {
        self.audio
    }

    /// The header of an FLV file with this stream, which says what to expect. Metadata counts too: a player that is told
    /// of no audio may never look for it, and the first audio frame of a new stream may come after its first video.
    pub fn flv_file_header(&self) -> [u8; 13] {
        let told = |name: &[u8]| self.metadata().is_some_and(|m| m.windows(name.len()).any(|w| w == name));
        let audio = self.audio || told(b"audiocodecid");
        let video = self.video || told(b"videocodecid");
        media::flv::FileHeader { audio, video }.encode()
    }

    /// What of these `before` has not, as FLV tags at `timestamp`.
    pub fn flv(&self, before: Option<&Headers>, timestamp: u32) -> Bytes {
        framing::flv(self.since(before).map(|frame| (at(frame, timestamp), frame)))
    }

    /// What of these `before` has not, as RTMP messages at `timestamp`.
    pub fn rtmp(&self, stream_id: u32, before: Option<&Headers>, timestamp: u32) -> Bytes {
        framing::rtmp(stream_id, self.since(before).map(|frame| (at(frame, timestamp), frame)))
    }

    /// Notes that frames of a kind come; true if that is new.
    pub(super) fn carries(&mut self, kind: FrameKind) -> bool {
        let flag = match kind {
            FrameKind::Video => &mut self.video,
            FrameKind::Audio => &mut self.audio,
            FrameKind::Script => return false,
        };
        !std::mem::replace(flag, true)
    }

    /// Takes a header; true if it differs from what was there.
    pub(super) fn set(&mut self, slot: Slot, kind: FrameKind, payload: &Bytes) -> bool {
        if payload.len() > LONGEST {
            return false;
        }
        self.carries(kind);
        // A slice of the read buffer would keep all of it alive for as long as the push lives.
        let frame = || Frame {
            kind,
            timestamp: 0,
            key: false,
            config: true,
            payload: Bytes::copy_from_slice(payload),
        };
        match self.frames.binary_search_by_key(&slot, |(s, _)| *s) {
            Ok(index) => match self.frames.get_mut(index) {
                Some((_, old)) if old.payload != payload => {
                    *old = frame();
                    true
                }
                _ => false,
            },
            Err(_) if self.frames.len() >= AT_MOST => false,
            Err(index) => {
                self.frames.insert(index, (slot, frame()));
                true
            }
        }
    }

    fn get(&self, slot: Slot) -> Option<&Bytes> {
        self.frames.iter().find(|(s, _)| *s == slot).map(|(_, frame)| &frame.payload)
    }
}
