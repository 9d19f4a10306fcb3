//! The connection to NATS and the buckets on it. It is there for as long as the program runs: while NATS is away it tries
//! again, and what is asked meanwhile fails after a limit.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::push::OrderedConfig;
use async_nats::jetstream::kv::{self, EntryErrorKind, UpdateErrorKind};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::config::{ClusterConfig, Login};
use crate::lease::Written;
use crate::names::Names;
use crate::tls::tls;
use crate::trouble::Trouble;

/// How long one question to NATS may take.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// How often the server is asked for a sign of life; two without one end the connection.
const PING: Duration = Duration::from_secs(2);
/// The longest pause between two tries to connect.
const RECONNECT: Duration = Duration::from_secs(1);
/// How many values of each thing of the catalog are kept.
const VERSIONS: i64 = 16;
/// How long it can be seen that a lease was deleted.
const FORGET: Duration = Duration::from_secs(3_600);
/// The largest value of a bucket: a heartbeat with many domains. Leases are far smaller.
const MAX_VALUE: i32 = 512 << 10;

/// Why the cluster cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credentials cannot be read.
    #[error("cannot use the NATS credentials in {path}: {source}")]
    Credentials {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {path} for TLS to NATS: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The connection cannot even be begun.
    #[error("cannot connect to NATS: {0}")]
    Failed(String),
}

/// NATS did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// No answer in time.
    #[error("NATS did not answer in time")]
    Slow,
    /// It answered with an error.
    #[error("{0}")]
    Failed(String),
}

impl Fault {
    pub(crate) fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub client: Client,
    pub names: Names,
    context: Context,
    replicas: usize,
    buckets: OnceCell<Buckets>,
}

/// The buckets of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    pub nodes: kv::Store,
    pub leases: kv::Store,
    pub pushes: kv::Store,
    pub catalog: kv::Store,
    pub secrets: kv::Store,
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The newest revision; 0 where there has never been one.
    pub revision: u64,
    /// Its value; `None` where it is deleted.
    pub value: Option<bytes::Bytes>,
}

impl Connection {
    /// Begins to connect; does not wait for it.
    pub async fn open(config: &ClusterConfig) -> Result<Self, ConnectError> {
        let trouble = Arc::new(Trouble::default());
        let heard = trouble.clone();
        let mut options = ConnectOptions::new()
            .name(format!("lastframe {}", config.label))
            .retry_on_initial_connect()
            .request_timeout(Some(ANSWER))
            .connection_timeout(ANSWER)
            .ping_interval(PING)
            .reconnect_delay_callback(|tries| {
                RECONNECT
                    .min(Duration::from_millis(50).saturating_mul(u32::try_from(tries).unwrap_or(u32::MAX)))
            })
            .event_callback(move |event| {
                heard.heard(&event);
                std::future::ready(())
            })
            .require_tls(config.servers.tls)
            .tls_client_config(tls(config, trouble)?);
        match &config.servers.login {
            None => {}
            Some(Login::User(user, password)) => {
                options = options.user_and_password(user.clone(), password.clone());
            }
            Some(Login::Token(token)) => options = options.token(token.clone()),
        }
        if let Some(path) = &config.credentials {
            let failed = |source| ConnectError::Credentials { path: path.clone(), source };
            options = options.credentials_file(path).await.map_err(failed)?;
        }
        let client = options
            .connect(&config.servers.addresses[..])
            .await
            .map_err(|error| ConnectError::Failed(error.to_string()))?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER);
        let names = Names::new(&config.name);
        Ok(Self { client, names, context, replicas: config.replicas, buckets: OnceCell::new() })
    }

    /// The buckets, made if they are not there yet.
    pub async fn buckets(&self) -> Result<&Buckets, Fault> {
        let open = self.buckets.get_or_try_init(|| async {
            Ok(Buckets {
                nodes: self.bucket(self.names.nodes(), "Lastframe: one key a node, its heartbeat").await?,
                leases: self.leases().await?,
                catalog: self.catalog().await?,
                secrets: self.bucket(self.names.secrets(), "Lastframe: what the nodes alone know").await?,
                pushes: self
                    .bucket(self.names.pushes(), "Lastframe: one key a live push, under its node")
                    .await?,
            })
        });
        within(open).await?
    }

    /// What is left of a deleted lease goes by itself: stream names come once only on many a platform.
    async fn leases(&self) -> Result<kv::Store, Fault> {
        let wanted = self.config(self.names.leases(), "Lastframe: who carries which stream key");
        self.open_or_make(kv::Config { limit_markers: Some(FORGET), ..wanted }).await
    }

    /// Earlier values are kept, so that a person can see what stood there before.
    async fn catalog(&self) -> Result<kv::Store, Fault> {
        let wanted = self.config(self.names.catalog(), "Lastframe: accounts, domains, keys, rules");
        self.open_or_make(kv::Config { history: VERSIONS, ..wanted }).await
    }

    async fn bucket(&self, bucket: String, description: &str) -> Result<kv::Store, Fault> {
        self.open_or_make(self.config(bucket, description)).await
    }

    fn config(&self, bucket: String, description: &str) -> kv::Config {
        kv::Config {
            bucket,
            description: description.to_owned(),
            history: 1,
            max_value_size: MAX_VALUE,
            num_replicas: self.replicas,
            ..kv::Config::default()
        }
    }

    async fn open_or_make(&self, wanted: kv::Config) -> Result<kv::Store, Fault> {
        let bucket = wanted.bucket.clone();
        if let Ok(there) = self.context.get_key_value(&bucket).await {
            return Ok(there);
        }
        match self.context.create_key_value(wanted).await {
            Ok(made) => Ok(made),
            // Another node was faster.
            Err(error) => self.context.get_key_value(&bucket).await.map_err(|_| Fault::of(error)),
        }
    }
}

/// Deletes a lease if the newest revision is still `expect`.
pub(crate) async fn free(bucket: &kv::Store, key: &str, expect: u64) -> Result<(), Fault> {
    let freed = within(bucket.purge_expect_revision_with_ttl(key, expect, FORGET)).await?;
    freed.map_err(Fault::of)
}

/// Takes a key away without a trace.
pub(crate) async fn erase(bucket: &kv::Store, key: &str) -> Result<(), Fault> {
    let subject = format!("{}{key}", bucket.prefix);
    let erased = within(async { bucket.stream.purge().filter(subject).await }).await?;
    erased.map(drop).map_err(Fault::of)
}

/// The values of all keys that a filter such as `node.>` means, each with its revision.
pub(crate) async fn list(
    client: &Client,
    bucket: &kv::Store,
    filter: &str,
) -> Result<Vec<(u64, bytes::Bytes)>, Fault> {
    let wanted = OrderedConfig {
        deliver_subject: client.new_inbox(),
        filter_subject: format!("{}{filter}", bucket.prefix),
        ..OrderedConfig::default()
    };
    let consumer = within(bucket.stream.create_consumer(wanted)).await?.map_err(Fault::of)?;
    let mut left = consumer.cached_info().num_pending;
    let mut messages = within(consumer.messages()).await?.map_err(Fault::of)?;
    let mut values = Vec::new();
    while left > 0 {
        let Some(message) = within(messages.next()).await? else { break };
        let message = message.map_err(Fault::of)?;
        let info = message.info().map_err(Fault::of)?;
        left = info.pending;
        let revision = info.stream_sequence;
        if message.headers.as_ref().and_then(|headers| headers.get("KV-Operation")).is_none() {
            values.push((revision, message.message.payload));
        }
    }
    Ok(values)
}

/// Waits for an answer, at most [`ANSWER`].
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(ANSWER, work).await.map_err(|_| Fault::Slow)
}

/// Reads the newest revision of a key, a deleted one too.
pub(crate) async fn read(bucket: &kv::Store, key: &str) -> Result<Found, Fault> {
    match within(bucket.entry(key)).await? {
        Ok(None) => Ok(Found { revision: 0, value: None }),
        Ok(Some(entry)) => {
            let there = entry.operation == kv::Operation::Put;
            Ok(Found { revision: entry.revision, value: there.then_some(entry.value) })
        }
        Err(error) if error.kind() == EntryErrorKind::TimedOut => Err(Fault::Slow),
        Err(error) => Err(Fault::of(error)),
    }
}

/// Writes a lease, or whatever else stands under the key, if the newest revision is still `expect`.
pub(crate) async fn write(
    bucket: &kv::Store,
    key: &str,
    expect: u64,
    value: &impl Serialize,
) -> Result<Written, Fault> {
    let value = serde_json::to_vec(value).map_err(Fault::of)?;
    match within(bucket.update(key, value.into(), expect)).await? {
        Ok(revision) => Ok(Written::As(revision)),
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(Written::TooLate),
        Err(error) if error.kind() == UpdateErrorKind::TimedOut => Err(Fault::Slow),
        Err(error) => Err(Fault::of(error)),
    }
}
