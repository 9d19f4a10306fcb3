//! The conditions of a query as SQL, with its names become numbers, and which of them an index can answer.

use model::Code;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::put::clean;
use crate::limits::MAX_FUZZY_NAMES;
use crate::reader::filter::{Filter, Part, StreamName};
use crate::reader::query::Cursor;
use crate::remote::RemoteFault;

/// Values that are looked up one by one, each in the order of the list; more of them are looked up all at once.
const EACH: usize = 16;

type Param = Box<dyn ToSql + Sync + Send>;

/// How records that satisfy a condition can be come by.
pub(super) enum By {
    /// In the order of the list, from an index that ends in it.
    Index,
    /// In that order for each of some values: the values as rows `v`, and the condition on one of them.
    Values { rows: String, each: &'static str, few: bool },
    /// From an index, in any order; `timed` where it holds the time too, behind each value.
    Heap { timed: bool },
    /// Only by looking at records.
    Looking,
}

/// One condition on `record r`.
pub(super) struct Condition {
    pub sql: String,
    pub by: By,
}

/// A query whose names have become numbers.
#[derive(Default)]
pub(super) struct Plan {
    pub conditions: Vec<Condition>,
    /// With the names of their types.
    params: Vec<(Param, &'static str)>,
}

impl Plan {
    fn param(&mut self, value: impl ToSql + Sync + Send + 'static, of: &'static str) -> String {
        self.params.push((Box::new(value), of));
        format!("${}", self.params.len())
    }

    fn add(&mut self, sql: String, by: By) {
        self.conditions.push(Condition { sql, by });
    }

    /// `None` when a name does not occur at all.
    pub async fn of(client: &Client, filter: &Filter) -> Result<Option<Self>, RemoteFault> {
        let mut plan = Self::default();
        for (table, name, by) in [("domain", &filter.domain, By::Index), ("app", &filter.app, By::Looking)] {
            let Some(name) = name else { continue };
            let Some(id) = number(client, table, name).await? else { return Ok(None) };
            plan.add(format!("r.{table}_id = {id}"), by);
        }
        match &filter.stream {
            None => {}
            Some(StreamName::Is(name)) => {
                let Some(id) = number(client, "stream", name).await? else { return Ok(None) };
                plan.add(format!("r.stream_id = {id}"), By::Index);
            }
            Some(StreamName::Contains(part)) => match containing(client, part).await?.as_slice() {
                [] => return Ok(None),
                ids if ids.len() <= MAX_FUZZY_NAMES => plan.streams(ids),
                // So many names match that each record's name is looked at instead, which finds a page soon.
                _ => {
                    let pattern = plan.param(pattern(part), "text");
                    let sql =
                        format!("(select s.folded like {pattern} from stream s where s.id = r.stream_id)");
                    plan.add(sql, By::Looking);
                }
            },
        }
        if let Some(account) = filter.account {
            plan.add(format!("r.account = {account}"), By::Index);
        }
        if let Some(network) = &filter.ip {
            let first = plan.param(network.network(), "inet");
            if network.prefix_len() == network.max_prefix_len() {
                plan.add(format!("r.client_ip = {first}"), By::Index);
            } else {
                let last = plan.param(network.broadcast(), "inet");
                let sql = format!("r.client_ip >= {first} and r.client_ip <= {last}");
                plan.add(sql, By::Heap { timed: false });
            }
        }
        plan.codes(&filter.codes);
        if let Some(side) = &filter.side {
            let side = plan.param(clean(side).into_owned(), "text");
            plan.add(format!("r.side = {side}"), By::Looking);
        }
        if filter.published {
            plan.add("r.published_at is not null".to_owned(), By::Looking);
        }
        Ok(Some(plan))
    }

    fn streams(&mut self, ids: &[i64]) {
        if let [id] = ids {
            return self.add(format!("r.stream_id = {id}"), By::Index);
        }
        let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let list = format!("array[{}]::bigint[]", list.join(", "));
        let by = match ids.len() <= EACH {
            true => {
                By::Values { rows: format!("unnest({list}) v (id)"), each: "r.stream_id = v.id", few: true }
            }
            false => By::Heap { timed: true },
        };
        self.add(format!("r.stream_id = any({list})"), by);
    }

    fn codes(&mut self, codes: &[Code]) {
        match codes {
            [] => {}
            [code] => {
                let sql = format!("r.errcode = {} and r.sub_errcode = {}", code.errcode, code.sub_errcode);
                self.add(sql, By::Index);
            }
            codes => {
                let pairs: Vec<String> =
                    codes.iter().map(|code| format!("({}, {})", code.errcode, code.sub_errcode)).collect();
                let pairs = pairs.join(", ");
                let by = By::Values {
                    rows: format!("(values {pairs}) v (e, s)"),
                    each: "r.errcode = v.e and r.sub_errcode = v.s",
                    few: codes.len() <= EACH,
                };
                self.add(format!("(r.errcode, r.sub_errcode) in ({pairs})"), by);
            }
        }
    }

    /// All conditions but one, joined.
    pub fn but(&self, left_out: Option<usize>) -> String {
        let rest: Vec<&str> = self
            .conditions
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != left_out)
            .map(|(_, condition)| condition.sql.as_str())
            .collect();
        match rest.is_empty() {
            true => "true".to_owned(),
            false => rest.join(" and "),
        }
    }

    /// The condition on the place of `r`: its parameters come behind those of the conditions.
    pub fn place(&self) -> String {
        let n = self.params.len();
        format!(
            "(r.ended_at, r.tie) < (${}, ${}) and (r.ended_at, r.tie) >= (${}, ${})",
            n + 1,
            n + 2,
            n + 3,
            n + 4
        )
    }

    /// A condition that always holds and has all parameters in it, for statements that need few of them.
    pub fn mentioned(&self) -> String {
        let places = [(); 4].map(|()| "bigint");
        let types = self.params.iter().map(|(_, of)| *of).chain(places).enumerate();
        let all: Vec<String> = types.map(|(index, of)| format!("${}::{of}", index + 1)).collect();
        format!("(row({}) is null) in (true, false)", all.join(", "))
    }

    /// Asks below one place, and from another one on.
    pub async fn ask(
        &self,
        client: &Client,
        statement: &str,
        below: Cursor,
        from: Cursor,
    ) -> Result<Vec<tokio_postgres::Row>, RemoteFault> {
        let mut params: Vec<&(dyn ToSql + Sync)> =
            self.params.iter().map(|(param, _)| &**param as &(dyn ToSql + Sync)).collect();
        let place: [&(dyn ToSql + Sync); 4] = [&below.ended_at, &below.tie, &from.ended_at, &from.tie];
        params.extend(place);
        Ok(client.query(statement, &params).await?)
    }
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
