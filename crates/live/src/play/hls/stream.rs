//! One packaged live stream, as the packager shows it and requests see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use media::cmaf::TrackError;
use media::hls::View;
use model::StreamKey;
use tokio::sync::watch;

/// How far the packager is.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// Nothing to play yet.
    Starting,
    /// This can be played.
    Playing(Arc<View>),
    /// HLS cannot carry the stream.
    Failed(TrackError),
    /// The stream ended before there was anything to play.
    Over,
}

/// A packaged live stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub key: StreamKey,
    shown: watch::Sender<Shown>,
    /// Milliseconds from `began` to the newest request.
    asked: AtomicU64,
    began: Instant,
    /// Milliseconds from `began` until packaging ended; 0 before.
    ended: AtomicU64,
    held: Held,
}

/// Bytes in segments and parts, counted on the node until the last player has let go of them.
#[derive(Debug)]
struct Held {
    node: Arc<AtomicUsize>,
    bytes: AtomicUsize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.node.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

impl Stream {
    /// A stream of which nothing has come; `node` counts the bytes of all.
    pub fn new(key: StreamKey, now: Instant, node: Arc<AtomicUsize>) -> Self {
        Self {
            key,
            shown: watch::Sender::new(Shown::Starting),
            asked: AtomicU64::new(0),
            began: now,
            ended: AtomicU64::new(0),
            held: Held { node, bytes: AtomicUsize::new(0) },
        }
    }

    /// Counts what the packager holds now.
    pub fn hold(&self, bytes: usize) {
        let before = self.held.bytes.swap(bytes, Ordering::Relaxed);
        self.held.node.fetch_add(bytes, Ordering::Relaxed);
        self.held.node.fetch_sub(before, Ordering::Relaxed);
    }

    /// How long packaging has been over; `None` while it is not.
    pub fn over_for(&self, now: Instant) -> Option<Duration> {
        let ended = Some(self.ended.load(Ordering::Relaxed)).filter(|ended| *ended > 0)?;
        Some(now.saturating_duration_since(self.began).saturating_sub(Duration::from_millis(ended)))
    }

    /// Notes that somebody asked for something.
    pub fn ask(&self, now: Instant) {
        self.asked.fetch_max(millis(now.saturating_duration_since(self.began)), Ordering::Relaxed);
    }

    /// How long nobody has asked for anything.
    pub fn idle(&self, now: Instant) -> Duration {
        let asked = Duration::from_millis(self.asked.load(Ordering::Relaxed));
        now.saturating_duration_since(self.began).saturating_sub(asked)
    }

    pub fn show(&self, shown: Shown) {
        self.shown.send_replace(shown);
    }

    /// No packager stands behind the stream any more: what can be played stays, but nothing comes.
    pub fn abandon(&self, now: Instant) {
        let ended = millis(now.saturating_duration_since(self.began)).max(1);
        self.ended.store(ended, Ordering::Relaxed);
        self.shown.send_if_modified(|shown| {
            let starting = matches!(shown, Shown::Starting);
            if starting {
                *shown = Shown::Over;
            }
            starting
        });
    }

    pub fn shown(&self) -> Shown {
        self.shown.borrow().clone()
    }

    /// Looks at each state until `look` finds what it wants, at most for `limit`.
    pub async fn wait<T>(&self, limit: Duration, look: impl Fn(&Shown) -> Option<T>) -> Option<T> {
        let mut shown = self.shown.subscribe();
        let found = async {
            loop {
                let found = look(&shown.borrow_and_update());
                if found.is_some() || shown.changed().await.is_err() {
                    return found;
                }
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
