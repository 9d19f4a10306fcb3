//! The database of all nodes as the rest of the store sees it: where it is, and how far the shipper has got.
//!
//! The database itself is PostgreSQL, behind the cargo feature `postgres` ([`crate::postgres`] has it); a build without
//! it knows these types, and that it cannot use them.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{PushId, Record, Timestamp};
use uuid::Uuid;

use crate::error::StoreError;
#[cfg(doc)]
use crate::row::OpenRow;

/// Where the database of all nodes is. Holds a password: what is printed of it does not.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    #[cfg(feature = "postgres")]
    pub(crate) place: crate::postgres::Place,
    #[cfg(not(feature = "postgres"))]
    never: std::convert::Infallible,
}

/// A `[store] url` that cannot be used. Never repeats the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// This build has no PostgreSQL in it.
    #[error(
        "this build keeps records in the data folder only: build it with `--features postgres` for PostgreSQL"
    )]
    NotBuilt,
    /// It does not begin with `postgres://` or `postgresql://`.
    #[error("write postgres://user:password@host:5432/database")]
    Scheme,
    /// It cannot be read as a URL of PostgreSQL.
    #[error("it cannot be read as postgres://user:password@host:5432/database: {0}")]
    Malformed(String),
    /// The file of certificate authorities cannot be used.
    #[error("sslrootcert: {0}")]
    Roots(String),
}

/// Why the database of all nodes could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteFault {
    /// It cannot be reached, or the connection broke.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// It did not answer in time.
    #[error("the database did not answer in time")]
    Slow,
    /// It does not let us in.
    #[error("the database refuses: {0}")]
    Refused(String),
    /// Its schema was made by a newer version of the program.
    #[error("the schema of the database is of a newer version ({found}, this program knows {known})")]
    Newer {
        /// The version it has.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// No node has prepared it yet, or an older version has.
    #[error(
        "the schema of the database is of version {found}, this program needs {known}: start a server on it once"
    )]
    Older {
        /// The version it has; 0 when it has none.
        found: i32,
        /// The version this program needs.
        known: i32,
    },
    /// It does not take a row, and would not the next time.
    #[error("the database does not take the data: {0}")]
    Data(String),
    /// Anything else that it said.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl Remote {
    /// Reads `postgres://user:password@host:port/database?sslmode=...&sslrootcert=FILE`.
    ///
    /// # Errors
    /// [`RemoteError`]: what is wrong with it, or that this build cannot use any.
    pub fn parse(url: &str) -> Result<Self, RemoteError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(RemoteError::Scheme);
        }
        #[cfg(feature = "postgres")]
        return Ok(Self { place: crate::postgres::Place::parse(url)? });
        #[cfg(not(feature = "postgres"))]
        Err(RemoteError::NotBuilt)
    }
}

impl Remote {
    /// The database; reaches out to nobody yet.
    pub(crate) fn database(&self) -> Result<Database, StoreError> {
        #[cfg(feature = "postgres")]
        return Database::new(self.place.clone()).map_err(StoreError::Thread);
        #[cfg(not(feature = "postgres"))]
        match self.never {}
    }
}

impl fmt::Display for Remote {
    #[cfg(feature = "postgres")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }

    #[cfg(not(feature = "postgres"))]
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never {}
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({self})")
    }
}

/// The database of all nodes as the place for what this node has to say of others.
#[derive(Clone)]
pub struct OtherNodes(Database);

impl OtherNodes {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Puts the records of pushes whose nodes were found dead, as [`OpenRow::node_died`] makes them. What those nodes
    /// themselves say outranks it, whether they have said so already or come back to say it. Blocks.
    ///
    /// # Errors
    /// [`RemoteFault`] when the database does not take them: none of them is there then.
    pub fn died(&self, records: Vec<Record>) -> Result<(), RemoteFault> {
        self.0.put_for_others(records)
    }

    /// The records of pushes, as far as they are there: by those who know best. Blocks.
    ///
    /// # Errors
    /// [`RemoteFault`].
    pub fn records(&self, ids: &[PushId]) -> Result<Vec<Record>, RemoteFault> {
        Ok(self.0.records(ids)?.into_iter().map(|stored| stored.record).collect())
    }

    /// Notes that `node` tells the ends of these pushes, so that the one whose pushes they are does not tell them again
    /// when it is back. Blocks.
    ///
    /// # Errors
    /// [`RemoteFault`] when that is not noted.
    pub fn told(&self, node: Uuid, ids: &[PushId], at: Timestamp) -> Result<(), RemoteFault> {
        self.0.put_told(node, ids, at)
    }
}

#[cfg(feature = "postgres")]
pub(crate) use crate::postgres::Database;
#[cfg(not(feature = "postgres"))]
pub(crate) use nowhere::Database;

/// In place of the database in a build that has none: there is no value of it.
#[cfg(not(feature = "postgres"))]
mod nowhere {
    use model::{FetchRecord, PushId, Record, Timestamp};
    use uuid::Uuid;

    use super::RemoteFault;
    use crate::columns::Stored;
    use crate::history::{EventQuery, EventRow, FetchQuery, StreamEvents};
    use crate::reader::filter::Filter;
    use crate::reader::query::Cursor;
    use crate::reader::source::First;
    use crate::reader::summary::{Counted, SummaryQuery};
    use crate::reader::{Found, WithEvidence};

    #[derive(Clone, Debug)]
    pub(crate) enum Database {}

    type Keys = (Vec<(Cursor, PushId)>, Vec<PushId>);
    type Answer<T> = Result<T, RemoteFault>;

    impl Database {
        pub fn find(&self, _: &Filter, _: Cursor, _: Cursor, _: usize) -> Answer<Found> {
            match *self {}
        }

        pub fn keys(
            &self,
            _: &Filter,
            _: First,
            _: Cursor,
            _: Cursor,
            _: usize,
            _: &[PushId],
        ) -> Answer<Keys> {
            match *self {}
        }

        pub fn records(&self, _: &[PushId]) -> Answer<Vec<Stored>> {
            match *self {}
        }

        pub fn get(&self, _: PushId) -> Answer<Option<WithEvidence>> {
            match *self {}
        }

        pub fn count_since(&self, _: Timestamp, _: &[PushId]) -> Answer<(u64, Vec<PushId>)> {
            match *self {}
        }

        pub fn summary(&self, _: SummaryQuery, _: &[PushId]) -> Answer<(Counted, Vec<PushId>)> {
            match *self {}
        }

        pub fn put_for_others(&self, _: Vec<Record>) -> Answer<()> {
            match *self {}
        }

        pub fn put_told(&self, _: Uuid, _: &[PushId], _: Timestamp) -> Answer<()> {
            match *self {}
        }

        pub fn events(&self, _: &EventQuery) -> Answer<Vec<EventRow>> {
            match *self {}
        }

        pub fn event_streams(&self, _: &EventQuery) -> Answer<Vec<StreamEvents>> {
            match *self {}
        }

        pub fn fetches(&self, _: &FetchQuery) -> Answer<Vec<FetchRecord>> {
            match *self {}
        }

        pub fn fetch(&self, _: Uuid) -> Answer<Option<FetchRecord>> {
            match *self {}
        }
    }
}

/// How far the shipper has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingStats {
    /// Whether the last try reached the database.
    pub connected: bool,
    /// Records that the database does not have yet, or not in their newest form.
    pub waiting: u64,
    /// How long ago the end is that has waited longest; zero when nothing waits.
    pub lag: Duration,
    /// Record files from before shipping began that are still to be shipped.
    pub backfill_days: u64,
    /// Records that the database does not take; they stay here, and are tried again at the next start.
    pub stuck: u64,
    /// Records shipped since the program started.
    pub shipped: u64,
    /// Events shipped since the program started.
    pub events: u64,
    /// Tries that failed since the program started.
    pub failures: u64,
    /// Why the last try failed; `None` after one that did not.
    pub last_error: Option<String>,
}

/// The figures, shared between the shipper and those who look.
#[derive(Debug, Default)]
pub(crate) struct ShippingFigures(Mutex<ShippingStats>);

impl ShippingFigures {
    pub fn lock(&self) -> MutexGuard<'_, ShippingStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_postgres_url_is_refused_and_not_repeated() {
        for url in ["mysql://u:hush@h/d", "", "postgres:", "hush"] {
            let error = Remote::parse(url).unwrap_err();
            assert_eq!(error, RemoteError::Scheme);
            assert!(!error.to_string().contains("hush"));
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_build_without_postgres_says_so() {
        assert_eq!(Remote::parse("postgres://h/d").unwrap_err(), RemoteError::NotBuilt);
    }
}
