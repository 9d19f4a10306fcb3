//! All relays of a node: the rules, and who is on the way where.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, PushId, StreamKey};
use tokio::sync::watch;

use super::link::Dialer;
use super::proxy::Proxy;
use super::rule::{ProxyConfig, Rule};
use super::status::{Counts, Identity, Relay, RelayFigures, Role, Status};
use super::{run, tls};
use crate::shared::Shared;

/// From the first packet until a target takes media.
const OPENING: Duration = Duration::from_secs(10);

/// A rule with what its relays need.
pub(crate) struct Ready {
    pub(crate) rule: Rule,
    pub(crate) dialer: Dialer,
    name: Arc<str>,
    sums: Arc<Counts>,
}

/// The relays of a node.
pub(crate) struct Relays {
    rules: Vec<Arc<Ready>>,
    pub(crate) proxy: Option<Arc<Proxy>>,
    running: Mutex<Running>,
    /// Tasks under way, so that a stop can wait for their goodbyes.
    tasks: watch::Sender<usize>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Running {
    relays: HashMap<(usize, StreamKey), Entry>,
    proxied: BTreeMap<PushId, Arc<Status>>,
}

struct Entry {
    status: Arc<Status>,
    /// The stream went live again since its task looked last.
    again: bool,
}

/// One task, as long as it lives.
pub(crate) struct Task(Arc<Shared>);

/// One relay's place among those that run.
pub(crate) struct Place {
    shared: Arc<Shared>,
    index: usize,
    status: Arc<Status>,
}

impl Relays {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub(crate) fn new(
        rules: &[Rule],
        proxy: Option<&ProxyConfig>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, tls::TrustError> {
        let ready = |rule: &Rule| {
            let tls = rule.target.is_tls().then(|| tls::connector(rule.ca.as_deref())).transpose()?;
            let dialer = Dialer { tls, clock: clock.clone(), limit: OPENING };
            let (rule, name) = (rule.clone(), rule.name.as_str().into());
            Ok(Arc::new(Ready { rule, dialer, name, sums: Arc::default() }))
        };
        Ok(Self {
            rules: rules.iter().map(ready).collect::<Result<_, tls::TrustError>>()?,
            proxy: proxy.map(|config| Proxy::new(config, clock).map(Arc::new)).transpose()?,
            running: Mutex::default(),
            tasks: watch::Sender::new(0),
            stop: watch::Sender::new(false),
        })
    }

    /// A stream has gone live: whatever rule fits passes it on, unless it does already.
    pub(crate) fn stream_is_live(&self, shared: &Arc<Shared>, key: &StreamKey, account: u64) {
        for (index, ready) in self.rules.iter().enumerate().filter(|(_, ready)| ready.rule.fits(key)) {
            let mut running = self.lock();
            if let Some(entry) = running.relays.get_mut(&(index, key.clone())) {
                entry.again = true;
                continue;
            }
            let target = ready.rule.target.endpoint(key).to_string();
            let who =
                Identity { role: Role::Relay, name: ready.name.clone(), account, key: key.clone(), target };
            let status = Arc::new(Status::new(who, ready.sums.clone(), shared.clock.clone()));
            let entry = Entry { status: status.clone(), again: false };
            running.relays.insert((index, key.clone()), entry);
            drop(running);
            let place = Place { shared: shared.clone(), index, status };
            let (ready, task) = (ready.clone(), Task::begin(shared));
            tokio::spawn(async move {
                run::run(&place, &ready).await;
                drop((place, task));
            });
        }
    }

    /// A push that is passed through to the upstream.
    pub(crate) fn proxied(&self, push: PushId, status: Arc<Status>) {
        self.lock().proxied.insert(push, status);
    }

    /// It no longer is.
    pub(crate) fn no_longer_proxied(&self, push: PushId) {
        self.lock().proxied.remove(&push);
    }

    /// What is on its way, by name and stream.
    pub(crate) fn list(&self) -> Vec<Relay> {
        let running = self.lock();
        let relays = running.relays.values().map(|entry| &entry.status);
        let mut all: Vec<_> = relays.chain(running.proxied.values()).map(|status| status.show()).collect();
        drop(running);
        all.sort_by(|a, b| {
            (&a.name, &a.domain, &a.app, &a.stream).cmp(&(&b.name, &b.domain, &b.app, &b.stream))
        });
        all
    }

    /// Sums, a rule each, proxy mode last.
    pub(crate) fn figures(&self) -> Vec<RelayFigures> {
        let running = self.lock();
        let mut states: HashMap<Option<usize>, BTreeMap<_, usize>> = HashMap::new();
        for ((index, _), entry) in &running.relays {
            *states.entry(Some(*index)).or_default().entry(entry.status.state()).or_default() += 1;
        }
        for status in running.proxied.values() {
            *states.entry(None).or_default().entry(status.state()).or_default() += 1;
        }
        drop(running);
        let mut take = |index| states.remove(&index).unwrap_or_default().into_iter().collect();
        let rules = self.rules.iter().enumerate();
        let mut all: Vec<_> =
            rules.map(|(index, ready)| ready.sums.figures(&ready.name, take(Some(index)))).collect();
        if let Some(proxy) = &self.proxy {
            all.push(proxy.sums.figures(super::proxy::NAME, take(None)));
        }
        all
    }

    /// Ends every relay, also those of streams whose push was lost and may come back.
    pub(crate) async fn end_all(&self) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.subscribe();
        // The sender lives as long as `self`.
        let _ = tasks.wait_for(|count| *count == 0).await;
    }

    /// Ready once the node stops.
    pub(crate) async fn stopping(&self) {
        // The sender lives as long as `self`.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    pub(crate) fn begin(shared: &Arc<Shared>) -> Self {
        shared.relays.tasks.send_modify(|count| *count += 1);
        Self(shared.clone())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.relays.tasks.send_modify(|count| *count -= 1);
    }
}

impl Place {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Whether the stream went live again since this was asked last. If not, the place is given up: who goes live from now
    /// on begins a relay of their own.
    pub(crate) fn again(&self) -> bool {
        let mut running = self.shared.relays.lock();
        let key = (self.index, self.status.key.clone());
        let again = running.relays.get_mut(&key).is_some_and(|entry| std::mem::take(&mut entry.again));
        if !again {
            self.give_up(&mut running);
        }
        again
    }

    fn give_up(&self, running: &mut Running) {
        let key = (self.index, self.status.key.clone());
        // By now it may be the place of another.
        if running.relays.get(&key).is_some_and(|entry| Arc::ptr_eq(&entry.status, &self.status)) {
            running.relays.remove(&key);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_up(&mut self.shared.relays.lock());
    }
}
