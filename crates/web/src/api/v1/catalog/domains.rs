//! `/domains`: domains with their IP lists, limits, conflict rules and apps. Keys are never shown but when they are made.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ipnet::IpNet;
use model::catalog::{AccountId, App, ConflictRule, Domain, DomainKind, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use crate::manage::{self, domains::DomainPatch, keys::WhichKey};
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// A domain without its keys.
#[derive(Serialize)]
pub struct DomainAnswer {
    name: String,
    account: AccountId,
    kind: DomainKind,
    enabled: bool,
    auth: bool,
    has_key: bool,
    has_backup_key: bool,
    conflict: ConflictRule,
    priority: bool,
    allow: Vec<IpNet>,
    block: Vec<IpNet>,
    max_pushes: u32,
    max_pushes_per_stream: u32,
    apps: Vec<App>,
    channel_mode: bool,
    channels: usize,
    play_auth: bool,
    has_play_key: bool,
    has_play_backup_key: bool,
}

impl From<&Domain> for DomainAnswer {
    fn from(domain: &Domain) -> Self {
        Self {
            name: domain.name.clone(),
            account: domain.account,
            kind: domain.kind,
            enabled: domain.enabled,
            auth: domain.auth,
            has_key: !domain.key.is_empty(),
            has_backup_key: !domain.backup_key.is_empty(),
            conflict: domain.conflict,
            priority: domain.priority,
            allow: domain.allow.clone(),
            block: domain.block.clone(),
            max_pushes: domain.max_pushes,
            max_pushes_per_stream: domain.max_pushes_per_stream,
            apps: domain.apps.clone(),
            channel_mode: domain.channel_mode,
            channels: domain.channels.len(),
            play_auth: domain.play_auth,
            has_play_key: !domain.play_key.is_empty(),
            has_play_backup_key: !domain.play_backup_key.is_empty(),
        }
    }
}

/// The domains in scope, by name.
#[derive(Serialize)]
pub struct Domains {
    domains: Vec<DomainAnswer>,
}

/// A domain to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainBody {
    name: String,
    account: Option<AccountId>,
    #[serde(default)]
    kind: DomainKind,
}

/// A key to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    which: WhichKey,
}

/// A key that was made; it is never shown again.
#[derive(Serialize)]
pub struct NewKey {
    key: String,
}

/// A domain that was added, and the key that was made for it.
#[derive(Serialize)]
pub struct NewDomain {
    domain: DomainAnswer,
    key: String,
}

/// `GET /domains`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Domains> {
    let domains = manage::domains::list(&state, caller.scope);
    Json(Domains { domains: domains.iter().map(DomainAnswer::from).collect() })
}

/// `GET /domains/{name}`.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
) -> Result<Json<DomainAnswer>, Problem> {
    Ok(Json(DomainAnswer::from(&manage::domains::one(&state, caller.scope, &name)?)))
}

/// `POST /domains`.
pub async fn create(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<DomainBody>,
) -> Result<(StatusCode, Json<NewDomain>), Problem> {
    caller.require(Role::Admin)?;
    let account = body.account.or(caller.scope.account()).ok_or_else(|| {
        Problem::new(Kind::BadRequest, "is missing; this key sees all accounts").with_field("account")
    })?;
    let (domain, key) =
        manage::domains::create(&state, caller.scope, &body.name, account, body.kind, &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(NewDomain { domain: DomainAnswer::from(&domain), key })))
}

/// `PATCH /domains/{name}`.
pub async fn modify(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
    Body(patch): Body<DomainPatch>,
) -> Result<Json<DomainAnswer>, Problem> {
    caller.require(Role::Admin)?;
    let domain = manage::domains::modify(&state, caller.scope, &name, patch, &caller.by()).await?;
    Ok(Json(DomainAnswer::from(&domain)))
}

/// `POST /domains/{name}/keys`.
pub async fn rotate(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
    Body(body): Body<RotateBody>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    caller.require(Role::Admin)?;
    let key = manage::keys::rotate(&state, caller.scope, &name, body.which, &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(NewKey { key })))
}

/// `DELETE /domains/{name}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::domains::delete(&state, caller.scope, &name, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}
