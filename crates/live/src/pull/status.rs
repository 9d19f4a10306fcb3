//! What lists and metrics show of the streams that are fetched, and how pulls ended.

use std::sync::atomic::{AtomicU64, Ordering};

use model::fetch::FetchEvent;
use model::{FetchEnd, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// How far a pull is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// To the owner, until it sends.
    Connecting,
    /// Media comes.
    Live,
    /// There is no owner now, or it cannot be reached; viewers wait.
    Waiting,
}

/// A stream of another node that this one fetches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pull {
    /// The id that its record will have: a UUIDv7 of its begin.
    pub id: Uuid,
    /// Push domain.
    pub domain: String,
    /// App.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// The label of the node it comes from; none while there is no owner.
    pub owner: Option<String>,
    /// The revision of the lease that is followed.
    pub revision: u64,
    /// How far it is.
    pub state: PullState,
    /// Since when it is fetched.
    pub since: Timestamp,
    /// Who watches it here.
    pub viewers: usize,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Connections beyond the first.
    pub restarts: u64,
    /// What happened, oldest first.
    pub events: Vec<FetchEvent>,
}

/// A pull that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndedPull {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: FetchEnd,
    /// What it was.
    #[serde(flatten)]
    pub pull: Pull,
}

/// How pulls end while the node lives.
pub const ENDS: [FetchEnd; 5] =
    [FetchEnd::Idle, FetchEnd::Over, FetchEnd::NoOwner, FetchEnd::Here, FetchEnd::Stopping];

/// What pulls have done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PullFigures {
    /// Streams that are fetched now.
    pub pulls: usize,
    /// Pulls begun.
    pub begun: u64,
    /// Pulls that have ended, by [`ENDS`].
    pub ended: [u64; ENDS.len()],
    /// Bytes that came.
    pub bytes_in: u64,
    /// Connections to owners beyond the first of each pull.
    pub restarts: u64,
    /// Connections that failed, or that owners ended.
    pub failures: u64,
    /// Other nodes that were served.
    pub served: u64,
    /// Askers that were turned away: no node of this cluster, or for a lease that is not this node's.
    pub refused: u64,
}

/// Sums over all pulls of the node.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub begun: AtomicU64,
    pub ended: [AtomicU64; ENDS.len()],
    pub bytes_in: AtomicU64,
    pub restarts: AtomicU64,
    pub failures: AtomicU64,
    pub served: AtomicU64,
    pub refused: AtomicU64,
}

impl Sums {
    pub fn read(&self, pulls: usize) -> PullFigures {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        PullFigures {
            pulls,
            begun: of(&self.begun),
            ended: self.ended.each_ref().map(of),
            bytes_in: of(&self.bytes_in),
            restarts: of(&self.restarts),
            failures: of(&self.failures),
            served: of(&self.served),
            refused: of(&self.refused),
        }
    }
}
