//! Pages and lists out of the database, and single records.

use std::time::Duration;

use model::PushId;
use uuid::Uuid;

use super::columns::{JOIN, SELECT, read};
use super::count::{SNAPSHOT, missing};
use super::link::Database;
use super::plan::Plan;
use super::put::uuid;
use super::scan::{Rows, Search};
use crate::columns::Stored;
use crate::reader::filter::Filter;
use crate::reader::query::Cursor;
use crate::reader::source::First;
use crate::reader::{Found, WithEvidence};
use crate::remote::RemoteFault;

/// How long a query may take before this node's own records are shown instead.
pub(super) const LIMIT: Duration = Duration::from_secs(3);

/// Places and ids, and ids that are missing.
type Keys = (Vec<(Cursor, PushId)>, Vec<PushId>);

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
        self.read(LIMIT, move |client| async move {
            let Some(plan) = Plan::of(&client, &filter).await? else { return Ok(Found::default()) };
            let first = First::Newest;
            let search = Search { client: &client, plan: &plan, select: SELECT, join: true, first, wanted };
            let Rows { rows, stopped } = search.run(below, from).await?;
            Ok(Found { records: rows.iter().map(read).collect::<Result<_, _>>()?, stopped })
        })
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
                let select = "r.ended_at, r.tie, r.id";
                let search =
                    Search { client: &client, plan: &plan, select, join: false, first, wanted: enough };
                for row in search.run(below, from).await?.rows {
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
