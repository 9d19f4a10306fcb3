//! Where the records of a day come from: the time order itself, or one of the indexes, each newest first.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// The columns that conditions are held against, the record's key first; or the key alone, which stands in the index
/// itself.
macro_rules! select_by {
    ($columns:literal, $index:literal, $condition:literal, $order:literal) => {
        concat!(
            "select row",
            $columns,
            " from record ",
            $index,
            " where row < ?1 and row >= ?2 and ",
            $condition,
            " order by row ",
            $order,
            " limit ?3"
        )
    };
}

/// All columns newest and oldest first, and the key alone in both ways.
macro_rules! every_way {
    ($index:literal, $condition:literal) => {
        [
            every_way!(
                ", domain_id, app_id, stream_id, errcode, sub_errcode, side, account, client_ip",
                $index,
                $condition
            ),
            every_way!("", $index, $condition),
        ]
    };
    ($columns:literal, $index:literal, $condition:literal) => {
        (select_by!($columns, $index, $condition, "desc"), select_by!($columns, $index, $condition, "asc"))
    };
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Newest,
    Oldest,
}

impl First {
    /// A key's place in a list: the smaller comes first.
    pub fn place(self, key: i64) -> i64 {
        match self {
            Self::Newest => !key,
            Self::Oldest => key,
        }
    }

    /// The key of a place.
    pub fn key(self, place: i64) -> i64 {
        self.place(place)
    }

    /// Where a search between two keys, the lower one included, begins.
    pub fn begin(self, from: i64, below: i64) -> i64 {
        match self {
            Self::Newest => below,
            Self::Oldest => from.saturating_sub(1),
        }
    }

    /// Where it ends: see [`super::stretches::Scan::reached`].
    pub fn end(self, from: i64, below: i64) -> i64 {
        match self {
            Self::Newest => from,
            Self::Oldest => below,
        }
    }

    /// How far a search got whose last key was this one, in the same sense.
    pub fn beyond(self, key: i64) -> i64 {
        match self {
            Self::Newest => key,
            Self::Oldest => key.saturating_add(1),
        }
    }
}

/// A column that records can be looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Time,
    Stream,
    Address,
    Code,
    App,
    Domain,
    Account,
    Side,
}

impl By {
    fn select(self, first: First, bare: bool) -> &'static str {
        let [whole, key] = match self {
            Self::Time => every_way!("not indexed", "true"),
            Self::Stream => every_way!("indexed by record_by_stream", "stream_id = ?4"),
            Self::Address => every_way!("indexed by record_by_ip", "client_ip = ?4"),
            Self::Code => every_way!("indexed by record_by_code", "errcode = ?4 and sub_errcode = ?5"),
            Self::App => every_way!("indexed by record_by_app", "app_id = ?4"),
            Self::Domain => every_way!("indexed by record_by_domain", "domain_id = ?4"),
            Self::Account => every_way!("indexed by record_by_account", "account = ?4"),
            Self::Side => every_way!("indexed by record_by_side", "side = ?4"),
        };
        let (newest, oldest) = if bare { key } else { whole };
        match first {
            First::Newest => newest,
            First::Oldest => oldest,
        }
    }

    /// How far back the newest `?3` entries reach, and how many there are: from the index alone.
    fn probe(self) -> &'static str {
        macro_rules! probe_by {
            ($index:literal, $condition:literal) => {
                concat!(
                    "select count(*), min(row) from (select row from record ",
                    $index,
                    " where row < ?1 and row >= ?2 and ",
                    $condition,
                    " order by row desc limit ?3)"
                )
            };
        }
        match self {
            Self::Time => probe_by!("not indexed", "true"),
            Self::Stream => probe_by!("indexed by record_by_stream", "stream_id = ?4"),
            Self::Address => probe_by!("indexed by record_by_ip", "client_ip = ?4"),
            Self::Code => probe_by!("indexed by record_by_code", "errcode = ?4 and sub_errcode = ?5"),
            Self::App => probe_by!("indexed by record_by_app", "app_id = ?4"),
            Self::Domain => probe_by!("indexed by record_by_domain", "domain_id = ?4"),
            Self::Account => probe_by!("indexed by record_by_account", "account = ?4"),
            Self::Side => probe_by!("indexed by record_by_side", "side = ?4"),
        }
    }
}

/// A column with the values that are wanted of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Driver {
    pub by: By,
    pub values: Vec<Vec<Value>>,
}

/// Entries looked at to learn how frequent a value is.
const PROBED: i64 = 500;
/// Values of a column that are probed; the rest is taken to be like them.
const PROBED_VALUES: usize = 8;

impl Driver {
    /// About how many records between `from` and `below` it would give.
    pub fn estimate(&self, db: &Connection, from: i64, below: i64) -> rusqlite::Result<f64> {
        let mut probe = db.prepare_cached(self.by.probe())?;
        let mut total = 0.0;
        let probed = self.values.iter().take(PROBED_VALUES);
        for value in probed.clone() {
            let (count, oldest): (i64, Option<i64>) = probe
                .query_row(params_from_iter(bound(below, from, PROBED, value)), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let share = match oldest {
                Some(oldest) if count == PROBED => {
                    (below.saturating_sub(from)) as f64 / (below.saturating_sub(oldest)).max(1) as f64
                }
                _ => 1.0,
            };
            total += count as f64 * share;
        }
        Ok(total * self.values.len() as f64 / probed.len().max(1) as f64)
    }

    /// Where the records come from. Of `bare` sources every record is wanted: no other condition has to be held
    /// against them.
    pub fn sources(self, first: First, bare: bool) -> Vec<Source> {
        let chunk = (64 / self.values.len().max(1)).max(4);
        let by = self.by;
        let source = |value| {
            let (found, looked_to, dry) = (VecDeque::new(), None, false);
            Source { by, first, bare, value, chunk, found, looked_to, dry }
        };
        self.values.into_iter().map(source).collect()
    }
}

fn bound(below: i64, from: i64, limit: i64, value: &[Value]) -> Vec<Value> {
    let mut params = vec![Value::Integer(below), Value::Integer(from), Value::Integer(limit)];
    params.extend_from_slice(value);
    params
}

/// The records with one value of one column, newest or oldest first, read in growing chunks.
pub(crate) struct Source {
    by: By,
    first: First,
    bare: bool,
    value: Vec<Value>,
    chunk: usize,
    /// Keys of records that satisfy the conditions and were not taken yet.
    found: VecDeque<i64>,
    /// Up to and with this key, everything has been looked at.
    looked_to: Option<i64>,
    /// There is nothing further.
    dry: bool,
}

impl Source {
    /// The first key not taken yet.
    pub fn peek(&self) -> Option<i64> {
        self.found.front().copied()
    }

    pub fn pop(&mut self) -> Option<i64> {
        self.found.pop_front()
    }

    pub fn is_dry(&self) -> bool {
        self.dry && self.found.is_empty()
    }

    /// Nothing is known below this key.
    pub fn looked_to(&self, below: i64) -> i64 {
        self.looked_to.unwrap_or(below)
    }

    /// Reads on until there are `enough` records, or none left, or the budget is spent.
    pub fn fill(
        &mut self,
        enough: usize,
        db: &Connection,
        from: i64,
        below: i64,
        budget: &mut u64,
        mut admits: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<()> {
        // The first row is looked at in any case: a query that gets no further than the one before would never end.
        while self.found.len() < enough && !self.dry && (*budget > 0 || self.looked_to.is_none()) {
            let chunk = u64::try_from(self.chunk).unwrap_or(u64::MAX).min((*budget).max(1));
            let limit = i64::try_from(chunk).unwrap_or(i64::MAX);
            let (from, below) = match (self.first, self.looked_to) {
                (First::Newest, Some(key)) => (from, key),
                (First::Oldest, Some(key)) => (key.saturating_add(1), below),
                (_, None) => (from, below),
            };
            let mut select = db.prepare_cached(self.by.select(self.first, self.bare))?;
            let mut rows = select.query(params_from_iter(bound(below, from, limit, &self.value)))?;
            let mut seen = 0;
            while let Some(row) = rows.next()? {
                seen += 1;
                let key: i64 = row.get(0)?;
                self.looked_to = Some(key);
                if self.bare || admits(row)? {
                    self.found.push_back(key);
                }
            }
            *budget -= seen.min(*budget);
            self.dry = seen < chunk;
            self.chunk = (self.chunk * 2).min(4_096);
        }
        Ok(())
    }
}
