//! One RTMP connection: the socket and the session on it, joined so that whatever comes next is one value.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use cause::evidence::{Close, CutMessage, TcpFacts};
use model::Clock;
use rtmp::server::{Connect, Event, Publish};
use rtmp::{Fault, ServerSession};
use tokio::time::Sleep;

use crate::hub::feed::{Format, Served, Step, Viewer};
use crate::ingest::memory::MemoryShare;
use crate::ingest::way::Way;
use crate::play::Outbox;
use crate::push::{ConnectionFacts, End, OrderSlot, Watch};
use crate::shared::Shared;
use crate::socket::{Moved, Sensor};

/// While admission decides, this much of what the client sends is held unread; more waits in its own socket.
const HELD_AT_MOST: usize = 512 * 1024;
/// Answers that a client may leave unread before nothing more is read from it.
const UNREAD_AT_MOST: usize = 256 * 1024;
/// A refused or cut client has this long, and this much, to read why and to close.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 8 * 1024 * 1024;

/// A connection with its session.
pub(super) struct Connection {
    pub(super) sensor: Sensor,
    pub(super) session: ServerSession,
    clock: Arc<dyn Clock>,
    /// What the session wrote and the socket has not taken yet.
    output: BytesMut,
    sleep: Pin<Box<Sleep>>,
    sleeps_until: Instant,
    /// The time of the newest bytes; one look at the clock serves all messages that came with them.
    now: Instant,
    /// What connect said, once it has come.
    pub(super) connect: Option<Box<Connect>>,
    /// A publish that ended the push before it and begins the next.
    pub(super) carried: Option<Box<Publish>>,
    /// The client plays here, so its leaving is no push's end.
    pub(super) plays: bool,
    /// `TCP_USER_TIMEOUT` is shortened because of a silence.
    path_shortened: bool,
    memory: MemoryShare,
}

/// What comes next on a connection.
#[derive(Debug)]
pub(super) enum Input {
    /// The client said something.
    Event(Event),
    /// The client broke a rule.
    Fault(Fault),
    /// The receive side has ended, and all that came before has been given.
    Closed(Close),
    /// The deadline has come.
    Due,
    /// An order stands.
    Ordered,
    /// Half-received messages of all connections fill their memory, and this one is among the large.
    Memory(End),
}

/// What comes next on a connection that plays.
#[derive(Debug)]
pub(super) enum PlayInput {
    /// The live stream goes on, or has ended.
    Step(Step),
    /// The viewer goes on alone, and has this to write first.
    Rest(Vec<Bytes>),
    /// Something of the client's, or about it.
    Client(Input),
}

impl Connection {
    pub(super) fn new(sensor: Sensor, session: ServerSession, shared: Arc<Shared>) -> Self {
        let clock = shared.clock.clone();
        let now = clock.instant();
        Self {
            sensor,
            session,
            output: BytesMut::new(),
            sleep: Box::pin(tokio::time::sleep_until(now.into())),
            sleeps_until: now,
            now,
            clock,
            connect: None,
            carried: None,
            plays: false,
            path_shortened: false,
            memory: MemoryShare::new(shared),
        }
    }

    /// Bytes that were received before the session began to read, as after a PROXY header.
    pub(super) fn prefill(&mut self, bytes: &Bytes) {
        self.session.read_buf().extend_from_slice(bytes);
    }

    /// The next thing that happens, before `deadline`.
    pub(super) async fn next(&mut self, watch: &mut Watch, deadline: Instant, order: &OrderSlot) -> Input {
        loop {
            if let Some(input) = self.stands(Some(deadline), order) {
                return input;
            }
            self.take_output();
            let waited_from = self.now;
            let in_part = self.session.mid_message().is_some();
            let woke = poll_fn(|cx| self.poll_wake(cx, deadline, order)).await;
            self.now = self.clock.instant();
            if in_part {
                watch.trickled(self.now.saturating_duration_since(waited_from));
            }
            if let Some(Moved::Read(count)) = woke {
                watch.bytes(self.now, count);
                if self.path_shortened {
                    self.path_shortened = false;
                    self.sensor.silence_so_far(Duration::ZERO);
                }
            }
        }
    }

    /// What stands already, before anything is waited for.
    fn stands(&mut self, deadline: Option<Instant>, order: &OrderSlot) -> Option<Input> {
        match self.session.poll() {
            Ok(Some(event)) => return Some(Input::Event(event)),
            Ok(None) => {}
            Err(fault) => return Some(Input::Fault(fault)),
        }
        if let Some(end) = self.memory.hold(self.session.buffered()) {
            return Some(Input::Memory(end));
        }
        // An order that stands came before this look: what the client does then is its reaction.
        if order.get().is_some() {
            return Some(Input::Ordered);
        }
        if let Some(close) = self.sensor.closed() {
            return Some(Input::Closed(close));
        }
        deadline.is_some_and(|at| self.now >= at).then_some(Input::Due)
    }

    /// The next thing that happens on a connection that plays; meanwhile `outbox` is written. The viewer is asked only
    /// once all of it is gone: what a slow one has not taken waits with the stream, where it is bounded and shared. While it
    /// keeps up, a group may write in its place if `in_group` says so.
    pub(super) async fn exchange(
        &mut self,
        outbox: &mut Outbox,
        viewer: Option<&mut Viewer>,
        in_group: bool,
        order: &OrderSlot,
        deadline: Option<Instant>,
    ) -> PlayInput {
        let mut viewer = viewer;
        loop {
            if let Some(input) = self.stands(deadline, order) {
                return PlayInput::Client(input);
            }
            if self.session.has_output()
                && let Some(viewer) = viewer.as_mut().filter(|viewer| viewer.is_in_group())
            {
                return PlayInput::Rest(viewer.leave_group());
            }
            // A client that asks without reading is not read any more once its answers fill their own bound.
            if outbox.remaining() < UNREAD_AT_MOST {
                self.take_answers(outbox);
            }
            let served = poll_fn(|cx| {
                let reads = self.session.output().len() < UNREAD_AT_MOST;
                loop {
                    match self.sensor.poll_move(cx, &mut self.session, outbox, reads) {
                        // Answers wait to be taken behind it.
                        Poll::Ready(Moved::Wrote) if self.session.has_output() => return Poll::Ready(None),
                        // Once all has gone out the viewer is asked at once: nothing else has happened meanwhile.
                        Poll::Ready(Moved::Wrote) if outbox.has_remaining() => {}
                        Poll::Ready(Moved::Wrote) | Poll::Pending => break,
                        Poll::Ready(Moved::Read(_) | Moved::Closed) => return Poll::Ready(None),
                    }
                }
                if !outbox.has_remaining()
                    && let Some(viewer) = &mut viewer
                    && let line = self.sensor.line().filter(|_| in_group)
                    && let Poll::Ready(served) = viewer.poll_served(cx, line.map(|line| (line, Format::Rtmp)))
                {
                    return Poll::Ready(Some(served));
                }
                if order.poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                let Some(deadline) = deadline else { return Poll::Pending };
                self.poll_sleep(cx, deadline).map(|()| None)
            })
            .await;
            self.now = self.clock.instant();
            match served {
                Some(Served::Step(step)) => return PlayInput::Step(step),
                Some(Served::Rest(rest)) => return PlayInput::Rest(rest),
                None => {}
            }
        }
    }

    /// Moves what the session has answered behind what waits to be written already.
    pub(super) fn take_answers(&mut self, outbox: &mut Outbox) {
        if !self.output.is_empty() {
            outbox.push(self.output.split().freeze());
        }
        if self.session.has_output() {
            outbox.push(self.session.output().split().freeze());
        }
    }

    /// Keeps what one who played was to be sent, so that a message cut in the middle is sent to its end.
    pub(super) fn flush_later(&mut self, mut outbox: Outbox) {
        while outbox.has_remaining() {
            let piece = outbox.chunk();
            let count = piece.len();
            self.output.extend_from_slice(piece);
            outbox.advance(count);
        }
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.sleeps_until != deadline {
            self.sleeps_until = deadline;
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().poll(cx)
    }

    fn poll_wake(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Instant,
        order: &OrderSlot,
    ) -> Poll<Option<Moved>> {
        let reads = self.output.len() < UNREAD_AT_MOST;
        if let Poll::Ready(moved) = self.sensor.poll_move(cx, &mut self.session, &mut self.output, reads) {
            return Poll::Ready(Some(moved));
        }
        if order.poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        self.poll_sleep(cx, deadline).map(|()| None)
    }

    /// Sends one ping and gives the path what is left of its limit.
    pub(super) fn probe(&mut self, silence: Duration, timestamp: u32) {
        self.session.ping(timestamp);
        self.path_shortened = true;
        self.sensor.silence_so_far(silence);
    }

    /// A message that was cut off, if the connection ended inside one.
    pub(super) fn cut_message(&self) -> Option<CutMessage> {
        if let Some(mid) = self.session.mid_message() {
            return Some(CutMessage {
                message_type: mid.type_id,
                have: u32::try_from(mid.have).unwrap_or(u32::MAX),
                want: u32::try_from(mid.want).unwrap_or(u32::MAX),
            });
        }
        (!self.session.at_boundary()).then_some(CutMessage { message_type: 0, have: 0, want: 0 })
    }

    /// Sends what is pending, then waits for the client to read it and close.
    pub(super) async fn farewell(&mut self) {
        self.take_output();
        self.sensor.farewell(&mut self.output, FAREWELL_LIMIT, FAREWELL_BYTES).await;
    }

    fn take_output(&mut self) {
        if self.session.has_output() {
            let written = self.session.output().split();
            if self.output.is_empty() {
                self.output = written;
            } else {
                self.output.extend_from_slice(&written);
            }
        }
    }
}

impl Way for Connection {
    fn now(&self) -> Instant {
        self.now
    }

    fn closed(&self) -> Option<Close> {
        self.sensor.closed()
    }

    fn bytes(&self) -> (u64, u64) {
        (self.sensor.bytes_in(), self.sensor.bytes_out())
    }

    fn tcp(&self) -> Option<TcpFacts> {
        self.sensor.facts()
    }

    fn facts(&self) -> ConnectionFacts {
        ConnectionFacts {
            tcp: self.sensor.facts(),
            write_error: self.sensor.write_error(),
            cut_message: self.cut_message(),
            bytes_in: self.sensor.bytes_in(),
            bytes_out: self.sensor.bytes_out(),
            carrier: self.sensor.carrier(),
        }
    }

    async fn hold<T>(
        &mut self,
        watch: &mut Watch,
        order: &OrderSlot,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut held = 0;
        loop {
            self.take_output();
            let step = poll_fn(|cx| {
                if let Poll::Ready(done) = work.as_mut().poll(cx) {
                    return Poll::Ready(Ok(done));
                }
                let room = held < HELD_AT_MOST;
                let moved = self.sensor.poll_move(cx, &mut self.session, &mut self.output, room);
                if let Poll::Ready(moved) = moved {
                    return Poll::Ready(Err(Some(moved)));
                }
                order.poll(cx).map(|_| Err(None))
            })
            .await;
            self.now = self.clock.instant();
            match step {
                Ok(done) => return Some(done),
                Err(Some(Moved::Read(count))) => {
                    held += count;
                    watch.bytes(self.now, count);
                }
                Err(Some(Moved::Wrote)) => {}
                Err(Some(Moved::Closed) | None) => return None,
            }
        }
    }
}
