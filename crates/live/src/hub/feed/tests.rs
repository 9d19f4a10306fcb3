use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use model::{Clock, SystemClock, Timestamp};
use rtmp::chunk::{ChunkReader, Limits};

use super::*;
use crate::config::PlayConfig;

pub(super) const KEY: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65];
pub(super) const INTER: &[u8] = &[0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41];
pub(super) const AVC_HEADER: &[u8] = &[0x17, 0, 0, 0, 0, 1, 0x64, 0, 31];
const SOUND: &[u8] = &[0xaf, 1, 0x21];

/// A push and its stream, on a clock that only the test moves.
pub(super) struct Stage {
    pub(super) feed: Arc<Feed>,
    play: Arc<PlayConfig>,
    pub(super) writer: Writer,
    start: Instant,
}

impl Stage {
    pub(super) fn new(play: PlayConfig) -> Self {
        let feed = Arc::new(Feed::new(Arc::new(MediaMemory::new(play.memory))));
        let play = Arc::new(play);
        feed.carry(1);
        let writer = Writer::new(feed.clone(), play.clone(), 1);
        Self { feed, play, writer, start: SystemClock.instant() }
    }

    pub(super) fn watch(&self) -> Viewer {
        let client: SocketAddr = "10.0.0.9:4000".parse().unwrap();
        let info = ViewerInfo { kind: ViewerKind::Rtmp, client, since: Timestamp(0) };
        Viewer::join(&self.feed, info, Arc::default())
    }

    pub(super) fn at(&self, ms: u32) -> Instant {
        self.start + Duration::from_millis(u64::from(ms))
    }

    pub(super) fn video(&mut self, ms: u32, payload: &'static [u8]) {
        let (now, kind) = (self.at(ms), FrameKind::Video);
        let (key, coded) = (payload == KEY, payload != AVC_HEADER);
        self.writer.media(now, kind, ms, Bytes::from_static(payload), coded, key);
    }

    fn audio(&mut self, ms: u32) {
        let now = self.at(ms);
        self.writer.media(now, FrameKind::Audio, ms, Bytes::from_static(SOUND), true, false);
    }

    /// 25 frames a second from `from` to `to`, with a key frame each second.
    fn play(&mut self, from: u32, to: u32) {
        for ms in (from..to).step_by(40) {
            self.video(ms, if ms % 1000 == 0 { KEY } else { INTER });
        }
    }
}

/// Frames are merged over 80 ms: three of them.
pub(super) fn merging() -> PlayConfig {
    PlayConfig { merge: Duration::from_millis(80), ..PlayConfig::default() }
}

/// Counts how often a viewer is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// All that a viewer gets now, in a line.
fn drain(viewer: &mut Viewer) -> Vec<String> {
    std::iter::from_fn(|| viewer.try_next())
        .take_while(|step| !matches!(step, Step::Ended(_)))
        .map(|step| match step {
            Step::Headers(h) => format!("headers {}", h.frames().count()),
            Step::Batch(b) => {
                let key = if b.starts_with_key() { "key " } else { "" };
                format!("{key}{} x{}", b.timestamp(), b.frames().len())
            }
            Step::Skipped { frames } => format!("skipped {frames}"),
            Step::Ended(_) => unreachable!(),
        })
        .collect()
}

fn timestamps(viewer: &mut Viewer) -> Vec<u32> {
    std::iter::from_fn(|| viewer.try_next())
        .filter_map(|step| if let Step::Batch(b) = step { Some(b) } else { None })
        .flat_map(|b| b.frames().iter().map(|f| f.timestamp).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_viewer_begins_with_headers_and_the_last_key_frame() {
    let mut stage = Stage::new(merging());
    stage.video(0, AVC_HEADER);
    stage.play(0, 2200);
    let mut viewer = stage.watch();
    assert_eq!(drain(&mut viewer), ["headers 1", "key 2000 x5"]);
    stage.play(2200, 2400);
    assert_eq!(drain(&mut viewer), ["2200 x3"], "frames are merged over 80 ms");
}

#[test]
fn a_key_frame_is_the_first_of_its_batch() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    stage.audio(0);
    stage.play(0, 960);
    drain(&mut viewer);
    stage.video(960, INTER);
    stage.video(1000, KEY);
    stage.audio(1001);
    stage.video(1080, INTER);
    assert_eq!(drain(&mut viewer), ["960 x1", "key 1000 x3"]);
}

#[test]
fn a_key_frame_wakes_viewers_no_earlier_than_what_came_before_it() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    stage.play(0, 960);
    drain(&mut viewer);
    let woken = Arc::new(Woken::default());
    assert!(viewer.poll_next(&mut Context::from_waker(&Waker::from(woken.clone()))).is_pending());
    stage.video(1000, INTER);
    stage.video(1040, KEY);
    stage.video(1060, INTER);
    let due = stage.at(1080);
    assert_eq!((woken.count(), stage.writer.deadline()), (0, Some(due)), "they go out together");
    stage.writer.flush(due);
    assert_eq!((woken.count(), stage.writer.deadline()), (1, None));
    assert_eq!(drain(&mut viewer), ["1000 x1", "key 1040 x2"]);
}

#[test]
fn a_stream_without_video_begins_anywhere() {
    let mut stage = Stage::new(merging());
    (0..5000).step_by(20).for_each(|ms| stage.audio(ms));
    let mut viewer = stage.watch();
    let first = drain(&mut viewer);
    assert!(first.iter().any(|step| step.starts_with("key ")), "{first:?}");
    (5000..5200).step_by(20).for_each(|ms| stage.audio(ms));
    assert_eq!(drain(&mut viewer), ["key 5000 x5", "key 5100 x5"]);
}

#[test]
fn a_viewer_that_is_too_slow_goes_on_at_the_newest_key_frame() {
    let play = PlayConfig { queue: Duration::from_secs(3), ..merging() };
    let mut stage = Stage::new(play);
    stage.play(0, 40);
    let (mut slow, mut quick) = (stage.watch(), stage.watch());
    drain(&mut slow);
    let mut seen = timestamps(&mut quick).len();
    for from in (40..20_400).step_by(40) {
        stage.play(from, from + 40);
        seen += timestamps(&mut quick).len();
    }
    let got = drain(&mut slow);
    assert_eq!(got[..2], ["skipped 499".to_owned(), "key 20000 x2".to_owned()], "{got:?}");
    assert!(seen >= 508, "the other one missed nothing: {seen}");
    assert_eq!(slow.try_next().map(|_| ()), None);
}

#[test]
fn the_ring_is_bounded_in_time_and_in_bytes() {
    let play = PlayConfig { cache_bytes: 100_000, cache: Duration::from_secs(5), ..merging() };
    let mut stage = Stage::new(play);
    let _viewer = stage.watch();
    let large = Bytes::from([KEY, &[7; 5000]].concat());
    for ms in (0..4000).step_by(40) {
        let now = stage.at(ms);
        stage.writer.media(now, FrameKind::Video, ms, large.clone(), true, ms == 0);
    }
    assert!(stage.feed.cached().cached_bytes < 120_000, "{:?}", stage.feed.cached());
    let mut stage = Stage::new(PlayConfig { queue: Duration::from_secs(1), ..merging() });
    stage.video(0, KEY);
    (40..40_000).step_by(40).for_each(|ms| stage.video(ms, INTER));
    assert!(stage.feed.cached().queue_ms <= 13_000, "{:?}", stage.feed.cached());
    let mut late = stage.watch();
    assert_eq!(drain(&mut late), [""; 0], "nobody begins without a key frame");
    stage.play(40_000, 40_120);
    assert_eq!(drain(&mut late), ["headers 0", "key 40000 x3"]);
}

#[test]
fn what_is_held_for_viewers_is_given_back() {
    let memory = Arc::new(MediaMemory::new(1 << 30));
    let feed = Arc::new(Feed::new(memory.clone()));
    feed.carry(1);
    let mut writer = Writer::new(feed.clone(), Arc::default(), 1);
    let now = SystemClock.instant();
    for ms in (0..3000).step_by(40) {
        writer.media(now, FrameKind::Video, ms, Bytes::from_static(KEY), true, ms == 0);
    }
    assert!(memory.held() > 0);
    drop((writer, feed));
    assert_eq!(memory.held(), 0);
}

#[test]
fn unwatched_the_pictures_before_a_key_frame_are_let_go_when_it_comes() {
    let mut stage = Stage::new(merging());
    let memory = stage.feed.memory.clone();
    let large = |head: &[u8]| Bytes::from([head, &[9; 20_000]].concat());
    let mut most = 0;
    for ms in (0..8000).step_by(40) {
        let (now, key) = (stage.at(ms), ms % 2000 == 0);
        stage.writer.media(now, FrameKind::Video, ms, large(if key { KEY } else { INTER }), true, key);
        most = most.max(memory.held());
        assert!(!key || memory.held() < 30_000, "{} at {ms}", memory.held());
    }
    assert!((980_000..1_050_000).contains(&most), "what is open counts too: {most}");
    let mut viewer = stage.watch();
    let seen = drain(&mut viewer);
    assert!(seen[1].starts_with("key 6000 "), "{seen:?}");
    drop((viewer, stage));
    assert_eq!(memory.held(), 0);
}

#[test]
fn frames_that_wait_to_be_merged_go_out_when_the_push_is_quiet() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    stage.video(0, KEY);
    assert_eq!(drain(&mut viewer), [""; 0]);
    let due = stage.writer.deadline().unwrap();
    assert_eq!(due, stage.at(80));
    stage.writer.flush(stage.at(79));
    assert_eq!(drain(&mut viewer), [""; 0]);
    stage.writer.flush(due);
    assert_eq!(drain(&mut viewer), ["headers 0", "key 0 x1"]);
    assert_eq!(stage.writer.deadline(), None);
    drop(viewer);
    stage.video(40, INTER);
    assert_eq!(stage.writer.deadline(), None, "nobody waits");
}

#[test]
fn headers_come_again_only_when_they_have_changed() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    stage.video(0, AVC_HEADER);
    stage.play(0, 200);
    stage.video(200, AVC_HEADER);
    stage.play(200, 400);
    let other = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1, 0x42, 0, 30]);
    let now = stage.at(400);
    stage.writer.media(now, FrameKind::Video, 400, other.clone(), false, false);
    stage.writer.data(now, 400, "onMetaData", &Bytes::from_static(b"meta"));
    stage.play(400, 600);
    let steps = drain(&mut viewer);
    assert_eq!(steps.iter().filter(|s| s.starts_with("headers")).count(), 2, "{steps:?}");
    assert_eq!(steps[0], "headers 1");
}

#[test]
fn time_goes_on_when_another_push_takes_over() {
    let mut stage = Stage::new(merging());
    stage.play(0, 1000);
    let mut viewer = stage.watch();
    let mut seen = timestamps(&mut viewer);
    let mut next = Writer::new(stage.feed.clone(), stage.play.clone(), 2);
    let now = stage.at(1000);
    stage.feed.carry(2);
    // The old push has not stopped yet, and the new one begins between two key frames of its own.
    stage.video(1000, INTER);
    let frame = |payload: &'static [u8]| Bytes::from_static(payload);
    next.media(now, FrameKind::Video, 0, frame(AVC_HEADER), false, false);
    next.media(now, FrameKind::Video, 7_000_000, frame(INTER), true, false);
    next.media(now, FrameKind::Video, 7_000_040, frame(KEY), true, true);
    next.media(now, FrameKind::Audio, 7_000_020, frame(SOUND), true, false);
    next.media(now, FrameKind::Video, 7_000_080, frame(INTER), true, false);
    next.media(now, FrameKind::Video, 7_000_160, frame(INTER), true, false);
    seen.extend(timestamps(&mut viewer));
    assert_eq!(seen.len(), 25 + 3);
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!(seen[25..], [1000, 1040, 1120], "from its key frame on");
}

#[test]
fn viewers_leave_when_the_stream_is_over_and_get_what_was_left() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    stage.video(0, KEY);
    stage.feed.end(Ended::Unpublished);
    assert_eq!(drain(&mut viewer), ["headers 0", "key 0 x1"]);
    assert!(matches!(viewer.try_next(), Some(Step::Ended(Ended::Unpublished))));
    assert_eq!(stage.feed.viewers(), 1);
    drop(viewer);
    assert_eq!(stage.feed.viewers(), 0);
}

#[test]
fn frames_are_framed_once_for_all() {
    let mut stage = Stage::new(merging());
    let (mut one, mut two) = (stage.watch(), stage.watch());
    stage.play(0, 120);
    let batch = |viewer: &mut Viewer| loop {
        if let Step::Batch(batch) = viewer.try_next().unwrap() {
            return batch;
        }
    };
    let (a, b) = (batch(&mut one), batch(&mut two));
    assert_eq!(a.rtmp().as_ptr(), b.rtmp().as_ptr());
    assert_eq!(a.flv().as_ptr(), b.flv().as_ptr());
}

#[test]
fn rtmp_bytes_read_back_as_the_frames_on_any_message_stream() {
    let mut stage = Stage::new(PlayConfig { merge: Duration::ZERO, ..merging() });
    let mut viewer = stage.watch();
    let large = Bytes::from([KEY, &[9; 20_000]].concat());
    // On both sides of the extended timestamp, and of the wrap.
    for ms in [0xff_fffd, 0xff_ffff, 0x100_0000, u32::MAX, 3] {
        stage.writer.media(stage.start, FrameKind::Video, ms, large.clone(), true, true);
    }
    for stream_id in [1, 5] {
        let mut reader = ChunkReader::new(Limits::default());
        reader.set_chunk_size(RTMP_CHUNK_SIZE);
        let mut wire = BytesMut::new();
        let mut again = stage.watch();
        let source = if stream_id == 1 { &mut viewer } else { &mut again };
        let mut sent = Vec::new();
        while let Some(step) = source.try_next() {
            if let Step::Batch(batch) = step {
                wire.extend_from_slice(&batch.rtmp_on(stream_id));
                sent.extend(batch.frames().iter().map(|f| (f.timestamp, f.payload.clone())));
            }
        }
        assert!(!sent.is_empty());
        reader.read_buf().extend_from_slice(&wire);
        let got: Vec<_> = std::iter::from_fn(|| reader.next_message().unwrap())
            .map(|m| {
                assert_eq!(m.info.stream_id, stream_id);
                (m.info.timestamp, m.payload)
            })
            .collect();
        assert_eq!(got, sent);
    }
}

#[tokio::test]
async fn a_viewer_that_waits_is_woken() {
    let mut stage = Stage::new(merging());
    let mut viewer = stage.watch();
    let waiting = tokio::spawn(async move {
        loop {
            if let Step::Batch(batch) = viewer.next().await {
                return batch.frames().len();
            }
        }
    });
    tokio::task::yield_now().await;
    stage.play(0, 120);
    assert_eq!(waiting.await.unwrap(), 3);
}
