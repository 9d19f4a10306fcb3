//! One viewer's place in a group.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::round::Round;
use crate::hub::feed::cursor::Point;
use crate::hub::feed::viewer::Entry;
use crate::socket::Line;

/// A viewer in a group, shared by the group's task and the viewer's own. Whoever holds the lock may write to the socket:
/// it is free but for the moment in which the group's task does.
#[derive(Debug)]
pub(in crate::hub::feed) struct Member {
    entry: Arc<Entry>,
    seat: Mutex<Seat>,
}

#[derive(Debug)]
enum Seat {
    /// The group's task writes.
    Taken { line: Line, at: Arc<Point>, wrote: u64, own_task: Waker },
    /// The viewer's own task is to go on.
    HandedBack(Back),
    /// The viewer has gone, or has taken itself back.
    Empty,
}

/// A viewer as it comes back from a group.
#[derive(Debug)]
pub(in crate::hub::feed) struct Back {
    /// What is to be written before anything else.
    pub(in crate::hub::feed) rest: Vec<Bytes>,
    /// How far it is once that is written.
    pub(in crate::hub::feed) at: Arc<Point>,
    /// Bytes that the group has written to it.
    pub(in crate::hub::feed) wrote: u64,
}

/// What became of a member when it was given something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// It has all of it.
    All,
    /// It was handed back.
    HandedBack,
    /// It is no member any more.
    Gone,
}

impl Member {
    pub(in crate::hub::feed) fn new(entry: Arc<Entry>, line: Line, at: Point, own_task: Waker) -> Self {
        let seat = Seat::Taken { line, at: Arc::new(at), wrote: 0, own_task };
        Self { entry, seat: Mutex::new(seat) }
    }

    /// Writes what this member has not had of a round. `slices` are the round's pieces.
    pub(super) fn give(&self, round: &Round, slices: &[IoSlice<'_>]) -> Given {
        let mut seat = self.lock();
        let Seat::Taken { line, at, wrote, .. } = &mut *seat else { return Given::Gone };
        let from = round.begins_at(at.position);
        let slices = slices.get(from..).unwrap_or_default();
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        if all == 0 {
            return Given::All;
        }
        // What went wrong is met again by its own task, which can hear the client out.
        let count = line.try_write(slices).unwrap_or(0);
        *wrote += count as u64;
        self.entry.sent(count as u64);
        if count == all {
            at.clone_from(round.after());
            return Given::All;
        }
        let (at, wrote) = (round.after().clone(), *wrote);
        Self::hand_back(seat, Back { rest: round.rest(from, count), at, wrote })
    }

    /// Hands it back as it is.
    pub(super) fn dismiss(&self) -> Given {
        let seat = self.lock();
        let Seat::Taken { at, wrote, .. } = &*seat else { return Given::Gone };
        let back = Back { rest: Vec::new(), at: at.clone(), wrote: *wrote };
        Self::hand_back(seat, back)
    }

    /// Whether it has been handed back; its own task waits for that.
    pub(in crate::hub::feed) fn poll_back(&self, cx: &Context<'_>) -> Poll<()> {
        match &mut *self.lock() {
            Seat::Taken { own_task, .. } => {
                if !own_task.will_wake(cx.waker()) {
                    own_task.clone_from(cx.waker());
                }
                Poll::Pending
            }
            Seat::HandedBack(_) | Seat::Empty => Poll::Ready(()),
        }
    }

    /// Takes it out of the group. Says also whether it was a member until now.
    pub(in crate::hub::feed) fn take_back(&self) -> (Option<Back>, bool) {
        match std::mem::replace(&mut *self.lock(), Seat::Empty) {
            Seat::Taken { at, wrote, .. } => (Some(Back { rest: Vec::new(), at, wrote }), true),
            Seat::HandedBack(back) => (Some(back), false),
            Seat::Empty => (None, false),
        }
    }

    fn hand_back(mut seat: MutexGuard<'_, Seat>, back: Back) -> Given {
        let was = std::mem::replace(&mut *seat, Seat::HandedBack(back));
        drop(seat);
        if let Seat::Taken { own_task, .. } = was {
            own_task.wake();
        }
        Given::HandedBack
    }

    fn lock(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
