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
        of_day.asked = of_day.asked.saturating_add(u32::from(of_day.index.is_some()));
        of_day.index.clone()
    }

    /// A day without an index was searched in its file, by conditions that an index knows; once that has happened often,
    /// one is made.
    pub fn searched(self: &Arc<Self>, day: Day, dir: &Path, changes: &Arc<Changes>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.searches += 1;
        if state.searches >= FADES_AFTER {
            state.searches = 0;
            state.days.values_mut().for_each(|of_day| of_day.asked /= 2);
        }
        let now = changes.count(day);
        let of_day = state.days.entry(day).or_default();
        if of_day.changes != now {
            *of_day = OfDay { changes: now, ..OfDay::default() };
        }
        of_day.asked = of_day.asked.saturating_add(1);
        if of_day.asked >= SEARCHES && of_day.index.is_none() && !of_day.never && !state.making {
            let work = Work { indexes: Arc::clone(self), day, dir: dir.to_owned(), changes: Arc::clone(changes) };
            let thread = std::thread::Builder::new().name("record-index".to_owned());
            state.making = true;
            if let Err(error) = thread.spawn(move || work.run()) {
                tracing::warn!(%error, "no thread for an index of records");
                state.making = false;
            }
        }
    }

    /// Keeps an index, if there is room for it among those that are asked for as often.
    fn keep(&self, day: Day, changes: u64, made: Result<DayIndex, IndexError>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.making = false;
        let Some(of_day) = state.days.get_mut(&day).filter(|of_day| of_day.changes == changes) else { return };
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
        let changes = self.changes.count(self.day);
        let path = layout::records_file(&self.dir, self.day);
        let made = match RECORDS.open_read_only(&path) {
            Ok(db) => DayIndex::read(&db),
            Err(error) => {
                tracing::debug!(%error, "a record file cannot be indexed");
                Err(IndexError::TooMany)
            }
        };
        self.indexes.keep(self.day, changes, made);
    }
}
