//! A partition a day: made ahead, and dropped when nothing in it is young enough to be kept.

use std::collections::BTreeSet;

use model::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;

use super::migrate::LOCK;
use crate::layout::Day;
use crate::remote::RemoteFault;

/// Days that have partitions, 2015 to 2099: what lies outside of them is no time, and there are partitions for it.
const DAYS: std::ops::Range<i64> = 16_436..47_482;

/// The day whose partition holds this time; `None` for those at either end.
pub(super) fn day_of(at: Timestamp) -> Option<Day> {
    let day = Day::of(at);
    DAYS.contains(&day.number()).then_some(day)
}

/// Makes the partitions of these days where they are missing.
pub(super) async fn make(client: &Client, days: &BTreeSet<Day>) -> Result<(), RemoteFault> {
    for day in days {
        let there = client
            .query_one(
                "select count(to_regclass('lastframe.' || name || '_' || $1)) = 3 \
                 from unnest(array['record', 'evidence', 'event']) as t (name)",
                &[&day.to_string()],
            )
            .await?;
        if there.try_get::<_, bool>(0)? {
            continue;
        }
        let (first, last) = (bound(*day), bound(Day::of(day.end())));
        let (start, end) = (day.start().millis(), day.end().millis());
        // Attaching is light on those who read meanwhile, unlike making it as a partition.
        let table = |name: &str, from: &str, to: &str| {
            // Each goes on its own when it is old; one of a push that took longer than that may still come.
            // Evidence is read by its id alone: most of it stands in its row, which halves what writing it costs. What
            // is too long for that is compressed first, and most then fits.
            let (with, compressed) = match name {
                "evidence" => ("with (toast_tuple_target = 8160)", compressed(*day)),
                _ => ("", String::new()),
            };
            format!(
                "if to_regclass('lastframe.{name}_{day}') is null then \
                 create table {name}_{day} (like {name} including all excluding identity) {with}; \
                 alter table {name} attach partition {name}_{day} for values from ({from}) to ({to}); {compressed} end if;"
            )
        };
        let sql = format!(
            "begin; select pg_advisory_xact_lock({LOCK}); \
             do $$ begin {} {} {} end $$; commit",
            table("record", &format!("'{first}'"), &format!("'{last}'")),
            table("evidence", &format!("'{first}'"), &format!("'{last}'")),
            table("event", &start.to_string(), &end.to_string()),
        );
        client.batch_execute(&sql).await?;
    }
    Ok(())
}

/// How a partition of evidence keeps what is too long for a row.
fn compressed(day: Day) -> String {
    let column = format!("alter table evidence_{day} alter column body");
    format!(
        "{column} set storage main; begin {column} set compression lz4; \
         exception when feature_not_supported then null; end;"
    )
}

/// The first id of a day.
fn bound(day: Day) -> Uuid {
    let millis = u128::try_from(day.start().millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

/// What is kept: nothing older than these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    pub records: Timestamp,
    pub evidence: Timestamp,
    pub events: Timestamp,
}

/// Drops partitions in which everything is older than what is kept. Gives the number of those that went.
pub(super) async fn drop_old(client: &Client, keep: Keep) -> Result<u64, RemoteFault> {
    let rows = client
        .query(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on \
             p.oid = i.inhparent join pg_namespace n on n.oid = p.relnamespace where n.nspname = 'lastframe' and \
             p.relname in ('record', 'evidence', 'event') order by 1",
            &[],
        )
        .await?;
    let mut dropped = 0;
    for row in rows {
        let name: String = row.try_get(0)?;
        let Some((parent, day)) = name.split_once('_') else { continue };
        let Some(day) = Day::parse(day) else { continue };
        let (oldest, young) = match parent {
            // A push ends when it began, or later.
            "record" => {
                (keep.records, format!("select 1 from {name} where ended_at >= {}", keep.records.millis()))
            }
            // Evidence is as old as its record.
            "evidence" => (
                keep.evidence,
                format!(
                    "select 1 from record r join {name} e on e.id = r.id where r.id >= '{}' and r.id < '{}' and \
                     r.ended_at >= {}",
                    bound(day),
                    bound(Day::of(day.end())),
                    keep.evidence.millis()
                ),
            ),
            _ => (keep.events, "select 1 where false".to_owned()),
        };
        if day.end() > oldest {
            continue;
        }
        // Nobody ships into it between the look and the drop; whoever tries then finds no partition, and makes it anew.
        let sql = format!(
            "begin; select pg_advisory_xact_lock({LOCK}); do $$ begin \
             if to_regclass('lastframe.{name}') is null then return; end if; \
             lock table {name} in access exclusive mode; \
             if not exists ({young}) then drop table {name}; end if; end $$; commit"
        );
        client.batch_execute(&sql).await?;
        let there = client.query_one("select to_regclass('lastframe.' || $1) is null", &[&name]).await?;
        dropped += u64::from(there.try_get::<_, bool>(0)?);
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use model::PushId;

    use super::*;

    #[test]
    fn a_push_lies_between_the_bounds_of_its_day() {
        let at = Timestamp::parse("2026-11-23T23:59:59.999Z").unwrap();
        let day = day_of(at).unwrap();
        for low in [0, u128::MAX] {
            let id = Uuid::from_bytes(*PushId::from_parts(at, low).as_bytes());
            assert!(bound(day) <= id && id < bound(Day::of(day.end())), "{id}");
        }
    }

    #[test]
    fn a_time_that_is_none_has_no_partition_of_its_own() {
        for at in [0, -1, i64::MAX] {
            assert_eq!(day_of(Timestamp(at)), None);
        }
    }
}
