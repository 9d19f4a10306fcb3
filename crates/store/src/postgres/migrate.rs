//! The schema and its versions: numbered steps, forward only, each in one transaction, under a lock that all nodes know.

use tokio_postgres::{Client, GenericClient};

use crate::remote::RemoteFault;

/// Step 1 makes version 1.
const STEPS: &[&str] = &[
    include_str!("../schema/postgres-1.sql"),
    include_str!("../schema/postgres-2.sql"),
    include_str!("../schema/postgres-3.sql"),
];
/// The advisory lock under which nodes migrate, and make and drop partitions, one after the other: "lastfram" in ASCII.
pub(super) const LOCK: i64 = 0x6c61_7374_6672_616d;

fn newest() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Brings the schema up to date.
pub(super) async fn migrate(client: &mut Client) -> Result<(), RemoteFault> {
    // Whoever comes while another node migrates waits for it.
    client.batch_execute("set lock_timeout = 0").await?;
    for step in 1.. {
        let tx = client.transaction().await?;
        tx.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        let found = version(&tx).await?;
        if found > newest() {
            return Err(RemoteFault::Newer { found, known: newest() });
        }
        let Some(sql) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) else { break };
        if found == 0 {
            tx.batch_execute(
                "create schema if not exists lastframe; \
                 create table migration (number integer primary key, applied_at timestamptz not null default now())",
            )
            .await?;
        }
        tx.batch_execute(sql).await?;
        tx.execute("insert into migration (number) values ($1)", &[&(found + 1)]).await?;
        tx.commit().await?;
        tracing::info!(version = found + 1, step, "the schema of the database of all nodes was migrated");
    }
    Ok(())
}

/// Readers and shippers work on the newest version only.
pub(super) async fn require_newest(client: &Client) -> Result<(), RemoteFault> {
    let found = version(client).await?;
    match found.cmp(&newest()) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(RemoteFault::Older { found, known: newest() }),
        std::cmp::Ordering::Greater => Err(RemoteFault::Newer { found, known: newest() }),
    }
}

async fn version(client: &impl GenericClient) -> Result<i32, RemoteFault> {
    let there = client.query_one("select to_regclass('lastframe.migration') is not null", &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let newest = client.query_one("select coalesce(max(number), 0) from migration", &[]).await?;
    Ok(newest.try_get(0)?)
}
