//! The names of the files in a data folder, and how they are made.
//!
//! | file | holds |
//! |---|---|
//! | `lock` | the lock and its holder's process id |
//! | `journal.db` | runs, open pushes, ends not yet filed, the catalog |
//! | `records/records-YYYYMMDD.db` | the records of pushes that ended on that day (UTC) |
//! | `records/evidence-YYYYMMDD.log` | their evidence |
//! | `reserve` | room kept back for a full disk |

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Timestamp;

use crate::error::StoreError;

const DAY_MS: i64 = 86_400_000;

/// A day in UTC, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(i64);

impl Day {
    pub fn of(at: Timestamp) -> Self {
        Self(at.millis().div_euclid(DAY_MS))
    }

    /// Days since 1970.
    pub fn number(self) -> i64 {
        self.0
    }

    /// The day with this number.
    #[cfg(feature = "postgres")]
    pub fn of_number(number: i64) -> Self {
        Self(number)
    }

    /// Midnight at its beginning.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(DAY_MS))
    }

    pub fn end(self) -> Timestamp {
        self.start().plus(Duration::from_millis(DAY_MS.unsigned_abs()))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let date = format!("{}-{}-{}T00:00:00Z", text.get(..4)?, text.get(4..6)?, text.get(6..8)?);
        (text.len() == 8).then(|| Timestamp::parse(&date).map(Self::of)).flatten()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.start().to_string();
        f.write_str(&date.chars().take(10).filter(|c| *c != '-').collect::<String>())
    }
}

/// Times outside of the years 1970 to 9998 (a broken clock) are moved to the nearest end, so that each has a day.
pub(crate) fn storable(at: Timestamp) -> Timestamp {
    Timestamp(at.millis().clamp(0, 253_370_764_799_999))
}

pub(crate) fn lock_file(dir: &Path) -> PathBuf {
    dir.join("lock")
}

pub(crate) fn journal_file(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

pub(crate) fn history_file(dir: &Path) -> PathBuf {
    dir.join("history.db")
}

pub(crate) fn reserve_file(dir: &Path) -> PathBuf {
    dir.join("reserve")
}

pub(crate) fn records_dir(dir: &Path) -> PathBuf {
    dir.join("records")
}

pub(crate) fn records_file(dir: &Path, day: Day) -> PathBuf {
    records_dir(dir).join(format!("records-{day}.db"))
}

pub(crate) fn evidence_file(dir: &Path, day: Day) -> PathBuf {
    records_dir(dir).join(format!("evidence-{day}.log"))
}

/// The days that have a record file, newest first.
pub(crate) fn record_days(dir: &Path) -> Result<Vec<Day>, StoreError> {
    days(dir, "records-", ".db")
}

/// The days that have an evidence file, newest first.
pub(crate) fn evidence_days(dir: &Path) -> Result<Vec<Day>, StoreError> {
    days(dir, "evidence-", ".log")
}

fn days(dir: &Path, prefix: &str, suffix: &str) -> Result<Vec<Day>, StoreError> {
    let folder = records_dir(dir);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StoreError::Io { doing: "list", path: folder, source }),
    };
    let mut days = Vec::new();
    for entry in entries {
        let name = entry.map_err(StoreError::io("list", &folder))?.file_name();
        let day =
            name.to_str().and_then(|n| n.strip_prefix(prefix)?.strip_suffix(suffix)).and_then(Day::parse);
        days.extend(day);
    }
    days.sort_unstable_by(|a, b| b.cmp(a));
    Ok(days)
}

/// Makes a folder that only its owner can read, with its parents.
pub(crate) fn make_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create", path))
}

/// Options that open a file for writing and create it so that only its owner can read it.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a folder durable, after a file in it was created or removed.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|d| d.sync_all()).map_err(StoreError::io("sync", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_name_and_reads_back_from_it() {
        let at = Timestamp::parse("2025-11-22T23:59:59.999Z").unwrap();
        let day = Day::of(at);
        assert_eq!(day.to_string(), "20251122");
        assert_eq!(Day::parse("20251122"), Some(day));
        assert_eq!(day.end().to_string(), "2025-11-23T00:00:00.000Z");
        for wrong in ["2025112", "202511222", "20251322", "2025-1-2", "äöüäöü"] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_broken_clock_still_has_a_day() {
        for at in [i64::MIN, -1, i64::MAX] {
            let day = Day::of(storable(Timestamp(at)));
            assert_eq!(Day::parse(&day.to_string()), Some(day));
        }
    }

    #[test]
    fn days_are_listed_newest_first_and_strangers_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        assert!(record_days(dir.path()).unwrap().is_empty());
        fs::create_dir(records_dir(dir.path())).unwrap();
        for name in ["records-20251101.db", "records-20251103.db", "records-20251103.db-wal", "records-x.db"]
        {
            fs::write(records_dir(dir.path()).join(name), "").unwrap();
        }
        let names: Vec<_> = record_days(dir.path()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["20251103", "20251101"]);
    }
}
