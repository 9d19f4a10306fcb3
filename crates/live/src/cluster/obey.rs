//! A node does what another asks of it, with its own pushes only: the one that asks asks every node.

use model::StreamKey;

use super::{Command, Reply};
use crate::Live;

impl Live {
    /// Does what another node asks.
    pub async fn obey(&self, command: Command) -> Reply {
        match command {
            Command::Ping => Reply::Pong,
            Command::Drop { key, by, revision } => match self.began_after(&key, revision) {
                Some(since) => Reply::Outdated { since },
                None => Reply::Told { pushes: self.drop_here(&key, &by) },
            },
            Command::Forbid { forbidden, by } => match self.forbid_here(forbidden, &by).await {
                Ok(pushes) => Reply::Told { pushes },
                Err(error) => Reply::Failed { reason: error.to_string() },
            },
            Command::Resume { key, by } => match self.resume_here(&key, &by).await {
                Ok(was) => Reply::Resumed { was },
                Err(error) => Reply::Failed { reason: error.to_string() },
            },
            Command::Switch { key, to, by, revision } => match self.began_after(&key, revision) {
                Some(since) => Reply::Outdated { since },
                None => self.switch_near(&key, to, &by, revision).await,
            },
            Command::Pushes => Reply::Pushes { pushes: self.pushes() },
            Command::Count { key } => Reply::Counted { pushes: self.count_of(&key) },
        }
    }

    /// The revision by which this node has come by a stream, where an order names an earlier one: it was given before that,
    /// was long on its way, and is meant for a push that is gone.
    fn began_after(&self, key: &StreamKey, order: Option<u64>) -> Option<u64> {
        let since = self.shared.hub.carried_since(key)?;
        (since > order?).then_some(since)
    }
}
