//! Abnormalities while a push is live, counted by type and kept with the last occurrences of each. They are reported and
//! kept; the push is not touched.

use std::collections::VecDeque;
use std::time::Duration;

use cause::EventKind;
use cause::event::{EventCount, OCCURRENCES_KEPT, Occurrence};
use model::Timestamp;

/// An occurrence with words of its own is kept at most once in this time; a push that errs with every frame must not pay
/// for words at each.
const WORDS_AGAIN_MS: u32 = 1000;

/// The events of one type within a reporting interval.
#[derive(Clone, Debug, PartialEq)]
pub struct EventReport {
    /// The type.
    pub kind: EventKind,
    /// How often within the interval.
    pub count: u32,
    /// The last of them, oldest first; fewer than `count` when there were many.
    pub seen: Vec<EventSeen>,
}

/// One occurrence with its wall time.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSeen {
    /// When.
    pub at: Timestamp,
    /// What; [`Occurrence::text`] words it.
    pub what: Occurrence,
}

/// The events of one push.
#[derive(Debug, Default)]
pub struct Events {
    kinds: Vec<OfKind>,
    /// Occurrences of all types, and how many of them were reported and counted.
    total: u32,
    reported: u32,
    counted: u32,
    reported_at_ms: u32,
}

#[derive(Debug)]
struct OfKind {
    kind: EventKind,
    count: u32,
    first_ms: u32,
    last_ms: u32,
    /// The last occurrences, each with its number.
    recent: VecDeque<(u32, Occurrence)>,
    reported: u32,
    counted: u32,
}

impl Events {
    /// Notes an event in numbers: what was measured, and the timestamp of the message, where one was concerned.
    pub fn note(&mut self, kind: EventKind, at_ms: u32, value: u32, timestamp: Option<u32>) {
        let value = Some(value);
        self.count(kind, at_ms).keep(Occurrence { at_ms, value, timestamp, text: String::new() });
    }

    /// Notes an event in words; `text` is called only where the words are kept.
    pub fn note_words(&mut self, kind: EventKind, at_ms: u32, text: impl FnOnce() -> String) {
        let of_kind = self.count(kind, at_ms);
        if of_kind.recent.back().is_none_or(|(_, last)| at_ms.saturating_sub(last.at_ms) >= WORDS_AGAIN_MS) {
            of_kind.keep(Occurrence { at_ms, text: text(), ..Occurrence::default() });
        }
    }

    fn count(&mut self, kind: EventKind, at_ms: u32) -> &mut OfKind {
        self.total = self.total.saturating_add(1);
        let place = self.kinds.iter().position(|of_kind| of_kind.kind == kind).unwrap_or(self.kinds.len());
        if place == self.kinds.len() {
            self.kinds.push(OfKind::new(kind, at_ms));
        }
        let of_kind = &mut self.kinds[place];
        of_kind.count = of_kind.count.saturating_add(1);
        of_kind.last_ms = at_ms;
        of_kind
    }

    /// Whether the event was noted within the last `ms` milliseconds.
    pub fn within(&self, kind: EventKind, at_ms: u32, ms: u32) -> bool {
        self.kinds.iter().any(|of_kind| of_kind.kind == kind && at_ms.saturating_sub(of_kind.last_ms) < ms)
    }

    /// What the reporting interval that ends at `at_ms` holds, if it has passed and anything happened in it. Times count
    /// from `origin`.
    pub fn take_since(
        &mut self,
        at_ms: u32,
        interval_ms: u32,
        origin: Timestamp,
    ) -> Option<Vec<EventReport>> {
        if at_ms.saturating_sub(self.reported_at_ms) < interval_ms {
            return None;
        }
        self.reported_at_ms = at_ms;
        if self.total == self.reported {
            return None;
        }
        self.reported = self.total;
        Some(self.kinds.iter_mut().filter_map(|of_kind| of_kind.report(origin)).collect())
    }

    /// Gives each type's occurrences that were not given before: for the node's own counts.
    pub fn take_counts(&mut self, mut give: impl FnMut(EventKind, u32)) {
        if self.total == self.counted {
            return;
        }
        self.counted = self.total;
        for of_kind in &mut self.kinds {
            give(of_kind.kind, of_kind.count.saturating_sub(of_kind.counted));
            of_kind.counted = of_kind.count;
        }
    }

    /// All counts so far, for the evidence.
    pub fn counts(&self) -> Vec<EventCount> {
        self.kinds.iter().map(OfKind::evidence).collect()
    }
}

impl OfKind {
    fn new(kind: EventKind, at_ms: u32) -> Self {
        let recent = VecDeque::new();
        Self { kind, count: 0, first_ms: at_ms, last_ms: at_ms, recent, reported: 0, counted: 0 }
    }

    fn keep(&mut self, seen: Occurrence) {
        if self.recent.len() >= OCCURRENCES_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((self.count, seen));
    }

    fn report(&mut self, origin: Timestamp) -> Option<EventReport> {
        let before = std::mem::replace(&mut self.reported, self.count);
        let seen = |(_, what): &(u32, Occurrence)| EventSeen {
            at: origin.plus(Duration::from_millis(u64::from(what.at_ms))),
            what: what.clone(),
        };
        let count = self.count.saturating_sub(before);
        (count > 0).then(|| EventReport {
            kind: self.kind,
            count,
            seen: self.recent.iter().filter(|(number, _)| *number > before).map(seen).collect(),
        })
    }

    fn evidence(&self) -> EventCount {
        EventCount {
            kind: self.kind.number(),
            count: self.count,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            recent: self.recent.iter().map(|(_, seen)| seen.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Timestamp {
        Timestamp::parse("2026-11-22T20:00:00.000Z").unwrap()
    }

    #[test]
    fn each_interval_reports_what_happened_in_it_and_nothing_twice() {
        let mut events = Events::default();
        assert_eq!(events.take_since(5000, 5000, origin()), None);
        events.note(EventKind::VideoBack, 6000, 40, Some(900));
        events.note(EventKind::VideoBack, 6100, 60, Some(840));
        events.note_words(EventKind::Unparsable, 6200, || "a tag of no bytes".to_owned());
        assert_eq!(events.take_since(9999, 5000, origin()), None, "the interval is not over");
        let reports = events.take_since(10_000, 5000, origin()).unwrap();
        assert_eq!(reports.iter().map(|r| (r.kind.number(), r.count)).collect::<Vec<_>>(), [(1, 2), (14, 1)]);
        assert_eq!(reports[0].seen[1].at.to_string(), "2026-11-22T20:00:06.100Z");
        assert_eq!(reports[0].seen[1].what.value, Some(60));
        assert_eq!(events.take_since(15_000, 5000, origin()), None, "nothing new");
        events.note(EventKind::VideoBack, 16_000, 20, None);
        let reports = events.take_since(20_000, 5000, origin()).unwrap();
        assert_eq!((reports.len(), reports[0].count, reports[0].seen.len()), (1, 1, 1));
        assert_eq!(events.counts()[0].count, 3);
    }

    #[test]
    fn of_many_occurrences_the_count_is_exact_and_the_last_few_are_kept() {
        let mut events = Events::default();
        for n in 0..1000 {
            events.note(EventKind::AudioBack, n, n, None);
            events.note_words(EventKind::Unparsable, n * 10, || n.to_string());
        }
        let counts = events.counts();
        assert_eq!((counts[0].count, counts[0].first_ms, counts[0].last_ms), (1000, 0, 999));
        let kept: Vec<_> = counts[0].recent.iter().map(|seen| seen.at_ms).collect();
        assert_eq!(kept, [995, 996, 997, 998, 999]);
        assert_eq!((counts[1].count, counts[1].recent.len()), (1000, 5), "words once a second");
        assert_eq!(counts[1].recent[4].at_ms, 9000);
    }

    #[test]
    fn counts_are_given_once() {
        let mut events = Events::default();
        events.note(EventKind::LongGop, 0, 11_000, None);
        let mut given = Vec::new();
        events.take_counts(|kind, n| given.push((kind, n)));
        events.take_counts(|kind, n| given.push((kind, n)));
        events.note(EventKind::LongGop, 9, 11_000, None);
        events.take_counts(|kind, n| given.push((kind, n)));
        assert_eq!(given, [(EventKind::LongGop, 1), (EventKind::LongGop, 1)]);
    }
}
