//! Empties the outbox: each event at least once, those of one push in their order, a bounded number of requests to each
//! receiver and in all. What waits, waits on disk.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::catalog::CallbackTemplate;
use reqwest::{Client, Url};
use store::{DeliveryEntry, Outbox, Settled, StoreError, Waiting};
use tokio::task::{self, JoinError, JoinSet};

use super::message::{Message, message};
use super::send::{Answer, Request, send};
use crate::state::WebState;

/// How long requests under way are waited for when the server stops; what has no answer then is sent again at the next
/// start.
const DRAIN: Duration = Duration::from_secs(3);
/// How often the backlogs are looked at.
const TRIM: Duration = Duration::from_secs(5);
/// The longest time without a look into the outbox.
const LOOK: Duration = Duration::from_secs(30);
/// The longest time without a look while something is due that could not be sent yet.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Receivers whose health is remembered.
const MAX_RECEIVERS: usize = 10_000;

/// What the deliverer has counted since the program started.
#[derive(Debug, Default)]
pub struct Figures {
    /// Events received by their receivers.
    pub delivered: AtomicU64,
    /// Tries that failed and are repeated.
    pub retried: AtomicU64,
    /// Events given up after their last try, or because their template or URL was gone.
    pub given_up: AtomicU64,
    /// Events given up because more waited than may.
    pub overflowed: AtomicU64,
    /// Events that wait for their receivers, as of the last look, seconds ago.
    pub waiting: AtomicU64,
}

impl Figures {
    /// Each figure with its name.
    pub fn read(&self) -> [(&'static str, u64); 4] {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        [
            ("delivered", read(&self.delivered)),
            ("retry", read(&self.retried)),
            ("given_up", read(&self.given_up)),
            ("overflow", read(&self.overflowed)),
        ]
    }
}

/// Why the deliverer cannot work.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The HTTP client could not be made.
    #[error("callbacks cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
}

/// Delivers events until `stop` resolves.
///
/// # Errors
/// [`DeliverError`], at once.
pub async fn run(
    state: WebState,
    outbox: Outbox,
    stop: impl Future<Output = ()>,
) -> Result<(), DeliverError> {
    let settings = &state.config().callback;
    let client = settings.reach.client(settings.timeout)?;
    let next_trim = state.clock().instant();
    let deliverer = Deliverer {
        state,
        outbox,
        client,
        under_way: HashMap::new(),
        task_of: HashMap::new(),
        receivers: HashMap::new(),
        tasks: JoinSet::new(),
        next_trim,
    };
    deliverer.work(stop).await;
    Ok(())
}

struct Deliverer {
    state: WebState,
    outbox: Outbox,
    client: Client,
    /// Each delivery under way and its receiver.
    under_way: HashMap<String, String>,
    /// Which delivery a task has.
    task_of: HashMap<task::Id, String>,
    receivers: HashMap<String, Receiver>,
    /// Each tells whether the receiver has the event.
    tasks: JoinSet<bool>,
    next_trim: Instant,
}

/// What is known of a receiver: the part of a URL up to its path.
#[derive(Default)]
struct Receiver {
    under_way: usize,
    /// The last request failed: one at a time is enough to find out that it is back.
    failing: bool,
}

impl Deliverer {
    async fn work(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let wait = self.send_what_is_due().await;
            tokio::select! {
                Some(done) = self.tasks.join_next_with_id() => self.note(done),
                () = self.outbox.arrived().notified() => {}
                () = tokio::time::sleep(wait) => {}
                () = &mut stop => break,
            }
            // Whatever else has ended meanwhile, so that one look serves all of it.
            while let Some(done) = self.tasks.try_join_next_with_id() {
                self.note(done);
            }
        }
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, rest).await.is_err() {
            tracing::info!("callbacks without an answer are sent again at the next start");
        }
    }

    /// Starts what may be started; gives the time until the next look.
    async fn send_what_is_due(&mut self) -> Duration {
        let now = self.state.clock().now();
        match self.look(now).await {
            Ok(wait) => wait,
            Err(StoreError::Closed) => LOOK,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read; callbacks wait");
                LOOK_AGAIN
            }
        }
    }

    async fn look(&mut self, now: Timestamp) -> Result<Duration, StoreError> {
        self.trim().await?;
        let settings = &self.state.config().callback;
        let (each, in_all) = (settings.per_receiver, settings.in_all);
        let outbox = self.outbox.clone();
        let under_way: std::collections::HashSet<String> = self.under_way.keys().cloned().collect();
        let read = tokio::task::spawn_blocking(move || {
            let due = outbox.due(now, each, &|id| under_way.contains(id))?;
            Ok::<_, StoreError>((due, outbox.next_due(now)?))
        });
        let (due, next) = read.await.map_err(|_| StoreError::Closed)??;
        let mut held_up = false;
        for waiting in due {
            let receiver = self.receiver_of(&waiting);
            let known = self.receivers.entry(receiver.clone()).or_default();
            let limit = if known.failing { 1 } else { each };
            if known.under_way >= limit || self.under_way.len() >= in_all {
                held_up = true;
                continue;
            }
            known.under_way += 1;
            let id = waiting.id.clone();
            self.under_way.insert(id.clone(), receiver);
            let work = deliver(self.state.clone(), self.outbox.clone(), self.client.clone(), waiting);
            self.task_of.insert(self.tasks.spawn(work).id(), id);
        }
        let until_next = next.map_or(LOOK, |at| Duration::from_millis(at.since(now))).min(LOOK);
        Ok(if held_up { until_next.min(LOOK_AGAIN) } else { until_next }.max(Duration::from_millis(1)))
    }

    fn receiver_of(&self, waiting: &Waiting) -> String {
        let catalog = self.state.catalog();
        let url = catalog.callback_templates.get(&waiting.template).and_then(|t| t.urls.of(waiting.kind));
        // What has no receiver any more is only given up, which needs no turn of its own.
        let url = url.and_then(|url| Url::parse(url).ok());
        url.map_or_else(String::new, |url| url.origin().ascii_serialization())
    }

    /// A task has ended; one that has failed left its event where it was.
    fn note(&mut self, done: Result<(task::Id, bool), JoinError>) {
        let (task, received) = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a callback's task failed; its event is sent again");
                (error.id(), false)
            }
        };
        let receiver = self.task_of.remove(&task).and_then(|id| self.under_way.remove(&id));
        if let Some(name) = receiver
            && let Some(receiver) = self.receivers.get_mut(&name)
        {
            receiver.under_way = receiver.under_way.saturating_sub(1);
            receiver.failing = !received;
            // A healthy receiver without work is like one never heard of.
            if receiver.under_way == 0 && (received || self.receivers.len() > MAX_RECEIVERS) {
                self.receivers.remove(&name);
            }
        }
    }

    /// Gives up the oldest events where more wait than may.
    async fn trim(&mut self) -> Result<(), StoreError> {
        let now = self.state.clock().instant();
        if now < self.next_trim {
            return Ok(());
        }
        self.next_trim = now + TRIM;
        let outbox = self.outbox.clone();
        let waiting =
            tokio::task::spawn_blocking(move || outbox.waiting()).await.map_err(|_| StoreError::Closed)??;
        let figures = self.state.callback_figures();
        figures.waiting.store(waiting.iter().map(|(_, count)| count).sum(), Ordering::Relaxed);
        let keep = self.state.config().callback.backlog;
        for (template, _) in waiting.into_iter().filter(|(_, count)| *count > keep) {
            let gone = self.outbox.settle(Settled::Trim { template, keep }).await?;
            figures.overflowed.fetch_add(gone, Ordering::Relaxed);
            tracing::warn!(
                template,
                gone,
                "more events wait for a receiver than may: the oldest are given up"
            );
        }
        Ok(())
    }
}

/// Sends one event, and keeps what came of it.
async fn deliver(state: WebState, outbox: Outbox, client: Client, waiting: Waiting) -> bool {
    let settings = &state.config().callback;
    let catalog = state.catalog();
    let template = catalog.callback_templates.get(&waiting.template);
    let sent_at = state.clock().now();
    let (answer, text, hopeless) = match prepare(&state, template, &waiting) {
        Ok((url, text)) => {
            let attempt = waiting.attempts.saturating_add(1);
            let request = Request { url: &url, delivery: &waiting.id, attempt, body: &text.body };
            (send(&client, request, settings.timeout, state.clock()).await, text, false)
        }
        Err(unsendable) => (
            Answer::not_sent(unsendable.why),
            Message { body: String::new(), masked: String::new() },
            unsendable.hopeless,
        ),
    };
    let received = answer.is_received();
    let again = !received && !hopeless && waiting.attempts < settings.retries;
    let figures = state.callback_figures();
    let (outcome, count) = match (received, again) {
        (true, _) => ("delivered", &figures.delivered),
        (false, true) => ("retry", &figures.retried),
        (false, false) => ("given_up", &figures.given_up),
    };
    count.fetch_add(1, Ordering::Relaxed);
    let id = waiting.id.clone();
    if outcome == "given_up" {
        let why = answer.failure.as_deref();
        tracing::warn!(delivery = id, template = waiting.template, why, "an event was given up");
    }
    let url = template.and_then(|t| t.urls.of(waiting.kind)).unwrap_or_default();
    outbox.remember(entry(&waiting, outcome, url, text.masked, answer, sent_at));
    let settled = if again {
        Settled::Again { id: id.clone(), at: state.clock().now().plus(settings.retry_every) }
    } else {
        Settled::Done { id: id.clone() }
    };
    // Where the store is shut down, the event stays and is sent again.
    let _ = outbox.settle(settled).await;
    received
}

struct Unsendable {
    why: String,
    /// No later try would be any better.
    hopeless: bool,
}

fn prepare(
    state: &WebState,
    template: Option<&CallbackTemplate>,
    waiting: &Waiting,
) -> Result<(Url, Message), Unsendable> {
    let hopeless = |why: &str| Unsendable { why: why.to_owned(), hopeless: true };
    // An empty catalog is one that cannot be read at the moment.
    let template = template.ok_or_else(|| Unsendable {
        why: "the template is gone".to_owned(),
        hopeless: state.live().catalog_is_known(),
    })?;
    let url = template
        .urls
        .of(waiting.kind)
        .ok_or_else(|| hopeless("the template names no URL for this kind of event any more"))?;
    let notice = waiting.notice.as_ref().ok_or_else(|| hopeless("what it tells cannot be read"))?;
    let settings = &state.config().callback;
    let url = settings
        .reach
        .check_url(url)
        .map_err(|error| Unsendable { why: format!("the URL {error}"), hopeless: false })?;
    let text = message(waiting, notice, &template.key, state.clock().now(), settings.timeout);
    Ok((url, text))
}

/// A try as the history keeps it.
pub(super) fn entry(
    waiting: &Waiting,
    outcome: &str,
    url: &str,
    request: String,
    answer: Answer,
    sent_at: Timestamp,
) -> DeliveryEntry {
    DeliveryEntry {
        delivery: waiting.id.clone(),
        attempt: waiting.attempts.saturating_add(1),
        outcome: outcome.to_owned(),
        template: waiting.template,
        push: waiting.push,
        kind: waiting.kind,
        account: waiting.account,
        key: waiting.key.clone(),
        event_at: waiting.created_at,
        sent_at,
        took_ms: answer.took_ms,
        status: answer.status,
        reason: answer.failure,
        url: model::mask::mask_text(url),
        request,
        response: answer.body,
    }
}
