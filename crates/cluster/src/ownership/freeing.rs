//! Leases of this node that nobody needs any more: deleted now, or once NATS can be reached.

use std::sync::Arc;
use std::time::Duration;

use model::StreamKey;

use super::Ownership;
use crate::connection::{Found, free};
use crate::lease::{Lease, Standing};
use crate::names;

/// After this long a lease of this node that none of its pushes asked for is deleted: the write was late.
const LATE: Duration = Duration::from_secs(5);

impl Ownership {
    /// Deletes a lease of this node, unless it is another's by now.
    pub(super) async fn free(&self, key: &StreamKey, revision: u64) {
        let name = names::of_key(key);
        let freed = async {
            let found = self.read(key).await?;
            // Another node has it by now.
            if found.revision != revision || found.value.is_none() {
                return Ok(());
            }
            free(&self.buckets().await?.leases, &name, revision).await
        };
        self.to_free().insert(key.clone(), revision);
        match freed.await {
            Ok(()) => {
                self.to_free().retain(|freed, at| freed != key || *at != revision);
            }
            Err(error) => tracing::debug!(%key, revision, %error, "the lease is deleted later"),
        }
    }

    /// Deletes what could not be deleted before, and what nobody knows of.
    pub async fn free_the_rest(self: &Arc<Self>) {
        let to_free = self.to_free().clone();
        for (key, revision) in to_free {
            self.free(&key, revision).await;
        }
        let in_doubt = std::mem::take(&mut *self.in_doubt());
        for key in in_doubt {
            match self.read(&key).await {
                Ok(found) => {
                    self.stray(key.clone(), &found);
                    self.saw(key, found);
                }
                Err(_) => {
                    self.in_doubt().insert(key);
                }
            }
        }
    }

    /// A lease of this node of which no push knows: its write came through after the push had given up.
    pub(super) fn stray(self: &Arc<Self>, key: StreamKey, found: &Found) {
        let lease = found.value.as_deref().and_then(|value| serde_json::from_slice::<Lease>(value).ok());
        let (node, run) = self.members.me();
        let mine = lease.is_some_and(|lease| lease.node == node && lease.run == run);
        if !mine {
            return;
        }
        let (ownership, revision) = (self.clone(), found.revision);
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            let slot = ownership.lock().get(&key).cloned();
            let owns = match slot {
                Some(slot) => slot.lock().await.standing == Standing::Owns(revision),
                None => false,
            };
            if !owns {
                ownership.free(&key, revision).await;
            }
        });
    }
}
