//! `/accounts`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::catalog::{Account, AccountId, AccountStatus, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use crate::manage;
use crate::problem::Problem;
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

/// `GET /accounts`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Accounts> {
    Json(Accounts { accounts: manage::accounts::list(&state, caller.scope) })
}

/// `GET /accounts/{id}`.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
) -> Result<Json<Account>, Problem> {
    Ok(Json(manage::accounts::one(&state, caller.scope, id)?))
}

/// `PUT /accounts/{id}`.
pub async fn put(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
    Body(body): Body<AccountBody>,
) -> Result<Json<Account>, Problem> {
    caller.require(Role::Admin)?;
    let put =
        manage::accounts::put(&state, caller.scope, id, body.status, body.max_pushes, &caller.by()).await?;
    Ok(Json(put))
}

/// `DELETE /accounts/{id}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<AccountId>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::accounts::delete(&state, caller.scope, id, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}
