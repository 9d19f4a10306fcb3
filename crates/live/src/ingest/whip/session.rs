//! The peer of a push, and what is counted of it for the record.

use std::time::{Duration, Instant};

use cause::evidence::{CarrierFacts, Close, TcpFacts, WebRtcFacts, WebRtcStep};
use str0m::media::{MediaData, MediaKind};
use str0m::stats::MediaIngressStats;

use super::tracks::Tracks;
use crate::ingest::way::{Way, hold_while_there};
use crate::push::{ConnectionFacts, LinkFacts, OrderSlot, Watch};
use crate::webrtc::peer::{Peer, Step};

/// Ticks a second of RTP clocks, by kind of media.
const VIDEO_CLOCK: u64 = 90_000;
const AUDIO_CLOCK: u64 = 48_000;

/// A push's peer.
pub(super) struct Session {
    peer: Peer,
    pub(super) tracks: Tracks,
    video: Received,
    audio: Received,
    rtt: Option<Duration>,
}

/// What was received of one media, in all.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    packets: u64,
    lost: u64,
    nacks: u64,
    plis: u64,
    jitter_us: u32,
}

impl Received {
    /// Takes the newest totals; the loss is a share of what was due since the ones before.
    fn take(&mut self, stats: &MediaIngressStats, clock: u64) {
        let came = stats.packets.saturating_sub(self.packets);
        let share = stats.loss.map_or(0.0, |loss| f64::from(loss.clamp(0.0, 0.99)));
        // Of what was due, `share` did not come, and `came` is the rest.
        let lost = came as f64 * share / (1.0 - share);
        self.lost = self.lost.saturating_add(lost.round() as u64);
        self.packets = stats.packets;
        self.nacks = stats.nacks;
        self.plis = stats.plis.saturating_add(stats.firs);
        let jitter = u64::from(stats.jitter).saturating_mul(1_000_000) / clock;
        self.jitter_us = u32::try_from(jitter).unwrap_or(u32::MAX);
    }
}

impl Session {
    pub(super) fn new(peer: Peer, tracks: Tracks) -> Self {
        Self { peer, tracks, video: Received::default(), audio: Received::default(), rtt: None }
    }

    pub(super) fn peer(&mut self) -> &mut Peer {
        &mut self.peer
    }

    /// Takes what was counted of incoming media.
    pub(super) fn count(&mut self, stats: &MediaIngressStats, watch: &mut Watch) {
        match self.tracks.kind_of(stats.mid) {
            Some(MediaKind::Video) => self.video.take(stats, VIDEO_CLOCK),
            Some(MediaKind::Audio) => self.audio.take(stats, AUDIO_CLOCK),
            None => return,
        }
        self.rtt = stats.rtt.or(self.rtt);
        watch.link(LinkFacts {
            rtt_us: self.rtt_us(),
            lost: self.video.lost.saturating_add(self.audio.lost),
            retransmitted: 0,
        });
    }

    pub(super) fn round_trip(&mut self, rtt: Option<Duration>) {
        self.rtt = rtt.or(self.rtt);
    }

    /// Turns a frame into messages, which are left in the tracks.
    pub(super) fn frame(&mut self, data: &MediaData) {
        self.tracks.frame(data);
    }

    fn rtt_us(&self) -> u32 {
        self.rtt.map_or(0, |rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX))
    }
}

impl Way for Session {
    fn now(&self) -> Instant {
        self.peer.now()
    }

    fn closed(&self) -> Option<Close> {
        None
    }

    fn bytes(&self) -> (u64, u64) {
        let totals = self.peer.totals();
        (totals.bytes_in, totals.bytes_out)
    }

    fn tcp(&self) -> Option<TcpFacts> {
        self.peer.tcp()
    }

    fn facts(&self) -> ConnectionFacts {
        let totals = self.peer.totals();
        let facts = WebRtcFacts {
            step: match self.peer.step() {
                Step::Answered => WebRtcStep::Answered,
                Step::Checked => WebRtcStep::Checked,
                Step::Dtls => WebRtcStep::Dtls,
                Step::Connected => WebRtcStep::Connected,
            },
            checks: totals.checks,
            rtt_us: self.rtt_us(),
            video_packets: self.video.packets,
            video_lost: self.video.lost,
            video_jitter_us: self.video.jitter_us,
            audio_packets: self.audio.packets,
            audio_lost: self.audio.lost,
            audio_jitter_us: self.audio.jitter_us,
            nacks: self.video.nacks.saturating_add(self.audio.nacks),
            plis: self.video.plis,
            gaps: self.tracks.gaps(),
            broken_units: self.tracks.broken(),
            strangers: totals.strangers,
            unsent: totals.unsent,
        };
        ConnectionFacts {
            tcp: self.peer.tcp(),
            cut_message: self.peer.cut_packet(),
            bytes_in: totals.bytes_in,
            bytes_out: totals.bytes_out,
            carrier: Some(CarrierFacts::WebRtc(Box::new(facts))),
            ..ConnectionFacts::default()
        }
    }

    async fn hold<T>(
        &mut self,
        _: &mut Watch,
        order: &OrderSlot,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        // Nothing is waited for once a push has its session; what comes meanwhile waits in the inbox.
        hold_while_there(order, work, |_| false).await
    }
}
