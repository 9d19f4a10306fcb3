//! The task that writes to a group.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::Group;
use super::member::{Given, Row};
use super::round::Round;
use crate::hub::feed::batch::Batch;
use crate::hub::feed::cursor::Cursor;
use crate::hub::feed::headers::Headers;
use crate::hub::feed::viewer::Step;

/// Batches that came together go out together up to about this many bytes, and this many pieces.
const TOGETHER: usize = 256 * 1024;
const PIECES: usize = 32;
/// Pieces of one batch at most, its headers among them.
const MOST: usize = 5;
/// After so many writes others on this thread have their turn: well below a millisecond.
const AT_A_TIME: usize = 64;

/// Writes to the members of one group for as long as there are any. Those who are left are handed back when it goes,
/// however it goes.
pub(in crate::hub::feed) struct GroupTask {
    group: Arc<Group>,
    cursor: Cursor,
    /// The places of its members; further rows lie behind the door.
    rows: Vec<Row>,
    /// What the members know.
    headers: Option<Arc<Headers>>,
    /// Headers that go out before the next batch.
    next_headers: Option<Arc<Headers>>,
}

impl GroupTask {
    pub(super) fn new(group: Arc<Group>, cursor: Cursor) -> Self {
        let headers = cursor.at.headers.clone();
        Self { group, cursor, rows: Vec::new(), headers, next_headers: None }
    }

    pub(in crate::hub::feed) async fn run(mut self) {
        while let Some(round) = poll_fn(|cx| self.poll_round(cx)).await {
            let slices = round.slices();
            let mut turns = 0;
            for place in self.rows.iter().flat_map(|row| row.iter()) {
                match place.give(&round, &slices) {
                    Given::All => {}
                    Given::HandedBack => self.group.left(),
                    Given::Nobody => continue,
                }
                turns += 1;
                if turns % AT_A_TIME == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// What is to be written next; `None` when there is nobody, or nothing, to write to.
    fn poll_round(&mut self, cx: &mut Context<'_>) -> Poll<Option<Round>> {
        let mut pieces = Vec::new();
        let mut bytes = 0;
        loop {
            let step = if pieces.is_empty() { self.cursor.poll_next(cx) } else { self.more() };
            match step {
                Poll::Ready(Step::Headers(headers)) => self.next_headers = Some(headers),
                Poll::Ready(Step::Batch(batch)) => {
                    bytes += self.frame(&batch, &mut pieces);
                    if bytes >= TOGETHER || pieces.len() + MOST > PIECES {
                        break;
                    }
                }
                // Each counts for itself what it has missed; and what ended is met again by each.
                Poll::Ready(Step::Skipped { .. } | Step::Ended(_)) => return Poll::Ready(None),
                Poll::Pending if pieces.is_empty() => {
                    self.group.door().task = Some(cx.waker().clone());
                    return if self.group.size() == 0 { Poll::Ready(None) } else { Poll::Pending };
                }
                Poll::Pending => break,
            }
        }
        let after = self.cursor.at.clone();
        self.look_behind_the_door(Some(after.position));
        Poll::Ready(Some(Round::new(pieces, after)))
    }

    /// Gets to know new rows. Who waits for a batch before `position` comes too late from here on.
    fn look_behind_the_door(&mut self, position: Option<u64>) {
        let mut door = self.group.door();
        door.position = position.unwrap_or(door.position);
        self.rows.extend(door.rows.iter().skip(self.rows.len()).cloned());
    }

    /// A further step of what has come already, unless the end comes: that is for the next time.
    fn more(&mut self) -> Poll<Step> {
        let before = self.cursor.at.clone();
        match self.cursor.try_next() {
            Some(step @ (Step::Headers(_) | Step::Batch(_))) => Poll::Ready(step),
            Some(Step::Skipped { .. } | Step::Ended(_)) => {
                self.cursor.at = before;
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    /// Adds a batch; gives its size.
    fn frame(&mut self, batch: &Batch, pieces: &mut Vec<(u64, Bytes)>) -> usize {
        if let Some(headers) = self.next_headers.take() {
            let known = self.headers.as_deref();
            let add = |piece| pieces.push((batch.sequence(), piece));
            self.group.format.headers(&headers, known, batch.timestamp(), add);
            self.headers = Some(headers);
        }
        let mut size = 0;
        self.group.format.batch(batch, |piece| {
            size += piece.len();
            pieces.push((batch.sequence(), piece));
        });
        size
    }
}

impl Drop for GroupTask {
    fn drop(&mut self) {
        // Nobody joins a group that is not in the list.
        self.cursor.feed.groups.lock().retain(|group| !Arc::ptr_eq(group, &self.group));
        self.look_behind_the_door(None);
        for place in self.rows.iter().flat_map(|row| row.iter()) {
            if place.dismiss() == Given::HandedBack {
                self.group.left();
            }
        }
    }
}
