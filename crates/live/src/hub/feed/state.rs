//! What the push and the viewers of a live stream share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::frame::{Frame, FrameKind};
use super::group::Groups;
use super::headers::Headers;
use super::memory::{MediaMemory, Share};
use super::timeline::{self, Timeline};
use super::viewer::{Entry, ViewerFacts};
use crate::config::PlayConfig;

/// While nobody watches, batches are this long, ms: the first viewer finds them, and few are made.
const UNWATCHED_MERGE: u32 = 1000;
/// Frames of one batch at most, whatever their timestamps say.
const LONGEST_BATCH: usize = 256;
/// Bytes of the open batch that may be held and not counted: the count is shared by all streams, and costs.
const UNCOUNTED: usize = 4 * 1024;
/// Without video for this long, ms, a stream counts as one without: a viewer may begin anywhere.
const NO_VIDEO_AFTER: u32 = 2000;

/// Why viewers are sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The push ended in an orderly way, or was ended.
    Unpublished,
    /// The push was lost, and nobody took its place in time.
    Lost,
}

/// How far a live stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Viewers wait for the first push.
    Awaited,
    /// A push carries it.
    Live,
    /// Its push was lost; viewers wait for the next.
    Lost {
        /// When that was first seen.
        since: Option<Instant>,
    },
    /// It is over.
    Ended(Ended),
}

/// The frames of one live stream.
#[derive(Debug)]
pub struct Feed {
    state: Mutex<State>,
    pub(super) memory: Arc<MediaMemory>,
    /// Who is written to together.
    pub(super) groups: Groups,
    /// A viewer cannot begin, or go on, before the next key frame.
    key_wanted: AtomicBool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The number of the push whose frames count.
    pub(super) carrier: Option<u64>,
    /// The carrier has begun: its first frame has been taken.
    pub(super) begun: bool,
    /// Counts the pushes that left before they went live.
    pub(super) refused: u64,
    pub(super) timeline: Timeline,
    pub(super) headers: Arc<Headers>,
    pub(super) ring: VecDeque<Arc<Batch>>,
    /// Sequence of the newest batch in the ring at which a player can begin.
    pub(super) start: Option<u64>,
    pub(super) next_sequence: u64,
    next_frame: u64,
    open: Vec<Frame>,
    open_bytes: usize,
    /// What the open batch holds, but for [`UNCOUNTED`].
    open_share: Share,
    /// When the oldest frame came that viewers have not been woken for.
    pub(super) waits_since: Option<Instant>,
    /// Timestamp of the newest video frame.
    last_video: Option<u32>,
    pub(super) viewers: HashMap<u64, Arc<Entry>>,
    next_viewer: u64,
    pub(super) wakers: Vec<Waker>,
    /// Counts how often the wakers were taken.
    pub(super) round: u64,
}

/// The viewers of a live stream and what is kept for them, for lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cached {
    /// How many watch.
    pub viewers: usize,
    /// Media from the last key frame on, ms.
    pub gop_ms: u32,
    /// Bytes held, framed copies included.
    pub cached_bytes: usize,
    /// Media that slow viewers may still get, ms.
    pub queue_ms: u32,
}

impl Feed {
    /// A stream that nobody publishes yet.
    pub(crate) fn new(memory: Arc<MediaMemory>) -> Self {
        let state = State {
            phase: Phase::Awaited,
            carrier: None,
            begun: false,
            refused: 0,
            timeline: Timeline::default(),
            headers: Arc::default(),
            ring: VecDeque::new(),
            start: None,
            next_sequence: 0,
            next_frame: 0,
            open: Vec::new(),
            open_bytes: 0,
            open_share: memory.share(0),
            waits_since: None,
            last_video: None,
            viewers: HashMap::new(),
            next_viewer: 0,
            wakers: Vec::new(),
            round: 0,
        };
        let (groups, key_wanted) = (Groups::default(), AtomicBool::new(false));
        Self { state: Mutex::new(state), memory, groups, key_wanted }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The push of this number carries the stream from now on.
    pub(crate) fn carry(&self, carrier: u64) {
        let mut state = self.lock();
        if state.carrier != Some(carrier) && !matches!(state.phase, Phase::Ended(_)) {
            state.carrier = Some(carrier);
            state.begun = false;
            state.phase = Phase::Live;
        }
    }

    /// Whether the push of this number carries the stream, and nobody watches.
    pub(crate) fn is_unplayed(&self, carrier: u64) -> bool {
        let state = self.lock();
        state.carrier == Some(carrier) && state.counted() == 0
    }

    /// A viewer waits for a key frame; a push whose encoder can be asked for one asks.
    pub(crate) fn want_key(&self) {
        self.key_wanted.store(true, Ordering::Relaxed);
    }

    /// Whether a viewer has come to wait for a key frame since this was last asked.
    pub(crate) fn take_key_wanted(&self) -> bool {
        self.key_wanted.load(Ordering::Relaxed) && self.key_wanted.swap(false, Ordering::Relaxed)
    }

    /// The number of the push that carries the stream.
    pub(crate) fn carrier(&self) -> Option<u64> {
        self.lock().carrier
    }

    /// The push for which viewers have come was not admitted.
    pub(crate) fn refuse(&self) {
        let mut state = self.lock();
        state.refused += 1;
        self.seal_and_wake(state);
    }

    /// The push was lost; viewers wait for another.
    pub(crate) fn lose(&self) {
        let mut state = self.lock();
        state.carrier = None;
        if state.phase == Phase::Live {
            state.phase = Phase::Lost { since: None };
        }
        self.seal_and_wake(state);
    }

    /// Who joins from here on begins with the next key frame: what came before is for those who had begun with it.
    pub(crate) fn forget_start(&self) {
        let mut state = self.lock();
        state.hand_out(&self.memory);
        state.start = None;
        self.seal_and_wake(state);
    }

    /// Whether its push was lost, and nobody took its place for `linger`.
    pub(crate) fn is_given_up(&self, now: Instant, linger: Duration) -> bool {
        match &mut self.lock().phase {
            Phase::Lost { since } => now.saturating_duration_since(*since.get_or_insert(now)) >= linger,
            _ => false,
        }
    }

    /// Whether a push carries the stream, or did a moment ago.
    pub(crate) fn is_on(&self) -> bool {
        matches!(self.lock().phase, Phase::Live | Phase::Lost { .. })
    }

    /// The stream is over: viewers get what is left, then leave.
    pub(crate) fn end(&self, why: Ended) {
        let mut state = self.lock();
        state.carrier = None;
        state.phase = Phase::Ended(why);
        self.seal_and_wake(state);
    }

    /// How many watch.
    pub(crate) fn viewers(&self) -> usize {
        self.lock().counted()
    }

    /// Whether somebody watches for whom the stream would be fetched from another node.
    pub(crate) fn is_watched_here(&self) -> bool {
        self.lock().viewers.values().any(|entry| entry.info().kind.may_be_fetched_for())
    }

    /// Whether a push carries the stream now.
    pub(crate) fn is_carried(&self) -> bool {
        matches!(self.lock().phase, Phase::Live)
    }

    /// Who watches.
    pub(crate) fn viewer_facts(&self) -> Vec<ViewerFacts> {
        let state = self.lock();
        let counted = state.viewers.iter().filter(|(_, entry)| entry.info().kind.counts());
        let counted: Vec<_> = counted.map(|(id, entry)| (*id, entry.clone())).collect();
        drop(state);
        let mut all: Vec<_> = counted.iter().map(|(id, entry)| entry.facts(*id)).collect();
        all.sort_by_key(|viewer| viewer.id);
        all
    }

    /// What is held for viewers.
    pub(crate) fn cached(&self) -> Cached {
        let state = self.lock();
        let newest = state.ring.back().map_or(0, |batch| batch.timestamp());
        let oldest = state.ring.front().map_or(newest, |batch| batch.timestamp());
        let key = state.open.first().filter(|frame| frame.key).map(|frame| frame.timestamp);
        let key = key.or_else(|| Some(state.at(state.start?)?.timestamp()));
        let last = state.open.last().map_or(newest, |frame| frame.timestamp);
        Cached {
            viewers: state.counted(),
            gop_ms: key.map_or(0, |key| timeline::span(key, last)),
            cached_bytes: state.ring.iter().map(|batch| batch.held()).sum::<usize>() + state.open_bytes,
            queue_ms: timeline::span(oldest, newest),
        }
    }

    fn seal_and_wake(&self, mut state: MutexGuard<'_, State>) {
        state.hand_out(&self.memory);
        let wakers = std::mem::take(&mut state.wakers);
        state.round += 1;
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// How many watch.
    fn counted(&self) -> usize {
        self.viewers.values().filter(|entry| entry.info().kind.counts()).count()
    }

    /// Adds a viewer's entry; gives its id.
    pub(super) fn enter(&mut self, entry: Arc<Entry>) -> u64 {
        let id = self.next_viewer;
        self.next_viewer += 1;
        self.viewers.insert(id, entry);
        id
    }

    /// Takes a viewer's entry out. The wakers that leavers left behind are thrown away before they pile up.
    pub(super) fn leave(&mut self, id: u64) -> Vec<Waker> {
        self.viewers.remove(&id);
        if self.wakers.len() <= 2 * self.viewers.len() + 16 {
            return Vec::new();
        }
        self.round += 1;
        std::mem::take(&mut self.wakers)
    }

    /// The batch of this sequence, if the ring still has it.
    pub(super) fn at(&self, sequence: u64) -> Option<&Arc<Batch>> {
        let first = self.ring.front()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.ring.get(index)
    }

    /// Takes a frame in. Returns whether viewers are to be woken: what came before a key frame waits with it, so that each
    /// is woken once in [`PlayConfig::merge`], however often a key frame comes.
    pub(super) fn add(
        &mut self,
        frame: Frame,
        now: Instant,
        play: &PlayConfig,
        memory: &Arc<MediaMemory>,
    ) -> bool {
        if frame.kind == FrameKind::Video {
            self.last_video = Some(frame.timestamp);
        }
        let watched = !self.viewers.is_empty();
        let merge = if watched { millis(play.merge) } else { UNWATCHED_MERGE.max(millis(play.merge)) };
        let sealed = frame.key && self.seal(memory);
        let begun = *self.waits_since.get_or_insert(now);
        self.open_bytes += frame.payload.len();
        let uncounted = self.open_bytes.saturating_sub(self.open_share.bytes());
        if uncounted >= UNCOUNTED {
            self.open_share.grow(uncounted);
        }
        let timestamp = frame.timestamp;
        self.open.push(frame);
        let first = self.open.first().map_or(timestamp, |f| f.timestamp);
        let late = watched && now.saturating_duration_since(begun) >= play.merge;
        let due = late || timeline::span(first, timestamp) >= merge || self.open.len() >= LONGEST_BATCH;
        if due {
            self.hand_out(memory);
        }
        if due || sealed {
            self.trim(play, memory, watched);
        }
        due
    }

    /// Takes new headers; what came before them goes out with the old ones.
    pub(super) fn set_headers(&mut self, headers: Arc<Headers>, memory: &Arc<MediaMemory>) {
        self.seal(memory);
        self.headers = headers;
    }

    /// Closes the open batch, for viewers who are woken now. False if nothing waits for them.
    pub(super) fn hand_out(&mut self, memory: &Arc<MediaMemory>) -> bool {
        self.seal(memory);
        self.waits_since.take().is_some()
    }

    /// Closes the open batch. False if there is none.
    fn seal(&mut self, memory: &Arc<MediaMemory>) -> bool {
        let Some(first) = self.open.first() else { return false };
        let no_video = self.open.iter().all(|f| f.kind != FrameKind::Video)
            && self.last_video.is_none_or(|last| timeline::span(last, first.timestamp) > NO_VIDEO_AFTER);
        let start = first.key || no_video;
        let capacity = self.open.len();
        let frames = std::mem::replace(&mut self.open, Vec::with_capacity(capacity));
        let count = frames.len() as u64;
        let held = std::mem::take(&mut self.open_bytes) + frames.capacity() * size_of::<Frame>();
        let share = std::mem::replace(&mut self.open_share, memory.share(0));
        share.grow(held.saturating_sub(share.bytes()));
        let batch = Batch {
            sequence: self.next_sequence,
            first_frame: self.next_frame,
            start,
            headers: self.headers.clone(),
            frames,
            share,
            flv: OnceLock::new(),
            rtmp: OnceLock::new(),
        };
        if start {
            self.start = Some(batch.sequence);
        }
        self.next_sequence += 1;
        self.next_frame += count;
        self.ring.push_back(Arc::new(batch));
        true
    }

    /// Lets go of what no viewer may have any more: with viewers, the queue of the slow ones is kept besides the fast
    /// start. Where nobody watches, whoever comes begins with the open batch if that begins with a key frame.
    fn trim(&mut self, play: &PlayConfig, memory: &MediaMemory, watched: bool) {
        let begins_anew = !watched && self.open.first().is_some_and(|frame| frame.key);
        if begins_anew {
            self.ring.clear();
            self.start = None;
            return;
        }
        let Some(newest) = self.ring.back().map(|batch| batch.timestamp()) else { return };
        let (cache, queue) = (millis(play.cache), millis(play.queue));
        let mut bytes = None;
        while self.ring.len() > 1 {
            let Some(front) = self.ring.front() else { return };
            let age = timeline::span(front.timestamp(), newest);
            let in_gop = self.start.is_some_and(|start| front.sequence >= start);
            let wanted = (in_gop && age <= cache) || (watched && age <= queue);
            let bytes = bytes.get_or_insert_with(|| self.ring.iter().map(|b| b.held()).sum::<usize>());
            if wanted && *bytes <= play.cache_bytes && !memory.is_exceeded() {
                return;
            }
            *bytes = bytes.saturating_sub(front.held());
            if self.start == Some(front.sequence) {
                self.start = None;
            }
            self.ring.pop_front();
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
