//! The records of a day by stream and by domain, in memory: where they are is known without the record file, whose pages a
//! search among many days would have to read one by one.
//!
//! An index is made of files that are no longer filled, and holds as long as its file has not changed. A record takes
//! about 27 bytes.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use rusqlite::Connection;

use super::filter::{Filter, StreamName};
use super::snapshot::Snapshot;
use super::source::First;

/// The conditions that an index knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    stream: Option<&'a str>,
    domain: Option<&'a str>,
    app: Option<&'a str>,
    account: Option<i64>,
}

impl<'a> Wanted<'a> {
    /// The conditions of a filter; `None` if it has others, or neither a stream's name nor a domain.
    pub fn of(filter: &'a Filter) -> Option<Self> {
        let Filter { stream, domain, app, codes, side, account, ip, published } = filter;
        let stream = match stream {
            None => None,
            Some(StreamName::Is(name)) => Some(name.as_str()),
            Some(StreamName::Contains(_)) => return None,
        };
        let others = !codes.is_empty() || side.is_some() || ip.is_some() || *published;
        let wanted = Self { stream, domain: domain.as_deref(), app: app.as_deref(), account: *account };
        (!others && (stream.is_some() || domain.is_some())).then_some(wanted)
    }
}

/// What a record shares with many others. Numbers of names are those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Owner {
    domain: Option<i64>,
    app: Option<i64>,
    account: Option<i64>,
}

/// Keys of records, each with its owner; ascending within each group. Both are read from one end to the other, so both
/// stand here once for each order.
#[derive(Debug, Default)]
struct Keys {
    keys: Vec<i64>,
    owners: Vec<u16>,
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default)]
struct Part<'a> {
    keys: &'a [i64],
    owners: &'a [u16],
}

impl Keys {
    fn of<'r>(rows: impl Iterator<Item = &'r Row> + Clone) -> Self {
        Self { keys: rows.clone().map(|row| row.key).collect(), owners: rows.map(|row| row.owner).collect() }
    }

    fn part(&self, from: usize, below: usize) -> Part<'_> {
        let keys = self.keys.get(from..below).unwrap_or_default();
        Part { keys, owners: self.owners.get(from..below).unwrap_or_default() }
    }
}

impl Part<'_> {
    /// The first `enough` from `from` on and below `below` that are admitted, in the order of a list; all are where
    /// there is nothing to ask.
    fn first(
        self,
        first: First,
        (from, below): (i64, i64),
        enough: usize,
        admitted: Option<impl Fn(u16) -> bool>,
    ) -> Vec<i64> {
        let start = self.keys.partition_point(|key| *key < from);
        let end = self.keys.partition_point(|key| *key < below).max(start);
        let keys = self.keys.get(start..end).unwrap_or_default();
        let Some(admitted) = admitted else {
            return match first {
                First::Newest => keys.iter().rev().take(enough).copied().collect(),
                First::Oldest => keys.iter().take(enough).copied().collect(),
            };
        };
        let owners = self.owners.get(start..end).unwrap_or_default();
        let both = keys.iter().zip(owners).filter(|(_, owner)| admitted(**owner)).map(|(key, _)| *key);
        match first {
            First::Newest => both.rev().take(enough).collect(),
            First::Oldest => both.take(enough).collect(),
        }
    }
}

/// The records of one domain: a part of [`DayIndex::by_domain`].
#[derive(Clone, Debug, Default)]
struct OfDomain {
    from: usize,
    below: usize,
    /// The owners that occur among them.
    owners: Vec<u16>,
}

/// The records of a day by stream and by domain.
#[derive(Debug)]
pub(crate) struct DayIndex {
    domains: HashMap<String, i64>,
    apps: HashMap<String, i64>,
    owners: Vec<Owner>,
    domain_parts: HashMap<Option<i64>, OfDomain>,
    by_domain: Keys,
    hasher: RandomState,
    /// Hashes of streams' names, ascending, each with the place after the last of its records in `by_stream`.
    streams: Vec<(u64, u32)>,
    by_stream: Keys,
}

/// What keeps a file from being indexed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("the file cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("the file has more of something than an index can number")]
    TooMany,
}

/// A row of the file, before it has its place.
struct Row {
    key: i64,
    owner: u16,
    /// Hash of the stream's name.
    stream: Option<u64>,
}

impl DayIndex {
    /// Reads the whole file: half a second for a million records.
    pub fn read(db: &Connection) -> Result<Self, IndexError> {
        let tx = Snapshot::of(db)?;
        let hasher = RandomState::new();
        let names = |sql: &str| -> rusqlite::Result<HashMap<String, i64>> {
            tx.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let (domains, apps) = (names("select text, id from domain")?, names("select text, id from app")?);
        let hashes = stream_hashes(&tx, &hasher)?;
        let (rows, owners) = rows(&tx, &hashes)?;
        drop(hashes);
        if u32::try_from(rows.len()).is_err() {
            return Err(IndexError::TooMany);
        }
        Ok(Self::of(rows, owners, hasher, domains, apps))
    }

    fn of(
        rows: Vec<Row>,
        owners: Vec<Owner>,
        hasher: RandomState,
        domains: HashMap<String, i64>,
        apps: HashMap<String, i64>,
    ) -> Self {
        let domain_of = |row: &Row| owners.get(usize::from(row.owner)).and_then(|owner| owner.domain);
        let mut order: Vec<&Row> = rows.iter().collect();
        // Rows come by ascending key, and stay so within their domain.
        order.sort_by_key(|row| domain_of(row));
        let mut domain_parts: HashMap<Option<i64>, OfDomain> = HashMap::new();
        for (place, row) in order.iter().enumerate() {
            let part = domain_parts.entry(domain_of(row)).or_insert_with(|| OfDomain {
                from: place,
                below: place,
                owners: Vec::new(),
            });
            part.below = place + 1;
            if !part.owners.contains(&row.owner) {
                part.owners.push(row.owner);
            }
        }
        let by_domain = Keys::of(order.iter().copied());
        order.retain(|row| row.stream.is_some());
        order.sort_unstable_by_key(|row| (row.stream, row.key));
        let mut streams: Vec<(u64, u32)> = Vec::new();
        for (end, hash) in (1u32..).zip(order.iter().filter_map(|row| row.stream)) {
            match streams.last_mut().filter(|(last, _)| *last == hash) {
                Some((_, last_end)) => *last_end = end,
                None => streams.push((hash, end)),
            }
        }
        streams.shrink_to_fit();
        let by_stream = Keys::of(order.iter().copied());
        Self { domains, apps, owners, domain_parts, by_domain, hasher, streams, by_stream }
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.by_domain.keys.len()
    }

    /// The keys of the first `enough` records from `from` on and below `below`, in the order of a list.
    pub fn first(&self, wanted: Wanted<'_>, first: First, span: (i64, i64), enough: usize) -> Vec<i64> {
        let Some(owner) = self.owner_wanted(wanted) else { return Vec::new() };
        let admitted = |number: u16| self.owners.get(usize::from(number)).is_some_and(|of| owner.admits(*of));
        let (part, all) = match wanted.stream {
            Some(name) => (self.of_stream(name), owner.is_anything()),
            None => {
                let Some(of) = self.domain_parts.get(&owner.domain) else { return Vec::new() };
                (self.by_domain.part(of.from, of.below), of.owners.iter().all(|number| admitted(*number)))
            }
        };
        part.first(first, span, enough, (!all).then_some(admitted))
    }

    /// The owner as the numbers of this file; `None` where a name does not occur in it.
    fn owner_wanted(&self, wanted: Wanted<'_>) -> Option<OwnerWanted> {
        let number = |names: &HashMap<String, i64>, name: Option<&str>| match name {
            None => Some(None),
            Some(name) => names.get(name).map(|number| Some(*number)),
        };
        Some(OwnerWanted {
            domain: number(&self.domains, wanted.domain)?,
            app: number(&self.apps, wanted.app)?,
            account: wanted.account,
        })
    }

    fn of_stream(&self, name: &str) -> Part<'_> {
        let hash = self.hasher.hash_one(name);
        let Ok(at) = self.streams.binary_search_by_key(&hash, |(hash, _)| *hash) else {
            return Part::default();
        };
        let end_of = |at: usize| self.streams.get(at).map_or(0, |(_, end)| *end as usize);
        self.by_stream.part(at.checked_sub(1).map_or(0, end_of), end_of(at))
    }
}

/// What is wanted of a record's owner; `None` is anything.
#[derive(Clone, Copy, Debug)]
struct OwnerWanted {
    domain: Option<i64>,
    app: Option<i64>,
    account: Option<i64>,
}

impl OwnerWanted {
    fn is_anything(self) -> bool {
        self.domain.is_none() && self.app.is_none() && self.account.is_none()
    }

    fn admits(self, owner: Owner) -> bool {
        (self.domain.is_none() || self.domain == owner.domain)
            && (self.app.is_none() || self.app == owner.app)
            && (self.account.is_none() || self.account == owner.account)
    }
}

/// The hash of each stream's name, by the number of the name.
fn stream_hashes(db: &Connection, hasher: &RandomState) -> Result<HashMap<i64, u64>, IndexError> {
    let mut select = db.prepare("select id, text from stream")?;
    let mut rows = select.query([])?;
    let mut hashes = HashMap::new();
    while let Some(row) = rows.next()? {
        // A name that is no text is found by nobody.
        if let Ok(name) = row.get_ref(1)?.as_str() {
            hashes.insert(row.get(0)?, hasher.hash_one(name));
        }
    }
    let mut sorted: Vec<u64> = hashes.values().copied().collect();
    sorted.sort_unstable();
    // Two names of one hash could not be told apart; with keys that nobody knows that does not happen.
    match sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        true => Err(IndexError::TooMany),
        false => Ok(hashes),
    }
}

fn rows(db: &Connection, hashes: &HashMap<i64, u64>) -> Result<(Vec<Row>, Vec<Owner>), IndexError> {
    let mut select =
        db.prepare("select row, domain_id, app_id, account, stream_id from record not indexed order by row")?;
    let mut found = select.query([])?;
    let mut numbers: HashMap<Owner, u16> = HashMap::new();
    let (mut rows, mut owners) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let owner = Owner { domain: row.get(1)?, app: row.get(2)?, account: row.get(3)? };
        let number = match numbers.get(&owner) {
            Some(number) => *number,
            None => {
                let number = u16::try_from(owners.len()).map_err(|_| IndexError::TooMany)?;
                owners.push(owner);
                numbers.insert(owner, number);
                number
            }
        };
        let stream: Option<i64> = row.get(4)?;
        let stream = stream.and_then(|stream| hashes.get(&stream).copied());
        rows.push(Row { key: row.get(0)?, owner: number, stream });
    }
    Ok((rows, owners))
}

#[cfg(test)]
mod tests {
    use model::catalog::AccountId;
    use model::{Code, Record, Timestamp};
    use proptest::prelude::*;

    use super::super::day;
    use super::super::query::{Cursor, RecordQuery};
    use super::super::tests::example;
    use super::*;
    use crate::columns::Stored;
    use crate::filing::DayFile;
    use crate::layout::{self, Day};
    use crate::schema::RECORDS;

    const NAMES: [&str; 4] = ["a", "b", "配信", "c-1"];

    type Names = (Option<usize>, Option<usize>, Option<usize>, Option<AccountId>);

    fn record(number: usize, at: i64, (stream, domain, app, account): Names) -> Stored {
        let name = |n: Option<usize>| n.map(|n| NAMES[n].to_owned());
        let like = example(number as u64, Timestamp(at));
        let record = Record { account, domain: name(domain), app: name(app), stream: name(stream), ..like };
        Stored { record, verdict_version: 1, evidence: None }
    }

    fn names() -> impl Strategy<Value = Names> {
        let name = || proptest::option::weighted(0.8, 0..NAMES.len());
        (name(), name(), name(), proptest::option::weighted(0.8, 0u64..3))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// An index gives what a search in its file gives.
        #[test]
        fn an_index_gives_what_the_file_holds(
            rows in proptest::collection::vec((0i64..40, names()), 0..60),
            asked in proptest::collection::vec((names(), any::<bool>(), 0i64..42, 0i64..42, 1usize..30), 1..40),
        ) {
            let dir = tempfile::tempdir().unwrap();
            layout::make_dir(&layout::records_dir(dir.path())).unwrap();
            let day = Day::of(Timestamp(86_400_000 * 3));
            let start = day.start().millis();
            let stored: Vec<Stored> =
                rows.iter().enumerate().map(|(n, (at, names))| record(n, start + at, *names)).collect();
            DayFile::open(dir.path(), day).unwrap().insert(&stored).unwrap();
            let db = RECORDS.open_read_only(&layout::records_file(dir.path(), day)).unwrap();
            let index = DayIndex::read(&db).unwrap();
            prop_assert_eq!(index.len(), rows.len());
            for ((stream, domain, app, account), newest, a, b, enough) in asked {
                let name = |n: Option<usize>| n.map(|n| NAMES[n].to_owned());
                let query = RecordQuery {
                    stream: name(stream), domain: name(domain), app: name(app), account, ..RecordQuery::default()
                };
                let filter = Filter::of(&query);
                let Some(wanted) = Wanted::of(&filter) else {
                    prop_assert!(stream.is_none() && domain.is_none());
                    continue;
                };
                let at = |ms: i64| day::key_of(day, Cursor::at(Timestamp(start + ms)));
                let span = (at(a.min(b)), at(a.max(b)));
                let first = if newest { First::Newest } else { First::Oldest };
                let searched = day::scan(&db, &filter, first, span, enough, &mut 1_000_000).unwrap().keys;
                prop_assert_eq!(index.first(wanted, first, span, enough), searched, "{:?}", query);
            }
        }
    }

    #[test]
    fn other_conditions_are_not_for_an_index() {
        let query = RecordQuery { stream: Some("s".into()), ..RecordQuery::default() };
        assert!(Wanted::of(&Filter::of(&query)).is_some());
        for other in [
            RecordQuery { fuzzy: true, ..query.clone() },
            RecordQuery { side: Some("client".into()), ..query.clone() },
            RecordQuery { codes: vec![Code::new(1, 0)], ..query.clone() },
            RecordQuery { ip: Some("192.0.2.0/24".parse().unwrap()), ..query.clone() },
            RecordQuery { account: Some(1), ..RecordQuery::default() },
        ] {
            assert!(Wanted::of(&Filter::of(&other)).is_none(), "{other:?}");
        }
        assert!(Wanted::of(&Filter { published: true, ..Filter::of(&query) }).is_none());
    }
}
