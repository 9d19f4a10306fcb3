//! What becomes of a dead node's pushes. Another node, its heir, takes them over one by one: it moves them under its own
//! key, by compare-and-set, so that each has one heir, and so that they are found again if the heir dies too. Then it
//! puts 11/0 into the database of all nodes, which stands until the dead node is back and its journal knows better.
//!
//! Callbacks wait longer: a node that is only cut off goes on serving what it has until its grace is over, and nobody
//! hears that a stream has ended which viewers still see. After that the heir tells what the database says by then, and
//! before it that the push began where the dead node may not have told so, under the delivery ids that it would use, and notes in the database that it does. A node that is back meanwhile
//! tells it by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use model::catalog::CallbackKind;
use model::{PushId, Timestamp};
use store::Inherited;
use uuid::Uuid;

use super::{Ended, Estate, MARGIN, UNDER_WAY, lock, name};
use crate::connection::{Fault, erase, write};
use crate::estate::stood::Stood;
use crate::lease::Written;

/// Each further node waits so much longer before it takes over what a dead node had, so that one does.
const TURN: Duration = Duration::from_secs(2);
/// Pause before what failed, or what others are at, is looked at again.
const AGAIN: Duration = Duration::from_secs(2);
/// Pushes that are taken over at once.
const BATCH: usize = 1_000;

/// What came of one look at a dead node's pushes.
struct TakenOver {
    /// They are this node's now.
    mine: Vec<Stood>,
    /// Others still stand there.
    more: bool,
}

impl Estate {
    /// Gives the pushes of a dead node their ends, unless another node does or the node comes back meanwhile.
    pub async fn bury(self: Arc<Self>, node: String, run: Uuid, label: String) {
        let (found, died) = (self.clock.instant(), self.clock.now());
        let turn = self.members.turn(found);
        tokio::time::sleep(TURN.saturating_mul(turn)).await;
        let mut to_tell = Vec::new();
        while self.members.is_over(&node, run, self.clock.instant()) {
            match self.take_over(&node).await {
                Ok(TakenOver { mine, more }) => {
                    if !mine.is_empty() {
                        tracing::warn!(node, label, count = mine.len(), "takes over pushes of a dead node");
                    }
                    let waits = mine.is_empty() && more;
                    to_tell.extend(self.on_record(mine, died).await);
                    if !more {
                        break;
                    }
                    if waits {
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(node, label, %error, "the pushes of a dead node wait for their records");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        // It was heard for the last time a lease before it was found dead, and so is cut off for longer than this.
        self.tell(to_tell, found + self.grace + MARGIN, died).await;
    }

    /// Goes on with what an earlier run of this node had taken over.
    pub(super) async fn bury_on(self: Arc<Self>, inherited: Vec<Stood>) {
        let (found, died) = (self.clock.instant(), self.clock.now());
        let to_tell = self.on_record(inherited, died).await;
        self.tell(to_tell, found + self.grace + MARGIN, died).await;
    }

    /// Takes over what a dead node has, as far as no other node does.
    async fn take_over(&self, node: &str) -> Result<TakenOver, Fault> {
        let now = self.clock.instant();
        let mut stood = self.of(node).await?;
        stood.retain(|(_, stood)| self.members.is_over(node, stood.run, now));
        let all = stood.len();
        let (me, run) = self.members.me();
        stood.retain(|(_, stood)| match &stood.heir {
            Some((heir, of)) => (heir == me && *of == run) || self.members.is_over(heir, *of, now),
            None => true,
        });
        stood.truncate(BATCH);
        let claimed = stream::iter(stood)
            .map(|(revision, stood)| self.inherit(node, revision, stood))
            .buffer_unordered(UNDER_WAY)
            .try_collect::<Vec<_>>();
        let mine: Vec<_> = claimed.await?.into_iter().flatten().collect();
        let more = mine.len() < all;
        Ok(TakenOver { mine, more })
    }

    /// Takes over one push; `None` where another node was faster.
    async fn inherit(&self, node: &str, revision: u64, stood: Stood) -> Result<Option<Stood>, Fault> {
        let bucket = &self.connection.buckets().await?.pushes;
        let (me, run) = self.members.me();
        let there = name(node, stood.push);
        let claimed = Stood { heir: Some((me.to_owned(), run)), ..stood.clone() };
        match write(bucket, &there, revision, &claimed).await? {
            Written::TooLate => return Ok(None),
            Written::As(_) => {}
        }
        let mine = stood.inherited(node, run);
        self.put(&mine).await?;
        erase(bucket, &there).await?;
        Ok(Some(mine))
    }

    /// Puts the records of what was taken over into the database, however long it takes. Gives what is to be told, and lets
    /// go of the rest.
    async fn on_record(&self, stood: Vec<Stood>, died: Timestamp) -> Vec<Stood> {
        if stood.is_empty() {
            return stood;
        }
        while let Err(error) = self.record(&stood, died).await {
            tracing::warn!(count = stood.len(), %error, "the pushes of a dead node wait for their records");
            tokio::time::sleep(AGAIN).await;
        }
        let concerns_nobody = |stood: &Stood| {
            let begin = stood.begin_owed && self.is_told(CallbackKind::Begin, &stood.key);
            !begin && !self.is_told(CallbackKind::End, &stood.key)
        };
        let (rest, to_tell): (Vec<_>, Vec<_>) = stood.into_iter().partition(concerns_nobody);
        self.let_go(rest).await;
        to_tell
    }

    async fn record(&self, stood: &[Stood], died: Timestamp) -> Result<(), Fault> {
        let Some(others) = self.others.clone() else { return Ok(()) };
        let records: Vec<_> = stood.iter().map(|stood| stood.died(died)).collect();
        let put = tokio::task::spawn_blocking(move || others.died(records)).await;
        put.map_err(Fault::of)?.map_err(Fault::of)
    }

    /// Tells the ends of pushes once it is certain that they are over.
    async fn tell(&self, stood: Vec<Stood>, from: Instant, died: Timestamp) {
        if stood.is_empty() {
            return;
        }
        tokio::time::sleep(from.saturating_duration_since(self.clock.instant())).await;
        let now = self.clock.instant();
        // A node that is back tells it by itself, unless it may have heard that another one does.
        let by_others = |stood: &Stood| {
            let dead = |origin: &String| self.members.is_dead(origin, now);
            stood.promised || stood.origin.as_ref().is_some_and(dead)
        };
        let (mut to_tell, rest): (Vec<_>, Vec<_>) = stood.into_iter().partition(by_others);
        self.let_go(rest).await;
        for batch in to_tell.chunks_mut(BATCH) {
            while let Err(error) = self.tell_once(batch, died).await {
                tracing::warn!(count = batch.len(), %error, "the ends of a dead node's pushes are told later");
                tokio::time::sleep(AGAIN).await;
            }
            tracing::info!(count = batch.len(), "tells the ends of a dead node's pushes");
        }
    }

    async fn tell_once(&self, stood: &mut [Stood], died: Timestamp) -> Result<(), Fault> {
        let pushes = self.as_known(stood, died).await?;
        let ids: Vec<PushId> = stood.iter().map(|stood| stood.push).collect();
        self.journal.inherit(pushes).await.map_err(Fault::of)?;
        // From here on it is on this node's disk, and the others may rely on it.
        stood.iter_mut().for_each(|stood| stood.promised = true);
        let put = stream::iter(stood.iter()).map(Ok);
        put.try_for_each_concurrent(UNDER_WAY, |stood| self.put(stood)).await?;
        if let Some(others) = self.others.clone() {
            let (node, at, ids) = (self.journal.node(), self.clock.now(), ids.clone());
            let told = tokio::task::spawn_blocking(move || others.told(node, &ids, at)).await;
            told.map_err(Fault::of)?.map_err(Fault::of)?;
        }
        let at = self.clock.now();
        lock(&self.ended).extend(ids.into_iter().map(|push| Ended { push, at, inherited: true }));
        Ok(())
    }

    /// Pushes with their records as the database has them by now, which may be by the word of their own node, and with their
    /// beginnings where those may not have been told.
    async fn as_known(&self, stood: &[Stood], died: Timestamp) -> Result<Vec<Inherited>, Fault> {
        let mut records = Vec::new();
        if let Some(others) = self.others.clone() {
            let ids: Vec<_> = stood.iter().map(|stood| stood.push).collect();
            let found = tokio::task::spawn_blocking(move || others.records(&ids)).await;
            records = found.map_err(Fault::of)?.map_err(Fault::of)?;
        }
        let mut known: HashMap<_, _> = records.into_iter().map(|record| (record.id, record)).collect();
        let inherited = |stood: &Stood| Inherited {
            record: known.remove(&stood.push).unwrap_or_else(|| stood.died(died)),
            begin: stood.begin_owed.then(|| stood.row()),
        };
        Ok(stood.iter().map(inherited).collect())
    }

    /// Takes pushes out of the bucket that need nothing more from this node.
    async fn let_go(&self, stood: Vec<Stood>) {
        let pushes: Vec<_> = stood.iter().map(|stood| stood.push).collect();
        if let Err(error) = self.erase(&pushes).await {
            tracing::debug!(%error, "they leave the bucket later");
            let at = self.clock.now();
            lock(&self.ended).extend(pushes.into_iter().map(|push| Ended { push, at, inherited: true }));
        }
    }
}
