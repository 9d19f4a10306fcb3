//! People who sign in to the console. A password that is made here is given once; one that changes ends the user's
//! sessions.

use live::OrderedBy;
use model::catalog::{AccountId, Role};
use serde_json::{Value, json};
use store::{AuditEntry, CatalogStore, StoreError, User};

use super::{Clash, ManageError, Thing, invalid, secret};
use crate::actions::Scope;
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

/// What a user may do, and whose things the user sees and acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// What.
    pub role: Role,
    /// Whose; 0 means all accounts'.
    pub account: AccountId,
}

impl Rights {
    /// Nobody gives more than what they have themselves, and nothing of an account that there is not.
    fn check(self, state: &WebState, scope: Scope) -> Result<(), ManageError> {
        let known = self.account == 0 || state.catalog().accounts.contains_key(&self.account);
        match known && covers(scope, self.account) {
            true => Ok(()),
            false => Err(invalid("account", "there is no such account")),
        }
    }
}

fn rights_of(user: &User) -> Rights {
    Rights { role: user.role, account: user.account }
}

/// A user who sees all accounts lies outside of the scope of one.
fn covers(scope: Scope, account: AccountId) -> bool {
    scope.covers((account != 0).then_some(account))
}

/// Everybody in scope who may sign in, by name.
///
/// # Errors
/// [`ManageError::Store`].
pub async fn list(state: &WebState, scope: Scope) -> Result<Vec<(String, Rights)>, ManageError> {
    let users = blocking(state.users().clone(), |users| users.all_users()).await?;
    let seen = users.into_iter().filter(|user| covers(scope, user.account));
    Ok(seen.map(|user| (user.name, Rights { role: user.role, account: user.account })).collect())
}

/// Adds a user; gives the password, for the only time.
///
/// # Errors
/// [`ManageError`].
pub async fn add(
    state: &WebState,
    scope: Scope,
    name: &str,
    rights: Rights,
    by: &OrderedBy,
) -> Result<String, ManageError> {
    let name = name.trim();
    let legal = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(legal) {
        return Err(invalid("name", "must have 1 to 64 letters, digits or -_.@+"));
    }
    rights.check(state, scope)?;
    let (password, password_hash) = fresh_password().await?;
    let Rights { role, account } = rights;
    let user = User { name: name.to_owned(), password_hash, role, account };
    let store = audited(state, "put_user", (name, account), told(None, Some(rights)), by);
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

/// Gives a user another role and account, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn set_rights(
    state: &WebState,
    scope: Scope,
    name: &str,
    rights: Rights,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    let before = find(state, scope, name).await?;
    rights.check(state, scope)?;
    let what = told(Some(rights_of(&before)), Some(rights));
    let store = audited(state, "put_user", (name, rights.account), what, by);
    let user = before.name.clone();
    let set = move |users: CatalogStore| users.set_rights(&user, rights.role, rights.account);
    if !blocking(store, set).await? {
        return Err(Clash::LastAdmin.into());
    }
    state.sessions().close_all(&before.name, None);
    Ok(())
}

/// Gives a user a fresh password, for the only time, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn reset_password(
    state: &WebState,
    scope: Scope,
    name: &str,
    by: &OrderedBy,
) -> Result<String, ManageError> {
    let user = find(state, scope, name).await?;
    let (password, hash) = fresh_password().await?;
    store_password(state, &user, hash, None, by).await?;
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
    let user = find(state, Scope::All, name).await?;
    let hash = hashed(password).await?;
    store_password(state, &user, hash, Some(keep), by).await
}

/// Deletes a user, and ends the user's sessions.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(state: &WebState, scope: Scope, name: &str, by: &OrderedBy) -> Result<(), ManageError> {
    let before = find(state, scope, name).await?;
    let what = told(Some(rights_of(&before)), None);
    let store = audited(state, "delete_user", (name, before.account), what, by);
    let user = before.name.clone();
    if !blocking(store, move |users| users.delete_user(&user)).await? {
        return Err(Clash::LastAdmin.into());
    }
    state.sessions().close_all(&before.name, None);
    Ok(())
}

async fn find(state: &WebState, scope: Scope, name: &str) -> Result<User, ManageError> {
    let wanted = name.to_owned();
    let found = blocking(state.users().clone(), move |users| users.user(&wanted)).await?;
    found.filter(|user| covers(scope, user.account)).ok_or(ManageError::Missing(Thing::User))
}

/// A change of rights, as the audit log tells it.
fn told(before: Option<Rights>, after: Option<Rights>) -> Value {
    let role = |rights: Option<Rights>| rights.map(|rights| rights.role);
    let account = |rights: Option<Rights>| rights.map(|rights| rights.account);
    json!({
        "role": { "before": role(before), "after": role(after) },
        "account": { "before": account(before), "after": account(after) },
    })
}

async fn store_password(
    state: &WebState,
    user: &User,
    hash: String,
    keep: Option<&str>,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    let what = json!({ "password": { "before": model::mask::MASK, "after": model::mask::MASK } });
    let store = audited(state, "put_user", (&user.name, user.account), what, by);
    let name = user.name.clone();
    if !blocking(store, move |users| users.set_password(&name, &hash)).await? {
        return Err(ManageError::Missing(Thing::User));
    }
    state.sessions().close_all(&user.name, keep);
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

/// The store that remembers a change of the user of that name and account.
fn audited(
    state: &WebState,
    action: &str,
    (target, account): (&str, AccountId),
    what: Value,
    by: &OrderedBy,
) -> CatalogStore {
    state.users().audited(AuditEntry {
        at: state.clock().now(),
        who: by.who.clone(),
        via: by.via.to_owned(),
        origin: by.from.map(|ip| ip.to_string()),
        account: (account != 0).then_some(account),
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
