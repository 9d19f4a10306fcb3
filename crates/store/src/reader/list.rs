//! Lists with page numbers and a total, for APIs that have these: newest or oldest end first, counted as far as paging
//! can reach.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use model::{Record, Timestamp};

use super::filter::Filter;
use super::index::Wanted;
use super::indexes::Indexes;
use super::known::Known;
use super::query::{Cursor, RecordQuery};
use super::source::First;
use super::stretches::Scan;
use super::{Connections, Window, day, journal};
use crate::error::StoreError;
use crate::layout::{self, Day};

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
    /// The database of all nodes did not answer: these are this node's alone.
    pub here_only: bool,
}

impl ListQuery {
    pub(super) fn filter(&self) -> Filter {
        Filter { published: self.published, ..Filter::of(&self.filter) }
    }

    /// Below the first, from the second on.
    pub(super) fn span(&self) -> (Cursor, Cursor) {
        (
            self.filter.until.map_or(Cursor::NEWEST, Cursor::at),
            self.filter.since.map_or(Cursor::OLDEST, Cursor::at),
        )
    }

    pub(super) fn first(&self) -> First {
        if self.ascending { First::Oldest } else { First::Newest }
    }
}

/// Where a record is in time: its day, and its key there.
type Place = (Day, i64);

/// What is known without looking into the files.
type Memory<'a> = (&'a Known, &'a Arc<Indexes>);

impl Connections {
    pub(super) fn list(
        &mut self,
        dir: &Path,
        query: &ListQuery,
        budget: u64,
        memory: Memory<'_>,
    ) -> Result<Listing, StoreError> {
        let filter = query.filter();
        let (below, from) = query.span();
        let mut window = Window { below, from, budget, wanted: usize::MAX };
        let path = layout::journal_file(dir);
        let found = journal::find(self.journal(dir)?, &filter, &mut window).map_err(StoreError::db(path))?;
        let mut unfiled: Vec<(Place, Record)> = found
            .records
            .into_iter()
            .map(|(at, stored)| (place(at), stored.record))
            .filter(|(_, record)| !query.published || record.published_at.is_some())
            .collect();
        let filed = self.filed(dir, query, &filter, (window.from, window.below), budget, memory)?;
        // One that was filed in between is there twice.
        unfiled.retain(|(place, _)| match query.ascending {
            true => filed.binary_search(place).is_err(),
            false => filed.binary_search_by(|other| place.cmp(other)).is_err(),
        });
        unfiled.sort_by_key(|(place, _)| *place);
        if !query.ascending {
            unfiled.reverse();
        }
        let total = (filed.len() + unfiled.len()).min(query.count_to);
        let mut records = Vec::new();
        let page = merged(&filed, unfiled, query.ascending).take(total).skip(query.skip).take(query.take);
        for (place, record) in page {
            records.extend(match record {
                Some(record) => Some(record),
                None => self.record_at(dir, place)?,
            });
        }
        if self.days.len() > crate::limits::MAX_READER_DAYS {
            self.days.clear();
        }
        Ok(Listing { records, total, here_only: false })
    }

    /// Where the records are that have been filed, in the order of the list, as far as it is counted and the budget
    /// reaches.
    fn filed(
        &mut self,
        dir: &Path,
        query: &ListQuery,
        filter: &Filter,
        (from, below): (Cursor, Cursor),
        budget: u64,
        (known, indexes): Memory<'_>,
    ) -> Result<Vec<Place>, StoreError> {
        let first = query.first();
        let changes = self.changes.clone();
        let mut days = self.list_days(dir)?;
        // The newest file is the one that is being filled.
        let filling = days.first().copied();
        let wanted = Wanted::of(filter);
        if query.ascending {
            days.reverse();
        }
        let slot = known.of(filter);
        let mut filed = Vec::new();
        let mut left = budget;
        {
            let mut of_filter = slot.lock().unwrap_or_else(PoisonError::into_inner);
            for day in days {
                if Cursor::at(day.start()) >= below || Cursor::at(day.end()) <= from {
                    continue;
                }
                let enough = query.count_to.saturating_sub(filed.len());
                if enough == 0 || left == 0 {
                    break;
                }
                let span = (day::key_of(day, from), day::key_of(day, below));
                let indexed = wanted.zip(changes.as_ref()).filter(|_| filling != Some(day));
                if let Some((wanted, changes)) = indexed
                    && let Some(index) = indexes.of(day, changes)
                {
                    let keys = index.first(wanted, first, span, enough);
                    filed.extend(keys.into_iter().map(|key| (day, key)));
                    continue;
                }
                let mut searched = false;
                let scan = |from, below, enough| {
                    searched = true;
                    match self.day(dir, day)? {
                        Some(db) if left > 0 => {
                            day::scan(db, filter, first, (from, below), enough, &mut left)
                                .map_err(StoreError::db(layout::records_file(dir, day)))
                        }
                        Some(_) => Ok(Scan { keys: Vec::new(), reached: first.begin(from, below) }),
                        None => Ok(Scan { keys: Vec::new(), reached: first.end(from, below) }),
                    }
                };
                let known = of_filter.day(day, changes.as_deref());
                let keys = known.first(first, span.0, span.1, enough, scan)?;
                filed.extend(keys.into_iter().map(|key| (day, key)));
                if let Some((_, changes)) = indexed.filter(|_| searched) {
                    indexes.searched(day, dir, changes);
                }
            }
        }
        known.keep(filter, &slot, budget - left);
        Ok(filed)
    }

    fn record_at(&mut self, dir: &Path, (day, key): Place) -> Result<Option<Record>, StoreError> {
        let Some(db) = self.day(dir, day)? else { return Ok(None) };
        let stored = day::at(db, day, key).map_err(StoreError::db(layout::records_file(dir, day)))?;
        Ok(stored.map(|stored| stored.record))
    }
}

fn place(at: Cursor) -> Place {
    let day = Day::of(Timestamp(at.ended_at));
    (day, day::key_of(day, at))
}

/// Two lists in the same order as one; those that have been filed are still to be read.
fn merged(
    filed: &[Place],
    unfiled: Vec<(Place, Record)>,
    ascending: bool,
) -> impl Iterator<Item = (Place, Option<Record>)> {
    let mut filed = filed.iter().copied().peekable();
    let mut unfiled = unfiled.into_iter().peekable();
    std::iter::from_fn(move || {
        let unfiled_first = match (filed.peek(), unfiled.peek()) {
            (Some(a), Some((b, _))) if ascending => b < a,
            (Some(a), Some((b, _))) => b > a,
            (None, _) => true,
            (_, None) => false,
        };
        match unfiled_first {
            true => unfiled.next().map(|(place, record)| (place, Some(record))),
            false => filed.next().map(|place| (place, None)),
        }
    })
}
