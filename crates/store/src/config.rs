//! How a store is set up.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use model::Code;
use uuid::Uuid;

use crate::outbox::OutboxConfig;
use crate::remote::Remote;

/// Settings of a store; they hold from [`crate::Store::open`] to its shutdown.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data folder.
    pub dir: PathBuf,
    /// How long records are kept. They go by whole days, so a record lives up to a day longer.
    pub keep: Duration,
    /// How long evidence is kept; by whole days too. Longer than `keep` means as long as `keep`.
    pub keep_evidence: Duration,
    /// Identical refused and pre-publish ends within this time fold into one record; `None` folds nothing.
    pub fold: Option<Duration>,
    /// Ends that never named a stream and are not worth a record.
    pub ignore: Vec<IgnoreRule>,
    /// This node's id, as kept in the data folder.
    pub node_id: Uuid,
    /// This node's name in records.
    pub node_label: String,
    /// Size of the reserve file that is freed when the disk is full, so that live pushes still end on record; 0 for
    /// none.
    pub reserve_bytes: u64,
    /// What is told to others.
    pub outbox: OutboxConfig,
    /// The database of all nodes, to which records are shipped and in which queries look; `None`: this node is alone.
    pub remote: Option<Remote>,
    /// How long deliveries and events are kept.
    pub keep_history: Duration,
}

impl StoreConfig {
    /// The usual size of the reserve: 64 MiB, about 60,000 ends.
    pub const RESERVE_BYTES: u64 = 64 << 20;
    /// How long deliveries and events are usually kept.
    pub const KEEP_HISTORY: Duration = Duration::from_secs(7 * 86_400);
}

/// Leaves out ends that never named a stream (port checks, scanners), from a network or with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoreRule {
    /// Ends of clients in this network.
    Network(IpNet),
    /// Ends with this code.
    Code(Code),
}
