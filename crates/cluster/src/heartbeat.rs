//! This node's heartbeat, and those of the others: one key a node, written every fifth of the lease time. It renews all
//! leases of the node at once, so a thousand live streams cost no more writes than one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv::Operation;
use futures_util::StreamExt;
use live::Live;
use live::cluster::NodeFacts;
use model::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::ClusterConfig;
use crate::connection::{Connection, Fault, within};
use crate::liveness::Liveness;

/// Pause before a watch that failed is begun again.
const AGAIN: Duration = Duration::from_millis(500);

/// A node's heartbeat. Fields may be added, never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Beat {
    /// Which start of the node.
    pub run: Uuid,
    pub label: String,
    pub version: String,
    pub since: Timestamp,
    pub pushes: usize,
    #[serde(default)]
    pub rtmp: Option<String>,
    /// Pushes by account and by domain, where that is limited.
    #[serde(default)]
    pub accounts: BTreeMap<u64, u32>,
    #[serde(default)]
    pub domains: BTreeMap<String, u32>,
}

/// The nodes that are there, this one included.
#[derive(Debug)]
pub(crate) struct Members {
    me: String,
    run: Uuid,
    since: Timestamp,
    lease: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    liveness: Liveness,
    beats: HashMap<String, Beat>,
    /// When NATS last took a heartbeat of this node.
    taken: Option<Instant>,
}

impl Members {
    pub fn new(config: &ClusterConfig, run: Uuid, since: Timestamp) -> Self {
        let liveness = Liveness::new(&config.node, config.lease);
        let inner = Mutex::new(Inner { liveness, beats: HashMap::new(), taken: None });
        Self { me: config.node.clone(), run, since, lease: config.lease, inner }
    }

    /// This node and which start of it.
    pub fn me(&self) -> (&str, Uuid) {
        (&self.me, self.run)
    }

    /// Whether a run of a node is over, as far as this node may say so.
    pub fn is_over(&self, node: &str, run: Uuid, now: Instant) -> bool {
        self.lock().liveness.is_over(node, run, now)
    }

    /// Whether a node that was heard of is silent now.
    pub fn is_dead(&self, node: &str, now: Instant) -> bool {
        self.lock().liveness.is_dead(node, now)
    }

    /// The runs that have become dead since this was last asked, with their labels.
    pub fn newly_dead(&self, now: Instant) -> Vec<(String, Uuid, String)> {
        let mut inner = self.lock();
        let dead = inner.liveness.newly_dead(now);
        let label =
            |node: &str| inner.beats.get(node).map_or_else(|| node.to_owned(), |beat| beat.label.clone());
        dead.iter().map(|(node, run)| (node.clone(), *run, label(node))).collect()
    }

    /// How long ago NATS last took a heartbeat of this node; `None` before the first.
    pub fn cut_off_for(&self, now: Instant) -> Option<Duration> {
        self.lock().taken.map(|taken| now.saturating_duration_since(taken))
    }

    /// Whether NATS takes this node's heartbeats.
    pub fn is_connected(&self, now: Instant) -> bool {
        self.cut_off_for(now).is_some_and(|cut_off| cut_off < self.lease)
    }

    /// Pushes of an account and of a domain on the other nodes that are alive.
    pub fn elsewhere(&self, account: u64, domain: &str, now: Instant) -> (u32, u32) {
        let inner = self.lock();
        let others = inner.beats.iter().filter(|(node, _)| **node != self.me);
        let alive = others.filter(|(node, _)| !inner.liveness.is_dead(node, now));
        alive.fold((0_u32, 0_u32), |(of_account, of_domain), (_, beat)| {
            let count = |count: Option<&u32>| count.copied().unwrap_or(0);
            (
                of_account.saturating_add(count(beat.accounts.get(&account))),
                of_domain.saturating_add(count(beat.domains.get(domain))),
            )
        })
    }

    /// How many nodes that are alive come before this one, by their ids.
    pub fn turn(&self, now: Instant) -> u32 {
        let before = self.others(now).into_iter().filter(|(node, _)| *node < self.me).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// The other nodes that are alive: ids and labels.
    pub fn others(&self, now: Instant) -> Vec<(String, String)> {
        let inner = self.lock();
        let others = inner.beats.iter().filter(|(node, _)| **node != self.me);
        let alive = others.filter(|(node, _)| !inner.liveness.is_dead(node, now));
        alive.map(|(node, beat)| (node.clone(), beat.label.clone())).collect()
    }

    /// All nodes that have a heartbeat, this one first.
    pub fn all(&self, now: Instant) -> Vec<NodeFacts> {
        let inner = self.lock();
        let facts = |(node, beat): (&String, &Beat)| NodeFacts {
            id: node.clone(),
            label: beat.label.clone(),
            version: beat.version.clone(),
            since: beat.since,
            pushes: beat.pushes,
            rtmp: beat.rtmp.clone(),
            alive: !inner.liveness.is_dead(node, now),
        };
        let mut all: Vec<_> = inner.beats.iter().map(facts).collect();
        all.sort_by(|a, b| (a.id != self.me, &a.label, &a.id).cmp(&(b.id != self.me, &b.label, &b.id)));
        all
    }

    /// A node's label, and where it is reached; its id for a label where it was not heard of yet.
    pub fn place_of(&self, node: &str) -> (String, Option<String>) {
        match self.lock().beats.get(node) {
            Some(beat) => (beat.label.clone(), beat.rtmp.clone()),
            None => (node.to_owned(), None),
        }
    }

    fn heard(&self, node: &str, revision: u64, beat: Beat, now: Instant) {
        let mut inner = self.lock();
        inner.liveness.heard(node, beat.run, revision, now);
        inner.beats.insert(node.to_owned(), beat);
    }

    fn left(&self, node: &str, revision: u64) {
        let mut inner = self.lock();
        inner.liveness.left(node, revision);
        inner.beats.remove(node);
    }

    fn taken(&self, now: Instant) {
        self.lock().taken = Some(now);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one heartbeat.
pub(crate) async fn beat(
    connection: &Connection,
    members: &Members,
    config: &ClusterConfig,
    live: &Live,
    clock: &dyn Clock,
) -> Result<(), Fault> {
    let catalog = live.catalog();
    let (accounts, domains) = live.taken();
    let limited_account = |id: &u64| catalog.accounts.get(id).is_some_and(|account| account.max_pushes != 0);
    let limited_domain = |name: &str| catalog.domain(name).is_some_and(|domain| domain.max_pushes != 0);
    let beat = Beat {
        run: members.run,
        label: config.label.clone(),
        version: config.version.clone(),
        since: members.since,
        pushes: live.push_count(),
        rtmp: config.rtmp.clone(),
        accounts: accounts.into_iter().filter(|(id, _)| limited_account(id)).collect(),
        domains: domains.into_iter().filter(|(name, _)| limited_domain(name)).collect(),
    };
    let value = serde_json::to_vec(&beat).map_err(|error| Fault::Failed(error.to_string()))?;
    // The time of the question, not of the answer: others count from when it was written.
    let asked = clock.instant();
    let buckets = connection.buckets().await?;
    let put = within(buckets.nodes.put(&members.me, value.into())).await?;
    put.map_err(|error| Fault::Failed(error.to_string()))?;
    members.taken(asked);
    Ok(())
}

/// Says goodbye: what this node leaves is free at once.
pub(crate) async fn leave(connection: &Connection, members: &Members) -> Result<(), Fault> {
    let buckets = connection.buckets().await?;
    let deleted = within(buckets.nodes.delete(&members.me)).await?;
    deleted.map_err(|error| Fault::Failed(error.to_string()))
}

/// Listens to all heartbeats, for ever.
pub(crate) async fn listen(connection: Arc<Connection>, members: Arc<Members>, clock: Arc<dyn Clock>) {
    loop {
        if let Err(error) = listen_once(&connection, &members, &*clock).await {
            tracing::warn!(%error, "the heartbeats of the nodes are not heard; listening again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen_once(connection: &Connection, members: &Members, clock: &dyn Clock) -> Result<(), Fault> {
    let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
    let buckets = connection.buckets().await?;
    let mut watch = within(buckets.nodes.watch_with_history(">")).await?.map_err(|e| failed(&e))?;
    // Its own heartbeat comes five times in a lease time: a watch without any has stopped to work.
    while let Ok(Some(entry)) = tokio::time::timeout(members.lease, watch.next()).await {
        let entry = entry.map_err(|e| failed(&e))?;
        match entry.operation {
            Operation::Put => match serde_json::from_slice::<Beat>(&entry.value) {
                Ok(beat) => members.heard(&entry.key, entry.revision, beat, clock.instant()),
                Err(error) => tracing::warn!(node = entry.key, %error, "a heartbeat that cannot be read"),
            },
            Operation::Delete | Operation::Purge => members.left(&entry.key, entry.revision),
        }
    }
    Ok(())
}
