//! `/accounts`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use live::Change;
use model::catalog::{Account, AccountId, AccountStatus, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use super::invalid;
use crate::actions::Scope;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The accounts in scope, by number.
#[derive(Serialize)]
pub struct Accounts {
    accounts: Vec<Account>,
}

/// An account to put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountBody {
    #[serde(default)]
    status: AccountStatus,
    #[serde(default)]
    max_pushes: u32,
}

fn nothing() -> Problem {
    Problem::new(Kind::NotFound, "there is no such account")
}

/// Accounts are the business of those who see all of them.
fn require_all(caller: &Caller) -> Result<(), Problem> {
    caller.require(Role::Admin)?;
    match caller.scope {
        Scope::All => Ok(()),
        Scope::Account(_) => {
            Err(Problem::new(Kind::Forbidden, "only a key without an account changes accounts"))
        }
    }
}

/// `GET /accounts`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Accounts> {
    let catalog = state.catalog();
    let mut accounts: Vec<_> =
        catalog.accounts.values().filter(|a| caller.scope.covers(Some(a.id))).cloned().collect();
    accounts.sort_by_key(|account| account.id);
    Json(Accounts { accounts })
}

/// `GET /accounts/{id}`.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
) -> Result<Json<Account>, Problem> {
    let catalog = state.catalog();
    let found = catalog.accounts.get(&id).filter(|a| caller.scope.covers(Some(a.id)));
    found.cloned().map(Json).ok_or_else(nothing)
}

/// `PUT /accounts/{id}`.
pub async fn put(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
    Body(body): Body<AccountBody>,
) -> Result<Json<Account>, Problem> {
    require_all(&caller)?;
    if id == 0 || i64::try_from(id).is_err() {
        return Err(invalid("id", "must be a number above 0 of at most 63 bits"));
    }
    let account = Account { id, status: body.status, max_pushes: body.max_pushes };
    let _editing = state.edit().await;
    state.live().change(Change::PutAccount(account.clone()), &caller.by()).await?;
    Ok(Json(account))
}

/// `DELETE /accounts/{id}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
) -> Result<StatusCode, Problem> {
    require_all(&caller)?;
    let _editing = state.edit().await;
    if state.catalog().domains.values().any(|domain| domain.account == id) {
        return Err(Problem::new(Kind::Conflict, "the account has domains; delete them first"));
    }
    match state.live().change(Change::DeleteAccount(id), &caller.by()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(nothing()),
    }
}
