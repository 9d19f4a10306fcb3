//! The connections, and calls that have a limit. A thread of its own drives them, so that calls can be made from
//! anywhere, a thread of an async runtime included, and whoever calls goes on when the limit has passed.

use std::future::Future;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use model::{Clock, SystemClock};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::migrate;
use super::place::Place;
use crate::remote::RemoteFault;

/// Connections kept for the next call.
const IDLE: usize = 4;
/// After a failure, queries go on without the database for so long.
const AWAY: Duration = Duration::from_secs(5);
/// What every connection begins with. The limits on statements hold on the server too, which otherwise goes on working
/// for a caller that has gone. Just-in-time compiling costs more than these queries.
const BEGIN: &str = "set search_path = lastframe, public; set jit = off; set lock_timeout = '5s'; \
    set client_min_messages = warning; set timezone = 'UTC'";

impl From<tokio_postgres::Error> for RemoteFault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            // The chain has what matters: the operation, and what the system said of it.
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            return Self::Away(format!("{error}{}", source.unwrap_or_default()));
        };
        let text = format!("{} ({})", said.message(), said.code().code());
        if *said.code() == SqlState::QUERY_CANCELED {
            return Self::Slow;
        }
        match said.code().code().get(..2) {
            Some("08" | "57" | "53") => Self::Away(text),
            Some("28" | "3D" | "42") if *said.code() != SqlState::UNDEFINED_TABLE => Self::Refused(text),
            Some("22" | "23" | "54") => Self::Data(text),
            _ => Self::Failed(text),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    driver: Handle,
    idle: Mutex<Vec<Client>>,
    away_until: Mutex<Option<Instant>>,
    /// Gone, it ends the driver.
    _stop: oneshot::Sender<()>,
}

impl Database {
    /// Starts the thread that drives the connections. Reaches out to nobody yet.
    pub fn new(place: Place) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let driver = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
        })?;
        let inner =
            Inner { place, driver, idle: Mutex::default(), away_until: Mutex::default(), _stop: stop };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Does work on a connection to a database that is prepared, within the limit.
    pub fn ask<T, W, F>(&self, limit: Duration, work: W) -> Result<T, RemoteFault>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, RemoteFault>> + Send + 'static,
    {
        let this = self.clone();
        let kept = self.idle().pop().filter(|client| !client.is_closed());
        self.within(limit, async move {
            let client = match kept {
                Some(client) => client,
                None => {
                    let client = this.connect().await?;
                    migrate::require_newest(&client).await?;
                    client
                }
            };
            let limit = limit.as_millis();
            client.batch_execute(&format!("set statement_timeout = {limit}")).await?;
            let client = Arc::new(client);
            let answer = work(Arc::clone(&client)).await?;
            // After an error the connection may be anywhere in a transaction: it is let go.
            if let Ok(client) = Arc::try_unwrap(client) {
                let mut idle = this.idle();
                if idle.len() < IDLE {
                    idle.push(client);
                }
            }
            Ok(answer)
        })
    }

    /// The same for those who read: while the database is known to be away they hear so at once.
    pub fn read<T, W, F>(&self, limit: Duration, work: W) -> Result<T, RemoteFault>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, RemoteFault>> + Send + 'static,
    {
        let away_until = || self.inner.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        if away_until().is_some_and(|until| SystemClock.instant() < until) {
            return Err(RemoteFault::Away("it did not answer a moment ago".to_owned()));
        }
        let answer = self.ask(limit, work);
        if let Err(RemoteFault::Away(_) | RemoteFault::Slow | RemoteFault::Refused(_)) = &answer {
            *away_until() = Some(SystemClock.instant() + AWAY);
        }
        answer
    }

    /// Brings the schema up to date; several nodes may do so at once.
    pub fn migrate(&self, limit: Duration) -> Result<(), RemoteFault> {
        let this = self.clone();
        self.within(limit, async move {
            let mut client = this.connect().await?;
            migrate::migrate(&mut client).await
        })
    }

    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, RemoteFault>> + Send + 'static,
    ) -> Result<T, RemoteFault> {
        let (answer, answered) = mpsc::sync_channel(1);
        let task = self.inner.driver.spawn(async move {
            let _ = answer.send(work.await);
        });
        match answered.recv_timeout(limit) {
            Ok(outcome) => outcome,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                task.abort();
                Err(RemoteFault::Slow)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(RemoteFault::Failed("the connection's driver has ended".to_owned()))
            }
        }
    }

    async fn connect(&self) -> Result<Client, RemoteFault> {
        let place = &self.inner.place;
        let (client, connection) = place.config.connect(place.tls.clone()).await?;
        self.inner.driver.spawn(async move {
            // Whoever uses it hears of its end too.
            let _ = connection.await;
        });
        client.batch_execute(BEGIN).await?;
        Ok(client)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
