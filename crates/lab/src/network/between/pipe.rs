//! One direction of a path: takes packets, and says which come out when. Sans-I/O; time is what the caller says it is,
//! counted from any beginning.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::conditions::Conditions;
use super::dice::Dice;

/// Packets held at most; more than any bottleneck's queue, and a bound on memory.
pub const MOST_PACKETS: usize = 20_000;

/// One direction of a path.
#[derive(Debug)]
pub struct Pipe {
    conditions: Conditions,
    dice: Dice,
    /// Before the bottleneck.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The bottleneck is busy with the packet before until then.
    busy_until: Duration,
    /// Behind the bottleneck, on the way.
    flying: BinaryHeap<Reverse<Flying>>,
    /// Packets that keep their order arrive no earlier than this.
    last_due: Duration,
    taken: u64,
}

/// A packet before the bottleneck.
#[derive(Debug)]
struct Waiting {
    since: Duration,
    packet: Vec<u8>,
}

/// A packet on its way; the earliest is the least.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flying {
    due: Duration,
    number: u64,
    packet: Vec<u8>,
}

impl Pipe {
    /// A path in this state. The same seed loses the same packets.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            dice: Dice::new(seed),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            busy_until: Duration::ZERO,
            flying: BinaryHeap::new(),
            last_due: Duration::ZERO,
            taken: 0,
        }
    }

    /// From `now` on the path is in this state. Packets behind the bottleneck keep their time.
    pub fn change(&mut self, now: Duration, conditions: Conditions) {
        self.advance(now);
        self.conditions = conditions;
        if conditions.black_hole {
            self.waiting.clear();
            self.waiting_bytes = 0;
            self.flying.clear();
        }
        self.advance(now);
    }

    /// A packet enters.
    pub fn push(&mut self, now: Duration, packet: Vec<u8>) {
        self.advance(now);
        let conditions = self.conditions;
        let swallowed = conditions.black_hole
            || conditions.largest.is_some_and(|largest| packet.len() > largest)
            || self.dice.hits(conditions.loss)
            || self.held() >= MOST_PACKETS;
        if swallowed {
            return;
        }
        if self.dice.hits(conditions.duplicate) {
            self.queue(now, packet.clone());
        }
        self.queue(now, packet);
        self.advance(now);
    }

    /// The next packet that has come out by `now`.
    pub fn pop(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.advance(now);
        if self.flying.peek()?.0.due > now {
            return None;
        }
        self.flying.pop().map(|Reverse(flying)| flying.packet)
    }

    /// When to look again; nothing is on its way where there is no such time.
    pub fn next_due(&self) -> Option<Duration> {
        let starts = (!self.waiting.is_empty()).then_some(self.busy_until);
        let arrives = self.flying.peek().map(|Reverse(flying)| flying.due);
        starts.into_iter().chain(arrives).min()
    }

    /// Packets in the path.
    pub fn held(&self) -> usize {
        self.waiting.len().saturating_add(self.flying.len())
    }

    fn queue(&mut self, now: Duration, packet: Vec<u8>) {
        if let Some(rate) = self.conditions.rate {
            let before =
                self.busy_until.saturating_sub(now).saturating_add(rate.time_for(self.waiting_bytes));
            if before > rate.queue {
                return;
            }
        }
        self.waiting_bytes = self.waiting_bytes.saturating_add(packet.len());
        self.waiting.push_back(Waiting { since: now, packet });
    }

    /// Lets through the bottleneck what it has had time for.
    fn advance(&mut self, now: Duration) {
        while self.conditions.rate.is_none() || self.busy_until <= now {
            let Some(Waiting { since, packet }) = self.waiting.pop_front() else { return };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(packet.len());
            let left = match self.conditions.rate {
                Some(rate) => self.busy_until.max(since).saturating_add(rate.time_for(packet.len())),
                None => now,
            };
            self.busy_until = left;
            self.fly(left, packet);
        }
    }

    fn fly(&mut self, left: Duration, packet: Vec<u8>) {
        let Conditions { delay, jitter, reorder, reorder_by, .. } = self.conditions;
        let arrives = left.saturating_add(delay).saturating_add(jitter.mul_f64(self.dice.share()));
        let due = if self.dice.hits(reorder) {
            arrives.saturating_add(reorder_by)
        } else {
            self.last_due = self.last_due.max(arrives);
            self.last_due
        };
        self.taken = self.taken.wrapping_add(1);
        self.flying.push(Reverse(Flying { due, number: self.taken, packet }));
    }
}

#[cfg(test)]
mod tests;
