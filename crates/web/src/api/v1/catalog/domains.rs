//! `/domains`: domains with their IP lists, limits, conflict rules and apps. Keys are never shown but when they are made.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ipnet::IpNet;
use live::Change;
use model::catalog::{AccountId, App, ConflictRule, Domain, DomainKind, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use super::{invalid, secret};
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Entries of each list.
const MAX_LIST: usize = 1_000;

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

/// What is to be changed; what is left out stays.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DomainPatch {
    enabled: Option<bool>,
    auth: Option<bool>,
    conflict: Option<ConflictRule>,
    priority: Option<bool>,
    allow: Option<Vec<IpNet>>,
    block: Option<Vec<IpNet>>,
    max_pushes: Option<u32>,
    max_pushes_per_stream: Option<u32>,
    apps: Option<Vec<App>>,
    channel_mode: Option<bool>,
    play_auth: Option<bool>,
}

/// Which key is made anew.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichKey {
    /// The push key; the old one becomes the backup key, which stays good.
    Push,
    /// The backup key.
    Backup,
    /// The play key.
    Play,
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

/// The domain of that name in the caller's scope.
pub(super) fn find(state: &WebState, caller: &Caller, name: &str) -> Result<Domain, Problem> {
    let catalog = state.catalog();
    let found = catalog.domain(name).filter(|d| caller.scope.covers(Some(d.account)));
    found.cloned().ok_or_else(|| Problem::new(Kind::NotFound, "there is no such domain"))
}

/// Writes a domain back.
pub(super) async fn store(state: &WebState, caller: &Caller, domain: Domain) -> Result<(), Problem> {
    state.live().change(Change::PutDomain(Box::new(domain)), &caller.by()).await?;
    Ok(())
}

/// `GET /domains`.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Domains> {
    let catalog = state.catalog();
    let mut domains: Vec<DomainAnswer> = catalog
        .domains
        .values()
        .filter(|d| caller.scope.covers(Some(d.account)))
        .map(DomainAnswer::from)
        .collect();
    domains.sort_by(|a, b| a.name.cmp(&b.name));
    Json(Domains { domains })
}

/// `GET /domains/{name}`.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
) -> Result<Json<DomainAnswer>, Problem> {
    Ok(Json(DomainAnswer::from(&find(&state, &caller, &name)?)))
}

/// `POST /domains`.
pub async fn create(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<DomainBody>,
) -> Result<(StatusCode, Json<NewDomain>), Problem> {
    caller.require(Role::Admin)?;
    let name = body.name.to_ascii_lowercase();
    if !is_host_name(&name) {
        return Err(invalid("name", "is no host name; write one such as push.example.com"));
    }
    let account = body
        .account
        .or(caller.scope.account())
        .ok_or_else(|| invalid("account", "is missing; this key sees all accounts"))?;
    let _editing = state.edit().await;
    let catalog = state.catalog();
    if !caller.scope.covers(Some(account)) || !catalog.accounts.contains_key(&account) {
        return Err(invalid("account", "there is no such account"));
    }
    if catalog.domain(&name).is_some() {
        return Err(Problem::new(Kind::Conflict, "the domain is in the catalog already"));
    }
    let key = secret(16)?;
    let mut domain = Domain::new(name, account, String::new());
    domain.kind = body.kind;
    match body.kind {
        DomainKind::Push => domain.key.clone_from(&key),
        DomainKind::Play => domain.play_key.clone_from(&key),
    }
    let answer = DomainAnswer::from(&domain);
    store(&state, &caller, domain).await?;
    Ok((StatusCode::CREATED, Json(NewDomain { domain: answer, key })))
}

/// `PATCH /domains/{name}`.
pub async fn modify(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
    Body(patch): Body<DomainPatch>,
) -> Result<Json<DomainAnswer>, Problem> {
    caller.require(Role::Admin)?;
    let lists = [("allow", patch.allow.as_ref()), ("block", patch.block.as_ref())];
    for (field, list) in lists {
        if list.is_some_and(|list| list.len() > MAX_LIST) {
            return Err(invalid(field, "has more than 1000 entries"));
        }
    }
    if let Some(apps) = &patch.apps {
        check_apps(apps)?;
    }
    let _editing = state.edit().await;
    let old = find(&state, &caller, &name)?;
    let domain = Domain {
        enabled: patch.enabled.unwrap_or(old.enabled),
        auth: patch.auth.unwrap_or(old.auth),
        conflict: patch.conflict.unwrap_or(old.conflict),
        priority: patch.priority.unwrap_or(old.priority),
        allow: patch.allow.unwrap_or(old.allow),
        block: patch.block.unwrap_or(old.block),
        max_pushes: patch.max_pushes.unwrap_or(old.max_pushes),
        max_pushes_per_stream: patch.max_pushes_per_stream.unwrap_or(old.max_pushes_per_stream),
        apps: patch.apps.unwrap_or(old.apps),
        channel_mode: patch.channel_mode.unwrap_or(old.channel_mode),
        play_auth: patch.play_auth.unwrap_or(old.play_auth),
        ..old
    };
    if domain.kind == DomainKind::Push && domain.auth && domain.key.is_empty() && domain.backup_key.is_empty()
    {
        return Err(Problem::new(Kind::Conflict, "the domain has no key to check with; make one first"));
    }
    if domain.play_auth && domain.play_key.is_empty() {
        return Err(Problem::new(Kind::Conflict, "the domain has no play key; make one first"));
    }
    let answer = DomainAnswer::from(&domain);
    store(&state, &caller, domain).await?;
    Ok(Json(answer))
}

/// `POST /domains/{name}/keys`.
pub async fn rotate(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
    Body(body): Body<RotateBody>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    caller.require(Role::Admin)?;
    let key = secret(16)?;
    let _editing = state.edit().await;
    let mut domain = find(&state, &caller, &name)?;
    match body.which {
        WhichKey::Push => domain.backup_key = std::mem::replace(&mut domain.key, key.clone()),
        WhichKey::Backup => domain.backup_key.clone_from(&key),
        WhichKey::Play => domain.play_key.clone_from(&key),
    }
    store(&state, &caller, domain).await?;
    Ok((StatusCode::CREATED, Json(NewKey { key })))
}

/// `DELETE /domains/{name}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    let _editing = state.edit().await;
    let domain = find(&state, &caller, &name)?;
    if state.catalog().callback_rules.values().any(|rule| rule.domain == domain.name) {
        return Err(Problem::new(Kind::Conflict, "callback rules refer to the domain; delete them first"));
    }
    state.live().change(Change::DeleteDomain(domain.name), &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_apps(apps: &[App]) -> Result<(), Problem> {
    let good = |name: &str| (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
    if apps.len() > MAX_LIST || apps.iter().any(|app| !good(&app.name)) {
        return Err(invalid("apps", "at most 1000, each with a name of 1 to 255 bytes"));
    }
    let mut names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(invalid("apps", "names an app twice")),
        false => Ok(()),
    }
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}
