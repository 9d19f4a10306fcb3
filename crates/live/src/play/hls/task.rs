//! The task that packages one live stream, apart from its push: whatever happens here, the push goes on.

use std::sync::Arc;
use std::time::Duration;

use media::hls::Packager;

use super::Hls;
use super::session::IDLE;
use super::stream::{Shown, Stream};
use crate::config::HlsMode;
use crate::hub::feed::{Batch, FrameKind, Headers, Step, Viewer};

/// How often it is looked whether anybody still asks.
const LOOK: Duration = Duration::from_secs(5);

/// Packages until the stream ends, or nobody has asked for long.
pub(super) async fn run(hls: Arc<Hls>, stream: Arc<Stream>, mut viewer: Viewer) {
    // Also when this ends in a panic.
    let _gone = Gone { hls: hls.clone(), stream: stream.clone() };
    let mut work = Work { packager: Packager::new(hls.settings()), hls, stream, headers: None, shown: 0 };
    let mut look = tokio::time::interval(LOOK);
    loop {
        let step = tokio::select! {
            step = viewer.next() => step,
            _ = look.tick() => {
                if work.is_idle() {
                    return;
                }
                continue;
            }
        };
        if !work.take(step) {
            return;
        }
        // A fast start is many batches at once.
        tokio::task::yield_now().await;
    }
}

struct Work {
    hls: Arc<Hls>,
    stream: Arc<Stream>,
    packager: Packager,
    headers: Option<Arc<Headers>>,
    /// Revision of the packager that was shown last.
    shown: u64,
}

impl Work {
    /// Whether nobody has asked for anything long enough to stop.
    fn is_idle(&self) -> bool {
        let config = &self.hls.config;
        // Never before the last session is over.
        let enough = config.idle.max(IDLE);
        config.mode != HlsMode::Always && self.stream.idle(self.hls.clock.instant()) > enough
    }

    /// Takes what comes next; false if nothing more will.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Headers(headers) => self.take_headers(headers),
            Step::Batch(batch) => self.take_batch(&batch),
            Step::Skipped { .. } => self.packager.gap(),
            Step::Ended(_) => self.packager.finish(),
        }
        self.show();
        !self.packager.is_finished() && self.packager.failure().is_none()
    }

    fn take_headers(&mut self, headers: Arc<Headers>) {
        let now = self.hls.clock.now().millis();
        let before = self.headers.replace(headers.clone());
        for frame in headers.since(before.as_deref()) {
            self.take_frame(frame.kind, frame.timestamp, &frame.payload, now);
        }
    }

    fn take_batch(&mut self, batch: &Batch) {
        let now = self.hls.clock.now().millis();
        for frame in batch.frames() {
            self.take_frame(frame.kind, frame.timestamp, &frame.payload, now);
        }
    }

    fn take_frame(&mut self, kind: FrameKind, timestamp: u32, payload: &bytes::Bytes, now: i64) {
        match kind {
            FrameKind::Video => self.packager.video(timestamp, payload, now),
            FrameKind::Audio => self.packager.audio(timestamp, payload, now),
            FrameKind::Script => {}
        }
    }

    fn show(&mut self) {
        if let Some(failure) = self.packager.failure() {
            tracing::info!(stream = %self.stream.key, %failure, "HLS cannot carry this stream");
            self.packager.finish();
            self.stream.show(Shown::Failed(failure));
            return;
        }
        let revision = self.packager.revision();
        if self.shown == revision {
            return;
        }
        self.shown = revision;
        self.packager.trim(self.hls.fair_share());
        self.stream.hold(self.packager.bytes());
        if let Some(view) = self.packager.view() {
            self.stream.show(Shown::Playing(Arc::new(view)));
        }
    }
}

/// Takes the stream out of the room when its task ends.
struct Gone {
    hls: Arc<Hls>,
    stream: Arc<Stream>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.stream.abandon(self.hls.clock.instant());
        self.hls.remove(&self.stream);
    }
}
