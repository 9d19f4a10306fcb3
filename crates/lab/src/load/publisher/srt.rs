//! An encoder over SRT: a transport stream in payloads of seven packets, as encoders send it. The protocol is the library's.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use sapflow_srt::{Caller, CallerCloseReason, CallerConfig, CallerEvent, SendConfig};

use crate::load::around::{Around, Ending, Step, micros};
use crate::load::socket::Sent;
use crate::load::stamp::Stamp;
use crate::load::ts::{AUDIO_TOGETHER, Counters};

/// The library's timers are looked after at least this often.
pub(super) const TENDED: Duration = Duration::from_millis(100);
/// Seven packets of a transport stream.
const PAYLOAD: usize = 7 * 188;
/// Bytes a second; far more than any plan asks for, as live encoders set no limit.
const BANDWIDTH: u64 = 1_000_000_000;
/// Between two datagrams at that rate.
const PACE: Duration = Duration::from_micros(2);
/// Datagrams sent at once.
const AT_ONCE: usize = 1_024;

/// An encoder, connected or not.
#[derive(Debug)]
pub(in crate::load) struct Publisher {
    number: u32,
    line: Option<Line>,
    /// Number of the next picture, over all its pushes.
    frame: u64,
}

/// Its connection.
struct Line {
    socket: UdpSocket,
    caller: Box<Caller>,
    server: SocketAddr,
    dialed: Duration,
    live: Option<Live>,
    /// What does not fill a payload yet.
    waiting: Vec<u8>,
}

#[derive(Debug, Default)]
struct Live {
    pictures: u64,
    sounds: u64,
    counters: Counters,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("server", &self.server).field("live", &self.live).finish_non_exhaustive()
    }
}

impl Publisher {
    pub(super) fn new(number: u32) -> Self {
        Self { number, line: None, frame: 0 }
    }

    pub(super) fn is_live(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.live.is_some())
    }

    pub(super) fn is_there(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn dial(&mut self, around: &Around<'_>, registry: &Registry, token: Token) -> io::Result<()> {
        let server = around.place.push_address(self.number);
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let mut socket = UdpSocket::bind(any)?;
        socket.connect(server)?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        let config = CallerConfig {
            stream_id: around.place.stream_id(self.number),
            connect_timeout: Duration::from_secs(10),
            send: SendConfig { bandwidth: BANDWIDTH, ..SendConfig::default() },
            ..CallerConfig::default()
        };
        let caller = Caller::new(config, server, around.instant()).map_err(io::Error::other)?;
        let caller = Box::new(caller);
        let mut line = Line { socket, caller, server, dialed: around.now, live: None, waiting: Vec::new() };
        line.transmit(around.instant())?;
        self.line = Some(line);
        Ok(())
    }

    pub(super) fn readable(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let now = around.instant();
        loop {
            match line.socket.recv(around.scratch) {
                Ok(count) => {
                    let datagram = around.scratch.get(..count).unwrap_or_default();
                    line.caller.handle_datagram(now, line.server, datagram);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.over(&error),
            }
        }
        self.tend(around)
    }

    pub(super) fn tend(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        line.caller.handle_timeout(around.instant());
        if let Err(error) = line.transmit(around.instant()) {
            return self.over(&error);
        }
        match line.caller.poll_event() {
            None => Step::Nothing,
            Some(CallerEvent::Connected { .. }) => {
                around.tally.publish.add(micros(around.now.saturating_sub(line.dialed)));
                line.live = Some(Live::default());
                Step::Live
            }
            Some(CallerEvent::Closed { reason: CallerCloseReason::Rejected(code) }) => {
                self.end(Ending::Refused(format!("push: SRT reject code {code}")))
            }
            Some(CallerEvent::Closed { reason }) => self.end(Ending::Lost(format!("push: {reason:?}"))),
        }
    }

    pub(super) fn picture(&mut self, around: &mut Around<'_>, step: Duration) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let Some(live) = &mut line.live else { return Step::Nothing };
        let stamp = Stamp { stream: self.number, frame: self.frame, sent_us: micros(around.now) };
        let at = step.saturating_mul(u32::try_from(live.pictures).unwrap_or(u32::MAX));
        around.media.ts.video(live.pictures, at, stamp, &mut live.counters, &mut line.waiting);
        live.pictures += 1;
        self.frame += 1;
        self.send(around)
    }

    pub(super) fn sound(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let Some(live) = &mut line.live else { return Step::Nothing };
        live.sounds += 1;
        if !live.sounds.is_multiple_of(AUDIO_TOGETHER) {
            return Step::Nothing;
        }
        around.media.ts.audio(live.sounds - AUDIO_TOGETHER, &mut live.counters, &mut line.waiting);
        self.send(around)
    }

    pub(super) fn leave(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        line.caller.stop(around.instant());
        // Nothing comes after an SRT goodbye, and whether it was heard makes no difference to who leaves.
        let _ = line.transmit(around.instant());
        self.end(Ending::Left)
    }

    pub(super) fn close(&mut self) -> Step {
        if self.line.is_some() { self.end(Ending::Left) } else { Step::Nothing }
    }

    /// Sends all payloads that are full.
    fn send(&mut self, around: &mut Around<'_>) -> Step {
        let Some(line) = &mut self.line else { return Step::Nothing };
        let full = line.waiting.len() / PAYLOAD * PAYLOAD;
        for payload in line.waiting.get(..full).unwrap_or_default().chunks_exact(PAYLOAD) {
            let taken = line.caller.enqueue(around.instant(), payload.to_vec());
            around.tally.sent(if taken.is_ok() { Sent::Yes } else { Sent::HeldBack }, payload.len());
        }
        line.waiting.drain(..full);
        let done = line.transmit(around.instant());
        done.map_or_else(|error| self.over(&error), |()| Step::Nothing)
    }

    fn over(&mut self, error: &io::Error) -> Step {
        self.end(Ending::Lost(format!("push: {error}")))
    }

    fn end(&mut self, ending: Ending) -> Step {
        self.line = None;
        Step::Ended(ending)
    }
}

impl Line {
    /// Sends what the library has to send. It gives one datagram a moment, so moments are counted up.
    fn transmit(&mut self, now: Instant) -> io::Result<()> {
        let mut at = now;
        for _ in 0..AT_ONCE {
            let Some((_, datagram)) = self.caller.poll_transmit(at) else { break };
            match self.socket.send(&datagram) {
                Ok(_) => {}
                // Lost as on any path.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            at += PACE;
        }
        Ok(())
    }
}
