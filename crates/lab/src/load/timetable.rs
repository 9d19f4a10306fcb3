//! When which publisher has to send.

use std::collections::VecDeque;
use std::time::Duration;

/// Turns that come again and again with one step, for many publishers. As the step is the same for all, the queue stays
/// in order by itself.
#[derive(Debug)]
pub(super) struct Timetable {
    step: Duration,
    turns: VecDeque<Turn>,
}

/// A publisher's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) at: Duration,
    pub(super) publisher: usize,
    /// Which of its connections; a turn of an older one is void.
    pub(super) life: u32,
}

impl Timetable {
    pub(super) fn new(step: Duration) -> Self {
        Self { step: step.max(Duration::from_micros(1)), turns: VecDeque::new() }
    }

    pub(super) fn step(&self) -> Duration {
        self.step
    }

    /// Enters a publisher. Each has its own place in a step, `share` of it, so that no two of them keep pace.
    pub(super) fn enter(&mut self, now: Duration, publisher: usize, life: u32, share: f64) {
        let place = self.step.mul_f64(share.clamp(0.0, 1.0));
        let steps = now.saturating_sub(place).as_nanos() / self.step.as_nanos() + 1;
        let at = place + self.step * u32::try_from(steps).unwrap_or(u32::MAX);
        let index = self.turns.partition_point(|turn| turn.at <= at);
        self.turns.insert(index, Turn { at, publisher, life });
    }

    /// When the next turn is.
    pub(super) fn next(&self) -> Option<Duration> {
        self.turns.front().map(|turn| turn.at)
    }

    /// A turn that has come.
    pub(super) fn due(&mut self, now: Duration) -> Option<Turn> {
        if self.next()? > now { None } else { self.turns.pop_front() }
    }

    /// The publisher goes on after its turn.
    pub(super) fn again(&mut self, turn: Turn) {
        self.turns.push_back(Turn { at: turn.at + self.step, ..turn });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_order_and_each_publisher_once_a_step() {
        let ms = Duration::from_millis;
        let mut table = Timetable::new(ms(30));
        for (publisher, share) in [(0, 0.0), (1, 0.5), (2, 0.25)] {
            table.enter(ms(100), publisher, 1, share);
        }
        let (mut seen, mut last) = (vec![0; 3], Duration::ZERO);
        while let Some(turn) = table.due(ms(100 + 30 * 10)) {
            assert!(turn.at >= last && turn.at > ms(100));
            last = turn.at;
            seen[turn.publisher] += 1;
            table.again(turn);
        }
        assert_eq!(seen, [10, 10, 10]);
    }
}
