//! Three nodes, three servers of NATS that are one, and a PostgreSQL, each on a machine of its own.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::nats::Nats;
use crate::support::postgres::{Postgres, postgres_in};
use crate::support::server::Server;
use crate::support::setup::Setup;
use crate::support::site::{Machine, Site};

/// How many nodes there are, and how many servers of NATS.
pub const COUNT: usize = 3;

/// What the nodes are called.
pub const LABELS: [&str; COUNT] = ["east", "west", "north"];

/// How long what was sent to a client may stay unacknowledged.
pub const PATH: &str = "5s";

/// The times of a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub lease: Duration,
    pub grace: Duration,
}

/// All of it. Machines go after what runs on them.
#[derive(Debug)]
pub struct World {
    pub times: Times,
    nodes: Vec<Mutex<Server>>,
    nats: Vec<Mutex<Nats>>,
    database: Mutex<Postgres>,
    rtmp: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    pub node_machines: Vec<Machine>,
    pub nats_machines: Vec<Machine>,
    pub database_machine: Machine,
    _site: Site,
}

impl World {
    /// Starts everything, and waits until all know each other. `None` where NATS or PostgreSQL is missing.
    pub fn start(times: Times) -> Option<Self> {
        let site = Site::new();
        let machines = || (0..COUNT).map(|_| site.machine()).collect::<Vec<_>>();
        let (node_machines, nats_machines, database_machine) = (machines(), machines(), site.machine());
        let database = postgres_in(Some((database_machine.file(), database_machine.address)))?;
        let nats = Nats::on(&nats_machines)?;
        let registry: Vec<_> = nats.iter().map(Nats::url).collect();
        let millis = |duration: Duration| format!("{}ms", duration.as_millis());
        let node = |(machine, label): (&Machine, &str)| {
            let setup = Setup::open().on(machine);
            let advertise = format!("{}:{}", machine.address, setup.rtmp_port);
            setup
                .env("LASTFRAME_NODE_LABEL", label)
                .env("LASTFRAME_LIMITS_PATH", PATH)
                .env("LASTFRAME_STORE_URL", &database.url())
                .env("LASTFRAME_CLUSTER_NATS", &registry.join(","))
                .env("LASTFRAME_CLUSTER_REPLICAS", &COUNT.to_string())
                .env("LASTFRAME_CLUSTER_LEASE", &millis(times.lease))
                .env("LASTFRAME_CLUSTER_GRACE", &millis(times.grace))
                .env("LASTFRAME_CLUSTER_ADVERTISE", &advertise)
                .start()
        };
        let nodes: Vec<_> = node_machines.iter().zip(LABELS).map(node).collect();
        let world = Self {
            times,
            rtmp: nodes.iter().map(Server::rtmp).collect(),
            http: nodes.iter().map(Server::http).collect(),
            nodes: nodes.into_iter().map(Mutex::new).collect(),
            nats: nats.into_iter().map(Mutex::new).collect(),
            database: Mutex::new(database),
            node_machines,
            nats_machines,
            database_machine,
            _site: site,
        };
        world.wait_until_whole();
        Some(world)
    }

    /// Where a node takes pushes.
    pub fn rtmp(&self, node: usize) -> SocketAddr {
        self.rtmp[node]
    }

    /// Where a node plays streams.
    pub fn http(&self, node: usize) -> SocketAddr {
        self.http[node]
    }

    pub fn node(&self, node: usize) -> MutexGuard<'_, Server> {
        self.nodes[node].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn nats(&self, server: usize) -> MutexGuard<'_, Nats> {
        self.nats[server].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn database(&self) -> MutexGuard<'_, Postgres> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the nodes have logged.
    pub fn logs(&self) -> Vec<String> {
        (0..COUNT).map(|node| self.node(node).printed()).collect()
    }

    /// Waits until each node sees all of them alive, and has the registry and the database.
    pub fn wait_until_whole(&self) {
        for (node, label) in LABELS.iter().enumerate() {
            let what = format!("{label} to see all nodes, the registry and the database");
            until_true(&what, 4 * PATIENCE, || self.is_whole(node));
        }
    }

    fn is_whole(&self, node: usize) -> bool {
        let server = self.node(node);
        let output = server.output(&["cluster", "status", "--format", "json"]);
        let Ok(status) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else { return false };
        let alive = status["nodes"]
            .as_array()
            .map_or(0, |nodes| nodes.iter().filter(|node| node["alive"] == true).count());
        output.status.success() && alive == COUNT
    }
}
