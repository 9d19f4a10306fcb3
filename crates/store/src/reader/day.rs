//! The records of one day.
//!
//! Of the conditions, the one that the fewest records satisfy gives the records, newest first, from its index; the
//! others are held against each of them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use model::{PushId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};

use super::filter::Filter;
use super::names::{Matches, Names, Streams};
use super::query::{Cursor, TIE_BITS};
use super::snapshot::Snapshot;
use super::source::{By, Driver, First, Source};
use super::stretches::Scan;
use super::{Found, Window};
use crate::columns::{self, Address, Stored};
use crate::filing::first_row;
use crate::layout::Day;
use crate::limits::MAX_NETWORK_ADDRESSES;

const READ: &str = "select f.id, r.sequence, f.source, r.account, d.text, a.text, s.text, f.protocol, r.client_ip, \
    f.client_port, f.node, f.connected_at, f.published_at, f.ended_at, f.duration_ms, r.errcode, r.sub_errcode, r.side, \
    f.detail, f.attempts, f.last_attempt_at, f.bytes_in, f.bytes_out, f.video, f.audio, f.encoder, f.stream_param, \
    f.verdict_version, f.evidence_offset, f.evidence_length from record r join fact f on f.row = r.row \
    left join domain d on d.id = r.domain_id left join app a on a.id = r.app_id \
    left join stream s on s.id = r.stream_id where r.row = ?1";

pub(crate) fn find(
    db: &Connection,
    day: Day,
    filter: &Filter,
    window: &mut Window,
) -> rusqlite::Result<Found> {
    let (from, below) = (key_of(day, window.from), key_of(day, window.below));
    let tx = Snapshot::of(db)?;
    let Some(names) = Names::of(&tx, filter, &mut window.budget)? else { return Ok(Found::default()) };
    let mut sources = choose(&tx, filter, &names, from, below)?.sources(First::Newest, false);
    let mut matches = Matches::new(&tx);
    let mut found = Found::default();
    while found.records.len() < window.wanted {
        for source in &mut sources {
            source.fill(1, &tx, from, below, &mut window.budget, |row| {
                let names_match = is(row.get(1)?, names.domain)
                    && is(row.get(2)?, names.app)
                    && stream_matches(row.get(3)?, &names.streams, &mut matches)?;
                Ok(names_match && filter.admits(row, 4)?)
            })?;
        }
        sources.retain(|source| !source.is_dry());
        // A source whose next record is not known yet hides whatever is older than where it has got to.
        let unknown = sources.iter().filter(|source| source.peek().is_none());
        let unknown = unknown.map(|source| source.looked_to(below)).max();
        let newest = sources.iter_mut().max_by_key(|source| source.peek());
        match newest.filter(|source| source.peek() > unknown).and_then(Source::pop) {
            Some(key) => found.records.extend(read(&tx, day, key)?),
            None => {
                found.stopped = unknown.map(|key| position(day, key));
                break;
            }
        }
    }
    Ok(found)
}

/// The keys of the first `enough` records of a day within `from` and `below`, in the order of a list, as far as the
/// budget reaches.
pub(crate) fn scan(
    db: &Connection,
    filter: &Filter,
    first: First,
    (from, below): (i64, i64),
    enough: usize,
    budget: &mut u64,
) -> rusqlite::Result<Scan> {
    let tx = Snapshot::of(db)?;
    let Some(names) = Names::of(&tx, filter, budget)? else {
        return Ok(Scan { keys: Vec::new(), reached: first.end(from, below) });
    };
    let mut matches = Matches::new(&tx);
    let driver = choose(&tx, filter, &names, from, below)?;
    let bare = filter.conditions() == usize::from(driver.by != By::Time);
    let sources = driver.sources(first, bare);
    merge(sources, first, (from, below), enough, |source| {
        source.fill(1, &tx, from, below, budget, |row| {
            let names_match = is(row.get(1)?, names.domain)
                && is(row.get(2)?, names.app)
                && stream_matches(row.get(3)?, &names.streams, &mut matches)?;
            Ok(names_match && filter.admits(row, 4)? && (!filter.published || was_published(&tx, row)?))
        })
    })
}

/// The first keys of all sources in one order. Sources stand beside each other: no record is in two of them.
fn merge(
    mut sources: Vec<Source>,
    first: First,
    (from, below): (i64, i64),
    enough: usize,
    mut fill: impl FnMut(&mut Source) -> rusqlite::Result<()>,
) -> rusqlite::Result<Scan> {
    // Places in the list in place of keys: the smaller comes first, whichever end of the day that is.
    let mut heads = BinaryHeap::with_capacity(sources.len());
    // Behind this place a source has not been looked at.
    let mut limit = None;
    let mut keys = Vec::new();
    let mut advance =
        |index: usize, source: &mut Source, heads: &mut BinaryHeap<_>, limit: &mut Option<i64>| {
            if source.peek().is_none() {
                fill(source)?;
            }
            match source.peek() {
                Some(key) => heads.push(Reverse((first.place(key), index))),
                None if source.is_dry() => {}
                None => {
                    let got_to = first.place(source.looked_to(first.begin(from, below)));
                    *limit = Some(limit.map_or(got_to, |limit: i64| limit.min(got_to)));
                }
            }
            Ok::<_, rusqlite::Error>(())
        };
    for (index, source) in sources.iter_mut().enumerate() {
        advance(index, source, &mut heads, &mut limit)?;
    }
    while keys.len() < enough {
        let Some(Reverse((place, index))) = heads.pop() else { break };
        let (Some(source), false) = (sources.get_mut(index), limit.is_some_and(|limit| place > limit)) else {
            break;
        };
        keys.extend(source.pop());
        advance(index, source, &mut heads, &mut limit)?;
    }
    let reached = match (keys.last(), limit) {
        (Some(last), _) if keys.len() == enough => first.beyond(*last),
        (_, Some(limit)) => first.beyond(first.key(limit)),
        (_, None) => first.end(from, below),
    };
    Ok(Scan { keys, reached })
}

/// Whether the push of a row of a source ever went live.
fn was_published(db: &Connection, row: &Row<'_>) -> rusqlite::Result<bool> {
    // What ends a push before it is live, and what only ends one that is, need no look at the wide row.
    match (row.get(4)?, row.get(5)?) {
        (18, 201..=203 | 303..=305) => {}
        (18 | 19 | 22 | 25..=32, _) => return Ok(false),
        (1 | 2 | 8 | 11 | 16 | 20 | 21 | 37 | 39, _) => return Ok(true),
        (_, _) => {}
    }
    db.prepare_cached("select published_at is not null from fact where row = ?1")?
        .query_row([row.get::<_, i64>(0)?], |found| found.get(0))
        .optional()
        .map(|found: Option<bool>| found.unwrap_or(false))
}

/// One record by its key; `None` if it is gone, or cannot be read.
pub(crate) fn at(db: &Connection, day: Day, key: i64) -> rusqlite::Result<Option<Stored>> {
    Ok(read(db, day, key)?.map(|(_, stored)| stored))
}

/// One record by its push's id.
pub(crate) fn get(db: &Connection, id: PushId) -> rusqlite::Result<Option<Stored>> {
    let mut select = db.prepare_cached("select row from record where sequence = ?1")?;
    let keys: Vec<i64> = select
        .query_map([id.sequence().0.cast_signed()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in keys {
        let stored = db.prepare_cached(READ)?.query_row([key], columns::read).optional()?;
        if let Some(stored) = stored.filter(|stored| stored.record.id == id) {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

/// How many records ended at `since` or later, without those that are `elsewhere` too.
pub(crate) fn count(
    db: &Connection,
    day: Day,
    since: Timestamp,
    elsewhere: &HashSet<[u8; 16]>,
) -> rusqlite::Result<u64> {
    let tx = Snapshot::of(db)?;
    let from = key_of(day, Cursor::at(since));
    let all: i64 = tx
        .prepare_cached("select count(*) from record where row >= ?1")?
        .query_row([from], |row| row.get(0))?;
    let mut twice = 0;
    for id in elsewhere {
        twice += u64::from(get(&tx, PushId::from_bytes(*id))?.is_some());
    }
    Ok(columns::counter(all).saturating_sub(twice))
}

fn is(number: Option<i64>, wanted: Option<i64>) -> bool {
    wanted.is_none() || number == wanted
}

fn stream_matches(
    number: Option<i64>,
    wanted: &Streams,
    matches: &mut Matches<'_>,
) -> rusqlite::Result<bool> {
    match (wanted, number) {
        (Streams::Any, _) => Ok(true),
        (_, None) => Ok(false),
        (Streams::Numbered(numbers), Some(number)) => Ok(numbers.binary_search(&number).is_ok()),
        (Streams::Matching(part), Some(number)) => matches.contains(number, part),
    }
}

fn read(db: &Connection, day: Day, key: i64) -> rusqlite::Result<Option<(Cursor, Stored)>> {
    match db.prepare_cached(READ)?.query_row([key], columns::read) {
        Ok(stored) => Ok(Some((position(day, key), stored))),
        // One that cannot be read is `check`'s matter, and may not hide the others.
        Err(error @ rusqlite::Error::FromSqlConversionFailure(..)) => {
            tracing::error!(%error, %day, key, "a record cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Looking at so many records takes no longer than looking for a better condition.
const FEW: f64 = 50.0;

/// The condition that the fewest records satisfy, or one that few do.
fn choose(
    db: &Connection,
    filter: &Filter,
    names: &Names,
    from: i64,
    below: i64,
) -> rusqlite::Result<Driver> {
    let mut drivers = drivers(db, filter, names)?;
    if drivers.len() > 1 {
        let mut best = (f64::INFINITY, None);
        for driver in drivers {
            let estimate = driver.estimate(db, from, below)?;
            if estimate < best.0 {
                best = (estimate, Some(driver));
            }
            if estimate < FEW {
                break;
            }
        }
        drivers = best.1.into_iter().collect();
    }
    Ok(drivers.pop().unwrap_or(Driver { by: By::Time, values: vec![Vec::new()] }))
}

fn drivers(db: &Connection, filter: &Filter, names: &Names) -> rusqlite::Result<Vec<Driver>> {
    let one = |value: Value| vec![value];
    let mut drivers = Vec::new();
    let mut add = |by, values: Vec<Vec<Value>>| drivers.push(Driver { by, values });
    if let Streams::Numbered(numbers) = &names.streams {
        add(By::Stream, numbers.iter().map(|number| one(Value::Integer(*number))).collect());
    }
    if let Some(addresses) = filter.ip.map(|network| addresses(db, network)).transpose()?.flatten() {
        add(By::Address, addresses.into_iter().map(|bytes| one(Value::Blob(bytes))).collect());
    }
    if !filter.codes.is_empty() {
        let code =
            |code: &model::Code| vec![i64::from(code.errcode).into(), i64::from(code.sub_errcode).into()];
        add(By::Code, filter.codes.iter().map(code).collect());
    }
    if let Some(app) = names.app {
        add(By::App, vec![one(app.into())]);
    }
    if let Some(domain) = names.domain {
        add(By::Domain, vec![one(domain.into())]);
    }
    if let Some(account) = filter.account {
        add(By::Account, vec![one(account.into())]);
    }
    if let Some(side) = &filter.side {
        add(By::Side, vec![one(side.clone().into())]);
    }
    Ok(drivers)
}

/// The addresses of a network that occur; `None` when there are too many to look each up.
fn addresses(db: &Connection, network: ipnet::IpNet) -> rusqlite::Result<Option<Vec<Vec<u8>>>> {
    let (first, last) = (Address::of(network.network()), Address::of(network.broadcast()));
    let mut next =
        db.prepare_cached("select min(client_ip) from record where client_ip >= ?1 and client_ip <= ?2")?;
    let mut after =
        db.prepare_cached("select min(client_ip) from record where client_ip > ?1 and client_ip <= ?2")?;
    let length = first.bytes().len();
    let mut found: Vec<Vec<u8>> = Vec::new();
    loop {
        let address: Option<Vec<u8>> = match found.last() {
            None => next.query_row((first, last), |row| row.get(0))?,
            Some(seen) => after.query_row((seen, last), |row| row.get(0))?,
        };
        match address {
            None => break,
            Some(_) if found.len() >= MAX_NETWORK_ADDRESSES => return Ok(None),
            Some(address) => found.push(address),
        }
    }
    // Addresses of 4 and of 16 bytes stand in one order.
    found.retain(|address| address.len() == length);
    Ok(Some(found))
}

/// The key of a position, as far as it is on that day.
pub(super) fn key_of(day: Day, at: Cursor) -> i64 {
    if at <= Cursor::at(day.start()) {
        return 0;
    }
    if at >= Cursor::at(day.end()) {
        return first_row(day, day.end(), 0);
    }
    first_row(day, Timestamp(at.ended_at), 0).saturating_add(at.tie)
}

pub(crate) fn position(day: Day, key: i64) -> Cursor {
    let ended_at = day.start().millis().saturating_add(key >> TIE_BITS);
    Cursor { ended_at, tie: key & ((1 << TIE_BITS) - 1) }
}
