//! One push: its identity, its watch and black box, the orders it may get, and the value it ends with.

mod drift;
mod end;
mod events;
mod frame_rate;
mod handle;
mod low_rate;
mod media_facts;
mod order;
mod report;
mod trend;
mod unplayed;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cause::black_box::{BlackBox, CommandEntry};
use cause::evidence::{ClientFacts, Stage, Transport};
use model::admission::Claimed;
use model::{Clock, PushId, Timestamp};
use store::OpenPush;

pub use self::end::{ConnectionFacts, End, client_text};
pub use self::events::{EventReport, EventSeen};
pub use self::handle::{Declared, LivePush, PushHandle, PushState};
pub use self::media_facts::MediaFault;
pub use self::order::OrderSlot;
pub use self::report::report;
pub use self::trend::{Second, TREND_SECONDS, Trend};
pub use self::unplayed::Unplayed;
pub use self::watch::{Due, Frame, LinkFacts, Watch};
use crate::cluster::Tenure;
use crate::config::Limits;
use crate::hub::{Place, Slot, TestPlace};
use crate::relay::proxy::{Passage, Upstream};

/// One attempt to publish. Owned by the caller of the task that runs it, so that its evidence outlives even a panic.
pub struct Push {
    /// The push's id.
    pub id: PushId,
    /// What carries it.
    pub transport: Transport,
    /// The pusher's address.
    pub client: SocketAddr,
    /// The address is a load balancer's leg.
    pub behind_proxy: bool,
    /// When its connection was accepted, or the push before it on the same connection ended.
    pub connected_at: Timestamp,
    /// Monotonic twin of `connected_at`.
    pub origin: Instant,
    /// When the client was told that it is live.
    pub published_at: Option<Timestamp>,
    /// How far it has come.
    pub stage: Stage,
    /// What it claims, or is admitted, to be.
    pub claimed: Claimed,
    /// The push URL's query with secrets masked.
    pub stream_param: Option<String>,
    /// What the client said about itself.
    pub facts: ClientFacts,
    /// What its metadata promises.
    pub declared: Declared,
    /// Counters, timeline, events, limits.
    pub watch: Watch,
    /// Commands and media headers.
    pub black_box: BlackBox,
    /// Where orders arrive.
    pub order: Arc<OrderSlot>,
    /// The shared side, once it is admitted.
    pub handle: Option<Arc<PushHandle>>,
    /// Its place in the hub, once it is admitted.
    pub place: Option<Place>,
    /// Its place beside the hub, where it is an admitted test.
    pub test: Option<TestPlace>,
    /// Its share of the account's and the domain's limits.
    pub slot: Option<Slot>,
    /// Its place in the registry of all nodes.
    pub tenure: Option<Tenure>,
    /// Its way to the upstream, in proxy mode.
    pub upstream: Option<Upstream>,
    /// Where it is to be passed on to once it carries the stream; a backup waits for that.
    pub passage: Option<Box<Passage>>,
    /// Its open row, once the journal has it.
    pub open: Option<OpenPush>,
    /// The connection's byte counters when the push began.
    pub bytes_before: (u64, u64),
    /// Attempts that ended alike and are told in one record; 1 but for floods.
    pub attempts: u64,
}

impl Push {
    /// A push that begins now.
    pub fn new(
        transport: Transport,
        client: SocketAddr,
        behind_proxy: bool,
        limits: &Limits,
        clock: &dyn Clock,
    ) -> Self {
        let origin = clock.instant();
        Self {
            id: clock.push_id(),
            transport,
            client,
            behind_proxy,
            connected_at: clock.now(),
            origin,
            published_at: None,
            stage: Stage::NoBytes,
            claimed: Claimed::default(),
            stream_param: None,
            facts: ClientFacts::default(),
            declared: Declared::default(),
            watch: Watch::new(limits.clone(), origin),
            black_box: BlackBox::default(),
            order: Arc::default(),
            handle: None,
            place: None,
            test: None,
            slot: None,
            tenure: None,
            upstream: None,
            passage: None,
            open: None,
            bytes_before: (0, 0),
            attempts: 1,
        }
    }

    /// Keeps a command in the black box. Secrets are masked by the caller.
    pub fn note_command(&mut self, now: Instant, from_client: bool, name: &str, summary: String, size: u32) {
        let at_ms = self.watch.at_ms(now);
        self.black_box.command(CommandEntry {
            at_ms,
            from_client,
            name: name.to_owned(),
            summary,
            size,
            after_media: None,
        });
    }

    /// The events of the reporting interval that ends now, if `interval` has passed since the last report and any
    /// happened. Costs a comparison of two numbers as long as nothing did.
    pub fn take_since(&mut self, now: Instant, interval: Duration) -> Option<Vec<EventReport>> {
        let at_ms = self.watch.at_ms(now);
        let interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        let origin = self.connected_at;
        self.watch.media_mut().events_mut().take_since(at_ms, interval_ms, origin)
    }

    /// Refreshes the numbers that lists and the journal show; once a second.
    pub fn publish_state(&self, now: Instant, bytes_in: u64, bytes_out: u64) {
        let (before_in, before_out) = self.bytes_before;
        let bytes_in = bytes_in.saturating_sub(before_in);
        let media = self.watch.media();
        if let Some(open) = &self.open {
            use std::sync::atomic::Ordering::Relaxed;
            let counters = open.counters();
            counters.bytes_in.store(bytes_in, Relaxed);
            counters.bytes_out.store(bytes_out.saturating_sub(before_out), Relaxed);
            counters.video_frames.store(media.video_frames(), Relaxed);
            counters.audio_frames.store(media.audio_frames(), Relaxed);
        }
        let Some(handle) = &self.handle else { return };
        let last = self.watch.last_second();
        let span = u64::from(last.span_s.max(1));
        let live = self.watch.live_at().map(|at| now.saturating_duration_since(at)).unwrap_or_default();
        let (video, audio) = (media.video_record(live), media.audio_record(live));
        handle.set_state(PushState {
            bytes_in,
            kbps: u32::try_from(last.bytes * 8 / 1000 / span).unwrap_or(u32::MAX),
            fps: last.video / last.span_s.max(1),
            audio_fps: last.audio / last.span_s.max(1),
            lag_ms: last.lag_ms,
            rcv_rtt_ms: f64::from(last.rcv_rtt_us) / 1000.0,
            width: video.as_ref().and_then(|v| v.width),
            height: video.as_ref().and_then(|v| v.height),
            video_codec: video.and_then(|v| v.codec),
            audio_kbps: audio.as_ref().and_then(|a| a.kbps).unwrap_or(0),
            audio_sample_rate: audio.as_ref().and_then(|a| a.sample_rate).unwrap_or(0),
            audio_codec: audio.and_then(|a| a.codec),
            declared: self.declared,
            encoder: self.encoder(),
        });
    }

    /// The encoder's own name for itself: from its metadata, else from connect.
    pub fn encoder(&self) -> Option<String> {
        self.facts.encoder.clone().or_else(|| self.facts.agent.clone())
    }
}
