//! The audit log: every change of the catalog and every order to a stream.

use model::Timestamp;
use model::catalog::AccountId;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params, params_from_iter};
use serde::Serialize;

use super::CatalogStore;
use crate::columns::counter;
use crate::error::StoreError;
use crate::limits::{MAX_AUDIT, MAX_PAGE};
use crate::schema::JOURNAL;

/// Who did what to which thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The API key's id, or the user's name.
    pub who: String,
    /// The way: `api`, `css_api`, `console`, `configuration`.
    pub via: String,
    /// The client's address.
    pub origin: Option<String>,
    /// Whose thing it is; `None` for nobody's.
    pub account: Option<AccountId>,
    /// What was done: `put_domain`, `forbid`, `drop`, ...
    pub action: String,
    /// Name or id of the thing.
    pub target: String,
    /// What changed; without secrets.
    pub what: serde_json::Value,
}

/// An entry as it is read back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRow {
    /// Its number; later entries have higher ones.
    pub id: u64,
    /// The entry.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditQuery {
    /// Those about this account's things; `None` for all.
    pub account: Option<AccountId>,
    /// By this user or key.
    pub who: Option<String>,
    /// This action.
    pub action: Option<String>,
    /// With this in the name of the thing.
    pub target: Option<String>,
    /// Only those with a lower number.
    pub below: Option<u64>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// Keeps an entry; the oldest ones go where there are too many.
pub(super) fn keep(tx: &Transaction<'_>, entry: &AuditEntry) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "insert into audit (at, who, via, origin, account, action, target, what) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        entry.at.millis(),
        entry.who,
        entry.via,
        entry.origin,
        entry.account.map(u64::cast_signed),
        entry.action,
        entry.target,
        entry.what.to_string(),
    ])?;
    tx.prepare_cached("delete from audit where id <= ?1")?
        .execute([tx.last_insert_rowid().saturating_sub(MAX_AUDIT)])
        .map(drop)
}

impl CatalogStore {
    /// The audit log, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn audit_log(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let path = self.path();
        read(&JOURNAL.open_read_only(&path)?, query).map_err(StoreError::db(&path))
    }
}

fn read(db: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<AuditRow>> {
    let below = query.below.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX));
    let mut filter = String::new();
    let limit = i64::try_from(query.limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
    let mut values = vec![Value::Integer(below), Value::Integer(limit)];
    let mut also = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            filter.push_str(&format!(" and {}", condition.replace('?', &format!("?{}", values.len()))));
        }
    };
    // Only conditions that are wanted are written, so that those on the account have their index.
    also("account = ?", query.account.map(|id| Value::Integer(id.cast_signed())));
    also("who = ?", query.who.clone().map(Value::Text));
    also("action = ?", query.action.clone().map(Value::Text));
    also("instr(target, ?) > 0", query.target.clone().map(Value::Text));
    let sql = format!(
        "select id, at, who, via, origin, account, action, target, what from audit where id < ?1{filter} \
         order by id desc limit ?2"
    );
    db.prepare(&sql)?.query_map(params_from_iter(values), row)?.collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let what: String = row.get(8)?;
    Ok(AuditRow {
        id: counter(row.get(0)?),
        entry: AuditEntry {
            at: Timestamp(row.get(1)?),
            who: row.get(2)?,
            via: row.get(3)?,
            origin: row.get(4)?,
            account: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
            action: row.get(6)?,
            target: row.get(7)?,
            what: serde_json::from_str(&what).unwrap_or_default(),
        },
    })
}
