//! Media as it stands on the wire, made once: each message only gets its timestamp, its stream and its stamp.

use rtmp::MessageInfo;
use rtmp::chunk::frame;

use super::stamp::{self, Stamp};
use super::ts::TsMedia;
use crate::media;

/// OBS's chunk size; announced before the first message.
pub(super) const CHUNK_SIZE: u32 = 4096;
/// Seconds from one key frame to the next.
const GROUP_S: u32 = 2;
/// A key frame is as large as this many others.
const KEY_WEIGHT: u32 = 6;
/// AAC: 1024 samples a frame at 44.1 kHz.
pub(super) const AUDIO_PER_MINUTE: u32 = 2584;
/// Audio takes an eighth, but not more than this, kbit/s.
const AUDIO_KBPS: u32 = 128;
/// Chunk streams as ffmpeg uses them.
const AUDIO_CHUNK_STREAM: u32 = 4;
const VIDEO_CHUNK_STREAM: u32 = 6;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
/// A basic header of one byte and a full message header (RTMP 1.0, 5.3.1).
const HEADER: usize = 12;

/// One message with a full header, in chunks.
#[derive(Debug)]
pub(super) struct Wire {
    bytes: Vec<u8>,
}

impl Wire {
    fn new(chunk_stream: u32, type_id: u8, body: &[u8]) -> Self {
        let info = MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp: 0, stream_id: 0 };
        Self { bytes: frame(&info, body, CHUNK_SIZE).to_vec() }
    }

    /// The message at a time (below 2^24 - 1 ms) on a message stream.
    pub(super) fn at(&mut self, timestamp: u32, stream_id: u32) -> &[u8] {
        let [_, high, middle, low] = timestamp.to_be_bytes();
        if let Some(header) = self.bytes.first_chunk_mut::<HEADER>() {
            header[1..4].copy_from_slice(&[high, middle, low]);
            header[8..12].copy_from_slice(&stream_id.to_le_bytes());
        }
        &self.bytes
    }

    fn stamped(&mut self, timestamp: u32, stream_id: u32, stamp: Stamp) -> &[u8] {
        if let Some(place) = self.bytes.get_mut(HEADER + stamp::AT..HEADER + stamp::SEEN) {
            place.copy_from_slice(&stamp.bytes());
        }
        self.at(timestamp, stream_id)
    }
}

/// Everything that a publisher sends.
#[derive(Debug)]
pub(super) struct Media {
    key: Wire,
    inter: Wire,
    audio: Wire,
    video_header: Wire,
    audio_header: Wire,
    group: u64,
    /// The same as a transport stream.
    pub(super) ts: TsMedia,
}

/// Bytes of each unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) key: usize,
    pub(super) inter: usize,
    pub(super) audio: usize,
    /// Pictures from one key frame to the next.
    pub(super) group: u64,
}

impl Sizes {
    /// Sizes for so many kbit/s in all, with so many pictures a second.
    pub(super) fn new(kbps: u32, fps: u32) -> Self {
        let audio_kbps = (kbps / 8).min(AUDIO_KBPS);
        let audio = bytes_each(audio_kbps, AUDIO_PER_MINUTE, 60);
        let pictures = GROUP_S * fps + KEY_WEIGHT - 1;
        let inter = bytes_each(kbps - audio_kbps, pictures, GROUP_S);
        Self { key: inter * KEY_WEIGHT as usize, inter, audio, group: u64::from(GROUP_S * fps) }
    }
}

impl Media {
    /// Media of so many kbit/s in all, with so many pictures a second.
    pub(super) fn new(kbps: u32, fps: u32) -> Self {
        let sizes = Sizes::new(kbps, fps);
        Self {
            key: Wire::new(VIDEO_CHUNK_STREAM, VIDEO, &picture(true, sizes.key)),
            inter: Wire::new(VIDEO_CHUNK_STREAM, VIDEO, &picture(false, sizes.inter)),
            audio: Wire::new(AUDIO_CHUNK_STREAM, AUDIO, &media::audio(sizes.audio.saturating_sub(2))),
            video_header: Wire::new(VIDEO_CHUNK_STREAM, VIDEO, media::video_header()),
            audio_header: Wire::new(AUDIO_CHUNK_STREAM, AUDIO, media::audio_header()),
            group: sizes.group,
            ts: TsMedia::new(&sizes),
        }
    }

    /// Both sequence headers.
    pub(super) fn headers(&mut self, timestamp: u32, stream_id: u32) -> Vec<u8> {
        let mut bytes = self.video_header.at(timestamp, stream_id).to_vec();
        bytes.extend_from_slice(self.audio_header.at(timestamp, stream_id));
        bytes
    }

    /// Picture number `nth` of a push.
    pub(super) fn video(&mut self, nth: u64, timestamp: u32, stream_id: u32, stamp: Stamp) -> &[u8] {
        let wire = if nth.is_multiple_of(self.group) { &mut self.key } else { &mut self.inter };
        wire.stamped(timestamp, stream_id, stamp)
    }

    /// A frame of audio.
    pub(super) fn audio(&mut self, timestamp: u32, stream_id: u32) -> &[u8] {
        self.audio.at(timestamp, stream_id)
    }
}

/// Time between frames of audio.
pub(super) fn audio_step() -> std::time::Duration {
    std::time::Duration::from_secs(60) / AUDIO_PER_MINUTE
}

/// Bytes of each of `count` messages that share `kbps` over `seconds`.
fn bytes_each(kbps: u32, count: u32, seconds: u32) -> usize {
    let bytes = u64::from(kbps) * 1000 / 8 * u64::from(seconds);
    usize::try_from(bytes / u64::from(count.max(1))).unwrap_or(usize::MAX)
}

/// A video message of about `size` bytes: the stamp's unit, then one unit of a picture.
fn picture(key: bool, size: usize) -> Vec<u8> {
    let stamp = stamp::unit();
    let around = 10 + stamp.len();
    let picture = media::video(key, size.saturating_sub(around));
    let (tag, unit) = picture.split_at(5.min(picture.len()));
    [tag, &stamp, unit].concat()
}

#[cfg(test)]
mod tests {
    use rtmp::chunk::{ChunkReader, Limits};

    use super::*;

    #[test]
    fn what_is_patched_is_read_as_one_message_with_its_stamp() {
        let mut media = Media::new(1_000, 30);
        let stamp = Stamp { stream: 7, frame: 60, sent_us: 1_234_567 };
        let mut reader = ChunkReader::new(Limits::default());
        reader.set_chunk_size(CHUNK_SIZE);
        reader.read_buf().extend_from_slice(media.video(60, 0x0012_3456, 9, stamp));
        let message = reader.next_message().unwrap().expect("a whole message");
        assert_eq!((message.info.timestamp, message.info.stream_id), (0x0012_3456, 9));
        assert_eq!(message.payload[0], 0x17, "60 is the first of a group");
        assert_eq!(Stamp::of(&message.payload), Some(stamp));
        assert!(reader.at_boundary());
    }

    #[test]
    fn a_second_of_media_has_the_bytes_that_were_asked_for() {
        for (kbps, fps) in [(100, 30), (300, 25), (1_000, 30), (8_000, 60)] {
            let media = Media::new(kbps, fps);
            let pictures = media.key.bytes.len() + media.inter.bytes.len() * (2 * fps as usize - 1);
            let second = pictures / 2 + media.audio.bytes.len() * 43;
            let wanted = kbps as usize * 1000 / 8;
            assert!(second.abs_diff(wanted) < wanted / 8, "{kbps} kbit/s: {second} bytes a second");
        }
    }
}
