//! What one node asks another to do, and what that one answers. Both are JSON between nodes, so versions of the program
//! may differ for a while: fields and commands may be added, never changed.

use model::catalog::Forbidden;
use model::{Sequence, StreamKey};
use serde::{Deserialize, Serialize};

use crate::OrderedBy;
use crate::hub::Switched;
use crate::push::LivePush;

/// Something that a node is asked to do with its own pushes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// To answer.
    Ping,
    /// To end the pushes of a stream key: 21/100.
    Drop {
        /// Which.
        key: StreamKey,
        /// Who gave the order.
        by: OrderedBy,
        /// The revision of the stream's lease that the order is meant for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u64>,
    },
    /// To keep a stream key out, and to end its pushes: 21/101.
    Forbid {
        /// Which, until when, and why.
        forbidden: Forbidden,
        /// Who gave the order.
        by: OrderedBy,
    },
    /// To let a stream key in again.
    Resume {
        /// Which.
        key: StreamKey,
        /// Who gave the order.
        by: OrderedBy,
    },
    /// To let another push of a stream key carry the stream.
    Switch {
        /// Which stream.
        key: StreamKey,
        /// Which push.
        to: Sequence,
        /// Who gave the order.
        by: OrderedBy,
        /// The revision of the stream's lease that the order is meant for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u64>,
    },
    /// To list its pushes.
    Pushes,
    /// To count its pushes of a stream key, live and waiting.
    Count {
        /// Which.
        key: StreamKey,
    },
}

/// What came of a [`Command`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Reply {
    /// It is there.
    Pong,
    /// So many pushes were told to end.
    Told {
        /// How many.
        pushes: usize,
    },
    /// Whether the stream key had been forbidden.
    Resumed {
        /// It had.
        was: bool,
    },
    /// What came of a switch.
    Switched {
        /// That.
        outcome: Switched,
    },
    /// Its pushes.
    Pushes {
        /// Live ones and backups.
        pushes: Vec<LivePush>,
    },
    /// So many pushes of the stream key are here.
    Counted {
        /// How many.
        pushes: u32,
    },
    /// It carries the stream by a lease that is newer than the order, which was meant for an earlier push: nothing was done.
    Outdated {
        /// The revision by which it began to.
        since: u64,
    },
    /// It could not do it.
    Failed {
        /// Why, in English.
        reason: String,
    },
    /// Its version of the program does not know the command.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_back_as_it_was_sent() {
        let by = OrderedBy { who: "ann".into(), via: "console", from: Some([192, 0, 2, 1].into()) };
        let key = StreamKey::new("push.example.com", "live", "demo");
        for command in [
            Command::Ping,
            Command::Pushes,
            Command::Drop { key: key.clone(), by: by.clone(), revision: Some(12) },
            Command::Drop { key: key.clone(), by: by.clone(), revision: None },
            Command::Switch { key: key.clone(), to: Sequence(7), by: by.clone(), revision: Some(12) },
            Command::Count { key: key.clone() },
            Command::Resume { key, by },
        ] {
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command, "{text}");
        }
    }

    #[test]
    fn an_order_without_a_revision_is_what_versions_sent_that_knew_none() {
        let by = OrderedBy { who: "ann".into(), via: "console", from: None };
        let order =
            Command::Drop { key: StreamKey::new("push.example.com", "live", "demo"), by, revision: None };
        assert!(!serde_json::to_string(&order).unwrap().contains("revision"));
    }

    #[test]
    fn an_answer_of_a_newer_version_is_no_error() {
        let reply: Reply = serde_json::from_str(r#"{"did":"danced","how":"well"}"#).unwrap();
        assert!(matches!(reply, Reply::Unknown));
    }
}
