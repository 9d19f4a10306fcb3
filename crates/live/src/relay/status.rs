//! How far a relay is, what it has passed on, and what has happened to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Clock, StreamKey, Timestamp};
use serde::Serialize;

use super::parting::Parting;

/// Events kept of one relay; the oldest go first.
const EVENTS: usize = 32;
/// A target that is too slow skips again and again; one event says so for this long.
const SKIPS_TOGETHER: Duration = Duration::from_secs(10);

/// What is passed on, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// By a rule; the push does not depend on it.
    Relay,
    /// To the server behind this one; the push ends with it.
    Proxy,
}

/// How far a relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// For the first media of the push, or until this node carries the stream.
    Waiting,
    /// To the target, until it takes media.
    Connecting,
    /// Media goes to the target.
    Live,
    /// The target failed; it is tried again soon.
    Retrying,
    /// The target refused, or is not to be trusted; it is tried again now and then, and somebody should look.
    Failed,
}

impl RelayState {
    /// All states, in the order of the list in the documentation.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Connecting, Self::Live, Self::Retrying, Self::Failed];

    /// Its name in lists and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        }
    }
}

/// One thing that happened to a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelayEvent {
    /// When.
    pub at: Timestamp,
    /// `live`, `moved`, `elsewhere`, `retrying`, `failed`, `skipped`.
    pub event: &'static str,
    /// In words, secrets masked.
    pub text: String,
}

/// A live stream on its way to one target, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relay {
    /// By a rule, or in proxy mode.
    pub role: Role,
    /// Name of the rule; `proxy` in proxy mode.
    pub name: String,
    /// Owner of the domain.
    pub account: u64,
    /// Push domain.
    pub domain: String,
    /// App.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// Where to, secrets masked.
    pub target: String,
    /// How far it is.
    pub state: RelayState,
    /// Since when it is there.
    pub since: Timestamp,
    /// How the last connection ended; in words, secrets masked.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Bytes sent to the target.
    pub bytes_out: u64,
    /// Frames sent to the target.
    pub frames: u64,
    /// Frames left out because the target was too slow.
    pub skipped: u64,
    /// Connections made to the target beyond the first.
    pub reconnects: u64,
    /// What happened, oldest first.
    pub events: Vec<RelayEvent>,
}

/// Sums over all streams that a rule has passed on since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelayFigures {
    /// Name of the rule; `proxy` in proxy mode.
    pub name: String,
    /// Streams in each state now.
    pub states: Vec<(RelayState, usize)>,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Frames sent.
    pub frames: u64,
    /// Frames left out because the target was too slow.
    pub skipped: u64,
    /// Connections made beyond the first of each stream.
    pub reconnects: u64,
    /// Connections that failed or were ended by the target.
    pub failures: u64,
}

/// Running counts, of one stream or of a rule.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) bytes_out: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// One relay's own, written by its task and read by lists.
pub(crate) struct Status {
    role: Role,
    pub(crate) name: Arc<str>,
    account: u64,
    pub(crate) key: StreamKey,
    clock: Arc<dyn Clock>,
    counts: Counts,
    sums: Arc<Counts>,
    now: Mutex<Now>,
}

struct Now {
    target: String,
    state: RelayState,
    since: Timestamp,
    last_error: Option<String>,
    next_attempt_at: Option<Timestamp>,
    events: VecDeque<RelayEvent>,
    skips_said: Option<Timestamp>,
}

/// Who a relay is, at its start.
pub(crate) struct Identity {
    pub(crate) role: Role,
    pub(crate) name: Arc<str>,
    pub(crate) account: u64,
    pub(crate) key: StreamKey,
    /// Masked.
    pub(crate) target: String,
}

impl Status {
    pub(crate) fn new(who: Identity, sums: Arc<Counts>, clock: Arc<dyn Clock>) -> Self {
        let now = Now {
            target: who.target,
            state: RelayState::Waiting,
            since: clock.now(),
            last_error: None,
            next_attempt_at: None,
            events: VecDeque::new(),
            skips_said: None,
        };
        let Identity { role, name, account, key, .. } = who;
        Self { role, name, account, key, clock, counts: Counts::default(), sums, now: Mutex::new(now) }
    }

    pub(crate) fn connecting(&self, target: String) {
        self.change(RelayState::Connecting, |now| {
            now.target = target;
            now.next_attempt_at = None;
        });
        if self.add(1, |counts| &counts.connects) > 0 {
            self.add(1, |counts| &counts.reconnects);
        }
    }

    pub(crate) fn live(&self) {
        let at = self.clock.now();
        self.change(RelayState::Live, |now| now.note(at, "live", "the target takes media".to_owned()));
    }

    pub(crate) fn moved(&self, to: String) {
        let at = self.clock.now();
        self.change(RelayState::Connecting, |now| {
            now.note(at, "moved", format!("the target asks to go to {to}"))
        });
    }

    /// Another node carries the stream now, and passes it on.
    pub(crate) fn elsewhere(&self) {
        let at = self.clock.now();
        self.change(RelayState::Waiting, |now| {
            now.note(at, "elsewhere", "another node carries the stream".to_owned());
        });
    }

    /// Notes a failure, and when the next attempt is, if there is one.
    pub(crate) fn parted(&self, parting: &Parting, pause: Option<Duration>) {
        self.add(1, |counts| &counts.failures);
        let state = if parting.is_refusal() { RelayState::Failed } else { RelayState::Retrying };
        let at = self.clock.now();
        let text = parting.to_string();
        self.change(state, |now| {
            now.last_error = Some(text.clone());
            now.next_attempt_at = pause.map(|pause| at.plus(pause));
            now.note(at, state.as_str(), text);
        });
    }

    pub(crate) fn sent(&self, bytes: u64, frames: usize) {
        self.add(bytes, |counts| &counts.bytes_out);
        self.add(frames as u64, |counts| &counts.frames);
    }

    pub(crate) fn skipped(&self, frames: u64) {
        self.add(frames, |counts| &counts.skipped);
        let at = self.clock.now();
        let mut now = self.lock();
        if now.skips_said.is_none_or(|said| u128::from(at.since(said)) >= SKIPS_TOGETHER.as_millis()) {
            now.skips_said = Some(at);
            now.note(at, "skipped", format!("the target is too slow: {frames} frames are left out"));
        }
    }

    pub(crate) fn skipped_so_far(&self) -> u64 {
        self.counts.skipped.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> RelayState {
        self.lock().state
    }

    /// As lists show it.
    pub(crate) fn show(&self) -> Relay {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let now = self.lock();
        Relay {
            role: self.role,
            name: self.name.to_string(),
            account: self.account,
            domain: self.key.domain.clone(),
            app: self.key.app.clone(),
            stream: self.key.stream.clone(),
            target: now.target.clone(),
            state: now.state,
            since: now.since,
            last_error: now.last_error.clone(),
            next_attempt_at: now.next_attempt_at,
            bytes_out: read(&self.counts.bytes_out),
            frames: read(&self.counts.frames),
            skipped: read(&self.counts.skipped),
            reconnects: read(&self.counts.reconnects),
            events: now.events.iter().cloned().collect(),
        }
    }

    fn change(&self, state: RelayState, more: impl FnOnce(&mut Now)) {
        let at = self.clock.now();
        let mut now = self.lock();
        if now.state != state {
            now.state = state;
            now.since = at;
        }
        more(&mut now);
    }

    /// Adds to this relay's count and the rule's; what this relay's was.
    fn add(&self, by: u64, of: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        of(&self.sums).fetch_add(by, Ordering::Relaxed);
        of(&self.counts).fetch_add(by, Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn note(&mut self, at: Timestamp, event: &'static str, text: String) {
        if self.events.len() >= EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(RelayEvent { at, event, text });
    }
}

impl Counts {
    pub(crate) fn figures(&self, name: &str, states: Vec<(RelayState, usize)>) -> RelayFigures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        RelayFigures {
            name: name.to_owned(),
            states,
            bytes_out: read(&self.bytes_out),
            frames: read(&self.frames),
            skipped: read(&self.skipped),
            reconnects: read(&self.reconnects),
            failures: read(&self.failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use cause::evidence::{Close, Stage};
    use model::SystemClock;

    use super::super::parting::Said;
    use super::*;

    fn status(sums: &Arc<Counts>) -> Status {
        let who = Identity {
            role: Role::Relay,
            name: "backup".into(),
            account: 7,
            key: StreamKey::new("d", "live", "s"),
            target: "rtmp://h/live/s".to_owned(),
        };
        Status::new(who, sums.clone(), Arc::new(SystemClock))
    }

    #[test]
    fn states_follow_what_happens_and_events_tell_it() {
        let sums = Arc::default();
        let status = status(&sums);
        assert_eq!(status.show().state, RelayState::Waiting);
        status.connecting("rtmp://h/live/s".to_owned());
        let lost = Parting::Closed { stage: Stage::Live, close: Close::Reset };
        status.parted(&lost, Some(Duration::from_secs(1)));
        let shown = status.show();
        assert_eq!((shown.state, shown.reconnects), (RelayState::Retrying, 0));
        assert!(shown.next_attempt_at.is_some() && shown.last_error.unwrap().contains("reset"));
        status.connecting("rtmp://h/live/s".to_owned());
        status.live();
        status.sent(1_000, 3);
        let said = Said::new("NetStream.Publish.Denied", "no");
        status.parted(&Parting::Refused { stage: Stage::StreamCreated, said }, None);
        let shown = status.show();
        assert_eq!((shown.state, shown.reconnects, shown.bytes_out), (RelayState::Failed, 1, 1_000));
        let events: Vec<_> = shown.events.iter().map(|event| event.event).collect();
        assert_eq!(events, ["retrying", "live", "failed"]);
        let figures = sums.figures("backup", Vec::new());
        assert_eq!((figures.bytes_out, figures.frames, figures.failures), (1_000, 3, 2));
    }

    #[test]
    fn events_are_bounded_and_skips_are_told_together() {
        let status = status(&Arc::default());
        for _ in 0..100 {
            status.skipped(10);
        }
        let shown = status.show();
        assert_eq!((shown.skipped, shown.events.len()), (1_000, 1));
        for _ in 0..100 {
            status.live();
        }
        assert_eq!(status.show().events.len(), EVENTS);
    }
}
