//! What can go wrong with the store, as its callers need to tell it apart.

use std::io;
use std::path::PathBuf;

use model::PushId;

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process works on the same data folder.
    #[error("the data folder is in use by another process{}: {}", pid_text(.pid), path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, where the file says so.
        pid: Option<u32>,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done, such as `create`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite could not do its work on a file.
    #[error("{} cannot be used: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by a newer version of the program.
    #[error(
        "{} was written by a newer version of the program (schema {found}, this one knows {known}): \
         run that version, or restore a copy made before the upgrade",
        path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The schema version it has.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// The file is of an older version, and a reader never migrates.
    #[error(
        "{} is of an older version (schema {found}, this program reads {known}): start the server once, it migrates",
        path.display()
    )]
    OlderSchema {
        /// The database file.
        path: PathBuf,
        /// The schema version it has.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// The folder holds no journal.
    #[error("there is no data in {}: start the server there once, or name another folder", path.display())]
    NoData {
        /// The folder that was opened.
        path: PathBuf,
    },
    /// The journal cannot be written at the moment (disk full, I/O error); it is tried again each second.
    #[error("the journal cannot be written at the moment; see the log for what the disk said")]
    Unwritable,
    /// The store was shut down.
    #[error("the store was shut down")]
    Closed,
    /// A stored value cannot be read back.
    #[error("row {id} of {} cannot be read: {what}", path.display())]
    Unreadable {
        /// The database file.
        path: PathBuf,
        /// The row's id, as far as it is known.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// A catalog entry could not be turned into its stored form, or back.
    #[error("{what} `{key}` of the catalog cannot be read: {source}")]
    Catalog {
        /// `account`, `domain`, ...
        what: &'static str,
        /// Which one.
        key: String,
        /// What the reader of JSON said.
        source: serde_json::Error,
    },
    /// The database of all nodes did not answer, and this node does not know.
    #[error("this node does not know, and of the others it cannot be told: {0}")]
    Remote(#[from] crate::remote::RemoteFault),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn db(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Database { path, source }
    }

    /// Whether the disk, not the request, is at fault: out of room, or an I/O error.
    pub(crate) fn is_disk(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Unwritable => true,
            Self::Database { source, .. } => is_disk_error(source),
            _ => false,
        }
    }
}

/// Whether `error` says that the disk is full or broken, so that the same work may succeed later.
pub(crate) fn is_disk_error(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, ReadOnly,
        SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            DiskFull
                | SystemIoFailure
                | CannotOpen
                | ReadOnly
                | DatabaseBusy
                | DatabaseLocked
                | FileLockingProtocolFailed
        )
    )
}

/// Why a push could not be written into the journal: it may not go live (18/103).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The writer's queue has no place left.
    #[error("the journal's queue is full")]
    Full,
    /// The disk is full.
    #[error("the disk of the journal is full")]
    DiskFull,
    /// The last write failed (I/O error) and none has succeeded since.
    #[error("the journal cannot be written")]
    Unwritable,
    /// The open row was not on disk within the limit.
    #[error("the journal did not answer in time")]
    Timeout,
    /// The store was shut down.
    #[error("the journal is closed")]
    Closed,
}

/// Text for logs about a push whose row had to be left out; the id lets it be found again.
pub(crate) fn lost(id: PushId, why: &rusqlite::Error) -> String {
    format!("the row of push {id} cannot be stored: {why}")
}

fn pid_text(pid: &Option<u32>) -> String {
    pid.map(|p| format!(" (process {p})")).unwrap_or_default()
}
