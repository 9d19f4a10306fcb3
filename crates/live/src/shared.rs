//! What all connections of a node share. Nothing here is touched per media message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cause::evidence::Act;
use model::{Clock, PushId};
use store::Journal;
use tokio::sync::Notify;

use crate::arrivals::Arrivals;
use crate::auth_hook::HookRoom;
use crate::catalog::CatalogRoom;
use crate::cluster::Cluster;
use crate::config::LiveConfig;
use crate::counters::Counters;
use crate::drain::Drain;
use crate::hub::{Hub, Slots};
use crate::play::hls::Hls;
use crate::pull::pulls::Pulls;
use crate::push::{OrderSlot, Push};
use crate::recent::RecentEnds;
use crate::relay::relays::Relays;
use crate::webrtc::WebRtc;

/// The node's live side.
pub(crate) struct Shared {
    pub(crate) config: LiveConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) journal: Journal,
    pub(crate) catalog: CatalogRoom,
    pub(crate) hub: Arc<Hub>,
    pub(crate) hls: Arc<Hls>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) relays: Relays,
    pub(crate) pulls: Pulls,
    pub(crate) webrtc: Option<WebRtc>,
    pub(crate) auth_hook: Arc<HookRoom>,
    pub(crate) orders: Orders,
    pub(crate) recent: RecentEnds,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) counters: Counters,
    pub(crate) message_memory: MessageMemory,
    pub(crate) connections: Connections,
    pub(crate) drain: Drain,
    /// The other nodes; `None` where this one stands alone.
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
}

impl Shared {
    /// Bytes for this side's half of a handshake.
    pub(crate) fn handshake_bytes(&self) -> [u8; 1528] {
        Self::handshake_bytes_of(self.clock.push_id())
    }

    /// The same, of an id that is made already. They need not be secret: the handshake
    /// authenticates nobody, so a cheap generator over the id serves.
    pub(crate) fn handshake_bytes_of(push: PushId) -> [u8; 1528] {
        let mut state = push.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut bytes = [0; 1528];
        // A whole number of words.
        for word in bytes.as_chunks_mut().0 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *word = state.to_le_bytes();
        }
        bytes
    }
}

/// The order slots of all pushes on their way, also of those that are not yet in the hub.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    slots: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: HashMap<PushId, Arc<OrderSlot>>,
    /// Given to every push from now on: the node is stopping.
    standing: Option<Act>,
}

impl Orders {
    pub(crate) fn enter(&self, push: &Push) {
        let mut state = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(act) = &state.standing {
            push.order.give(act.clone());
        }
        state.slots.insert(push.id, push.order.clone());
    }

    pub(crate) fn leave(&self, push: &Push) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).slots.remove(&push.id);
    }

    /// Whether every push is ordered to end: the node is stopping.
    pub(crate) fn are_standing(&self) -> bool {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).standing.is_some()
    }

    /// Does something to the order slot of every push there is.
    pub(crate) fn each(&self, act: impl Fn(&OrderSlot)) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).slots.values().for_each(|slot| act(slot));
    }

    /// Orders every push there is, and every one that comes, to end.
    pub(crate) fn all(&self, act: &Act) {
        let mut state = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        state.standing = Some(act.clone());
        for slot in state.slots.values() {
            slot.give(act.clone());
        }
    }
}

/// The memory that half-received messages of all pushes hold, against its budget.
#[derive(Debug)]
pub(crate) struct MessageMemory {
    held: AtomicUsize,
    budget: usize,
}

impl MessageMemory {
    pub(crate) fn new(budget: usize) -> Self {
        Self { held: AtomicUsize::new(0), budget }
    }

    /// Changes one connection's share from `before` to `after` bytes. False when the budget is used up.
    pub(crate) fn change(&self, before: usize, after: usize) -> bool {
        if after >= before {
            let held = self.held.fetch_add(after - before, Ordering::Relaxed) + (after - before);
            held <= self.budget
        } else {
            self.held.fetch_sub(before - after, Ordering::Relaxed);
            true
        }
    }

    pub(crate) fn budget(&self) -> usize {
        self.budget
    }
}

/// Counts connections, so that a stop can wait for them.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: AtomicUsize,
    last_left: Notify,
}

impl Connections {
    pub(crate) fn enter(self_: &Arc<Shared>) -> ConnectionGuard {
        self_.connections.open.fetch_add(1, Ordering::AcqRel);
        ConnectionGuard(self_.clone())
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) async fn none_left(&self) {
        loop {
            let left = self.last_left.notified();
            if self.open() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// One connection, as long as it lives.
pub(crate) struct ConnectionGuard(Arc<Shared>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if self.0.connections.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.connections.last_left.notify_waiters();
        }
    }
}
