//! One node of a cluster: what the live path asks of it, and the tasks that keep it going.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use live::Live;
use live::cluster::{Asked, Boxed, Claim, Command, NodeFacts, Taken, Tenure};
use live::pull::{Secret, Seen};
use model::{Clock, PushId, StreamKey};
use store::{OpenRow, Store};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::catalog::SharedCatalog;
use crate::commands;
use crate::config::ClusterConfig;
use crate::connection::{ConnectError, Connection};
use crate::estate::Estate;
use crate::heartbeat::{self, Members};
use crate::ownership::Ownership;
use crate::secret::SharedSecret;

/// Heartbeats within a lease time.
const BEATS: u32 = 5;
/// How often it is looked whether a node is dead, or this one cut off for too long.
const LOOK: Duration = Duration::from_millis(200);
/// How often pushes that have ended leave their bucket.
const TIDY: Duration = Duration::from_secs(1);
/// How long leases have to be given back at the stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// This node's part of the cluster. Cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    config: ClusterConfig,
    clock: Arc<dyn Clock>,
    connection: Arc<Connection>,
    members: Arc<Members>,
    catalog: Arc<SharedCatalog>,
    secret: Arc<SharedSecret>,
    /// Once the live path runs.
    ownership: OnceLock<Arc<Ownership>>,
}

/// The tasks of a node in the cluster.
#[derive(Debug)]
pub struct Running {
    cluster: Cluster,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Begins to connect; NATS need not be there yet. Pushes are refused 18/101 until [`Cluster::run`] and the first
    /// heartbeat.
    ///
    /// # Errors
    /// [`ConnectError`]: what is configured cannot be used.
    pub async fn connect(config: ClusterConfig, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let connection = Arc::new(Connection::open(&config).await?);
        // Any unique number serves; this clock gives none twice.
        let run = Uuid::from_bytes(*clock.push_id().as_bytes());
        let members = Arc::new(Members::new(&config, run, clock.now()));
        let catalog = SharedCatalog::new(connection.clone());
        let secret = SharedSecret::new(connection.clone());
        let ownership = OnceLock::new();
        Ok(Self(Arc::new(Inner { config, clock, connection, members, catalog, secret, ownership })))
    }

    /// Takes part with the pushes of a live path, until [`Running::leave`].
    pub fn run(&self, live: &Live, store: &Store) -> Running {
        let inner = &self.0;
        let (connection, members, clock) =
            (inner.connection.clone(), inner.members.clone(), inner.clock.clone());
        let estate = Arc::new(Estate::new(
            connection.clone(),
            members.clone(),
            clock.clone(),
            &inner.config,
            live.clone(),
            store,
        ));
        let ownership = inner.ownership.get_or_init(|| {
            Ownership::new(connection.clone(), members.clone(), live.clone(), estate.clone(), clock.clone())
        });
        live.share_catalog(inner.catalog.clone());
        let tasks = vec![
            tokio::spawn(inner.catalog.clone().listen(live.clone())),
            tokio::spawn(inner.secret.clone().keep()),
            tokio::spawn(beat(self.clone(), live.clone(), ownership.clone(), estate.clone())),
            tokio::spawn(look(self.clone(), ownership.clone(), estate.clone())),
            tokio::spawn(tidy(estate)),
            tokio::spawn(heartbeat::listen(connection.clone(), members.clone(), clock)),
            tokio::spawn(ownership.clone().listen()),
            tokio::spawn(commands::answer(connection, members, live.clone())),
        ];
        Running { cluster: self.clone(), tasks }
    }
}

impl Running {
    /// Resolves once this node's catalog is that of all nodes.
    pub fn joined(&self) -> impl Future<Output = ()> + Send + use<> {
        let catalog = self.cluster.0.catalog.clone();
        async move { catalog.joined().await }
    }

    /// Gives back what this node still owns and says goodbye, so that others need not wait for its lease to run out.
    pub async fn leave(self) {
        let inner = &self.cluster.0;
        let until = inner.clock.instant() + FAREWELL;
        while inner.ownership.get().is_some_and(|ownership| ownership.len() > 0)
            && inner.clock.instant() < until
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // No heartbeat may follow the goodbye.
        self.tasks.iter().for_each(JoinHandle::abort);
        for task in self.tasks {
            let _ = task.await;
        }
        if let Err(error) = heartbeat::leave(&inner.connection, &inner.members).await {
            tracing::warn!(%error, "could not say goodbye to the cluster");
        }
    }
}

/// Heartbeats, and with each the leases that have changed.
async fn beat(cluster: Cluster, live: Live, ownership: Arc<Ownership>, estate: Arc<Estate>) {
    let inner = &cluster.0;
    let mut every = tokio::time::interval(inner.config.lease / BEATS);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut connected = false;
    loop {
        every.tick().await;
        let beat = heartbeat::beat(&inner.connection, &inner.members, &inner.config, &live, &*inner.clock);
        match beat.await {
            Ok(()) => {
                if !std::mem::replace(&mut connected, true) {
                    inner.secret.read_again();
                    tracing::info!(servers = %inner.config.servers, "connected to the cluster");
                    ownership.look_again().await;
                    let estate = estate.clone();
                    tokio::spawn(async move { estate.enter_again().await });
                }
                ownership.free_the_rest().await;
                ownership.refresh().await;
            }
            Err(error) => {
                if std::mem::replace(&mut connected, false) {
                    tracing::warn!(%error, "cut off from the cluster: live pushes go on, new ones are refused");
                }
            }
        }
    }
}

/// Deaths of others, and this node's own isolation.
async fn look(cluster: Cluster, ownership: Arc<Ownership>, estate: Arc<Estate>) {
    let inner = &cluster.0;
    let grace = inner.config.grace;
    let reason = format!("the registry could not be reached for {} s", grace.as_secs());
    let mut every = tokio::time::interval(LOOK);
    loop {
        every.tick().await;
        let now = inner.clock.instant();
        if inner.members.cut_off_for(now).is_some_and(|cut_off| cut_off >= grace) && ownership.len() > 0 {
            ownership.give_up(&reason).await;
        }
        for (node, run, label) in inner.members.newly_dead(now) {
            tracing::warn!(node, label, "a node is dead: its heartbeat has stopped");
            tokio::spawn(estate.clone().bury(node.clone(), run, label));
            ownership.is_over(&node).await;
        }
    }
}

/// Pushes whose records are where they belong leave the bucket.
async fn tidy(estate: Arc<Estate>) {
    let mut every = tokio::time::interval(TIDY);
    let mut looked_back = false;
    loop {
        every.tick().await;
        looked_back = looked_back || estate.look_back().await.is_ok();
        estate.tidy().await;
    }
}

impl live::cluster::Cluster for Cluster {
    fn look<'a>(&'a self, claim: &'a Claim) -> Boxed<'a, Result<(), Act>> {
        Box::pin(async move { self.ownership()?.look(claim).await })
    }

    fn claim<'a>(&'a self, claim: &'a Claim, row: &'a OpenRow) -> Boxed<'a, Result<Tenure, Act>> {
        Box::pin(async move { self.ownership()?.claim(claim, row).await })
    }

    fn elsewhere(&self, account: u64, domain: &str) -> (u32, u32) {
        self.0.members.elsewhere(account, domain, self.0.clock.instant())
    }

    fn ask_all(&self, command: Command) -> Boxed<'_, Asked> {
        Box::pin(commands::ask_all(&self.0.connection, &self.0.members, &*self.0.clock, command))
    }

    fn take<'a>(&'a self, key: &'a StreamKey, push: PushId, revision: Option<u64>) -> Boxed<'a, Taken> {
        Box::pin(async move {
            match self.0.ownership.get() {
                Some(ownership) => ownership.take(key, push, revision).await,
                None => Taken::Unreachable { reason: "this node has just started".to_owned() },
            }
        })
    }

    fn owner<'a>(&'a self, key: &'a StreamKey) -> Boxed<'a, Option<Seen>> {
        Box::pin(async move { self.0.ownership.get()?.owner(key).await })
    }

    fn me(&self) -> &str {
        self.0.members.me().0
    }

    fn secret(&self) -> Option<Secret> {
        self.0.secret.get()
    }

    fn nodes(&self) -> Vec<NodeFacts> {
        self.0.members.all(self.0.clock.instant())
    }

    fn is_connected(&self) -> bool {
        self.0.members.is_connected(self.0.clock.instant())
    }
}

impl Cluster {
    fn ownership(&self) -> Result<&Arc<Ownership>, Act> {
        self.0.ownership.get().ok_or_else(|| {
            let detail = Detail::new(DetailKey::RegistryError).with("reason", "this node has just started");
            Act { code: Cause::RegistryUnreachable.code(), detail: Some(detail) }
        })
    }
}
