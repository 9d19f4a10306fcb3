//! The message streams of one connection.

use crate::fault::Stage;

/// What a message stream is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Idle,
    Publishing,
    Playing,
}

/// The message streams that createStream gave and deleteStream has not taken.
#[derive(Debug)]
pub(super) struct MessageStreams {
    streams: Vec<(u32, Use)>,
    limit: usize,
}

impl MessageStreams {
    pub(super) fn new(limit: usize) -> Self {
        Self { streams: Vec::new(), limit }
    }

    /// The lowest id that is free, from 1 on: some encoders publish on stream 1 whatever they were given.
    pub(super) fn create(&mut self) -> Option<u32> {
        if self.streams.len() >= self.limit {
            return None;
        }
        let id = (1..=u32::MAX).find(|id| self.streams.iter().all(|(taken, _)| taken != id))?;
        self.streams.push((id, Use::Idle));
        Some(id)
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.streams.iter().any(|(taken, _)| *taken == id)
    }

    pub(super) fn set(&mut self, id: u32, now: Use) {
        if let Some((_, state)) = self.streams.iter_mut().find(|(taken, _)| *taken == id) {
            *state = now;
        }
    }

    pub(super) fn delete(&mut self, id: u32) {
        self.streams.retain(|(taken, _)| *taken != id);
    }

    /// The id, where there is exactly one stream.
    pub(super) fn only(&self) -> Option<u32> {
        match *self.streams {
            [(id, _)] => Some(id),
            _ => None,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The furthest that any of them has come.
    pub(super) fn stage(&self) -> Stage {
        let any = |wanted| self.streams.iter().any(|(_, state)| *state == wanted);
        if any(Use::Publishing) {
            Stage::Publishing
        } else if any(Use::Playing) {
            Stage::Playing
        } else if self.streams.is_empty() {
            Stage::Connected
        } else {
            Stage::StreamCreated
        }
    }
}
