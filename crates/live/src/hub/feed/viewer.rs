//! A viewer's end of a live stream.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use model::Timestamp;
use serde::Serialize;

use super::batch::Batch;
use super::headers::Headers;
use super::state::{Ended, Feed, Phase, State};
use crate::counters::Played;

/// How somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewerKind {
    /// RTMP play.
    Rtmp,
    /// FLV over HTTP.
    Flv,
    /// FLV over WebSocket.
    FlvWebsocket,
    /// HLS: one session of a player.
    Hls,
    /// WebRTC, set up by WHEP.
    Whep,
    /// A relay to another server.
    Relay,
    /// The packager of HLS. It watches on behalf of the players, and is nobody itself.
    Packager,
}

impl ViewerKind {
    /// All kinds, in the order in which counters keep them.
    pub const ALL: [Self; 7] =
        [Self::Rtmp, Self::Flv, Self::FlvWebsocket, Self::Hls, Self::Whep, Self::Relay, Self::Packager];

    /// Its name in lists and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Flv => "flv",
            Self::FlvWebsocket => "flv_websocket",
            Self::Hls => "hls",
            Self::Whep => "whep",
            Self::Relay => "relay",
            Self::Packager => "packager",
        }
    }

    /// Whether it counts where viewers are counted.
    pub fn counts(self) -> bool {
        self != Self::Packager
    }
}

/// Who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerInfo {
    /// How.
    pub kind: ViewerKind,
    /// From where; for a relay, its target.
    pub client: SocketAddr,
    /// Since when.
    pub since: Timestamp,
}

/// A viewer, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViewerFacts {
    /// Its number within the live stream.
    pub id: u64,
    /// How it watches.
    pub kind: ViewerKind,
    /// Its address.
    pub client_ip: std::net::IpAddr,
    /// Its port.
    pub client_port: u16,
    /// Since when.
    pub since: Timestamp,
    /// Media bytes that it was sent.
    pub bytes_out: u64,
    /// Frames that it missed because it was too slow.
    pub skipped: u64,
}

/// A viewer's numbers, shared with lists.
#[derive(Debug)]
pub(super) struct Entry {
    info: ViewerInfo,
    bytes_out: AtomicU64,
    skipped: AtomicU64,
}

impl Entry {
    pub(super) fn new(info: ViewerInfo) -> Self {
        Self { info, bytes_out: AtomicU64::new(0), skipped: AtomicU64::new(0) }
    }

    pub(super) fn info(&self) -> ViewerInfo {
        self.info
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    pub(super) fn facts(&self, id: u64) -> ViewerFacts {
        ViewerFacts {
            id,
            kind: self.info.kind,
            client_ip: self.info.client.ip(),
            client_port: self.info.client.port(),
            since: self.info.since,
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
        }
    }
}

/// What comes next for a viewer.
#[derive(Clone, Debug)]
pub enum Step {
    /// Headers that the next batch needs: at the start, and whenever they have changed. What differs from the ones
    /// before is in [`Headers::since`].
    Headers(Arc<Headers>),
    /// Frames.
    Batch(Arc<Batch>),
    /// The viewer was too slow, and goes on at a later key frame.
    Skipped {
        /// Frames that it missed.
        frames: u64,
    },
    /// Nothing more comes.
    Ended(Ended),
}

/// One who watches a live stream; leaves on drop.
#[derive(Debug)]
pub struct Viewer {
    feed: Arc<Feed>,
    entry: Arc<Entry>,
    played: Arc<Played>,
    id: u64,
    /// Sequence of the batch that comes next.
    position: u64,
    /// Only a batch that a player can begin with will do.
    needs_start: bool,
    /// Number of the frame that comes next if nothing is missed; `None` before the first.
    next_frame: Option<u64>,
    headers: Option<Arc<Headers>>,
    /// Where its waker lies: round and index.
    waits: Option<(u64, usize)>,
    /// It came for a push that was being admitted, when so many had been refused.
    came_for: Option<u64>,
}

impl Viewer {
    /// Joins a stream: it begins at its last key frame if that is still there, else at the next. Before the stream is
    /// live it waits for whatever push comes.
    pub(crate) fn join(feed: &Arc<Feed>, info: ViewerInfo, played: Arc<Played>) -> Self {
        let entry = Arc::new(Entry::new(info));
        played.came(info.kind);
        let mut state = feed.lock();
        // Without viewers, batches are long, and nobody waits for the one that is open.
        if state.viewers.is_empty() {
            state.hand_out(&feed.memory);
        }
        if state.start.is_none() {
            feed.want_key();
        }
        let position = state.start.unwrap_or(state.next_sequence);
        let id = state.enter(entry.clone());
        drop(state);
        Self {
            feed: feed.clone(),
            entry,
            played,
            id,
            position,
            needs_start: true,
            next_frame: None,
            headers: None,
            waits: None,
            came_for: None,
        }
    }

    /// As [`Viewer::join`] where a push is there or being admitted: with that one it leaves, if it is refused.
    pub(crate) fn join_push(feed: &Arc<Feed>, info: ViewerInfo, played: Arc<Played>) -> Self {
        let refused = feed.lock().refused;
        let mut viewer = Self::join(feed, info, played);
        viewer.came_for = Some(refused);
        viewer
    }

    /// What comes next.
    pub async fn next(&mut self) -> Step {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Viewer::next`], for those who wait for other things too. Each task that waits has its own viewer.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
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

    /// What comes next, if it is there already: batches that came together can go out together.
    pub fn try_next(&mut self) -> Option<Step> {
        let feed = self.feed.clone();
        let state = feed.lock();
        self.step(&state)
    }

    /// Goes on at the newest key frame, as after a pause; what lies between was not wanted, and is not counted as missed.
    pub fn skip_to_live(&mut self) {
        let state = self.feed.lock();
        let newest = state.start.unwrap_or(state.next_sequence);
        drop(state);
        if newest > self.position {
            self.position = newest;
            self.needs_start = true;
            self.next_frame = None;
        }
    }

    /// The viewer has lost what it needs to decode, and asks for a key frame.
    pub fn want_key(&self) {
        self.feed.want_key();
    }

    /// Counts bytes that went out to this viewer.
    pub fn sent(&self, bytes: u64) {
        self.entry.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Who watches.
    pub fn info(&self) -> ViewerInfo {
        self.entry.info
    }

    /// Whether a push carries the stream, or did a moment ago.
    pub fn is_live(&self) -> bool {
        self.feed.is_on()
    }

    /// The headers as they stand now, before any frame has come.
    pub fn headers_now(&self) -> Arc<Headers> {
        self.feed.lock().headers.clone()
    }

    fn step(&mut self, state: &State) -> Option<Step> {
        let batch = loop {
            if self.position >= state.next_sequence {
                return match state.phase {
                    Phase::Ended(why) => Some(Step::Ended(why)),
                    Phase::Awaited if self.came_for.is_some_and(|before| before != state.refused) => {
                        Some(Step::Ended(Ended::Unpublished))
                    }
                    _ => None,
                };
            }
            match state.at(self.position) {
                Some(batch) if self.needs_start && !batch.starts_with_key() => self.position += 1,
                Some(batch) => break batch,
                None => {
                    self.needs_start = true;
                    let oldest = state.ring.front().map_or(state.next_sequence, |batch| batch.sequence());
                    self.position = state.start.unwrap_or(oldest).max(self.position + 1);
                }
            }
        };
        let missed = self.next_frame.map_or(0, |next| batch.first_frame.saturating_sub(next));
        self.next_frame = Some(batch.first_frame);
        if missed > 0 {
            self.entry.skipped.fetch_add(missed, Ordering::Relaxed);
            self.played.skipped(self.entry.info.kind, missed);
            return Some(Step::Skipped { frames: missed });
        }
        if !self.headers.as_ref().is_some_and(|h| Arc::ptr_eq(h, batch.headers())) {
            self.headers = Some(batch.headers().clone());
            return Some(Step::Headers(batch.headers().clone()));
        }
        self.needs_start = false;
        self.position += 1;
        self.next_frame = Some(batch.first_frame + batch.frames().len() as u64);
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

impl Drop for Viewer {
    fn drop(&mut self) {
        let left_behind = self.feed.lock().leave(self.id);
        left_behind.into_iter().for_each(std::task::Waker::wake);
        let info = self.entry.info;
        self.played.left(info.kind, self.entry.bytes_out.load(Ordering::Relaxed));
    }
}
