//! The push's end of a live stream.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use bytes::Bytes;
use media::{AudioKind, VideoKind};

use super::frame::{Frame, FrameKind};
use super::headers::{Headers, Slot};
use super::state::{Feed, Phase, State};
use crate::config::PlayConfig;

/// Frames of a push that takes over count from its first key frame on; from the first frame if so much media, ms, has
/// come without any video.
const WAIT_FOR_VIDEO: u32 = 500;

/// What one push hands to the viewers. A push that does not carry the stream (a backup, or one just replaced) hands over
/// the same; its headers are remembered, its frames are dropped.
#[derive(Debug)]
pub struct Writer {
    feed: Arc<Feed>,
    play: Arc<PlayConfig>,
    /// Which push this is.
    number: u64,
    headers: Headers,
    /// Whether the feed has the headers as they are now.
    headers_given: bool,
    /// Timestamp of the first frame since this push carries the stream and has not begun.
    waits_since: Option<u32>,
    flush_at: Option<Instant>,
    /// Wakers of the last batch; kept for its memory.
    woken: Vec<Waker>,
}

/// A message, as far as it matters here.
enum Message {
    Frame,
    Header(Slot),
    /// Nothing that a viewer could use.
    Nothing,
}

impl Writer {
    pub(crate) fn new(feed: Arc<Feed>, play: Arc<PlayConfig>, number: u64) -> Self {
        Self {
            feed,
            play,
            number,
            headers: Headers::default(),
            headers_given: false,
            waits_since: None,
            flush_at: None,
            woken: Vec::new(),
        }
    }

    /// Which push this is, among all of the node.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The stream that it writes to.
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Hands an audio or video message over. `coded` and `key` are what the push's watch has found it to be.
    pub fn media(
        &mut self,
        now: Instant,
        kind: FrameKind,
        timestamp: u32,
        payload: Bytes,
        coded: bool,
        key: bool,
    ) {
        let message = if coded { Message::Frame } else { classify(kind, &payload) };
        match message {
            Message::Frame => {
                if self.headers.carries(kind) {
                    self.headers_given = false;
                }
                self.frame(now, Frame { kind, timestamp, key, config: false, payload });
            }
            Message::Header(slot) => {
                if self.headers.set(slot, kind, &payload) {
                    self.headers_given = false;
                }
            }
            Message::Nothing => {}
        }
    }

    /// Hands a data message over: AMF0, its name first. Metadata is kept for viewers who come later.
    pub fn data(&mut self, now: Instant, timestamp: u32, name: &str, payload: &Bytes) {
        if name == "onMetaData" {
            if self.headers.set(Slot::Metadata, FrameKind::Script, payload) {
                self.headers_given = false;
            }
        } else if !payload.is_empty() {
            let payload = payload.clone();
            self.frame(now, Frame { kind: FrameKind::Script, timestamp, key: false, config: false, payload });
        }
    }

    /// When [`Writer::flush`] is due: viewers wait for what has come, and nothing more comes to push it out.
    pub fn deadline(&self) -> Option<Instant> {
        self.flush_at
    }

    /// Hands out what waits to be merged with more, if its time has come.
    pub fn flush(&mut self, now: Instant) {
        if self.flush_at.is_none_or(|at| now < at) {
            return;
        }
        self.flush_at = None;
        let mut state = self.feed.lock();
        if state.carrier == Some(self.number) && state.hand_out(&self.feed.memory) {
            take_wakers(&mut state, &mut self.woken);
        }
        drop(state);
        self.woken.drain(..).for_each(Waker::wake);
    }

    fn frame(&mut self, now: Instant, mut frame: Frame) {
        let mut state = self.feed.lock();
        if state.carrier != Some(self.number) {
            self.headers_given = false;
            self.waits_since = None;
            self.flush_at = None;
            return;
        }
        if !state.begun {
            if !may_begin(&frame, &self.headers, &state, &mut self.waits_since) {
                return;
            }
            state.begun = true;
            state.timeline.rebase(frame.timestamp, now);
            self.headers_given = false;
        }
        let Some(timestamp) = state.timeline.map(frame.timestamp, now) else { return };
        frame.timestamp = timestamp;
        if !self.headers_given {
            self.headers_given = true;
            if *state.headers != self.headers {
                state.set_headers(Arc::new(self.headers.clone()), &self.feed.memory);
            }
        }
        if state.add(frame, now, &self.play, &self.feed.memory) {
            take_wakers(&mut state, &mut self.woken);
        }
        self.flush_at = match state.waits_since {
            Some(since) if !state.viewers.is_empty() => Some(since + self.play.merge),
            _ => None,
        };
        drop(state);
        self.woken.drain(..).for_each(Waker::wake);
    }
}

/// Whether a push that carries the stream since a moment ago may begin with this frame.
fn may_begin(frame: &Frame, headers: &Headers, state: &State, waits_since: &mut Option<u32>) -> bool {
    // The first push of a stream nobody has seen yet has nothing to be joined to.
    if frame.key || (state.phase == Phase::Live && state.next_sequence == 0 && state.viewers.is_empty()) {
        return true;
    }
    let since = *waits_since.get_or_insert(frame.timestamp);
    !headers.has_video() && super::timeline::span(since, frame.timestamp) >= WAIT_FOR_VIDEO
}

fn take_wakers(state: &mut State, woken: &mut Vec<Waker>) {
    std::mem::swap(&mut state.wakers, woken);
    state.round += 1;
}

/// What a message is that carries no coded media, or could not be parsed as far as its frame.
fn classify(kind: FrameKind, payload: &[u8]) -> Message {
    match kind {
        FrameKind::Script => Message::Frame,
        FrameKind::Video => match media::parse_video(payload) {
            Ok(tag) => match tag.kind {
                VideoKind::SequenceHeader | VideoKind::TsSequenceHeader => {
                    Message::Header(Slot::Video(tag.track_id()))
                }
                VideoKind::Metadata => Message::Header(Slot::VideoMetadata(tag.track_id())),
                VideoKind::KeyFrame | VideoKind::InterFrame => Message::Frame,
                // The stream goes on with another push, perhaps.
                VideoKind::EndOfSequence | VideoKind::Command(_) | VideoKind::Unknown(_) => Message::Nothing,
            },
            Err(_) => Message::Nothing,
        },
        FrameKind::Audio => match media::parse_audio(payload) {
            Ok(tag) => match tag.kind {
                AudioKind::SequenceHeader => Message::Header(Slot::Audio(tag.track_id())),
                AudioKind::MultichannelConfig => Message::Header(Slot::AudioChannels(tag.track_id())),
                AudioKind::Frame => Message::Frame,
                AudioKind::EndOfSequence | AudioKind::Silence | AudioKind::Unknown(_) => Message::Nothing,
            },
            Err(_) => Message::Nothing,
        },
    }
}
