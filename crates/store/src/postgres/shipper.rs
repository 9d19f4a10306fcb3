//! The thread that ships: from this node's journal and record files into the database, for as long as there is anything
//! to ship. It keeps nothing of its own that would be lost with it; a batch that is under way when anything dies is
//! shipped again, and meets itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use model::{Clock, SystemClock, Timestamp};

use super::lanes::{Lanes, MOST, Outcome};
use super::partition::{self, Keep};
use super::put::Known;
use super::{fetches, names, told};
use crate::columns::Stored;
use crate::error::StoreError;
use crate::history::History;
use crate::journal::Shared;
use crate::journal::queue::Op;
use crate::journal::shipping::Shipped;
use crate::layout::{self, Day};
use crate::outbox::Outbox;
use crate::reader::{Chunk, Connections, Unshipped};
use crate::remote::{Database, RemoteFault};

/// Evidence under way at once, bytes.
const MOST_EVIDENCE: u64 = 32 << 20;
/// Events, or fetches, in one batch.
const EVENTS: usize = 500;
/// Ends in one question whether other nodes have told them.
const ENDS: usize = 5_000;
/// How long ends gather before they are shipped.
const GATHER: Duration = Duration::from_millis(200);
/// How long the shipper sleeps when nothing wakes it: events do not.
const LOOK: Duration = Duration::from_secs(1);
/// After a failure it rests, each time longer.
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How often partitions are made ahead, and old ones dropped.
const SWEEP: Duration = Duration::from_secs(600);
/// Partitions made ahead, days.
const AHEAD: i64 = 3;
/// How long the schema may take, with another node at it.
const MIGRATE: Duration = Duration::from_secs(120);
/// How long a sweep may take.
const SWEEP_LIMIT: Duration = Duration::from_secs(60);

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Remote(#[from] RemoteFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) struct Shipper {
    shared: Arc<Shared>,
    database: Database,
    known: Arc<Known>,
    here: Connections,
    history: History,
    /// The schema is there, and the database has said who it is.
    ready: bool,
    events_to: Option<u64>,
    fetches_to: Option<u64>,
    next_sweep: Instant,
    looked: Instant,
}

impl Shipper {
    pub fn new(shared: Arc<Shared>, database: Database) -> Self {
        let history = History::new(shared.config.dir.clone(), None);
        let now = shared.clock.instant();
        Self {
            shared,
            database,
            known: Arc::default(),
            here: Connections::default(),
            history,
            ready: false,
            events_to: None,
            fetches_to: None,
            next_sweep: now,
            looked: now,
        }
    }

    /// Works until the store shuts down; then ships what it still can.
    pub fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut rest = Duration::ZERO;
        loop {
            let awake = match rest.is_zero() {
                true => shared.shipping.sleep(LOOK, true) && shared.shipping.sleep(GATHER, false),
                // Whatever comes meanwhile waits for the next try.
                false => shared.shipping.sleep(rest, false),
            };
            if !awake {
                break;
            }
            rest = match self.round() {
                Ok(()) => self.went_well(),
                Err(Trouble::Store(StoreError::Closed)) => break,
                Err(trouble) => self.went_wrong(&trouble, rest),
            };
            self.measure(rest.is_zero());
        }
        // The last ends have just been written. Nobody is left to note that they are shipped; the next start ships them
        // again.
        if rest.is_zero()
            && self.ready
            && let Err(trouble) = self.ship_rows()
            && !matches!(trouble, Trouble::Store(StoreError::Closed))
        {
            tracing::info!(%trouble, "the last ends are shipped at the next start");
        }
    }

    fn went_well(&self) -> Duration {
        let mut figures = self.shared.shipped.lock();
        if !std::mem::replace(&mut figures.connected, true) {
            tracing::info!("records are shipped to the database of all nodes");
        }
        figures.last_error = None;
        Duration::ZERO
    }

    fn went_wrong(&mut self, trouble: &Trouble, rest: Duration) -> Duration {
        // Files that are held open may be what is wrong.
        self.here = Connections::default();
        self.events_to = None;
        self.fetches_to = None;
        // A database that comes back may be another one.
        self.ready = false;
        let mut figures = self.shared.shipped.lock();
        figures.failures += 1;
        if std::mem::replace(&mut figures.connected, false) || figures.failures == 1 {
            tracing::warn!(%trouble, "records are not shipped; they wait in the data folder meanwhile");
        } else {
            tracing::debug!(%trouble, "records are still not shipped");
        }
        figures.last_error = Some(trouble.to_string());
        rest.saturating_mul(2).clamp(REST, LONGEST_REST)
    }

    fn round(&mut self) -> Result<(), Trouble> {
        self.greet()?;
        self.ask_who_told()?;
        self.ship_rows()?;
        self.backfill()?;
        while self.ship_events()? {}
        while self.ship_fetches()? {}
        Ok(())
    }

    /// Prepares the database, and learns whether it is the one of the last time.
    fn greet(&mut self) -> Result<(), Trouble> {
        let now = self.shared.clock.instant();
        if !self.ready {
            self.database.migrate(MIGRATE)?;
            let config = &self.shared.config;
            let (node, label) = (config.node_id, config.node_label.clone());
            let seen_at = self.shared.clock.now().millis();
            let id = self.database.ask(MIGRATE, move |client| async move {
                client
                    .execute(
                        "insert into node (id, label, seen_at) values ($1, $2, $3) \
                         on conflict (id) do update set label = excluded.label, seen_at = excluded.seen_at",
                        &[&node, &label, &seen_at],
                    )
                    .await?;
                let row = client.query_one("select id::text from identity", &[]).await?;
                Ok(row.try_get(0)?)
            })?;
            let days = layout::record_days(&self.shared.config.dir)?;
            self.note(Shipped::Database { id, days })?;
            self.ready = true;
            self.next_sweep = now;
        }
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP;
            self.sweep();
        }
        Ok(())
    }

    /// Learns of which pushes whose beginnings or ends earlier runs left in the outbox other nodes have told meanwhile.
    fn ask_who_told(&self) -> Result<(), Trouble> {
        let Some(to) = self.shared.earlier.unasked() else { return Ok(()) };
        let left = Outbox::new(Arc::clone(&self.shared)).pushes_up_to(to)?;
        let node = self.shared.config.node_id;
        for some in left.chunks(ENDS) {
            let pushes = self.database.told_by_others(node, some)?;
            if !pushes.is_empty() {
                tracing::info!(
                    count = pushes.len(),
                    "pushes of which other nodes have told are not told of again"
                );
                self.note(Shipped::Told { pushes, to })?;
            }
        }
        self.shared.earlier.asked();
        self.shared.outbox_arrived.notify_one();
        Ok(())
    }

    /// Makes partitions ahead and lets go of what is old. Nothing depends on its success today.
    fn sweep(&self) {
        let now = SystemClock.now();
        let config = &self.shared.config;
        let keep = Keep {
            records: now.minus(config.keep),
            evidence: now.minus(config.keep_evidence.min(config.keep)),
            events: now.minus(config.keep_history),
        };
        let today = Day::of(now).number();
        let ahead: BTreeSet<Day> = (today..=today + AHEAD).map(Day::of_number).collect();
        let outcome = self.database.ask(SWEEP_LIMIT, move |client| async move {
            partition::make(&client, &ahead).await?;
            let partitions = partition::drop_old(&client, keep).await?;
            let names = names::sweep(&client, Day::of(keep.records)).await?;
            told::sweep(&client, keep.events).await?;
            fetches::sweep(&client, keep.events).await?;
            Ok((partitions, names))
        });
        match outcome {
            Ok((0, 0)) => {}
            Ok((partitions, names)) => {
                tracing::info!(partitions, names, "the database let go of what is older than what is kept");
            }
            Err(error) => tracing::warn!(%error, "partitions could not be made ahead, or not dropped"),
        }
    }

    /// Ships the records that wait.
    fn ship_rows(&mut self) -> Result<(), Trouble> {
        let dir = self.shared.config.dir.clone();
        let mut taken = Taken::after(&mut self.here, &dir, 0)?;
        while !taken.is_empty() {
            let Taken { rows, mut gone, more } = taken;
            let count = rows.len() as u64;
            let lanes = Lanes { database: &self.database, known: &self.known, dir: &dir };
            let here = &mut self.here;
            // The next ones are read while these are on their way.
            let (outcome, next) = beside(
                || lanes.put(rows),
                || more.map_or(Ok(Taken::default()), |last| Taken::after(here, &dir, last)),
            );
            let Outcome { mut done, stuck } = outcome?;
            self.shared.shipped.lock().shipped += count - stuck.len() as u64;
            done.append(&mut gone);
            if !done.is_empty() {
                self.note(Shipped::Rows(done))?;
            }
            if !stuck.is_empty() {
                self.note(Shipped::Stuck(stuck))?;
            }
            taken = next?;
        }
        Ok(())
    }

    /// Ships record files from before shipping began.
    fn backfill(&mut self) -> Result<(), Trouble> {
        let dir = self.shared.config.dir.clone();
        let mut next = self.here.backfill(&dir, MOST, None)?;
        while let Some(chunk) = next {
            let Chunk { day, stored, below } = chunk;
            let rows: Vec<((), Stored)> = stored.into_iter().map(|stored| ((), stored)).collect();
            let lanes = Lanes { database: &self.database, known: &self.known, dir: &dir };
            let here = &mut self.here;
            let (outcome, following) = beside(
                || lanes.put(rows),
                || below.map_or(Ok(None), |below| here.backfill(&dir, MOST, Some((day, below)))),
            );
            self.shared.shipped.lock().shipped += outcome?.done.len() as u64;
            self.note(Shipped::File { day, below })?;
            // What is new does not wait for old files.
            self.ship_rows()?;
            next = match following? {
                None => self.here.backfill(&dir, MOST, None)?,
                some => some,
            };
        }
        Ok(())
    }

    /// Ships events; true while there may be more.
    fn ship_events(&mut self) -> Result<bool, Trouble> {
        let node = self.shared.config.node_id;
        let to = match self.events_to {
            Some(to) => to,
            None => self.database.events_to(node)?,
        };
        let newest = self.history.newest_event()?;
        // The history was lost, and its numbers begin anew.
        let to = if newest < to { 0 } else { to };
        self.events_to = Some(to);
        if newest == to {
            return Ok(false);
        }
        let events = self.history.events_after(to, EVENTS)?;
        let Some(last) = events.last().map(|event| event.id) else { return Ok(false) };
        let (count, full) = (events.len() as u64, events.len() >= EVENTS);
        self.database.put_events(node, events, last)?;
        self.events_to = Some(last);
        self.shared.shipped.lock().events += count;
        Ok(full)
    }

    /// Ships how fetches ended; true while there may be more.
    fn ship_fetches(&mut self) -> Result<bool, Trouble> {
        let node = self.shared.config.node_id;
        let to = match self.fetches_to {
            Some(to) => to,
            None => self.database.fetches_to(node)?,
        };
        let newest = self.history.newest_fetch()?;
        // As with events.
        let to = if newest < to { 0 } else { to };
        self.fetches_to = Some(to);
        if newest == to {
            return Ok(false);
        }
        let fetches = self.history.fetches_after(to, EVENTS)?;
        let Some(last) = fetches.last().map(|(number, _)| *number) else { return Ok(false) };
        let full = fetches.len() >= EVENTS;
        self.database.put_fetches(node, fetches.into_iter().map(|(_, fetch)| fetch).collect(), last)?;
        self.fetches_to = Some(last);
        Ok(full)
    }

    /// Has the journal's writer note what became of records.
    fn note(&self, shipped: Shipped) -> Result<(), StoreError> {
        let (done, answered) = mpsc::sync_channel(1);
        if !self.shared.queue.push(Op::Shipped { shipped, done }) {
            return Err(StoreError::Closed);
        }
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// Brings the figures up to date; counting a long queue each second would cost more than it tells.
    fn measure(&mut self, quiet: bool) {
        let now = self.shared.clock.instant();
        let waited = now.saturating_duration_since(self.looked);
        if !quiet && waited < LOOK * 5 {
            return;
        }
        self.looked = now;
        let Ok(waiting) = self.here.waiting(&self.shared.config.dir) else { return };
        let since = |at: Timestamp| Duration::from_millis(self.shared.clock.now().since(at));
        let mut figures = self.shared.shipped.lock();
        figures.waiting = waiting.rows;
        figures.stuck = waiting.stuck;
        figures.backfill_days = waiting.backfill_days;
        figures.lag = waiting.oldest.map(since).unwrap_or_default();
    }
}

/// Records taken out of the journal's list of those that wait.
#[derive(Default)]
struct Taken {
    rows: Vec<(i64, Stored)>,
    gone: Vec<i64>,
    /// Where to go on, if there may be more.
    more: Option<i64>,
}

impl Taken {
    fn after(here: &mut Connections, dir: &Path, last: i64) -> Result<Self, StoreError> {
        let waiting = here.unshipped(dir, MOST, last)?;
        let mut more = waiting.last().filter(|_| waiting.len() >= MOST).map(|row| row.seq);
        let (mut rows, mut gone, mut bytes) = (Vec::with_capacity(waiting.len()), Vec::new(), 0);
        for Unshipped { seq, id, stored } in waiting {
            let Some(stored) = stored else {
                tracing::error!(%id, "a record that was to be shipped is gone");
                gone.push(seq);
                continue;
            };
            bytes += stored.evidence.map_or(0, |place| place.length);
            rows.push((seq, stored));
            if bytes > MOST_EVIDENCE {
                more = Some(seq);
                break;
            }
        }
        Ok(Self { rows, gone, more })
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.gone.is_empty()
    }
}

/// Does two things at once.
fn beside<A, B>(
    first: impl FnOnce() -> A,
    second: impl FnOnce() -> Result<B, StoreError> + Send,
) -> (A, Result<B, StoreError>)
where
    B: Send,
{
    thread::scope(|threads| {
        let second = threads.spawn(second);
        let first = first();
        (first, second.join().unwrap_or(Err(StoreError::Closed)))
    })
}
