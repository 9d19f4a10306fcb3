//! Which ends of pushes were told by another node than the push's own.

use std::time::Duration;

use model::{PushId, Timestamp};
use tokio_postgres::Client;
use uuid::Uuid;

use super::link::Database;
use super::put::uuid;
use crate::remote::RemoteFault;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);

impl Database {
    /// Notes that a node tells the ends of these pushes.
    pub fn put_told(&self, node: Uuid, pushes: &[PushId], at: Timestamp) -> Result<(), RemoteFault> {
        let pushes: Vec<Uuid> = pushes.iter().copied().map(uuid).collect();
        self.ask(LIMIT, move |client| async move {
            let sql = "insert into told (push, node, at) select p, $2, $3 from unnest($1::uuid[]) p order by p \
                       on conflict (push) do update set node = excluded.node, at = excluded.at";
            client.execute(sql, &[&pushes, &node, &at.millis()]).await?;
            Ok(())
        })
    }

    /// Of these pushes, those whose ends another node than this one tells.
    pub fn told_by_others(&self, node: Uuid, pushes: &[PushId]) -> Result<Vec<PushId>, RemoteFault> {
        let pushes: Vec<Uuid> = pushes.iter().copied().map(uuid).collect();
        self.ask(LIMIT, move |client| async move {
            let sql = "select push from told where push = any($1) and node <> $2";
            let rows = client.query(sql, &[&pushes, &node]).await?;
            rows.iter().map(|row| Ok(PushId::from_bytes(row.try_get::<_, Uuid>(0)?.into_bytes()))).collect()
        })
    }
}

/// Lets go of what is too old for anybody to ask about. Gives the number of rows that went.
pub(super) async fn sweep(client: &Client, before: Timestamp) -> Result<u64, RemoteFault> {
    Ok(client.execute("delete from told where at < $1", &[&before.millis()]).await?)
}
