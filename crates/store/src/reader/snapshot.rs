//! One state of a database for several statements.

use std::ops::Deref;

use rusqlite::Connection;

/// A read transaction. Its two statements are kept parsed, which matters where it spans one short query.
pub(crate) struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    pub fn of(db: &'a Connection) -> rusqlite::Result<Self> {
        db.prepare_cached("begin")?.execute([])?;
        Ok(Self(db))
    }
}

impl Deref for Snapshot<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("commit").and_then(|mut commit| commit.execute([]));
        if let Err(error) = ended {
            // A connection whose transaction goes on would show the past for ever; the next `begin` on it fails, and
            // what fails is opened anew.
            tracing::warn!(%error, "a read transaction could not be ended");
        }
    }
}
