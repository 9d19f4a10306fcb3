//! A place among the viewers of a live stream, for one who is served otherwise.

use std::sync::Arc;

use super::state::Feed;
use super::viewer::{Entry, ViewerInfo};
use crate::counters::Played;

/// Counts as a viewer, and is in the list of them, but takes its media elsewhere: a player of HLS. Leaves on drop.
#[derive(Debug)]
pub struct Seat {
    feed: Arc<Feed>,
    entry: Arc<Entry>,
    played: Arc<Played>,
    id: u64,
}

impl Seat {
    pub(crate) fn take(feed: &Arc<Feed>, info: ViewerInfo, played: Arc<Played>) -> Self {
        let entry = Arc::new(Entry::new(info));
        played.came(info.kind);
        let id = feed.lock().enter(entry.clone());
        Self { feed: feed.clone(), entry, played, id }
    }

    /// Counts bytes that went out to this viewer.
    pub fn sent(&self, bytes: u64) {
        self.entry.sent(bytes);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let left_behind = self.feed.lock().leave(self.id);
        left_behind.into_iter().for_each(std::task::Waker::wake);
        self.played.left(self.entry.info().kind, self.entry.bytes_out());
    }
}
