//! Queries over the journal and the record files, newest end first.
//!
//! The journal is read before the files: a record that moves meanwhile is then seen twice, which is noticed by its id, and
//! never not at all. The files are read newest day first, and only as far as the page needs them. No read transaction
//! outlives a page.

mod day;
mod everywhere;
pub(crate) mod filter;
mod index;
mod indexes;
mod journal;
mod known;
mod list;
mod names;
pub(crate) mod query;
mod snapshot;
pub(crate) mod source;
mod stretches;
pub(crate) mod summary;
mod unshipped;

#[cfg(feature = "postgres")]
pub(crate) use unshipped::{Chunk, Unshipped};

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use model::{PushId, Record, Timestamp};
use rusqlite::Connection;

use crate::columns::Stored;
use crate::error::StoreError;
use crate::evidence;
use crate::filing::changes::Changes;
use crate::journal::Shared;
use crate::layout::{self, Day};
use crate::limits::{MAX_EXAMINED, MAX_READER_DAYS, MAX_READERS, MIN_READERS};
use crate::remote::{Database, Remote};
use crate::schema::{JOURNAL, RECORDS};
use filter::Filter;
use indexes::Indexes;
use known::Known;
pub use list::{ListQuery, Listing};
pub use query::{Cursor, CursorError, Page, RecordQuery};
use summary::Counting;
pub use summary::{StreamEnds, Summary, SummaryQuery};

/// Reads records. Cheap to clone; holds a few read-only connections. All calls block: async callers use
/// `spawn_blocking`.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    /// Rows one query looks at.
    budget: u64,
    /// Sets of connections at once.
    most: usize,
    lending: Mutex<Lending>,
    /// Told when connections come back.
    back: Condvar,
    /// Told of by the one who writes the files, where that is this process.
    changes: Option<Arc<Changes>>,
    known: Known,
    indexes: Arc<Indexes>,
    /// The records of all nodes.
    everywhere: Option<Database>,
}

/// The sets of connections: a query that finds none waits, since opening a file for each day takes longer than most
/// queries, and more of them at once than there are cores end no sooner.
#[derive(Default)]
struct Lending {
    idle: Vec<Connections>,
    lent: usize,
}

#[derive(Default)]
pub(crate) struct Connections {
    journal: Option<Connection>,
    days: BTreeMap<Day, Connection>,
    /// The days that have a file, newest first, and how often files had come or gone before they were listed.
    listed: Option<(u64, Vec<Day>)>,
    changes: Option<Arc<Changes>>,
}

/// A record, and its evidence in stored form where there is any and it is still kept.
pub type WithEvidence = (Record, Option<Vec<u8>>);

/// Where in time a query may look, and how much of it.
pub(crate) struct Window {
    /// Only positions below this one.
    pub below: Cursor,
    /// Only positions at or above this one.
    pub from: Cursor,
    /// Rows that may still be looked at.
    pub budget: u64,
    /// As many records as are wanted.
    pub wanted: usize,
}

/// What one database gave: records with their positions, newest first.
#[derive(Default)]
pub(crate) struct Found {
    pub records: Vec<(Cursor, Stored)>,
    /// Where the search stopped because the budget was spent: nothing below is known.
    pub stopped: Option<Cursor>,
}

impl Reader {
    /// A reader in the process that writes the files.
    pub(crate) fn beside(store: &Shared, everywhere: Option<Database>) -> Self {
        Self::with(store.config.dir.clone(), MAX_EXAMINED, Some(Arc::clone(&store.changes)), everywhere)
    }

    fn with(dir: PathBuf, budget: u64, changes: Option<Arc<Changes>>, everywhere: Option<Database>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let most = cores.clamp(MIN_READERS, MAX_READERS);
        let (lending, back, known, indexes) = Default::default();
        Self {
            inner: Arc::new(Inner { dir, budget, most, lending, back, changes, known, indexes, everywhere }),
        }
    }

    /// Opens a data folder for reading only, whether a server runs on it or not. Never migrates, never writes.
    ///
    /// # Errors
    /// [`StoreError::NoData`] when there is no journal; [`StoreError::OlderSchema`] or [`StoreError::NewerSchema`]; or
    /// what keeps the journal from being read.
    pub fn open_dir(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_everywhere(dir, None)
    }

    /// The same, with the records of all nodes where there is a database of them.
    ///
    /// # Errors
    /// As [`Reader::open_dir`]; or a thread could not be started.
    pub fn open_everywhere(dir: impl AsRef<Path>, remote: Option<&Remote>) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        let journal = layout::journal_file(dir);
        match journal.metadata() {
            Ok(meta) if meta.len() > 0 || wal_has_content(&journal) => {}
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Io { doing: "read", path: journal, source: error });
            }
            _ => return Err(StoreError::NoData { path: dir.to_owned() }),
        }
        let everywhere = remote.map(Remote::database).transpose()?;
        let reader = Self::with(dir.to_owned(), MAX_EXAMINED, None, everywhere);
        reader.lend(|connections| connections.journal(dir).map(drop))?;
        Ok(reader)
    }

    /// One page of records, newest end first. See [`Page::next`] for how pages follow each other.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be read.
    pub fn query(&self, query: &RecordQuery) -> Result<Page, StoreError> {
        match &self.inner.everywhere {
            Some(everywhere) => self.query_everywhere(everywhere, query),
            None => Ok(page(self.find(query)?, query.page_size())),
        }
    }

    /// One page of a list that is counted, as APIs with page numbers need it.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be read.
    pub fn list(&self, query: &ListQuery) -> Result<Listing, StoreError> {
        match &self.inner.everywhere {
            Some(everywhere) => self.list_everywhere(everywhere, query),
            None => self.list_here(query),
        }
    }

    fn list_here(&self, query: &ListQuery) -> Result<Listing, StoreError> {
        let Inner { dir, budget, known, indexes, .. } = &*self.inner;
        self.lend(|connections| connections.list(dir, query, *budget, (known, indexes)))
    }

    /// One record by its push's id, with its evidence where that is still kept.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be read, or the evidence is not whole.
    pub fn get(&self, id: PushId) -> Result<Option<WithEvidence>, StoreError> {
        let here = self.get_here(id)?;
        match &self.inner.everywhere {
            Some(everywhere) => self.get_everywhere(everywhere, id, here),
            None => Ok(here),
        }
    }

    fn get_here(&self, id: PushId) -> Result<Option<WithEvidence>, StoreError> {
        let dir = &self.inner.dir;
        let Some(stored) = self.lend(|connections| connections.get(dir, id))? else { return Ok(None) };
        let day = Day::of(stored.record.ended_at);
        let evidence = match stored.evidence {
            Some(place) => evidence::read(dir, day, place, id).map_err(|error| StoreError::Unreadable {
                path: layout::evidence_file(dir, day),
                id: id.to_string(),
                what: error.to_string(),
            })?,
            None => None,
        };
        Ok(Some((stored.record, evidence)))
    }

    /// How many records ended at `since` or later.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be read.
    pub fn count_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let here = || self.lend(|connections| connections.count_since(&self.inner.dir, since));
        match &self.inner.everywhere {
            Some(everywhere) => self.count_everywhere(everywhere, since).or_else(|_| here()),
            None => here(),
        }
    }

    /// Counts the ends since a time by cause and bucket of time, and names the streams that ended most.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be read.
    pub fn summary(&self, query: SummaryQuery) -> Result<Summary, StoreError> {
        match &self.inner.everywhere {
            Some(everywhere) => self.summary_everywhere(everywhere, query),
            None => self.summary_here(query),
        }
    }

    fn summary_here(&self, query: SummaryQuery) -> Result<Summary, StoreError> {
        self.lend(|connections| connections.summary(&self.inner.dir, query))
    }

    /// What this node has.
    fn find(&self, query: &RecordQuery) -> Result<Found, StoreError> {
        self.lend(|connections| connections.find(&self.inner.dir, query, self.inner.budget))
    }

    fn lend<T>(&self, work: impl FnOnce(&mut Connections) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut lent = Lent::of(&self.inner);
        let outcome = work(&mut lent.connections);
        // After an error they are opened anew.
        lent.whole = outcome.is_ok();
        outcome
    }
}

/// A set of connections at work; its place is given back whatever becomes of the work.
struct Lent<'a> {
    inner: &'a Inner,
    connections: Connections,
    whole: bool,
}

impl<'a> Lent<'a> {
    fn of(inner: &'a Inner) -> Self {
        let lending = inner.lending.lock().unwrap_or_else(PoisonError::into_inner);
        let none_free = |lending: &mut Lending| lending.lent >= inner.most;
        let mut lending = inner.back.wait_while(lending, none_free).unwrap_or_else(PoisonError::into_inner);
        lending.lent += 1;
        let idle = lending.idle.pop();
        let connections =
            idle.unwrap_or_else(|| Connections { changes: inner.changes.clone(), ..Connections::default() });
        Self { inner, connections, whole: false }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut lending = self.inner.lending.lock().unwrap_or_else(PoisonError::into_inner);
        lending.lent = lending.lent.saturating_sub(1);
        if self.whole {
            lending.idle.push(std::mem::take(&mut self.connections));
        }
        drop(lending);
        self.inner.back.notify_one();
    }
}

impl Connections {
    fn journal(&mut self, dir: &Path) -> Result<&Connection, StoreError> {
        match &mut self.journal {
            Some(db) => Ok(db),
            none => Ok(none.insert(JOURNAL.open_read_only(&layout::journal_file(dir))?)),
        }
    }

    /// The record file of a day; `None` if it aged out meanwhile.
    fn day(&mut self, dir: &Path, day: Day) -> Result<Option<&Connection>, StoreError> {
        use std::collections::btree_map::Entry;
        match self.days.entry(day) {
            Entry::Occupied(entry) => Ok(Some(entry.into_mut())),
            Entry::Vacant(entry) => {
                let path = layout::records_file(dir, day);
                match RECORDS.open_read_only(&path) {
                    Ok(db) => Ok(Some(entry.insert(db))),
                    Err(_) if !path.exists() => Ok(None),
                    // Made by the filer a moment ago, and still empty.
                    Err(StoreError::OlderSchema { found: 0, .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// The days that have a record file, newest first; connections to those that aged out are let go.
    fn list_days(&mut self, dir: &Path) -> Result<Vec<Day>, StoreError> {
        let files = self.changes.as_ref().map(|changes| changes.files());
        if let (Some(files), Some((before, days))) = (files, &self.listed)
            && files == *before
        {
            return Ok(days.clone());
        }
        let days = layout::record_days(dir)?;
        let newest: HashSet<Day> = days.iter().copied().take(MAX_READER_DAYS).collect();
        self.days.retain(|day, _| newest.contains(day));
        self.listed = files.map(|files| (files, days.clone()));
        Ok(days)
    }

    fn find(&mut self, dir: &Path, query: &RecordQuery, budget: u64) -> Result<Found, StoreError> {
        let limit = query.page_size();
        let filter = Filter::of(query);
        let (below, from) = query.span();
        let mut window = Window { below, from, budget, wanted: limit + 1 };
        let path = layout::journal_file(dir);
        let mut found =
            journal::find(self.journal(dir)?, &filter, &mut window).map_err(StoreError::db(path))?;
        if let Some(stopped) = found.stopped {
            window.from = window.from.max(stopped);
        }
        if let Some((last, _)) = found.records.get(limit) {
            window.from = window.from.max(*last);
        }
        // The files have a budget of their own, so that each page gets further in them too.
        window.budget = budget;
        let (mut from_files, mut begun) = (0, false);
        for day in self.list_days(dir)? {
            let (first, end) = (Cursor::at(day.start()), Cursor::at(day.end()));
            if first >= window.below {
                continue;
            }
            if end <= window.from || from_files >= window.wanted || found.stopped.is_some_and(|at| at >= end)
            {
                break;
            }
            if window.budget == 0 && begun {
                found.stopped = Some(end.min(window.below));
                break;
            }
            let Some(db) = self.day(dir, day)? else { continue };
            begun = true;
            let more = day::find(db, day, &filter, &mut window)
                .map_err(StoreError::db(layout::records_file(dir, day)))?;
            from_files += more.records.len();
            found.records.extend(more.records);
            if more.stopped.is_some() {
                found.stopped = more.stopped;
                break;
            }
        }
        if self.days.len() > MAX_READER_DAYS {
            self.days.clear();
        }
        Ok(found)
    }

    fn get(&mut self, dir: &Path, id: PushId) -> Result<Option<Stored>, StoreError> {
        let path = layout::journal_file(dir);
        if let Some(stored) = journal::get(self.journal(dir)?, id).map_err(StoreError::db(path))? {
            return Ok(Some(stored));
        }
        // A push ends on the day on which it began, or later; where a clock was set back, earlier.
        let mut days = self.list_days(dir)?;
        let began = Day::of(layout::storable(id.time()));
        days.sort_by_key(|day| (*day < began, *day));
        for day in days {
            let Some(db) = self.day(dir, day)? else { continue };
            let path = layout::records_file(dir, day);
            if let Some(stored) = day::get(db, id).map_err(StoreError::db(path))? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn summary(&mut self, dir: &Path, query: SummaryQuery) -> Result<Summary, StoreError> {
        let path = layout::journal_file(dir);
        let mut counting = Counting::begin(self.journal(dir)?, query).map_err(StoreError::db(path))?;
        let days = self.list_days(dir)?;
        for day in days.into_iter().filter(|day| day.end() > query.since) {
            let Some(db) = self.day(dir, day)? else { continue };
            counting.day(db, day).map_err(StoreError::db(layout::records_file(dir, day)))?;
        }
        Ok(counting.finish())
    }

    fn count_since(&mut self, dir: &Path, since: Timestamp) -> Result<u64, StoreError> {
        let path = layout::journal_file(dir);
        let unfiled = journal::since(self.journal(dir)?, since).map_err(StoreError::db(path))?;
        let mut count = unfiled.len() as u64;
        let days = self.list_days(dir)?;
        for day in days.into_iter().filter(|day| day.end() > since) {
            let Some(db) = self.day(dir, day)? else { continue };
            let path = layout::records_file(dir, day);
            let here = day::count(db, day, since, &unfiled).map_err(StoreError::db(path))?;
            count = count.saturating_add(here);
        }
        Ok(count)
    }
}

/// Puts what the databases gave into one order, each record once.
fn page(found: Found, limit: usize) -> Page {
    let Found { mut records, stopped } = found;
    records.retain(|(at, _)| stopped.is_none_or(|stopped| *at >= stopped));
    records.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| y.record.id.cmp(&x.record.id)));
    let mut seen = HashSet::with_capacity(records.len());
    records.retain(|(_, stored)| seen.insert(stored.record.id));
    // The next page begins below the last record's place, so whatever else stands there belongs to this one.
    let last = limit.checked_sub(1).and_then(|last| records.get(last)).map(|(at, _)| *at);
    let beyond = last.map_or(0, |last| records.iter().skip(limit).take_while(|(at, _)| *at == last).count());
    // Only one more than the page was asked for, so where that one belongs to it there may be others behind it.
    let more = records.len() > limit;
    records.truncate(limit.saturating_add(beyond));
    let next = if more { records.last().map(|(at, _)| *at) } else { stopped };
    Page { records: records.into_iter().map(|(_, stored)| stored.record).collect(), next, here_only: false }
}

fn wal_has_content(database: &Path) -> bool {
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).is_ok_and(|meta| meta.len() > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{Code, StreamKey};
    use proptest::prelude::*;

    use super::*;
    use crate::lock::DataLock;
    use crate::row::{Counted, OpenRow, OwnEnd, own_record};

    pub(super) fn example(n: u64, at: Timestamp) -> Record {
        let id = PushId::from_parts(at, u128::from(n));
        let names = ["studio", "camera", "配信"];
        let key = StreamKey {
            domain: format!("d{}", n % 3),
            app: "live".to_owned(),
            stream: format!("{}-{}", names[(n % 3) as usize], n % 7),
        };
        let open = OpenRow {
            id,
            account: n % 2,
            key,
            protocol: "rtmp".to_owned(),
            client_ip: std::net::Ipv4Addr::from(0x0a00_0000 + (n % 11) as u32).into(),
            client_port: 1,
            connected_at: at,
            published_at: at,
            encoder: None,
            stream_param: None,
            callback_param: None,
        };
        let mut record = own_record(&open, "n", OwnEnd::NodeDied, at, Counted::default());
        record.errcode = (n % 5) as u16;
        record.side = ["client", "network"][(n % 2) as usize].to_owned();
        record
    }

    fn folder(records: &[Record]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        crate::filing::import(&DataLock::take(dir.path()).unwrap(), records.to_vec()).unwrap();
        drop(JOURNAL.open(&layout::journal_file(dir.path())).unwrap());
        dir
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// Pages that stop because their budget is spent follow each other without a gap or a repetition.
        #[test]
        fn short_pages_add_up_to_the_same_records(
            count in 1u64..300,
            step in prop_oneof![Just(0u64), 1u64..1_000, Just(1_000_000)],
            budget in 1u64..40,
            limit in 1usize..30,
            code in proptest::option::of(0u16..6),
            side in proptest::option::of(0usize..2),
            name in proptest::option::of(proptest::sample::select(vec!["cam", "a", "配信-3", "studio-5", "none"])),
            network in proptest::option::of(proptest::sample::select(vec!["10.0.0.4/32", "10.0.0.0/30", "10.0.0.0/8"])),
        ) {
            let first = Timestamp::parse("2025-11-20T23:59:00Z").unwrap();
            let every: Vec<Record> =
                (0..count).map(|n| example(n, first.plus(Duration::from_millis(n * step)))).collect();
            let dir = folder(&every);
            let reader = Reader::with(dir.path().to_owned(), budget, None, None);
            let mut query = RecordQuery {
                limit,
                codes: code.map(|code| Code::new(code, 0)).into_iter().collect(),
                side: side.map(|side| ["client", "network"][side].to_owned()),
                stream: name.map(str::to_owned),
                fuzzy: true,
                ip: network.map(|network| network.parse().unwrap()),
                ..RecordQuery::default()
            };
            let mut found = Vec::new();
            let mut rounds = 0;
            loop {
                let page = reader.query(&query).unwrap();
                prop_assert!(page.records.len() <= limit);
                found.extend(page.records.iter().map(|record| record.id));
                let Some(next) = page.next else { break };
                prop_assert!(query.after.is_none_or(|after| next < after), "each page goes further back");
                query.after = Some(next);
                rounds += 1;
                prop_assert!(rounds < 5_000);
            }
            let unique: HashSet<PushId> = found.iter().copied().collect();
            prop_assert_eq!(unique.len(), found.len(), "none twice");
            let wanted = every.iter().filter(|record| {
                code.is_none_or(|code| record.errcode == code)
                    && query.side.as_ref().is_none_or(|side| record.side == *side)
                    && name.is_none_or(|name| record.stream.as_ref().unwrap().contains(name))
                    && query.ip.is_none_or(|network| network.contains(&record.client_ip))
            });
            prop_assert_eq!(unique, wanted.map(|record| record.id).collect::<HashSet<_>>());
        }
    }
}
