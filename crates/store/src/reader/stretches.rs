//! Stretches of a day within which every record that satisfies a filter is known, so that it is looked up once.

use super::source::First;

/// What a search in a day's file gave.
pub(crate) struct Scan {
    /// The keys it found, in the order that was asked for.
    pub keys: Vec<i64>,
    /// How far it got: everything from where it began up to here is known. Searching for the newest first, this key is
    /// the lowest one that is known; for the oldest first, the lowest one that is not.
    pub reached: i64,
}

/// All keys that satisfy the filter from `from` on and below `below`, ascending.
#[derive(Debug, Default)]
struct Stretch {
    from: i64,
    below: i64,
    keys: Vec<i64>,
}

impl Stretch {
    fn within(&self, from: i64, below: i64) -> &[i64] {
        let start = self.keys.partition_point(|key| *key < from);
        let end = self.keys.partition_point(|key| *key < below);
        self.keys.get(start..end).unwrap_or_default()
    }
}

/// What is known of a day.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    /// Ascending; none is empty, and none touches the next.
    parts: Vec<Stretch>,
}

impl Stretches {
    /// The first `enough` keys from `from` on and below `below`. What is not known is searched for by
    /// `scan(from, below, enough)`; where that gets no further, there are fewer.
    pub fn first<E>(
        &mut self,
        first: First,
        from: i64,
        below: i64,
        enough: usize,
        mut scan: impl FnMut(i64, i64, usize) -> Result<Scan, E>,
    ) -> Result<Vec<i64>, E> {
        let (mut from, mut below) = (from, below);
        let mut found = Vec::new();
        while from < below && found.len() < enough {
            let wanted = enough - found.len();
            let known = match first {
                First::Newest => self.parts.iter().rev().find(|part| part.from < below),
                First::Oldest => self.parts.iter().find(|part| part.below > from),
            };
            let (unknown_from, unknown_below) = match (first, known) {
                (First::Newest, Some(part)) if part.below >= below => {
                    let keys = part.within(from, below);
                    found.extend(keys.iter().rev().take(wanted));
                    below = part.from.max(from);
                    continue;
                }
                (First::Oldest, Some(part)) if part.from <= from => {
                    found.extend(part.within(from, below).iter().take(wanted));
                    from = part.below.min(below);
                    continue;
                }
                (First::Newest, Some(part)) => (part.below.max(from), below),
                (First::Oldest, Some(part)) => (from, part.from.min(below)),
                (_, None) => (from, below),
            };
            let Scan { mut keys, reached } = scan(unknown_from, unknown_below, wanted)?;
            let reached = reached.clamp(unknown_from, unknown_below);
            found.extend(keys.iter().take(wanted));
            let whole = match first {
                First::Newest => {
                    keys.reverse();
                    self.add(Stretch { from: reached, below, keys });
                    below = reached;
                    reached == unknown_from
                }
                First::Oldest => {
                    self.add(Stretch { from, below: reached, keys });
                    from = reached;
                    reached == unknown_below
                }
            };
            if !whole {
                break;
            }
        }
        Ok(found)
    }

    /// Forgets what was known from `lowest` up to and with `highest`.
    pub fn forget(&mut self, lowest: i64, highest: i64) {
        let beyond = highest.saturating_add(1);
        let parts = std::mem::take(&mut self.parts);
        for part in parts {
            if part.below <= lowest || part.from >= beyond {
                self.parts.push(part);
                continue;
            }
            for (from, below) in [(part.from, lowest), (beyond, part.below)] {
                if from < below {
                    let keys = part.within(from, below).to_vec();
                    self.parts.push(Stretch { from, below, keys });
                }
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.keys.len()).sum()
    }

    /// Adds a stretch of which nothing is known yet.
    fn add(&mut self, new: Stretch) {
        if new.from >= new.below {
            return;
        }
        let at = self.parts.partition_point(|part| part.from < new.from);
        self.parts.insert(at, new);
        self.join(at);
        if let Some(before) = at.checked_sub(1) {
            self.join(before);
        }
    }

    /// Makes one of a part and the next, if they touch.
    fn join(&mut self, at: usize) {
        let touch = matches!(self.parts.get(at..at + 2), Some([part, next]) if part.below >= next.from);
        if touch {
            let next = self.parts.remove(at + 1);
            if let Some(part) = self.parts.get_mut(at) {
                part.below = next.below;
                part.keys.extend(next.keys);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// What happens to a list: it is asked for, or records come.
    #[derive(Clone, Debug)]
    enum Act {
        Ask { newest: bool, from: i64, below: i64, enough: usize, budget: usize },
        Come { at: i64, more: i64 },
    }

    fn act() -> impl Strategy<Value = Act> {
        let ask = (any::<bool>(), 0i64..100, 0i64..100, 1usize..40, 1usize..60).prop_map(
            |(newest, a, b, enough, budget)| Act::Ask {
                newest,
                from: a.min(b),
                below: a.max(b),
                enough,
                budget,
            },
        );
        prop_oneof![4 => ask, 1 => (0i64..100, 0i64..5).prop_map(|(at, more)| Act::Come { at, more })]
    }

    /// A file that looks at one key after the other, and at `budget` of them at most.
    fn search(
        file: &BTreeSet<i64>,
        first: First,
        from: i64,
        below: i64,
        enough: usize,
        budget: &mut usize,
    ) -> Scan {
        let mut scan = Scan { keys: Vec::new(), reached: if first == First::Newest { below } else { from } };
        let order: Box<dyn Iterator<Item = i64>> = match first {
            First::Newest => Box::new((from..below).rev()),
            First::Oldest => Box::new(from..below),
        };
        for key in order {
            if *budget == 0 || scan.keys.len() == enough {
                break;
            }
            *budget -= 1;
            scan.reached = if first == First::Newest { key } else { key + 1 };
            scan.keys.extend(file.contains(&key).then_some(key));
        }
        scan
    }

    proptest! {
        /// Whatever was asked before, an answer is what the file holds, and only a spent budget makes it shorter.
        #[test]
        fn what_is_known_is_what_the_file_holds(
            file in proptest::collection::btree_set(0i64..100, 0..60),
            acts in proptest::collection::vec(act(), 1..40),
        ) {
            let mut file = file;
            let mut known = Stretches::default();
            for act in acts {
                let (newest, from, below, enough, budget) = match act {
                    Act::Ask { newest, from, below, enough, budget } => (newest, from, below, enough, budget),
                    Act::Come { at, more } => {
                        file.extend(at..=at + more);
                        known.forget(at, at + more);
                        continue;
                    }
                };
                let first = if newest { First::Newest } else { First::Oldest };
                let mut left = budget;
                let found = known
                    .first(first, from, below, enough, |from, below, enough| {
                        Ok::<_, Infallible>(search(&file, first, from, below, enough, &mut left))
                    })
                    .unwrap();
                let mut wanted: Vec<i64> = file.range(from..below).copied().collect();
                if newest {
                    wanted.reverse();
                }
                wanted.truncate(enough);
                prop_assert!(wanted.starts_with(&found), "{found:?} of {wanted:?}");
                prop_assert!(left == 0 || found == wanted, "{found:?} instead of {wanted:?}");
                prop_assert!(known.parts.iter().all(|part| part.from < part.below));
                prop_assert!(known.parts.windows(2).all(|pair| pair[0].below < pair[1].from));
                prop_assert_eq!(known.len(), known.parts.iter().map(|p| p.keys.len()).sum::<usize>());
            }
        }
    }

    #[test]
    fn what_is_known_is_not_searched_for_again() {
        let file: BTreeSet<i64> = (0..100).collect();
        let mut known = Stretches::default();
        let mut searched = Vec::new();
        let mut ask = |from, below| {
            known
                .first(First::Newest, from, below, 1_000, |from, below, enough| {
                    searched.push((from, below));
                    Ok::<_, Infallible>(search(&file, First::Newest, from, below, enough, &mut 1_000))
                })
                .unwrap()
                .len()
        };
        assert_eq!((ask(40, 60), ask(20, 80), ask(10, 90)), (20, 60, 80));
        assert_eq!(searched, [(40, 60), (60, 80), (20, 40), (80, 90), (10, 20)]);
    }
}
