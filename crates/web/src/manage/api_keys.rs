//! Keys for the APIs. A secret is given once: when it is made.

use live::{Change, OrderedBy};
use model::catalog::{AccountId, ApiKey, Role};

use super::{Clash, ManageError, Thing, change, invalid, secret};
use crate::actions::Scope;
use crate::state::WebState;

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Public part.
    pub id: String,
    /// The account it acts for; 0 means all.
    pub account: AccountId,
    /// What it may do.
    pub role: Role,
}

/// A key for all accounts lies outside of the scope of one.
fn covers(scope: Scope, account: AccountId) -> bool {
    scope.covers((account != 0).then_some(account))
}

/// The keys in scope, by id.
pub fn list(state: &WebState, scope: Scope) -> Vec<KeyFacts> {
    let catalog = state.catalog();
    let facts = |key: &ApiKey| KeyFacts { id: key.id.clone(), account: key.account, role: key.role };
    let mut keys: Vec<_> =
        catalog.api_keys.values().filter(|key| covers(scope, key.account)).map(facts).collect();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    keys
}

/// Makes a key.
///
/// # Errors
/// [`ManageError`].
pub async fn create(
    state: &WebState,
    scope: Scope,
    account: AccountId,
    role: Role,
    by: &OrderedBy,
) -> Result<ApiKey, ManageError> {
    let key = ApiKey { id: format!("AKID{}", secret(14)?), secret: secret(24)?, account, role };
    change(state, by, |catalog| {
        let known = account == 0 || catalog.accounts.contains_key(&account);
        match known && covers(scope, account) {
            true => Ok(Change::PutApiKey(key.clone())),
            false => Err(invalid("account", "there is no such account")),
        }
    })
    .await?;
    Ok(key)
}

/// Deletes a key; what it signs is refused from now on.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(state: &WebState, scope: Scope, id: &str, by: &OrderedBy) -> Result<(), ManageError> {
    if by.via == "api" && by.who == id {
        return Err(Clash::OwnKey.into());
    }
    let deleted = change(state, by, |catalog| {
        let found = catalog.api_keys.get(id).filter(|key| covers(scope, key.account));
        found.map(|key| Change::DeleteApiKey(key.id.clone())).ok_or(ManageError::Missing(Thing::ApiKey))
    });
    if deleted.await? { Ok(()) } else { Err(ManageError::Missing(Thing::ApiKey)) }
}
