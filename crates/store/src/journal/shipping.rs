//! What the database of all nodes does not have yet, as the journal keeps it; see journal-4.sql.

use model::PushId;
use model::catalog::CallbackKind;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::layout::Day;

/// What became of records that were to be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only made where there is a shipper"))]
pub(crate) enum Shipped {
    /// The database has these rows of `unshipped`.
    Rows(Vec<i64>),
    /// The database will not take these; they are left alone until the next start.
    Stuck(Vec<i64>),
    /// Of a record file from before shipping began, only rows below the key are left; `None`: none.
    File { day: Day, below: Option<i64> },
    /// Other nodes have told the ends of these pushes, which earlier runs have left in the outbox, up to this row of it.
    Told { pushes: Vec<PushId>, to: i64 },
    /// The database answered and said who it is. Where it is another one than before, all is shipped again: what the
    /// journal holds, and the record files of these days.
    Database { id: String, days: Vec<Day> },
}

/// At the start of a run: shipping is on, from these days' record files onwards if it was not before; or it is off.
pub(crate) fn begin(tx: &Transaction<'_>, on: bool, days: &[Day]) -> rusqlite::Result<()> {
    if !on {
        return tx.execute_batch("delete from shipping; delete from unshipped; delete from backfill");
    }
    tx.execute("update unshipped set stuck = 0 where stuck = 1", [])?;
    match tx.execute("insert or ignore into shipping (one, database) values (1, null)", [])? {
        0 => Ok(()),
        _ => everything(tx, days),
    }
}

fn everything(tx: &Transaction<'_>, days: &[Day]) -> rusqlite::Result<()> {
    tx.execute(
        "insert or ignore into unshipped (id, ended_at) select id, ended_at from ended order by seq",
        [],
    )?;
    let mut file = tx.prepare_cached("insert or replace into backfill (day, below) values (?1, ?2)")?;
    days.iter().try_for_each(|day| file.execute(params![day.number(), i64::MAX]).map(drop))
}

pub(crate) fn apply(tx: &Transaction<'_>, shipped: &Shipped) -> rusqlite::Result<()> {
    match shipped {
        Shipped::Rows(seqs) => {
            let mut delete = tx.prepare_cached("delete from unshipped where seq = ?1")?;
            seqs.iter().try_for_each(|seq| delete.execute([seq]).map(drop))
        }
        Shipped::Stuck(seqs) => {
            let mut mark = tx.prepare_cached("update unshipped set stuck = 1 where seq = ?1")?;
            seqs.iter().try_for_each(|seq| mark.execute([seq]).map(drop))
        }
        Shipped::File { day, below: Some(below) } => tx
            .prepare_cached("update backfill set below = ?2 where day = ?1")?
            .execute(params![day.number(), below])
            .map(drop),
        Shipped::File { day, below: None } => {
            tx.prepare_cached("delete from backfill where day = ?1")?.execute([day.number()]).map(drop)
        }
        Shipped::Told { pushes, to } => {
            let mut delete = tx.prepare_cached(
                "delete from outbox where push = ?1 and event_type in (?2, ?3) and seq <= ?4",
            )?;
            let (begin, end) = (CallbackKind::Begin.event_type(), CallbackKind::End.event_type());
            // A beginning that is told after the end would be taken for another one.
            pushes
                .iter()
                .try_for_each(|push| delete.execute(params![push.as_bytes(), begin, end, to]).map(drop))
        }
        Shipped::Database { id, days } => {
            let known: Option<Option<String>> =
                tx.query_row("select database from shipping", [], |row| row.get(0)).optional()?;
            tx.execute("update shipping set database = ?1", [id])?;
            match known.flatten() {
                Some(known) if known != *id => everything(tx, days),
                _ => Ok(()),
            }
        }
    }
}
