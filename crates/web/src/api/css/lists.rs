//! Pages of lists that were asked for a moment ago. Tools ask for the same page again and again, and what lies behind
//! does not change; a list that reaches up to now is kept for a second, so that it is never older than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Timestamp;
use store::{ListQuery, Listing};

/// Records kept at once, over all pages.
const MAX_RECORDS: usize = 20_000;
/// Pages kept at once; an empty one counts too.
const MAX_PAGES: usize = 4_096;
/// How long a page is kept to whose time nothing can be added any more.
const SETTLED: Duration = Duration::from_secs(30);
/// How long any other page is kept.
const OPEN: Duration = Duration::from_secs(1);
/// Ends are in the lists so long after they happened, at the latest, while the disk takes them.
const SETTLES_AFTER: Duration = Duration::from_secs(10);

/// The pages.
#[derive(Debug, Default)]
pub struct Lists {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pages: HashMap<String, (Instant, Arc<Listing>)>,
    records: usize,
}

impl Lists {
    /// The page, if it is kept and not too old.
    pub fn get(&self, query: &ListQuery, now: Instant) -> Option<Arc<Listing>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pages.get(&key(query)).filter(|(until, _)| *until > now).map(|(_, page)| page.clone())
    }

    /// Keeps a page that was read when the clocks showed `now` and `time`.
    pub fn put(&self, query: &ListQuery, page: Listing, now: Instant, time: Timestamp) -> Arc<Listing> {
        let settled = query.filter.until.is_some_and(|until| until < time.minus(SETTLES_AFTER));
        let until = now + if settled { SETTLED } else { OPEN };
        let page = Arc::new(page);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.records + page.records.len() > MAX_RECORDS || kept.pages.len() >= MAX_PAGES {
            kept.pages.retain(|_, (until, _)| *until > now);
            kept.records = kept.pages.values().map(|(_, page)| page.records.len()).sum();
        }
        if kept.records + page.records.len() <= MAX_RECORDS && kept.pages.len() < MAX_PAGES {
            kept.records += page.records.len();
            if let Some((_, before)) = kept.pages.insert(key(query), (until, page.clone())) {
                kept.records = kept.records.saturating_sub(before.records.len());
            }
        }
        page
    }
}

/// Everything that makes two questions different, the account among it.
fn key(query: &ListQuery) -> String {
    format!("{query:?}")
}

#[cfg(test)]
mod tests {
    use model::Clock;
    use model::clock::ManualClock;
    use store::RecordQuery;

    use super::*;

    fn question(account: u64, until: Timestamp) -> ListQuery {
        let filter = RecordQuery { account: Some(account), until: Some(until), ..RecordQuery::default() };
        ListQuery { filter, take: 10, count_to: 100, ..ListQuery::default() }
    }

    #[test]
    fn a_page_is_kept_for_a_second_or_longer_where_its_time_is_over() {
        let (lists, clock) = (Lists::default(), ManualClock::new(Timestamp(1_000_000)));
        let (open, settled) = (question(1, Timestamp(1_000_000)), question(1, Timestamp(900_000)));
        for query in [&open, &settled] {
            lists.put(query, Listing { records: Vec::new(), total: 7 }, clock.instant(), clock.now());
        }
        let total = |query: &ListQuery| lists.get(query, clock.instant()).map(|page| page.total);
        assert_eq!((total(&open), total(&settled)), (Some(7), Some(7)));
        assert_eq!(total(&question(2, Timestamp(900_000))), None, "one account never gets another's page");
        clock.advance(OPEN);
        assert_eq!((total(&open), total(&settled)), (None, Some(7)));
        clock.advance(SETTLED);
        assert_eq!(total(&settled), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (lists, clock) = (Lists::default(), ManualClock::new(Timestamp(0)));
        for n in 0..2 * MAX_PAGES as u64 {
            lists.put(&question(n, Timestamp(0)), Listing::default(), clock.instant(), clock.now());
        }
        assert_eq!(lists.kept.lock().unwrap().pages.len(), MAX_PAGES);
        clock.advance(OPEN);
        lists.put(&question(0, Timestamp(0)), Listing::default(), clock.instant(), clock.now());
        assert_eq!(lists.kept.lock().unwrap().pages.len(), 1, "room is made when it is needed");
    }
}
