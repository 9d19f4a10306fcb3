//! Counts and summaries.

use std::collections::BTreeMap;

use model::{Code, PushId, Timestamp};
use tokio_postgres::Client;
use uuid::Uuid;

use super::find::LIMIT;
use super::link::Database;
use super::put::uuid;
use crate::columns::counter;
use crate::reader::summary::{Counted, MAX_STREAMS_OF_DAY, SummaryQuery};
use crate::remote::RemoteFault;

/// What begins a look at one state of the database.
pub(super) const SNAPSHOT: &str = "begin isolation level repeatable read read only";

const COUNTS: &str = "select ended_at / $2 * $2, errcode, sub_errcode, count(*) from record where ended_at >= $1 \
    and ($3::bigint is null or account = $3) group by 1, 2, 3";

const STREAMS: &str = "select d.text, a.text, s.text, n, last from (select domain_id, app_id, stream_id, count(*) as n, \
    max(ended_at) as last from record where ended_at >= $1 and errcode not in (18, 19) and stream_id is not null \
    and ($3::bigint is null or account = $3) group by 1, 2, 3 order by n desc limit $2) r join domain d on d.id = domain_id join app a on a.id = app_id \
    join stream s on s.id = stream_id";

/// Looks each id up in its partition; a join would read all of them.
const MISSING: &str =
    "select u.id from unnest($1::uuid[]) u (id) where (select count(*) from record r where r.id = u.id) = 0";

impl Database {
    /// How many records ended at a time or later, and which of `here` the database does not have.
    pub fn count_since(&self, since: Timestamp, here: &[PushId]) -> Result<(u64, Vec<PushId>), RemoteFault> {
        let here: Vec<Uuid> = here.iter().copied().map(uuid).collect();
        self.read(LIMIT, move |client| async move {
            client.batch_execute(SNAPSHOT).await?;
            let count = client
                .query_one("select count(*) from record where ended_at >= $1", &[&since.millis()])
                .await?;
            let missing = missing(&client, &here).await?;
            client.batch_execute("commit").await?;
            Ok((counter(count.try_get(0)?), missing))
        })
    }

    /// The ends by cause and bucket, the streams that ended most, and which of `here` are not in it.
    pub fn summary(
        &self,
        query: SummaryQuery,
        here: &[PushId],
    ) -> Result<(Counted, Vec<PushId>), RemoteFault> {
        let here: Vec<Uuid> = here.iter().copied().map(uuid).collect();
        let (since, account) = (query.since.millis(), query.account.map(u64::cast_signed));
        self.read(LIMIT, move |client| async move {
            client.batch_execute(SNAPSHOT).await?;
            let mut counted = Counted { counts: BTreeMap::new(), streams: Default::default() };
            for row in client.query(COUNTS, &[&since, &query.bucket_ms(), &account]).await? {
                let code =
                    |index: usize| row.try_get::<_, i32>(index).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
                let key = (Timestamp(row.try_get(0)?), Code::new(code(1)?, code(2)?));
                counted.counts.insert(key, counter(row.try_get(3)?));
            }
            for row in client.query(STREAMS, &[&since, &MAX_STREAMS_OF_DAY, &account]).await? {
                let key = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                counted.streams.insert(key, (counter(row.try_get(3)?), Timestamp(row.try_get(4)?)));
            }
            let missing = missing(&client, &here).await?;
            client.batch_execute("commit").await?;
            Ok((counted, missing))
        })
    }
}

/// Which of these the database does not have.
pub(super) async fn missing(client: &Client, here: &Vec<Uuid>) -> Result<Vec<PushId>, RemoteFault> {
    let rows = client.query(MISSING, &[here]).await?;
    rows.iter().map(|row| Ok(PushId::from_bytes(row.try_get::<_, Uuid>(0)?.into_bytes()))).collect()
}
