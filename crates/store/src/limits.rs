//! The bounds of everything the store holds in memory or does at once, in one place.

use std::time::Duration;

/// Pushes between `open` and the commit of their end.
pub(crate) const MAX_PUSHES: usize = 65_536;
/// Refused and pre-publish ends that wait for the writer before `refuse` makes its caller wait.
pub(crate) const MAX_WAITING_REFUSALS: usize = 4_096;
/// How much more of them may wait while the journal cannot be written, folded by address and code.
pub(crate) const MAX_WAITING_COARSE: usize = 1_024;
/// How long `refuse` waits for a place before it folds more coarsely instead.
pub(crate) const REFUSE_WAIT: Duration = Duration::from_secs(2);
/// Folds under way.
pub(crate) const MAX_FOLDS: usize = 20_000;
/// Different names a minute from one address and code, above which names fold too.
pub(crate) const NAMES_A_MINUTE: usize = 20;
/// Addresses and codes whose names are being counted.
pub(crate) const MAX_NAME_COUNTS: usize = 20_000;
/// For how long ends that never named a stream fold.
pub(crate) const NAMELESS_FOLD: Duration = Duration::from_secs(3_600);
/// For how long ends fold at least that come while the journal cannot be written.
pub(crate) const UNWRITABLE_FOLD: Duration = Duration::from_secs(60);
/// How often attempts of folds under way are written.
pub(crate) const FOLD_UPDATE: Duration = Duration::from_secs(2);
/// Evidence that waits for the writer; above it ends keep their record and lose their evidence.
pub(crate) const MAX_WAITING_EVIDENCE: usize = 96 << 20;
/// The largest evidence of one push that is stored: twice what a push may have.
pub(crate) const MAX_EVIDENCE: usize = 32 << 10;
/// Operations in one transaction.
pub(crate) const MAX_BATCH: usize = 4_096;
/// A batch of more operations than this shows that many come at a time; the next one then gathers for so long before it is
/// taken. Whoever comes alone never waits.
pub(crate) const GATHERED_FROM: usize = 4;
pub(crate) const GATHER: Duration = Duration::from_millis(2);
/// The heartbeat of the run, and how soon a failed batch is tried again.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);
/// The counters of each push are written every this many heartbeats.
pub(crate) const COUNTER_ROUNDS: u64 = 5;
/// How often making the reserve file is tried while the disk is full.
pub(crate) const RESERVE_RETRY: Duration = Duration::from_secs(5);
/// WAL bytes after which the writer checkpoints as soon as it is idle, and after which it does not wait for that.
pub(crate) const CHECKPOINT_IDLE: u64 = 4 << 20;
pub(crate) const CHECKPOINT_BUSY: u64 = 64 << 20;
/// Rows moved into record files in one transaction.
pub(crate) const FILE_ROWS: usize = 4_096;
/// How long ends gather before they are filed.
pub(crate) const FILE_EVERY: Duration = Duration::from_millis(500);
/// Record files held open for filing.
pub(crate) const MAX_OPEN_DAYS: usize = 4;
/// Names kept in memory per record file being filled.
pub(crate) const MAX_CACHED_NAMES: usize = 200_000;
/// Sets of read connections at once: as many as there are cores, within these bounds.
pub(crate) const MIN_READERS: usize = 2;
pub(crate) const MAX_READERS: usize = 16;
/// Record files one set of read connections keeps open.
pub(crate) const MAX_READER_DAYS: usize = 64;
/// Records on one page.
pub(crate) const MAX_PAGE: usize = 1_000;
/// Rows one query looks at before it answers with what it has; see `Page::next`.
pub(crate) const MAX_EXAMINED: u64 = 50_000;
/// Stream names a fuzzy filter may match before records are filtered by name instead of looked up by it.
pub(crate) const MAX_FUZZY_NAMES: usize = 512;
/// Addresses a network filter may match before records are filtered by address instead of looked up by it.
pub(crate) const MAX_NETWORK_ADDRESSES: usize = 512;
/// Keys of records that lists have found before and that are kept, 8 bytes each, and the filters they belong to.
pub(crate) const MAX_KNOWN_KEYS: usize = 4_000_000;
pub(crate) const MAX_KNOWN_FILTERS: usize = 4_096;
/// Records whose places are held in memory by stream and by domain, about 27 bytes each.
pub(crate) const MAX_INDEXED: usize = 6_000_000;
/// How long a connection waits for another one's lock.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Records kept for a slow subscriber of the live tail before it misses some.
pub(crate) const TAIL: usize = 1_024;
/// How long the start of a push that runs elsewhere is kept while its end is not told.
pub(crate) const IMPORT_OPEN: Duration = Duration::from_secs(30 * 86_400);
/// Starts of pushes that run elsewhere and whose ends are not told, kept at once.
pub(crate) const MAX_IMPORTS_OPEN: i64 = 20_000;
/// Entries of the audit log.
pub(crate) const MAX_AUDIT: i64 = 200_000;
/// Entries of the history that wait to be written.
pub(crate) const MAX_WAITING_HISTORY: usize = 8_192;
/// Entries of the history in one transaction.
pub(crate) const HISTORY_BATCH: usize = 512;
/// How often old entries of the history are let go.
pub(crate) const HISTORY_SWEEP: Duration = Duration::from_secs(60);
/// Tries to deliver events that are kept at most.
pub(crate) const MAX_DELIVERIES: i64 = 100_000;
/// Abnormalities of live pushes that are kept at most.
pub(crate) const MAX_EVENTS: i64 = 500_000;
/// Fetches of other nodes' streams that are kept at most, and what is kept to each of them of what happened.
pub(crate) const MAX_FETCHES: i64 = 100_000;
pub(crate) const MAX_FETCH_EVENTS: usize = 16;
/// Reports of live pushes that wait for the writer; more are left out.
pub(crate) const MAX_WAITING_REPORTS: usize = 4_096;
