//! The console's users. What must not happen to the last administrator is held by the statements themselves, so that two
//! changes at once cannot do it either.

use model::catalog::Role;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};

use super::CatalogStore;
use crate::error::StoreError;
use crate::schema::JOURNAL;

/// Somebody who may sign in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// PHC string of the password's hash.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
}

impl CatalogStore {
    /// Adds somebody who may sign in, or replaces the one of that name.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_user(&self, name: &str, password_hash: &str, role: Role) -> Result<(), StoreError> {
        let sql = "insert or replace into user (name, password_hash, role) values (?1, ?2, ?3)";
        self.change(sql, texts([name, password_hash, role_text(role)]), false).map(drop)
    }

    /// Adds somebody who may sign in; false if there is one of that name, or if there are `at_most` users already.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn add_user(&self, user: &User, at_most: u32) -> Result<bool, StoreError> {
        let sql = "insert into user (name, password_hash, role) select ?1, ?2, ?3 \
                   where not exists (select 1 from user where name = ?1) and (select count(*) from user) < ?4";
        let mut params = texts([&user.name, &user.password_hash, role_text(user.role)]);
        params.push(Value::Integer(at_most.into()));
        self.change(sql, params, false).map(|n| n > 0)
    }

    /// Gives a user another role; false if there is none of that name, or if the last administrator would be none then.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn set_role(&self, name: &str, role: Role) -> Result<bool, StoreError> {
        let sql = "update user set role = ?2 where name = ?1 and (?2 = 'admin' or role <> 'admin' \
                   or exists (select 1 from user as other where other.role = 'admin' and other.name <> ?1))";
        self.change(sql, texts([name, role_text(role)]), false).map(|n| n > 0)
    }

    /// Gives a user another password; false if there is none of that name.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn set_password(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let sql = "update user set password_hash = ?2 where name = ?1";
        self.change(sql, texts([name, password_hash]), false).map(|n| n > 0)
    }

    /// Deletes a user; false if there is none of that name, or if it is the last administrator.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_user(&self, name: &str) -> Result<bool, StoreError> {
        let sql = "delete from user where name = ?1 and (role <> 'admin' \
                   or exists (select 1 from user as other where other.role = 'admin' and other.name <> ?1))";
        self.change(sql, texts([name]), false).map(|n| n > 0)
    }

    /// Somebody who may sign in, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        db.query_row("select name, password_hash, role from user where name = ?1", [name], user)
            .optional()
            .map_err(StoreError::db(&path))
    }

    /// Everybody who may sign in, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn all_users(&self) -> Result<Vec<User>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        let read = || {
            db.prepare("select name, password_hash, role from user order by name")?
                .query_map([], user)?
                .collect::<Result<_, _>>()
        };
        read().map_err(StoreError::db(&path))
    }
}

fn texts<const N: usize>(values: [&str; N]) -> Vec<Value> {
    values.into_iter().map(|text| Value::Text(text.to_owned())).collect()
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let role: String = row.get(2)?;
    Ok(User { name: row.get(0)?, password_hash: row.get(1)?, role: role_of(&role) })
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}

/// A role that this version does not know may do least.
fn role_of(text: &str) -> Role {
    match text {
        "admin" => Role::Admin,
        "operator" => Role::Operator,
        _ => Role::Viewer,
    }
}
