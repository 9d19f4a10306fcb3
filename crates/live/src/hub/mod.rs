//! The place where live streams meet their pushes: who carries a stream key, who waits, and who has to go when another
//! push of the same key comes.
//!
//! Locked only when a push or a viewer comes or goes, never for media: that is in each stream's own [`feed`].

pub(crate) mod contest;
mod duel;
pub mod feed;
mod pulled;
mod served;
mod slots;
mod switching;
mod test_push;

use std::cmp::Ordering as CmpOrdering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cause::evidence::Act;
use cause::{Cause, Side};
use model::catalog::ConflictRule;
use model::{StreamKey, Timestamp};

pub use self::pulled::PullPlace;
pub use self::served::NotServed;
pub use self::slots::{Slot, Slots};
pub use self::switching::{Switched, Switching};
pub use self::test_push::TestPlace;

use self::duel::DuelGuard;
use self::feed::{Cached, Ended, Feed, MediaMemory, Seat, Viewer, ViewerFacts, ViewerInfo, Writer};
use self::served::Tenure;
use self::test_push::TestPushes;
use crate::cluster::{Carrier, TakenBy};
use crate::config::PlayConfig;
use crate::counters::Played;
use crate::push::{LivePush, PushHandle};

/// All live streams of this node.
#[derive(Debug)]
pub struct Hub {
    streams: Mutex<HashMap<StreamKey, LiveStream>>,
    test_pushes: TestPushes,
    /// Members of all streams, and test pushes; counted beside the map because every admission asks.
    pushes: AtomicUsize,
    /// The number of the next push's writer.
    next_writer: AtomicU64,
    play: Arc<PlayConfig>,
    memory: Arc<MediaMemory>,
    played: Arc<Played>,
}

#[derive(Debug)]
struct LiveStream {
    /// The first carries the stream; the others wait as backups, or are about to leave after a takeover.
    members: Vec<Member>,
    duel: DuelGuard,
    feed: Arc<Feed>,
    /// Another node carries the stream: all members wait.
    elsewhere: bool,
    /// By which leases this node carries the stream, in a cluster.
    tenure: Option<Tenure>,
    /// The stream is fetched from another node: which pull does so, and the number of its writer of now.
    pulled: Option<(u64, Option<u64>)>,
}

#[derive(Debug)]
struct Member {
    handle: Arc<PushHandle>,
    /// The number of its writer.
    writer: u64,
}

/// A push's place in the hub; given back on drop.
#[must_use = "the push leaves the hub when its place is dropped"]
#[derive(Debug)]
pub struct Place {
    hub: Arc<Hub>,
    handle: Arc<PushHandle>,
    replaces: Vec<(Arc<PushHandle>, Act)>,
    writer: Writer,
    parting: Parting,
}

/// What a push leaves to its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It was lost: they wait for its reconnect.
    Lost,
    /// It is over.
    Over,
}

impl Parting {
    /// Whether an encoder whose push ended so is likely to come back by itself.
    pub fn after(cause: Cause) -> Self {
        let lost = match cause.side() {
            Side::Network => true,
            Side::Client => matches!(cause, Cause::EndOfFile | Cause::Reset | Cause::ProtocolBroken),
            Side::Server => matches!(cause, Cause::TaskFailed | Cause::PipelineFailed | Cause::Unknown),
            Side::Policy => cause == Cause::MediaStopped,
            Side::Operator => false,
        };
        if lost { Self::Lost } else { Self::Over }
    }
}

/// Why a stream cannot be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Nobody publishes it.
    #[error("no such stream is live")]
    NoSuchStream,
    /// The node has as many viewers as it may have.
    #[error("the server has too many viewers now")]
    TooMany,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(PlayConfig::default())
    }
}

impl Hub {
    /// A hub without streams.
    pub fn new(play: PlayConfig) -> Self {
        Self {
            streams: Mutex::default(),
            test_pushes: TestPushes::default(),
            pushes: AtomicUsize::new(0),
            next_writer: AtomicU64::new(0),
            memory: Arc::new(MediaMemory::new(play.memory)),
            play: Arc::new(play),
            played: Arc::default(),
        }
    }

    /// Enters a push under its stream key by the conflict rule. The pushes it replaces go on until
    /// [`Place::take_over`].
    ///
    /// # Errors
    /// The act that refuses the push: 18/601 or 18/602.
    pub fn enter(
        self: &Arc<Self>,
        handle: Arc<PushHandle>,
        rule: ConflictRule,
        max_stream: u32,
        now: Instant,
    ) -> Result<Place, Act> {
        let number = self.next_writer.fetch_add(1, Ordering::Relaxed);
        let mut streams = self.lock();
        let stream = streams.entry(handle.key.clone()).or_insert_with(|| self.stream());
        let replaces = stream.enter(&handle, number, rule, max_stream, now)?;
        // Until the registry says otherwise.
        stream.elsewhere |= stream.pulled.is_some();
        let feed = stream.feed.clone();
        drop(streams);
        self.pushes.fetch_add(1, Ordering::Relaxed);
        let writer = Writer::new(feed, self.play.clone(), number);
        Ok(Place { hub: self.clone(), handle, replaces, writer, parting: Parting::Lost })
    }

    /// Joins the viewers of a stream that is live, or whose push was lost a moment ago. While a push is still being admitted
    /// its viewers wait with it, and are sent away with it if it is refused.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn watch(&self, key: &StreamKey, who: ViewerInfo) -> Result<Viewer, WatchError> {
        if self.is_full() {
            return Err(WatchError::TooMany);
        }
        let streams = self.lock();
        let feed = streams.get(key).filter(|stream| stream.is_on()).map(|stream| stream.feed.clone());
        feed.map(|feed| Viewer::join_push(&feed, who, self.played.clone())).ok_or(WatchError::NoSuchStream)
    }

    /// Joins the viewers of a stream, whether it is live or not.
    ///
    /// # Errors
    /// [`WatchError::TooMany`].
    pub fn watch_for(&self, key: &StreamKey, who: ViewerInfo) -> Result<Viewer, WatchError> {
        if self.is_full() {
            return Err(WatchError::TooMany);
        }
        let mut streams = self.lock();
        let stream = streams.entry(key.clone()).or_insert_with(|| self.stream());
        Ok(Viewer::join(&stream.feed, who, self.played.clone()))
    }

    fn is_full(&self) -> bool {
        self.play.viewers != 0 && self.played.viewers() >= self.play.viewers
    }

    /// Whether a stream is live, was a moment ago, or has a push that is being admitted.
    pub fn is_on(&self, key: &StreamKey) -> bool {
        self.lock().get(key).is_some_and(LiveStream::is_on)
    }

    /// Whether a stream is live, or was a moment ago.
    pub fn is_live(&self, key: &StreamKey) -> bool {
        self.lock().get(key).is_some_and(|stream| stream.feed.is_on())
    }

    /// Counts somebody among the viewers of a stream who takes its media elsewhere.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn seat(&self, key: &StreamKey, who: ViewerInfo) -> Result<Seat, WatchError> {
        let feed = self.lock().get(key).map(|s| s.feed.clone());
        feed.map(|feed| Seat::take(&feed, who, self.played.clone())).ok_or(WatchError::NoSuchStream)
    }

    /// The streams that are live, or were a moment ago.
    pub fn live_keys(&self) -> Vec<StreamKey> {
        let streams = self.lock();
        streams.iter().filter(|(_, stream)| stream.feed.is_on()).map(|(key, _)| key.clone()).collect()
    }

    /// Who watches a stream.
    pub fn viewers(&self, key: &StreamKey) -> Vec<ViewerFacts> {
        let feed = self.lock().get(key).map(|s| s.feed.clone());
        feed.map(|feed| feed.viewer_facts()).unwrap_or_default()
    }

    /// What viewers of each kind have done.
    pub fn played(&self) -> Vec<crate::counters::PlayCounters> {
        let feeds: Vec<_> = self.lock().values().map(|s| s.feed.clone()).collect();
        let mut sent = HashMap::new();
        for viewer in feeds.iter().flat_map(|feed| feed.viewer_facts()) {
            *sent.entry(viewer.kind).or_default() += viewer.bytes_out;
        }
        self.played.read(|kind| sent.get(&kind).copied().unwrap_or(0))
    }

    /// Bytes held for viewers on this node.
    pub fn media_held(&self) -> usize {
        self.memory.held()
    }

    fn stream(&self) -> LiveStream {
        let feed = Arc::new(Feed::new(self.memory.clone()));
        LiveStream {
            members: Vec::new(),
            duel: DuelGuard::default(),
            feed,
            elsewhere: false,
            tenure: None,
            pulled: None,
        }
    }

    /// Gives `act` to every push of `key`, backups and tests included; returns how many it reached.
    pub fn order(&self, key: &StreamKey, act: &Act) -> usize {
        let streams = self.lock();
        let members = streams.get(key).map(|s| s.members.as_slice()).unwrap_or_default();
        let reached = members.iter().filter(|m| m.handle.order.give(act.clone())).count();
        drop(streams);
        reached + self.test_pushes.order(key, act)
    }

    /// Gives an act to every push for which `choose` returns one; returns how many it reached.
    pub fn order_where(&self, choose: impl Fn(&PushHandle) -> Option<Act>) -> usize {
        let streams = self.lock();
        let members = streams.values().flat_map(|s| &s.members);
        let reached =
            members.filter(|m| choose(&m.handle).is_some_and(|act| m.handle.order.give(act))).count();
        drop(streams);
        reached + self.test_pushes.order_where(choose)
    }

    /// Since when the stream key is live, if it is.
    pub fn live_since(&self, key: &StreamKey) -> Option<Timestamp> {
        self.lock().get(key)?.members.first().map(|live| live.handle.since)
    }

    /// The stream key is this node's to carry, by the lease of this revision.
    pub fn stands_here(&self, key: &StreamKey, revision: u64) {
        let mut streams = self.lock();
        if let Some(stream) = streams.get_mut(key) {
            stream.stands_here(revision);
        }
    }

    /// The stream key is another node's: the pushes of this one wait, or are about to end.
    pub fn stands_elsewhere(&self, key: &StreamKey) {
        let mut streams = self.lock();
        let Some(stream) = streams.get_mut(key) else { return };
        stream.elsewhere = true;
        stream.end_tenure();
    }

    /// Whether the stream key is another node's, and the pushes of this one wait.
    pub fn is_elsewhere(&self, key: &StreamKey) -> bool {
        self.lock().get(key).is_some_and(|stream| stream.elsewhere)
    }

    /// Whose push it is that is live and comes first of a stream key, carrying it or waiting.
    pub fn account_of(&self, key: &StreamKey) -> Option<u64> {
        let streams = self.lock();
        let first = streams.get(key)?.members.first().filter(|member| member.is_live())?;
        Some(first.handle.account)
    }

    /// No stream key is this node's any more.
    pub fn all_stand_elsewhere(&self) {
        for stream in self.lock().values_mut() {
            stream.elsewhere = !stream.members.is_empty();
            stream.end_tenure();
        }
    }

    /// The first push of every stream.
    pub fn carriers(&self, now: Instant) -> Vec<Carrier> {
        let streams = self.lock();
        let first = streams.values().filter_map(|stream| stream.members.first());
        first
            .map(|m| Carrier {
                key: m.handle.key.clone(),
                push: m.handle.id,
                client: m.handle.client,
                priority: m.handle.priority,
                sends: !contest::is_empty(&m.handle, now),
            })
            .collect()
    }

    /// How many pushes of a stream key are here, tests excluded.
    pub fn count_of(&self, key: &StreamKey) -> usize {
        self.lock().get(key).map_or(0, |stream| stream.members.len())
    }

    /// How many pushes are in the hub, tests included.
    pub fn len(&self) -> usize {
        self.pushes.load(Ordering::Relaxed)
    }

    /// Ends what waits in vain, and forgets what nobody needs; called now and then.
    pub fn sweep(&self, now: Instant) {
        self.lock().retain(|_, stream| {
            stream.duel.expire(now);
            // A pull knows how long to wait, and a backup may go on with the same viewers.
            let alone = stream.pulled.is_none() && stream.members.is_empty();
            if alone && stream.feed.is_given_up(now, self.play.linger) {
                stream.end(Ended::Lost, &self.memory);
            }
            stream.is_needed()
        });
    }

    /// All pushes but tests, as lists show them, oldest first.
    pub fn list(&self) -> Vec<LivePush> {
        let streams = self.lock();
        let mut all: Vec<_> = streams
            .values()
            .flat_map(|s| s.members.iter().enumerate().map(move |(i, m)| (i, m, s)))
            .map(|(i, m, s)| match i {
                0 if !s.elsewhere => m.handle.show("live", s.feed.cached()),
                _ => m.handle.show("backup", Cached::default()),
            })
            .collect();
        drop(streams);
        all.sort_by_key(|p| p.id);
        all
    }

    fn leave(&self, place: &Place) {
        self.pushes.fetch_sub(1, Ordering::Relaxed);
        let feed = place.writer.feed();
        let mut streams = self.lock();
        let Some(stream) = streams.get_mut(&place.handle.key) else { return };
        stream.members.retain(|m| m.handle.id != place.handle.id);
        stream.elsewhere &= !stream.members.is_empty();
        let carried = feed.carrier() == Some(place.writer.number());
        if stream.members.is_empty() {
            stream.leave_tenure(place.parting);
        }
        match (stream.members.first(), place.parting) {
            (Some(next), _) if carried && !stream.elsewhere => feed.carry(next.writer),
            (Some(_), _) if !carried => {}
            (None, _) if stream.pulled.is_some() && !carried => {}
            // What another node carries goes on by a pull.
            (Some(_), _) => feed.lose(),
            (None, _) if stream.pulled.is_some() => feed.lose(),
            // It never went live: who waits for the stream goes on waiting, and who came for this push leaves.
            (None, _) if !feed.is_on() => feed.refuse(),
            (None, Parting::Lost) if feed.viewers() > 0 && !self.play.linger.is_zero() => feed.lose(),
            (None, Parting::Lost) => stream.end(Ended::Lost, &self.memory),
            (None, Parting::Over) => stream.end(Ended::Unpublished, &self.memory),
        }
        if !stream.is_needed() {
            streams.remove(&place.handle.key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamKey, LiveStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn is_live(&self) -> bool {
        self.handle.has_begun()
    }
}

impl LiveStream {
    fn stands_here(&mut self, revision: u64) {
        self.elsewhere = false;
        self.begin_tenure(revision);
        // One that is still being admitted begins by itself.
        if let Some(first) = self.members.first().filter(|m| m.is_live()) {
            self.feed.carry(first.writer);
        }
    }

    fn is_on(&self) -> bool {
        !self.members.is_empty() || self.feed.is_on()
    }

    fn is_needed(&self) -> bool {
        !self.members.is_empty() || !self.duel.is_quiet() || self.feed.viewers() > 0 || self.pulled.is_some()
    }

    /// Sends the viewers away; who comes from now on waits for another stream under the same key.
    fn end(&mut self, why: Ended, memory: &Arc<MediaMemory>) {
        self.feed.end(why);
        self.feed = Arc::new(Feed::new(memory.clone()));
    }

    fn enter(
        &mut self,
        new: &Arc<PushHandle>,
        writer: u64,
        rule: ConflictRule,
        max_stream: u32,
        now: Instant,
    ) -> Result<Vec<(Arc<PushHandle>, Act)>, Act> {
        let member = Member { handle: new.clone(), writer };
        let Some(live) = self.members.first().map(|m| m.handle.clone()) else {
            self.members.push(member);
            return Ok(Vec::new());
        };
        // A push without a priority counts as priority 0 beside one that has it.
        let (mine, theirs) = (new.priority.unwrap_or(0), live.priority.unwrap_or(0));
        let prioritised = new.priority.is_some() || live.priority.is_some();
        let rule = match (prioritised, mine.cmp(&theirs)) {
            (true, CmpOrdering::Less) => {
                live.contest(new, Cause::PriorityLower);
                return Err(contest::lower_priority(mine, theirs, &live));
            }
            (true, CmpOrdering::Greater) => ConflictRule::Replace,
            _ => rule,
        };
        match rule {
            ConflictRule::Refuse => {
                live.contest(new, Cause::TooManyPushesOfStream);
                Err(contest::already_live(&live, now))
            }
            ConflictRule::Backup => {
                let have = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
                if max_stream != 0 && have >= max_stream {
                    live.contest(new, Cause::TooManyPushesOfStream);
                    return Err(contest::too_many(have, max_stream));
                }
                self.members.push(member);
                Ok(Vec::new())
            }
            ConflictRule::Replace => {
                let silent = contest::is_empty(&live, now);
                if !silent && let Some(takeovers) = self.duel.stands(live.client, new.client, now) {
                    live.contest(new, Cause::TooManyPushesOfStream);
                    return Err(contest::duel(&live, new, takeovers));
                }
                if !silent {
                    self.duel.took_over(live.client, new.client, now);
                }
                let by = TakenBy { push: new.id, client: new.client };
                let old = |m: &Member| (m.handle.clone(), contest::replaced(&m.handle, by, now));
                let replaces = self.members.iter().map(old).collect();
                self.members.insert(0, member);
                Ok(replaces)
            }
        }
    }
}

impl Place {
    /// Makes the push's frames count if the stream is its to carry, and orders the pushes out that it replaces; called
    /// once nothing can refuse it any more.
    pub fn take_over(&mut self) {
        let streams = self.hub.lock();
        self.handle.begin();
        if self.is_first(&streams) && !streams.get(&self.handle.key).is_some_and(|s| s.elsewhere) {
            self.writer.feed().carry(self.writer.number());
        }
        drop(streams);
        for (old, act) in self.replaces.drain(..) {
            old.order.give(act);
        }
    }

    /// Whether the stream is this push's to carry, and not one that it waits for as a backup.
    pub fn comes_first(&self) -> bool {
        self.is_first(&self.hub.lock())
    }

    fn is_first(&self, streams: &HashMap<StreamKey, LiveStream>) -> bool {
        let first = streams.get(&self.handle.key).and_then(|stream| stream.members.first());
        first.is_some_and(|m| m.handle.id == self.handle.id)
    }

    /// Whether there are pushes that it replaces and that have not been ordered out yet.
    pub fn replaces_any(&self) -> bool {
        !self.replaces.is_empty()
    }

    /// Where the push's frames go.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Whether this push carries the stream, and nobody plays it.
    pub fn is_unplayed(&self) -> bool {
        self.writer.feed().is_unplayed(self.writer.number())
    }

    /// Whether a viewer has come to wait for a key frame since this was last asked.
    pub fn take_key_wanted(&self) -> bool {
        self.writer.feed().take_key_wanted()
    }

    /// The pushes that this one replaces, until [`Place::take_over`].
    pub fn replaces(&self) -> impl Iterator<Item = &PushHandle> {
        self.replaces.iter().map(|(old, _)| &**old)
    }

    /// When [`Writer::flush`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.writer.deadline()
    }

    /// Gives the place back, and says what becomes of the viewers. A place that is only dropped counts as lost.
    pub fn leave(mut self, parting: Parting) {
        self.parting = parting;
    }

    #[cfg(test)]
    fn handle(&self) -> &Arc<PushHandle> {
        &self.handle
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(self);
    }
}

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod tests;
