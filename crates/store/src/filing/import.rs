//! Records from elsewhere, straight into the record files.

use std::collections::BTreeMap;

use model::Record;

use super::day_file::DayFile;
use crate::columns::Stored;
use crate::error::StoreError;
use crate::layout::{self, Day, storable};
use crate::limits::{FILE_ROWS, MAX_OPEN_DAYS};
use crate::lock::DataLock;

/// Adds records to the record files of a data folder on which no server runs, which is what the lock stands for. Records
/// that are there already (by id and time of end) are left alone, so that an import can be repeated. Fastest when they
/// come in the order of their ends. Gives the number of records read.
///
/// # Errors
/// [`StoreError`] when a file cannot be written; what came before stays imported.
pub fn import(lock: &DataLock, records: impl IntoIterator<Item = Record>) -> Result<u64, StoreError> {
    let dir = lock.dir();
    layout::make_dir(&layout::records_dir(dir))?;
    let mut days: BTreeMap<Day, (DayFile, Vec<Stored>)> = BTreeMap::new();
    let mut count = 0;
    for mut record in records {
        record.ended_at = storable(record.ended_at);
        let day = Day::of(record.ended_at);
        if !days.contains_key(&day) {
            if days.len() >= MAX_OPEN_DAYS {
                flush_first(&mut days)?;
            }
            days.insert(day, (DayFile::open(dir, day)?, Vec::new()));
        }
        if let Some((file, rows)) = days.get_mut(&day) {
            rows.push(Stored { record, verdict_version: 0, evidence: None });
            if rows.len() >= FILE_ROWS {
                file.insert(rows)?;
                rows.clear();
            }
        }
        count += 1;
    }
    while !days.is_empty() {
        flush_first(&mut days)?;
    }
    Ok(count)
}

fn flush_first(days: &mut BTreeMap<Day, (DayFile, Vec<Stored>)>) -> Result<(), StoreError> {
    match days.pop_first() {
        Some((_, (mut file, rows))) => file.insert(&rows).map(drop),
        None => Ok(()),
    }
}
