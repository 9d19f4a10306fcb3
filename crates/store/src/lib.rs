//! Lastframe's store: one record for each push, always.
//!
//! A push stands in the **journal** before its client hears that it is live, and leaves it in the transaction that
//! writes its end; what the journal still shows open at the next start ended because the node died. Ends move on into
//! **record files**, one a day, which hold the indexes, and which age by being deleted whole. Evidence stands in a file
//! of its own beside each of them. The schema files (`src/schema/*.sql`) are the documentation of what is on the disk.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | [`Store`]: opening, recovery, orderly stop |
//! | [`journal`] | [`Journal`] and [`OpenPush`]: the live path's side |
//! | [`filing`] | from the journal into record files; retention |
//! | [`reader`] | [`Reader`]: queries over the journal and the record files |
//! | [`catalog`] | [`CatalogStore`]: accounts, domains, keys, users, settings |
//! | [`outbox`] | events that are to be told to others |
//! | [`history`] | what was told to others, what happened to pushes while they were live, and what was fetched from other nodes |
//! | [`check`] | the store's own consistency check |
//! | [`remote`] | the database of all nodes, as the rest sees it |
//! | [`postgres`] | that database: PostgreSQL (feature `postgres`) |
//! | [`schema`] | the schemas and their migrations |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod catalog;
mod check;
mod columns;
mod config;
mod error;
mod evidence;
mod filing;
mod history;
mod journal;
mod layout;
mod limits;
mod lock;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod remote;
mod row;
mod schema;
mod stats;
mod store;

pub use catalog::{AuditEntry, AuditQuery, AuditRow, CatalogStore, SavedView, Share, User};
pub use check::{Problem, Report, check};
pub use config::{IgnoreRule, StoreConfig};
pub use error::{JournalError, StoreError};
pub use filing::import;
pub use history::{
    DeliveryEntry, DeliveryQuery, DeliveryRow, EventQuery, EventRow, FetchCursor, FetchCursorError,
    FetchQuery, Fetches, History, StreamEvents,
};
pub use journal::{Import, Journal, OpenPush};
pub use lock::DataLock;
pub use outbox::{
    Notice, Occurrence, Outbox, OutboxConfig, PushReport, ReportedEvent, Seen, Settled, Told, Waiting,
};
pub use reader::{
    Cursor, CursorError, ListQuery, Listing, Page, Reader, RecordQuery, StreamEnds, Summary, SummaryQuery,
    WithEvidence,
};
pub use remote::{OtherNodes, Remote, RemoteError, RemoteFault, ShippingStats};
pub use row::{EndRow, Inherited, OpenRow, PushCounters};
pub use stats::{JournalStats, Latency};
pub use store::{Recovery, Store};
