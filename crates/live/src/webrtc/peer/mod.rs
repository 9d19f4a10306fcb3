//! One WebRTC peer: takes packets, time and what its resource is told, sends what has to be sent, and gives events.

mod input;
mod presence;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use cause::evidence::{CutMessage, TcpFacts};
use model::Clock;
use str0m::media::{KeyframeRequestKind, MediaTime, Mid, Pt};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Event, IceConnectionState, Input as RtcInput, Output, Rtc, RtcError};
use tokio::time::Sleep;

pub(crate) use self::input::{Input, Step, Totals};
use self::presence::{Heard, Presence, QUIET};
use super::addresses::Addresses;
use super::leg::LegEnd;
use super::line::{Arrived, Line, Packet};
use super::resources::{Resource, Told};
use super::stun;

/// Errors of single packets that a session survives; a client that makes more is broken.
const FORGIVEN: u32 = 1000;
/// What the peer has to do within this is done together: its feedback may be so late.
const GRAIN: Duration = Duration::from_millis(4);
/// From this silence on signs of life are sent as seldom.
const LONG_QUIET: Duration = Duration::from_secs(1);
/// Events that wait while frames are written.
const PENDING: usize = 256;
/// Time for the goodbye of ours to be sent.
const FAREWELL: Duration = Duration::from_secs(1);
/// Steps that the goodbye may take.
const FAREWELL_STEPS: usize = 64;

/// A peer.
pub(crate) struct Peer {
    rtc: Rtc,
    line: Line,
    resource: Option<Resource>,
    clock: Arc<dyn Clock>,
    addresses: Addresses,
    now: Instant,
    rtc_due: Instant,
    sleep: Pin<Box<Sleep>>,
    sleeps_until: Instant,
    step: Step,
    totals: Totals,
    /// Bytes received since they were last asked for.
    fresh_bytes: usize,
    forgiven: u32,
    presence: Presence,
    /// What was known of the client's connection when it ended.
    tcp: Option<TcpFacts>,
    cut: Option<CutMessage>,
    /// When the client's silence is looked at next.
    look_due: Instant,
    /// What came while something was written.
    pending: VecDeque<Input>,
}

impl Peer {
    pub(crate) fn new(
        rtc: Rtc,
        line: Line,
        resource: Resource,
        addresses: Addresses,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let now = clock.instant();
        Self {
            rtc,
            line,
            resource: Some(resource),
            clock,
            addresses,
            now,
            rtc_due: now,
            sleep: Box::pin(tokio::time::sleep_until(now.into())),
            sleeps_until: now,
            step: Step::default(),
            totals: Totals::default(),
            fresh_bytes: 0,
            forgiven: 0,
            presence: Presence::new(now),
            tcp: None,
            cut: None,
            look_due: now + QUIET,
            pending: VecDeque::new(),
        }
    }

    /// The time of the newest input.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn step(&self) -> Step {
        self.step
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals { unsent: self.line.unsent(), ..self.totals }
    }

    /// `TCP_INFO` of the connection that the client is heard on, now or when it ended; `None` over UDP.
    pub(crate) fn tcp(&self) -> Option<TcpFacts> {
        match self.presence.source() {
            Some((peer, Protocol::Tcp)) => self.line.tcp(peer).or(self.tcp),
            _ => None,
        }
    }

    /// The packet that the end of the client's connection has cut off.
    pub(crate) fn cut_packet(&self) -> Option<CutMessage> {
        self.cut
    }

    pub(crate) fn rtc(&mut self) -> &mut Rtc {
        &mut self.rtc
    }

    /// Whether the client has been silent for longer than one that is alive.
    pub(crate) fn is_silent(&self) -> bool {
        self.presence.is_silent(self.now)
    }

    /// Bytes received since the last call.
    pub(crate) fn take_fresh_bytes(&mut self) -> usize {
        std::mem::take(&mut self.fresh_bytes)
    }

    /// The resource, for its last word.
    pub(crate) fn take_resource(&mut self) -> Option<Resource> {
        self.resource.take()
    }

    /// Asks the sender for a key frame. False where it has not agreed to be asked, or has not sent yet.
    pub(crate) fn ask_for_key_frame(&mut self, mid: Mid, rid: Option<str0m::media::Rid>) -> bool {
        let asked = |kind| {
            let writer = self.rtc.writer(mid);
            writer.is_some_and(|mut writer| writer.request_keyframe(rid, kind).is_ok())
        };
        let mut asked = asked;
        asked(KeyframeRequestKind::Pli)
    }

    /// Sends a frame. What cannot be sent is lost, as on the path.
    pub(crate) fn write(&mut self, mid: Mid, pt: Pt, wallclock: Instant, time: MediaTime, data: Vec<u8>) {
        let written = self.rtc.writer(mid).map(|writer| writer.write(pt, wallclock, time, data));
        if let Some(Err(error)) = written {
            tracing::debug!(%error, "frame not sent");
        }
        // One frame at a time: the next can be written once this one has been cut into packets.
        while let Some(input) = self.pump() {
            if self.pending.len() < PENDING {
                self.pending.push_back(input);
            }
            if !self.rtc.is_alive() {
                return;
            }
        }
    }

    /// Waits for what comes next: from the peer, or `other`, or the deadline.
    pub(crate) async fn next(
        &mut self,
        deadline: Instant,
        mut other: impl FnMut(&mut Context<'_>) -> Poll<()>,
    ) -> Input {
        loop {
            if let Some(input) = self.pending.pop_front().or_else(|| self.pump()) {
                return input;
            }
            if let Some(close) = self.presence.cut_off(self.now) {
                return Input::CutOff(close);
            }
            if self.now >= deadline {
                return Input::Due;
            }
            if self.now >= self.look_due {
                self.look();
            }
            let until = deadline.min(self.rtc_due.max(self.now + GRAIN)).min(self.look_due);
            let until = self.presence.due().map_or(until, |due| until.min(due));
            let woken = poll_fn(|cx| {
                self.line.flush(cx);
                if other(cx).is_ready() {
                    return Poll::Ready(Woken::Other);
                }
                if let Some(resource) = &mut self.resource
                    && let Poll::Ready(Told::Delete) = resource.poll_told(cx)
                {
                    return Poll::Ready(Woken::Deleted);
                }
                if let Poll::Ready(arrived) = self.line.poll_next(cx) {
                    return Poll::Ready(Woken::Arrived(arrived));
                }
                // Woken too early it looks again; to set it anew for every packet would cost more.
                if until < self.sleeps_until || self.sleep.is_elapsed() {
                    self.sleeps_until = until;
                    self.sleep.as_mut().reset(until.into());
                }
                self.sleep.as_mut().poll(cx).map(|()| Woken::Time)
            })
            .await;
            self.now = self.clock.instant();
            match woken {
                Woken::Other => return Input::Other,
                Woken::Deleted => return Input::Deleted,
                Woken::Arrived(Arrived::Packet(packet)) => {
                    if let Some(input) = self.receive(&packet) {
                        return input;
                    }
                }
                Woken::Arrived(Arrived::Report(to, report)) if self.step == Step::Connected => {
                    match self.presence.report(self.now, to, report) {
                        Heard::Gone => return Input::Gone,
                        Heard::Ask => self.sign_of_life(),
                        Heard::Noted => {}
                    }
                }
                Woken::Arrived(Arrived::Report(..)) => {}
                Woken::Arrived(Arrived::Ended(end)) => {
                    if let Some(input) = self.connection_ended(&end) {
                        return input;
                    }
                }
                Woken::Time if self.now >= self.rtc_due => {
                    if let Err(error) = self.rtc.handle_input(RtcInput::Timeout(self.now)) {
                        return Input::Failed(error.to_string());
                    }
                }
                Woken::Time => {}
            }
        }
    }

    /// Says goodbye as DTLS and RTP do, and sends what that takes.
    pub(crate) fn close(&mut self) {
        self.now = self.clock.instant();
        self.say_goodbye();
        self.tcp = self.tcp();
        self.line.farewell();
    }

    fn say_goodbye(&mut self) {
        if self.rtc.close().is_err() {
            return;
        }
        let until = self.now + FAREWELL;
        for _ in 0..FAREWELL_STEPS {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.send(transmit),
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(at)) if self.rtc.is_alive() && at < until => {
                    if self.rtc.handle_input(RtcInput::Timeout(at)).is_err() {
                        return;
                    }
                }
                Ok(Output::Timeout(_)) | Err(_) => return,
            }
        }
    }

    /// Sends what the peer has to send, until it has an event or waits.
    fn pump(&mut self) -> Option<Input> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.send(transmit),
                Ok(Output::Timeout(at)) => {
                    self.rtc_due = at;
                    return (!self.rtc.is_alive()).then_some(Input::Closed);
                }
                Ok(Output::Event(event)) => {
                    if let Some(input) = self.event(event) {
                        return Some(input);
                    }
                }
                Err(error) => {
                    if let Some(input) = self.error(&error) {
                        return Some(input);
                    }
                }
            }
        }
    }

    fn event(&mut self, event: Event) -> Option<Input> {
        Some(match event {
            Event::Connected => {
                self.step = Step::Connected;
                Input::Connected
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Input::Lost(self.presence.unreachable())
            }
            Event::MediaAdded(added) => Input::Added(added),
            Event::MediaData(data) => Input::Media(Box::new(data)),
            Event::KeyframeRequest(_) => Input::KeyFrameWanted,
            Event::MediaIngressStats(stats) => Input::Stats(Box::new(stats)),
            Event::PeerStats(stats) => Input::RoundTrip(stats.rtt),
            Event::Closed => Input::Closed,
            _ => return None,
        })
    }

    fn send(&mut self, transmit: Transmit) {
        self.totals.bytes_out += transmit.contents.len() as u64;
        self.line.send(transmit.destination, transmit.proto, transmit.contents.into());
    }

    /// Sends a sign of life to a connected client that is silent.
    fn look(&mut self) {
        let quiet = self.presence.quiet(self.now);
        self.look_due = self.now + if quiet < LONG_QUIET { QUIET } else { LONG_QUIET };
        if quiet >= QUIET && self.step == Step::Connected {
            self.sign_of_life();
        }
    }

    fn sign_of_life(&mut self) {
        let mut transaction = [0; 12];
        if let Some((to, via)) = self.presence.source()
            && getrandom::fill(&mut transaction).is_ok()
        {
            let message = stun::indication(transaction);
            self.totals.bytes_out += message.len() as u64;
            self.line.send(to, via, message);
        }
    }

    /// A connection of the client's has ended: what is lost with it, if anything.
    fn connection_ended(&mut self, end: &LegEnd) -> Option<Input> {
        if !self.presence.connection_ended(self.now, end.peer, end.close) {
            return None;
        }
        (self.tcp, self.cut) = (end.tcp, end.cut);
        // Who breaks the framing of what it sends will not do better on another.
        end.broken.filter(|_| self.presence.due().is_some()).map(|error| Input::Failed(error.to_string()))
    }

    fn receive(&mut self, packet: &Packet) -> Option<Input> {
        let is_stun = stun::is_stun(&packet.data);
        // The port may be bound to any address: the client's checks name one of those that it was told.
        let destination = self.addresses.reached(packet.source, packet.via);
        let read = destination
            .and_then(|to| Receive::new(packet.via, packet.source, to, &packet.data).ok())
            .map(|receive| RtcInput::Receive(self.now, receive));
        let Some(input) = read.filter(|input| self.rtc.accepts(input)) else {
            self.totals.strangers = self.totals.strangers.saturating_add(1);
            // A connection that begins with a check which is not the client's is not the client's.
            if packet.via == Protocol::Tcp && is_stun {
                self.line.hang_up(packet.source);
            }
            return None;
        };
        self.totals.bytes_in += packet.data.len() as u64;
        self.fresh_bytes += packet.data.len();
        self.presence.heard(self.now, (packet.source, packet.via));
        if is_stun {
            self.totals.checks = self.totals.checks.saturating_add(1);
            self.step = self.step.max(Step::Checked);
            if packet.via == Protocol::Udp {
                // Told before our answer leaves, so that what the client sends upon it finds its way.
                self.line.claim(packet.source);
            }
        } else if is_dtls(&packet.data) {
            self.step = self.step.max(Step::Dtls);
        }
        match self.rtc.handle_input(input) {
            Ok(()) => None,
            Err(error) => self.error(&error),
        }
    }

    /// What is wrong with one packet of media harms no other; what is wrong with DTLS ends the session.
    fn error(&mut self, error: &RtcError) -> Option<Input> {
        self.forgiven = self.forgiven.saturating_add(1);
        let is_fatal = self.step < Step::Connected || matches!(error, RtcError::Dtls(_));
        if is_fatal || self.forgiven > FORGIVEN || !self.rtc.is_alive() {
            return Some(Input::Failed(error.to_string()));
        }
        None
    }
}

enum Woken {
    Arrived(Arrived),
    Deleted,
    Other,
    Time,
}

/// The first byte of DTLS records (RFC 7983, 7).
fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..=63).contains(first))
}
