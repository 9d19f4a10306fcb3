//! A stretch of the stream in which tracks and timeline stay the same: it is cut into parts and segments here.

use std::sync::Arc;

use bytes::Bytes;

use super::queue::Queue;
use super::segment::{Init, Part};
use super::settings::Settings;
use super::time::AudioClock;
use super::window::{Head, Window};
use crate::cmaf::{AUDIO_TRACK, Tracks, VIDEO_TIMESCALE, VIDEO_TRACK, VideoTrack, fragment};

/// Key frames may come this much early without making a segment twice as long as asked.
const EARLY_US: i64 = 100_000;
/// Sound may run ahead of the picture by this much; from there on it drives the cuts.
const LEAD_US: i64 = 2_000_000;
/// A track that stays away for this long is gone.
const GONE_US: i64 = 5_000_000;
/// Without a frame for this long, and a segment that has to end, there is a hole in the timeline.
const HOLE_US: i64 = 1_000_000;
/// Frames that a part holds at most; only timestamps that hardly move get there.
const MAX_FRAMES: usize = 2048;
/// Ticks of video in a millisecond.
const TICKS_PER_MS: i64 = VIDEO_TIMESCALE as i64 / 1000;
/// How long a frame of the picture plays while no other has come: 25 a second.
const FIRST_FRAME: u32 = VIDEO_TIMESCALE / 25;

/// A track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    Audio,
}

/// Why a period cannot go on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// A track that was announced, or was there, does not come.
    Gone(Kind),
    /// The frame comes too late for this timeline; it was not taken.
    Hole,
}

/// When a frame came and when it is meant for.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Its timestamp, continued beyond 32 bits.
    pub ms: i64,
    /// Wall-clock time at which it came, in milliseconds since the Unix epoch.
    pub wall_ms: i64,
}

#[derive(Debug)]
pub(super) struct Period {
    settings: Settings,
    tracks: Tracks,
    init: Arc<Init>,
    video: Option<Queue>,
    audio: Option<(Queue, AudioClock)>,
    /// How long parts are planned, once the first of them has shown how long frames play.
    part_us: Option<i64>,
    /// Where the period, its newest part and its newest segment begin, in microseconds.
    start: i64,
    part_start: i64,
    segment_start: i64,
    /// Wall-clock time minus timestamp, in milliseconds: the least one seen in the first segment, which is that of the
    /// frame that waited least.
    wall_offset: Option<i64>,
    in_first_segment: bool,
    fresh: bool,
}

impl Period {
    pub fn new(settings: Settings, tracks: Tracks, init: Arc<Init>, start_ms: i64) -> Self {
        let video = tracks.video.as_ref().map(|_| Queue::new(VIDEO_TRACK, VIDEO_TIMESCALE, FIRST_FRAME));
        let audio = tracks.audio.as_ref().map(|audio| {
            let rate = audio.timescale();
            (Queue::new(AUDIO_TRACK, rate, rate / 50), AudioClock::new(rate))
        });
        let start = start_ms.saturating_mul(1000);
        Self {
            settings,
            tracks,
            init,
            video,
            audio,
            part_us: None,
            start,
            part_start: start,
            segment_start: start,
            wall_offset: None,
            in_first_segment: true,
            fresh: true,
        }
    }

    pub fn has_video(&self) -> bool {
        self.video.is_some()
    }

    /// Adds a frame of the picture. Says when it, or the sound, has stayed away too long.
    pub fn video(
        &mut self,
        window: &mut Window,
        at: At,
        composition: i32,
        key: bool,
        data: Bytes,
    ) -> Option<Broken> {
        self.see(at);
        let ticks = at.ms.saturating_mul(TICKS_PER_MS);
        let queue = self.video.as_ref()?;
        let now = queue.us(ticks);
        let since = queue.last_us().map(|last| now - last).filter(|since| *since > 0);
        // The rate that an encoder announces is not always the one it keeps.
        let so_far = now - self.start;
        if so_far + since.unwrap_or(0) / 2 >= self.settings.part_us()
            && let Some(frames) = i64::try_from(queue.len()).ok().filter(|frames| *frames > 0)
        {
            self.plan(window, so_far / frames);
        }
        if self.cut(window, now, key, since.unwrap_or(0)) {
            return Some(Broken::Hole);
        }
        let track = self.tracks.video.as_ref()?;
        let queue = self.video.as_mut()?;
        if let Some(since) = since {
            queue.set_usual(queue.ticks(since));
        }
        queue.push(ticks, composition, key, data.slice(track.sample_start(&data)..));
        let heard = self.audio.as_ref()?.0.last_us().unwrap_or(self.start);
        (now - heard > GONE_US).then_some(Broken::Gone(Kind::Audio))
    }

    /// Adds a frame of the sound. Says when it, or the picture, has stayed away too long.
    pub fn audio(&mut self, window: &mut Window, at: At, data: Bytes) -> Option<Broken> {
        self.see(at);
        let track = self.tracks.audio.as_ref()?;
        let duration = track.frame_duration(&data);
        let (queue, clock) = self.audio.as_mut()?;
        let time = clock.place(at.ms, duration)?;
        let now = queue.us(time);
        // Sound from before the first key frame has nothing to be played with.
        if now < self.segment_start && self.fresh {
            return None;
        }
        queue.set_usual(i64::from(duration));
        let frame = queue.us(i64::from(duration));
        let seen = self.video.as_ref().map(|video| video.last_us().unwrap_or(self.start));
        let late = match seen {
            None => {
                self.plan(window, frame);
                self.cut(window, now, true, frame)
            }
            Some(seen) if now - seen > GONE_US => return Some(Broken::Gone(Kind::Video)),
            Some(seen) if now - seen > LEAD_US => {
                self.plan(window, frame);
                self.cut(window, now - LEAD_US, false, 0)
            }
            Some(_) => false,
        };
        if late {
            return Some(Broken::Hole);
        }
        let (queue, _) = self.audio.as_mut()?;
        queue.push(time, 0, true, data);
        self.cut_if_heavy(window, now);
        None
    }

    /// Cuts off what is left.
    pub fn end(mut self, window: &mut Window) {
        let end = self.end_us();
        self.split(window, end);
        self.close_parts(window, end);
        self.close_segment(window, end);
    }

    fn see(&mut self, at: At) {
        if self.in_first_segment {
            let offset = at.wall_ms.saturating_sub(at.ms);
            self.wall_offset = Some(self.wall_offset.map_or(offset, |least| least.min(offset)));
        }
    }

    /// Plans parts of whole frames, as near as they come to what was asked for.
    fn plan(&mut self, window: &Window, frame: i64) {
        if self.part_us.is_some() {
            return;
        }
        let frame = frame.clamp(1_000, 10_000_000);
        let asked = self.settings.part_us();
        let fitting = match window.part_limit_us() {
            // What a playlist has said binds, and half a frame more may come.
            Some(limit) => (limit / frame).min((asked + frame / 2) / frame),
            None => (asked + frame / 2) / frame,
        };
        self.part_us = Some(frame.saturating_mul(fitting.max(1)));
    }

    fn part_us(&self) -> i64 {
        self.part_us.unwrap_or_else(|| self.settings.part_us())
    }

    /// Ends part and segment before a frame at `now`, where it is time. `frame` is how long frames play. Says when the
    /// frame comes so late that it cannot belong to the timeline any more.
    fn cut(&mut self, window: &mut Window, now: i64, key: bool, frame: i64) -> bool {
        let so_far = now - self.segment_start;
        let longest = window.longest_us();
        let segment_over =
            key && so_far >= self.settings.segment_us() - EARLY_US || so_far.saturating_add(frame) > longest;
        // Waiting for a frame may not make a segment longer than promised: it ends with the frame before.
        let played = self.end_us();
        let end = if so_far > longest { now.min(played) } else { now };
        if segment_over {
            self.split(window, end);
        }
        if segment_over || now - self.part_start + frame / 2 > self.part_us() {
            self.close_part(window, end, end == now);
        }
        if segment_over {
            self.close_segment(window, now);
        }
        self.cut_if_heavy(window, now);
        so_far > longest && now - played > HOLE_US
    }

    /// Until when what came so far plays.
    fn end_us(&self) -> i64 {
        let ends = [self.video.as_ref(), self.audio.as_ref().map(|(queue, _)| queue)];
        ends.into_iter()
            .flatten()
            .filter_map(Queue::end_us)
            .max()
            .unwrap_or(self.part_start)
            .max(self.part_start)
    }

    /// Bytes and frames are bounded whatever the timestamps say.
    fn cut_if_heavy(&mut self, window: &mut Window, now: i64) {
        let queues =
            || [self.video.as_ref(), self.audio.as_ref().map(|(queue, _)| queue)].into_iter().flatten();
        let waiting: usize = queues().map(Queue::bytes).sum();
        let frames: usize = queues().map(Queue::len).sum();
        let limit = self.settings.max_segment_bytes();
        if frames >= MAX_FRAMES || waiting.saturating_add(window.open_bytes()) >= limit {
            self.close_all(window, now);
        }
    }

    fn close_all(&mut self, window: &mut Window, now: i64) {
        let ends = [self.video.as_ref(), self.audio.as_ref().map(|(queue, _)| queue)];
        let newest = ends.into_iter().flatten().filter_map(Queue::last_us).max().unwrap_or(now);
        // Just after the newest frame, so that none stays behind.
        let end = now.max(newest + 1).max(self.part_start);
        self.split(window, end);
        self.close_parts(window, end);
        self.close_segment(window, end);
    }

    /// Ends segments before `end` for as long as one that ends there would be longer than promised: sound may be far ahead
    /// of the picture when a timeline breaks.
    fn split(&mut self, window: &mut Window, end: i64) {
        while self.waits() && end - self.segment_start > window.longest_us() {
            let at = self.segment_start + window.longest_us();
            self.close_parts(window, at);
            self.close_segment(window, at);
        }
    }

    /// Makes parts of what begins before `end`, none longer than promised unless nothing begins for that long.
    fn close_parts(&mut self, window: &mut Window, end: i64) {
        let limit = window.part_limit_us().unwrap_or_else(|| self.part_us());
        let mut begun = None;
        while end - self.part_start > limit && begun != Some(self.part_start) {
            begun = Some(self.part_start);
            self.close_part(window, self.part_start + self.part_us().min(limit), false);
        }
        self.close_part(window, end, false);
    }

    fn waits(&self) -> bool {
        let queues = [self.video.as_ref(), self.audio.as_ref().map(|(queue, _)| queue)];
        queues.into_iter().flatten().any(|queue| queue.len() > 0)
    }

    /// Makes a part of what begins before `end`; where `exact`, a frame of the driving track begins there.
    fn close_part(&mut self, window: &mut Window, end: i64, exact: bool) {
        let pictures = self.video.as_mut().and_then(|queue| queue.take(end, exact));
        let exact_sound = exact && self.video.is_none();
        let sounds = self.audio.as_mut().and_then(|(queue, _)| queue.take(end, exact_sound));
        let first = pictures.as_ref().or(sounds.as_ref()).and_then(|run| run.samples.first());
        let independent =
            first.is_some_and(|sample| sample.sync) && (pictures.is_some() || self.video.is_none());
        let frames = pictures.as_ref().map_or(0, |run| run.samples.len());
        let runs: Vec<_> = pictures.into_iter().chain(sounds).collect();
        let end = end.max(self.part_start);
        if runs.is_empty() {
            return;
        }
        let sequence = window.next_fragment();
        let part = Part {
            bytes: Bytes::from(fragment(sequence, &runs)),
            duration_us: (end - self.part_start).max(0),
            independent,
            pictures: u32::try_from(frames).unwrap_or(u32::MAX),
        };
        let start_ms = self.segment_start / 1000;
        let date_ms = self.wall_offset.unwrap_or(0).saturating_add(start_ms);
        let head = Head { init: &self.init, discontinuity: self.fresh, date_ms };
        window.add(part, &head, self.part_us());
        self.fresh = false;
        self.part_start = end;
    }

    fn close_segment(&mut self, window: &mut Window, end: i64) {
        window.complete(self.part_us());
        self.segment_start = end.max(self.segment_start);
        self.part_start = self.segment_start;
        self.in_first_segment &= self.fresh;
    }
}

/// The initialization segment of a period.
pub(super) fn init_of(tracks: &Tracks, id: u32) -> Init {
    let video = tracks.video.as_ref();
    Init {
        id,
        bytes: Bytes::from(crate::cmaf::init_segment(tracks)),
        codecs: tracks.codecs(),
        size: video.map(VideoTrack::size),
        fps: video.and_then(VideoTrack::fps),
    }
}
