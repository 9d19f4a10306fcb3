//! One pull's own: what happens to it, and the record that it leaves.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cause::{Cause, Detail, DetailKey, Lang};
use model::catalog::AccountId;
use model::fetch::{FetchEvent, FetchEventKind};
use model::{Clock, FetchEnd, FetchRecord, StreamKey, Timestamp};
use uuid::Uuid;

use super::following::OwnerFacts;
use super::status::{ENDS, Pull, PullState, Sums};
use crate::relay::parting::Parting;

/// Events kept of one pull; the oldest go first.
const EVENTS: usize = 16;

/// Whose pull it is, and of what.
pub(super) struct Of {
    pub key: StreamKey,
    /// The owner of the domain, as far as it is known.
    pub account: Option<AccountId>,
    /// This node's name in records.
    pub node: String,
}

/// How far one pull is: written by its task, read by lists.
pub(super) struct Progress {
    id: Uuid,
    of: Of,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    sums: Arc<Sums>,
    bytes_in: AtomicU64,
    connects: AtomicU64,
    viewers: AtomicU64,
    now: Mutex<Now>,
}

struct Now {
    state: PullState,
    owner: Option<String>,
    revision: u64,
    events: VecDeque<FetchEvent>,
    /// Whom it was connected to last, or about to be: name and address.
    followed: (String, Option<String>),
    /// Since when media may come; `None` while it cannot.
    live_since: Option<Instant>,
    /// For how long it could before.
    live: Duration,
    /// What took the stream away, for as long as nothing has brought it back.
    away: Option<Detail>,
}

impl Progress {
    pub fn new(of: Of, owner: &OwnerFacts, revision: u64, sums: Arc<Sums>, clock: Arc<dyn Clock>) -> Self {
        sums.begun.fetch_add(1, Ordering::Relaxed);
        let now = Now {
            state: PullState::Connecting,
            owner: None,
            revision,
            events: VecDeque::new(),
            followed: (owner.label.clone(), owner.rtmp.clone()),
            live_since: None,
            live: Duration::ZERO,
            away: None,
        };
        Self {
            id: Uuid::from_bytes(*clock.push_id().as_bytes()),
            of,
            since: clock.now(),
            clock,
            sums,
            bytes_in: AtomicU64::new(0),
            connects: AtomicU64::new(0),
            viewers: AtomicU64::new(0),
            now: Mutex::new(now),
        }
    }

    /// A connection to an owner is made.
    pub fn connecting(&self, owner: &OwnerFacts, revision: u64) {
        let mut now = self.lock();
        now.state = PullState::Connecting;
        now.owner = Some(owner.label.clone());
        now.followed = (owner.label.clone(), owner.rtmp.clone());
        now.revision = revision;
    }

    /// The owner sends.
    pub fn live(&self) {
        if self.connects.fetch_add(1, Ordering::Relaxed) > 0 {
            self.sums.restarts.fetch_add(1, Ordering::Relaxed);
        }
        let mut now = self.lock();
        now.state = PullState::Live;
        now.live_since = Some(self.clock.instant());
        now.away = None;
        let text = now.owner.clone().unwrap_or_default();
        self.note(&mut now, FetchEventKind::Live, None, text);
    }

    /// The owner's lease has a newer revision.
    pub fn renewed(&self, revision: u64) {
        self.lock().revision = revision;
    }

    /// There is no owner to connect to.
    pub fn waiting(&self, revision: u64) {
        let mut now = self.lock();
        now.state = PullState::Waiting;
        now.owner = None;
        now.revision = revision;
    }

    /// Another node has the stream, or nobody.
    pub fn owner_changed(&self, revision: u64) {
        let mut now = self.lock();
        now.pause(self.clock.instant());
        let was = now.owner.clone().unwrap_or_default();
        let text = format!("by revision {revision} the stream is no longer that of {was}");
        now.away = Some(now.unreachable(&text));
        self.note(&mut now, FetchEventKind::OwnerChanged, None, text);
    }

    /// A connection has ended.
    pub fn parted(&self, parting: &Parting, address: &str) {
        self.sums.failures.fetch_add(1, Ordering::Relaxed);
        let mut now = self.lock();
        now.pause(self.clock.instant());
        now.state = PullState::Waiting;
        let event = match parting.said() {
            Some(_) => FetchEventKind::ToldToStop,
            None => FetchEventKind::Failed,
        };
        let detail = parting.detail(address);
        let text = detail.text(Lang::En);
        now.away = Some(detail);
        self.note(&mut now, event, Some(Cause::ProxyToldToStop.code().to_string()), text);
    }

    pub fn received(&self, bytes: u64) {
        if bytes > 0 {
            self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
            self.sums.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// So many watch now.
    pub fn watched(&self, viewers: usize) {
        self.viewers.fetch_max(viewers as u64, Ordering::Relaxed);
    }

    pub fn show(&self, viewers: usize) -> Pull {
        let now = self.lock();
        let key = &self.of.key;
        Pull {
            id: self.id,
            domain: key.domain.clone(),
            app: key.app.clone(),
            stream: key.stream.clone(),
            owner: now.owner.clone(),
            revision: now.revision,
            state: now.state,
            since: self.since,
            viewers,
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            restarts: self.restarts(),
            events: now.events.iter().cloned().collect(),
        }
    }

    /// What is to stand of it should the node die.
    pub fn as_if_died(&self) -> FetchRecord {
        let mut record = self.record(FetchEnd::Died, self.since);
        record.set_code(Some(Cause::NodeDied.code()));
        record
    }

    /// Its record, now that it has ended.
    pub fn end(&self, why: FetchEnd) -> FetchRecord {
        if let Some(at) = ENDS.iter().position(|end| *end == why)
            && let Some(count) = self.sums.ended.get(at)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.lock().pause(self.clock.instant());
        let mut record = self.record(why, self.clock.now().max(self.since));
        let away = self.lock().away.clone();
        let by_owner = match why {
            FetchEnd::Over => away,
            FetchEnd::NoOwner => Some(away.unwrap_or_else(|| {
                self.lock().unreachable("no node has carried the stream for as long as viewers wait")
            })),
            // Its viewers left when the stream had gone: that is not for want of viewers.
            FetchEnd::Idle => away,
            FetchEnd::Here | FetchEnd::Stopping | FetchEnd::Died => None,
        };
        record.set_code(by_owner.is_some().then(|| Cause::ProxyToldToStop.code()));
        record.detail = by_owner.map(Into::into);
        record
    }

    fn record(&self, why: FetchEnd, ended_at: Timestamp) -> FetchRecord {
        let now = self.lock();
        let (owner, address) = now.followed.clone();
        let key = &self.of.key;
        FetchRecord {
            id: self.id,
            account: self.of.account,
            domain: key.domain.clone(),
            app: key.app.clone(),
            stream: key.stream.clone(),
            node: self.of.node.clone(),
            owner: Some(owner),
            address,
            revision: now.revision,
            since: self.since,
            ended_at,
            live_ms: u64::try_from(now.live.as_millis()).unwrap_or(u64::MAX),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            restarts: self.restarts(),
            viewers: self.viewers.load(Ordering::Relaxed),
            why,
            errcode: None,
            sub_errcode: None,
            errmsg: None,
            detail: None,
            events: now.events.iter().cloned().collect(),
        }
    }

    fn restarts(&self) -> u64 {
        self.connects.load(Ordering::Relaxed).saturating_sub(1)
    }

    fn note(&self, now: &mut Now, event: FetchEventKind, code: Option<String>, text: String) {
        // A target that is tried again and again says the same each time.
        if now.events.back().is_some_and(|last| last.event == event && last.text == text) {
            return;
        }
        if now.events.len() >= EVENTS {
            now.events.pop_front();
        }
        now.events.push_back(FetchEvent { at: self.clock.now(), event, code, text });
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    /// From here on no media can come.
    fn pause(&mut self, at: Instant) {
        if let Some(since) = self.live_since.take() {
            self.live += at.saturating_duration_since(since);
        }
    }

    fn unreachable(&self, reason: &str) -> Detail {
        let address = self.followed.1.as_deref().unwrap_or(&self.followed.0);
        Detail::new(DetailKey::UpstreamUnreachable).with("address", address).with("reason", reason)
    }
}

#[cfg(test)]
mod tests {
    use model::clock::ManualClock;
    use model::{Code, SystemClock};

    use super::*;
    use crate::relay::parting::Said;

    const TOLD: Code = Code::new(10, 0);

    fn owner(label: &str) -> OwnerFacts {
        OwnerFacts {
            node: format!("id-of-{label}"),
            label: label.to_owned(),
            rtmp: Some(format!("{label}:1935")),
            push: SystemClock.push_id(),
            run: "1".to_owned(),
        }
    }

    fn pull() -> (Progress, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp(1_795_383_346_000)));
        let of = Of { key: StreamKey::new("d", "a", "s"), account: Some(7), node: "west".to_owned() };
        (Progress::new(of, &owner("east"), 3, Arc::default(), clock.clone()), clock)
    }

    fn live_for(pull: &Progress, clock: &ManualClock, seconds: u64) {
        pull.connecting(&owner("east"), 3);
        pull.live();
        clock.advance(Duration::from_secs(seconds));
    }

    fn over() -> Parting {
        Parting::Stopped(Said::new("NetStream.Play.Stop", "The stream has ended."))
    }

    #[test]
    fn what_the_owner_ended_is_10_0_with_its_words() {
        let (pull, clock) = pull();
        live_for(&pull, &clock, 5);
        pull.received(900);
        [1, 3, 2].into_iter().for_each(|viewers| pull.watched(viewers));
        pull.parted(&over(), "east:1935");
        clock.advance(Duration::from_secs(2));
        let record = pull.end(FetchEnd::Over);
        assert_eq!((record.code(), record.why), (Some(TOLD), FetchEnd::Over));
        let detail = record.detail.unwrap();
        assert_eq!((detail.key.as_str(), &detail.params["address"]), ("upstream_order", &"east:1935".into()));
        assert!(detail.params["said"].as_str().unwrap().ends_with("The stream has ended."), "{detail:?}");
        assert_eq!((record.live_ms, record.bytes_in, record.viewers, record.restarts), (5_000, 900, 3, 0));
        assert_eq!(record.ended_at.since(record.since), 7_000);
        let events: Vec<_> = record.events.iter().map(|e| (e.event, e.code.as_deref())).collect();
        assert_eq!(events, [(FetchEventKind::Live, None), (FetchEventKind::ToldToStop, Some("10/0"))]);
    }

    #[test]
    fn what_this_node_ended_has_no_code_of_the_owner() {
        for why in [FetchEnd::Idle, FetchEnd::Here, FetchEnd::Stopping] {
            let (pull, clock) = pull();
            live_for(&pull, &clock, 1);
            let record = pull.end(why);
            assert_eq!((record.code(), record.detail, record.live_ms), (None, None, 1_000), "{why:?}");
            assert_eq!((record.owner.as_deref(), record.account), (Some("east"), Some(7)));
        }
    }

    #[test]
    fn a_stream_that_came_back_was_not_ended_by_what_took_it_away() {
        let (pull, clock) = pull();
        live_for(&pull, &clock, 1);
        pull.parted(&Parting::Unreachable("no route".to_owned()), "east:1935");
        live_for(&pull, &clock, 1);
        let record = pull.end(FetchEnd::Idle);
        assert_eq!((record.code(), record.restarts, record.live_ms), (None, 1, 2_000));
        assert_eq!(record.events[1].code.as_deref(), Some("10/0"), "the connection that failed says so");
    }

    #[test]
    fn viewers_who_left_after_the_stream_had_gone_did_not_end_it() {
        let (pull, clock) = pull();
        live_for(&pull, &clock, 1);
        pull.owner_changed(4);
        pull.waiting(4);
        let record = pull.end(FetchEnd::Idle);
        assert_eq!((record.code(), record.why), (Some(TOLD), FetchEnd::Idle));
        assert!(record.detail.unwrap().params["reason"].as_str().unwrap().contains("revision 4"));
    }

    #[test]
    fn a_stream_that_nobody_has_says_where_it_was_last() {
        let (pull, _) = pull();
        pull.waiting(4);
        let record = pull.end(FetchEnd::NoOwner);
        assert_eq!((record.code(), record.revision), (Some(TOLD), 4));
        assert_eq!(record.detail.unwrap().params["address"], "east:1935");
    }

    #[test]
    fn should_the_node_die_it_is_11_0() {
        let record = pull().0.as_if_died();
        assert_eq!((record.code(), record.why), (Some(Code::new(11, 0)), FetchEnd::Died));
    }

    #[test]
    fn ends_are_counted_by_why_and_events_are_bounded() {
        let (pull, _) = pull();
        for revision in 0..100 {
            pull.owner_changed(revision);
        }
        let record = pull.end(FetchEnd::NoOwner);
        assert_eq!(record.events.len(), EVENTS);
        assert!(record.events[EVENTS - 1].text.contains("revision 99"));
        assert_eq!(pull.sums.read(0).ended, [0, 0, 1, 0, 0]);
    }
}
