//! The catalog of all nodes, in a bucket: a key for each account, domain, API key, forbidden stream, callback template and
//! rule. A change is written there first, by compare-and-set on the revision that this node knows, and counts only then;
//! changes of others arrive by a watch. Each node keeps what it knows in its data folder, so it starts with that while
//! NATS is away.
//!
//! Who joins brings what it has: what the bucket has never had is added to it; where both have it the bucket's stands, and
//! what was deleted there is deleted here.

mod item;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{Operation, UpdateErrorKind};
use futures_util::StreamExt;
use live::{Change, Live, NotShared};
use tokio::sync::watch;

use self::item::{change_of, name_of, value_of};
use crate::connection::{Connection, Fault, read, within};

/// The pause before the bucket is listened to again.
const AGAIN: Duration = Duration::from_millis(500);

/// The catalog that this node shares with the others.
#[derive(Debug)]
pub struct SharedCatalog {
    connection: Arc<Connection>,
    known: Mutex<HashMap<String, Known>>,
    joined: watch::Sender<bool>,
}

/// The newest state of a key that counts on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    revision: u64,
    /// `None` where it is deleted.
    value: Option<Vec<u8>>,
}

impl SharedCatalog {
    /// A catalog that has not been looked at yet.
    pub(crate) fn new(connection: Arc<Connection>) -> Arc<Self> {
        Arc::new(Self { connection, known: Mutex::default(), joined: watch::Sender::new(false) })
    }

    /// Waits until this node has all that the others have, and they have what it brought.
    pub async fn joined(&self) {
        // The sender is this value's own.
        let _ = self.joined.subscribe().wait_for(|joined| *joined).await;
    }

    /// The newest revision that counts on this node; 0 before the first.
    fn newest(&self) -> u64 {
        self.lock().values().map(|known| known.revision).max().unwrap_or(0)
    }

    /// Takes over what others change, for ever.
    pub(crate) async fn listen(self: Arc<Self>, live: Live) {
        loop {
            if let Err(error) = self.listen_once(&live).await {
                tracing::warn!(%error, "changes of the catalog are not heard; listening again");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn listen_once(&self, live: &Live) -> Result<(), Fault> {
        let bucket = &self.connection.buckets().await?.catalog;
        let last = within(bucket.stream.get_info()).await?.map_err(Fault::of)?.state.last_sequence;
        if last < self.newest() {
            tracing::warn!("the bucket of the catalog is another one: what this node has is brought to it");
            self.lock().clear();
        }
        let mut changes = within(bucket.watch_with_history(">")).await?.map_err(Fault::of)?;
        let mut behind = last > 0;
        // At a start nearly all of it is here already, and need not be written again.
        let here: HashMap<String, Vec<u8>> = live::all_of(&live.catalog())
            .filter_map(|put| Some((name_of(&put), value_of(&put).ok()??)))
            .collect();
        if !behind {
            self.bring(live).await?;
        }
        while let Some(entry) = changes.next().await {
            let entry = entry.map_err(Fault::of)?;
            let value = (entry.operation == Operation::Put).then(|| entry.value.to_vec());
            let stands = behind && here.get(&entry.key) == value.as_ref();
            let new = Known { revision: entry.revision, value };
            if stands && self.known(&entry.key).is_none() {
                self.learn(entry.key.clone(), new);
            } else {
                self.take(live, &entry.key, new).await;
            }
            // The watch has no word for it where nothing stands that it could give.
            if behind && (entry.seen_current || entry.revision >= last) {
                behind = false;
                self.bring(live).await?;
            }
        }
        Ok(())
    }

    /// Adds what the bucket has never had.
    async fn bring(&self, live: &Live) -> Result<(), Fault> {
        for put in live::all_of(&live.catalog()) {
            let name = name_of(&put);
            if self.lock().contains_key(&name) {
                continue;
            }
            match self.write(&put).await {
                // Another node that joins was faster: its own arrives by the watch.
                Ok(()) | Err(NotShared::Conflict) => {}
                Err(NotShared::Away(why)) => return Err(Fault::Failed(why)),
            }
        }
        if !self.joined.send_replace(true) {
            tracing::info!(revision = self.newest(), "the catalog is that of all nodes");
        }
        Ok(())
    }

    async fn take(&self, live: &Live, name: &str, new: Known) {
        let is_new = || self.known(name).is_none_or(|known| known.revision < new.revision);
        if !is_new() {
            return;
        }
        let change = match change_of(name, new.value.as_deref()) {
            Ok(change) => change,
            Err(error) => {
                tracing::error!(name, %error, "a change of the catalog is left out");
                return;
            }
        };
        loop {
            match live.adopt(change.clone(), is_new).await {
                Ok(adopted) => {
                    if adopted {
                        tracing::info!(name, revision = new.revision, "another node changed the catalog");
                        self.learn(name.to_owned(), new);
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "a change of the catalog cannot be stored; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Writes a change by compare-and-set.
    async fn write(&self, change: &Change) -> Result<(), NotShared> {
        let away = |error: &dyn std::fmt::Display| NotShared::Away(error.to_string());
        let name = name_of(change);
        let value = value_of(change).map_err(|e| away(&e))?;
        let known = self.known(&name);
        if known.as_ref().map_or(value.is_none(), |known| known.value == value) {
            return Ok(());
        }
        let expect = known.map_or(0, |known| known.revision);
        let bucket = &self.connection.buckets().await.map_err(|e| away(&e))?.catalog;
        let revision = match &value {
            Some(value) => {
                let written = within(bucket.update(&name, value.clone().into(), expect)).await;
                match written.map_err(|e| away(&e))? {
                    Ok(revision) => revision,
                    Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                        return Err(NotShared::Conflict);
                    }
                    Err(error) => return Err(away(&error)),
                }
            }
            None => {
                let deleted = within(bucket.delete_expect_revision(&name, Some(expect))).await;
                match deleted.map_err(|e| away(&e))? {
                    Ok(()) => {}
                    Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                        return Err(NotShared::Conflict);
                    }
                    Err(error) => return Err(away(&error)),
                }
                // A deletion gives no revision.
                let found = read(bucket, &name).await.map_err(|e| away(&e))?;
                if found.value.is_some() {
                    return Ok(());
                }
                found.revision
            }
        };
        self.learn(name, Known { revision, value });
        Ok(())
    }

    fn known(&self, name: &str) -> Option<Known> {
        self.lock().get(name).cloned()
    }

    fn learn(&self, name: String, new: Known) {
        let mut known = self.lock();
        if known.get(&name).is_none_or(|old| old.revision < new.revision) {
            known.insert(name, new);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl live::SharedCatalog for SharedCatalog {
    fn publish<'a>(
        &'a self,
        change: &'a Change,
    ) -> Pin<Box<dyn Future<Output = Result<(), NotShared>> + Send + 'a>> {
        Box::pin(async move {
            if !*self.joined.borrow() {
                return Err(NotShared::Away(
                    "this node has not heard the catalog of the others yet".to_owned(),
                ));
            }
            self.write(change).await
        })
    }

    fn revision(&self) -> Option<u64> {
        self.joined.borrow().then(|| self.newest())
    }
}
