//! A stream that another node carries, in the hub of this one: the pull that fetches it writes where a push would, and its
//! viewers are those of any stream.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::StreamKey;

use super::feed::{Ended, Writer};
use super::{Hub, LiveStream};

/// A pull's place in the hub; given back on drop, and what it carried then counts as lost.
#[must_use = "the pull leaves the hub when its place is dropped"]
#[derive(Debug)]
pub struct PullPlace {
    hub: Arc<Hub>,
    key: StreamKey,
    id: u64,
}

impl Hub {
    /// Enters a pull, in place of an earlier one of the stream.
    pub fn enter_pull(self: &Arc<Self>, key: &StreamKey) -> PullPlace {
        let id = self.next_writer.fetch_add(1, Ordering::Relaxed);
        let mut streams = self.lock();
        let stream = streams.entry(key.clone()).or_insert_with(|| self.stream());
        stream.pulled = Some((id, None));
        PullPlace { hub: self.clone(), key: key.clone(), id }
    }

    /// Whether there is something to play here: a push carries the stream, or one that is being admitted may soon.
    pub fn is_carried(&self, key: &StreamKey) -> bool {
        self.lock().get(key).is_some_and(|stream| stream.is_carried_here() || stream.feed.is_carried())
    }

    /// Whether somebody watches for whom the stream would be fetched from another node.
    pub fn is_watched_here(&self, key: &StreamKey) -> bool {
        let feed = self.lock().get(key).map(|stream| stream.feed.clone());
        feed.is_some_and(|feed| feed.is_watched_here())
    }

    /// Whether no more viewers are let in.
    pub fn has_no_room(&self) -> bool {
        self.is_full()
    }
}

impl LiveStream {
    /// Whether a push of this node carries the stream, or is about to.
    fn is_carried_here(&self) -> bool {
        !self.members.is_empty() && !self.elsewhere
    }
}

impl PullPlace {
    /// A writer for what comes from an owner, whose frames count from now on; `None` where a push of this node carries the
    /// stream, or another pull has taken this one's place.
    pub fn begin(&self) -> Option<Writer> {
        let number = self.hub.next_writer.fetch_add(1, Ordering::Relaxed);
        let mut streams = self.hub.lock();
        let stream = streams.get_mut(&self.key).filter(|stream| !stream.is_carried_here())?;
        let (_, writer) = stream.pulled.as_mut().filter(|(id, _)| *id == self.id)?;
        *writer = Some(number);
        stream.feed.carry(number);
        Some(Writer::new(stream.feed.clone(), self.hub.play.clone(), number))
    }

    /// What was begun is over, and its frames count no more; the viewers wait for another owner.
    pub fn lose(&self) {
        let mut streams = self.hub.lock();
        if let Some(stream) = streams.get_mut(&self.key) {
            stream.lose_pull(self.id);
        }
    }

    /// How many watch, those on behalf of whom HLS is packaged included.
    pub fn viewers(&self) -> usize {
        let feed = self.hub.lock().get(&self.key).map(|stream| stream.feed.clone());
        feed.map_or(0, |feed| feed.viewers())
    }

    /// Leaves, and sends the viewers away, unless a push of this node may go on with them.
    pub fn end(self, why: Ended) {
        let mut streams = self.hub.lock();
        let Some(stream) = streams.get_mut(&self.key) else { return };
        let carries = stream.lose_pull(self.id);
        let mine = stream.pulled.is_some_and(|(id, _)| id == self.id);
        if mine && stream.members.is_empty() && (carries || !stream.feed.is_carried()) {
            stream.end(why, &self.hub.memory);
        }
    }
}

impl LiveStream {
    /// Takes the stream away from a pull; false if it did not carry it.
    fn lose_pull(&mut self, id: u64) -> bool {
        let Some((_, writer)) = self.pulled.as_mut().filter(|(of, _)| *of == id) else { return false };
        let carries = writer.take().is_some_and(|number| self.feed.carrier() == Some(number));
        if carries {
            self.feed.lose();
        }
        carries
    }
}

impl Drop for PullPlace {
    fn drop(&mut self) {
        let mut streams = self.hub.lock();
        let Some(stream) = streams.get_mut(&self.key) else { return };
        stream.lose_pull(self.id);
        if stream.pulled.is_some_and(|(id, _)| id == self.id) {
            stream.pulled = None;
        }
        if !stream.is_needed() {
            streams.remove(&self.key);
        }
    }
}
