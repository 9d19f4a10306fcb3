//! What others may know of a push, and how they reach it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cause::Cause;
use model::{PushId, Sequence, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::order::OrderSlot;
use super::trend::{Second, Trend};
use crate::cluster::words::{self, Word};
use crate::hub::feed::Cached;

/// The shared side of a push: its identity, its order slot, and numbers that its task keeps fresh.
#[derive(Debug)]
pub struct PushHandle {
    /// The push's id.
    pub id: PushId,
    /// The stream key it publishes.
    pub key: StreamKey,
    /// The account that owns the domain.
    pub account: u64,
    /// The pusher's address.
    pub client: SocketAddr,
    /// `rtmp`, `rtmps`, ...
    pub protocol: &'static str,
    /// `?priority=N`, where the domain heeds it.
    pub priority: Option<i64>,
    /// When it was admitted.
    pub since: Timestamp,
    /// Where orders go.
    pub order: Arc<OrderSlot>,
    origin: Instant,
    /// Milliseconds from `origin` to the last media message, plus 1; 0 means none yet.
    last_media: AtomicU64,
    state: Mutex<PushState>,
    trend: Arc<Trend>,
    contests: Mutex<Contests>,
    /// Its admission is over: nothing can refuse it any more.
    begun: AtomicBool,
}

/// What others tried on a push's stream key since its task looked last.
#[derive(Debug, Default)]
struct Contests {
    waiting: Vec<Contest>,
    /// Of the whole push; only the first are kept.
    count: usize,
}

/// Another push of the same stream key was refused.
#[derive(Debug)]
pub struct Contest {
    /// As the black box names it.
    pub what: &'static str,
    /// Which push, from where, and how it ended.
    pub text: String,
}

/// Refused pushes that a live push remembers; an encoder that tries for ever must not fill its black box.
const CONTESTS: usize = 8;

/// The numbers of a live push, as the last second left them. Unknown values are null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushState {
    /// Bytes received on the connection for this push.
    pub bytes_in: u64,
    /// kbit/s over the last second.
    pub kbps: u32,
    /// Video frames in the last second.
    pub fps: u32,
    /// Audio frames in the last second.
    pub audio_fps: u32,
    /// How far the push is behind real time, ms, since it went live.
    pub lag_ms: i32,
    /// `tcpi_rcv_rtt`, ms.
    pub rcv_rtt_ms: f64,
    /// Video codec.
    pub video_codec: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Audio's average kbit/s since the push went live, for answers that part `kbps`; 0 while unknown.
    #[serde(skip)]
    pub audio_kbps: u32,
    /// Hz; 0 while unknown.
    #[serde(skip)]
    pub audio_sample_rate: u32,
    /// What the encoder said it would send.
    #[serde(skip)]
    pub declared: Declared,
    /// Encoder's own name for itself.
    pub encoder: Option<String>,
}

/// What an encoder says in its metadata that it is going to send.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Declared {
    /// Video frames a second.
    pub fps: Option<f32>,
    /// Video and audio together, kbit/s.
    pub kbps: Option<f32>,
}

/// One live push, as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LivePush {
    /// The push's id.
    pub id: PushId,
    /// The name of the node that it is on.
    #[serde(default)]
    pub node: String,
    /// The push's number in callbacks.
    pub sequence: Sequence,
    /// Owner of the domain.
    pub account: u64,
    /// Push domain.
    pub domain: String,
    /// Path of the push URL.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// `rtmp`, `rtmps`, ...
    #[serde(deserialize_with = "words::protocol")]
    pub protocol: Word,
    /// The pusher's address.
    pub client_ip: std::net::IpAddr,
    /// The pusher's port.
    pub client_port: u16,
    /// When it went live.
    pub published_at: Timestamp,
    /// `live` for the push that carries the stream, `backup` for one that waits, `test` for a test push.
    #[serde(deserialize_with = "words::role")]
    pub role: Word,
    /// Its numbers.
    #[serde(flatten)]
    pub state: PushState,
    /// Its viewers and what is kept for them; none for a backup.
    #[serde(flatten)]
    pub played: Cached,
    /// Its last minute.
    #[serde(skip)]
    pub trend: Arc<Trend>,
}

impl PushHandle {
    /// A handle for a push that is about to go live.
    #[expect(clippy::too_many_arguments, reason = "an identity is all of these, and each is given once")]
    pub fn new(
        id: PushId,
        key: StreamKey,
        account: u64,
        client: SocketAddr,
        protocol: &'static str,
        priority: Option<i64>,
        since: Timestamp,
        origin: Instant,
        order: Arc<OrderSlot>,
    ) -> Self {
        Self {
            id,
            key,
            account,
            client,
            protocol,
            priority,
            since,
            order,
            origin,
            last_media: AtomicU64::new(0),
            state: Mutex::default(),
            trend: Arc::default(),
            contests: Mutex::default(),
            begun: AtomicBool::new(false),
        }
    }

    /// Notes that nothing can refuse the push any more.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Whether nothing can refuse it any more.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Notes that `other` wanted the stream key and was refused.
    pub fn contest(&self, other: &Self, cause: Cause) {
        let mut contests = self.contests.lock().unwrap_or_else(PoisonError::into_inner);
        contests.count += 1;
        if contests.count <= CONTESTS {
            let text = format!("{} push {} from {}", cause.code(), other.id, other.client);
            contests.waiting.push(Contest { what: "refused_other", text });
        }
    }

    /// The contests since the last call.
    pub fn take_contests(&self) -> Vec<Contest> {
        std::mem::take(&mut self.contests.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    /// How long ago the push was accepted.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.origin)
    }

    /// Notes a media message.
    pub fn media_at(&self, now: Instant) {
        let millis = now.saturating_duration_since(self.origin).as_millis();
        self.last_media.store(u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1, Ordering::Relaxed);
    }

    /// How long ago the last media message came; `None` if none has.
    pub fn since_media(&self, now: Instant) -> Option<Duration> {
        match self.last_media.load(Ordering::Relaxed) {
            0 => None,
            at => {
                Some(now.saturating_duration_since(self.origin).saturating_sub(Duration::from_millis(at - 1)))
            }
        }
    }

    /// Replaces the numbers; once a second.
    pub fn set_state(&self, state: PushState) {
        self.trend.push(Second { kbps: state.kbps, fps: state.fps, lag_ms: state.lag_ms });
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// This push as lists show it.
    pub fn show(&self, role: &'static str, played: Cached) -> LivePush {
        LivePush {
            id: self.id,
            node: String::new(),
            sequence: self.id.sequence(),
            account: self.account,
            domain: self.key.domain.clone(),
            app: self.key.app.clone(),
            stream: self.key.stream.clone(),
            protocol: self.protocol,
            client_ip: self.client.ip(),
            client_port: self.client.port(),
            published_at: self.since,
            role,
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            played,
            trend: self.trend.clone(),
        }
    }
}
