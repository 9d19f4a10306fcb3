//! What the writer needs to know of the disk below it.

use std::io::Write;
use std::path::Path;

use rusqlite::Connection;

use crate::error::{StoreError, is_disk_error};
use crate::layout;

/// Moves pages from the WAL into the database; false if readers kept it from all of them.
pub(crate) fn checkpoint(db: &Connection, mode: &str) -> rusqlite::Result<bool> {
    db.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Whether the error may be a full disk's, so that freeing the reserve is worth a try.
pub(crate) fn is_full(error: &StoreError) -> bool {
    match error {
        StoreError::Database { source, .. } => is_disk_error(source),
        StoreError::Io { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    }
}

/// Whether the folder takes no more data, as opposed to a file in it that cannot be used.
pub(crate) fn disk_is_full(dir: &Path) -> bool {
    let path = dir.join("probe");
    let outcome = layout::private().open(&path).and_then(|mut file| {
        file.write_all(&[0; 64 << 10])?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&path);
    outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
}
