//! `/api-keys`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use live::Change;
use model::catalog::{AccountId, ApiKey, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use super::{invalid, secret};
use crate::actions::Scope;
use crate::problem::{Kind, Problem};
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

/// A key for all accounts lies outside of the scope of one.
fn covers(scope: Scope, account: AccountId) -> bool {
    scope.covers((account != 0).then_some(account))
}

/// `GET /api-keys`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Result<Json<Keys>, Problem> {
    caller.require(Role::Admin)?;
    let catalog = state.catalog();
    let mut keys: Vec<_> = catalog
        .api_keys
        .values()
        .filter(|key| covers(caller.scope, key.account))
        .map(|key| KeyAnswer { id: key.id.clone(), account: key.account, role: key.role })
        .collect();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(Keys { keys }))
}

/// `POST /api-keys`.
pub async fn create(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<KeyBody>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    caller.require(Role::Admin)?;
    let account = body.account.or(caller.scope.account()).unwrap_or(0);
    if !covers(caller.scope, account) || (account != 0 && !state.catalog().accounts.contains_key(&account)) {
        return Err(invalid("account", "there is no such account"));
    }
    let key = ApiKey { id: format!("AKID{}", secret(14)?), secret: secret(24)?, account, role: body.role };
    let _editing = state.edit().await;
    state.live().change(Change::PutApiKey(key.clone()), &caller.by()).await?;
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
    if id == caller.id {
        return Err(Problem::new(Kind::Conflict, "a key does not delete itself; use another one"));
    }
    let nothing = || Problem::new(Kind::NotFound, "there is no such key");
    let _editing = state.edit().await;
    let catalog = state.catalog();
    catalog.api_keys.get(&id).filter(|key| covers(caller.scope, key.account)).ok_or_else(nothing)?;
    match state.live().change(Change::DeleteApiKey(id), &caller.by()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(nothing()),
    }
}
