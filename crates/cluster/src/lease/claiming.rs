//! From a wish to an answer: read the lease, judge, write by compare-and-set, and again while others are faster.

use std::time::{Duration, Instant};

use cause::evidence::Act;
use model::Timestamp;

use super::contest::{Judged, judge};
use super::{Contender, Lease, Owner, Reign};

/// How long a conflict may take to settle; then the push is refused 18/102.
const SETTLE: Duration = Duration::from_secs(2);

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Read what stands under the key, and tell [`Claiming::read`].
    Read,
    /// Write this if the newest revision is still `expect`, and tell [`Claiming::written`].
    Write {
        /// 0 where there has never been one.
        expect: u64,
        /// The value.
        lease: Lease,
    },
    /// It is decided.
    Done(Outcome),
}

/// How a claim ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The node owns the key by this revision.
    Owns { revision: u64, lease: Lease },
    /// Another node's push carries the stream; this one waits.
    Waits { revision: u64, behind: Option<Reign> },
    /// The rules refuse the push.
    Refused(Act),
    /// Others were faster again and again, or what stands there cannot be read.
    Unsettled,
}

/// What a compare-and-set said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is the newest now, as this revision.
    As(u64),
    /// Another one was newer.
    TooLate,
}

/// One claim under way.
#[derive(Debug)]
pub(crate) struct Claiming {
    me: Contender,
    began: Instant,
    writes: Option<Lease>,
}

impl Claiming {
    pub fn begin(me: Contender, now: Instant) -> (Self, Step) {
        (Self { me, began: now, writes: None }, Step::Read)
    }

    /// What stands under the key: the newest revision, 0 for none; the lease, if it is not deleted; and what is known of
    /// its owner. `Err` for a value that cannot be read.
    pub fn read(
        &mut self,
        revision: u64,
        lease: Result<Option<(&Lease, Owner)>, ()>,
        now: Instant,
        wall: Timestamp,
    ) -> Step {
        let Ok(held) = lease else { return self.again(now) };
        match judge(&self.me, held, wall) {
            Judged::Take(lease) => {
                self.writes = Some(lease.clone());
                Step::Write { expect: revision, lease }
            }
            Judged::Wait => {
                let behind = held.map(|(lease, _)| lease.reign());
                Step::Done(Outcome::Waits { revision, behind })
            }
            Judged::Refuse(act) => Step::Done(Outcome::Refused(act)),
        }
    }

    /// What came of the write.
    pub fn written(&mut self, written: Written, now: Instant) -> Step {
        match (written, self.writes.take()) {
            (Written::As(revision), Some(lease)) => Step::Done(Outcome::Owns { revision, lease }),
            _ => self.again(now),
        }
    }

    fn again(&self, now: Instant) -> Step {
        match now.saturating_duration_since(self.began) < SETTLE {
            true => Step::Read,
            false => Step::Done(Outcome::Unsettled),
        }
    }
}
