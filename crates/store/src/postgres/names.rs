//! The dictionary of names: every name is there before a record that has it comes.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::try_join3;
use model::Record;
use tokio_postgres::Client;

use super::put::{Parcel, clean};
use crate::layout::Day;
use crate::remote::RemoteFault;

/// Names looked at in one sweep.
const SWEEP: i64 = 5_000;
/// Days beyond what is kept for which a name that nobody uses stays: a name is noted as used once a day, and its records
/// come a moment later.
const MARGIN: i64 = 3;

/// The names of some records, by their numbers. Asked for with each batch: a database that was put back to an earlier
/// state may have given numbers anew.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    domains: HashMap<String, i64>,
    apps: HashMap<String, i64>,
    streams: HashMap<String, i64>,
}

fn number(names: &HashMap<String, i64>, name: Option<&str>) -> Option<i64> {
    name.and_then(|name| names.get(clean(name).as_ref()).copied())
}

impl Numbers {
    pub fn domain(&self, record: &Record) -> Option<i64> {
        number(&self.domains, record.domain.as_deref())
    }

    pub fn app(&self, record: &Record) -> Option<i64> {
        number(&self.apps, record.app.as_deref())
    }

    pub fn stream(&self, record: &Record) -> Option<i64> {
        number(&self.streams, record.stream.as_deref())
    }
}

/// The numbers of all names that these records have. Names that are missing are put into the dictionary, and those that
/// were not used today are noted as used.
pub(super) async fn numbers(client: &Client, parcels: &[Parcel], today: Day) -> Result<Numbers, RemoteFault> {
    let of = |name: fn(&Record) -> Option<&str>| {
        // In one order on all nodes, so that none waits for another that waits for it.
        let names: BTreeSet<_> =
            parcels.iter().filter_map(|parcel| name(&parcel.record)).map(clean).collect();
        names.into_iter().map(std::borrow::Cow::into_owned).collect()
    };
    let (domains, apps, streams) = try_join3(
        numbers_of(client, "domain", of(|record| record.domain.as_deref()), today),
        numbers_of(client, "app", of(|record| record.app.as_deref()), today),
        numbers_of(client, "stream", of(|record| record.stream.as_deref()), today),
    )
    .await?;
    Ok(Numbers { domains, apps, streams })
}

async fn numbers_of(
    client: &Client,
    table: &'static str,
    names: Vec<String>,
    today: Day,
) -> Result<HashMap<String, i64>, RemoteFault> {
    let day = i32::try_from(today.number()).unwrap_or(i32::MAX);
    let mut numbers = HashMap::with_capacity(names.len());
    if names.is_empty() {
        return Ok(numbers);
    }
    let mut idle = Vec::new();
    // Each name is looked up by itself: a join would read all that there are.
    let look = format!(
        "select n, t.id, t.used_on < $2 from unnest($1::text[]) as u (n), \
         lateral (select id, used_on from {table} where text = n limit 1) t"
    );
    for row in client.query(&look, &[&names, &day]).await? {
        let id: i64 = row.try_get(1)?;
        if row.try_get(2)? {
            idle.push(id);
        }
        numbers.insert(row.try_get(0)?, id);
    }
    if !idle.is_empty() {
        let update = format!(
            "update {table} set used_on = $2 where id in (select id from {table} where id = any($1) \
             order by id for update)"
        );
        client.execute(&update, &[&idle, &day]).await?;
    }
    let missing: Vec<&String> = names.iter().filter(|name| !numbers.contains_key(*name)).collect();
    if !missing.is_empty() {
        let (columns, values) = match table {
            "stream" => ("text, used_on, folded", "n, $2, f"),
            _ => ("text, used_on", "n, $2"),
        };
        let folded: Vec<String> = missing.iter().map(|name| name.to_lowercase()).collect();
        // Of one that another node puts there at the same time the number is given as well.
        let insert = format!(
            "insert into {table} ({columns}) select {values} from unnest($1::text[], $3::text[]) as u (n, f) \
             on conflict (text) do update set used_on = excluded.used_on returning text, id"
        );
        for row in client.query(&insert, &[&missing, &day, &folded]).await? {
            numbers.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(numbers)
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
