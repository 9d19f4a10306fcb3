//! A viewer's end of a live stream.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use model::Timestamp;
use serde::Serialize;

use super::batch::Batch;
use super::cursor::Cursor;
use super::format::Format;
use super::group::{Back, Group, Joined, Member};
use super::headers::Headers;
use super::state::{Ended, Feed};
use crate::counters::Played;
use crate::socket::Line;

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
    /// Another node, on behalf of its own viewers.
    Node,
}

impl ViewerKind {
    /// All kinds, in the order in which counters keep them.
    pub const ALL: [Self; 8] = [
        Self::Rtmp,
        Self::Flv,
        Self::FlvWebsocket,
        Self::Hls,
        Self::Whep,
        Self::Relay,
        Self::Packager,
        Self::Node,
    ];

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
            Self::Node => "node",
        }
    }

    /// Whether it counts where viewers are counted.
    pub fn counts(self) -> bool {
        self != Self::Packager
    }

    /// Whether it is one for whom a stream is fetched from the node that carries it: a node that asks on behalf of its
    /// own viewers is none, so that streams are fetched from their owners only.
    pub(crate) fn may_be_fetched_for(self) -> bool {
        !matches!(self, Self::Packager | Self::Node | Self::Relay)
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
    /// Without those that the group has written that it is in.
    bytes_out: AtomicU64,
    skipped: AtomicU64,
    /// Its place in a group, which counts what is written to it there.
    member: Mutex<Option<Member>>,
}

impl Entry {
    pub(super) fn new(info: ViewerInfo) -> Self {
        let (bytes_out, skipped) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { info, bytes_out, skipped, member: Mutex::new(None) }
    }

    pub(super) fn info(&self) -> ViewerInfo {
        self.info
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes_out(&self) -> u64 {
        let member = self.member();
        self.bytes_out.load(Ordering::Relaxed) + member.as_ref().map_or(0, Member::wrote)
    }

    /// What it is sent is counted at its place in a group from here on.
    fn joined(&self, member: Member) {
        *self.member() = Some(member);
    }

    /// Takes it back from its group, and what the group has written into its own count.
    fn leave(&self, group: &Group) -> Option<Back> {
        let mut member = self.member();
        let back = group.take_back(member.take()?)?;
        self.sent(back.wrote);
        Some(back)
    }

    fn member(&self) -> MutexGuard<'_, Option<Member>> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn facts(&self, id: u64) -> ViewerFacts {
        ViewerFacts {
            id,
            kind: self.info.kind,
            client_ip: self.info.client.ip(),
            client_port: self.info.client.port(),
            since: self.info.since,
            bytes_out: self.bytes_out(),
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

/// What a viewer that groups may write to is to do itself.
#[derive(Debug)]
pub enum Served {
    /// To write a step, like any viewer.
    Step(Step),
    /// To write what a group has not: see [`Viewer::leave_group`].
    Rest(Vec<Bytes>),
}

/// One who watches a live stream; leaves on drop.
#[derive(Debug)]
pub struct Viewer {
    cursor: Cursor,
    entry: Arc<Entry>,
    played: Arc<Played>,
    id: u64,
    group: Option<(Arc<Group>, Member)>,
    /// Bytes that groups have written.
    groups_wrote: u64,
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
        let cursor = Cursor::new(feed.clone(), position);
        Self { cursor, entry, played, id, group: None, groups_wrote: 0 }
    }

    /// As [`Viewer::join`] where a push is there or being admitted: with that one it leaves, if it is refused.
    pub(crate) fn join_push(feed: &Arc<Feed>, info: ViewerInfo, played: Arc<Played>) -> Self {
        let refused = feed.lock().refused;
        let mut viewer = Self::join(feed, info, played);
        viewer.cursor.comes_for_push(refused);
        viewer
    }

    /// What comes next.
    pub async fn next(&mut self) -> Step {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Viewer::next`], for those who wait for other things too. Each task that waits has its own viewer.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.cursor.poll_next(cx).map(|step| self.counted(step))
    }

    /// What comes next, if it is there already: batches that came together can go out together.
    pub fn try_next(&mut self) -> Option<Step> {
        self.cursor.try_next().map(|step| self.counted(step))
    }

    /// As [`Viewer::poll_next`] for one who has written all that it was given: while it keeps up, a group writes to its
    /// line in this format, and it is woken only for what a group cannot do. Nobody else may write to the line before
    /// [`Viewer::leave_group`], or the [`Served::Rest`] that stands for it.
    pub fn poll_served(&mut self, cx: &mut Context<'_>, line: Option<(&Line, Format)>) -> Poll<Served> {
        if let Some((_, member)) = &self.group {
            ready!(member.poll_back(cx));
            return Poll::Ready(Served::Rest(self.leave_group()));
        }
        if let Some((line, format)) = line.filter(|_| self.cursor.at.is_within()) {
            if let Some(step) = self.try_next() {
                return Poll::Ready(Served::Step(step));
            }
            if self.join_group(line, format, cx) {
                return Poll::Pending;
            }
        }
        self.poll_next(cx).map(Served::Step)
    }

    /// Whether a group writes to it.
    pub fn is_in_group(&self) -> bool {
        self.group.is_some()
    }

    /// Goes on alone, with the headers of [`Viewer::headers`]; gives what it has to write before anything else.
    #[must_use = "the client has the beginning of it already"]
    pub fn leave_group(&mut self) -> Vec<Bytes> {
        let Some((group, _)) = self.group.take() else { return Vec::new() };
        let Some(Back { rest, at, wrote }) = self.entry.leave(&group) else { return Vec::new() };
        self.cursor.at = Arc::unwrap_or_clone(at);
        self.groups_wrote += wrote;
        rest
    }

    /// The headers that it was given last, by a step or within a group.
    pub fn headers(&self) -> Option<&Arc<Headers>> {
        self.cursor.at.headers.as_ref()
    }

    /// Bytes that groups have written to it, up to when it left the last one.
    pub(crate) fn groups_wrote(&self) -> u64 {
        self.groups_wrote
    }

    /// Goes on at the newest key frame, as after a pause; what lies between was not wanted, and is not counted as missed.
    pub fn skip_to_live(&mut self) {
        self.cursor.skip_to_live();
    }

    /// The viewer has lost what it needs to decode, and asks for a key frame.
    pub fn want_key(&self) {
        self.cursor.feed.want_key();
    }

    /// Counts bytes that went out to this viewer.
    pub fn sent(&self, bytes: u64) {
        self.entry.sent(bytes);
    }

    /// Who watches.
    pub fn info(&self) -> ViewerInfo {
        self.entry.info
    }

    /// Whether a push carries the stream, or did a moment ago.
    pub fn is_live(&self) -> bool {
        self.cursor.feed.is_on()
    }

    /// The headers as they stand now, before any frame has come.
    pub fn headers_now(&self) -> Arc<Headers> {
        self.cursor.feed.lock().headers.clone()
    }

    fn counted(&self, step: Step) -> Step {
        if let Step::Skipped { frames } = step {
            self.entry.skipped.fetch_add(frames, Ordering::Relaxed);
            self.played.skipped(self.entry.info.kind, frames);
        }
        step
    }

    fn join_group(&mut self, line: &Line, format: Format, cx: &Context<'_>) -> bool {
        let Cursor { feed, at, .. } = &self.cursor;
        let cursor = Cursor::resume(feed.clone(), at.clone());
        let joined = feed.groups.join(cursor, format, line.clone(), cx.waker().clone());
        let Some(Joined { group, member, task }) = joined else { return false };
        if let Some(task) = task {
            tokio::spawn(task.run());
        }
        self.entry.joined(member.clone());
        self.group = Some((group, member));
        true
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // Whatever it had to write is of no use any more.
        drop(self.leave_group());
        let left_behind = self.cursor.feed.lock().leave(self.id);
        left_behind.into_iter().for_each(std::task::Waker::wake);
        let info = self.entry.info;
        self.played.left(info.kind, self.entry.bytes_out());
    }
}
