//! One WebRTC peer: takes datagrams, time and what its resource is told, sends what has to be sent, and gives events.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use cause::evidence::Errno;
use model::Clock;
use str0m::media::{KeyframeRequestKind, MediaAdded, MediaData, MediaTime, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::stats::MediaIngressStats;
use str0m::{Event, IceConnectionState, Input as RtcInput, Output, Rtc, RtcError};
use tokio::time::Sleep;

use super::port::{Arrived, Datagram, Line};
use super::resources::{Resource, Told};
use super::stun;
use crate::udp::{REFUSED_TWICE, Report};

/// Errors of single packets that a session survives; a client that makes more is broken.
const FORGIVEN: u32 = 1000;
/// The longest time between two checks of a client that is alive, and a little more.
const CHECKED_EVERY: Duration = Duration::from_millis(6_500);
/// A connected client that was not heard for this long is sent a sign of life, so that the network reports it if its
/// program is gone; and what the network reports counts only then, since a live client may have closed one socket of several.
const QUIET: Duration = Duration::from_millis(250);
/// From this silence on signs of life are sent as seldom.
const LONG_QUIET: Duration = Duration::from_secs(1);
/// Events that wait while frames are written.
const PENDING: usize = 256;
/// Time for the goodbye of ours to be sent.
const FAREWELL: Duration = Duration::from_secs(1);
/// Steps that the goodbye may take.
const FAREWELL_STEPS: usize = 64;

/// What came next.
#[derive(Debug)]
pub(crate) enum Input {
    /// ICE and DTLS are through.
    Connected,
    /// The offer and answer have this media.
    Added(MediaAdded),
    /// A frame.
    Media(Box<MediaData>),
    /// A viewer cannot decode any more.
    KeyFrameWanted,
    /// What was counted of incoming media.
    Stats(Box<MediaIngressStats>),
    /// What the other side counts of us, and the round trip.
    RoundTrip(Option<Duration>),
    /// The resource was deleted.
    Deleted,
    /// The client has closed DTLS.
    Closed,
    /// The client has stopped answering; with what the network said of the way to it last.
    Lost(Option<Errno>),
    /// The network says that no program has the client's port any more.
    Gone,
    /// The session cannot go on.
    Failed(String),
    /// What was waited for beside the peer is there.
    Other,
    /// The deadline has passed.
    Due,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The answer was given, nothing has come.
    #[default]
    Answered,
    /// The client has checked a path to us.
    Checked,
    /// The client has spoken DTLS.
    Dtls,
    /// Connected.
    Connected,
}

/// Totals of a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Binding requests with the right password.
    pub(crate) checks: u32,
    /// Datagrams that were not for this session, or could not be read.
    pub(crate) strangers: u32,
    /// Datagrams that our own socket had no room for.
    pub(crate) unsent: u32,
}

/// A peer.
pub(crate) struct Peer {
    rtc: Rtc,
    line: Line,
    resource: Option<Resource>,
    clock: Arc<dyn Clock>,
    addresses: Vec<SocketAddr>,
    now: Instant,
    rtc_due: Instant,
    sleep: Pin<Box<Sleep>>,
    sleeps_until: Instant,
    step: Step,
    totals: Totals,
    /// Bytes received since they were last asked for.
    fresh_bytes: usize,
    forgiven: u32,
    /// When the client was heard last, and from where.
    heard: Instant,
    source: Option<SocketAddr>,
    /// Reports of a closed port since.
    refused: u32,
    unreachable: Option<Errno>,
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
        addresses: Vec<SocketAddr>,
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
            heard: now,
            source: None,
            refused: 0,
            unreachable: None,
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
        self.totals
    }

    pub(crate) fn rtc(&mut self) -> &mut Rtc {
        &mut self.rtc
    }

    /// Whether the client has been silent for longer than one that is alive: it checks its path every 6 s at least (RFC
    /// 7675, 5.1), whether it has media to send or not.
    pub(crate) fn is_silent(&self) -> bool {
        self.quiet() > CHECKED_EVERY
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
            if self.now >= deadline {
                return Input::Due;
            }
            if self.now >= self.look_due {
                self.look();
            }
            let until = deadline.min(self.rtc_due).min(self.look_due);
            let woken = poll_fn(|cx| {
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
                if self.sleeps_until != until {
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
                Woken::Arrived(Arrived::Datagram(datagram)) => {
                    if let Some(input) = self.receive(&datagram) {
                        return input;
                    }
                }
                Woken::Arrived(Arrived::Report(to, report)) => {
                    if self.is_gone(to, report) {
                        return Input::Gone;
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
        if self.rtc.close().is_err() {
            return;
        }
        let until = self.now + FAREWELL;
        for _ in 0..FAREWELL_STEPS {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.send(transmit.destination, &transmit.contents),
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
                Ok(Output::Transmit(transmit)) => self.send(transmit.destination, &transmit.contents),
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
                Input::Lost(self.unreachable)
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

    fn send(&mut self, to: SocketAddr, contents: &[u8]) {
        if self.line.send(to, contents) {
            self.totals.bytes_out += contents.len() as u64;
        } else {
            self.totals.unsent = self.totals.unsent.saturating_add(1);
        }
    }

    /// Sends a sign of life to a connected client that is silent.
    fn look(&mut self) {
        let quiet = self.quiet();
        self.look_due = self.now + if quiet < LONG_QUIET { QUIET } else { LONG_QUIET };
        if quiet >= QUIET && self.step == Step::Connected {
            self.sign_of_life();
        }
    }

    fn quiet(&self) -> Duration {
        self.now.saturating_duration_since(self.heard)
    }

    fn sign_of_life(&mut self) {
        let mut transaction = [0; 12];
        if let Some(to) = self.source.filter(|_| getrandom::fill(&mut transaction).is_ok()) {
            self.send(to, &stun::indication(transaction));
        }
    }

    /// Whether a report says that the client's program is gone.
    fn is_gone(&mut self, to: SocketAddr, report: Report) -> bool {
        if self.source != Some(to) || self.quiet() < QUIET || self.step < Step::Connected {
            return false;
        }
        match report {
            Report::Unreachable(errno) => self.unreachable = Some(errno),
            Report::Refused => {
                self.refused += 1;
                if self.refused < REFUSED_TWICE {
                    self.sign_of_life();
                }
            }
        }
        self.refused >= REFUSED_TWICE
    }

    fn receive(&mut self, datagram: &Datagram) -> Option<Input> {
        let is_stun = stun::is_stun(&datagram.data);
        // The socket may be bound to any address: the client's checks name one of those that it was told.
        let family = |address: &&SocketAddr| address.is_ipv4() == datagram.source.is_ipv4();
        let Some(destination) = self.addresses.iter().find(family).copied() else {
            self.totals.strangers = self.totals.strangers.saturating_add(1);
            return None;
        };
        let read = Receive::new(Protocol::Udp, datagram.source, destination, &datagram.data);
        let input = read.map(|receive| RtcInput::Receive(self.now, receive));
        let Some(input) = input.ok().filter(|input| self.rtc.accepts(input)) else {
            self.totals.strangers = self.totals.strangers.saturating_add(1);
            return None;
        };
        self.totals.bytes_in += datagram.data.len() as u64;
        self.fresh_bytes += datagram.data.len();
        self.heard = self.now;
        self.source = Some(datagram.source);
        self.refused = 0;
        self.unreachable = None;
        if is_stun {
            self.totals.checks = self.totals.checks.saturating_add(1);
            self.step = self.step.max(Step::Checked);
            // Told before our answer leaves, so that what the client sends upon it finds its way.
            self.line.claim(datagram.source);
        } else if is_dtls(&datagram.data) {
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
