//! Which nodes are alive. Pure: it is told what was heard and when.
//!
//! Nobody is called dead on the word of a clock of another machine, or by a node that was itself cut off: a node counts as
//! dead once an observer that has heard **its own** heartbeat come back without a gap for the whole lease time has heard
//! nothing of the other in it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

/// What is known of other nodes' lives.
#[derive(Debug)]
pub(crate) struct Liveness {
    me: String,
    lease: Duration,
    /// When this node's own heartbeat last came back, and since when it does so without a gap.
    own: Option<(Instant, Instant)>,
    heard: HashMap<String, Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    run: Uuid,
    revision: u64,
    at: Instant,
    told_dead: bool,
}

impl Liveness {
    pub fn new(me: &str, lease: Duration) -> Self {
        Self { me: me.to_owned(), lease, own: None, heard: HashMap::new() }
    }

    /// A heartbeat was heard. Older ones than the newest count for nothing.
    pub fn heard(&mut self, node: &str, run: Uuid, revision: u64, now: Instant) {
        if node == self.me {
            let since = match self.own {
                Some((last, since)) if now.saturating_duration_since(last) <= self.gap() => since,
                _ => now,
            };
            self.own = Some((now, since));
            return;
        }
        match self.heard.get_mut(node) {
            Some(known) if known.revision >= revision => {}
            Some(known) => *known = Heard { run, revision, at: now, told_dead: false },
            None => {
                self.heard.insert(node.to_owned(), Heard { run, revision, at: now, told_dead: false });
            }
        }
    }

    /// A node said goodbye.
    pub fn left(&mut self, node: &str, revision: u64) {
        if self.heard.get(node).is_some_and(|known| known.revision < revision) {
            self.heard.remove(node);
        }
    }

    /// Whether a run of a node is over: the node was not heard of for the lease time, has left, or runs anew.
    pub fn is_over(&self, node: &str, run: Uuid, now: Instant) -> bool {
        if node == self.me {
            return false;
        }
        match self.heard.get(node) {
            Some(known) if known.run != run => true,
            Some(known) => self.silent_for(known.at, now),
            // It was not there when this node began to listen, or has left since.
            None => self.own.is_some_and(|(_, since)| self.silent_for(since, now)),
        }
    }

    /// Whether a node that was heard is silent for the lease time.
    pub fn is_dead(&self, node: &str, now: Instant) -> bool {
        self.heard.get(node).is_some_and(|known| self.silent_for(known.at, now))
    }

    /// The nodes and runs that have become dead since this was last asked.
    pub fn newly_dead(&mut self, now: Instant) -> Vec<(String, Uuid)> {
        let names: Vec<_> = self.heard.keys().cloned().collect();
        let dead = names.into_iter().filter(|node| self.is_dead(node, now)).collect::<Vec<_>>();
        let mut new = Vec::new();
        for node in dead {
            if let Some(known) = self.heard.get_mut(&node)
                && !std::mem::replace(&mut known.told_dead, true)
            {
                new.push((node, known.run));
            }
        }
        new
    }

    fn silent_for(&self, since: Instant, now: Instant) -> bool {
        let Some((last, own_since)) = self.own else { return false };
        let hears = now.saturating_duration_since(last) <= self.gap();
        hears && now.saturating_duration_since(since.max(own_since)) >= self.lease
    }

    /// The longest time between two of its own heartbeats for which this node still hears the others.
    fn gap(&self) -> Duration {
        self.lease / 2
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};
    use proptest::prelude::*;

    use super::*;

    const LEASE: Duration = Duration::from_secs(5);
    const RUN: Uuid = Uuid::from_u128(7);

    fn observer() -> (Liveness, Instant) {
        (Liveness::new("me", LEASE), SystemClock.instant())
    }

    fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_node_that_is_silent_for_the_lease_time_is_dead_once() {
        let (mut liveness, began) = observer();
        liveness.heard("other", RUN, 1, began);
        for second in 0..=6 {
            liveness.heard("me", RUN, second + 2, began + s(second));
            let dead = liveness.is_dead("other", began + s(second));
            assert_eq!(dead, second >= 5, "after {second} s");
        }
        assert_eq!(liveness.newly_dead(began + s(6)), [("other".to_owned(), RUN)]);
        assert_eq!(liveness.newly_dead(began + s(6)), []);
    }

    #[test]
    fn an_observer_that_was_cut_off_waits_the_whole_time_again() {
        let (mut liveness, began) = observer();
        liveness.heard("me", RUN, 1, began);
        liveness.heard("other", RUN, 2, began);
        assert!(!liveness.is_dead("other", began + s(60)), "it hears nothing, not even itself");
        liveness.heard("me", RUN, 3, began + s(60));
        assert!(!liveness.is_dead("other", began + s(60)), "nor has it heard for long enough");
        for second in 61..=65 {
            liveness.heard("me", RUN, 0, began + s(second));
        }
        assert!(liveness.is_dead("other", began + s(65)));
    }

    #[test]
    fn a_run_is_over_when_its_node_runs_anew_or_has_left() {
        let (mut liveness, began) = observer();
        liveness.heard("other", RUN, 1, began);
        assert!(!liveness.is_over("other", RUN, began));
        assert!(liveness.is_over("other", Uuid::from_u128(8), began));
        liveness.left("other", 2);
        assert!(!liveness.is_over("other", RUN, began), "not before it was listened for long enough");
        for second in 0..=5 {
            liveness.heard("me", RUN, 0, began + s(second));
        }
        assert!(liveness.is_over("other", RUN, began + s(5)));
        assert!(!liveness.is_over("me", RUN, began + s(5)));
    }

    proptest! {
        /// Whatever the observer hears or misses: a node whose heartbeats reach it is never dead to it.
        #[test]
        fn a_node_that_is_heard_is_never_dead(gaps in proptest::collection::vec((0_u64..9_000, any::<bool>()), 1..60)) {
            let (mut liveness, mut now) = observer();
            let mut last_other = None;
            for (revision, (gap, own)) in (1..).zip(gaps) {
                now += Duration::from_millis(gap);
                match own {
                    true => liveness.heard("me", RUN, revision, now),
                    false => {
                        liveness.heard("other", RUN, revision, now);
                        last_other = Some(now);
                    }
                }
                if let Some(last) = last_other
                    && now.saturating_duration_since(last) < LEASE
                {
                    prop_assert!(!liveness.is_dead("other", now));
                    prop_assert!(!liveness.is_over("other", RUN, now));
                }
            }
        }
    }
}
