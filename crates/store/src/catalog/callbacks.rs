//! Callback templates and rules.

use std::path::Path;

use model::Catalog;
use model::catalog::{CallbackKind, CallbackRule, CallbackTemplate, TemplateId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{from_str, to_string};

use super::{CatalogStore, bodies, broken};
use crate::error::StoreError;

impl CatalogStore {
    /// Adds a callback template, or replaces the one of that number.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_callback_template(&self, template: &CallbackTemplate) -> Result<(), StoreError> {
        let body = to_string(template).map_err(broken("callback template", template.id.to_string()))?;
        let sends = |kind| Value::Integer(i64::from(template.urls.of(kind).is_some()));
        let params = vec![
            Value::Integer(template.id.into()),
            sends(CallbackKind::Begin),
            sends(CallbackKind::End),
            sends(CallbackKind::Exception),
            body.into(),
        ];
        let sql = "insert or replace into callback_template (id, begins, ends, exceptions, body) \
                   values (?1, ?2, ?3, ?4, ?5)";
        self.change(sql, params, true).map(drop)
    }

    /// Deletes a callback template; false if there was none. Its events that wait are given up.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_callback_template(&self, id: TemplateId) -> Result<bool, StoreError> {
        let params = vec![Value::Integer(id.into())];
        self.change("delete from callback_template where id = ?1", params, true).map(|n| n > 0)
    }

    /// Adds a callback rule, or replaces the one of that domain and app. The domain is kept in lower case.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_callback_rule(&self, rule: &CallbackRule) -> Result<(), StoreError> {
        let rule = CallbackRule { domain: rule.domain.to_ascii_lowercase(), ..rule.clone() };
        let body = to_string(&rule).map_err(broken("callback rule", rule.domain.clone()))?;
        let template = Value::Integer(rule.template.into());
        let params = vec![rule.domain.into(), rule.app.into(), template, body.into()];
        let sql =
            "insert or replace into callback_rule (domain, app, template, body) values (?1, ?2, ?3, ?4)";
        self.change(sql, params, true).map(drop)
    }

    /// Deletes a callback rule; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_callback_rule(&self, domain: &str, app: &str) -> Result<bool, StoreError> {
        let params = vec![domain.to_ascii_lowercase().into(), app.to_owned().into()];
        self.change("delete from callback_rule where domain = ?1 and app = ?2", params, true).map(|n| n > 0)
    }
}

/// Reads templates and rules into a catalog.
pub(super) fn load(db: &Connection, path: &Path, catalog: &mut Catalog) -> Result<(), StoreError> {
    let rows = |sql: &str| bodies(db, sql).map_err(StoreError::db(path));
    for (key, body) in rows("select id, body from callback_template")? {
        let template: CallbackTemplate = from_str(&body).map_err(broken("callback template", key))?;
        catalog.callback_templates.insert(template.id, template);
    }
    for (key, body) in rows("select domain || '/' || app, body from callback_rule")? {
        let rule: CallbackRule = from_str(&body).map_err(broken("callback rule", key))?;
        catalog.callback_rules.insert((rule.domain.clone(), rule.app.clone()), rule);
    }
    Ok(())
}

/// Whether there is a callback rule at all.
pub(crate) fn any_rules(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("select exists (select 1 from callback_rule)")?.query_row([], |row| row.get(0))
}

/// The template that events of a kind on a domain and app go to; `None` where nobody is told.
pub(crate) fn template_for(
    db: &Connection,
    kind: CallbackKind,
    domain: &str,
    app: &str,
) -> rusqlite::Result<Option<TemplateId>> {
    // An app's own rule hides that of every app, also where its template tells nothing of this kind.
    let mut find = db.prepare_cached(
        "select t.id, t.begins, t.ends, t.exceptions from callback_rule r join callback_template t on t.id = r.template \
         where r.domain = ?1 and r.app = ?2",
    )?;
    let sends = match kind {
        CallbackKind::Begin => 1,
        CallbackKind::End => 2,
        CallbackKind::Exception => 3,
    };
    for app in [app, "*"] {
        let found: Option<(TemplateId, bool)> =
            find.query_row([domain, app], |row| Ok((row.get(0)?, row.get(sends)?))).optional()?;
        if let Some((id, sends)) = found {
            return Ok(sends.then_some(id));
        }
    }
    Ok(None)
}
