//! What the filing thread has changed in the record files, so that what readers know of the rest stays known.
//!
//! Told after a change was committed and before its rows leave the journal: whoever no longer finds a record there is
//! sure to hear that its day has changed.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::layout::Day;

/// Changes of a day that are told one by one; of older ones only that something has changed.
const TOLD: usize = 64;

/// The changes since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    days: Mutex<HashMap<Day, OfDay>>,
    files: AtomicU64,
}

#[derive(Debug, Default)]
struct OfDay {
    /// How many changes there were.
    count: u64,
    /// The last of them: the lowest and the highest key that were added.
    last: VecDeque<(i64, i64)>,
}

/// What has changed of a day since somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Nothing,
    /// Records within these keys, lowest and highest.
    Within(Vec<(i64, i64)>),
    Anything,
}

impl Changes {
    /// Records with keys from `lowest` to `highest` were added to a day.
    pub fn added(&self, day: Day, lowest: i64, highest: i64) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let of_day = days.entry(day).or_default();
        of_day.count += 1;
        if of_day.last.len() == TOLD {
            of_day.last.pop_front();
        }
        of_day.last.push_back((lowest, highest));
    }

    /// Nothing is known of a day any more.
    pub fn anything(&self, day: Day) {
        self.added(day, i64::MIN, i64::MAX);
    }

    /// Record files have come or gone.
    pub fn of_files(&self) {
        self.files.fetch_add(1, Ordering::Release);
    }

    /// How often files have come or gone.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Acquire)
    }

    /// How many changes of a day there were.
    pub fn count(&self, day: Day) -> u64 {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(&day).map_or(0, |of_day| of_day.count)
    }

    /// What has changed of a day since it had `seen` changes, and how many it has now.
    pub fn since(&self, day: Day, seen: u64) -> (Since, u64) {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_day) = days.get(&day) else { return (Since::Nothing, 0) };
        let news = usize::try_from(of_day.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let since = match of_day.last.len().checked_sub(news) {
            _ if news == 0 => Since::Nothing,
            Some(known) => Since::Within(of_day.last.range(known..).copied().collect()),
            None => Since::Anything,
        };
        (since, of_day.count)
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn who_looked_lately_hears_what_has_changed_and_others_that_something_has() {
        let (changes, day) = (Changes::default(), Day::of(Timestamp(0)));
        assert_eq!(changes.since(day, 0), (Since::Nothing, 0));
        changes.added(day, 5, 9);
        changes.added(day, 7, 8);
        assert_eq!(changes.since(day, 0), (Since::Within(vec![(5, 9), (7, 8)]), 2));
        assert_eq!(changes.since(day, 1), (Since::Within(vec![(7, 8)]), 2));
        assert_eq!(changes.since(day, 2), (Since::Nothing, 2));
        assert_eq!(changes.since(Day::of(Timestamp(86_400_000)), 0), (Since::Nothing, 0));
        for n in 0..TOLD as i64 {
            changes.added(day, n, n);
        }
        assert_eq!(changes.since(day, 1).0, Since::Anything);
        assert!(matches!(changes.since(day, 2).0, Since::Within(all) if all.len() == TOLD));
    }
}
