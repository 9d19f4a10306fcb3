//! The watch on a push: counters, a timeline of one sample a second, events, and the limits that end a push. Sans-I/O:
//! it is told what happened and when, and says what is due.

use std::time::{Duration, Instant};

use cause::evidence::{Act, LimitFacts, MediaState, Probe, Silence, TcpFacts};
use cause::timeline::{Sample, Timeline};
use cause::{Cause, Detail, DetailKey};

use super::frame_rate::FrameRate;
use super::media_facts::MediaFacts;
use crate::config::Limits;

/// Silence after which the client is probed with one ping.
const PROBE_AFTER: Duration = Duration::from_secs(3);
/// A client that answers is asked again after as much silence.
const PROBE_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// One sample of the timeline.
const TICK: Duration = Duration::from_secs(1);

/// The kernel's times are this coarse, ms.
const CLOCK_GRAIN_MS: u64 = 20;
/// An acknowledgement that came this much later than the last byte did not come with it, ms.
const ASKED_AFTER_MS: u64 = 1_000;

/// States of `tcpi_state` in which the kernel still keeps what was sent and not acknowledged.
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;

/// What the watch asks its driver to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// Send a ping and shorten the path limit by the silence so far.
    Probe {
        /// How long nothing has come.
        silence: Duration,
    },
    /// The idle limit has passed.
    Idle,
    /// Another limit has passed.
    Cut(Act),
}

/// Counters, timeline and limits of one push.
#[derive(Debug)]
pub struct Watch {
    limits: Limits,
    origin: Instant,
    live_at: Option<Instant>,
    next_tick: Instant,
    last_byte: Instant,
    last_media: Option<Instant>,
    last_video: Option<Instant>,
    probe: Option<(Instant, Probe)>,
    last_pong: Option<Instant>,
    answered_ping: bool,
    second: Second,
    timeline: Timeline,
    newest: Sample,
    media: MediaFacts,
    frame_rate: Option<FrameRate>,
    tcp: Option<TcpFacts>,
    /// The newest word of a datagram transport, and what the last sample took from it.
    link: Option<(LinkFacts, LinkFacts)>,
}

/// What a datagram transport knows of its path; counts are totals since it connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFacts {
    /// The round-trip time, µs; 0 before the first measurement.
    pub rtt_us: u32,
    /// Packets of the client's that were found missing.
    pub lost: u64,
    /// Packets of the client's that were sent again.
    pub retransmitted: u64,
}

/// What has come since the last sample.
#[derive(Debug, Default)]
struct Second {
    bytes: u64,
    video: u32,
    audio: u32,
    keys: u32,
    trickle: Duration,
    started: Option<Instant>,
}

impl Watch {
    /// A watch that begins at `now`, when the push's connection was accepted.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            frame_rate: limits.fps.map(FrameRate::new),
            media: MediaFacts::new(limits.events),
            limits,
            origin: now,
            live_at: None,
            next_tick: now + TICK,
            last_byte: now,
            last_media: None,
            last_video: None,
            probe: None,
            last_pong: None,
            answered_ping: false,
            second: Second::default(),
            timeline: Timeline::default(),
            newest: Sample::default(),
            tcp: None,
            link: None,
        }
    }

    /// A datagram transport looked at its path.
    pub fn link(&mut self, facts: LinkFacts) {
        let told = self.link.map_or_else(LinkFacts::default, |(_, told)| told);
        self.link = Some((facts, told));
    }

    /// The push went live.
    pub fn live(&mut self, now: Instant) {
        self.live_at = Some(now);
        self.second = Second { started: Some(now), ..Second::default() };
        self.next_tick = now + TICK;
    }

    /// When the push went live.
    pub fn live_at(&self) -> Option<Instant> {
        self.live_at
    }

    /// Bytes arrived.
    pub fn bytes(&mut self, now: Instant, count: usize) {
        self.last_byte = now;
        self.second.bytes += count as u64;
    }

    /// A message of which a part had come was waited for.
    pub fn trickled(&mut self, waited: Duration) {
        self.second.trickle += waited;
    }

    /// An audio or video message arrived; `media` has looked into it already.
    pub fn frame(&mut self, now: Instant, seen: &Frame) {
        if self.probe.take().is_some() {
            self.media.resumed(self.at_ms(now), self.silence_since_media(now));
        }
        self.last_pong = None;
        self.last_media = Some(now);
        if seen.video {
            self.last_video = Some(now);
            self.second.video += u32::from(seen.coded);
            self.second.keys += u32::from(seen.key);
        } else {
            self.second.audio += u32::from(seen.coded);
        }
        if let (true, true, Some(rate)) = (seen.video, seen.coded, &mut self.frame_rate) {
            rate.frame(now, seen.timestamp);
        }
    }

    /// The client answered a ping.
    pub fn pong(&mut self, now: Instant) {
        self.answered_ping = true;
        if let Some((_, state)) = &mut self.probe {
            *state = Probe::Answered;
            self.last_pong = Some(now);
        }
    }

    /// Whether the client has answered a ping.
    pub fn answered_ping(&self) -> bool {
        self.answered_ping
    }

    /// The next time at which [`Watch::tick`] has something to do.
    pub fn next_deadline(&self) -> Instant {
        self.next_tick
    }

    /// Whether `TCP_INFO` is wanted for the tick at `now`.
    pub fn tick_is_due(&self, now: Instant) -> bool {
        now >= self.next_tick
    }

    /// Closes a sample and says which limit has passed.
    pub fn tick(&mut self, now: Instant, tcp: Option<TcpFacts>) -> Option<Due> {
        while self.next_tick <= now {
            self.next_tick += TICK;
        }
        self.sample(now, tcp);
        self.watch_probe(now, tcp);
        self.media.second(now, self.at_ms(now));
        self.due(now)
    }

    fn sample(&mut self, now: Instant, tcp: Option<TcpFacts>) {
        let Some(started) = self.second.started.replace(now) else { return };
        let span = now.saturating_duration_since(started);
        let before = self.tcp.unwrap_or_default();
        let current = tcp.unwrap_or(before);
        let second = std::mem::take(&mut self.second);
        self.second.started = Some(now);
        let mut sample = Sample {
            at_s: u32::try_from(now.saturating_duration_since(self.origin).as_secs()).unwrap_or(u32::MAX),
            span_s: u32::try_from((span.as_millis() + 500) / 1000).unwrap_or(u32::MAX).max(1),
            bytes: second.bytes,
            video: second.video,
            audio: second.audio,
            keys: second.keys,
            lag_ms: self.lag_ms(now),
            rcv_rtt_us: current.rcv_rtt_us,
            rtt_us: (current.last_ack_recv_ms < 1000 && current.rtt_us != before.rtt_us)
                .then_some(current.rtt_us),
            ooo: current.rcv_ooopack.saturating_sub(before.rcv_ooopack),
            retrans: current.total_retrans.saturating_sub(before.total_retrans),
            trickle_ms: u32::try_from(second.trickle.as_millis()).unwrap_or(u32::MAX),
            wnd_closed: tcp.is_some_and(|t| t.rcv_wnd == 0),
        };
        if let Some((link, told)) = &mut self.link {
            let grown = |now: u64, then: u64| u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX);
            sample.rtt_us = (link.rtt_us > 0).then_some(link.rtt_us);
            sample.ooo = grown(link.lost, told.lost);
            sample.retrans = grown(link.retransmitted, told.retransmitted);
            *told = *link;
        }
        self.timeline.push(sample);
        self.newest = sample;
        if tcp.is_some() {
            self.tcp = tcp;
        }
    }

    fn watch_probe(&mut self, now: Instant, tcp: Option<TcpFacts>) {
        let at = self.at_ms(now);
        let silence = self.silence(now);
        if let (Some((_, state @ Probe::Unacknowledged)), Some(tcp)) = (&mut self.probe, tcp) {
            if tcp.unacked == 0 && tcp.notsent_bytes == 0 {
                *state = Probe::Acknowledged;
            } else if tcp.retransmits > 0 {
                self.media.path_suspect(at, silence);
            }
        }
    }

    fn due(&mut self, now: Instant) -> Option<Due> {
        let live_at = self.live_at?;
        let without_media = now.saturating_duration_since(self.last_media.unwrap_or(live_at));
        if without_media >= self.limits.idle {
            return Some(Due::Idle);
        }
        if let Some(act) = self.lag_act(now).or_else(|| self.frame_rate.as_ref()?.above_limit()) {
            return Some(Due::Cut(act));
        }
        let wanted = match (self.probe, self.last_pong) {
            (None, _) => self.silence(now) >= PROBE_AFTER,
            (Some((_, Probe::Answered)), Some(pong)) => {
                now.saturating_duration_since(pong) >= PROBE_AGAIN_AFTER
            }
            _ => false,
        };
        wanted.then(|| {
            self.probe = Some((now, Probe::Unacknowledged));
            Due::Probe { silence: self.silence(now) }
        })
    }

    fn lag_act(&self, now: Instant) -> Option<Act> {
        let limit = self.limits.lag?;
        let lag = u64::try_from(self.lag_ms(now)).ok()?;
        (u128::from(lag) > limit.as_millis()).then(|| Act {
            code: Cause::LagLimit.code(),
            detail: Some(
                Detail::new(DetailKey::LagLimit).with("lag_ms", lag).with("limit_ms", millis(limit)),
            ),
        })
    }

    /// How far media time is behind wall-clock time, ms, since the first media message.
    pub fn lag_ms(&self, now: Instant) -> i32 {
        self.media.lag_ms(now)
    }

    /// Time since the last byte.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_byte)
    }

    fn silence_since_media(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_media.unwrap_or(self.origin))
    }

    /// Milliseconds since the push began.
    pub fn at_ms(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.origin).as_millis()).unwrap_or(u32::MAX)
    }

    /// What is known of the media.
    pub fn media(&self) -> &MediaFacts {
        &self.media
    }

    /// What is known of the media, to be told more.
    pub fn media_mut(&mut self) -> &mut MediaFacts {
        &mut self.media
    }

    /// The last full second: bytes, video frames, audio frames.
    pub fn last_second(&self) -> Sample {
        self.newest
    }

    /// Everything the watch knows, for the evidence. `tcp` was read last before the socket was closed.
    pub fn finish(&mut self, now: Instant, tcp: Option<TcpFacts>) -> Watched {
        let live_ms = self.live_at.map_or(0, |at| millis(now.saturating_duration_since(at)));
        if self.live_at.is_some() && (self.second.bytes > 0 || tcp.is_some()) {
            self.sample(now, tcp);
        }
        // Once the socket is closed the kernel has dropped what we sent, and nothing unacknowledged is left to see. When
        // it last heard an acknowledgement is: one that came after the probe, and with no byte, was for the probe.
        let is_open = |t: &TcpFacts| matches!(t.state, TCP_ESTABLISHED | TCP_CLOSE_WAIT);
        match (tcp, &mut self.probe) {
            (Some(tcp), Some((at, state @ Probe::Unacknowledged))) if !is_open(&tcp) => {
                let asked_ms = millis(now.saturating_duration_since(*at));
                let silence_ms = millis(now.saturating_duration_since(self.last_byte));
                let heard_ms = u64::from(tcp.last_ack_recv_ms);
                if heard_ms < asked_ms.saturating_add(CLOCK_GRAIN_MS)
                    && heard_ms.saturating_add(ASKED_AFTER_MS) < silence_ms
                {
                    *state = Probe::Acknowledged;
                }
            }
            _ => self.watch_probe(now, tcp.filter(is_open)),
        }
        let ago = |at: Option<Instant>| at.map(|at| millis(now.saturating_duration_since(at)));
        Watched {
            media: MediaState {
                messages: self.media.messages(),
                video_frames: self.media.video_frames(),
                audio_frames: self.media.audio_frames(),
                last_ms_ago: ago(self.last_media),
                last_video_ms_ago: ago(self.last_video),
                live_ms,
            },
            silence: Silence {
                ms: millis(self.silence(now)),
                probe: self.probe.map_or(Probe::None, |(_, state)| state),
                probe_ms_ago: self.probe.map_or(0, |(at, _)| millis(now.saturating_duration_since(at))),
            },
            limits: LimitFacts {
                idle_ms: millis(self.limits.idle),
                path_ms: millis(self.limits.path),
                lag_ms: self.limits.lag.map_or(0, millis),
                message_bytes: self.limits.message as u64,
                setup_ms: millis(self.limits.setup),
            },
            timeline: std::mem::take(&mut self.timeline),
        }
    }
}

/// One audio or video message, as the watch counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Video, else audio.
    pub video: bool,
    /// Carries coded media; false for configuration.
    pub coded: bool,
    /// Codec configuration.
    pub config: bool,
    /// A key frame.
    pub key: bool,
    /// The message's timestamp, ms.
    pub timestamp: u32,
}

/// What the watch knows at the end.
#[derive(Debug)]
pub struct Watched {
    /// State of the media.
    pub media: MediaState,
    /// The silence before the end.
    pub silence: Silence,
    /// Limits that were in force.
    pub limits: LimitFacts,
    /// The timeline.
    pub timeline: Timeline,
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn watch(limits: Limits) -> (Watch, Instant) {
        let now = SystemClock.instant();
        let mut watch = Watch::new(limits, now);
        watch.live(now);
        (watch, now)
    }

    fn video(timestamp: u32) -> Frame {
        Frame { video: true, coded: true, timestamp, ..Frame::default() }
    }

    fn acked() -> Option<TcpFacts> {
        Some(TcpFacts { state: TCP_ESTABLISHED, rcv_wnd: 65_535, ..TcpFacts::default() })
    }

    fn unacked() -> Option<TcpFacts> {
        Some(TcpFacts {
            state: TCP_ESTABLISHED,
            rcv_wnd: 65_535,
            unacked: 1,
            retransmits: 2,
            ..TcpFacts::default()
        })
    }

    #[test]
    fn no_ping_is_due_while_media_flows() {
        let (mut watch, start) = watch(Limits::default());
        for second in 1..=100u32 {
            let now = start + S * second;
            watch.bytes(now, 1000);
            watch.frame(now, &video(second * 1000));
            assert_eq!(watch.tick(now, acked()), None);
        }
        assert_eq!(watch.timeline.seconds().count(), 100);
    }

    #[test]
    fn one_ping_is_due_after_three_silent_seconds_and_the_idle_limit_ends_it() {
        let (mut watch, start) = watch(Limits { idle: 10 * S, ..Limits::default() });
        let dues: Vec<_> = (1..=10u32).map(|s| watch.tick(start + S * s, acked())).collect();
        assert_eq!(dues[2], Some(Due::Probe { silence: 3 * S }));
        assert_eq!(dues.iter().flatten().count(), 2, "{dues:?}");
        assert_eq!(dues[9], Some(Due::Idle));
        assert_eq!(watch.finish(start + 10 * S, acked()).silence.probe, Probe::Acknowledged);
    }

    #[test]
    fn a_probe_that_stays_unacknowledged_is_seen_as_such() {
        let (mut watch, start) = watch(Limits::default());
        for s in 1..=8u32 {
            watch.tick(start + S * s, unacked());
        }
        let end = watch.finish(start + 8 * S, unacked());
        assert_eq!(end.silence.probe, Probe::Unacknowledged);
        assert_eq!(end.silence.probe_ms_ago, 5000);
    }

    #[test]
    fn a_socket_that_a_reset_has_closed_tells_of_the_probe_by_when_it_last_heard_an_acknowledgement() {
        for (last_ack_recv_ms, probe) in
            [(5_000, Probe::Unacknowledged), (2_500, Probe::Unacknowledged), (1_960, Probe::Acknowledged)]
        {
            let (mut watch, start) = watch(Limits::default());
            for s in 1..=4u32 {
                watch.tick(start + S * s, unacked());
            }
            let purged = acked().map(|tcp| TcpFacts { state: 7, last_ack_recv_ms, ..tcp });
            assert_eq!(watch.finish(start + 5 * S, purged).silence.probe, probe, "{last_ack_recv_ms} ms");
        }
    }

    #[test]
    fn a_client_that_answers_is_asked_again_and_media_ends_the_probing() {
        let (mut watch, start) = watch(Limits::default());
        for s in 1..=3u32 {
            watch.tick(start + S * s, acked());
        }
        watch.bytes(start + 3 * S, 18);
        watch.pong(start + 3 * S);
        assert!(watch.answered_ping());
        let again: Vec<_> = (4..=9u32).filter_map(|s| watch.tick(start + S * s, acked())).collect();
        assert!(matches!(again[..], [Due::Probe { .. }]), "{again:?}");
        watch.frame(start + 10 * S, &video(0));
        assert_eq!(watch.finish(start + 10 * S, acked()).silence.probe, Probe::None);
    }

    #[test]
    fn each_second_of_a_datagram_transport_holds_what_was_lost_and_sent_again_in_it() {
        let (mut watch, start) = watch(Limits::default());
        for (s, lost) in [(1u32, 3u64), (2, 3), (3, 10)] {
            watch.link(LinkFacts { rtt_us: 40_000, lost, retransmitted: lost - 1 });
            watch.tick(start + S * s, None);
        }
        let seen: Vec<_> = watch.timeline.seconds().map(|s| (s.rtt_us, s.ooo, s.retrans)).collect();
        assert_eq!(seen, [(Some(40_000), 3, 2), (Some(40_000), 0, 0), (Some(40_000), 7, 7)]);
    }

    #[test]
    fn a_push_that_falls_behind_is_cut_only_when_a_lag_limit_is_set() {
        for (limit, cut) in [(None, false), (Some(2 * S), true)] {
            let (mut watch, start) = watch(Limits { lag: limit, ..Limits::default() });
            let mut due = None;
            for s in 0..10u32 {
                let now = start + S * s;
                let tag = [0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41];
                let frame = watch.media_mut().video(now, s * 1000, s * 500, &tag).unwrap();
                watch.frame(now, &frame);
                watch.bytes(now, 100);
                due = due.or(watch.tick(now + S / 2, acked()));
            }
            assert_eq!(due.is_some(), cut);
        }
    }
}
