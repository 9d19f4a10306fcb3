//! Ends counted by time and cause, and the streams that end again and again: what an overview shows.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use model::{Code, PushId, Record, Timestamp};
use rusqlite::{Connection, params};

use super::day;
use super::query::{Cursor, TIE_BITS};
use super::snapshot::Snapshot;
use crate::columns::counter;
use crate::layout::Day;

/// Streams that a summary names at most.
const MAX_STREAMS: usize = 20;
/// Streams of a day that are looked at: one that ends often ends often on some day.
pub(crate) const MAX_STREAMS_OF_DAY: i64 = 200;

/// What is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryQuery {
    /// Ends at this time or later.
    pub since: Timestamp,
    /// The width of a bucket of time. Buckets begin at whole multiples of it since 1970.
    pub bucket: Duration,
    /// The owner of the domain; `None` counts all.
    pub account: Option<u64>,
}

impl SummaryQuery {
    /// The width of a bucket, ms, at least one.
    pub(crate) fn bucket_ms(&self) -> i64 {
        i64::try_from(self.bucket.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    /// Whether a record of this owner is counted.
    pub(crate) fn covers(&self, account: Option<u64>) -> bool {
        self.account.is_none() || account == self.account
    }
}

// Of one account by another text, so that each has its index: a condition that may be empty would have none.
macro_rules! counts {
    ($of:literal) => {
        concat!(
            "select ((row >> ?1) + ?2) / ?3, errcode, sub_errcode, count(*) from record where row >= ?4",
            $of,
            " group by 1, 2, 3"
        )
    };
}
macro_rules! streams {
    ($of:literal) => {
        concat!(
            "select d.text, a.text, s.text, n, (last >> ?1) + ?2 from (select domain_id, app_id, stream_id, \
             count(*) as n, max(row) as last from record where row >= ?3 and errcode not in (18, 19) and stream_id is \
             not null",
            $of,
            " group by 1, 2, 3 order by n desc limit ?4) join domain d on d.id = domain_id join app a on \
             a.id = app_id join stream s on s.id = stream_id"
        )
    };
}
const COUNTS: &str = counts!("");
const COUNTS_OF_ACCOUNT: &str = counts!(" and account = ?5");
const STREAMS: &str = streams!("");
const STREAMS_OF_ACCOUNT: &str = streams!(" and account = ?5");

/// What ended in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many records of each cause, by the beginning of the bucket of time; only those that are not zero.
    pub counts: BTreeMap<(Timestamp, Code), u64>,
    /// Streams by how often they were interrupted while live, most first; refusals do not count.
    pub streams: Vec<StreamEnds>,
    /// The database of all nodes did not answer: these are this node's alone.
    pub here_only: bool,
}

/// A stream and how often it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEnds {
    /// Push domain.
    pub domain: String,
    /// Path of the push URL.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// Ends in the span.
    pub ends: u64,
    /// The newest of them.
    pub last: Timestamp,
}

/// A record that is still in the journal, as far as a summary needs it.
struct Unfiled {
    id: [u8; 16],
    ended_at: Timestamp,
    code: Code,
    key: Option<(String, String, String)>,
}

/// Ends counted by bucket and code, and by stream with the time of the newest.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub counts: BTreeMap<(Timestamp, Code), u64>,
    pub streams: HashMap<(String, String, String), (u64, Timestamp)>,
}

impl Counted {
    /// Adds one end.
    pub fn add(
        &mut self,
        bucket_ms: i64,
        ended_at: Timestamp,
        code: Code,
        key: Option<(String, String, String)>,
    ) {
        let bucket = ended_at.millis().div_euclid(bucket_ms).saturating_mul(bucket_ms);
        *self.counts.entry((Timestamp(bucket), code)).or_default() += 1;
        if let Some(key) = key
            && !matches!(code.errcode, 18 | 19)
        {
            let entry = self.streams.entry(key).or_insert((0, Timestamp(0)));
            entry.0 += 1;
            entry.1 = entry.1.max(ended_at);
        }
    }

    /// Adds a record.
    pub fn add_record(&mut self, bucket_ms: i64, record: Record) {
        let code = record.code();
        let key = match (record.domain, record.app, record.stream) {
            (Some(domain), Some(app), Some(stream)) => Some((domain, app, stream)),
            _ => None,
        };
        self.add(bucket_ms, record.ended_at, code, key);
    }

    /// The sum.
    pub fn finish(self) -> Summary {
        let mut streams: Vec<StreamEnds> = self
            .streams
            .into_iter()
            .map(|((domain, app, stream), (ends, last))| StreamEnds { domain, app, stream, ends, last })
            .collect();
        streams.sort_by(|a, b| b.ends.cmp(&a.ends).then_with(|| b.last.cmp(&a.last)));
        streams.truncate(MAX_STREAMS);
        Summary { counts: self.counts, streams, here_only: false }
    }
}

/// Counts over the journal and the days that reach into the span, each record once.
pub(super) struct Counting {
    query: SummaryQuery,
    counted: Counted,
    unfiled: Vec<Unfiled>,
}

impl Counting {
    /// Reads what the journal still holds.
    pub(super) fn begin(journal: &Connection, query: SummaryQuery) -> rusqlite::Result<Self> {
        let unfiled = journal
            .prepare_cached(
                "select id, ended_at, errcode, sub_errcode, domain, app, stream from ended where ended_at >= ?1 \
                 and (?2 is null or account = ?2)",
            )?
            .query_map(params![query.since.millis(), query.account.map(u64::cast_signed)], |row| {
                let names: (Option<String>, Option<String>, Option<String>) =
                    (row.get(4)?, row.get(5)?, row.get(6)?);
                Ok(Unfiled {
                    id: row.get(0)?,
                    ended_at: Timestamp(row.get(1)?),
                    code: Code::new(row.get(2)?, row.get(3)?),
                    key: match names {
                        (Some(domain), Some(app), Some(stream)) => Some((domain, app, stream)),
                        _ => None,
                    },
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { query, counted: Counted::default(), unfiled })
    }

    /// Adds a day.
    pub(super) fn day(&mut self, db: &Connection, day: Day) -> rusqlite::Result<()> {
        let tx = Snapshot::of(db)?;
        let from = day::key_of(day, Cursor::at(self.query.since));
        let (start, bucket_ms) = (day.start().millis(), self.query.bucket_ms());
        let account = self.query.account.map(u64::cast_signed);
        let (counts, streams) = match account {
            None => (COUNTS, STREAMS),
            Some(_) => (COUNTS_OF_ACCOUNT, STREAMS_OF_ACCOUNT),
        };
        let mut select = tx.prepare_cached(counts)?;
        let mut rows = match account {
            None => select.query(params![TIE_BITS, start, bucket_ms, from])?,
            Some(account) => select.query(params![TIE_BITS, start, bucket_ms, from, account])?,
        };
        while let Some(row) = rows.next()? {
            let bucket = Timestamp(row.get::<_, i64>(0)?.saturating_mul(bucket_ms));
            let code = Code::new(row.get(1)?, row.get(2)?);
            *self.counted.counts.entry((bucket, code)).or_default() += counter(row.get(3)?);
        }
        let mut select = tx.prepare_cached(streams)?;
        let mut rows = match account {
            None => select.query(params![TIE_BITS, start, from, MAX_STREAMS_OF_DAY])?,
            Some(account) => select.query(params![TIE_BITS, start, from, MAX_STREAMS_OF_DAY, account])?,
        };
        while let Some(row) = rows.next()? {
            let key = (row.get(0)?, row.get(1)?, row.get(2)?);
            let entry = self.counted.streams.entry(key).or_insert((0, Timestamp(0)));
            entry.0 += counter(row.get(3)?);
            entry.1 = entry.1.max(Timestamp(row.get(4)?));
        }
        // What has been filed since the journal was read is counted already.
        let mut failure = None;
        self.unfiled.retain(|record| match day::get(&tx, PushId::from_bytes(record.id)) {
            Ok(filed) => filed.is_none(),
            Err(error) => {
                failure = Some(error);
                true
            }
        });
        failure.map_or(Ok(()), Err)
    }

    /// The sum.
    pub(super) fn finish(mut self) -> Summary {
        let bucket_ms = self.query.bucket_ms();
        for record in self.unfiled {
            self.counted.add(bucket_ms, record.ended_at, record.code, record.key);
        }
        self.counted.finish()
    }
}
