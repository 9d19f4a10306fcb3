//! The places of a group's members.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::round::Round;
use crate::hub::feed::cursor::Point;
use crate::socket::Line;

/// Places side by side. What a group's task needs of a member lies in its place and nowhere else, one line of the
/// processor's cache after another: of hundreds of members all memory has gone cold when the next batch comes.
pub(super) type Row = Arc<[Place]>;

/// A place for one viewer. Whoever holds the lock may write to the socket: it is free but for the moment in which the
/// group's task does.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Place(Mutex<Seat>);

const _: () = assert!(size_of::<Place>() == 64, "a place is one line of the cache");

#[derive(Debug, Default)]
enum Seat {
    /// Nobody's, or the viewer has taken itself back.
    #[default]
    Empty,
    /// The group's task writes.
    Taken(Taken),
    /// The viewer's own task is to go on.
    HandedBack(Back),
}

/// What is known of a viewer whom the group's task writes to.
#[derive(Debug)]
pub(super) struct Taken {
    line: Line,
    at: Arc<Point>,
    /// Bytes that the group has written to it.
    wrote: u64,
    own_task: Waker,
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

/// What became of a place when something was given to whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Its member has all of it.
    All,
    /// Its member was handed back.
    HandedBack,
    /// It has no member.
    Nobody,
}

/// A viewer's hold on its place.
#[derive(Clone, Debug)]
pub(in crate::hub::feed) struct Member {
    row: Row,
    index: usize,
}

/// A new row, and a hold on each of its places.
pub(super) fn row(size: usize) -> (Row, impl DoubleEndedIterator<Item = Member>) {
    let row: Row = (0..size).map(|_| Place::default()).collect();
    let places = row.clone();
    (row, (0..size).map(move |index| Member { row: places.clone(), index }))
}

impl Taken {
    pub(super) fn new(line: Line, at: Point, own_task: Waker) -> Self {
        Self { line, at: Arc::new(at), wrote: 0, own_task }
    }
}

impl Place {
    /// Writes what its member has not had of a round. `slices` are the round's pieces.
    pub(super) fn give(&self, round: &Round, slices: &[IoSlice<'_>]) -> Given {
        let mut seat = self.lock();
        let Seat::Taken(Taken { line, at, wrote, .. }) = &mut *seat else { return Given::Nobody };
        let from = round.begins_at(at.position);
        let slices = slices.get(from..).unwrap_or_default();
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        if all == 0 {
            return Given::All;
        }
        // What went wrong is met again by its own task, which can hear the client out.
        let count = line.write_at_once(slices).unwrap_or(0);
        *wrote += count as u64;
        if count == all {
            at.clone_from(round.after());
            return Given::All;
        }
        let (at, wrote) = (round.after().clone(), *wrote);
        Self::hand_back(seat, Back { rest: round.rest(from, count), at, wrote })
    }

    /// Hands its member back as it is.
    pub(super) fn dismiss(&self) -> Given {
        let seat = self.lock();
        let Seat::Taken(Taken { at, wrote, .. }) = &*seat else { return Given::Nobody };
        let back = Back { rest: Vec::new(), at: at.clone(), wrote: *wrote };
        Self::hand_back(seat, back)
    }

    fn hand_back(mut seat: MutexGuard<'_, Seat>, back: Back) -> Given {
        let was = std::mem::replace(&mut *seat, Seat::HandedBack(back));
        drop(seat);
        if let Seat::Taken(Taken { own_task, .. }) = was {
            own_task.wake();
        }
        Given::HandedBack
    }

    fn lock(&self) -> MutexGuard<'_, Seat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// Takes a place that is empty.
    pub(super) fn sit(&self, taken: Taken) {
        self.with(|seat| *seat = Seat::Taken(taken));
    }

    /// Whether it has been handed back; its own task waits for that.
    pub(in crate::hub::feed) fn poll_back(&self, cx: &Context<'_>) -> Poll<()> {
        let poll = self.with(|seat| match seat {
            Seat::Taken(Taken { own_task, .. }) => {
                if !own_task.will_wake(cx.waker()) {
                    own_task.clone_from(cx.waker());
                }
                Poll::Pending
            }
            Seat::HandedBack(_) | Seat::Empty => Poll::Ready(()),
        });
        poll.unwrap_or(Poll::Ready(()))
    }

    /// Bytes that the group has written to it.
    pub(in crate::hub::feed) fn wrote(&self) -> u64 {
        let wrote = self.with(|seat| match seat {
            Seat::Taken(Taken { wrote, .. }) | Seat::HandedBack(Back { wrote, .. }) => *wrote,
            Seat::Empty => 0,
        });
        wrote.unwrap_or(0)
    }

    /// Takes it out of its place. Says also whether it was a member until now.
    pub(super) fn take_back(&self) -> (Option<Back>, bool) {
        match self.with(std::mem::take).unwrap_or_default() {
            Seat::Taken(Taken { at, wrote, .. }) => (Some(Back { rest: Vec::new(), at, wrote }), true),
            Seat::HandedBack(back) => (Some(back), false),
            Seat::Empty => (None, false),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Seat) -> T) -> Option<T> {
        self.row.get(self.index).map(|place| look(&mut place.lock()))
    }
}
