//! The catalog on disk: accounts, domains, API keys, forbidden streams, the console's users, settings.
//!
//! Reading goes through a read-only connection, changing through the journal's one writer. Each change of the catalog
//! raises its version, and is durable when the call returns. All calls block; async callers use `spawn_blocking`.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use model::catalog::{Account, AccountId, ApiKey, Domain, Forbidden};
use model::{Catalog, StreamKey};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params_from_iter};
use serde_json::{from_str, to_string};

mod audit;
mod callbacks;
mod shares;
mod users;
mod views;

pub use audit::{AuditEntry, AuditQuery, AuditRow};
pub(crate) use callbacks::{any_rules, template_for};
pub use shares::Share;
pub use users::User;
pub use views::SavedView;

use crate::error::StoreError;
use crate::journal::Shared;
use crate::journal::queue::Op;
use crate::layout;
use crate::schema::JOURNAL;

/// One change: a statement, whether it changes what admission sees, and who is to be remembered for it.
pub(crate) struct Change {
    sql: Option<&'static str>,
    params: Vec<Value>,
    versioned: bool,
    audit: Option<Arc<AuditEntry>>,
}

impl Change {
    /// Applies the change; gives the number of rows it touched.
    pub fn apply(&self, tx: &Transaction<'_>) -> rusqlite::Result<u64> {
        let rows = match self.sql {
            Some(sql) => tx.prepare_cached(sql)?.execute(params_from_iter(&self.params))?,
            None => 1,
        };
        if let Some(entry) = self.audit.as_deref().filter(|_| rows > 0) {
            audit::keep(tx, entry)?;
        }
        if self.versioned {
            tx.prepare_cached("update setting set value = value + 1 where key = 'catalog_version'")?
                .execute([])?;
        }
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }
}

/// The catalog on disk. Cheap to clone.
#[derive(Clone)]
pub struct CatalogStore {
    shared: Arc<Shared>,
    audit: Option<Arc<AuditEntry>>,
}

impl CatalogStore {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, audit: None }
    }

    /// The same catalog; each change made through it is entered into the audit log, in one transaction with it.
    #[must_use]
    pub fn audited(&self, entry: AuditEntry) -> Self {
        Self { shared: Arc::clone(&self.shared), audit: Some(Arc::new(entry)) }
    }

    /// Enters something into the audit log that changes nothing in the catalog (a stream was dropped). Does not wait:
    /// where the disk does not take it, it is lost.
    pub fn note(&self, entry: AuditEntry) {
        let change = Change { sql: None, params: Vec::new(), versioned: false, audit: Some(Arc::new(entry)) };
        let (answer, _) = mpsc::sync_channel(1);
        if !self.shared.queue.push(Op::Catalog { change: Box::new(change), answer }) {
            tracing::warn!("an order came too late for the audit log");
        }
    }

    fn path(&self) -> PathBuf {
        layout::journal_file(&self.shared.config.dir)
    }

    fn change(&self, sql: &'static str, params: Vec<Value>, versioned: bool) -> Result<u64, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let change = Box::new(Change { sql: Some(sql), params, versioned, audit: self.audit.clone() });
        if !self.shared.queue.push(Op::Catalog { change, answer }) {
            return Err(StoreError::Closed);
        }
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// Everything admission needs, as one snapshot.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read (18/100 for pushes) or an entry is broken.
    pub fn load(&self) -> Result<Catalog, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        // One transaction, so that version and content belong together.
        let tx = db.unchecked_transaction().map_err(StoreError::db(&path))?;
        let rows = |sql: &str| bodies(&tx, sql).map_err(StoreError::db(&path));
        let mut catalog = Catalog::default();
        for (key, body) in rows("select id, body from account")? {
            let account: Account = from_str(&body).map_err(broken("account", key))?;
            catalog.accounts.insert(account.id, account);
        }
        for (key, body) in rows("select name, body from domain")? {
            let domain: Domain = from_str(&body).map_err(broken("domain", key))?;
            catalog.domains.insert(domain.name.clone(), domain);
        }
        for (key, body) in rows("select id, body from api_key")? {
            let api_key: ApiKey = from_str(&body).map_err(broken("API key", key))?;
            catalog.api_keys.insert(api_key.id.clone(), api_key);
        }
        for (key, body) in rows("select domain || '/' || app || '/' || stream, body from forbidden")? {
            let forbidden: Forbidden = from_str(&body).map_err(broken("forbidden stream", key))?;
            catalog.forbidden.insert(forbidden.key.clone(), forbidden);
        }
        callbacks::load(&tx, &path, &mut catalog)?;
        let version: Option<String> = setting(&tx, "catalog_version").map_err(StoreError::db(&path))?;
        catalog.version = version.and_then(|v| v.parse().ok()).unwrap_or(0);
        Ok(catalog)
    }

    /// Adds an account, or replaces the one of that number.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the disk does not take it: nothing changed then. The same for all changes below.
    pub fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let body = to_string(account).map_err(broken("account", account.id.to_string()))?;
        let params = vec![Value::Integer(account.id.cast_signed()), body.into()];
        self.change("insert or replace into account (id, body) values (?1, ?2)", params, true).map(drop)
    }

    /// Deletes an account; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_account(&self, id: AccountId) -> Result<bool, StoreError> {
        let params = vec![Value::Integer(id.cast_signed())];
        self.change("delete from account where id = ?1", params, true).map(|n| n > 0)
    }

    /// Adds a domain, or replaces the one of that name. The name is kept in lower case.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_domain(&self, domain: &Domain) -> Result<(), StoreError> {
        let domain = Domain { name: domain.name.to_ascii_lowercase(), ..domain.clone() };
        let body = to_string(&domain).map_err(broken("domain", domain.name.clone()))?;
        let params = vec![domain.name.into(), body.into()];
        self.change("insert or replace into domain (name, body) values (?1, ?2)", params, true).map(drop)
    }

    /// Deletes a domain; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_domain(&self, name: &str) -> Result<bool, StoreError> {
        let params = vec![name.to_ascii_lowercase().into()];
        self.change("delete from domain where name = ?1", params, true).map(|n| n > 0)
    }

    /// Adds an API key, or replaces the one of that id.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let body = to_string(key).map_err(broken("API key", key.id.clone()))?;
        let params = vec![key.id.clone().into(), body.into()];
        self.change("insert or replace into api_key (id, body) values (?1, ?2)", params, true).map(drop)
    }

    /// Deletes an API key; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_api_key(&self, id: &str) -> Result<bool, StoreError> {
        let params = vec![id.to_owned().into()];
        self.change("delete from api_key where id = ?1", params, true).map(|n| n > 0)
    }

    /// Forbids a stream until a time (18/305).
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn forbid(&self, forbidden: &Forbidden) -> Result<(), StoreError> {
        let body = to_string(forbidden).map_err(broken("forbidden stream", forbidden.key.to_string()))?;
        let mut params = key_params(&forbidden.key);
        params.push(body.into());
        let sql = "insert or replace into forbidden (domain, app, stream, body) values (?1, ?2, ?3, ?4)";
        self.change(sql, params, true).map(drop)
    }

    /// Lets a stream be pushed again; false if it was not forbidden.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn resume(&self, key: &StreamKey) -> Result<bool, StoreError> {
        let sql = "delete from forbidden where domain = ?1 and app = ?2 and stream = ?3";
        self.change(sql, key_params(key), true).map(|n| n > 0)
    }

    /// A setting by its name.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let path = self.path();
        setting(&JOURNAL.open_read_only(&path)?, key).map_err(StoreError::db(&path))
    }

    /// Keeps a setting.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let params = vec![key.to_owned().into(), value.to_owned().into()];
        self.change("insert or replace into setting (key, value) values (?1, ?2)", params, false).map(drop)
    }

    /// Forgets a setting; false if it was not there.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_setting(&self, key: &str) -> Result<bool, StoreError> {
        self.change("delete from setting where key = ?1", vec![key.to_owned().into()], false).map(|n| n > 0)
    }
}

fn bodies(db: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let text = |value: Value| match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        _ => String::new(),
    };
    db.prepare(sql)?.query_map([], |row| Ok((text(row.get(0)?), row.get(1)?)))?.collect()
}

fn setting(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("select value from setting where key = ?1", [key], |row| row.get(0)).optional()
}

fn key_params(key: &StreamKey) -> Vec<Value> {
    vec![key.domain.clone().into(), key.app.clone().into(), key.stream.clone().into()]
}

fn broken(what: &'static str, key: String) -> impl FnOnce(serde_json::Error) -> StoreError {
    move |source| StoreError::Catalog { what, key, source }
}
