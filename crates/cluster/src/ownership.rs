//! The leases of this node's pushes, kept in step with NATS. What to do is decided in [`crate::lease`]; here it is done.
//!
//! | file | what lives there |
//! |---|---|
//! | `taking` | a key goes to a push that waits here, as an operator wants it |
//! | `freeing` | leases that nobody needs any more |
//! | `refusals` | how the registry refuses a push |

mod freeing;
mod refusals;
mod taking;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use cause::Cause;
use cause::evidence::Act;
use futures_util::StreamExt;
use live::Live;
use live::cluster::{Claim, Command, Reply, TakenBy, Tenure};
use live::pull::{Holder, OwnerFacts, Seen};
use model::{Clock, PushId, StreamKey};
use store::OpenRow;

use self::refusals::{millis, refusal, too_many, unreachable};
use crate::commands;
use crate::connection::{Buckets, Connection, Fault, Found, read, within, write};
use crate::estate::Estate;
use crate::heartbeat::Members;
use crate::lease::{Claiming, Contender, Lease, Meaning, Outcome, Owner, Standing, Step, notice};
use crate::names;

/// Pause before a watch that failed is begun again.
const AGAIN: Duration = Duration::from_millis(500);
/// Pause after a lost race for a lease, so that two racers do not keep in step.
const BACK_OFF: Duration = Duration::from_millis(5);

/// The keys on which this node has pushes.
pub(crate) struct Ownership {
    connection: Arc<Connection>,
    members: Arc<Members>,
    live: Live,
    estate: Arc<Estate>,
    clock: Arc<dyn Clock>,
    keys: Mutex<HashMap<StreamKey, Arc<Slot>>>,
    /// Leases that could not be deleted while NATS was away.
    to_free: Mutex<HashMap<StreamKey, u64>>,
    /// Keys to be looked at again: a lease was written without an answer, or a free one could not be claimed.
    in_doubt: Mutex<HashSet<StreamKey>>,
}

/// One key; its changes are made one after the other.
type Slot = tokio::sync::Mutex<KeyState>;

#[derive(Debug, Default)]
struct KeyState {
    standing: Standing,
    /// The lease by which the key is owned.
    lease: Option<Lease>,
    /// The pushes that this node has of the key, the one that carries or waits first.
    pushes: Vec<Claim>,
    /// It was taken out of the map: who waits for the lock looks there again.
    gone: bool,
}

/// A push's place under its key.
struct Place {
    ownership: Arc<Ownership>,
    key: StreamKey,
    push: PushId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let (ownership, key, push) = (self.ownership.clone(), self.key.clone(), self.push);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                ownership.estate.leave(push);
                ownership.left(&key, push).await;
            });
        }
    }
}

impl Ownership {
    pub fn new(
        connection: Arc<Connection>,
        members: Arc<Members>,
        live: Live,
        estate: Arc<Estate>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connection,
            members,
            live,
            estate,
            clock,
            keys: Mutex::default(),
            to_free: Mutex::default(),
            in_doubt: Mutex::default(),
        })
    }

    /// How many keys this node has pushes of.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether the registry would let the push in now.
    pub async fn look(&self, claim: &Claim) -> Result<(), Act> {
        let now = self.clock.instant();
        if !self.members.is_connected(now) {
            return Err(unreachable("this node is cut off from the registry", 0));
        }
        if claim.behind {
            return self.room(claim).await;
        }
        let slot = self.lock().get(&claim.key).cloned();
        if let Some(slot) = slot
            && matches!(slot.lock().await.standing, Standing::Owns(_))
        {
            return Ok(());
        }
        let (mut claiming, _) = Claiming::begin(self.contender(claim), now);
        let found = self.read(&claim.key).await.map_err(|error| self.refused_by(&error, now))?;
        match self.judged(&mut claiming, &found) {
            Step::Done(Outcome::Refused(act)) => Err(act),
            Step::Done(Outcome::Waits { .. }) => self.room(claim).await,
            _ => Ok(()),
        }
    }

    /// Whether one more push of the key may wait, all nodes counted. The push stands among those of this node already, so
    /// two that come at once to two nodes see each other, and there are never more than allowed.
    async fn room(&self, claim: &Claim) -> Result<(), Act> {
        if claim.max_stream == 0 {
            return Ok(());
        }
        let here = self.live.count_of(&claim.key).saturating_sub(1);
        let count = Command::Count { key: claim.key.clone() };
        let asked = commands::ask_all(&self.connection, &self.members, &*self.clock, count).await;
        let counted = |(_, reply): &(String, Reply)| match reply {
            Reply::Counted { pushes } => *pushes,
            _ => 0,
        };
        let have = asked.replies.iter().map(counted).fold(here, u32::saturating_add);
        if have < claim.max_stream { Ok(()) } else { Err(too_many(have, claim.max_stream)) }
    }

    /// Enters a push; the work goes on even if nobody waits for it any more, and is then undone.
    pub async fn claim(self: &Arc<Self>, claim: &Claim, row: &OpenRow) -> Result<Tenure, Act> {
        let (ownership, claim, row) = (self.clone(), claim.clone(), row.clone());
        let began = self.clock.instant();
        let work = tokio::spawn(async move {
            let place = Place { ownership: ownership.clone(), key: claim.key.clone(), push: claim.push };
            // Before it may be live: a push that nobody else knows of could vanish with its node.
            let known = ownership.estate.enter(&row).await;
            known.map_err(|error| ownership.refused_by(&error, began))?;
            ownership.enter(claim).await?;
            Ok(Tenure::new(place))
        });
        work.await.unwrap_or_else(|error| Err(unreachable(&error.to_string(), 0)))
    }

    async fn enter(&self, claim: Claim) -> Result<(), Act> {
        let slot = self.slot(&claim.key);
        let mut state = slot.lock().await;
        if state.gone {
            drop(state);
            return Box::pin(self.enter(claim)).await;
        }
        let behind = claim.behind && state.standing != Standing::Out;
        match behind {
            true => state.pushes.push(claim),
            false => {
                state.pushes.insert(0, claim.clone());
                self.contend(&mut state, &claim).await?;
            }
        }
        Ok(())
    }

    /// Claims the key for a push, and tells the live path what came of it.
    async fn contend(&self, state: &mut KeyState, claim: &Claim) -> Result<(), Act> {
        let began = self.clock.instant();
        let (mut claiming, mut step) = Claiming::begin(self.contender(claim), began);
        let name = names::of_key(&claim.key);
        loop {
            step = match step {
                Step::Read => {
                    let found = self.read(&claim.key).await.map_err(|e| self.refused_by(&e, began))?;
                    match self.judged(&mut claiming, &found) {
                        Step::Read => {
                            tokio::time::sleep(BACK_OFF).await;
                            Step::Read
                        }
                        next => next,
                    }
                }
                Step::Write { expect, lease } => {
                    let buckets = self.buckets().await.map_err(|e| self.refused_by(&e, began))?;
                    let written = write(&buckets.leases, &name, expect, &lease).await;
                    let written = written.map_err(|error| {
                        self.in_doubt().insert(claim.key.clone());
                        self.refused_by(&error, began)
                    })?;
                    claiming.written(written, self.clock.instant())
                }
                Step::Done(outcome) => return self.decided(state, &claim.key, outcome, began),
            };
        }
    }

    fn decided(
        &self,
        state: &mut KeyState,
        key: &StreamKey,
        outcome: Outcome,
        began: std::time::Instant,
    ) -> Result<(), Act> {
        match outcome {
            Outcome::Owns { revision, lease } => {
                tracing::debug!(%key, revision, how = ?lease.how, "owns the stream key");
                (state.standing, state.lease) = (Standing::Owns(revision), Some(lease));
                self.live.carry(key, revision);
                Ok(())
            }
            Outcome::Waits { revision, behind } => {
                (state.standing, state.lease) = (Standing::Waits { revision, behind }, None);
                self.live.wait(key);
                Ok(())
            }
            Outcome::Refused(act) => Err(act),
            Outcome::Unsettled => {
                let waited = self.clock.instant().saturating_duration_since(began);
                Err(refusal(
                    Cause::RegistryConflict,
                    "others changed the lease again and again, or it cannot be read",
                    millis(waited),
                ))
            }
        }
    }

    fn judged(&self, claiming: &mut Claiming, found: &Found) -> Step {
        let now = self.clock.instant();
        let lease = found.value.as_deref().map(serde_json::from_slice::<Lease>).transpose();
        let held = match &lease {
            Err(_) => Err(()),
            Ok(lease) => Ok(lease.as_ref().map(|lease| (lease, self.state_of(lease)))),
        };
        claiming.read(found.revision, held, now, self.clock.now())
    }

    fn state_of(&self, lease: &Lease) -> Owner {
        match self.members.is_over(&lease.node, lease.run, self.clock.instant()) {
            true => Owner::Over,
            false => Owner::There,
        }
    }

    /// A push of a key is gone. The last one frees the key.
    async fn left(&self, key: &StreamKey, push: PushId) {
        let Some(slot) = self.lock().get(key).cloned() else { return };
        let mut state = slot.lock().await;
        state.pushes.retain(|claim| claim.push != push);
        if !state.pushes.is_empty() {
            return;
        }
        if let Standing::Owns(revision) = std::mem::take(&mut state.standing) {
            self.free(key, revision).await;
        }
        state.gone = true;
        self.lock().remove(key);
    }

    /// Listens to all changes of leases, for ever, and looks again at its own keys whenever some may have been missed.
    pub async fn listen(self: Arc<Self>) {
        loop {
            if let Err(error) = self.listen_once().await {
                tracing::warn!(%error, "changes of leases are not heard; listening again");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn listen_once(self: &Arc<Self>) -> Result<(), Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
        let buckets = self.buckets().await?;
        let mut watch = within(buckets.leases.watch_all()).await?.map_err(|e| failed(&e))?;
        self.look_again().await;
        while let Some(entry) = watch.next().await {
            let entry = entry.map_err(|e| failed(&e))?;
            let Some(key) = names::key_of(&entry.key) else { continue };
            let value = (entry.operation == Operation::Put).then_some(entry.value);
            self.saw(key, Found { revision: entry.revision, value });
        }
        Ok(())
    }

    /// Reads the leases of all keys that this node carries or fetches, since changes may have been missed.
    pub async fn look_again(self: &Arc<Self>) {
        let mut keys: HashSet<_> = self.lock().keys().cloned().collect();
        keys.extend(self.live.pulled_keys());
        for key in keys {
            match self.read(&key).await {
                Ok(found) => self.saw(key, found),
                Err(error) => return tracing::debug!(%error, "leases are not read"),
            }
        }
    }

    /// A change was seen. Those of keys that do not concern this node cost one look into the map.
    fn saw(self: &Arc<Self>, key: StreamKey, found: Found) {
        self.live.lease_changed(&key, || self.seen(&key, &found));
        let slot = self.lock().get(&key).cloned();
        let ownership = self.clone();
        match slot {
            Some(slot) => {
                tokio::spawn(async move {
                    if ownership.noticed(&key, &slot, found.clone()).await == Standing::Out {
                        ownership.stray(key, &found);
                    }
                });
            }
            None => self.stray(key, &found),
        }
    }

    /// Does what a change means, and gives the standing after it.
    async fn noticed(&self, key: &StreamKey, slot: &Slot, found: Found) -> Standing {
        let mut state = slot.lock().await;
        let lease = match found.value.as_deref().map(serde_json::from_slice::<Lease>).transpose() {
            Ok(lease) => lease,
            Err(error) => {
                tracing::warn!(%key, %error, "a lease that cannot be read");
                return state.standing;
            }
        };
        let (standing, meaning) = notice(state.standing, self.members.me(), found.revision, lease.as_ref());
        state.standing = standing;
        match (meaning, lease) {
            (Meaning::Nothing, _) => {
                if let Standing::Owns(revision) = state.standing {
                    self.live.renew(key, revision);
                }
            }
            (Meaning::Carries, lease) => {
                let push = lease.as_ref().map(|lease| lease.push);
                state.lease = lease;
                match push.filter(|push| state.pushes.iter().any(|claim| claim.push == *push)) {
                    Some(push) => drop(self.live.handed_to(key, found.revision, push)),
                    None => self.live.carry(key, found.revision),
                }
            }
            (Meaning::Free, _) => self.succeed(key, &mut state).await,
            (Meaning::GivesWay, _) => {
                state.lease = None;
                self.live.gives_way(key);
                tracing::info!(%key, revision = found.revision, "the stream is given to a push on another node");
            }
            (Meaning::Replaced, Some(lease)) => {
                let by = TakenBy { push: lease.push, client: lease.client };
                let told = self.live.taken_over(key, by);
                tracing::info!(%key, told, by = %lease.push, node = lease.node, "taken over by another node");
            }
            (Meaning::Replaced | Meaning::Lost, _) => {
                let told =
                    self.live.lost(key, "another node has taken the stream, since this one was given up");
                tracing::warn!(%key, told, "the stream key is lost");
            }
        }
        state.standing
    }

    /// The key is free: the first push that waits here wants it.
    async fn succeed(&self, key: &StreamKey, state: &mut KeyState) {
        let Some(first) = state.pushes.first().cloned() else { return };
        if let Err(act) = self.contend(state, &first).await {
            tracing::info!(%key, code = %act.code, "a push that waits did not get the free stream key");
            self.in_doubt().insert(key.clone());
        }
    }

    /// A run of a node is over: what waits behind its leases may have them.
    pub async fn is_over(self: &Arc<Self>, node: &str) {
        let keys: Vec<_> = self.lock().iter().map(|(key, slot)| (key.clone(), slot.clone())).collect();
        for (key, slot) in keys {
            let mut state = slot.lock().await;
            if matches!(state.standing, Standing::Waits { .. }) {
                tracing::info!(%key, node, "its owner may be gone");
                self.succeed(&key, &mut state).await;
            }
        }
    }

    /// Brings leases up to date with the pushes that carry their streams: which push, and whether it sends.
    pub async fn refresh(&self) {
        for carrier in self.live.carriers() {
            let Some(slot) = self.lock().get(&carrier.key).cloned() else { continue };
            // A key that is being changed is looked at the next time.
            let Ok(mut state) = slot.try_lock() else { continue };
            let (Standing::Owns(revision), Some(lease)) = (state.standing, &state.lease) else { continue };
            let mut fresh = lease.clone();
            fresh.push = carrier.push;
            fresh.client = carrier.client;
            fresh.priority = carrier.priority;
            fresh.sends = carrier.sends;
            if fresh == *lease {
                continue;
            }
            let Ok(buckets) = self.buckets().await else { return };
            let name = names::of_key(&carrier.key);
            match write(&buckets.leases, &name, revision, &fresh).await {
                Ok(crate::lease::Written::As(revision)) => {
                    (state.standing, state.lease) = (Standing::Owns(revision), Some(fresh));
                    self.live.renew(&carrier.key, revision);
                }
                // The watch says who has it now.
                Ok(crate::lease::Written::TooLate) => {}
                Err(error) => return tracing::debug!(%error, "leases are not brought up to date"),
            }
        }
    }

    /// The node was cut off for longer than the grace: it owns nothing any more.
    pub async fn give_up(&self, reason: &str) {
        let slots: Vec<_> = self.lock().values().cloned().collect();
        for slot in slots {
            let mut state = slot.lock().await;
            if let (Standing::Owns(revision), Some(claim)) = (state.standing, state.pushes.first()) {
                self.to_free().insert(claim.key.clone(), revision);
            }
            (state.standing, state.lease) = (Standing::Out, None);
        }
        let told = self.live.lost_all(reason);
        if told > 0 {
            tracing::error!(told, reason, "all pushes end: their stream keys are lost");
        }
    }

    /// Who carries a key now; `None` where the registry does not answer.
    pub async fn owner(&self, key: &StreamKey) -> Option<Seen> {
        let found = self.read(key).await.ok()?;
        Some(self.seen(key, &found))
    }

    /// What stands under a key, as those see it who would fetch its stream. What cannot be read is nobody's.
    fn seen(&self, key: &StreamKey, found: &Found) -> Seen {
        let lease = found.value.as_deref().map(serde_json::from_slice::<Lease>).transpose();
        let lease = lease.unwrap_or_else(|error| {
            tracing::warn!(%key, %error, "a lease that cannot be read");
            None
        });
        let (node, run) = self.members.me();
        let holder = match lease {
            None => Holder::Nobody,
            Some(lease) if lease.node == node && lease.run == run => Holder::Here,
            // An earlier start of this node.
            Some(lease) if lease.node == node => Holder::Nobody,
            Some(lease) => {
                let (label, rtmp) = self.members.place_of(&lease.node);
                let (node, run) = (lease.node, lease.run.to_string());
                Holder::There(OwnerFacts { label, rtmp, push: lease.push, node, run })
            }
        };
        Seen { revision: found.revision, holder }
    }

    fn contender(&self, claim: &Claim) -> Contender {
        let (node, run) = self.members.me();
        Contender {
            node: node.to_owned(),
            run,
            push: claim.push,
            client: claim.client,
            priority: claim.priority,
            rule: claim.rule,
        }
    }

    async fn buckets(&self) -> Result<&Buckets, Fault> {
        self.connection.buckets().await
    }

    async fn read(&self, key: &StreamKey) -> Result<Found, Fault> {
        read(&self.buckets().await?.leases, &names::of_key(key)).await
    }

    fn refused_by(&self, fault: &Fault, began: std::time::Instant) -> Act {
        let waited = self.clock.instant().saturating_duration_since(began);
        unreachable(&fault.to_string(), millis(waited))
    }

    fn slot(&self, key: &StreamKey) -> Arc<Slot> {
        self.lock().entry(key.clone()).or_default().clone()
    }

    fn in_doubt(&self) -> MutexGuard<'_, HashSet<StreamKey>> {
        self.in_doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_free(&self) -> MutexGuard<'_, HashMap<StreamKey, u64>> {
        self.to_free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamKey, Arc<Slot>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
