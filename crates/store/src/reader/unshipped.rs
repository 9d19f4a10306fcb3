//! Records that the database of all nodes does not have yet.

use std::path::Path;

use model::{PushId, Timestamp};

use super::Connections;
use crate::error::StoreError;
use crate::layout;

/// Records looked at by a count; there are more only after a long outage, and counts then lag behind.
const MOST: i64 = 10_000;

impl Connections {
    /// The newest of those that ended at `since` or later.
    pub(super) fn unshipped_since(
        &mut self,
        dir: &Path,
        since: Timestamp,
    ) -> Result<Vec<PushId>, StoreError> {
        let read = |db: &rusqlite::Connection| -> rusqlite::Result<Vec<PushId>> {
            db.prepare_cached(
                "select id from unshipped where ended_at >= ?1 order by ended_at desc limit ?2",
            )?
            .query_map((since.millis(), MOST), |row| row.get(0).map(PushId::from_bytes))?
            .collect()
        };
        read(self.journal(dir)?).map_err(StoreError::db(layout::journal_file(dir)))
    }
}

#[cfg(feature = "postgres")]
pub(crate) use shipping::{Chunk, Unshipped};

#[cfg(feature = "postgres")]
mod shipping {
    use rusqlite::OptionalExtension;

    use super::*;
    use crate::columns::Stored;
    use crate::layout::Day;
    use crate::limits::MAX_READER_DAYS;
    use crate::reader::{day, journal};

    /// A record that is to be shipped.
    pub(crate) struct Unshipped {
        pub seq: i64,
        pub id: PushId,
        /// `None` if it is gone.
        pub stored: Option<Stored>,
    }

    /// What waits to be shipped.
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct Waiting {
        pub rows: u64,
        pub stuck: u64,
        pub backfill_days: u64,
        /// When the end was that waits longest.
        pub oldest: Option<Timestamp>,
    }

    /// Rows of a record file from before shipping began.
    pub(crate) struct Chunk {
        pub day: Day,
        pub stored: Vec<Stored>,
        /// Rows below this key are left; `None`: none are.
        pub below: Option<i64>,
    }

    impl Connections {
        /// The next records to be shipped beyond a number of theirs, in the order in which they came.
        pub(crate) fn unshipped(
            &mut self,
            dir: &Path,
            limit: usize,
            after: i64,
        ) -> Result<Vec<Unshipped>, StoreError> {
            let path = layout::journal_file(dir);
            let list = |db: &rusqlite::Connection| -> rusqlite::Result<Vec<(i64, [u8; 16], i64)>> {
                db.prepare_cached(
                    "select seq, id, ended_at from unshipped where stuck = 0 and seq > ?2 order by seq limit ?1",
                )?
                .query_map([i64::try_from(limit).unwrap_or(i64::MAX), after], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect()
            };
            let listed = list(self.journal(dir)?).map_err(StoreError::db(path))?;
            let mut rows = Vec::with_capacity(listed.len());
            for (seq, id, ended_at) in listed {
                let id = PushId::from_bytes(id);
                let stored = self.at_day(dir, id, Day::of(Timestamp(ended_at)))?;
                rows.push(Unshipped { seq, id, stored });
            }
            if self.days.len() > MAX_READER_DAYS {
                self.days.clear();
            }
            Ok(rows)
        }

        /// The journal first: a record that is filed meanwhile is then in the file.
        fn at_day(&mut self, dir: &Path, id: PushId, day: Day) -> Result<Option<Stored>, StoreError> {
            let here = journal::get(self.journal(dir)?, id);
            if let Some(stored) = here.map_err(StoreError::db(layout::journal_file(dir)))? {
                return Ok(Some(stored));
            }
            let Some(db) = self.day(dir, day)? else { return Ok(None) };
            day::get(db, id).map_err(StoreError::db(layout::records_file(dir, day)))
        }

        pub(crate) fn waiting(&mut self, dir: &Path) -> Result<Waiting, StoreError> {
            let read = |db: &rusqlite::Connection| -> rusqlite::Result<Waiting> {
                let count = |sql: &str| -> rusqlite::Result<u64> {
                    db.prepare_cached(sql)?.query_row([], |row| row.get(0).map(crate::columns::counter))
                };
                Ok(Waiting {
                    rows: count("select count(*) from unshipped where stuck = 0")?,
                    stuck: count("select count(*) from unshipped where stuck = 1")?,
                    backfill_days: count("select count(*) from backfill")?,
                    oldest: db
                        .prepare_cached(
                            "select ended_at from unshipped where stuck = 0 order by seq limit 1",
                        )?
                        .query_row([], |row| row.get(0).map(Timestamp))
                        .optional()?,
                })
            };
            read(self.journal(dir)?).map_err(StoreError::db(layout::journal_file(dir)))
        }

        /// The next rows of the newest record file from before shipping began, or those from a place on.
        pub(crate) fn backfill(
            &mut self,
            dir: &Path,
            limit: usize,
            place: Option<(Day, i64)>,
        ) -> Result<Option<Chunk>, StoreError> {
            let next = |db: &rusqlite::Connection| -> rusqlite::Result<Option<(Day, i64)>> {
                db.prepare_cached("select day, below from backfill order by day desc limit 1")?
                    .query_row([], |row| Ok((Day::of_number(row.get(0)?), row.get(1)?)))
                    .optional()
            };
            let place = match place {
                None => next(self.journal(dir)?).map_err(StoreError::db(layout::journal_file(dir)))?,
                place => place,
            };
            let Some((day, below)) = place else { return Ok(None) };
            let mut chunk = Chunk { day, stored: Vec::new(), below: None };
            let Some(db) = self.day(dir, day)? else { return Ok(Some(chunk)) };
            let read = |db: &rusqlite::Connection| -> rusqlite::Result<(Vec<Stored>, Option<i64>)> {
                let keys: Vec<i64> = db
                    .prepare_cached("select row from record where row < ?1 order by row desc limit ?2")?
                    .query_map((below, i64::try_from(limit).unwrap_or(i64::MAX)), |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                let mut stored = Vec::with_capacity(keys.len());
                for key in &keys {
                    stored.extend(day::at(db, day, *key)?);
                }
                Ok((stored, keys.last().copied()))
            };
            (chunk.stored, chunk.below) = read(db).map_err(StoreError::db(layout::records_file(dir, day)))?;
            Ok(Some(chunk))
        }
    }
}
