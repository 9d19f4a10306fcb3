//! The dictionary of names: every name is there before a record that has it comes.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Client;

use super::put::{Parcel, clean};
use crate::layout::Day;
use crate::limits::MAX_CACHED_NAMES;
use crate::remote::RemoteFault;

/// Names looked at in one sweep.
const SWEEP: i64 = 5_000;
/// Days beyond what is kept for which a name that nobody uses stays: nodes remember for a day which names are there.
const MARGIN: i64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Domain,
    App,
    Stream,
}

/// The names that were made sure of today.
#[derive(Debug, Default)]
pub(crate) struct Names {
    day: i64,
    known: HashMap<Kind, HashSet<String>>,
}

/// Names that are to be made sure of.
pub(super) struct Wanted {
    day: i64,
    names: Vec<(Kind, Vec<String>)>,
}

impl Names {
    /// The names of records that are not known to be there.
    pub fn wanted(&mut self, parcels: &[Parcel], today: Day) -> Wanted {
        if self.day != today.number() || self.known.values().any(|names| names.len() > MAX_CACHED_NAMES) {
            *self = Self { day: today.number(), known: HashMap::new() };
        }
        let of = |kind: Kind, name: fn(&Parcel) -> Option<&str>| {
            let known = self.known.get(&kind);
            let names: HashSet<String> = parcels
                .iter()
                .filter_map(name)
                .map(clean)
                .filter(|name| known.is_none_or(|known| !known.contains(name.as_ref())))
                .map(std::borrow::Cow::into_owned)
                .collect();
            let mut names: Vec<String> = names.into_iter().collect();
            // In one order on all nodes, so that none waits for another that waits for it.
            names.sort_unstable();
            (kind, names)
        };
        let names = vec![
            of(Kind::Domain, |parcel| parcel.record.domain.as_deref()),
            of(Kind::App, |parcel| parcel.record.app.as_deref()),
            of(Kind::Stream, |parcel| parcel.record.stream.as_deref()),
        ];
        Wanted { day: today.number(), names }
    }

    /// They are there now.
    pub fn learned(&mut self, wanted: Wanted) {
        for (kind, names) in wanted.names {
            self.known.entry(kind).or_default().extend(names);
        }
    }
}

/// Puts names that are missing into the dictionary, and notes that they are in use.
pub(super) async fn ensure(client: &Client, wanted: &Wanted) -> Result<(), RemoteFault> {
    let day = i32::try_from(wanted.day).unwrap_or(i32::MAX);
    for (kind, names) in wanted.names.iter().filter(|(_, names)| !names.is_empty()) {
        let (table, columns, values) = match kind {
            Kind::Domain => ("domain", "text, used_on", "n, $2"),
            Kind::App => ("app", "text, used_on", "n, $2"),
            Kind::Stream => ("stream", "text, used_on, folded", "n, $2, f"),
        };
        let folded: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        // Each name is looked up by itself: a join would read all that there are.
        let insert = format!(
            "insert into {table} ({columns}) select {values} from unnest($1::text[], $3::text[]) as u (n, f) \
             where (select t.id from {table} t where t.text = n) is null on conflict (text) do nothing"
        );
        client.execute(&insert, &[names, &day, &folded]).await?;
        let idle = format!(
            "select id from (select (select t.id from {table} t where t.text = n and t.used_on < $2) as id \
             from unnest($1::text[]) as u (n)) i where id is not null order by id"
        );
        let idle = client.query(&idle, &[names, &day]).await?;
        let idle: Vec<i64> = idle.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        if !idle.is_empty() {
            let update = format!(
                "update {table} set used_on = $2 where id in (select id from {table} where id = any($1) \
                 order by id for update)"
            );
            client.execute(&update, &[&idle, &day]).await?;
        }
    }
    Ok(())
}

/// Lets go of names that were not used for longer than records are kept, and that no record has.
pub(super) async fn sweep(client: &Client, kept_from: Day) -> Result<u64, RemoteFault> {
    let before = i32::try_from(kept_from.number().saturating_sub(MARGIN)).unwrap_or(0);
    let mut gone = 0;
    for table in ["domain", "app", "stream"] {
        let sql = format!(
            "delete from {table} where used_on < $1 and id in (select n.id from {table} n where n.used_on < $1 and \
             not exists (select 1 from record r where r.{table}_id = n.id) limit {SWEEP})"
        );
        gone += client.execute(&sql, &[&before]).await?;
    }
    Ok(gone)
}
