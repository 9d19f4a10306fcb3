//! A position in a live stream: where a viewer, or several that are equally far, go on.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::headers::Headers;
use super::state::{Ended, Feed, Phase, State};
use super::viewer::Step;

/// How far somebody is.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// Sequence of the batch that comes next.
    pub(super) position: u64,
    /// Only a batch that a player can begin with will do.
    pub(super) needs_start: bool,
    /// Number of the frame that comes next if nothing is missed; `None` before the first.
    next_frame: Option<u64>,
    /// The headers given last.
    pub(super) headers: Option<Arc<Headers>>,
}

impl Point {
    /// Whether media has been given, so that the next batch goes on with it.
    pub(super) fn is_within(&self) -> bool {
        !self.needs_start && self.next_frame.is_some()
    }
}

/// A [`Point`] in a feed, and the place where it waits for more.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) feed: Arc<Feed>,
    pub(super) at: Point,
    /// Where its waker lies: round and index.
    waits: Option<(u64, usize)>,
    /// It came for a push that was being admitted, when so many had been refused.
    came_for: Option<u64>,
}

impl Cursor {
    /// Begins with the first batch from this sequence on that a player can begin with.
    pub(super) fn new(feed: Arc<Feed>, position: u64) -> Self {
        let at = Point { position, needs_start: true, next_frame: None, headers: None };
        Self { feed, at, waits: None, came_for: None }
    }

    /// Goes on where another is.
    pub(super) fn resume(feed: Arc<Feed>, at: Point) -> Self {
        Self { feed, at, waits: None, came_for: None }
    }

    /// It ends with the push that is being admitted now, if that is refused; so many were refused before.
    pub(super) fn comes_for_push(&mut self, refused: u64) {
        self.came_for = Some(refused);
    }

    /// What comes next; the waker is called once there is more.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let feed = self.feed.clone();
        let mut state = feed.lock();
        match self.step(&state) {
            Some(step) => Poll::Ready(step),
            None => {
                self.wait(&mut state, cx);
                Poll::Pending
            }
        }
    }

    /// What comes next, if it is there already.
    pub(super) fn try_next(&mut self) -> Option<Step> {
        let feed = self.feed.clone();
        let state = feed.lock();
        self.step(&state)
    }

    /// Goes on at the newest key frame; what lies between was not wanted.
    pub(super) fn skip_to_live(&mut self) {
        let state = self.feed.lock();
        let newest = state.start.unwrap_or(state.next_sequence);
        drop(state);
        if newest > self.at.position {
            self.at = Point { position: newest, needs_start: true, next_frame: None, ..self.at.clone() };
        }
    }

    fn step(&mut self, state: &State) -> Option<Step> {
        let at = &mut self.at;
        let batch = loop {
            if at.position >= state.next_sequence {
                return match state.phase {
                    Phase::Ended(why) => Some(Step::Ended(why)),
                    Phase::Awaited if self.came_for.is_some_and(|before| before != state.refused) => {
                        Some(Step::Ended(Ended::Unpublished))
                    }
                    _ => None,
                };
            }
            match state.at(at.position) {
                Some(batch) if at.needs_start && !batch.starts_with_key() => at.position += 1,
                Some(batch) => break batch,
                None => {
                    at.needs_start = true;
                    let oldest = state.ring.front().map_or(state.next_sequence, |batch| batch.sequence());
                    at.position = state.start.unwrap_or(oldest).max(at.position + 1);
                }
            }
        };
        let missed = at.next_frame.map_or(0, |next| batch.first_frame.saturating_sub(next));
        at.next_frame = Some(batch.first_frame);
        if missed > 0 {
            return Some(Step::Skipped { frames: missed });
        }
        if !at.headers.as_ref().is_some_and(|h| Arc::ptr_eq(h, batch.headers())) {
            at.headers = Some(batch.headers().clone());
            return Some(Step::Headers(batch.headers().clone()));
        }
        at.needs_start = false;
        at.position += 1;
        at.next_frame = Some(batch.first_frame + batch.frames().len() as u64);
        Some(Step::Batch(batch.clone()))
    }

    fn wait(&mut self, state: &mut State, cx: &Context<'_>) {
        if let Some((round, index)) = self.waits
            && round == state.round
            && let Some(waker) = state.wakers.get_mut(index)
        {
            if !waker.will_wake(cx.waker()) {
                waker.clone_from(cx.waker());
            }
            return;
        }
        self.waits = Some((state.round, state.wakers.len()));
        state.wakers.push(cx.waker().clone());
    }
}
