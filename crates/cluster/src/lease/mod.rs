//! The lease of a stream key: what it says, who may take it, and what each change of it means to a node. Pure: nothing here
//! knows NATS or a clock.
//!
//! | file | what lives there |
//! |---|---|
//! | `contest` | the conflict rules of one node, held against a lease |
//! | `claiming` | from a wish to an answer, by reads and compare-and-set writes |
//! | `notice` | what a newer revision means to a node that owns or waits |

mod claiming;
mod contest;
mod notice;
#[cfg(test)]
mod simulation;

use std::net::{IpAddr, SocketAddr};

use model::{PushId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::claiming::{Claiming, Outcome, Step, Written};
pub(crate) use self::contest::{Contender, Owner, switch};
pub(crate) use self::notice::{Meaning, Standing, notice};

/// What stands under a stream key while it is live. Fields may be added, never changed: nodes of two versions read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// The node that carries the stream.
    pub node: String,
    /// Which start of that node.
    pub run: Uuid,
    /// The push that carries it there.
    pub push: PushId,
    /// That push's client.
    pub client: SocketAddr,
    /// Its priority, where the domain heeds it.
    pub priority: Option<i64>,
    /// Whether it sends media.
    pub sends: bool,
    /// Since when the node carries the stream.
    pub since: Timestamp,
    /// How the node came by it.
    pub how: How,
    /// From which node and run it took the stream.
    pub from: Option<(String, Uuid)>,
    /// An operator has given the stream to this node: who had it, or waited for it, goes on waiting. Nodes that do not know
    /// this take it for what `how` says, and end their pushes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub switched: bool,
    /// Recent takeovers between two sources that both sent media: the duel guard's memory, which every owner hands on.
    #[serde(default)]
    pub takeovers: Vec<Takeover>,
}

/// One time in which a node carries a stream, however often it writes its lease again: the run of the node, and since when.
pub(crate) type Reign = (Uuid, Timestamp);

impl Lease {
    /// The time of which it is a part.
    pub fn reign(&self) -> Reign {
        (self.run, self.since)
    }
}

/// How an owner came by its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// Nobody had it.
    Free,
    /// By the conflict rule, from a node that had it.
    Replaced,
    /// From a run of a node that is over.
    Orphaned,
}

/// A push took a stream from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Takeover {
    /// When.
    pub at: Timestamp,
    /// The source that lost it.
    pub from: IpAddr,
    /// The source that got it.
    pub to: IpAddr,
}
