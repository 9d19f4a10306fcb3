//! One SRT connection as its push sees it. The port's task speaks for it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use cause::evidence::{CarrierFacts, Close, Errno, Goodbye, SrtFacts, TcpFacts, TsFacts};
use model::Clock;
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::engine::{Counts, Id};
use crate::ingest::way::{Way, hold_while_there};
use crate::push::{ConnectionFacts, End, LinkFacts, OrderSlot, Watch};
use crate::shared::ConnectionGuard;

/// Payloads that wait for their push; beyond, they are lost and counted. Half a second at 20 Mbit/s.
pub(super) const PAYLOADS: usize = 1_024;
/// Payloads taken together.
const TOGETHER: usize = 64;

/// What a push asks of the port.
pub(super) enum Command {
    /// Tell the caller that it may push.
    Accept { id: Id, key_bytes: u16 },
    /// Tell it that it may not.
    Reject { id: Id, code: u32, guard: ConnectionGuard },
    /// Say goodbye to it. The guard is given back once that is sent.
    Close { id: Id, guard: ConnectionGuard },
}

/// How a connection ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The caller said goodbye.
    Shutdown,
    /// It was not heard for the limit.
    Silence,
    /// The network reports that its port is closed.
    Refused,
    /// It was not heard for the limit, and the network reports that there is no way to it.
    Unreachable(Errno),
}

/// What the port knows of a connection, for its push to read.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) rtt_us: AtomicU32,
    pub(super) latency_ms: AtomicU32,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    /// When the caller was last heard, ms since the port was opened.
    pub(super) heard_ms: AtomicU64,
    pub(super) overflowed: AtomicU64,
    pub(super) refused: AtomicU32,
    counts: Mutex<Counts>,
    pub(super) ended: OnceLock<Ended>,
}

impl Figures {
    pub(super) fn set_counts(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection.
pub(super) struct Connection {
    pub(super) id: Id,
    pub(super) version: u32,
    pub(super) key_bytes: u16,
    /// Its media is encrypted.
    pub(super) encrypted: bool,
    pub(super) figures: Arc<Figures>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) payloads: mpsc::Receiver<Vec<u8>>,
    /// When the port was opened.
    pub(super) port_began: Instant,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) now: Instant,
    pub(super) guard: Option<ConnectionGuard>,
    pub(super) sleep: Pin<Box<Sleep>>,
    pub(super) sleeps_until: Instant,
    /// Payloads that have come and are still to be taken in.
    pub(super) batch: Vec<Vec<u8>>,
    pub(super) gone: bool,
    /// What was wrong with the transport stream so far.
    pub(super) ts: TsFacts,
}

/// What comes next on a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// `batch` holds what has come.
    Data,
    /// It has ended, and all that came before has been given.
    Ended,
    /// The deadline has come.
    Due,
    /// An order stands.
    Ordered,
}

impl Connection {
    /// The next thing that happens, before `deadline`.
    pub(super) async fn next(&mut self, deadline: Instant, order: &OrderSlot) -> Input {
        if order.get().is_some() {
            return Input::Ordered;
        }
        if self.now >= deadline {
            return Input::Due;
        }
        let input = poll_fn(|cx| self.poll_input(cx, deadline, order)).await;
        self.now = self.clock.instant();
        input
    }

    fn poll_input(&mut self, cx: &mut Context<'_>, deadline: Instant, order: &OrderSlot) -> Poll<Input> {
        match self.payloads.poll_recv_many(cx, &mut self.batch, TOGETHER) {
            Poll::Ready(0) => {
                self.gone = true;
                return Poll::Ready(Input::Ended);
            }
            Poll::Ready(_) => return Poll::Ready(Input::Data),
            Poll::Pending => {}
        }
        if order.poll(cx).is_ready() {
            return Poll::Ready(Input::Ordered);
        }
        if self.sleeps_until != deadline {
            self.sleeps_until = deadline;
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().poll(cx).map(|()| Input::Due)
    }

    /// How the connection ended, as the value that a push ends with.
    pub(super) fn end(&self) -> End {
        match self.figures.ended.get() {
            Some(Ended::Shutdown) => End::goodbye(Goodbye::SrtShutdown),
            Some(Ended::Silence) => End::closed(Close::TransportLost),
            Some(Ended::Refused) => End::closed(Close::Reset),
            Some(Ended::Unreachable(errno)) => End::closed(Close::Unreachable(*errno)),
            None => End::closed(Close::Failed(Errno::EBADF)),
        }
    }

    /// Milliseconds since the caller was last heard, its signs of life included.
    pub(super) fn unheard_ms(&self) -> u64 {
        let now = self.now.saturating_duration_since(self.port_began).as_millis();
        u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(self.figures.heard_ms.load(Ordering::Relaxed))
    }

    /// What the path is like, for the timeline.
    pub(super) fn link(&self) -> LinkFacts {
        let counts = self.figures.counts();
        LinkFacts {
            rtt_us: self.figures.rtt_us.load(Ordering::Relaxed),
            lost: counts.lost,
            retransmitted: counts.retransmitted,
        }
    }

    /// Tells the caller that it may push.
    pub(super) fn accept(&self) {
        let _ = self.commands.send(Command::Accept { id: self.id, key_bytes: self.key_bytes });
    }

    /// Tells the caller that it may not.
    pub(super) fn reject(&mut self, code: u32) {
        if let Some(guard) = self.guard.take() {
            let _ = self.commands.send(Command::Reject { id: self.id, code, guard });
        }
    }

    /// Says goodbye, where the connection has not ended by itself.
    pub(super) fn close(&mut self) {
        if let Some(guard) = self.guard.take() {
            let _ = self.commands.send(Command::Close { id: self.id, guard });
        }
    }
}

impl Way for Connection {
    fn now(&self) -> Instant {
        self.now
    }

    fn closed(&self) -> Option<Close> {
        self.gone.then(|| self.end().close)
    }

    fn bytes(&self) -> (u64, u64) {
        let figures = &self.figures;
        (figures.bytes_in.load(Ordering::Relaxed), figures.bytes_out.load(Ordering::Relaxed))
    }

    fn tcp(&self) -> Option<TcpFacts> {
        None
    }

    fn facts(&self) -> ConnectionFacts {
        let (figures, counts) = (&self.figures, self.figures.counts());
        let (bytes_in, bytes_out) = self.bytes();
        let facts = SrtFacts {
            peer_version: self.version,
            encrypted: self.encrypted,
            latency_ms: figures.latency_ms.load(Ordering::Relaxed),
            rtt_us: figures.rtt_us.load(Ordering::Relaxed),
            packets: counts.packets,
            lost: counts.lost,
            retransmitted: counts.retransmitted,
            dropped: counts.dropped,
            belated: counts.belated,
            undecrypted: counts.undecrypted,
            overflowed: figures.overflowed.load(Ordering::Relaxed),
            refused: figures.refused.load(Ordering::Relaxed),
            ts: self.ts,
        };
        let carrier = Some(CarrierFacts::Srt(Box::new(facts)));
        ConnectionFacts { bytes_in, bytes_out, carrier, ..ConnectionFacts::default() }
    }

    async fn hold<T>(
        &mut self,
        _watch: &mut Watch,
        order: &OrderSlot,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        // A caller that waits to be accepted sends nothing yet, so all that can come is its end.
        let done = hold_while_there(order, work, |cx| {
            self.gone |= self.payloads.poll_recv(cx).is_ready();
            self.gone
        })
        .await;
        self.now = self.clock.instant();
        done
    }
}
