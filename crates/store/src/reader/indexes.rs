//! Which days have an [index](super::index) in memory: those that are searched often, as far as there is room.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::index::{DayIndex, IndexError};
use crate::filing::changes::Changes;
use crate::layout::{self, Day};
use crate::limits::MAX_INDEXED;
use crate::schema::RECORDS;

/// A day that was searched this often is worth an index.
const SEARCHES: u32 = 32;
/// After so many searches, older ones count half.
const FADES_AFTER: u32 = 100_000;

/// The indexes of one reader.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    days: HashMap<Day, OfDay>,
    /// One is being made.
    making: bool,
    searches: u32,
}

#[derive(Debug, Default)]
struct OfDay {
    /// How often the file had changed when it was looked at.
    changes: u64,
    /// How often it was asked for since.
    asked: u32,
    index: Option<Arc<DayIndex>>,
    /// It cannot be indexed as it is.
    never: bool,
}

impl OfDay {
    fn holds(&self) -> usize {
        self.index.as_ref().map_or(0, |index| index.len())
    }
}

impl State {
    /// Counts a search; what was asked for long ago counts ever less.
    fn count(&mut self) {
        self.searches += 1;
        if self.searches >= FADES_AFTER {
            self.searches = 0;
            self.days.values_mut().for_each(|of_day| of_day.asked /= 2);
        }
    }
}

impl Indexes {
    /// The index of a day, if there is one and it is still true.
    pub fn of(&self, day: Day, changes: &Changes) -> Option<Arc<DayIndex>> {
        let now = changes.count(day);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_day = state.days.get_mut(&day)?;
        if of_day.changes != now {
            state.days.remove(&day);
            return None;
        }
        let index = of_day.index.clone()?;
        of_day.asked = of_day.asked.saturating_add(1);
        state.count();
        Some(index)
    }

    /// A day without an index was searched in its file, by conditions that an index knows; once that has happened often,
    /// one is made.
    pub fn searched(self: &Arc<Self>, day: Day, dir: &Path, changes: &Arc<Changes>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count();
        let now = changes.count(day);
        let of_day = state.days.entry(day).or_default();
        if of_day.changes != now {
            *of_day = OfDay { changes: now, ..OfDay::default() };
        }
        of_day.asked = of_day.asked.saturating_add(1);
        if of_day.asked >= SEARCHES && of_day.index.is_none() && !of_day.never && !state.making {
            let work =
                Work { indexes: Arc::clone(self), day, dir: dir.to_owned(), changes: Arc::clone(changes) };
            let thread = std::thread::Builder::new().name("record-index".to_owned());
            state.making = true;
            // What is not started is dropped, which needs the state.
            drop(state);
            if let Err(error) = thread.spawn(move || work.run()) {
                tracing::warn!(%error, "no thread for an index of records");
            }
        }
    }

    /// Keeps an index, if there is room for it among those that are asked for as often.
    fn keep(&self, day: Day, changes: &Changes, seen: u64, made: Result<DayIndex, IndexError>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Days whose files have gone are asked for no more, and leave here.
        state.days.retain(|day, of_day| of_day.changes == changes.count(*day));
        let Some(of_day) = state.days.get_mut(&day).filter(|of_day| of_day.changes == seen) else { return };
        let index = match made {
            Ok(index) if index.len() <= MAX_INDEXED => index,
            refused => {
                tracing::debug!(%day, error = ?refused.err(), "a day's records are not indexed");
                of_day.never = true;
                return;
            }
        };
        let asked = of_day.asked;
        let mut room = MAX_INDEXED.saturating_sub(state.days.values().map(OfDay::holds).sum());
        while room < index.len() {
            let others = state.days.iter_mut().filter(|(_, of_day)| of_day.index.is_some());
            match others.min_by_key(|(_, of_day)| of_day.asked) {
                Some((_, least)) if least.asked < asked / 2 => {
                    room += least.holds();
                    *least = OfDay { changes: least.changes, ..OfDay::default() };
                }
                _ => break,
            }
        }
        if let Some(of_day) = state.days.get_mut(&day) {
            match room >= index.len() {
                true => of_day.index = Some(Arc::new(index)),
                // It has to be asked for as often again.
                false => of_day.asked = 0,
            }
        }
    }
}

/// The making of one index, on a thread of its own: whoever searches meanwhile does not wait for it.
struct Work {
    indexes: Arc<Indexes>,
    day: Day,
    dir: PathBuf,
    changes: Arc<Changes>,
}

impl Work {
    fn run(self) {
        // What is filed from here on makes the index void, whether it is in it or not.
        let seen = self.changes.count(self.day);
        let path = layout::records_file(&self.dir, self.day);
        let made = match RECORDS.open_read_only(&path) {
            Ok(db) => DayIndex::read(&db),
            Err(error) => {
                tracing::debug!(%error, "a record file cannot be indexed");
                Err(IndexError::TooMany)
            }
        };
        self.indexes.keep(self.day, &self.changes, seen, made);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.indexes.state.lock().unwrap_or_else(PoisonError::into_inner).making = false;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{Clock, Record, SystemClock, Timestamp};

    use super::super::query::RecordQuery;
    use super::super::tests::example;
    use super::super::{ListQuery, Reader};
    use super::*;
    use crate::columns::Stored;
    use crate::filing::DayFile;
    use crate::limits::MAX_EXAMINED;
    use crate::schema::JOURNAL;

    /// Two days of records, of which the older one is no longer filled.
    struct Stage {
        dir: tempfile::TempDir,
        changes: Arc<Changes>,
        reader: Reader,
        older: Day,
        asked: u64,
    }

    impl Stage {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            layout::make_dir(&layout::records_dir(dir.path())).unwrap();
            drop(JOURNAL.open(&layout::journal_file(dir.path())).unwrap());
            let changes = Arc::new(Changes::default());
            let reader = Reader::with(dir.path().to_owned(), MAX_EXAMINED, Some(Arc::clone(&changes)), None);
            let older = Day::of(Timestamp(0));
            let stage = Self { dir, changes, reader, older, asked: 0 };
            for n in 0..30 {
                stage.file(n, Timestamp(n as i64 * 1_000));
            }
            stage.file(99, Timestamp(86_400_000));
            stage
        }

        /// Files a record as the filer does.
        fn file(&self, n: u64, at: Timestamp) {
            let record = Record { domain: Some("d".into()), ..example(n, at) };
            let stored = Stored { record, verdict_version: 1, evidence: None };
            let day = Day::of(at);
            let mut file = DayFile::open(self.dir.path(), day).unwrap();
            let (lowest, highest) = file.insert(&[stored]).unwrap().unwrap();
            self.changes.added(day, lowest, highest);
            self.changes.of_files();
        }

        /// How many records of the domain ended in the first minute; asked each time in another way.
        fn count(&mut self) -> usize {
            self.asked += 1;
            let filter = RecordQuery {
                domain: Some("d".into()),
                account: Some(self.asked % 2),
                app: Some("live".into()),
                since: Some(Timestamp(0)),
                until: Some(Timestamp(60_000)),
                ..RecordQuery::default()
            };
            let list = ListQuery { filter, take: 10, count_to: 1_000, ..ListQuery::default() };
            self.reader.list(&list).unwrap().total
        }

        fn index(&self) -> Option<Arc<DayIndex>> {
            self.reader.inner.indexes.of(self.older, &self.changes)
        }

        /// Searches so often that an index is made.
        fn until_indexed(&self) -> Arc<DayIndex> {
            for _ in 0..=SEARCHES {
                self.reader.inner.indexes.searched(self.older, self.dir.path(), &self.changes);
            }
            let end = SystemClock.instant() + Duration::from_secs(60);
            loop {
                match self.index() {
                    Some(index) => return index,
                    None => assert!(SystemClock.instant() < end, "no index was made"),
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn lists_are_the_same_with_an_index_and_what_is_filed_later_is_in_them_at_once() {
        let mut stage = Stage::new();
        assert!(stage.index().is_none());
        let before = (stage.count(), stage.count());
        assert_eq!(before, (15, 15));
        assert_eq!(stage.until_indexed().len(), 30);
        assert_eq!((stage.count(), stage.count()), before);
        // Late, into a day that has an index.
        stage.file(100, Timestamp(30_500));
        assert!(stage.index().is_none(), "the index is void");
        assert_eq!(stage.count() + stage.count(), 31);
        assert_eq!(stage.until_indexed().len(), 31);
        assert_eq!(stage.count() + stage.count(), 31);
    }

    #[test]
    fn an_index_goes_with_its_file() {
        let mut stage = Stage::new();
        stage.until_indexed();
        std::fs::remove_file(layout::records_file(stage.dir.path(), stage.older)).unwrap();
        stage.changes.anything(stage.older);
        stage.changes.of_files();
        assert!(stage.index().is_none());
        assert_eq!(stage.count(), 0);
    }

    #[test]
    fn a_day_that_is_asked_for_now_and_then_gets_no_index() {
        let stage = Stage::new();
        for _ in 1..SEARCHES {
            stage.reader.inner.indexes.searched(stage.older, stage.dir.path(), &stage.changes);
        }
        assert!(!stage.reader.inner.indexes.state.lock().unwrap().making && stage.index().is_none());
    }
}
