//! The console's users. An administrator who is tied to no account can make all others; what must not happen to the last
//! one is held by the statements themselves, so that two changes at once cannot do it either.

use model::catalog::{AccountId, Role};
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
    /// The account whose things they see and act on; 0 means all.
    pub account: AccountId,
}

/// A statement about the user ?1 that spares the last administrator of all accounts, unless `$or` holds.
macro_rules! sparing_the_last {
    ($statement:literal, $or:literal) => {
        concat!(
            $statement,
            " where name = ?1 and (",
            $or,
            " or role <> 'admin' or account <> 0 or exists (select 1 from user as other \
             where other.role = 'admin' and other.account = 0 and other.name <> ?1))"
        )
    };
}

impl CatalogStore {
    /// Adds somebody who may sign in and sees all accounts, or replaces the one of that name.
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
        let sql = "insert into user (name, password_hash, role, account) select ?1, ?2, ?3, ?4 \
                   where not exists (select 1 from user where name = ?1) and (select count(*) from user) < ?5";
        let mut params = texts([&user.name, &user.password_hash, role_text(user.role)]);
        params.extend([Value::Integer(user.account.cast_signed()), Value::Integer(at_most.into())]);
        self.change(sql, params, false).map(|n| n > 0)
    }

    /// Gives a user another role and account; false if there is none of that name, or if the last administrator of all
    /// accounts would be none then.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn set_rights(&self, name: &str, role: Role, account: AccountId) -> Result<bool, StoreError> {
        let sql = sparing_the_last!("update user set role = ?2, account = ?3", "?2 = 'admin' and ?3 = 0");
        let mut params = texts([name, role_text(role)]);
        params.push(Value::Integer(account.cast_signed()));
        self.change(sql, params, false).map(|n| n > 0)
    }

    /// Gives a user another password; false if there is none of that name.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn set_password(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let sql = "update user set password_hash = ?2 where name = ?1";
        self.change(sql, texts([name, password_hash]), false).map(|n| n > 0)
    }

    /// Deletes a user; false if there is none of that name, or if it is the last administrator of all accounts.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_user(&self, name: &str) -> Result<bool, StoreError> {
        let sql = sparing_the_last!("delete from user", "false");
        self.change(sql, texts([name]), false).map(|n| n > 0)
    }

    /// Somebody who may sign in, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        db.query_row("select name, password_hash, role, account from user where name = ?1", [name], user)
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
            db.prepare("select name, password_hash, role, account from user order by name")?
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
    let account: i64 = row.get(3)?;
    Ok(User {
        name: row.get(0)?,
        password_hash: row.get(1)?,
        role: role_of(&role),
        account: account.cast_unsigned(),
    })
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
