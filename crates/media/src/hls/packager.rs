//! From the messages of a push to segments and playlists.

use std::sync::Arc;

use bytes::Bytes;

use super::period::{At, Broken, Kind, Period, init_of};
use super::segment::Init;
use super::settings::Settings;
use super::time::{Jump, Unwrap};
use super::view::View;
use super::window::Window;
use crate::cmaf::{AudioTrack, TrackError, Tracks, VideoTrack};
use crate::codec::{AudioCodec, VideoCodec};
use crate::tag::{AudioKind, VideoKind, parse_audio, parse_video};

/// A track that was announced and has not come after this long is not waited for, in milliseconds.
const PATIENCE_MS: i64 = 5_000;

/// Makes the HLS presentation of one live stream out of its RTMP messages; only the default track of each kind is used.
///
/// Frames that are broken are passed over: the watch on the push has told of them already. What cannot be carried at all
/// is in [`Packager::failure`].
#[derive(Debug)]
pub struct Packager {
    settings: Settings,
    video: Option<(VideoCodec, Bytes)>,
    audio: Option<AudioTrack>,
    gone: Option<Kind>,
    /// The sound is another than the period's, and waits for the next key frame.
    stale: bool,
    time: Unwrap,
    video_jump: Jump,
    audio_jump: Jump,
    period: Option<Period>,
    /// The first frame that found no period to belong to, in milliseconds.
    waiting_since: Option<i64>,
    last_init: Option<Arc<Init>>,
    window: Window,
    failure: Option<TrackError>,
}

impl Packager {
    /// A packager that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            video: None,
            audio: None,
            gone: None,
            stale: false,
            time: Unwrap::default(),
            video_jump: Jump::default(),
            audio_jump: Jump::default(),
            period: None,
            waiting_since: None,
            last_init: None,
            window: Window::new(settings),
            failure: None,
        }
    }

    /// Why the stream cannot be carried, if so.
    pub fn failure(&self) -> Option<TrackError> {
        self.failure
    }

    /// What viewers can see now; `None` until there is enough for a playlist.
    pub fn view(&self) -> Option<View> {
        self.window.view()
    }

    /// Rises whenever [`Packager::view`] has something new.
    pub fn revision(&self) -> u64 {
        self.window.revision()
    }

    /// Whether [`Packager::finish`] was called.
    pub fn is_finished(&self) -> bool {
        self.window.is_ended()
    }

    /// Bytes kept in segments and parts.
    pub fn bytes(&self) -> usize {
        self.window.bytes()
    }

    /// Drops the oldest segments until at most `bytes` are kept, or only the newest complete one is left.
    pub fn trim(&mut self, bytes: usize) {
        self.window.trim(bytes);
    }

    /// Takes the body of a video message: its timestamp as the message has it, in milliseconds, and the wall-clock time at
    /// which it came, in milliseconds since the Unix epoch.
    pub fn video(&mut self, timestamp: u32, body: &Bytes, wall_ms: i64) {
        let Ok(tag) = parse_video(body) else { return };
        let Some(codec) = tag.codec.filter(|_| tag.track_id() == 0) else { return };
        let data = body.slice(tag.body.clone());
        match tag.kind {
            VideoKind::SequenceHeader => self.video_header(codec, data),
            VideoKind::KeyFrame | VideoKind::InterFrame => {
                let at = At { ms: self.continued(timestamp, Kind::Video), wall_ms };
                let nanos = i64::from(tag.nanos) * 9 / 100_000;
                let composition = i64::from(tag.composition_ms) * 90 + nanos;
                let composition = i32::try_from(composition).unwrap_or(0);
                self.picture(codec, at, composition, tag.kind == VideoKind::KeyFrame, data);
            }
            _ => {}
        }
    }

    /// Takes the body of an audio message; as [`Packager::video`].
    pub fn audio(&mut self, timestamp: u32, body: &Bytes, wall_ms: i64) {
        let Ok(tag) = parse_audio(body) else { return };
        let Some(codec) = tag.codec.filter(|_| tag.track_id() == 0) else { return };
        let data = body.slice(tag.body.clone());
        match tag.kind {
            AudioKind::SequenceHeader => match AudioTrack::from_header(codec, &data) {
                Ok(Some(track)) => self.audio_track(track),
                Ok(None) => {}
                Err(error) => self.fail(error),
            },
            AudioKind::Frame if !data.is_empty() => {
                if let Err(error) = self.learn_sound(codec, &data) {
                    // A broken frame header is for the watch to tell of.
                    if matches!(error, TrackError::AudioCodec(_)) {
                        self.fail(error);
                    }
                    return;
                }
                let at = At { ms: self.continued(timestamp, Kind::Audio), wall_ms };
                self.sound(at, data);
            }
            _ => {}
        }
    }

    /// Frames are missing here: what follows stands apart from what was before.
    pub fn gap(&mut self) {
        self.end_period();
    }

    /// Nothing more will come.
    pub fn finish(&mut self) {
        if let Some(period) = self.period.take() {
            period.end(&mut self.window);
        }
        self.window.end();
    }

    /// The timestamp beyond 32 bits; where it leaves its timeline, a new period begins.
    fn continued(&mut self, timestamp: u32, track: Kind) -> i64 {
        let ms = self.time.ms(timestamp);
        let jump = if track == Kind::Video { &mut self.video_jump } else { &mut self.audio_jump };
        if !jump.is_one(ms) {
            return ms;
        }
        self.end_period();
        self.time = Unwrap::default();
        self.time.ms(timestamp)
    }

    fn video_header(&mut self, codec: VideoCodec, record: Bytes) {
        let known = self.video.as_ref().is_some_and(|(c, r)| *c == codec && *r == record);
        // ffmpeg announces AV1 with an empty record, and again once its encoder has made one.
        if known || record.is_empty() {
            return;
        }
        self.video = Some((codec, record));
        self.failure = None;
        self.end_period();
    }

    /// Sound without a header says in its frames what it is: Opus in the first, MP3 in each.
    fn learn_sound(&mut self, codec: AudioCodec, frame: &[u8]) -> Result<(), TrackError> {
        let known = self.audio.as_ref().is_some_and(|track| track.codec() == codec);
        if (!known || codec == AudioCodec::Mp3)
            && let Some(track) = AudioTrack::from_frame(codec, frame)?
        {
            self.audio_track(track);
        }
        Ok(())
    }

    fn audio_track(&mut self, track: AudioTrack) {
        if self.audio.as_ref() == Some(&track) {
            return;
        }
        self.audio = Some(track);
        self.failure = None;
        match &self.period {
            // The picture goes on until a key frame comes, from which on they are together.
            Some(period) if period.has_video() && self.window.is_shown() => self.stale = true,
            _ => self.end_period(),
        }
    }

    fn picture(&mut self, codec: VideoCodec, at: At, composition: i32, key: bool, data: Bytes) {
        let wanted = self.stale || self.period.as_ref().is_none_or(|period| !period.has_video());
        if key && wanted {
            self.end_period();
            self.begin_with_picture(codec, at, &data);
        }
        let Some(period) = self.period.as_mut().filter(|period| period.has_video()) else {
            self.waiting_since.get_or_insert(at.ms);
            return;
        };
        match period.video(&mut self.window, at, composition, key, data.clone()) {
            None | Some(Broken::Gone(Kind::Video)) => {}
            // Sound that waits for a key frame is not gone.
            Some(Broken::Gone(Kind::Audio)) if self.stale => {}
            Some(Broken::Gone(Kind::Audio)) => {
                self.gone = Some(Kind::Audio);
                self.stale = true;
            }
            Some(Broken::Hole) => {
                self.end_period();
                if key {
                    self.picture(codec, at, composition, key, data);
                }
            }
        }
    }

    fn sound(&mut self, at: At, data: Bytes) {
        if self.gone == Some(Kind::Audio) {
            self.gone = None;
        }
        if self.stale {
            return;
        }
        if self.period.is_none() {
            let since = *self.waiting_since.get_or_insert(at.ms);
            let alone = self.video.is_none() || self.gone == Some(Kind::Video);
            if alone || at.ms.saturating_sub(since) > PATIENCE_MS {
                self.begin(None, at);
            }
        }
        let broken = self.period.as_mut().and_then(|period| period.audio(&mut self.window, at, data));
        if let Some(broken) = broken {
            self.end_period();
            if broken == Broken::Gone(Kind::Video) {
                self.gone = Some(Kind::Video);
            }
        }
    }

    fn begin_with_picture(&mut self, codec: VideoCodec, at: At, key_frame: &[u8]) {
        let record = match &self.video {
            Some((known, record)) if *known == codec => record.as_ref(),
            _ => &[],
        };
        match VideoTrack::new(codec, record, key_frame) {
            Ok(Some(track)) => {
                if self.gone == Some(Kind::Video) {
                    self.gone = None;
                }
                self.begin(Some(track), at);
            }
            Ok(None) => {}
            // A frame before its header is for the watch to tell of.
            Err(TrackError::Config(_)) if record.is_empty() => {}
            Err(error) => self.fail(error),
        }
    }

    fn begin(&mut self, video: Option<VideoTrack>, at: At) {
        if self.failure.is_some() {
            return;
        }
        let audio = self.audio.clone().filter(|_| self.gone != Some(Kind::Audio));
        let tracks = Tracks { video, audio };
        let next_id = self.last_init.as_ref().map_or(0, |init| init.id.wrapping_add(1));
        let mut init = Arc::new(init_of(&tracks, next_id));
        if let Some(last) = self.last_init.as_ref().filter(|last| last.bytes == init.bytes) {
            init = last.clone();
        }
        self.last_init = Some(init.clone());
        self.period = Some(Period::new(self.settings, tracks, init, at.ms));
    }

    fn end_period(&mut self) {
        if let Some(period) = self.period.take() {
            if self.window.is_shown() {
                period.end(&mut self.window);
            } else {
                // Nobody has seen it: what comes now is the beginning.
                self.window = Window::new(self.settings);
                self.last_init = None;
            }
        }
        self.stale = false;
        self.waiting_since = None;
        self.video_jump = Jump::default();
        self.audio_jump = Jump::default();
    }

    fn fail(&mut self, error: TrackError) {
        self.end_period();
        self.failure = Some(error);
    }
}
