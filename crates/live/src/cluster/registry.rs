//! What a registry of all nodes answers. The crate `cluster` has one over NATS.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use cause::evidence::Act;
use model::catalog::ConflictRule;
use model::{PushId, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};
use store::OpenRow;

use super::{Command, Reply};
use crate::pull::{Secret, Seen};

/// A future behind a pointer, since the registry is one.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The other nodes, as the live path sees them.
pub trait Cluster: fmt::Debug + Send + Sync {
    /// Whether the push would be let in by what the registry says now; asked before anything is written for it.
    ///
    /// The error refuses it: 18/101, 18/102, 18/601, 18/602.
    fn look<'a>(&'a self, claim: &'a Claim) -> Boxed<'a, Result<(), Act>>;

    /// Enters a push that this node has let in, and decides whether its stream key is this node's to carry or another's:
    /// [`crate::Live::carry`] and [`crate::Live::wait`] are told before this returns. Other nodes' pushes that have to go
    /// are told by then.
    ///
    /// The error refuses the push, as for [`Cluster::look`].
    fn claim<'a>(&'a self, claim: &'a Claim, row: &'a OpenRow) -> Boxed<'a, Result<Tenure, Act>>;

    /// How many pushes the other nodes have of an account and of a domain, as of their last heartbeat.
    fn elsewhere(&self, account: u64, domain: &str) -> (u32, u32);

    /// Asks all other nodes to do something; each that is there answers, or is named as silent.
    fn ask_all(&self, command: Command) -> Boxed<'_, Asked>;

    /// Gives a stream key that another node carries to a push that waits on this one, by the lease of this revision where one
    /// is named. [`crate::Live::handed_to`] is told before this returns; the pushes that carried or wait elsewhere go on as
    /// backups.
    fn take<'a>(&'a self, key: &'a StreamKey, push: PushId, revision: Option<u64>) -> Boxed<'a, Taken>;

    /// Who carries a stream key now; `None` where the registry is away.
    fn owner<'a>(&'a self, key: &'a StreamKey) -> Boxed<'a, Option<Seen>>;

    /// This node's id.
    fn me(&self) -> &str;

    /// What nodes show each other that they are nodes with; `None` until the registry was reached.
    fn secret(&self) -> Option<Secret>;

    /// All nodes that are there, this one first.
    fn nodes(&self) -> Vec<NodeFacts>;

    /// Whether the registry can be reached now; for health and metrics.
    fn is_connected(&self) -> bool;
}

/// A push that wants its stream key.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its id.
    pub push: PushId,
    /// What it publishes.
    pub key: StreamKey,
    /// Its client's address.
    pub client: SocketAddr,
    /// `?priority=N`, where the domain heeds it.
    pub priority: Option<i64>,
    /// What happens when another push of the key is there.
    pub rule: ConflictRule,
    /// Pushes of the key at most; 0 for any number.
    pub max_stream: u32,
    /// Whether it waits here behind another push of this node, and so leaves the key's ownership as it is.
    pub behind: bool,
}

/// A push's place in the registry; given back on drop.
#[must_use = "the push leaves the registry when its tenure is dropped"]
pub struct Tenure(Box<dyn Any + Send + Sync>);

impl Tenure {
    /// Holds on to what gives the place back when it is dropped.
    pub fn new(place: impl Any + Send + Sync) -> Self {
        Self(Box::new(place))
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenure({:?})", (*self.0).type_id())
    }
}

/// What came of [`Cluster::take`]. But for the first, nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The push carries the stream.
    Now,
    /// The stream key is this node's already: it is for its hub to say.
    Here,
    /// The push waits here no more.
    Gone,
    /// The lease has another revision than was named, or has got one meanwhile.
    Moved {
        /// The one that stands there, as far as is known.
        revision: u64,
    },
    /// The registry did not answer; where it was asked to write, it may have.
    Unreachable {
        /// Why, in English.
        reason: String,
    },
}

/// What the other nodes answered.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The answers, by the label of the node.
    pub replies: Vec<(String, Reply)>,
    /// The labels of those that did not answer in time.
    pub silent: Vec<String>,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Its id.
    pub id: String,
    /// Its name in records.
    pub label: String,
    /// The program's version.
    pub version: String,
    /// Since when it runs.
    pub since: Timestamp,
    /// Pushes that are live or wait there.
    pub pushes: usize,
    /// Where other nodes fetch streams from it: `host:port`, or `rtmps://host:port`.
    pub rtmp: Option<String>,
    /// Whether its heartbeat is heard.
    pub alive: bool,
}
