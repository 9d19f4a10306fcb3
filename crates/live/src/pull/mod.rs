//! Viewers anywhere: a stream that another node carries is fetched from there for the viewers of this one.
//!
//! | file | what lives there |
//! |---|---|
//! | `find` | from a play URL to a live stream, of this node or fetched for it |
//! | `pulls` | the streams that are fetched: one pull each, however many ask |
//! | `run` | one pull, from its first viewer until nobody watches |
//! | `following` | which owner a pull follows; pure |
//! | `player` | the playing side of a connection, without I/O |
//! | `mark` | what shows an owner from the first packet on that a node fetches |
//! | `ticket` | what shows an owner that it is one of its nodes that asks |
//! | `serve` | the owner's answer |
//! | `progress` | what happens to one pull, and the record it leaves |
//! | `status` | what lists and metrics show |
//!
//! A pull is no push: it has no interruption record, no place under limits, and makes no callback. What it leaves is a
//! [`model::FetchRecord`]. It names the revision of the lease
//! that it follows, ends with it, and goes on with the owner of a newer one while its viewers stay.

mod find;
mod following;
mod mark;
mod player;
mod progress;
pub(crate) mod pulls;
mod run;
mod serve;
mod status;
mod ticket;

use std::path::PathBuf;
use std::time::Duration;

pub use self::find::Found;
pub(crate) use self::find::find;
pub use self::following::{Holder, OwnerFacts, Seen};
pub(crate) use self::mark::is_of_a_node;
pub(crate) use self::serve::{asked_by_a_node, serve};
pub use self::status::{ENDS, EndedPull, Pull, PullFigures, PullState};
pub use self::ticket::Secret;

/// How streams of other nodes are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullConfig {
    /// Without a viewer for this long a pull ends.
    pub idle: Duration,
    /// How long viewers wait for a new owner when theirs is gone.
    pub wait: Duration,
    /// Streams fetched at once; 0 for none.
    pub most: usize,
    /// Certificate authorities beside the system's, for owners that are reached over TLS.
    pub ca: Option<PathBuf>,
}

impl Default for PullConfig {
    fn default() -> Self {
        Self { idle: Duration::from_secs(10), wait: Duration::from_secs(15), most: 10_000, ca: None }
    }
}
