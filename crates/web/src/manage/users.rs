//! People who sign in to the console. A password that is made here is given once; one that changes ends the user's
//! sessions.

use live::OrderedBy;
use model::catalog::Role;
use serde_json::{Value, json};
use store::{AuditEntry, CatalogStore, StoreError, User};

use super::{Clash, ManageError, Thing, invalid, secret};
use crate::password;
use crate::state::WebState;

/// Users of a node.
const MAX_USERS: u32 = 1_000;
/// The longest name, bytes.
pub const MAX_NAME: usize = 64;
/// The shortest password that a user may choose, characters.
pub const MIN_PASSWORD: usize = 10;
/// Random bytes of a password that is made here.
const PASSWORD: usize = 10;

/// Everybody who may sign in, by name.
///
/// # Errors
/// [`ManageError::Store`].
pub async fn list(state: &WebState) -> Result<Vec<(String, Role)>, ManageError> {
    let users = blocking(state.users().clone(), |users| users.all_users()).await?;
    Ok(users.into_iter().map(|user| (user.name, user.role)).collect())
}

/// Adds a user; gives the password, for the only time.
///
/// # Errors
/// [`ManageError`].
pub async fn add(state: &WebState, name: &str, role: Role, by: &OrderedBy) -> Result<String, ManageError> {
    let name = name.trim();
    let legal = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(legal) {
        return Err(invalid("name", "must have 1 to 64 letters, digits or -_.@+"));
    }
    let (password, password_hash) = fresh_password().await?;
    let user = User { name: name.to_owned(), password_hash, role };
    let what = json!({ "role": { "before": null, "after": role } });
    let store = audited(state, "put_user", name, what, by);
    let added = blocking(store, move |users| {
        let added = users.add_user(&user, MAX_USERS)?;
        Ok((added, users.user(&user.name)?.is_some()))
    });
    match added.await? {
        (true, _) => Ok(password),
        (false, true) => Err(ManageError::Exists(Thing::User)),
        (false, false) => Err(Clash::TooManyUsers.into()),
    }
}

/// Gives a user another role, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn set_role(state: &WebState, name: &str, role: Role, by: &OrderedBy) -> Result<(), ManageError> {
    let before = find(state, name).await?;
    let what = json!({ "role": { "before": before.role, "after": role } });
    let store = audited(state, "put_user", name, what, by);
    let user = before.name.clone();
    if !blocking(store, move |users| users.set_role(&user, role)).await? {
        return Err(Clash::LastAdmin.into());
    }
    state.sessions().close_all(&before.name, None);
    Ok(())
}

/// Gives a user a fresh password, for the only time, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn reset_password(state: &WebState, name: &str, by: &OrderedBy) -> Result<String, ManageError> {
    let (password, hash) = fresh_password().await?;
    store_password(state, name, hash, None, by).await?;
    Ok(password)
}

/// Gives a user the password that the user chose, and ends the user's other sessions. `keep` is the cookie's value of the
/// session that stays.
///
/// # Errors
/// [`ManageError`].
pub async fn choose_password(
    state: &WebState,
    name: &str,
    password: String,
    keep: &str,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    if password.chars().count() < MIN_PASSWORD || password.len() > password::MAX_PASSWORD {
        return Err(invalid("password", "must have at least 10 characters"));
    }
    let hash = hashed(password).await?;
    store_password(state, name, hash, Some(keep), by).await
}

/// Deletes a user, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(state: &WebState, name: &str, by: &OrderedBy) -> Result<(), ManageError> {
    let before = find(state, name).await?;
    let what = json!({ "role": { "before": before.role, "after": null } });
    let store = audited(state, "delete_user", name, what, by);
    let user = before.name.clone();
    if !blocking(store, move |users| users.delete_user(&user)).await? {
        return Err(Clash::LastAdmin.into());
    }
    state.sessions().close_all(&before.name, None);
    Ok(())
}

async fn find(state: &WebState, name: &str) -> Result<User, ManageError> {
    let wanted = name.to_owned();
    let found = blocking(state.users().clone(), move |users| users.user(&wanted)).await?;
    found.ok_or(ManageError::Missing(Thing::User))
}

async fn store_password(
    state: &WebState,
    name: &str,
    hash: String,
    keep: Option<&str>,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    let what = json!({ "password": { "before": model::mask::MASK, "after": model::mask::MASK } });
    let store = audited(state, "put_user", name, what, by);
    let user = name.to_owned();
    if !blocking(store, move |users| users.set_password(&user, &hash)).await? {
        return Err(ManageError::Missing(Thing::User));
    }
    state.sessions().close_all(name, keep);
    Ok(())
}

async fn fresh_password() -> Result<(String, String), ManageError> {
    let password = secret(PASSWORD)?;
    Ok((password.clone(), hashed(password).await?))
}

async fn hashed(password: String) -> Result<String, ManageError> {
    let hashed = tokio::task::spawn_blocking(move || password::hash(&password)).await?;
    hashed.map_err(|error| {
        tracing::error!(%error, "a password was not changed");
        ManageError::GivenUp
    })
}

fn audited(state: &WebState, action: &str, target: &str, what: Value, by: &OrderedBy) -> CatalogStore {
    state.users().audited(AuditEntry {
        at: state.clock().now(),
        who: by.who.clone(),
        via: by.via.to_owned(),
        origin: by.from.map(|ip| ip.to_string()),
        account: None,
        action: action.to_owned(),
        target: target.to_owned(),
        what,
    })
}

async fn blocking<T: Send + 'static>(
    users: CatalogStore,
    work: impl FnOnce(CatalogStore) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ManageError> {
    Ok(tokio::task::spawn_blocking(move || work(users)).await??)
}
