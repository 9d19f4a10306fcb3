//! Orders and lists that mean all nodes: this one does its part, and asks the others for theirs. Alone, it is the whole.

use std::time::Duration;

use model::catalog::Forbidden;
use model::{StreamKey, Timestamp};

use super::{Asked, Command, NodeFacts, Reply};
use crate::catalog::CatalogError;
use crate::push::LivePush;
use crate::{Live, OrderedBy};

/// What came of something that was asked of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Everywhere<T> {
    /// Of those that answered.
    pub outcome: T,
    /// The labels of the nodes that did not answer in time, or could not do it.
    pub silent: Vec<String>,
}

/// How long the registry may take to say who carries a stream.
const LOOKUP: Duration = Duration::from_millis(500);
/// How often an order is given to whoever carries a stream then.
pub(super) const ORDERED_AGAIN: usize = 3;

/// The pushes of all nodes.
pub type PushesEverywhere = Everywhere<Vec<LivePush>>;

impl Live {
    /// Ends the pushes of a stream key (21/100) on all nodes; they may come again. Tells how many it reached.
    pub async fn drop_stream(&self, key: &StreamKey, by: &OrderedBy) -> Everywhere<usize> {
        let here = self.drop_here(key, by);
        let order = |revision| Command::Drop { key: key.clone(), by: by.clone(), revision };
        told(here, self.order_others(key, order).await)
    }

    /// Forbids a stream until `until`, on all nodes: its pushes end (21/101), and new ones are refused (18/305). Tells how
    /// many pushes it reached.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn forbid(
        &self,
        key: StreamKey,
        until: Timestamp,
        reason: String,
        by: &OrderedBy,
    ) -> Result<Everywhere<usize>, CatalogError> {
        let since = self.shared.clock.now();
        let forbidden = Forbidden { key, since, until, reason, by: by.who.clone() };
        let here = self.forbid_here(forbidden.clone(), by).await?;
        let asked = self.ask_others(|| Command::Forbid { forbidden, by: by.clone() }).await;
        Ok(told(here, asked))
    }

    /// Lets a forbidden stream in again, on all nodes; false if it was not forbidden on any.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn resume(&self, key: &StreamKey, by: &OrderedBy) -> Result<Everywhere<bool>, CatalogError> {
        let here = self.resume_here(key, by).await?;
        let asked = self.ask_others(|| Command::Resume { key: key.clone(), by: by.clone() }).await;
        let mut all = Everywhere { outcome: here, silent: asked.silent };
        for (label, reply) in asked.replies {
            match reply {
                Reply::Resumed { was } => all.outcome |= was,
                other => all.silent.push(blame(label, &other)),
            }
        }
        Ok(all)
    }

    /// All pushes of all nodes that are live or wait as backups, oldest first.
    pub async fn pushes_everywhere(&self) -> PushesEverywhere {
        let asked = self.ask_others(|| Command::Pushes).await;
        let mut all = Everywhere { outcome: self.pushes(), silent: asked.silent };
        for (label, reply) in asked.replies {
            match reply {
                Reply::Pushes { pushes } => all.outcome.extend(pushes),
                other => all.silent.push(blame(label, &other)),
            }
        }
        all.outcome.sort_by_key(|push| push.id);
        all
    }

    /// All nodes that are there, this one first; none where it stands alone.
    pub fn nodes(&self) -> Vec<NodeFacts> {
        self.shared.cluster.as_ref().map(|cluster| cluster.nodes()).unwrap_or_default()
    }

    /// Whether the registry of all nodes can be reached; `None` where there is none.
    pub fn registry_is_connected(&self) -> Option<bool> {
        self.shared.cluster.as_ref().map(|cluster| cluster.is_connected())
    }

    /// Gives an order for the push that carries a stream now. Where the stream has moved on meanwhile, the order is given
    /// again for the one that carries it then, since whoever gave it still waits; one that arrives late is for nobody. Who
    /// found it outdated also the last time is among the replies with that.
    pub(super) async fn order_others(
        &self,
        key: &StreamKey,
        order: impl Fn(Option<u64>) -> Command,
    ) -> Asked {
        let Some(cluster) = &self.shared.cluster else { return Asked::default() };
        let mut all = Asked::default();
        for _ in 0..ORDERED_AGAIN {
            let seen = tokio::time::timeout(LOOKUP, cluster.owner(key)).await.ok().flatten();
            let asked = cluster.ask_all(order(seen.map(|seen| seen.revision))).await;
            let is_outdated = |reply: &Reply| matches!(reply, Reply::Outdated { .. });
            let moved = asked.replies.iter().any(|(_, reply)| is_outdated(reply));
            // What was said the last time; what was done before stays.
            all.replies.retain(|(_, reply)| !is_outdated(reply));
            all.replies.extend(asked.replies);
            all.silent = asked.silent;
            if !moved {
                break;
            }
        }
        all
    }

    async fn ask_others(&self, command: impl FnOnce() -> Command) -> Asked {
        match &self.shared.cluster {
            None => Asked::default(),
            Some(cluster) => cluster.ask_all(command()).await,
        }
    }
}

fn told(here: usize, asked: Asked) -> Everywhere<usize> {
    let mut all = Everywhere { outcome: here, silent: asked.silent };
    for (label, reply) in asked.replies {
        match reply {
            Reply::Told { pushes } => all.outcome += pushes,
            other => all.silent.push(blame(label, &other)),
        }
    }
    all
}

/// The label of a node that answered, but not what was asked.
pub(super) fn blame(label: String, reply: &Reply) -> String {
    tracing::warn!(node = label, ?reply, "a node could not do what it was asked");
    label
}
