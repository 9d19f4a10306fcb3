//! What the nodes of a cluster alone know, and show each other when they fetch streams. It stands in a bucket, made by the
//! first node that comes.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_nats::jetstream::kv::UpdateErrorKind;
use live::pull::Secret;
use tokio::sync::Notify;

use crate::connection::{Connection, Fault, read, within};

/// Its key in the bucket.
const NAME: &str = "pull";
/// The pause before it is read again where that failed.
const AGAIN: Duration = Duration::from_secs(5);
/// So often another node may be faster in making it.
const TRIES: usize = 3;

/// The secret as this node knows it.
#[derive(Debug)]
pub(crate) struct SharedSecret {
    connection: Arc<Connection>,
    known: RwLock<Option<Secret>>,
    wanted: Notify,
}

impl SharedSecret {
    /// Not known yet.
    pub fn new(connection: Arc<Connection>) -> Arc<Self> {
        Arc::new(Self { connection, known: RwLock::default(), wanted: Notify::new() })
    }

    /// It may be another one: NATS is reached again.
    pub fn read_again(&self) {
        self.wanted.notify_one();
    }

    /// Reads it whenever that is wanted, for ever.
    pub async fn keep(self: Arc<Self>) {
        loop {
            self.wanted.notified().await;
            while let Err(error) = self.load().await {
                tracing::warn!(%error, "the secret of the nodes is not read; streams of other nodes need it");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// The secret, once it was read.
    pub fn get(&self) -> Option<Secret> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it, or makes it where there is none.
    async fn load(&self) -> Result<(), Fault> {
        let bucket = &self.connection.buckets().await?.secrets;
        for _ in 0..TRIES {
            let found = read(bucket, NAME).await?;
            let text = found.value.as_deref().map(String::from_utf8_lossy);
            if let Some(secret) = text.and_then(|text| Secret::from_text(&text)) {
                self.learn(secret);
                return Ok(());
            }
            let made = Secret::make().ok_or_else(|| Fault::Failed("no random numbers".to_owned()))?;
            match within(bucket.update(NAME, made.to_text().into(), found.revision)).await? {
                Ok(_) => {
                    self.learn(made);
                    return Ok(());
                }
                // Another node was faster.
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(Fault::of(error)),
            }
        }
        Err(Fault::Failed("others change it again and again".to_owned()))
    }

    fn learn(&self, secret: Secret) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }
}
