//! The names of a query as the numbers of one day's record file.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::filter::{Filter, Part, StreamName};
use crate::limits::MAX_FUZZY_NAMES;

/// Looking at a name costs about this part of looking at a record.
const NAMES_PER_ROW: u64 = 8;

/// A condition on a record's stream.
pub(crate) enum Streams {
    Any,
    /// One of these numbers, sorted.
    Numbered(Vec<i64>),
    /// So many names match that each record's name is held against the part instead.
    Matching(Part),
}

/// Conditions on a record's names.
pub(crate) struct Names {
    pub domain: Option<i64>,
    pub app: Option<i64>,
    pub streams: Streams,
}

impl Names {
    /// `None` when a name does not occur on that day, so that no record can match.
    pub fn of(db: &Connection, filter: &Filter, budget: &mut u64) -> rusqlite::Result<Option<Self>> {
        let domain = match &filter.domain {
            Some(name) => match number(db, "select id from domain where text = ?1", name)? {
                None => return Ok(None),
                some => some,
            },
            None => None,
        };
        let app = match &filter.app {
            Some(name) => match number(db, "select id from app where text = ?1", name)? {
                None => return Ok(None),
                some => some,
            },
            None => None,
        };
        let streams = match &filter.stream {
            None => Streams::Any,
            Some(StreamName::Is(name)) => Streams::Numbered(
                number(db, "select id from stream where text = ?1", name)?.into_iter().collect(),
            ),
            Some(StreamName::Contains(part)) => containing(db, part, budget)?,
        };
        let none = matches!(&streams, Streams::Numbered(numbers) if numbers.is_empty());
        Ok((!none).then_some(Self { domain, app, streams }))
    }
}

fn number(db: &Connection, sql: &str, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
}

fn containing(db: &Connection, part: &Part, budget: &mut u64) -> rusqlite::Result<Streams> {
    let mut numbers = match trigram_phrase(&part.text) {
        Some(phrase) => db
            .prepare_cached("select rowid from stream_trigram where text match ?1 limit ?2")?
            .query_map((phrase, MAX_FUZZY_NAMES as i64 + 1), |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?,
        None => scan(db, part, budget)?,
    };
    numbers.sort_unstable();
    Ok(match numbers.len() {
        0..=MAX_FUZZY_NAMES => Streams::Numbered(numbers),
        _ => Streams::Matching(part.clone()),
    })
}

/// The text as a phrase of the trigram index, which knows nothing shorter than three characters.
fn trigram_phrase(text: &str) -> Option<String> {
    let usable = text.chars().count() >= 3 && !text.contains('\0');
    usable.then(|| format!("\"{}\"", text.replace('"', "\"\"")))
}

fn scan(db: &Connection, part: &Part, budget: &mut u64) -> rusqlite::Result<Vec<i64>> {
    let mut select = db.prepare_cached("select id, text from stream")?;
    let mut rows = select.query([])?;
    let mut numbers = Vec::new();
    let mut seen = 0u64;
    while let Some(row) = rows.next()? {
        seen += 1;
        if row.get_ref(1)?.as_str().is_ok_and(|name| part.is_in(name)) {
            numbers.push(row.get(0)?);
            if numbers.len() > MAX_FUZZY_NAMES {
                break;
            }
        }
    }
    *budget = budget.saturating_sub(seen / NAMES_PER_ROW);
    Ok(numbers)
}

/// Which streams' names contain the part, remembered by number for the length of a query.
pub(crate) struct Matches<'a> {
    db: &'a Connection,
    known: HashMap<i64, bool>,
}

impl<'a> Matches<'a> {
    pub fn new(db: &'a Connection) -> Self {
        Self { db, known: HashMap::new() }
    }

    pub fn contains(&mut self, stream: i64, part: &Part) -> rusqlite::Result<bool> {
        if let Some(known) = self.known.get(&stream) {
            return Ok(*known);
        }
        let mut select = self.db.prepare_cached("select text from stream where id = ?1")?;
        let found = select
            .query_row([stream], |row| Ok(row.get_ref(0)?.as_str().is_ok_and(|name| part.is_in(name))))
            .optional()?;
        let found = found.unwrap_or(false);
        self.known.insert(stream, found);
        Ok(found)
    }
}
