//! The pushes of each node as the others know them, so that a dead node's pushes have their ends on record and told: see
//! [`burial`].
//!
//! A push stands in the bucket from before it is live until its record is in the database of all nodes and its end is told
//! to whom it concerns, without an expiry: whatever happens to its node, somebody can tell that it was there.

mod burial;
mod stood;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use live::Live;
use model::catalog::CallbackKind;
use model::{Clock, PushId, StreamKey, Timestamp};
use store::{Journal, OpenRow, OtherNodes, Outbox, Store};

use self::stood::Stood;
use crate::config::ClusterConfig;
use crate::connection::{Connection, Fault, erase, list, within};
use crate::heartbeat::Members;

/// What an end has to be older than what waits for the database, so that it is there for certain.
const MARGIN: Duration = Duration::from_secs(2);
/// Keys deleted with one look.
const AT_ONCE: usize = 2_000;
/// Questions to NATS under way at once.
const UNDER_WAY: usize = 32;

/// This node's pushes in the bucket, and those of the dead.
pub(crate) struct Estate {
    connection: Arc<Connection>,
    members: Arc<Members>,
    clock: Arc<dyn Clock>,
    live: Live,
    label: String,
    /// How long a node that is found dead may still be serving what it had: as one that is cut off does.
    grace: Duration,
    journal: Journal,
    outbox: Outbox,
    /// The database of all nodes, where there is one.
    others: Option<OtherNodes>,
    /// Pushes that live or wait here.
    open: Mutex<HashMap<PushId, Stood>>,
    /// What has ended, oldest first, and waits until its record is in the database.
    ended: Mutex<VecDeque<Ended>>,
    /// What waits until its end is told, after that.
    untold: Mutex<VecDeque<PushId>>,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    push: PushId,
    at: Timestamp,
    /// It was another node's: its end is told by this one.
    inherited: bool,
}

impl Estate {
    pub fn new(
        connection: Arc<Connection>,
        members: Arc<Members>,
        clock: Arc<dyn Clock>,
        config: &ClusterConfig,
        live: Live,
        store: &Store,
    ) -> Self {
        Self {
            connection,
            members,
            clock,
            live,
            label: config.label.clone(),
            grace: config.grace,
            journal: store.journal(),
            outbox: store.outbox(),
            others: store.other_nodes(),
            open: Mutex::default(),
            ended: Mutex::default(),
            untold: Mutex::default(),
        }
    }

    /// Notes a push that is about to be live.
    pub async fn enter(&self, row: &OpenRow) -> Result<(), Fault> {
        let (_, run) = self.members.me();
        // It is in the outbox by now; whether it is told already is looked at later.
        let begin_owed = self.is_told(CallbackKind::Begin, &row.key);
        let stood = Stood::new(row, run, &self.label, begin_owed);
        lock(&self.open).insert(row.id, stood.clone());
        self.put(&stood).await
    }

    /// Notes all pushes of this node again, since others may have taken it for dead.
    pub async fn enter_again(&self) {
        let open: Vec<_> = lock(&self.open).values().cloned().collect();
        let put = stream::iter(&open).map(Ok).try_for_each_concurrent(UNDER_WAY, |stood| self.put(stood));
        if let Err(error) = put.await {
            tracing::warn!(%error, "other nodes may not know of all pushes of this one");
        }
    }

    /// A push has ended here.
    pub fn leave(&self, push: PushId) {
        lock(&self.open).remove(&push);
        let ended = Ended { push, at: self.clock.now(), inherited: false };
        lock(&self.ended).push_back(ended);
    }

    /// Whether anybody wants to hear of such events of a stream.
    fn is_told(&self, kind: CallbackKind, key: &StreamKey) -> bool {
        let catalog = self.live.catalog();
        let rule = catalog.callback_rule(&key.domain, &key.app);
        let template = rule.and_then(|rule| catalog.callback_templates.get(&rule.template));
        template.is_some_and(|template| template.urls.of(kind).is_some())
    }

    /// Notes which beginnings have been told, so that an heir does not tell them once more.
    async fn note_begun(&self) -> Result<(), Fault> {
        let owed: Vec<_> = lock(&self.open).values().filter(|s| s.begin_owed).map(|s| s.push).collect();
        if owed.is_empty() {
            return Ok(());
        }
        let (outbox, asked) = (self.outbox.clone(), owed.clone());
        let waiting = tokio::task::spawn_blocking(move || outbox.unbegun(&asked)).await;
        let waiting: HashSet<_> = waiting.map_err(Fault::of)?.map_err(Fault::of)?.into_iter().collect();
        let mut begun = Vec::new();
        for push in owed.iter().filter(|push| !waiting.contains(push)) {
            if let Some(stood) = lock(&self.open).get(push) {
                begun.push(Stood { begin_owed: false, ..stood.clone() });
            }
        }
        let noted = stream::iter(begun).map(Ok).try_for_each_concurrent(UNDER_WAY, |stood| async move {
            self.put(&stood).await?;
            if let Some(open) = lock(&self.open).get_mut(&stood.push) {
                open.begin_owed = false;
            }
            Ok(())
        });
        noted.await
    }

    /// Takes those out of the bucket whose records are where they belong, and whose ends are told.
    pub async fn tidy(&self) {
        // Before anything is taken out, so that nothing is put there again after that.
        if let Err(error) = self.note_begun().await {
            tracing::debug!(%error, "whose beginnings are told is noted later");
        }
        let (mut gone, to_tell) = self.next(self.settled());
        match self.untold(to_tell.clone()).await {
            Ok(untold) => {
                gone.extend(to_tell.iter().filter(|push| !untold.contains(push)));
                lock(&self.untold).extend(untold);
            }
            Err(error) => {
                tracing::debug!(%error, "whether ends are told cannot be read");
                lock(&self.untold).extend(to_tell);
            }
        }
        if let Err(error) = self.erase(&gone).await {
            tracing::debug!(%error, "some pushes stay in the bucket for now");
            // What is erased twice is gone all the same.
            lock(&self.untold).extend(gone);
        }
    }

    /// The next pushes whose records are where they belong: those that can go, and those that are gone once they are told.
    fn next(&self, settled: Timestamp) -> (Vec<PushId>, Vec<PushId>) {
        let (mut gone, mut to_tell) = (Vec::new(), Vec::new());
        let mut untold = lock(&self.untold);
        let again = untold.len().min(AT_ONCE);
        to_tell.extend(untold.drain(..again));
        drop(untold);
        let mut ended = lock(&self.ended);
        for _ in 0..AT_ONCE {
            let Some(next) = ended.pop_front_if(|next| next.at < settled) else { break };
            // Without a database nobody could tell how it ended: that is left to this node.
            let by_others = self.others.is_some() || next.inherited;
            (if by_others { &mut to_tell } else { &mut gone }).push(next.push);
        }
        (gone, to_tell)
    }

    /// Which of these are still to be told of.
    async fn untold(&self, pushes: Vec<PushId>) -> Result<Vec<PushId>, Fault> {
        if pushes.is_empty() {
            return Ok(Vec::new());
        }
        let outbox = self.outbox.clone();
        let untold = tokio::task::spawn_blocking(move || outbox.untold(&pushes)).await;
        untold.map_err(Fault::of)?.map_err(Fault::of)
    }

    async fn erase(&self, pushes: &[PushId]) -> Result<(), Fault> {
        if pushes.is_empty() {
            return Ok(());
        }
        let (me, _) = self.members.me();
        let bucket = &self.connection.buckets().await?.pushes;
        let names: Vec<_> = pushes.iter().map(|push| name(me, *push)).collect();
        let erased = stream::iter(&names).map(Ok);
        erased.try_for_each_concurrent(UNDER_WAY, |name| erase(bucket, name)).await
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

    /// Finds what an earlier run of this node has left in the bucket: the journal has given its own pushes their ends, and
    /// with those of others it goes on.
    pub async fn look_back(self: &Arc<Self>) -> Result<(), Fault> {
        let (me, run) = self.members.me();
        let mut left: Vec<_> = self.of(me).await?.into_iter().map(|(_, stood)| stood).collect();
        left.retain(|stood| stood.run != run);
        let (inherited, own): (Vec<_>, Vec<_>) = left.into_iter().partition(|stood| stood.origin.is_some());
        let at = self.clock.now();
        let ended = own.iter().map(|stood| Ended { push: stood.push, at, inherited: false });
        lock(&self.ended).extend(ended);
        if !inherited.is_empty() {
            tokio::spawn(self.clone().bury_on(inherited));
        }
        Ok(())
    }

    /// Puts a push under this node's key.
    async fn put(&self, stood: &Stood) -> Result<(), Fault> {
        let (me, _) = self.members.me();
        let value = serde_json::to_vec(stood).map_err(Fault::of)?;
        let pushes = &self.connection.buckets().await?.pushes;
        let put = within(pushes.put(name(me, stood.push), value.into())).await?;
        put.map(drop).map_err(Fault::of)
    }

    /// The pushes of a node that stand in the bucket, with their revisions.
    async fn of(&self, node: &str) -> Result<Vec<(u64, Stood)>, Fault> {
        let pushes = &self.connection.buckets().await?.pushes;
        let values = list(&self.connection.client, pushes, &format!("{node}.>")).await?;
        let read = |(revision, value): &(u64, bytes::Bytes)| match serde_json::from_slice::<Stood>(value) {
            Ok(stood) => Some((*revision, stood)),
            Err(error) => {
                tracing::warn!(node, %error, "a push that cannot be read");
                None
            }
        };
        Ok(values.iter().filter_map(read).collect())
    }
}

fn name(node: &str, push: PushId) -> String {
    format!("{node}.{push}")
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
