//! The pushes of each node as the others know them, so that a dead node's pushes have their ends on record: 11/0, until
//! that node is back and its journal knows better.
//!
//! A push stands in the bucket from before it is live until its record is in the database of all nodes, without an expiry:
//! whatever happens to its node, somebody can tell that it was there.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, PushId, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Journal, OpenRow, OtherNodes};
use uuid::Uuid;

use crate::connection::{Connection, Fault, erase, list, within};
use crate::heartbeat::Members;

/// What an end has to be older than what waits for the database, so that it is there for certain.
const MARGIN: Duration = Duration::from_secs(2);
/// Each further node waits so much longer before it writes a dead node's records, so that one does.
const TURN: Duration = Duration::from_secs(2);
/// Pause before what the database did not take is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// Pushes that are written at once.
const BATCH: usize = 1_000;
/// Keys deleted with one look.
const AT_ONCE: usize = 2_000;

/// A push as it stands in the bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stood {
    run: Uuid,
    /// The name of its node.
    node: String,
    push: PushId,
    account: u64,
    key: StreamKey,
    protocol: String,
    client_ip: IpAddr,
    client_port: u16,
    connected_at: Timestamp,
    published_at: Timestamp,
    encoder: Option<String>,
    stream_param: Option<String>,
}

/// This node's pushes in the bucket, and those of the dead.
pub(crate) struct Estate {
    connection: Arc<Connection>,
    members: Arc<Members>,
    clock: Arc<dyn Clock>,
    label: String,
    journal: Journal,
    /// The database of all nodes, where there is one.
    others: Option<OtherNodes>,
    /// Pushes that have ended here, oldest first, and wait until their records are in the database.
    ended: Mutex<VecDeque<(Timestamp, PushId)>>,
}

impl Estate {
    pub fn new(
        connection: Arc<Connection>,
        members: Arc<Members>,
        clock: Arc<dyn Clock>,
        label: &str,
        journal: Journal,
        others: Option<OtherNodes>,
    ) -> Self {
        let label = label.to_owned();
        Self { connection, members, clock, label, journal, others, ended: Mutex::default() }
    }

    /// Notes a push that is about to be live.
    pub async fn enter(&self, row: &OpenRow) -> Result<(), Fault> {
        let (node, run) = self.members.me();
        let stood = Stood {
            run,
            node: self.label.clone(),
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
        };
        let value = serde_json::to_vec(&stood).map_err(|error| Fault::Failed(error.to_string()))?;
        let pushes = &self.connection.buckets().await?.pushes;
        let put = within(pushes.put(name(node, row.id), value.into())).await?;
        put.map(drop).map_err(|error| Fault::Failed(error.to_string()))
    }

    /// A push has ended here.
    pub fn leave(&self, push: PushId) {
        self.ended().push_back((self.clock.now(), push));
    }

    /// Takes those out of the bucket whose records are where they belong.
    pub async fn tidy(&self) {
        let settled = self.settled();
        let mut left = AT_ONCE;
        while let Some(push) = self.next(settled).filter(|_| left > 0) {
            left -= 1;
            let (node, _) = self.members.me();
            let Ok(buckets) = self.connection.buckets().await else { return };
            match erase(&buckets.pushes, &name(node, push)).await {
                Ok(()) => {
                    self.ended().pop_front();
                }
                Err(error) => return tracing::debug!(%error, "a push stays in the bucket for now"),
            }
        }
    }

    /// What ended before this is in the database; everything is where there is none.
    fn settled(&self) -> Timestamp {
        let now = self.clock.now();
        match self.journal.shipping() {
            None => now.plus(MARGIN),
            Some(shipping) if shipping.waiting == 0 && shipping.connected => now.minus(MARGIN),
            Some(shipping) => now.minus(shipping.lag.saturating_add(MARGIN)),
        }
    }

    fn next(&self, settled: Timestamp) -> Option<PushId> {
        self.ended().front().filter(|(at, _)| *at < settled).map(|(_, push)| *push)
    }

    /// Finds what an earlier run of this node has left in the bucket: the journal has given it its end.
    pub async fn look_back(&self) -> Result<(), Fault> {
        let (node, run) = self.members.me();
        let left = self.of(node).await?;
        let before = left.into_iter().filter(|stood| stood.run != run);
        let now = self.clock.now();
        self.ended().extend(before.map(|stood| (now, stood.push)));
        Ok(())
    }

    /// Gives the pushes of a dead node their ends, unless another node does or the node comes back meanwhile.
    pub async fn bury(self: Arc<Self>, node: String, run: Uuid, label: String) {
        let Some(others) = self.others.clone() else { return };
        let died = self.clock.now();
        let turn = self.members.turn(self.clock.instant());
        tokio::time::sleep(TURN.saturating_mul(turn)).await;
        while self.members.is_over(&node, run, self.clock.instant()) {
            match self.bury_once(&others, &node, run, died).await {
                Ok(0) => return,
                Ok(count) => {
                    tracing::warn!(node, label, count, "pushes of a dead node are on record as 11/0")
                }
                Err(error) => {
                    tracing::warn!(node, label, %error, "the pushes of a dead node wait for their records");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn bury_once(
        &self,
        others: &OtherNodes,
        node: &str,
        run: Uuid,
        died: Timestamp,
    ) -> Result<usize, Fault> {
        let mut stood = self.of(node).await?;
        stood.retain(|stood| stood.run == run);
        stood.truncate(BATCH);
        let count = stood.len();
        let Some(label) = stood.first().map(|stood| stood.node.clone()) else { return Ok(0) };
        let keys: Vec<_> = stood.iter().map(|stood| name(node, stood.push)).collect();
        let rows: Vec<_> = stood.into_iter().map(row).collect();
        let others = others.clone();
        let written = tokio::task::spawn_blocking(move || others.died(&rows, &label, died)).await;
        let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
        written.map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
        let buckets = self.connection.buckets().await?;
        for key in keys {
            erase(&buckets.pushes, &key).await?;
        }
        Ok(count)
    }

    /// The pushes of a node that stand in the bucket.
    async fn of(&self, node: &str) -> Result<Vec<Stood>, Fault> {
        let pushes = &self.connection.buckets().await?.pushes;
        let values = list(&self.connection.client, pushes, &format!("{node}.>")).await?;
        let read = |value: &bytes::Bytes| match serde_json::from_slice::<Stood>(value) {
            Ok(stood) => Some(stood),
            Err(error) => {
                tracing::warn!(node, %error, "a push that cannot be read");
                None
            }
        };
        Ok(values.iter().filter_map(read).collect())
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<(Timestamp, PushId)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(node: &str, push: PushId) -> String {
    format!("{node}.{push}")
}

fn row(stood: Stood) -> OpenRow {
    OpenRow {
        id: stood.push,
        account: stood.account,
        key: stood.key,
        protocol: stood.protocol,
        client_ip: stood.client_ip,
        client_port: stood.client_port,
        connected_at: stood.connected_at,
        published_at: stood.published_at,
        encoder: stood.encoder,
        stream_param: stood.stream_param,
        callback_param: None,
    }
}
