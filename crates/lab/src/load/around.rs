//! What a connection of the load works with, and what comes of its work.

use std::time::{Duration, Instant};

use super::media::Media;
use super::place::Place;
use super::socket::Sent;
use super::tally::Tally;

/// What all connections share.
pub(super) struct Around<'a> {
    /// When the load began.
    pub(super) start: Instant,
    /// Since then.
    pub(super) now: Duration,
    /// Where everything is read into.
    pub(super) scratch: &'a mut [u8],
    pub(super) place: &'a Place,
    pub(super) media: &'a mut Media,
    pub(super) tally: &'a mut Tally,
}

impl Around<'_> {
    /// The moment that is now.
    pub(super) fn instant(&self) -> Instant {
        self.start + self.now
    }
}

/// What came of something that a connection did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing that others need to know.
    Nothing,
    /// It is live, or plays.
    Live,
    /// It is over.
    Ended(Ending),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server said no.
    Refused(String),
    /// It was lost.
    Lost(String),
    /// It left because it was told to.
    Left,
}

impl Tally {
    pub(super) fn sent(&mut self, sent: Sent, bytes: usize) {
        if !self.measuring {
            return;
        }
        match sent {
            Sent::Yes => {
                self.sent_bytes += bytes as u64;
                self.sent_messages += 1;
            }
            Sent::HeldBack => self.held_back += 1,
        }
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
