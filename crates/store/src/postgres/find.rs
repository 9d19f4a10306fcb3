//! Pages and lists: the conditions of a query as SQL, and in which order the database is to look.
//!
//! Each index ends in the order of the lists, so one condition on an indexed column gives a page without sorting. Where
//! more conditions meet, or one that has no index, nobody knows how far back a full page reaches: such a query looks
//! through windows of time, each longer than the one before, and stops where its time is over. [`Page::next`] then
//! goes on from there.
//!
//! [`Page::next`]: crate::Page::next

use std::time::Duration;

use model::{Clock, PushId, SystemClock, Timestamp};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::columns::{JOIN, SELECT, read};
use super::count::{SNAPSHOT, missing};
use super::link::Database;
use super::put::{clean, uuid};
use crate::columns::Stored;
use crate::limits::MAX_FUZZY_NAMES;
use crate::reader::filter::{Filter, Part, StreamName};
use crate::reader::query::Cursor;
use crate::reader::source::First;
use crate::reader::{Found, WithEvidence};
use crate::remote::RemoteFault;

/// How long a query may take before this node's own records are shown instead.
pub(super) const LIMIT: Duration = Duration::from_secs(3);
/// After this time no further window is begun.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// By this time the last window has an answer, or none.
const ENOUGH: Duration = Duration::from_millis(2_500);
/// The first window.
const FIRST: Duration = Duration::from_secs(3_600);
/// How much longer each window is than all before it.
const GROWTH: u32 = 6;

/// Places and ids, and ids that are missing.
type Keys = (Vec<(Cursor, PushId)>, Vec<PushId>);
type Param = Box<dyn ToSql + Sync + Send>;

/// A statement in the making.
#[derive(Default)]
pub(super) struct Conditions {
    all: Vec<String>,
    params: Vec<Param>,
}

impl Conditions {
    fn param(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.params.push(Box::new(value));
        format!("${}", self.params.len())
    }

    fn add(&mut self, condition: String) {
        self.all.push(condition);
    }

    fn text(&self) -> String {
        self.all.join(" and ")
    }
}

/// The values that give the records, each in order, where there is more than one of them.
enum Driver {
    None,
    Streams(Vec<i64>),
    Codes(Vec<model::Code>),
}

/// A query whose names have become numbers.
struct Plan {
    conditions: Conditions,
    driver: Driver,
    /// Whether one index gives the page, however far back it reaches.
    indexed: bool,
}

impl Plan {
    /// `None` when a name does not occur at all.
    async fn of(client: &Client, filter: &Filter) -> Result<Option<Self>, RemoteFault> {
        let mut conditions = Conditions::default();
        let mut driver = Driver::None;
        let (mut narrow, mut wide) = (0, 0);
        for (table, name) in [("domain", &filter.domain), ("app", &filter.app)] {
            let Some(name) = name else { continue };
            let Some(id) = number(client, table, name).await? else { return Ok(None) };
            conditions.add(format!("r.{table}_id = {id}"));
            *(if table == "app" { &mut wide } else { &mut narrow }) += 1;
        }
        match &filter.stream {
            None => {}
            Some(StreamName::Is(name)) => {
                let Some(id) = number(client, "stream", name).await? else { return Ok(None) };
                conditions.add(format!("r.stream_id = {id}"));
                narrow += 1;
            }
            Some(StreamName::Contains(part)) => {
                let ids = containing(client, part).await?;
                match ids.as_slice() {
                    [] => return Ok(None),
                    [id] => {
                        conditions.add(format!("r.stream_id = {id}"));
                        narrow += 1;
                    }
                    _ if ids.len() <= MAX_FUZZY_NAMES => {
                        driver = Driver::Streams(ids);
                        narrow += 1;
                    }
                    // So many names match that each record's name is looked at instead, which finds a page soon.
                    _ => {
                        let pattern = conditions.param(pattern(part));
                        conditions.add(format!(
                            "(select s.folded like {pattern} from stream s where s.id = r.stream_id)"
                        ));
                        wide += 1;
                    }
                }
            }
        }
        if let Some(account) = filter.account {
            conditions.add(format!("r.account = {account}"));
            narrow += 1;
        }
        if let Some(network) = &filter.ip {
            let first = conditions.param(network.network());
            match network.prefix_len() == network.max_prefix_len() {
                true => {
                    conditions.add(format!("r.client_ip = {first}"));
                    narrow += 1;
                }
                false => {
                    let last = conditions.param(network.broadcast());
                    conditions.add(format!("r.client_ip >= {first} and r.client_ip <= {last}"));
                    wide += 1;
                }
            }
        }
        match filter.codes.as_slice() {
            [] => {}
            [code] => {
                conditions
                    .add(format!("r.errcode = {} and r.sub_errcode = {}", code.errcode, code.sub_errcode));
                narrow += 1;
            }
            codes if matches!(driver, Driver::None) && narrow == 0 => {
                driver = Driver::Codes(codes.to_vec());
                narrow += 1;
            }
            codes => {
                conditions.add(format!("(r.errcode, r.sub_errcode) in ({})", values(codes)));
                wide += 1;
            }
        }
        if let Some(side) = &filter.side {
            let side = conditions.param(clean(side).into_owned());
            conditions.add(format!("r.side = {side}"));
            wide += 1;
        }
        if filter.published {
            conditions.add("r.published_at is not null".to_owned());
            wide += 1;
        }
        Ok(Some(Self { conditions, driver, indexed: wide == 0 && narrow <= 1 }))
    }

    /// The statement for the records below one position and from another one on.
    fn statement(&self, select: &str, join: &str, first: First) -> String {
        let n = self.conditions.params.len();
        let (below_at, below_tie, from_at, from_tie, limit) = (n + 1, n + 2, n + 3, n + 4, n + 5);
        let mut conditions = vec![format!(
            "(r.ended_at, r.tie) < (${below_at}, ${below_tie}) and (r.ended_at, r.tie) >= (${from_at}, ${from_tie})"
        )];
        conditions.extend((!self.conditions.all.is_empty()).then(|| self.conditions.text()));
        let direction = match first {
            First::Newest => "desc",
            First::Oldest => "asc",
        };
        let order = format!("order by r.ended_at {direction}, r.tie {direction}");
        // Two records may stand at one place, and a page goes on below a place: it has all of the last one, or none.
        let rows = format!("fetch first ${limit} rows with ties");
        let one = |driven: &str| {
            format!("select r.* from record r where {driven}{} {order} {rows}", conditions.join(" and "))
        };
        let inner = match &self.driver {
            Driver::None => one(""),
            Driver::Streams(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                format!(
                    "select r.* from unnest(array[{}]::bigint[]) v (id) cross join lateral ({}) r {order} \
                     {rows}",
                    ids.join(", "),
                    one("r.stream_id = v.id and ")
                )
            }
            Driver::Codes(codes) => format!(
                "select r.* from (values {}) v (e, s) cross join lateral ({}) r {order} {rows}",
                values(codes),
                one("r.errcode = v.e and r.sub_errcode = v.s and ")
            ),
        };
        format!("select {select} from ({inner}) r {join} {order}")
    }

    async fn rows(
        &self,
        client: &Client,
        statement: &str,
        below: Cursor,
        from: Cursor,
        limit: usize,
    ) -> Result<Vec<tokio_postgres::Row>, RemoteFault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut params: Vec<&(dyn ToSql + Sync)> =
            self.conditions.params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        let place: [&(dyn ToSql + Sync); 5] =
            [&below.ended_at, &below.tie, &from.ended_at, &from.tie, &limit];
        params.extend(place);
        Ok(client.query(statement, &params).await?)
    }
}

fn values(codes: &[model::Code]) -> String {
    let pairs: Vec<String> =
        codes.iter().map(|code| format!("({}, {})", code.errcode, code.sub_errcode)).collect();
    pairs.join(", ")
}

async fn number(client: &Client, table: &str, name: &str) -> Result<Option<i64>, RemoteFault> {
    let row = client
        .query_opt(&format!("select id from {table} where text = $1"), &[&clean(name).into_owned()])
        .await?;
    row.map(|row| row.try_get(0)).transpose().map_err(RemoteFault::from)
}

/// What `like` is asked for.
fn pattern(part: &Part) -> String {
    let mut pattern = String::from("%");
    for c in clean(part.lower()).chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

async fn containing(client: &Client, part: &Part) -> Result<Vec<i64>, RemoteFault> {
    let sql = format!("select id from stream where folded like $1 limit {}", MAX_FUZZY_NAMES + 1);
    let rows = client.query(&sql, &[&pattern(part)]).await?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(RemoteFault::from)
}

async fn page(
    client: &Client,
    filter: &Filter,
    below: Cursor,
    from: Cursor,
    wanted: usize,
) -> Result<Found, RemoteFault> {
    let mut found = Found::default();
    let Some(plan) = Plan::of(client, filter).await? else { return Ok(found) };
    let statement = plan.statement(SELECT, JOIN, First::Newest);
    let began = SystemClock.instant();
    let newest = SystemClock.now();
    let (mut top, mut span) = (below, FIRST);
    loop {
        let reaches = Timestamp(top.ended_at.min(newest.millis())).minus(span);
        let bottom = if plan.indexed { from } else { from.max(Cursor::at(reaches)) };
        let missing = wanted.saturating_sub(found.records.len());
        if top < below {
            // The answer is due within the limit of the whole query, or what was found would be lost.
            let left = ENOUGH.saturating_sub(SystemClock.instant().duration_since(began)).as_millis().max(1);
            client.batch_execute(&format!("set statement_timeout = {left}")).await?;
        }
        let rows = match plan.rows(client, &statement, top, bottom, missing).await {
            Ok(rows) => rows,
            // What is found so far is good, and the next page begins where it ends.
            Err(RemoteFault::Slow) if top < below => {
                found.stopped = Some(top);
                return Ok(found);
            }
            Err(fault) => return Err(fault),
        };
        for row in &rows {
            found.records.push(read(row)?);
        }
        if found.records.len() >= wanted || bottom <= from || bottom.ended_at <= 0 {
            return Ok(found);
        }
        top = bottom;
        span = span.saturating_mul(GROWTH);
        if SystemClock.instant().duration_since(began) > PATIENCE {
            found.stopped = Some(top);
            return Ok(found);
        }
    }
}

impl Database {
    /// The records below one position and from another one on, newest first.
    pub fn find(
        &self,
        filter: &Filter,
        below: Cursor,
        from: Cursor,
        wanted: usize,
    ) -> Result<Found, RemoteFault> {
        let filter = filter.clone();
        self.read(LIMIT, move |client| async move { page(&client, &filter, below, from, wanted).await })
    }

    /// The places and ids of the first records of a list, and which of `here` the database does not have.
    pub fn keys(
        &self,
        filter: &Filter,
        first: First,
        below: Cursor,
        from: Cursor,
        enough: usize,
        here: &[PushId],
    ) -> Result<Keys, RemoteFault> {
        let filter = filter.clone();
        let here: Vec<Uuid> = here.iter().copied().map(uuid).collect();
        self.read(LIMIT, move |client| async move {
            client.batch_execute(SNAPSHOT).await?;
            let mut keys = Vec::new();
            if let Some(plan) = Plan::of(&client, &filter).await? {
                let statement = plan.statement("r.ended_at, r.tie, r.id", "", first);
                for row in plan.rows(&client, &statement, below, from, enough).await? {
                    let at = Cursor { ended_at: row.try_get(0)?, tie: row.try_get(1)? };
                    keys.push((at, PushId::from_bytes(row.try_get::<_, Uuid>(2)?.into_bytes())));
                }
            }
            let missing = missing(&client, &here).await?;
            client.batch_execute("commit").await?;
            Ok((keys, missing))
        })
    }

    /// Records by their ids, in any order.
    pub fn records(&self, ids: &[PushId]) -> Result<Vec<Stored>, RemoteFault> {
        let ids: Vec<Uuid> = ids.iter().copied().map(uuid).collect();
        self.read(LIMIT, move |client| async move {
            let sql = format!("select {SELECT} from record r {JOIN} where r.id = any($1)");
            let rows = client.query(&sql, &[&ids]).await?;
            rows.iter().map(|row| Ok(read(row)?.1)).collect()
        })
    }

    /// One record, with its evidence where that is still kept.
    pub fn get(&self, id: PushId) -> Result<Option<WithEvidence>, RemoteFault> {
        let id = uuid(id);
        self.read(LIMIT, move |client| async move {
            let sql = format!("select {SELECT} from record r {JOIN} where r.id = $1");
            let Some(row) = client.query_opt(&sql, &[&id]).await? else { return Ok(None) };
            let evidence = client.query_opt("select body from evidence where id = $1", &[&id]).await?;
            let evidence = evidence.map(|row| row.try_get(0)).transpose()?;
            Ok(Some((read(&row)?.1.record, evidence)))
        })
    }
}
