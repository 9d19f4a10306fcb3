//! What is learned of a push's media from its messages: codecs, sizes, rates, and the events that they give.

use std::time::{Duration, Instant};

use cause::EventKind;
use cause::evidence::{KeyFrames, MediaQuality, Offset};
use media::{AudioCodec, AudioKind, VideoCodec, VideoKind};
use model::record::{AudioRecord, VideoRecord};

use super::drift::Drift;
use super::events::Events;
use super::handle::Declared;
use super::low_rate::LowRate;
use super::watch::Frame;
use crate::config::EventLimits;

/// A path is called suspect at most once in this time.
const SUSPECT_AGAIN_MS: u32 = 60_000;

/// Codecs, sizes, rates and events of one push.
#[derive(Debug, Default)]
pub struct MediaFacts {
    video: Option<Track<VideoCodec>>,
    audio: Option<Track<AudioCodec>>,
    width: Option<u32>,
    height: Option<u32>,
    nal_length_size: u8,
    sample_rate: Option<u32>,
    channels: Option<u32>,
    last_key: Option<u32>,
    key_frames: KeyFrames,
    offset: Option<Offset>,
    messages: u64,
    drift: Drift,
    low_rate: LowRate,
    limits: EventLimits,
    events: Events,
}

#[derive(Debug)]
struct Track<C> {
    codec: C,
    configured: bool,
    frames: u64,
    bytes: u64,
    last: Option<(Instant, u32)>,
    /// Timestamps of the first and the newest frame, for the frame rate.
    span: Option<(u32, u32)>,
}

/// Media that cannot be parsed; cuts the push in strict mode (23/0).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct MediaFault {
    /// Stable name of the rule.
    pub rule: &'static str,
    /// What was found and where.
    pub what: String,
}

impl MediaFacts {
    /// Nothing known yet; what is an event is told by `limits`.
    pub fn new(limits: EventLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// A second is over.
    pub fn second(&mut self, now: Instant, at_ms: u32) {
        self.look_at_offset();
        let (Some(least), Some(track)) = (self.limits.frame_rate, &self.video) else { return };
        if let Some(rate) = self.low_rate.look(now, track.frames).filter(|rate| *rate < least) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small rate, rounded"
            )]
            let hundredths = (rate * 100.0).round() as u32;
            self.events.note(EventKind::LowFrameRate, at_ms, hundredths, None);
        }
    }

    /// How far the newest picture is ahead of the newest sound.
    fn look_at_offset(&mut self) {
        let newest = |span: Option<(u32, u32)>| span.map(|(_, newest)| newest);
        let video = newest(self.video.as_ref().and_then(|track| track.span));
        let audio = newest(self.audio.as_ref().and_then(|track| track.span));
        let Some((video, audio)) = video.zip(audio) else { return };
        let ahead = video.wrapping_sub(audio).cast_signed();
        match &mut self.offset {
            Some(offset) => offset.add(ahead),
            None => self.offset = Some(Offset::new(ahead)),
        }
    }

    /// Looks into a video message.
    ///
    /// # Errors
    /// When the message cannot be parsed; it is counted as an event either way.
    pub fn video(
        &mut self,
        now: Instant,
        at_ms: u32,
        timestamp: u32,
        payload: &[u8],
    ) -> Result<Frame, MediaFault> {
        self.messages += 1;
        let tag = media::parse_video(payload).map_err(|e| self.unparsable(at_ms, "video_tag", &e))?;
        let body = payload.get(tag.body.clone()).unwrap_or_default();
        let frame = Frame {
            video: true,
            coded: tag.is_frame(),
            config: matches!(tag.kind, VideoKind::SequenceHeader | VideoKind::TsSequenceHeader),
            key: tag.kind == VideoKind::KeyFrame,
            timestamp,
        };
        // Further tracks come in messages of their own, with codecs and clocks of their own; the first one is watched.
        let Some(codec) = tag.codec.filter(|_| tag.track_id() == 0) else { return Ok(frame) };
        if self.video.as_ref().is_some_and(|t| t.codec != codec) {
            let was = self.video.as_ref().map(|t| t.codec.to_string()).unwrap_or_default();
            self.events.note_words(EventKind::VideoCodecChanged, at_ms, || format!("{was} → {codec}"));
            self.video = None;
        }
        if self.video.is_none() && codec.is_uncommon() {
            self.events.note_words(EventKind::UncommonCodec, at_ms, || codec.to_string());
        }
        let track = self.video.get_or_insert_with(|| Track::new(codec));
        track.bytes += payload.len() as u64;
        match tag.kind {
            VideoKind::SequenceHeader => {
                track.configured = true;
                match media::video_config(codec, body) {
                    Ok(None) => {}
                    Ok(Some(config)) => {
                        self.width = config.width.or(self.width);
                        self.height = config.height.or(self.height);
                        self.nal_length_size = config.nal_length_size;
                    }
                    Err(e) => return Err(self.unparsable(at_ms, "video_config", &e)),
                }
            }
            VideoKind::KeyFrame | VideoKind::InterFrame => {
                self.video_frame(now, at_ms, codec, &frame, body)?
            }
            _ => {}
        }
        Ok(frame)
    }

    fn video_frame(
        &mut self,
        now: Instant,
        at_ms: u32,
        codec: VideoCodec,
        frame: &Frame,
        body: &[u8],
    ) -> Result<(), MediaFault> {
        self.drift.frame(now, frame.timestamp);
        let Some(track) = self.video.as_mut() else { return Ok(()) };
        if !track.configured && track.frames == 0 && codec.needs_sequence_header() {
            self.events.note_words(EventKind::NoVideoHeader, at_ms, || codec.to_string());
        }
        let step = track.frame(now, frame.timestamp);
        timestamps(&mut self.events, &self.limits, at_ms, &step, frame.timestamp, true);
        if frame.key {
            if self.width.is_none()
                && !codec.needs_sequence_header()
                && let Ok(Some(size)) = media::frame_size(codec, body)
            {
                (self.width, self.height) = (Some(size.width), Some(size.height));
            }
            let gop = self.last_key.replace(frame.timestamp).map(|last| frame.timestamp.wrapping_sub(last));
            // Timestamps that went back give no distance.
            if let Some(gop) = gop.filter(|g| *g < u32::MAX / 2) {
                self.key_frames.add(gop);
                if above(gop, self.limits.gop) {
                    self.events.note(EventKind::LongGop, at_ms, gop, Some(frame.timestamp));
                }
            }
        }
        if codec.has_nal_units() && self.nal_length_size != 0 {
            media::check_access_unit(codec, self.nal_length_size, body)
                .map_err(|e| self.unparsable(at_ms, "access_unit", &e))?;
        }
        Ok(())
    }

    /// Looks into an audio message.
    ///
    /// # Errors
    /// As [`MediaFacts::video`].
    pub fn audio(
        &mut self,
        now: Instant,
        at_ms: u32,
        timestamp: u32,
        payload: &[u8],
    ) -> Result<Frame, MediaFault> {
        self.messages += 1;
        let tag = media::parse_audio(payload).map_err(|e| self.unparsable(at_ms, "audio_tag", &e))?;
        let body = payload.get(tag.body.clone()).unwrap_or_default();
        let config = matches!(tag.kind, AudioKind::SequenceHeader);
        let frame = Frame { coded: tag.is_frame(), config, timestamp, ..Frame::default() };
        let Some(codec) = tag.codec.filter(|_| tag.track_id() == 0) else { return Ok(frame) };
        if self.audio.as_ref().is_some_and(|t| t.codec != codec) {
            let was = self.audio.as_ref().map(|t| t.codec.to_string()).unwrap_or_default();
            self.events.note_words(EventKind::AudioCodecChanged, at_ms, || format!("{was} → {codec}"));
            self.audio = None;
            (self.sample_rate, self.channels) = (None, None);
        }
        if self.audio.is_none() && codec.is_uncommon() {
            self.events.note_words(EventKind::UncommonCodec, at_ms, || codec.to_string());
        }
        let track = self.audio.get_or_insert_with(|| Track::new(codec));
        track.bytes += payload.len() as u64;
        match tag.kind {
            AudioKind::SequenceHeader => {
                track.configured = true;
                match media::audio_config(codec, body) {
                    Ok(None) => {}
                    Ok(Some(config)) => {
                        self.sample_rate = Some(config.sample_rate);
                        self.channels = config.channels.map(u32::from);
                    }
                    Err(e) => return Err(self.unparsable(at_ms, "audio_config", &e)),
                }
            }
            AudioKind::Frame => {
                if !track.configured && track.frames == 0 && codec.needs_sequence_header() {
                    self.events.note_words(EventKind::NoAudioHeader, at_ms, || codec.to_string());
                }
                let step = track.frame(now, timestamp);
                timestamps(&mut self.events, &self.limits, at_ms, &step, timestamp, false);
                self.drift.frame(now, timestamp);
                if self.sample_rate.is_none() {
                    self.learn_audio(codec, tag.classic, body);
                }
            }
            _ => {}
        }
        Ok(frame)
    }

    fn learn_audio(&mut self, codec: AudioCodec, classic: Option<media::ClassicSound>, body: &[u8]) {
        match media::audio_frame_config(codec, body) {
            Ok(Some(config)) => {
                self.sample_rate = Some(config.sample_rate);
                self.channels = config.channels.map(u32::from);
            }
            _ => {
                if let Some(classic) = classic {
                    self.sample_rate = Some(classic.sample_rate);
                    self.channels = Some(u32::from(classic.channels));
                }
            }
        }
    }

    fn unparsable(&mut self, at_ms: u32, rule: &'static str, error: &dyn std::fmt::Display) -> MediaFault {
        let what = error.to_string();
        self.events.note_words(EventKind::Unparsable, at_ms, || what.clone());
        MediaFault { rule, what }
    }

    /// A data message such as onMetaData that is broken.
    pub fn broken_data(&mut self, at_ms: u32, error: &dyn std::fmt::Display) {
        self.unparsable(at_ms, "data", error);
    }

    /// The client chose a chunk size.
    pub fn chunk_size(&mut self, at_ms: u32, size: u32) {
        if self.limits.chunk_size.is_some_and(|limit| size > limit) {
            self.events.note(EventKind::ChunkSize, at_ms, size, None);
        }
    }

    /// Our probe stays unacknowledged.
    pub fn path_suspect(&mut self, at_ms: u32, silence: Duration) {
        if !self.events.within(EventKind::PathSuspect, at_ms, SUSPECT_AGAIN_MS) {
            self.events.note(EventKind::PathSuspect, at_ms, millis(silence), None);
        }
    }

    /// Media came again after a probe had been sent.
    pub fn resumed(&mut self, at_ms: u32, after: Duration) {
        self.events.note(EventKind::Resumed, at_ms, millis(after), None);
    }

    /// The upstream of proxy mode was too slow for so many frames.
    pub fn upstream_slow(&mut self, at_ms: u32, frames: u64) {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.events.note(EventKind::UpstreamSlow, at_ms, frames, None);
    }

    /// How far media time is behind wall-clock time, ms.
    pub fn lag_ms(&self, now: Instant) -> i32 {
        self.drift.lag_ms(now)
    }

    /// Events so far.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Events so far, to be taken.
    pub fn events_mut(&mut self) -> &mut Events {
        &mut self.events
    }

    /// Audio and video messages so far, configuration included.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Coded video frames so far.
    pub fn video_frames(&self) -> u64 {
        self.video.as_ref().map_or(0, |t| t.frames)
    }

    /// Coded audio frames so far.
    pub fn audio_frames(&self) -> u64 {
        self.audio.as_ref().map_or(0, |t| t.frames)
    }

    /// What the media was like beside what its encoder promised.
    pub fn quality(&self, declared: Declared) -> MediaQuality {
        let hundredths = |rate: f64| (rate * 100.0).round() as u32;
        MediaQuality {
            declared_kbps: declared.kbps.map(|rate| rate.round() as u32),
            declared_fps: declared.fps.map(|rate| hundredths(rate.into())),
            fps: self.video.as_ref().and_then(Track::fps).map(hundredths),
            key_frames: self.key_frames,
            offset: self.offset,
        }
    }

    /// Video as the record shows it; `live` is the time over which bytes are averaged.
    pub fn video_record(&self, live: Duration) -> Option<VideoRecord> {
        let track = self.video.as_ref()?;
        Some(VideoRecord {
            codec: Some(track.codec.to_string()),
            width: self.width,
            height: self.height,
            fps: track.fps(),
            kbps: kbps(track.bytes, live),
        })
    }

    /// Audio as the record shows it.
    pub fn audio_record(&self, live: Duration) -> Option<AudioRecord> {
        let track = self.audio.as_ref()?;
        Some(AudioRecord {
            codec: Some(track.codec.to_string()),
            sample_rate: self.sample_rate,
            channels: self.channels,
            kbps: kbps(track.bytes, live),
        })
    }
}

/// The distance of a frame from the one before it on its track.
struct Step {
    timestamp: Option<i32>,
    arrival: Option<Duration>,
}

impl<C> Track<C> {
    fn new(codec: C) -> Self {
        Self { codec, configured: false, frames: 0, bytes: 0, last: None, span: None }
    }

    fn frame(&mut self, now: Instant, timestamp: u32) -> Step {
        self.frames += 1;
        self.span = Some((self.span.map_or(timestamp, |(first, _)| first), timestamp));
        let last = self.last.replace((now, timestamp));
        Step {
            timestamp: last.map(|(_, ts)| timestamp.wrapping_sub(ts).cast_signed()),
            arrival: last.map(|(at, _)| now.saturating_duration_since(at)),
        }
    }

    /// Frames a second by media time, to two decimals.
    fn fps(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let ms = f64::from(last.wrapping_sub(first));
        // A push shorter than this has no rate worth stating.
        if self.frames < 2 || ms < 100.0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "frame counts stay far below 2^52")]
        let fps = (self.frames - 1) as f64 * 1000.0 / ms;
        Some((fps * 100.0).round() / 100.0)
    }
}

fn timestamps(
    events: &mut Events,
    limits: &EventLimits,
    at_ms: u32,
    step: &Step,
    timestamp: u32,
    video: bool,
) {
    let (back, jump, gap, limit) = if video {
        (EventKind::VideoBack, EventKind::VideoJump, EventKind::VideoGap, limits.video_gap)
    } else {
        (EventKind::AudioBack, EventKind::AudioJump, EventKind::AudioGap, limits.audio_gap)
    };
    if let Some(step) = step.timestamp {
        let by = step.unsigned_abs();
        if step < 0 {
            events.note(back, at_ms, by, Some(timestamp));
        } else if above(by, limits.jump) {
            events.note(jump, at_ms, by, Some(timestamp));
        } else if !video && above(by, limits.audio_step) {
            events.note(EventKind::AudioStep, at_ms, by, Some(timestamp));
        }
    }
    if let (Some(apart), Some(limit)) = (step.arrival, limit)
        && apart > limit
    {
        events.note(gap, at_ms, millis(apart), Some(timestamp));
    }
}

fn above(ms: u32, limit: Option<Duration>) -> bool {
    limit.is_some_and(|limit| u128::from(ms) > limit.as_millis())
}

fn millis(d: Duration) -> u32 {
    u32::try_from(d.as_millis()).unwrap_or(u32::MAX)
}

fn kbps(bytes: u64, live: Duration) -> Option<u32> {
    let ms = u64::try_from(live.as_millis()).ok().filter(|ms| *ms > 0)?;
    u32::try_from(bytes.saturating_mul(8) / ms).ok()
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    /// A classic AVC tag header before two NAL units' worth of nothing.
    fn avc(key: bool, packet: u8) -> Vec<u8> {
        let mut tag = vec![if key { 0x17 } else { 0x27 }, packet, 0, 0, 0];
        tag.extend([0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
        tag
    }

    fn kinds(facts: &MediaFacts) -> Vec<u8> {
        facts.events().counts().iter().map(|e| e.kind).collect()
    }

    #[test]
    fn timestamps_and_gaps_give_events() {
        let start = SystemClock.instant();
        let mut facts = MediaFacts::default();
        let at = |s: u64| start + Duration::from_secs(s);
        facts.video(at(0), 0, 0, &avc(true, 1)).unwrap();
        facts.video(at(1), 1_000, 1_001, &avc(false, 1)).unwrap();
        facts.video(at(1), 1_000, 900, &avc(false, 1)).unwrap();
        facts.video(at(5), 5_000, 920, &avc(false, 1)).unwrap();
        facts.video(at(16), 16_000, 12_000, &avc(true, 1)).unwrap();
        let mut seen = kinds(&facts);
        seen.sort_unstable();
        assert_eq!(seen, [1, 3, 6, 10, 16]);
        assert_eq!(facts.video_frames(), 5);
    }

    #[test]
    fn audio_timestamps_far_apart_give_an_event_and_a_jump_gives_its_own_alone() {
        let now = SystemClock.instant();
        let mut facts = MediaFacts::default();
        for timestamp in [0, 300, 601, 1_601, 2_602] {
            facts.audio(now, 0, timestamp, &[0x2F, 1]).unwrap();
        }
        let counts = facts.events().counts();
        assert_eq!(counts.iter().map(|e| (e.kind, e.count)).collect::<Vec<_>>(), [(12, 2), (4, 1)]);
    }

    #[test]
    fn what_is_an_event_follows_the_limits() {
        let now = SystemClock.instant();
        let jump = Some(Duration::from_millis(50));
        let mut facts = MediaFacts::new(EventLimits { jump, chunk_size: None, ..EventLimits::default() });
        facts.chunk_size(0, 65_536);
        facts.audio(now, 0, 0, &[0x2F, 1]).unwrap();
        facts.audio(now, 0, 51, &[0x2F, 1]).unwrap();
        assert_eq!(kinds(&facts), [4]);
    }

    #[test]
    fn few_frames_a_second_give_an_event_every_five_seconds() {
        let start = SystemClock.instant();
        let mut facts = MediaFacts::default();
        for second in 0..21u32 {
            let now = start + Duration::from_secs(u64::from(second));
            for n in 0..if second < 10 { 25 } else { 4 } {
                facts.video(now, second * 1000, second * 1000 + n * 40, &avc(second % 2 == 0, 1)).unwrap();
            }
            facts.second(now, second * 1000);
        }
        let counts = facts.events().counts();
        let low = counts.iter().find(|e| e.kind == 15).unwrap();
        assert_eq!((low.count, low.recent[0].value), (2, Some(400)), "{low:?}");
    }

    #[test]
    fn a_codec_change_and_an_uncommon_codec_give_events() {
        let now = SystemClock.instant();
        let mut facts = MediaFacts::default();
        facts.audio(now, 0, 0, &[0xAF, 1, 2, 3]).unwrap();
        facts.audio(now, 0, 20, &[0x5E, 1, 2, 3]).unwrap();
        let mut seen = kinds(&facts);
        seen.sort_unstable();
        assert_eq!(seen, [9, 11, 13]);
    }

    #[test]
    fn media_that_cannot_be_parsed_is_an_event_and_a_fault() {
        let now = SystemClock.instant();
        let mut facts = MediaFacts::default();
        assert_eq!(facts.video(now, 7, 0, &[]).unwrap_err().rule, "video_tag");
        assert_eq!(facts.video(now, 7, 0, &[0x17, 0, 0, 0, 0, 1]).unwrap_err().rule, "video_config");
        assert_eq!(kinds(&facts), [14]);
    }

    #[test]
    fn key_frames_and_the_offset_of_sound_and_picture_are_measured() {
        let now = SystemClock.instant();
        let mut facts = MediaFacts::default();
        for (at, key) in [(0, true), (1_000, false), (2_000, true), (1_500, true), (5_500, true)] {
            facts.video(now, at, at, &avc(key, 1)).unwrap();
            facts.audio(now, at, at + 40, &[0x2F, 1]).unwrap();
            facts.second(now, at);
        }
        facts.audio(now, 0, 6_500, &[0x2F, 1]).unwrap();
        facts.second(now, 6_500);
        let quality = facts.quality(Declared { fps: Some(29.97), kbps: Some(2_500.4) });
        assert_eq!((quality.declared_fps, quality.declared_kbps), (Some(2_997), Some(2_500)));
        let keys = KeyFrames { count: 2, total_ms: 6_000, shortest_ms: 2_000, longest_ms: 4_000 };
        assert_eq!(quality.key_frames, keys, "a timestamp that went back gives no distance");
        assert_eq!(quality.offset, Some(Offset { first_ms: -40, last_ms: -1_000, widest_ms: -1_000 }));
    }

    #[test]
    fn rates_are_measured_over_the_push() {
        let start = SystemClock.instant();
        let mut facts = MediaFacts::default();
        for i in 0..31u32 {
            facts.video(start, i * 33, i * 33, &avc(i == 0, 1)).unwrap();
        }
        let video = facts.video_record(Duration::from_secs(1)).unwrap();
        assert_eq!((video.codec.as_deref(), video.fps), (Some("H.264"), Some(30.3)));
        assert_eq!(video.kbps, Some(31 * 10 * 8 / 1000));
        assert!(facts.audio_record(Duration::from_secs(1)).is_none());
    }
}
