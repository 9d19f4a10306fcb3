//! The timeline of a push: one [`Sample`] a second, rolled up as it ages so that it stays small however long the push
//! lives.
//!
//! | part | a sample spans | kept |
//! |---|---|---|
//! | fine | 1 s | the last 5 minutes |
//! | middle | 10 s | the last hour |
//! | buckets | 10 s, doubled whenever the buckets are full | everything before, in at most 60 buckets |
//!
//! Samples follow each other without holes: each covers the time since the one before it, so that a late tick makes a
//! longer sample, never a wrong rate.

mod float;
mod sample;
mod stored;

use std::collections::VecDeque;

pub use sample::Sample;
use sample::{MAX_SPAN_S, PACKED_LEN, Packed, Sum};

/// Samples of the fine part: 5 minutes of seconds.
const FINE: usize = 300;
/// Samples of the middle part: what an hour holds besides the fine part.
const MIDDLE: usize = 330;
/// Buckets for all that is older.
const BUCKETS: usize = 48;
/// Buckets that stored evidence may have; earlier versions kept more.
const STORED_BUCKETS: usize = 60;
/// Seconds that a sample of the middle part spans, and the first width of a bucket.
const MIDDLE_SPAN_S: u32 = 10;
/// Samples by which memory grows; most pushes are short.
const GROWTH: usize = 30;

/// One sample a second, rolled up with age. At most 10 KiB.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Seconds from connecting to the end of the newest sample.
    end_s: u32,
    fine: VecDeque<Packed>,
    middle: Part,
    buckets: Part,
    /// Width of a bucket, seconds.
    width_s: u32,
}

/// A part whose samples are summed from finer ones; the newest is still being summed.
#[derive(Clone, Debug, Default)]
struct Part {
    closed: VecDeque<Packed>,
    open: Sum,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            end_s: 0,
            fine: VecDeque::new(),
            middle: Part::default(),
            buckets: Part::default(),
            width_s: MIDDLE_SPAN_S,
        }
    }
}

impl Timeline {
    /// Takes the next sample, once a second.
    ///
    /// The span runs from the end of the sample before; `span_s` counts only for the first. A sample that does not
    /// lie after the one before it (a second tick within a second) is added to that one.
    pub fn push(&mut self, sample: Sample) {
        match self.fine.pop_back() {
            Some(last) if sample.at_s <= self.end_s => {
                let again = Sample { span_s: 0, ..sample };
                let sum = Sum::of(&[last.sample(self.end_s), again]).sample(self.end_s);
                self.fine.push_back(Packed::new(&sum));
            }
            last => {
                let first = last.is_none();
                self.fine.extend(last);
                let span_s = if first { sample.span_s } else { sample.at_s.saturating_sub(self.end_s) };
                self.end_s = sample.at_s;
                self.push_fine(Packed::new(&Sample { span_s: span_s.clamp(1, MAX_SPAN_S), ..sample }));
            }
        }
    }

    fn push_fine(&mut self, packed: Packed) {
        while self.fine.len() >= FINE {
            let Some(oldest) = self.fine.pop_front() else { break };
            if let Some(full) = self.middle.add(oldest, MIDDLE_SPAN_S) {
                self.push_middle(full);
            }
        }
        push_back(&mut self.fine, packed, FINE);
    }

    fn push_middle(&mut self, packed: Packed) {
        while self.middle.closed.len() >= MIDDLE {
            let Some(oldest) = self.middle.closed.pop_front() else { break };
            if let Some(full) = self.buckets.add(oldest, self.width_s) {
                self.push_bucket(full);
            }
        }
        push_back(&mut self.middle.closed, packed, MIDDLE);
    }

    fn push_bucket(&mut self, packed: Packed) {
        if self.buckets.closed.len() >= BUCKETS {
            let width_s = self.width_s.saturating_mul(2);
            if width_s > MAX_SPAN_S {
                self.buckets.closed.pop_front();
            } else {
                self.width_s = width_s;
                self.buckets.pair_up();
                // Half as wide as its neighbours now: it goes on being summed.
                self.buckets.open = Sum::of(&[packed.sample(0), self.buckets.open.sample(0)]);
                return;
            }
        }
        push_back(&mut self.buckets.closed, packed, BUCKETS);
    }

    /// The fine part, oldest first: as a rule the last 300 seconds, one sample each.
    pub fn seconds(&self) -> impl DoubleEndedIterator<Item = Sample> + Clone + '_ {
        let mut ends = Vec::with_capacity(self.fine.len());
        let mut end_s = self.end_s;
        for packed in self.fine.iter().rev() {
            ends.push(packed.sample(end_s));
            end_s = end_s.saturating_sub(packed.span_s());
        }
        ends.into_iter().rev()
    }

    /// Every sample, oldest first, with spans that shorten towards the end.
    pub fn all(&self) -> impl Iterator<Item = Sample> + '_ {
        let parts = [self.buckets.samples(), self.middle.samples(), self.fine.iter().copied().collect()];
        let mut samples = Vec::with_capacity(self.len());
        let mut end_s = self.end_s;
        for packed in parts.iter().rev().flat_map(|part| part.iter().rev()) {
            samples.push(packed.sample(end_s));
            end_s = end_s.saturating_sub(packed.span_s());
        }
        samples.into_iter().rev()
    }

    /// Number of samples that [`Timeline::all`] gives.
    pub fn len(&self) -> usize {
        self.buckets.len() + self.middle.len() + self.fine.len()
    }

    /// Whether no sample was taken yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory in use besides the struct itself.
    pub fn heap_bytes(&self) -> usize {
        let parts = [self.fine.capacity(), self.middle.closed.capacity(), self.buckets.closed.capacity()];
        parts.iter().sum::<usize>() * PACKED_LEN
    }

    /// Forgets the oldest samples beyond the newest `keep`: how evidence that is too large is thinned.
    pub(crate) fn keep_newest(&mut self, keep: usize) {
        let mut excess = self.len().saturating_sub(keep);
        for part in [&mut self.buckets, &mut self.middle] {
            excess = part.drop_oldest(excess);
        }
        self.fine.drain(..excess.min(self.fine.len()));
    }
}

/// Two timelines are equal when they show the same samples.
impl PartialEq for Timeline {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.all().eq(other.all())
    }
}

impl Part {
    /// Adds a finer sample; gives back the sample that became full, if one did.
    fn add(&mut self, next: Packed, span_s: u32) -> Option<Packed> {
        let next = next.sample(0);
        let full = self.open.span_s() > 0 && self.open.span_s().saturating_add(next.span_s) > span_s;
        let closed = full.then(|| Packed::new(&std::mem::take(&mut self.open).sample(0)));
        self.open.add(&next);
        closed
    }

    /// Halves the closed samples by joining neighbours.
    fn pair_up(&mut self) {
        let (a, b) = self.closed.as_slices();
        let samples: Vec<Sample> = a.iter().chain(b).map(|p| p.sample(0)).collect();
        self.closed.clear();
        self.closed.extend(samples.chunks(2).map(|pair| Packed::new(&Sum::of(pair).sample(0))));
    }

    fn open(&self) -> Option<Packed> {
        (self.open.span_s() > 0).then(|| Packed::new(&self.open.sample(0)))
    }

    fn samples(&self) -> Vec<Packed> {
        self.closed.iter().copied().chain(self.open()).collect()
    }

    fn len(&self) -> usize {
        self.closed.len() + usize::from(self.open.span_s() > 0)
    }

    /// Drops up to `count` of the oldest samples and gives back how many are still to be dropped.
    fn drop_oldest(&mut self, count: usize) -> usize {
        let closed = count.min(self.closed.len());
        self.closed.drain(..closed);
        let mut left = count - closed;
        if left > 0 && self.open.span_s() > 0 {
            self.open = Sum::default();
            left -= 1;
        }
        left
    }
}

/// Appends, growing by small steps up to `limit` samples.
fn push_back(samples: &mut VecDeque<Packed>, packed: Packed, limit: usize) {
    if samples.len() == samples.capacity() {
        samples.reserve_exact(GROWTH.min(limit.saturating_sub(samples.len())));
    }
    samples.push_back(packed);
}

#[cfg(test)]
mod tests;
