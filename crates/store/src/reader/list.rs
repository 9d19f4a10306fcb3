//! Lists with page numbers and a total, for APIs that have these: newest or oldest end first, counted as far as paging
//! can reach.

use std::path::Path;

use super::filter::Filter;
use super::query::{Cursor, RecordQuery};
use super::source::First;
use super::{Connections, Window, day, journal};
use crate::columns::Stored;
use crate::error::StoreError;
use crate::layout::{self, Day};
use model::Record;

/// Which page of which list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Which records. Its `limit` and `after` do not count.
    pub filter: RecordQuery,
    /// Only pushes that went live.
    pub published: bool,
    /// The oldest end first.
    pub ascending: bool,
    /// Records before the page.
    pub skip: usize,
    /// Records on the page.
    pub take: usize,
    /// How far the list is counted, and reaches.
    pub count_to: usize,
}

/// A page of a counted list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The records of the page.
    pub records: Vec<Record>,
    /// Records of the whole list, at most [`ListQuery::count_to`]; fewer where conditions that are each common hardly
    /// ever meet, because a query looks at a bounded number of rows.
    pub total: usize,
}

/// Where a record of the list is.
enum Place {
    Journal(Box<Stored>),
    File(Day, i64),
}

impl Connections {
    pub(super) fn list(&mut self, dir: &Path, query: &ListQuery, budget: u64) -> Result<Listing, StoreError> {
        let filter = Filter { published: query.published, ..Filter::of(&query.filter) };
        let mut window = Window {
            below: query.filter.until.map_or(Cursor::NEWEST, Cursor::at),
            from: query.filter.since.map_or(Cursor::OLDEST, Cursor::at),
            budget,
            wanted: usize::MAX,
        };
        let path = layout::journal_file(dir);
        let found = journal::find(self.journal(dir)?, &filter, &mut window).map_err(StoreError::db(path))?;
        let unfiled = found.records.into_iter();
        let mut places: Vec<(Cursor, Place)> = unfiled
            .filter(|(_, stored)| !query.published || stored.record.published_at.is_some())
            .map(|(at, stored)| (at, Place::Journal(Box::new(stored))))
            .collect();
        window.budget = budget;
        let first = if query.ascending { First::Oldest } else { First::Newest };
        let mut days = self.list_days(dir)?;
        if query.ascending {
            days.reverse();
        }
        let mut from_files = 0;
        for day in days {
            let (begin, end) = (Cursor::at(day.start()), Cursor::at(day.end()));
            if begin >= window.below || end <= window.from {
                continue;
            }
            let enough = query.count_to.saturating_sub(from_files);
            if enough == 0 || window.budget == 0 {
                break;
            }
            let Some(db) = self.day(dir, day)? else { continue };
            let keys = day::keys(db, day, &filter, first, enough, &mut window)
                .map_err(StoreError::db(layout::records_file(dir, day)))?;
            from_files += keys.len();
            places.extend(keys.into_iter().map(|key| (day::position(day, key), Place::File(day, key))));
        }
        // One that was filed in between is there twice; its two places follow each other.
        places.sort_by_key(|(at, _)| *at);
        places.dedup_by_key(|(at, _)| *at);
        if !query.ascending {
            places.reverse();
        }
        places.truncate(query.count_to);
        let mut listing = Listing { records: Vec::new(), total: places.len() };
        for (_, place) in places.into_iter().skip(query.skip).take(query.take) {
            listing.records.extend(match place {
                Place::Journal(stored) => Some(stored.record),
                Place::File(day, key) => self.record_at(dir, day, key)?,
            });
        }
        if self.days.len() > crate::limits::MAX_READER_DAYS {
            self.days.clear();
        }
        Ok(listing)
    }

    fn record_at(&mut self, dir: &Path, day: Day, key: i64) -> Result<Option<Record>, StoreError> {
        let Some(db) = self.day(dir, day)? else { return Ok(None) };
        let stored = day::at(db, day, key).map_err(StoreError::db(layout::records_file(dir, day)))?;
        Ok(stored.map(|stored| stored.record))
    }
}
