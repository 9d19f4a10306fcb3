//! What the nodes of a cluster alone know, and show each other when they fetch streams. It stands in a bucket, made by the
//! first node that comes.

use std::sync::{Arc, PoisonError, RwLock};

use async_nats::jetstream::kv::UpdateErrorKind;
use live::pull::Secret;

use crate::connection::{Connection, Fault, read, within};

/// Its key in the bucket.
const NAME: &str = "pull";
/// So often another node may be faster in making it.
const TRIES: usize = 3;

/// The secret as this node knows it.
#[derive(Debug)]
pub(crate) struct SharedSecret {
    connection: Arc<Connection>,
    known: RwLock<Option<Secret>>,
}

impl SharedSecret {
    /// Not known yet.
    pub fn new(connection: Arc<Connection>) -> Self {
        Self { connection, known: RwLock::default() }
    }

    /// The secret, once it was read.
    pub fn get(&self) -> Option<Secret> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it, or makes it where there is none.
    pub async fn load(&self) -> Result<(), Fault> {
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
