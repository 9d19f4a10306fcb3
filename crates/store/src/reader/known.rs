//! What lists have found before. A list is counted as far as paging reaches, which is thousands of rows for a page of
//! ten; what it has found is the same the next time, but for what has been filed since, and that is told by
//! [`Changes`]. So nothing here is ever out of date.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::filter::Filter;
use super::stretches::Stretches;
use crate::filing::changes::{Changes, Since};
use crate::layout::Day;
use crate::limits::{MAX_KNOWN_FILTERS, MAX_KNOWN_KEYS};

/// What a day that nothing was found on weighs, in keys.
const DAY_WEIGHT: usize = 16;
/// Lists that were found by looking at fewer rows are found as quickly again.
const WORTH_KEEPING: u64 = 64;

/// What is known of the records that satisfy one filter.
#[derive(Debug, Default)]
pub(crate) struct OfFilter {
    days: HashMap<Day, OfDay>,
    /// What it weighed when it was last put away.
    weight: usize,
}

#[derive(Debug, Default)]
struct OfDay {
    changes: u64,
    stretches: Stretches,
}

impl OfFilter {
    /// What is known of a day, and still true.
    pub fn day(&mut self, day: Day, changes: Option<&Changes>) -> &mut Stretches {
        let of_day = self.days.entry(day).or_default();
        match changes.map(|changes| changes.since(day, of_day.changes)) {
            None => of_day.stretches.clear(),
            Some((since, now)) => {
                of_day.changes = now;
                match since {
                    Since::Nothing => {}
                    Since::Within(ranges) => {
                        ranges.iter().for_each(|(low, high)| of_day.stretches.forget(*low, *high));
                    }
                    Since::Anything => of_day.stretches.clear(),
                }
            }
        }
        &mut of_day.stretches
    }

    fn weigh(&self) -> usize {
        self.days.values().map(|of_day| of_day.stretches.len() + DAY_WEIGHT).sum()
    }
}

/// What is known of the filters that were asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Known {
    kept: Mutex<Kept>,
}

/// Two generations: what was not asked for while the younger one filled up is forgotten.
#[derive(Debug, Default)]
struct Kept {
    young: HashMap<Filter, Arc<Mutex<OfFilter>>>,
    old: HashMap<Filter, Arc<Mutex<OfFilter>>>,
    /// Of the younger generation.
    weight: usize,
}

impl Known {
    /// What is known of a filter.
    pub fn of(&self, filter: &Filter) -> Arc<Mutex<OfFilter>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        let found = kept.young.get(filter).or_else(|| kept.old.get(filter));
        found.map(Arc::clone).unwrap_or_default()
    }

    /// Puts away what is known of a filter after `examined` rows were looked at for it.
    pub fn keep(&self, filter: &Filter, slot: &Arc<Mutex<OfFilter>>, examined: u64) {
        let (before, weight) = {
            let mut of_filter = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let before = of_filter.weight;
            if examined == 0 && before > 0 {
                // Nothing has come; it only has to stay among what was asked for lately.
                (before, before)
            } else {
                let mut weight = of_filter.weigh();
                if weight > MAX_KNOWN_KEYS / 4 {
                    (*of_filter, weight) = (OfFilter::default(), 0);
                }
                of_filter.weight = weight;
                (before, weight)
            }
        };
        if before == 0 && examined < WORTH_KEEPING {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        if kept.young.contains_key(filter) {
            kept.weight = (kept.weight + weight).saturating_sub(before);
        } else {
            kept.old.remove(filter);
            kept.young.insert(filter.clone(), Arc::clone(slot));
            kept.weight += weight;
        }
        if kept.weight > MAX_KNOWN_KEYS / 2 || kept.young.len() > MAX_KNOWN_FILTERS / 2 {
            kept.old = std::mem::take(&mut kept.young);
            kept.weight = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use model::Timestamp;

    use super::super::query::RecordQuery;
    use super::super::source::First;
    use super::super::stretches::Scan;
    use super::*;

    fn filter(n: usize) -> Filter {
        Filter::of(&RecordQuery { app: Some(n.to_string()), ..RecordQuery::default() })
    }

    /// Learns of `keys` records, and puts that away.
    fn learn(known: &Known, filter: &Filter, keys: i64, examined: u64) {
        let slot = known.of(filter);
        let changes = Changes::default();
        let scan =
            |from, below, _| Ok::<_, Infallible>(Scan { keys: (from..below).collect(), reached: below });
        let day = Day::of(Timestamp(0));
        slot.lock()
            .unwrap()
            .day(day, Some(&changes))
            .first(First::Oldest, 0, keys, usize::MAX, scan)
            .unwrap();
        known.keep(filter, &slot, examined);
    }

    fn knows(known: &Known, filter: &Filter) -> bool {
        known.of(filter).lock().unwrap().weight > 0
    }

    #[test]
    fn what_was_dear_to_find_is_kept_and_what_was_cheap_is_not() {
        let known = Known::default();
        learn(&known, &filter(1), 5, WORTH_KEEPING);
        learn(&known, &filter(2), 5, WORTH_KEEPING - 1);
        assert!(knows(&known, &filter(1)) && !knows(&known, &filter(2)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_asked_for_stays() {
        let known = Known::default();
        for n in 0..3 * MAX_KNOWN_FILTERS {
            learn(&known, &filter(n), 5, 1_000);
            learn(&known, &filter(0), 5, 0);
            let kept = known.kept.lock().unwrap();
            assert!(kept.young.len() + kept.old.len() <= MAX_KNOWN_FILTERS + 1);
        }
        assert!(knows(&known, &filter(0)) && !knows(&known, &filter(1)));

        let keys = i64::try_from(MAX_KNOWN_KEYS / 5).unwrap();
        for n in 0..12 {
            learn(&known, &filter(n), keys, 1_000);
            let kept = known.kept.lock().unwrap();
            let all = kept.young.values().chain(kept.old.values());
            let weight: usize = all.map(|slot| slot.lock().unwrap().weigh()).sum();
            assert!(weight <= MAX_KNOWN_KEYS + MAX_KNOWN_KEYS / 2, "{weight}");
        }
        learn(&known, &filter(99), i64::try_from(MAX_KNOWN_KEYS / 3).unwrap(), 1_000);
        assert!(!knows(&known, &filter(99)), "one filter alone does not crowd out all others");
    }
}
