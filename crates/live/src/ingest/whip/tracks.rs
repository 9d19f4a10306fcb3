//! Frames of WebRTC to messages of the hub, and when a key frame has to be asked for.

use std::time::{Duration, Instant};

use media::pack::{AudioPacker, Message, TICKS_PER_SECOND, VideoPacker};
use media::{AudioCodec, VideoCodec};
use str0m::format::Codec;
use str0m::media::{MediaAdded, MediaData, MediaKind, Mid, Rid};

use super::lip_sync::LipSync;

/// Encoders for calls send key frames only when asked; segments and viewers need them. While somebody watches, one is
/// asked for when the last is this old.
const WATCHED: Duration = Duration::from_secs(2);
/// While nobody does.
const UNWATCHED: Duration = Duration::from_secs(10);
/// Asking more often than this would flood an encoder that is slow to answer.
const AGAIN: Duration = Duration::from_millis(700);
/// Opus in WebRTC is always announced with two channels (RFC 7587, 7).
const OPUS_CHANNELS: u8 = 2;

/// The tracks of a push: the first of each kind.
#[derive(Debug)]
pub(super) struct Tracks {
    origin: Instant,
    video: Option<Track<VideoPacker>>,
    audio: Option<Track<AudioPacker>>,
    messages: Vec<Message>,
    gaps: u64,
    broken: u64,
    last_key: Option<Instant>,
    lip_sync: LipSync,
    /// Nothing can be decoded until a key frame comes.
    needs_key: bool,
    asked: Option<Instant>,
}

#[derive(Debug)]
struct Track<P> {
    mid: Mid,
    /// Of several layers, the first that came.
    rid: Option<Option<Rid>>,
    codec: Option<Codec>,
    packer: Option<P>,
    /// What makes the sender's clock ours, in ticks.
    offset: Option<i64>,
}

impl<P> Track<P> {
    fn new(mid: Mid) -> Self {
        Self { mid, rid: None, codec: None, packer: None, offset: None }
    }

    /// Whether the frame belongs to it.
    fn has(&mut self, data: &MediaData) -> bool {
        self.mid == data.mid && *self.rid.get_or_insert(data.rid) == data.rid
    }

    /// The frame's time from the start of the push, in ticks: the first frame is when it arrived, the others are as far
    /// from it as the sender's clock says.
    fn time(&mut self, data: &MediaData, origin: Instant) -> i64 {
        let units = i128::from(data.time.numer()) * i128::from(TICKS_PER_SECOND)
            / i128::from(data.time.denom().max(1));
        let units = i64::try_from(units).unwrap_or(i64::MAX / 2);
        let arrived = data.network_time.saturating_duration_since(origin).as_micros() as i64;
        let offset = *self.offset.get_or_insert_with(|| {
            (arrived.saturating_mul(TICKS_PER_SECOND) / 1_000_000).saturating_sub(units)
        });
        units.saturating_add(offset)
    }

    /// Moves this frame and those to come.
    fn move_by(&mut self, ticks: i64) {
        self.offset = self.offset.map(|offset| offset.saturating_add(ticks));
    }
}

impl Tracks {
    pub(super) fn new(origin: Instant) -> Self {
        Self {
            origin,
            video: None,
            audio: None,
            messages: Vec::new(),
            gaps: 0,
            broken: 0,
            last_key: None,
            lip_sync: LipSync::default(),
            needs_key: false,
            asked: None,
        }
    }

    /// A media that offer and answer have agreed on; only the first of each kind counts.
    pub(super) fn add(&mut self, added: &MediaAdded) {
        match added.kind {
            MediaKind::Video if self.video.is_none() => self.video = Some(Track::new(added.mid)),
            MediaKind::Audio if self.audio.is_none() => self.audio = Some(Track::new(added.mid)),
            _ => {}
        }
    }

    pub(super) fn kind_of(&self, mid: Mid) -> Option<MediaKind> {
        let video = self.video.as_ref().is_some_and(|track| track.mid == mid);
        let audio = self.audio.as_ref().is_some_and(|track| track.mid == mid);
        video.then_some(MediaKind::Video).or(audio.then_some(MediaKind::Audio))
    }

    /// Frames that came behind a hole.
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Frames that could not be packed.
    pub(super) fn broken(&self) -> u64 {
        self.broken
    }

    /// The messages of the frames taken since; the caller drains them.
    pub(super) fn messages(&mut self) -> &mut Vec<Message> {
        &mut self.messages
    }

    /// Takes a frame.
    pub(super) fn frame(&mut self, data: &MediaData) {
        let codec = data.params.spec().codec;
        if let Some(track) = self.video.as_mut().filter(|track| track.mid == data.mid) {
            if !track.has(data) {
                return;
            }
            if !data.contiguous {
                self.gaps += 1;
                self.needs_key = true;
            }
            if track.codec != Some(codec) {
                track.codec = Some(codec);
                track.packer = video_codec(codec).and_then(|codec| VideoPacker::new(codec).ok());
            }
            let time = track.time(data, self.origin);
            let off = self.lip_sync.picture(time, data.time, data.last_sender_info.as_ref());
            track.move_by(off);
            let time = time.saturating_add(off);
            let Some(packer) = &mut track.packer else { return };
            if packer.pack(&data.data, time, time, &mut self.messages).is_err() {
                self.broken += 1;
                self.needs_key = true;
            }
            if self.messages.iter().any(|message| message.key && !message.header) {
                self.last_key = Some(data.network_time);
                self.needs_key = false;
            }
        } else if let Some(track) = self.audio.as_mut().filter(|track| track.mid == data.mid) {
            if !track.has(data) || codec != Codec::Opus {
                return;
            }
            if track.packer.is_none() {
                track.packer = AudioPacker::new(AudioCodec::Opus, OPUS_CHANNELS).ok();
            }
            let time = track.time(data, self.origin);
            self.lip_sync.sound(time, data.time, data.last_sender_info.as_ref());
            let Some(packer) = &mut track.packer else { return };
            if packer.pack(&data.data, time, &mut self.messages).is_err() {
                self.broken += 1;
            }
        }
    }

    /// The media to ask for a key frame, if it is time for one. `wanted` says that a viewer cannot begin or go on.
    pub(super) fn key_frame_due(
        &mut self,
        now: Instant,
        watched: bool,
        wanted: bool,
    ) -> Option<(Mid, Option<Rid>)> {
        let track = self.video.as_ref()?;
        let age = self.last_key.map(|at| now.saturating_duration_since(at));
        let limit = if watched { WATCHED } else { UNWATCHED };
        self.needs_key |= wanted && age.is_none_or(|age| age > AGAIN);
        let due = self.needs_key || age.is_none_or(|age| age >= limit);
        let again = self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= AGAIN);
        (due && again).then(|| {
            self.asked = Some(now);
            (track.mid, track.rid.flatten())
        })
    }
}

fn video_codec(codec: Codec) -> Option<VideoCodec> {
    Some(match codec {
        Codec::H264 => VideoCodec::Avc,
        Codec::H265 => VideoCodec::Hevc,
        Codec::Av1 => VideoCodec::Av1,
        Codec::Vp9 => VideoCodec::Vp9,
        Codec::Vp8 => VideoCodec::Vp8,
        _ => return None,
    })
}
