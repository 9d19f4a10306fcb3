//! How fetches ended, into the database and out of it. As with events, how far a node's own have come stands in the
//! database and moves with them.

use std::time::Duration;

use model::{FetchEnd, FetchRecord, Timestamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::find::LIMIT;
use super::link::Database;
use super::put::clean;
use crate::columns::{counter, signed};
use crate::history::FetchQuery;
use crate::history::fetch::Documents;
use crate::limits::MAX_PAGE;
use crate::remote::RemoteFault;

/// How long a batch may take.
const PUT: Duration = Duration::from_secs(30);

const COLUMNS: &str = "id, account, domain, app, stream, node, owner, address, revision, since, ended_at, live_ms, \
    bytes_in, restarts, viewers, why, errcode, sub_errcode, detail::text, events::text";

impl Database {
    /// The number of the node's newest fetch that the database has.
    pub fn fetches_to(&self, node: Uuid) -> Result<u64, RemoteFault> {
        self.ask(PUT, move |client| async move {
            let row = client.query_opt("select fetches_to from node where id = $1", &[&node]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?.map_or(0, counter))
        })
    }

    /// Puts a node's fetches into the database and moves its mark; `to` is the new one. What is there stays as it is.
    pub fn put_fetches(&self, node: Uuid, fetches: Vec<FetchRecord>, to: u64) -> Result<(), RemoteFault> {
        self.ask(PUT, move |client| async move {
            client.batch_execute("begin").await?;
            for fetch in &fetches {
                insert(&client, fetch).await?;
            }
            client.execute("update node set fetches_to = $2 where id = $1", &[&node, &signed(to)]).await?;
            client.batch_execute("commit").await?;
            Ok(())
        })
    }

    /// Fetches of all nodes, newest end first.
    pub fn fetches(&self, query: &FetchQuery) -> Result<Vec<FetchRecord>, RemoteFault> {
        let query = query.clone();
        self.read(LIMIT, move |client| async move { find(&client, &query).await })
    }

    /// One fetch.
    pub fn fetch(&self, id: Uuid) -> Result<Option<FetchRecord>, RemoteFault> {
        self.read(LIMIT, move |client| async move {
            let sql = format!("select {COLUMNS} from fetched where id = $1");
            client.query_opt(&sql, &[&id]).await?.as_ref().map(fetch).transpose()
        })
    }
}

/// Lets go of what is older than what is kept. Gives the number of rows that went.
pub(super) async fn sweep(client: &Client, before: Timestamp) -> Result<u64, RemoteFault> {
    Ok(client.execute("delete from fetched where ended_at < $1", &[&before.millis()]).await?)
}

async fn insert(client: &Client, fetch: &FetchRecord) -> Result<(), RemoteFault> {
    let Documents { detail, events } = Documents::of(fetch);
    let text = |text: &Option<String>| text.as_deref().map(|text| clean(text).into_owned());
    client
        .execute(
            "insert into fetched (id, account, domain, app, stream, node, owner, address, revision, since, ended_at, \
             live_ms, bytes_in, restarts, viewers, why, errcode, sub_errcode, detail, events) values ($1, $2, $3, $4, \
             $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19::text::json, $20::text::json) \
             on conflict (id) do nothing",
            &[
                &fetch.id,
                &fetch.account.map(u64::cast_signed),
                &clean(&fetch.domain).into_owned(),
                &clean(&fetch.app).into_owned(),
                &clean(&fetch.stream).into_owned(),
                &clean(&fetch.node).into_owned(),
                &text(&fetch.owner),
                &text(&fetch.address),
                &signed(fetch.revision),
                &fetch.since.millis(),
                &fetch.ended_at.millis(),
                &signed(fetch.live_ms),
                &signed(fetch.bytes_in),
                &signed(fetch.restarts),
                &signed(fetch.viewers),
                &fetch.why.as_str(),
                &fetch.errcode.map(i32::from),
                &fetch.sub_errcode.map(i32::from),
                &detail,
                &events,
            ],
        )
        .await?;
    Ok(())
}

async fn find(client: &Client, query: &FetchQuery) -> Result<Vec<FetchRecord>, RemoteFault> {
    let mut conditions = Vec::new();
    let mut params: Vec<Box<dyn ToSql + Sync + Send>> = Vec::new();
    let mut add = |condition: &str, value: Option<Box<dyn ToSql + Sync + Send>>| {
        if let Some(value) = value {
            params.push(value);
            conditions.push(condition.replace('?', &format!("${}", params.len())));
        }
    };
    let text = |text: &Option<String>| -> Option<Box<dyn ToSql + Sync + Send>> {
        text.as_deref().map(|text| Box::new(clean(text).into_owned()) as _)
    };
    let number = |n: i64| -> Box<dyn ToSql + Sync + Send> { Box::new(n) };
    add("account = ?", query.account.map(|id| number(id.cast_signed())));
    add("domain = ?", text(&query.domain));
    add("app = ?", text(&query.app));
    add("stream = ?", text(&query.stream));
    add("ended_at >= ?", query.since.map(|at| number(at.millis())));
    add("ended_at < ?", query.until.map(|at| number(at.millis())));
    // Two conditions, since each has one parameter; the first lets the index be used.
    add("ended_at <= ?", query.after.map(|after| number(after.ended_at.millis())));
    if let Some(after) = query.after {
        let at = after.ended_at.millis();
        add(&format!("(ended_at < {at} or id < ?)"), Some(Box::new(after.id)));
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!("where {}", conditions.join(" and ")),
    };
    let limit = query.limit.min(MAX_PAGE);
    let sql = format!("select {COLUMNS} from fetched {filter} order by ended_at desc, id desc limit {limit}");
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
    client.query(&sql, &params).await?.iter().map(fetch).collect()
}

fn fetch(row: &Row) -> Result<FetchRecord, RemoteFault> {
    let count = |index: usize| row.try_get::<_, i64>(index).map(counter);
    let code = |index: usize| {
        let code = row.try_get::<_, Option<i32>>(index);
        code.map(|code| code.and_then(|code| u16::try_from(code).ok()))
    };
    let (why, detail, events): (String, Option<String>, String) =
        (row.try_get(15)?, row.try_get(18)?, row.try_get(19)?);
    let unknown =
        || RemoteFault::Failed(format!("a fetch has ended by `{why}`, which this program does not know"));
    Ok(FetchRecord {
        id: row.try_get(0)?,
        account: row.try_get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
        domain: row.try_get(2)?,
        app: row.try_get(3)?,
        stream: row.try_get(4)?,
        node: row.try_get(5)?,
        owner: row.try_get(6)?,
        address: row.try_get(7)?,
        revision: count(8)?,
        since: Timestamp(row.try_get(9)?),
        ended_at: Timestamp(row.try_get(10)?),
        live_ms: count(11)?,
        bytes_in: count(12)?,
        restarts: count(13)?,
        viewers: count(14)?,
        why: FetchEnd::parse(&why).ok_or_else(unknown)?,
        errcode: code(16)?,
        sub_errcode: code(17)?,
        errmsg: None,
        detail: detail.and_then(|detail| serde_json::from_str(&detail).ok()),
        events: serde_json::from_str(&events).unwrap_or_default(),
    })
}
