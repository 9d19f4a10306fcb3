//! How the registry's word reaches the pushes of this node.

use std::collections::HashMap;
use std::net::SocketAddr;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::{PushId, StreamKey};

use crate::Live;
use crate::hub::contest;
use crate::pull::{Holder, Seen};

/// The push on another node that has taken a stream key over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBy {
    /// Its id.
    pub push: PushId,
    /// Its client's address.
    pub client: SocketAddr,
}

/// The push that carries a stream here, or comes first of those that wait: what the registry knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// What it publishes.
    pub key: StreamKey,
    /// Its id.
    pub push: PushId,
    /// Its client's address.
    pub client: SocketAddr,
    /// `?priority=N`, where the domain heeds it.
    pub priority: Option<i64>,
    /// Whether it has sent media within the last seconds: what decides a contest.
    pub sends: bool,
}

impl Live {
    /// The stream key is this node's by the lease of this revision: its first push carries the stream from now on.
    pub fn carry(&self, key: &StreamKey, revision: u64) {
        self.shared.hub.stands_here(key, revision);
        self.shared.pulls.learn(&self.shared, key, || Seen { revision, holder: Holder::Here });
        self.pass_on(key);
    }

    /// Relays may have given up on a stream while its push waited; one that is still being admitted begins them by itself.
    fn pass_on(&self, key: &StreamKey) {
        if let Some(account) = self.shared.hub.account_of(key) {
            self.shared.relays.stream_is_live(&self.shared, key, account);
        }
    }

    /// This node has written its own lease again: the newest revision of what it carries already.
    pub fn renew(&self, key: &StreamKey, revision: u64) {
        self.shared.hub.renew_tenure(key, revision);
    }

    /// The stream key is another node's: the pushes of this one wait as backups.
    pub fn wait(&self, key: &StreamKey) {
        self.shared.hub.stands_elsewhere(key);
        self.shared.pulls.look(&self.shared, key);
    }

    /// The stream key is this node's by the lease of this revision, for the sake of a push that waited here. False if that has
    /// left meanwhile.
    pub fn handed_to(&self, key: &StreamKey, revision: u64, push: PushId) -> bool {
        let is_there = self.shared.hub.handed_to(key, revision, push);
        self.shared.pulls.learn(&self.shared, key, || Seen { revision, holder: Holder::Here });
        self.pass_on(key);
        is_there
    }

    /// The stream key was given to a push on another node: the pushes of this one wait as backups.
    pub fn gives_way(&self, key: &StreamKey) {
        self.shared.hub.gives_way(key);
        self.shared.pulls.look(&self.shared, key);
    }

    /// A change of a lease was seen. `seen` is asked only where somebody here watches the stream.
    pub fn lease_changed(&self, key: &StreamKey, seen: impl FnOnce() -> Seen) {
        self.shared.pulls.learn(&self.shared, key, seen);
    }

    /// The streams that this node fetches from others.
    pub fn pulled_keys(&self) -> Vec<StreamKey> {
        self.shared.pulls.keys()
    }

    /// A push on another node has taken the stream key over: the pushes of this node end 21/102, or 21/103 where they had
    /// sent nothing. Returns how many.
    pub fn taken_over(&self, key: &StreamKey, by: TakenBy) -> usize {
        let now = self.shared.clock.instant();
        self.shared.hub.stands_elsewhere(key);
        self.shared.hub.order_where(|push| (push.key == *key).then(|| contest::replaced(push, by, now)))
    }

    /// The stream key is lost to this node for a reason other than a takeover: its pushes end 38/0. Returns how many.
    pub fn lost(&self, key: &StreamKey, reason: &str) -> usize {
        self.shared.hub.stands_elsewhere(key);
        self.shared.hub.order(key, &ownership_lost(reason))
    }

    /// All stream keys are lost: every push of this node ends 38/0. Returns how many.
    pub fn lost_all(&self, reason: &str) -> usize {
        let act = ownership_lost(reason);
        self.shared.hub.all_stand_elsewhere();
        self.shared.hub.order_where(|_| Some(act.clone()))
    }

    /// How many pushes this node has, by account and by domain: what the other nodes count against their limits.
    pub fn taken(&self) -> (HashMap<u64, u32>, HashMap<String, u32>) {
        self.shared.slots.taken()
    }

    /// How many pushes of a stream key this node has, live and waiting, and those that are being admitted.
    pub fn count_of(&self, key: &StreamKey) -> u32 {
        u32::try_from(self.shared.hub.count_of(key)).unwrap_or(u32::MAX)
    }

    /// The pushes that carry streams on this node, or come first of those that wait.
    pub fn carriers(&self) -> Vec<Carrier> {
        self.shared.hub.carriers(self.shared.clock.instant())
    }
}

fn ownership_lost(reason: &str) -> Act {
    let detail = Detail::new(DetailKey::LeaseLost).with("reason", reason);
    Act { code: Cause::OwnershipLost.code(), detail: Some(detail) }
}
