//! Accounts.

use live::{Change, OrderedBy};
use model::catalog::{Account, AccountId, AccountStatus};

use super::{Clash, ManageError, Thing, change, invalid};
use crate::actions::Scope;
use crate::state::WebState;

/// The accounts in scope, by number.
pub fn list(state: &WebState, scope: Scope) -> Vec<Account> {
    let catalog = state.catalog();
    let mut accounts: Vec<_> =
        catalog.accounts.values().filter(|a| scope.covers(Some(a.id))).cloned().collect();
    accounts.sort_by_key(|account| account.id);
    accounts
}

/// One account.
///
/// # Errors
/// [`ManageError::Missing`].
pub fn one(state: &WebState, scope: Scope, id: AccountId) -> Result<Account, ManageError> {
    let catalog = state.catalog();
    let found = catalog.accounts.get(&id).filter(|a| scope.covers(Some(a.id)));
    found.cloned().ok_or(ManageError::Missing(Thing::Account))
}

/// Adds an account, or replaces the one of that number. Accounts are the business of those who see all of them.
///
/// # Errors
/// [`ManageError`].
pub async fn put(
    state: &WebState,
    scope: Scope,
    id: AccountId,
    status: AccountStatus,
    max_pushes: u32,
    by: &OrderedBy,
) -> Result<Account, ManageError> {
    require_all(scope)?;
    if id == 0 || i64::try_from(id).is_err() {
        return Err(invalid("id", "must be a number above 0 of at most 63 bits"));
    }
    let account = Account { id, status, max_pushes };
    change(state, by, |_| Ok(Change::PutAccount(account.clone()))).await?;
    Ok(account)
}

/// Deletes an account that owns nothing.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(
    state: &WebState,
    scope: Scope,
    id: AccountId,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    require_all(scope)?;
    let deleted =
        change(state, by, |catalog| match catalog.domains.values().any(|domain| domain.account == id) {
            true => Err(Clash::AccountHasDomains.into()),
            false => Ok(Change::DeleteAccount(id)),
        });
    if deleted.await? { Ok(()) } else { Err(ManageError::Missing(Thing::Account)) }
}

fn require_all(scope: Scope) -> Result<(), ManageError> {
    match scope {
        Scope::All => Ok(()),
        Scope::Account(_) => Err(ManageError::Scope),
    }
}
