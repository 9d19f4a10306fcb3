//! The store's own consistency check: reads everything, changes nothing. Works beside a running server.
//!
//! It holds these to be true:
//! - each database is whole (SQLite's `integrity_check`) and of this version;
//! - no push is both open and ended, and none has two records; one that is in the journal and in a record file is just
//!   being filed;
//! - each record stands in the file of its day, at the key that follows from it, in both halves;
//! - each name a record refers to exists, and the trigram index knows as many names as there are;
//! - what evidence a record refers to is whole, where it is still kept.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use model::{PushId, Timestamp};
use rusqlite::{Connection, params};

use crate::columns::{self, ENDED_COLUMNS, push_id};
use crate::error::StoreError;
use crate::evidence::{self, Place};
use crate::layout::{self, Day};
use crate::reader::query::{TIE_BITS, tie};
use crate::schema::{JOURNAL, RECORDS};

/// Problems of one kind in one file beyond this many are only counted.
const SHOWN: usize = 20;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the data folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Databases looked at.
    pub files: u64,
    /// Records looked at.
    pub records: u64,
    /// Open pushes seen.
    pub open: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Checks a data folder.
///
/// # Errors
/// [`StoreError`] when there is no store, or a folder cannot be listed. Databases that cannot be read are problems in the
/// report instead.
pub fn check(dir: impl AsRef<Path>) -> Result<Report, StoreError> {
    let dir = dir.as_ref();
    let journal = layout::journal_file(dir);
    if !journal.exists() {
        return Err(StoreError::NoData { path: dir.to_owned() });
    }
    let mut check =
        Check { dir, file: "journal.db".to_owned(), report: Report::default(), days: HashMap::new() };
    // The files first: a record that is filed meanwhile is then missed in its file instead of seen as a second one.
    let mut days = layout::record_days(dir)?;
    days.sort_unstable();
    for day in days {
        check.file = format!("records/records-{day}.db");
        check.run(|check| check.day(day));
    }
    check.file = "journal.db".to_owned();
    check.run(Check::journal);
    Ok(check.report)
}

struct Check<'a> {
    dir: &'a Path,
    file: String,
    report: Report,
    /// The record files already looked at.
    days: HashMap<Day, Connection>,
}

impl Check<'_> {
    fn problem(&mut self, what: impl Into<String>) {
        self.report.problems.push(Problem { file: self.file.clone(), what: what.into() });
    }

    /// Runs a part; what keeps it from being read is a problem too.
    fn run(&mut self, part: impl FnOnce(&mut Self) -> Result<(), StoreError>) {
        self.report.files += 1;
        if let Err(error) = part(self) {
            self.problem(error.to_string());
        }
    }

    fn whole(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut lines = db.prepare("pragma integrity_check(20)")?;
        let lines: Vec<String> = lines.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        lines.into_iter().filter(|line| line != "ok").for_each(|line| self.problem(line));
        Ok(())
    }

    fn journal(&mut self) -> Result<(), StoreError> {
        let path = layout::journal_file(self.dir);
        let db = JOURNAL.open_read_only(&path)?;
        let tx = db.unchecked_transaction().map_err(StoreError::db(&path))?;
        self.whole(&tx).and_then(|()| self.journal_rows(&tx)).map_err(StoreError::db(&path))
    }

    fn journal_rows(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let open: i64 = db.query_row("select count(*) from open_push", [], |row| row.get(0))?;
        self.report.open = columns::counter(open);
        let both = "select hex(id) from open_push where id in (select id from ended)";
        self.each(db, both, |id| format!("push {id} is open and has ended"))?;
        let runless = "select hex(id) from open_push where run not in (select id from run)";
        self.each(db, runless, |id| format!("open push {id} belongs to no run"))?;
        let mut select = db.prepare(&format!("select {ENDED_COLUMNS}, seq, tie from ended"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            self.report.records += 1;
            let seq: i64 = row.get("seq")?;
            let stored = match columns::read(row) {
                Ok(stored) => stored,
                Err(error) => {
                    self.problem(format!("end {seq} cannot be read: {error}"));
                    continue;
                }
            };
            let id = stored.record.id;
            if row.get::<_, i64>("tie")? != tie(id) {
                self.problem(format!("end {seq} of push {id} has a tie that is not its id's"));
            }
            self.evidence(Day::of(stored.record.ended_at), id, stored.evidence);
        }
        Ok(())
    }

    fn day(&mut self, day: Day) -> Result<(), StoreError> {
        let path = layout::records_file(self.dir, day);
        let db = RECORDS.open_read_only(&path)?;
        let outcome = db.unchecked_transaction().and_then(|tx| {
            self.whole(&tx)?;
            self.names(&tx)?;
            self.day_rows(&tx, day)
        });
        outcome.map_err(StoreError::db(&path))?;
        self.days.insert(day, db);
        Ok(())
    }

    fn names(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for (table, column) in [("domain", "domain_id"), ("app", "app_id"), ("stream", "stream_id")] {
            // Where the table is empty, no number at all counts as not in it.
            let missing = format!(
                "select row from record where {column} is not null and {column} not in (select id from {table})"
            );
            self.each(db, &missing, |row| format!("record {row} refers to a {table} that is not there"))?;
        }
        let halves = "select row from record where row not in (select row from fact) union all \
                      select row from fact where row not in (select row from record)";
        self.each(db, halves, |row| format!("record {row} has only one of its halves"))?;
        let indexed = "select id from stream where id not in (select id from stream_trigram_docsize)";
        self.each(db, indexed, |id| format!("stream name {id} is not in the trigram index"))?;
        let twice = "select hex(id) from fact group by id having count(*) > 1";
        self.each(db, twice, |id| format!("push {id} has two records"))
    }

    fn day_rows(&mut self, db: &Connection, day: Day) -> rusqlite::Result<()> {
        let mut select = db.prepare(
            "select f.row, f.id, f.ended_at, r.sequence, f.evidence_offset, f.evidence_length \
             from fact f join record r on r.row = f.row",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            self.report.records += 1;
            let key: i64 = row.get(0)?;
            let Ok(id) = push_id(row.get_ref(1)?) else {
                self.problem(format!("record {key} has no push id"));
                continue;
            };
            let ended_at = Timestamp(row.get(2)?);
            if Day::of(ended_at) != day || key >> TIE_BITS != ended_at.millis() - day.start().millis() {
                self.problem(format!("record {key} of push {id} stands at a time that is not its end"));
            }
            if row.get::<_, i64>(3)? != id.sequence().0.cast_signed() {
                self.problem(format!("record {key} of push {id} has a sequence that is not its id's"));
            }
            let place = row.get::<_, Option<i64>>(4)?.zip(row.get::<_, Option<i64>>(5)?);
            let place = place.map(|(offset, length)| Place {
                offset: columns::counter(offset),
                length: columns::counter(length),
            });
            self.evidence(day, id, place);
            // Only a push that began on an earlier day can have a record in an earlier file.
            if Day::of(layout::storable(id.time())) < day {
                self.elsewhere(id)?;
            }
        }
        Ok(())
    }

    fn elsewhere(&mut self, id: PushId) -> rusqlite::Result<()> {
        let mut found = HashSet::new();
        for (day, db) in &self.days {
            let mut select =
                db.prepare_cached("select f.id from record r join fact f using (row) where sequence = ?1")?;
            let ids =
                select.query_map(params![id.sequence().0.cast_signed()], |row| row.get::<_, [u8; 16]>(0))?;
            for other in ids {
                if other? == *id.as_bytes() {
                    found.insert(*day);
                }
            }
        }
        for day in found {
            self.problem(format!("push {id} has a record in records-{day}.db too"));
        }
        Ok(())
    }

    fn evidence(&mut self, day: Day, id: PushId, place: Option<Place>) {
        let Some(place) = place else { return };
        if let Err(error) = evidence::read(self.dir, day, place, id) {
            self.problem(format!("evidence of push {id}: {error}"));
        }
    }

    /// A problem for each row of `sql`, which selects one column.
    fn each(&mut self, db: &Connection, sql: &str, what: impl Fn(String) -> String) -> rusqlite::Result<()> {
        let mut select = db.prepare(sql)?;
        let mut rows = select.query([])?;
        let mut count = 0usize;
        while let Some(row) = rows.next()? {
            count += 1;
            if count <= SHOWN {
                let value: rusqlite::types::Value = row.get(0)?;
                self.problem(what(match value {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                }));
            }
        }
        if count > SHOWN {
            self.problem(format!("and {} more like the last one", count - SHOWN));
        }
        Ok(())
    }
}
