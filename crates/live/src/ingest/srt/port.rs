//! The task that owns the UDP socket: datagrams to the engine, events to the pushes, commands of theirs to the engine.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cause::evidence::Errno;
use model::admission::resolve_domain;
use model::stream_key::PushUrl;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::connection::{Command, Connection, Ended, Figures, PAYLOADS};
use super::engine::{self, Counts, EndedBy, Engine, Greeting, Happened, Id, Sent};
use super::half::{Caller, Ends, Half, HalfWay};
use super::passphrase::Checks;
use super::push::{self, Asking, LOOK_AFTER};
use super::{SrtConfigError, reject};
use crate::arrivals::Arrival;
use crate::config::SrtConfig;
use crate::shared::{Connections, Shared};
use crate::udp::{self, Inbox, REFUSED_TWICE, Report, receive};

/// Calls that read before what they led to is handed on.
const READS_TOGETHER: usize = 4;
/// Datagrams that wait for each other at most.
const OUTGOING: usize = 256;
/// Deadlines this near are met together: a payload is handed on up to this much later.
const GRAIN: Duration = Duration::from_millis(4);
/// What the kernel holds for us while we do something else: 100 ms at 600 Mbit/s.
const RECEIVE_BUFFER: i32 = 8 * 1024 * 1024;
/// One byte more than the largest datagram that the protocol has, so that a larger one shows.
const DATAGRAM: usize = 1_501;
/// A caller that was not heard for this long is sent a sign of life, so that the network reports it if its program is gone.
const QUIET_MS: u64 = 250;

/// Binds the port.
///
/// # Errors
/// The errno of bind.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    udp::bind(addr, RECEIVE_BUFFER)
}

/// Serves the port until the task is aborted.
///
/// # Errors
/// [`SrtConfigError`], at once.
pub(crate) fn run(
    shared: Arc<Shared>,
    socket: UdpSocket,
    config: &SrtConfig,
) -> Result<impl Future<Output = ()> + Send + 'static, SrtConfigError> {
    let now = shared.clock.instant();
    let engine = Engine::new(config, shared.config.limits.connections, now)?;
    let (commands, asked) = mpsc::unbounded_channel();
    let port = Port {
        shared,
        socket,
        engine,
        began: now,
        now,
        looked_after: now,
        connections: HashMap::new(),
        by_caller: HashMap::new(),
        half: HalfWay::default(),
        ends: Ends::default(),
        player: None,
        checks: Checks::default(),
        unnoticed: 0,
        outgoing: Vec::new(),
        commands,
    };
    Ok(port.serve(asked))
}

/// One connection, as the port keeps it.
struct Kept {
    caller: Caller,
    figures: Arc<Figures>,
    payloads: mpsc::Sender<Vec<u8>>,
    /// What its media is encrypted with.
    passphrase: Option<String>,
    /// Reports of a closed port since the caller was last heard.
    refused: u32,
    unreachable: Option<Errno>,
    /// The end that is decided already, whatever the engine calls it.
    ended: Option<Ended>,
}

/// Whether a caller encrypts as it should.
enum Secret {
    /// It does, with this passphrase, or does not and need not.
    Fits(Option<String>),
    /// It does not: the code to say so.
    Refused(u32),
    /// It cannot be looked at now.
    NotNow,
}

struct Port {
    shared: Arc<Shared>,
    socket: UdpSocket,
    engine: Engine,
    began: Instant,
    now: Instant,
    looked_after: Instant,
    connections: HashMap<Id, Kept>,
    by_caller: HashMap<Caller, Id>,
    half: HalfWay,
    /// What has ended before there was a push, until the next look.
    ends: Ends,
    /// A caller that is refused and leaves no record, as it asked for something else than to push.
    player: Option<Caller>,
    checks: Checks,
    /// Handshakes for which there was no room, in all.
    unnoticed: u64,
    /// Datagrams that go out together.
    outgoing: Vec<(SocketAddr, Vec<u8>)>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Port {
    async fn serve(mut self, mut asked: mpsc::UnboundedReceiver<Command>) {
        let mut inbox = Inbox::new(DATAGRAM);
        let sleep = tokio::time::sleep_until(self.now.into());
        tokio::pin!(sleep);
        loop {
            self.tell(None);
            self.flush();
            let wake = self.wake_at();
            if sleep.deadline() != wake.into() {
                sleep.as_mut().reset(wake.into());
            }
            tokio::select! {
                ready = self.socket.ready(Interest::READABLE | Interest::ERROR) => {
                    self.now = self.shared.clock.instant();
                    if ready.is_ok_and(|ready| ready.is_error()) {
                        self.hear_errors();
                    }
                    self.listen(&mut inbox);
                }
                Some(command) = asked.recv() => {
                    self.now = self.shared.clock.instant();
                    self.obey(command);
                    while let Ok(command) = asked.try_recv() {
                        self.obey(command);
                    }
                }
                () = &mut sleep => self.now = self.shared.clock.instant(),
            }
            self.engine.pass_time(self.now);
            if self.now.saturating_duration_since(self.looked_after) >= LOOK_AFTER {
                self.look_after();
            }
        }
    }

    /// Milliseconds since the port was opened.
    fn millis(&self) -> u64 {
        u64::try_from(self.now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn wake_at(&self) -> Instant {
        let look = self.looked_after + LOOK_AFTER;
        self.engine.next_deadline().map_or(look, |at| at.max(self.now + GRAIN).min(look))
    }

    /// Reads what has come.
    fn listen(&mut self, inbox: &mut Inbox) {
        for _ in 0..READS_TOGETHER {
            let read = receive(&self.socket, inbox);
            for (from, datagram) in (0..inbox.len()).filter_map(|index| inbox.get(index)) {
                crate::pace::note_read();
                self.take(from, datagram);
            }
            match read {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An error about a datagram of ours; the queue has it with its address.
                Err(_) => self.hear_errors(),
            }
        }
    }

    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        match engine::greeting(datagram) {
            Some(greeting) => self.greet(from, datagram, greeting),
            None => {
                self.heard(from, datagram);
                self.engine.receive(self.now, from, datagram);
            }
        }
    }

    /// Notes that a connection's caller lives.
    fn heard(&mut self, from: SocketAddr, datagram: &[u8]) {
        let at = self.millis();
        let Some(kept) = engine::addressed_to(datagram).and_then(|id| self.connections.get_mut(&Id(id)))
        else {
            return;
        };
        if kept.caller.0 != from {
            return;
        }
        kept.refused = 0;
        kept.unreachable = None;
        kept.figures.heard_ms.store(at, Ordering::Relaxed);
        kept.figures.bytes_in.fetch_add(datagram.len() as u64, Ordering::Relaxed);
    }

    /// A handshake: it is noted until its caller asks to push, is refused, or has left.
    fn greet(&mut self, from: SocketAddr, datagram: &[u8], greeting: Greeting) {
        let caller = (from, greeting.caller);
        if self.by_caller.contains_key(&caller) {
            // Its answer was lost on the way, and is given again.
            return self.engine.receive(self.now, from, datagram);
        }
        self.half.note(self.now, from, &greeting);
        self.engine.receive(self.now, from, datagram);
        self.tell(Some((from, datagram, &greeting)));
    }

    /// Hands on what the engine has to say. `asker` is whose handshake it has just been given.
    fn tell(&mut self, asker: Option<(SocketAddr, &[u8], &Greeting)>) {
        while let Some(happened) = self.engine.next_event() {
            match happened {
                Happened::Asks { id, stream_id } => match asker {
                    Some((from, datagram, greeting)) => self.ask(id, from, datagram, greeting, stream_id),
                    None => self.engine.reject(id, reject::BAD_MODE),
                },
                Happened::Data { id, payload } => self.hand_on(id, payload),
                Happened::Ended { id, by, counts } => self.end(id, by, counts),
            }
        }
        while let Some((to, datagram)) = self.engine.next_datagram() {
            self.note_sent(to, &datagram, asker.map(|(_, _, greeting)| greeting));
            self.send(to, datagram);
        }
    }

    fn send(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        self.outgoing.push((to, datagram));
        if self.outgoing.len() >= OUTGOING {
            self.flush();
        }
    }

    fn note_sent(&mut self, to: SocketAddr, datagram: &[u8], asker: Option<&Greeting>) {
        let Some(number) = engine::addressed_to(datagram) else { return };
        let caller = (to, number);
        match engine::sent(datagram) {
            // Where a push was refused, its handshake has been taken away before.
            Sent::Refusal { .. } if self.player.take_if(|player| *player == caller).is_some() => {}
            Sent::Refusal { code } => {
                let began = self.now;
                let fresh = asker.filter(|greeting| greeting.caller == number);
                let fresh = fresh.map(|greeting| Half { began, greeting: greeting.clone() });
                if let Some(half) = self.half.take(caller).or(fresh) {
                    self.ends.add(caller, half, Some(code));
                }
            }
            what => {
                let id = self.by_caller.get(&caller);
                if let Some(kept) = id.and_then(|id| self.connections.get(id)) {
                    kept.figures.bytes_out.fetch_add(datagram.len() as u64, Ordering::Relaxed);
                    if let Sent::Acknowledgement { rtt_us } = what {
                        kept.figures.rtt_us.store(rtt_us, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Sends all that waits to go out.
    fn flush(&mut self) {
        let mut rest = self.outgoing.as_slice();
        let mut again = true;
        while !rest.is_empty() {
            rest = match self.socket.try_io(Interest::WRITABLE, || udp::send(self.socket.as_fd(), rest)) {
                Ok(sent) => {
                    again = true;
                    rest.get(sent.max(1)..).unwrap_or_default()
                }
                // What a full socket does not take is lost as on any path, and asked for again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An error is about an earlier datagram, once; the queue has it with its address.
                Err(_) if std::mem::take(&mut again) => rest,
                Err(_) => {
                    again = true;
                    rest.get(1..).unwrap_or_default()
                }
            };
        }
        self.outgoing.clear();
    }

    fn ask(&mut self, id: Id, from: SocketAddr, datagram: &[u8], greeting: &Greeting, stream_id: Vec<u8>) {
        let passphrase = match self.passphrase_of(from, datagram, greeting) {
            Secret::Fits(passphrase) => passphrase,
            Secret::Refused(code) => return self.engine.reject(id, code),
            // Left without an answer, the caller asks again.
            Secret::NotNow => return self.engine.close(id, self.now),
        };
        let caller = (from, greeting.caller);
        self.half.take(caller);
        if push::wants_to_play(&stream_id) {
            tracing::info!(client = %from, "play over SRT refused");
            self.player = Some(caller);
            return self.engine.reject(id, reject::BAD_MODE);
        }
        let shared = &self.shared;
        let client = SocketAddr::new(from.ip().to_canonical(), from.port());
        let guard = Connections::enter(shared);
        shared.counters.accepted();
        let (limits, open) = (&shared.config.limits, shared.connections.open());
        let (overload, place) = match shared.arrivals.arrive(client.ip(), limits, open, self.now) {
            Arrival::Welcome(place) => (None, Some(place)),
            Arrival::ToldWhy(act) | Arrival::TurnedAway(act) => {
                shared.counters.overloaded();
                (Some(act), None)
            }
        };
        let figures = Arc::new(Figures::default());
        let (payloads, handed) = mpsc::channel(PAYLOADS);
        let kept = Kept {
            caller,
            figures: figures.clone(),
            payloads,
            passphrase,
            refused: 0,
            unreachable: None,
            ended: None,
        };
        self.connections.insert(id, kept);
        self.by_caller.insert(caller, id);
        let connection = Connection {
            id,
            version: greeting.version,
            key_bytes: greeting.key_bytes,
            encrypted: greeting.encrypts,
            figures,
            commands: self.commands.clone(),
            payloads: handed,
            port_began: self.began,
            clock: shared.clock.clone(),
            now: self.now,
            guard: Some(guard),
            sleep: Box::pin(tokio::time::sleep_until(self.now.into())),
            sleeps_until: self.now,
            batch: Vec::new(),
            gone: false,
            ts: Default::default(),
        };
        let asking = Asking { connection, client, stream_id, overload, place };
        tokio::spawn(push::serve(shared.clone(), asking));
    }

    /// Looks whether a caller encrypts as the domain that it names asks for.
    fn passphrase_of(&mut self, from: SocketAddr, datagram: &[u8], greeting: &Greeting) -> Secret {
        let url = PushUrl::from_srt_streamid(&String::from_utf8_lossy(&greeting.stream_id));
        let admission = &self.shared.config.admission;
        let domain = resolve_domain(admission, &url, None).ok();
        match (self.engine.passphrase_of(domain.as_deref()), greeting.encrypts) {
            (None, false) => Secret::Fits(None),
            (Some(_), false) => Secret::Refused(reject::UNSECURE),
            (None, true) => {
                // Of a domain that there is not, admission tells the truth: that is what has to be mended first.
                let known = admission.admit_any
                    || self
                        .shared
                        .catalog
                        .snapshot()
                        .zip(domain)
                        .is_some_and(|(catalog, domain)| catalog.domain(&domain).is_some());
                if known { Secret::Refused(reject::UNSECURE) } else { Secret::Fits(None) }
            }
            (Some(_), true) if !self.checks.may(from.ip(), self.now) => Secret::NotNow,
            (Some(passphrase), true) => {
                let secret = (passphrase, greeting.key_bytes);
                match self.engine.passphrase_fits(self.now, from, datagram, secret) {
                    true => Secret::Fits(Some(passphrase.to_owned())),
                    false => Secret::Refused(reject::BAD_SECRET),
                }
            }
        }
    }

    fn hand_on(&mut self, id: Id, payload: Vec<u8>) {
        let Some(kept) = self.connections.get(&id) else { return };
        if kept.payloads.try_send(payload).is_err() {
            kept.figures.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn end(&mut self, id: Id, by: EndedBy, counts: Counts) {
        let Some(kept) = self.forget(id) else { return };
        kept.figures.set_counts(counts);
        let ended = kept.ended.unwrap_or(match (by, kept.unreachable) {
            (EndedBy::Shutdown, _) => Ended::Shutdown,
            (EndedBy::Silence, Some(errno)) => Ended::Unreachable(errno),
            (EndedBy::Silence, None) => Ended::Silence,
        });
        // The push reads it once it has taken what waits, and the channel is found closed.
        let _ = kept.figures.ended.set(ended);
    }

    fn forget(&mut self, id: Id) -> Option<Kept> {
        let kept = self.connections.remove(&id)?;
        self.by_caller.remove(&kept.caller);
        Some(kept)
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Accept { id, key_bytes } => {
                let secret = self.connections.get(&id).and_then(|kept| kept.passphrase.as_deref());
                if self.engine.accept(id, (secret, key_bytes), self.now) {
                    if let Some(kept) = self.connections.get(&id) {
                        let latency = self.engine.latency(id).as_millis();
                        let latency = u32::try_from(latency).unwrap_or(u32::MAX);
                        kept.figures.latency_ms.store(latency, Ordering::Relaxed);
                    }
                } else {
                    self.end(id, EndedBy::Silence, Counts::default());
                }
                self.tell(None);
            }
            Command::Reject { id, code, guard } => {
                self.engine.reject(id, code);
                self.forget(id);
                self.tell(None);
                drop(guard);
            }
            Command::Close { id, guard } => {
                if self.forget(id).is_some() {
                    self.engine.close(id, self.now);
                    self.tell(None);
                }
                drop(guard);
            }
        }
    }

    /// Takes what the network reports about datagrams of ours.
    fn hear_errors(&mut self) {
        let mut reports = Vec::new();
        udp::take(&self.socket, |to, report| reports.push((to, report)));
        for (to, report) in reports {
            self.hear_error(to, report);
        }
    }

    fn hear_error(&mut self, to: SocketAddr, report: Report) {
        let (mut ask_again, mut gone) = (Vec::new(), Vec::new());
        for (id, kept) in self.connections.iter_mut().filter(|(_, kept)| kept.caller.0 == to) {
            match report {
                Report::Unreachable(errno) => kept.unreachable = Some(errno),
                Report::Refused => {
                    kept.refused += 1;
                    kept.figures.refused.fetch_add(1, Ordering::Relaxed);
                    match kept.refused {
                        1 => ask_again.push(kept.caller),
                        REFUSED_TWICE => {
                            kept.ended = Some(Ended::Refused);
                            gone.push(*id);
                        }
                        _ => {}
                    }
                }
            }
        }
        for (to, caller) in ask_again {
            self.send(to, engine::keep_alive(caller));
        }
        for id in gone {
            self.engine.give_up(id, to, self.now);
        }
    }

    /// A few times a second: counts for the pushes, errors that woke nobody, callers that have left half-way.
    fn look_after(&mut self) {
        self.looked_after = self.now;
        self.hear_errors();
        let at = self.millis();
        let mut quiet = Vec::new();
        for (id, kept) in &self.connections {
            let Some(counts) = self.engine.counts(*id) else { continue };
            kept.figures.set_counts(counts);
            if at.saturating_sub(kept.figures.heard_ms.load(Ordering::Relaxed)) >= QUIET_MS {
                quiet.push(kept.caller);
            }
        }
        for (to, caller) in quiet {
            self.send(to, engine::keep_alive(caller));
        }
        while let Some((caller, half)) = self.half.next_left(self.now) {
            self.ends.add(caller, half, None);
        }
        for end in self.ends.take() {
            tokio::spawn(push::half_way(self.shared.clone(), end, self.now));
        }
        let (unnoticed, first) = (self.half.take_unnoticed(), self.unnoticed == 0);
        self.unnoticed = self.unnoticed.saturating_add(unnoticed);
        if unnoticed > 0 && first {
            tracing::warn!(
                handshakes = unnoticed,
                "a flood of SRT handshakes; who leaves half-way goes unnoticed"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_received_once_does_not_come_again() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut inbox = Inbox::new(DATAGRAM);
        for _ in 0..3 {
            sender.send_to(b"once", socket.local_addr().unwrap()).await.unwrap();
            let mut heard = 0;
            while heard == 0 {
                socket.readable().await.unwrap();
                let read = receive(&socket, &mut inbox);
                assert!(read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
                heard += inbox.len();
            }
            assert_eq!(heard, 1);
            assert!(receive(&socket, &mut inbox).is_err());
            assert_eq!(inbox.len(), 0, "it was emptied before");
        }
    }
}
