//! A push as it stands in the bucket. Fields may be added, never changed.

use std::net::IpAddr;

use model::{PushId, Record, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};
use store::OpenRow;
use uuid::Uuid;

/// A push as it stands in the bucket, under the key of its node or of the one that has inherited it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stood {
    /// The run of the node under whose key it stands.
    pub run: Uuid,
    /// The name of the node that took the push.
    pub node: String,
    pub push: PushId,
    pub account: u64,
    pub key: StreamKey,
    pub protocol: String,
    pub client_ip: IpAddr,
    pub client_port: u16,
    pub connected_at: Timestamp,
    pub published_at: Timestamp,
    pub encoder: Option<String>,
    pub stream_param: Option<String>,
    /// The node that took the push, where it stands under another's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The node that takes it over, and which start of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heir: Option<(String, Uuid)>,
    /// The node that took the push may have heard that its end is told by another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub promised: bool,
    /// Somebody may not have heard yet that it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begin_owed: bool,
}

impl Stood {
    pub fn new(row: &OpenRow, run: Uuid, node: &str, begin_owed: bool) -> Self {
        Self {
            run,
            node: node.to_owned(),
            push: row.id,
            account: row.account,
            key: row.key.clone(),
            protocol: row.protocol.clone(),
            client_ip: row.client_ip,
            client_port: row.client_port,
            connected_at: row.connected_at,
            published_at: row.published_at,
            encoder: row.encoder.clone(),
            stream_param: row.stream_param.clone(),
            origin: None,
            heir: None,
            promised: false,
            begin_owed,
        }
    }

    /// Its record, if its node was found dead at this time.
    pub fn died(&self, at: Timestamp) -> Record {
        self.row().node_died(&self.node, at)
    }

    /// The push as it began, without its secrets.
    pub fn row(&self) -> OpenRow {
        OpenRow {
            id: self.push,
            account: self.account,
            key: self.key.clone(),
            protocol: self.protocol.clone(),
            client_ip: self.client_ip,
            client_port: self.client_port,
            connected_at: self.connected_at,
            published_at: self.published_at,
            encoder: self.encoder.clone(),
            stream_param: self.stream_param.clone(),
            callback_param: None,
        }
    }

    /// The same as it stands under the key of its heir.
    pub fn inherited(&self, from: &str, run: Uuid) -> Self {
        let origin = self.origin.clone().unwrap_or_else(|| from.to_owned());
        Self { run, origin: Some(origin), heir: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stood() -> Stood {
        let at = Timestamp(1_800_000_000_000);
        let row = OpenRow {
            id: PushId::from_parts(at, 7),
            account: 1,
            key: StreamKey::new("push.example.com", "live", "demo"),
            protocol: "rtmp".into(),
            client_ip: [192, 0, 2, 1].into(),
            client_port: 4_000,
            connected_at: at,
            published_at: at,
            encoder: None,
            stream_param: None,
            callback_param: Some("txSecret=hush".into()),
        };
        Stood::new(&row, Uuid::from_u128(1), "east", false)
    }

    #[test]
    fn the_first_node_stays_known_however_often_a_push_is_inherited() {
        let once = stood().inherited("a", Uuid::from_u128(2));
        let twice = once.inherited("b", Uuid::from_u128(3));
        assert_eq!((twice.origin.as_deref(), twice.run), (Some("a"), Uuid::from_u128(3)));
        let record = twice.died(Timestamp(1_800_000_060_000));
        assert_eq!((record.code().to_string().as_str(), record.node.as_str()), ("11/0", "east"));
        assert!(Stood { begin_owed: true, ..twice }.inherited("c", Uuid::from_u128(4)).begin_owed);
    }

    #[test]
    fn what_earlier_versions_wrote_is_read_and_no_secret_is_written() {
        let text = serde_json::to_string(&stood()).unwrap();
        assert!(
            !text.contains("origin")
                && !text.contains("promised")
                && !text.contains("owed")
                && !text.contains("hush"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Stood>(&text).unwrap(), stood());
    }
}
