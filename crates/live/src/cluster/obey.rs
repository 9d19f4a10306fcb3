//! A node does what another asks of it, with its own pushes only: the one that asks asks every node.

use super::{Command, Reply};
use crate::Live;

impl Live {
    /// Does what another node asks.
    pub async fn obey(&self, command: Command) -> Reply {
        match command {
            Command::Ping => Reply::Pong,
            Command::Drop { key, by } => Reply::Told { pushes: self.drop_here(&key, &by) },
            Command::Forbid { forbidden, by } => match self.forbid_here(forbidden, &by).await {
                Ok(pushes) => Reply::Told { pushes },
                Err(error) => Reply::Failed { reason: error.to_string() },
            },
            Command::Resume { key, by } => match self.resume_here(&key, &by).await {
                Ok(was) => Reply::Resumed { was },
                Err(error) => Reply::Failed { reason: error.to_string() },
            },
            Command::Switch { key, to, by } => Reply::Switched { outcome: self.switch_here(&key, to, &by) },
            Command::Pushes => Reply::Pushes { pushes: self.pushes() },
            Command::Count { key } => Reply::Counted { pushes: self.count_of(&key) },
        }
    }
}
