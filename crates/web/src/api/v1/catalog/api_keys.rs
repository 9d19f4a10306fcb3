//! `/api-keys`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::catalog::{AccountId, ApiKey, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use crate::manage::{self, api_keys::KeyFacts};
use crate::problem::Problem;
use crate::state::WebState;

/// A key without its secret.
#[derive(Serialize)]
pub struct KeyAnswer {
    id: String,
    account: AccountId,
    role: Role,
}

/// The keys in scope, by id.
#[derive(Serialize)]
pub struct Keys {
    keys: Vec<KeyAnswer>,
}

/// A key to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    account: Option<AccountId>,
    role: Role,
}

/// A key that was made; its secret is never shown again.
#[derive(Serialize)]
pub struct NewKey {
    id: String,
    secret: String,
    account: AccountId,
    role: Role,
}

/// `GET /api-keys`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Result<Json<Keys>, Problem> {
    caller.require(Role::Admin)?;
    let keys = manage::api_keys::list(&state, caller.scope).into_iter();
    let answer = |key: KeyFacts| KeyAnswer { id: key.id, account: key.account, role: key.role };
    Ok(Json(Keys { keys: keys.map(answer).collect() }))
}

/// `POST /api-keys`.
pub async fn create(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<KeyBody>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    caller.require(Role::Admin)?;
    let account = body.account.or(caller.scope.account()).unwrap_or(0);
    let key = manage::api_keys::create(&state, caller.scope, account, body.role, &caller.by()).await?;
    let ApiKey { id, secret, account, role } = key;
    Ok((StatusCode::CREATED, Json(NewKey { id, secret, account, role })))
}

/// `DELETE /api-keys/{id}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::api_keys::delete(&state, caller.scope, &id, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}
